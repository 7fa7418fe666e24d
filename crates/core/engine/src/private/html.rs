//! Texts of programs that send HTML through OTR (Pidgin, Adium): made plain.
//!
//! OTR does not say what a text is. One is taken for HTML only where it can hardly be anything else: all of it
//! is one element of those that such programs wrap a text in. Everything else keeps its `<` and `&`.

const WRAPPERS: [&str; 9] = ["a", "b", "body", "div", "font", "html", "i", "p", "span"];

/// The words of a decrypted text.
pub(super) fn plain(text: &str) -> String {
    if !looks_like_html(text) {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let (said, length) = if from.starts_with('<') {
            tag(from)
        } else {
            entity(from)
        };
        plain.push_str(&said);
        rest = from.get(length..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain.trim_matches('\n').to_owned()
}

/// Whether the first tag is one that wraps a text, and is closed at its very end and not before.
fn looks_like_html(text: &str) -> bool {
    let text = text.trim();
    let Some(wrapper) = Tag::read(text)
        .filter(|tag| !tag.closes && WRAPPERS.contains(&tag.name.as_str()))
        .map(|tag| tag.name)
    else {
        return false;
    };
    let (mut depth, mut rest) = (0_usize, text);
    while let Some(at) = rest.find('<') {
        let from = rest.get(at..).unwrap_or_default();
        let tag = Tag::read(from);
        let length = tag.as_ref().map_or(1, |tag| tag.length);
        rest = from.get(length..).unwrap_or_default();
        let Some(tag) = tag.filter(|tag| tag.name == wrapper) else {
            continue;
        };
        if !tag.closes {
            depth += 1;
            continue;
        }
        depth = depth.saturating_sub(1);
        if depth == 0 {
            return rest.is_empty();
        }
    }
    false
}

/// A tag at the beginning of a text.
struct Tag {
    /// In small letters.
    name: String,
    closes: bool,
    /// Bytes.
    length: usize,
}

impl Tag {
    fn read(from: &str) -> Option<Self> {
        let end = from.find('>').filter(|_| from.starts_with('<'))?;
        let inside = from.get(1..end)?.to_ascii_lowercase();
        let closes = inside.starts_with('/');
        let name: String = inside
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        (!name.is_empty()).then_some(Self {
            name,
            closes,
            length: end + 1,
        })
    }
}

/// What a tag says, and its length in bytes.
fn tag(from: &str) -> (String, usize) {
    let Some(tag) = Tag::read(from) else {
        return ("<".into(), 1);
    };
    let breaks = tag.name == "br" || (tag.closes && matches!(tag.name.as_str(), "p" | "div"));
    (if breaks { "\n".into() } else { String::new() }, tag.length)
}

/// What an entity says, and its length in bytes.
fn entity(from: &str) -> (String, usize) {
    let Some(end) = from.bytes().take(12).position(|byte| byte == b';') else {
        return ("&".into(), 1);
    };
    let name = from.get(1..end).unwrap_or_default();
    let said = match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => name
            .strip_prefix('#')
            .and_then(|number| match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => number.parse().ok(),
            })
            .and_then(char::from_u32),
    };
    match said {
        Some(said) => (said.to_string(), end + 1),
        None => ("&".into(), 1),
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_pidgin_and_adium_write_becomes_plain() {
        assert_eq!(
            plain("<FONT COLOR=\"#000\">a &lt; b &amp; c</FONT>"),
            "a < b & c"
        );
        assert_eq!(
            plain("<div>one<div>two</div><b>bold</b></div>"),
            "onetwo\nbold"
        );
        assert_eq!(plain("<html><body>one&#33;</body></html>"), "one!");
        assert_eq!(plain(" <a href=\"x\">link</a>\n"), " link");
    }

    #[test]
    fn words_of_plain_programs_keep_their_signs() {
        for text in [
            "a < b && c > d",
            "&amp; is how it is written",
            "<3",
            "<b> is a tag",
            "if x<y>z",
            "<b>this</b> is how it is written",
            "<b>one</b> and <b>two</b>",
            "<b>bold</b><br>next",
            "<p>open",
            "</b>closed</b>",
            "say <b>this</b>",
            "<script>alert(1)</script>",
        ] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn broken_html_loses_no_words() {
        assert_eq!(plain("<b>one <two & three"), "<b>one <two & three");
        assert_eq!(plain("<b>1 < 2 & 3</b>"), "1 < 2 & 3");
        assert_eq!(plain("<b>é&#xffffffff;</b>"), "é&#xffffffff;");
    }
}
