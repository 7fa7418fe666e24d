//! XML as other programs left it on disk, perhaps damaged: tags and texts, one after the other, and never an error.
//!
//! No document type is read and no entity but the five of XML and numbers is known, so nothing expands and nothing
//! is fetched. Every text is gone through once: the time is linear in its length.

/// A piece of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// `<name …>` or `<name …/>`.
    Start {
        name: &'a str,
        attributes: &'a str,
        empty: bool,
    },
    /// `</name>`.
    End(&'a str),
    /// Text with its entities as they stand.
    Text(&'a str),
    /// The inside of a CDATA section.
    Cdata(&'a str),
}

pub(crate) struct Tokens<'a> {
    rest: &'a str,
    /// Nothing that follows closes a tag.
    unclosed: bool,
    /// A quotation mark of a tag was not closed: from there on they mean nothing.
    unquoted: bool,
}

impl<'a> Tokens<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            unclosed: false,
            unquoted: false,
        }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// What stands between an opening of this length and `end`; all the rest where that does not come.
    fn section(&mut self, opening: usize, end: &str) -> &'a str {
        self.take(opening);
        let length = self.rest.find(end).unwrap_or(self.rest.len());
        let inside = self.take(length);
        self.take(end.len());
        inside
    }

    /// The length of the tag at the front, `>` included.
    fn tag_length(&mut self) -> Option<usize> {
        if self.unclosed {
            return None;
        }
        let Some(first) = self.rest.find('>') else {
            self.unclosed = true;
            return None;
        };
        if self.unquoted {
            return Some(first + 1);
        }
        let mut quote = None;
        for (at, byte) in self.rest.bytes().enumerate() {
            match (quote, byte) {
                (None, b'>') => return Some(at + 1),
                (None, b'"' | b'\'') => quote = Some(byte),
                (Some(open), byte) if open == byte => quote = None,
                _ => {}
            }
        }
        self.unquoted = true;
        Some(first + 1)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            if !self.rest.starts_with('<') || self.unclosed {
                let length = if self.unclosed {
                    self.rest.len()
                } else {
                    self.rest.find('<').unwrap_or(self.rest.len())
                };
                return Some(Token::Text(self.take(length)));
            }
            if self.rest.starts_with("<![CDATA[") {
                return Some(Token::Cdata(self.section(9, "]]>")));
            }
            if self.rest.starts_with("<!--") {
                self.section(4, "-->");
                continue;
            }
            let second = self.rest.as_bytes().get(1).copied();
            match second {
                Some(b'!' | b'?') => {
                    self.section(2, ">");
                    continue;
                }
                Some(b'/') => {}
                Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {}
                _ => return Some(Token::Text(self.take(1))),
            }
            let Some(length) = self.tag_length() else {
                continue;
            };
            let tag = self.take(length);
            let inside = tag.trim_start_matches('<').trim_end_matches('>');
            if let Some(name) = inside.strip_prefix('/') {
                return Some(Token::End(name.trim()));
            }
            let empty = inside.ends_with('/');
            let inside = inside.trim_end_matches('/');
            let end = inside
                .find(|c: char| c.is_ascii_whitespace() || c == '/')
                .unwrap_or(inside.len());
            let (name, attributes) = inside.split_at_checked(end).unwrap_or((inside, ""));
            return Some(Token::Start {
                name,
                attributes,
                empty,
            });
        }
    }
}

/// An attribute of a tag, decoded.
pub(crate) fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let mut rest = attributes;
    loop {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, behind) = after.get(1..)?.split_once(quote)?;
        if name.trim() == wanted {
            return Some(decode(value));
        }
        rest = behind;
    }
}

/// A text with its entities replaced (XML 1.0 §4.1, §4.6). What is none stays as it is.
pub(crate) fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        decoded.push_str(before);
        match entity(from) {
            Some((character, length)) => {
                decoded.push(character);
                rest = from.get(length..).unwrap_or_default();
            }
            None => {
                decoded.push('&');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// The character of the entity at the front, and the entity's length.
pub(crate) fn entity(from: &str) -> Option<(char, usize)> {
    /// `&#x10FFFF;` with a few leading zeros.
    const LONGEST: usize = 16;
    let end = from.bytes().take(LONGEST).position(|byte| byte == b';')?;
    let name = from.get(1..end)?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| *c != '\0')?
        }
    };
    Some((character, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        Tokens::new(text).collect()
    }

    #[test]
    fn tags_texts_and_sections_come_in_their_order() {
        let text = "<?xml version='1.0'?><!-- a > b --><a x='1 > 0' y=\"2\">one<b/><![CDATA[<c>&amp;]]></a>";
        let expected = [
            Token::Start {
                name: "a",
                attributes: " x='1 > 0' y=\"2\"",
                empty: false,
            },
            Token::Text("one"),
            Token::Start {
                name: "b",
                attributes: "",
                empty: true,
            },
            Token::Cdata("<c>&amp;"),
            Token::End("a"),
        ];
        assert_eq!(tokens(text), expected);
    }

    #[test]
    fn an_attribute_is_found_and_decoded() {
        assert_eq!(
            attribute(" x='1' y=\"a &amp; b\"", "y").as_deref(),
            Some("a & b")
        );
        assert_eq!(attribute(" x='1'", "y"), None);
        assert_eq!(attribute(" xy", "y"), None);
    }

    #[test]
    fn what_is_no_tag_is_text() {
        let text: String = tokens("1 < 2 <3 <unclosed")
            .into_iter()
            .map(|token| match token {
                Token::Text(text) => text,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(text, "1 < 2 <3 <unclosed");
    }

    #[test]
    fn entities_are_decoded_once_and_unknown_ones_stay() {
        assert_eq!(
            decode("&lt;b&gt; &#1587;&#x1F600; &amp;lt; &nope; &#xD800; & &"),
            "<b> س😀 &lt; &nope; &#xD800; & &"
        );
    }

    #[test]
    fn a_pile_of_openings_takes_no_longer_than_its_length() {
        for piece in ["<a ", "<a '\">", "<", "<![CDATA[", "<!--", "<a \">'"] {
            let text = piece.repeat(200_000);
            assert!(Tokens::new(&text).count() <= text.len());
        }
    }
}
