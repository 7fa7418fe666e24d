//! Messages that were kept as HTML, as the plain text that a person saw.

use crate::xml::{Token, Tokens, decode};

/// The words of a piece of HTML. Line breaks and paragraphs become line ends; of a link whose address is not its
/// own text, the address follows in parentheses; a picture leaves its alternative text.
pub(crate) fn to_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut links: Vec<(usize, String)> = Vec::new();
    // The inside of elements that nobody reads.
    let mut hidden: Option<String> = None;
    for token in Tokens::new(html) {
        if let Some(name) = &hidden {
            if matches!(token, Token::End(end) if end.eq_ignore_ascii_case(name)) {
                hidden = None;
            }
            continue;
        }
        match token {
            Token::Text(piece) => push_words(&mut text, piece),
            Token::Cdata(piece) => text.push_str(piece),
            Token::Start {
                name,
                attributes,
                empty,
            } => match name.to_ascii_lowercase().as_str() {
                "br" => text.push('\n'),
                "p" | "div" | "li" | "tr" | "blockquote" => line_end(&mut text),
                "img" => {
                    let alternative = crate::xml::attribute(attributes, "alt");
                    text.push_str(&alternative.unwrap_or_default());
                }
                "a" if !empty => {
                    let target = crate::xml::attribute(attributes, "href");
                    links.push((text.len(), target.unwrap_or_default()));
                }
                "script" | "style" | "head" | "title" if !empty => hidden = Some(name.to_owned()),
                _ => {}
            },
            Token::End(name) => match name.to_ascii_lowercase().as_str() {
                "p" | "div" | "li" | "tr" | "blockquote" => line_end(&mut text),
                "a" => {
                    if let Some((start, target)) = links.pop() {
                        let shown = text.get(start..).unwrap_or_default().trim();
                        if !is_same(shown, &target) {
                            text.push_str(&format!(" ({target})"));
                        }
                    }
                }
                _ => {}
            },
        }
    }
    let text = text.trim_matches(|c: char| c == '\n' || c == ' ');
    text.to_owned()
}

/// Text of a document: its white space is one space, as on a page.
fn push_words(text: &mut String, piece: &str) {
    for character in decode(piece).chars() {
        match character {
            ' ' | '\t' | '\r' | '\n' => {
                if !text.ends_with([' ', '\n']) {
                    text.push(' ');
                }
            }
            '\u{a0}' => text.push(' '),
            other => text.push(other),
        }
    }
}

fn line_end(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

fn is_same(shown: &str, target: &str) -> bool {
    let bare = |text: &str| {
        text.trim_start_matches("mailto:")
            .trim_start_matches("http://")
            .trim_start_matches("https://")
            .trim_end_matches('/')
            .to_owned()
    };
    target.is_empty() || shown.is_empty() || bare(shown) == bare(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_the_words_that_were_seen() {
        for (html, text) in [
            ("hello", "hello"),
            ("a &lt; b &amp;amp; c", "a < b &amp; c"),
            ("one<br/>two<BR>three", "one\ntwo\nthree"),
            ("<p>one</p><p>two</p>", "one\ntwo"),
            (
                "<html xmlns='http://jabber.org/protocol/xhtml-im'><body><b>bold</b> words</body></html>",
                "bold words",
            ),
            (
                "<a href=\"https://example.org/\">https://example.org</a>",
                "https://example.org",
            ),
            (
                "see <a href=\"https://example.org/x\">this</a>.",
                "see this (https://example.org/x).",
            ),
            ("<script>alert(1)</script>safe", "safe"),
            ("<img src='x' alt=':-)'/>", ":-)"),
            ("مرحبا &#x1F600;", "مرحبا 😀"),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ] {
            assert_eq!(to_text(html), text, "{html}");
        }
    }
}
