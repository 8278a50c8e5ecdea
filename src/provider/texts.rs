//! Texts as shoppers and clerks write them: long ones, and letters that not every column, font or signature takes.

/// What is given as the reason of a refund of this kind; nothing for the kinds below eight, whose reasons are the provider's
/// own words.
pub(super) fn reason(kind: u8) -> Option<String> {
    // None of these needs escapes in JSON.
    const PLAIN: &str =
        "The parcel arrived late and one of the two boxes was damaged, so the customer keeps one and sends the other back. ";
    let text = match (kind / 8).checked_sub(1)? % 6 {
        // Letters of the Latin alphabet that ASCII does not have, and signs that are common in names.
        0 => "Größe passt nicht – „Leonardo™ Design Studio“, Straße 5, Łódź".to_owned(),
        1 => "サイズが合わないため返品".to_owned(),
        // Letters outside the basic plane: four bytes in UTF-8, two units in UTF-16, several for one sign.
        2 => "𠮷野家 gave it back 😞👩🏽‍🎨".to_owned(),
        // Three hundred letters, then bytes.
        3 => PLAIN.chars().cycle().take(300).collect(),
        4 => "Rücksendung – ".chars().cycle().take(300).collect(),
        // From right to left, and letters that two code points make.
        _ => "إرجاع البضاعة — cafe\u{301}".to_owned(),
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_below_eight_have_the_providers_own_words() {
        assert!((0..8).all(|kind| reason(kind).is_none()));
        assert!((8..=u8::MAX).all(|kind| reason(kind).is_some()));
    }

    #[test]
    fn there_are_long_ones_and_some_outside_the_basic_plane() {
        let all: Vec<String> = (8..=u8::MAX).filter_map(reason).collect();
        assert!(all.iter().any(|text| text.is_ascii() && text.len() == 300));
        assert!(all.iter().any(|text| text.chars().count() == 300 && text.len() > 300));
        assert!(all.iter().any(|text| text.chars().any(|letter| letter > '\u{ffff}')));
        assert!(all.iter().all(|text| text.chars().all(|letter| letter >= ' ' && letter != '"' && letter != '\\')));
    }
}
