//! Jitsi's settings: Java's format of properties, or the XML that older versions wrote.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use zeroize::Zeroizing;

use crate::xml::{Token, Tokens, attribute};

/// How deep the elements of the older form are followed.
const DEEPEST: usize = 64;

/// Settings by key. Passwords and keys stand among them: the values are wiped when they go.
#[derive(Default)]
pub(crate) struct Properties {
    values: BTreeMap<String, Zeroizing<String>>,
}

impl Properties {
    /// Java's format (`java.util.Properties`): a key, a value, escapes, lines that go on after a `\`.
    pub fn parse(bytes: &[u8]) -> Self {
        let text = decode(bytes);
        let mut values = BTreeMap::new();
        let mut characters = text.chars().peekable();
        while characters.peek().is_some() {
            if let Some((key, value)) = entry(&mut characters) {
                values.insert(key, value);
            }
        }
        Self { values }
    }

    /// The older form: the key's parts are elements in one another, the value an attribute `value`.
    pub fn from_xml(bytes: &[u8]) -> Self {
        let text = decode(bytes);
        let mut values = BTreeMap::new();
        let mut path: Vec<&str> = Vec::new();
        let mut deeper = 0_usize;
        for token in Tokens::new(&text) {
            match token {
                Token::Start {
                    name,
                    attributes,
                    empty,
                } => {
                    if path.len() >= DEEPEST {
                        deeper += usize::from(!empty);
                        continue;
                    }
                    path.push(name);
                    if let Some(value) = attribute(attributes, "value") {
                        // The outermost element is no part of the key.
                        let key = path.get(1..).unwrap_or_default().join(".");
                        values.insert(key, Zeroizing::new(value));
                    }
                    if empty {
                        path.pop();
                    }
                }
                Token::End(_) => {
                    if deeper > 0 {
                        deeper -= 1;
                    } else {
                        path.pop();
                    }
                }
                Token::Text(_) | Token::Cdata(_) => {}
            }
        }
        Self { values }
    }

    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(|value| value.as_str())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// UTF-8 where it is that, else ISO 8859-1, which is what Java writes.
fn decode(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    })
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\u{c}')
}

fn skip_blanks(characters: &mut Peekable<Chars>) {
    while characters.next_if(|c| is_blank(*c)).is_some() {}
}

/// One entry up to the end of its last line; absent for a comment or an empty line.
fn entry(characters: &mut Peekable<Chars>) -> Option<(String, Zeroizing<String>)> {
    skip_blanks(characters);
    if matches!(characters.peek(), Some('#' | '!')) {
        while !matches!(characters.next(), None | Some('\n' | '\r')) {}
        return None;
    }
    let mut key = Vec::new();
    let mut separated = false;
    loop {
        match characters.peek() {
            None => break,
            Some('\n' | '\r') => break,
            Some(c) if is_blank(*c) => {
                skip_blanks(characters);
                separated = true;
                characters.next_if(|c| matches!(c, '=' | ':'));
                break;
            }
            Some('=' | ':') => {
                characters.next();
                separated = true;
                break;
            }
            Some(_) => unit(characters, &mut key),
        }
    }
    if separated {
        skip_blanks(characters);
    }
    let mut value = Zeroizing::new(Vec::new());
    while let Some(next) = characters.peek() {
        if matches!(next, '\n' | '\r') {
            break;
        }
        unit(characters, &mut value);
    }
    characters.next();
    (!key.is_empty()).then(|| {
        (
            String::from_utf16_lossy(&key),
            Zeroizing::new(String::from_utf16_lossy(&value)),
        )
    })
}

/// One character or escape, in UTF-16 as `\u` writes it.
fn unit(characters: &mut Peekable<Chars>, to: &mut Vec<u16>) {
    let Some(character) = characters.next() else {
        return;
    };
    let character = if character == '\\' {
        match characters.next() {
            None => return,
            Some('t') => '\t',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('f') => '\u{c}',
            Some('u') => {
                let mut code = 0_u16;
                for _ in 0..4 {
                    let Some(digit) = characters.peek().and_then(|c| c.to_digit(16)) else {
                        break;
                    };
                    characters.next();
                    code = code << 4 | u16::try_from(digit).unwrap_or_default();
                }
                to.push(code);
                return;
            }
            // The line goes on, without the blanks that the next one begins with.
            Some('\r') => {
                characters.next_if_eq(&'\n');
                skip_blanks(characters);
                return;
            }
            Some('\n') => {
                skip_blanks(characters);
                return;
            }
            Some(other) => other,
        }
    } else {
        character
    };
    to.extend_from_slice(character.encode_utf16(&mut [0; 2]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_values_escapes_and_long_lines_are_read() {
        let text = "# a comment = none\r\n! another\n\n\
            plain=value\n\
            spaced :  value \n\
            bare value\n\
            with\\:colon\\=and\\ blank=x\n\
            uni=\\u0633\\uD83D\\uDE00\\t.\n\
            long=one\\\n    two\\\r\n  three\n\
            empty=\n\
            lonely\n\
            last=\\";
        let properties = Properties::parse(text.as_bytes());
        let all: Vec<_> = properties.iter().collect();
        assert_eq!(
            all,
            [
                ("bare", "value"),
                ("empty", ""),
                ("last", ""),
                ("lonely", ""),
                ("long", "onetwothree"),
                ("plain", "value"),
                ("spaced", "value "),
                ("uni", "س😀\t."),
                ("with:colon=and blank", "x"),
            ]
        );
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_iso_8859_1() {
        let properties = Properties::parse(b"name=Ren\xe9");
        assert_eq!(properties.get("name"), Some("René"));
    }

    #[test]
    fn the_older_form_has_the_same_keys() {
        let text = "<?xml version=\"1.0\"?><sip-communicator><net><java><x value=\"1\"/>\
            <acc1 value=\"acc1\"><USER_ID value=\"sara@example.org\"/></acc1></java></net></sip-communicator>";
        let properties = Properties::from_xml(text.as_bytes());
        let all: Vec<_> = properties.iter().collect();
        assert_eq!(
            all,
            [
                ("net.java.acc1", "acc1"),
                ("net.java.acc1.USER_ID", "sara@example.org"),
                ("net.java.x", "1"),
            ]
        );
    }
}
