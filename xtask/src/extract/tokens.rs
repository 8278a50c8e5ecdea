//! A forgiving reader of JSON-like text: it cuts the text into words and never fails.
//!
//! It is used where a JSON parser cannot be: to compare a broken example with its copy, and to find the `type` of an
//! example that is not valid JSON.

/// What a rendered page shows in place of a mail address.
pub(crate) const MASK: &str = "[email protected]";

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// One of `{ } [ ] : ,`.
    Mark(char),
    /// The inside of a string, as written. A string that is not closed ends with its line.
    Text(&'a str),
    /// Anything else up to the next space, mark or quote: numbers, words, stray letters.
    Word(&'a str),
}

impl<'a> Token<'a> {
    /// The same token with a mail address, or its mask, replaced by [`MASK`].
    pub(crate) fn masked(self) -> Self {
        match self {
            Token::Text(text) if is_mail(text) || text.replace('\u{a0}', " ") == MASK => Token::Text(MASK),
            other => other,
        }
    }

    /// Whether this token, cut off by the end of a document, may be the beginning of `whole`.
    pub(crate) fn begins(self, whole: Self) -> bool {
        match (self, whole) {
            (Token::Text(part), Token::Text(all)) | (Token::Word(part), Token::Word(all)) => all.starts_with(part),
            _ => self == whole,
        }
    }
}

/// Cuts `text` into tokens.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, used) = next(rest, first);
        found.push(token);
        rest = rest[used..].trim_start();
    }
    found
}

/// How deep the braces and brackets are after `tokens`; never below zero.
pub(crate) fn depth(tokens: &[Token<'_>]) -> usize {
    tokens.iter().fold(0, |depth, token| step(depth, *token))
}

/// The string member `type` of the outermost object.
pub(crate) fn outer_type<'a>(tokens: &[Token<'a>]) -> Option<&'a str> {
    let mut level = 0;
    for (index, token) in tokens.iter().enumerate() {
        level = step(level, *token);
        if level != 1 || *token != Token::Text("type") {
            continue;
        }
        if let [Token::Mark(':'), Token::Text(value), ..] = tokens[index + 1..] {
            return Some(value);
        }
    }
    None
}

fn step(depth: usize, token: Token<'_>) -> usize {
    match token {
        Token::Mark('{' | '[') => depth + 1,
        Token::Mark('}' | ']') => depth.saturating_sub(1),
        _ => depth,
    }
}

fn next(rest: &str, first: char) -> (Token<'_>, usize) {
    match first {
        '{' | '}' | '[' | ']' | ':' | ',' => (Token::Mark(first), 1),
        '"' => string(rest),
        _ => {
            let end = rest.find(|c: char| c.is_whitespace() || "{}[]:,\"".contains(c)).unwrap_or(rest.len());
            (Token::Word(&rest[..end]), end)
        }
    }
}

fn string(rest: &str) -> (Token<'_>, usize) {
    let body = &rest[1..];
    let mut escaped = false;
    for (index, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return (Token::Text(&body[..index]), index + 2),
            '\n' => return (Token::Text(body[..index].trim_end()), index + 1),
            _ => {}
        }
    }
    (Token::Text(body), rest.len())
}

fn is_mail(text: &str) -> bool {
    match text.split_once('@') {
        Some((local, host)) => {
            let plain = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '@');
            plain(local) && plain(host) && host.contains('.')
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indentation_does_not_matter() {
        assert_eq!(tokens("{\n    \"a\": [1.0, -2e3]\n}"), tokens("{\"a\":[1.0,-2e3]}"));
    }

    #[test]
    fn stray_letters_and_broken_strings_are_tokens() {
        assert_eq!(tokens("}Js"), [Token::Mark('}'), Token::Word("Js")]);
        assert_eq!(
            tokens("\"id\": \"07b\n\"type\": 1"),
            [Token::Text("id"), Token::Mark(':'), Token::Text("07b"), Token::Text("type"), Token::Mark(':'), Token::Word("1")]
        );
        assert_eq!(tokens(r#""a\"b""#), [Token::Text(r#"a\"b"#)]);
        assert_eq!(tokens("\"cut"), [Token::Text("cut")]);
    }

    #[test]
    fn mails_are_masked() {
        assert_eq!(Token::Text("a@b.example").masked(), Token::Text(MASK));
        assert_eq!(Token::Text("[email\u{a0}protected]").masked(), Token::Text(MASK));
        assert_eq!(Token::Text("at @ home").masked(), Token::Text("at @ home"));
    }

    #[test]
    fn type_of_the_outermost_object_only() {
        let text = r#"{"data": {"type": "inner"}, "x": "type", "type": "outer.type"}"#;
        assert_eq!(outer_type(&tokens(text)), Some("outer.type"));
        assert_eq!(outer_type(&tokens(r#"{"type": 1}"#)), None);
    }

    #[test]
    fn depth_never_goes_below_zero() {
        assert_eq!(depth(&tokens("}{[")), 2);
    }
}
