//! Texts as shoppers and clerks write them: long ones, and letters that not every column, font or signature takes.

/// How many texts there are.
const TEXTS: u8 = 7;

/// What is given as the reason of a refund of this kind, as JSON; nothing for the kinds below eight, whose reasons are the
/// provider's own words.
pub(super) fn reason(kind: u8) -> Option<String> {
    Some(json(&text((kind / 8).checked_sub(1)? % TEXTS)))
}

fn json(text: &str) -> String {
    crate::json::Value::from(text).to_string()
}

fn text(number: u8) -> String {
    const PLAIN: &str =
        "The parcel arrived late and one of the two boxes was damaged, so the customer keeps one and sends the other back. ";
    match number {
        // Letters of the Latin alphabet that ASCII does not have, and signs that are common in names.
        0 => "Größe passt nicht – „Leonardo™ Design Studio“, Straße 5, Łódź".to_owned(),
        1 => "サイズが合わないため返品".to_owned(),
        // Letters outside the basic plane: four bytes in UTF-8, two units in UTF-16, several for one sign.
        2 => "𠮷野家 gave it back 😞👩🏽‍🎨".to_owned(),
        // Three hundred letters, then bytes.
        3 => PLAIN.chars().cycle().take(300).collect(),
        4 => "Rücksendung – ".chars().cycle().take(300).collect(),
        // From right to left, and letters that two code points make.
        5 => "إرجاع البضاعة — cafe\u{301}".to_owned(),
        // Marks of which a query, a page or a command may be made.
        _ => r#"It's 3" too short & the "S/M" <b>label</b> says \ or %s; $5 off"#.to_owned(),
    }
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
        let all: Vec<String> = (0..TEXTS).map(text).collect();
        assert!(all.iter().any(|text| text.is_ascii() && text.len() == 300));
        assert!(all.iter().any(|text| text.chars().count() == 300 && text.len() > 300));
        assert!(all.iter().any(|text| text.chars().any(|letter| letter > '\u{ffff}')));
        assert!(all.iter().all(|text| text.chars().all(|letter| letter >= ' ')));
        assert!(all.iter().any(|text| "'\"\\<&%".chars().all(|mark| text.contains(mark))));
    }

    #[test]
    fn what_is_written_is_json_of_the_text() {
        let read = |json: &str| serde_json::from_str::<String>(json).expect("a text");
        let reasons: Vec<String> = (0..TEXTS).filter_map(|number| reason(8 + 8 * number)).map(|json| read(&json)).collect();
        assert_eq!(reasons, (0..TEXTS).map(text).collect::<Vec<String>>());
    }
}
