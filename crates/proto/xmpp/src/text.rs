//! Text from and for the wire: bounds, forbidden characters, and a type that never shows itself.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// Words of a person. `Debug` tells their length only, so that they reach no log.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Text(String);

impl Text {
    /// Takes the words over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Gives the words back.
    pub fn into_string(self) -> String {
        self.0
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<Text> for String {
    fn from(text: Text) -> String {
        text.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

/// Whether XML 1.0 allows a character (§2.2, production `Char`).
pub const fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

/// Drops the characters that no XML document can carry (S-XML-08).
///
/// The result is borrowed when nothing had to go, so that a caller can tell.
pub fn without_forbidden(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_xml_char) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().filter(|c| is_xml_char(*c)).collect())
    }
}

/// Foreign text made fit for a screen: line ends become `\n`, other control characters go.
pub fn displayable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                shown.push('\n');
            }
            '\n' | '\t' => shown.push(c),
            c if c.is_control() => {}
            c => shown.push(c),
        }
    }
    shown
}

/// Foreign text made fit for one line: white space runs become one space, controls go.
pub fn one_line(text: &str, max: usize) -> String {
    let mut line = String::new();
    for word in bounded(text, max.saturating_mul(4)).split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().filter(|c| !c.is_control()));
    }
    let end = bounded(&line, max).len();
    line.truncate(end);
    line
}

/// The longest start of `text` that has at most `max` bytes and ends between characters.
pub fn bounded(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_does_not_show_itself_in_debug() {
        assert_eq!(format!("{:?}", Text::new("secret")), "Text(6 bytes)");
    }

    #[test]
    fn bounds_fall_between_characters() {
        assert_eq!(bounded("añb", 2), "a");
        assert_eq!(bounded("añb", 3), "añ");
        assert_eq!(bounded("", 0), "");
    }

    #[test]
    fn control_characters_do_not_reach_the_screen() {
        assert_eq!(
            displayable("a\r\nb\rc\u{1b}[31m\td\u{85}"),
            "a\nb\nc[31m\td"
        );
        assert_eq!(one_line("  a \n b\u{7}\t c ", 100), "a b c");
        assert_eq!(without_forbidden("a\u{0}\u{fffe}b"), "ab");
    }
}
