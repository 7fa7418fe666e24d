//! Texts of programs that send HTML through OTR (Pidgin, Adium): made plain.
//!
//! OTR does not say what a text is. One is taken for HTML only where it can hardly be anything else: all of it
//! is one element of those that such programs wrap a text in. Everything else keeps its `<` and `&`.

/// Longer texts are shown as they came.
const MOST_HTML: usize = 64 * 1024;
/// Bytes of the longest tag, and of its name.
const LONGEST_TAG: usize = 4 * 1024;
const LONGEST_NAME: usize = 16;

const WRAPPERS: [&str; 9] = ["a", "b", "body", "div", "font", "html", "i", "p", "span"];

/// The words of a decrypted text.
pub(super) fn plain(text: &str) -> String {
    if text.len() > MOST_HTML || !looks_like_html(text) {
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
    /// Looks at few letters where there is no tag: a text may be full of `<`.
    fn read(from: &str) -> Option<Self> {
        let inside = from.strip_prefix('<')?;
        let named = inside.trim_start_matches('/');
        let closes = named.len() < inside.len();
        let letters = named
            .bytes()
            .take(LONGEST_NAME)
            .take_while(u8::is_ascii_alphanumeric)
            .count();
        let name = named.get(..letters).filter(|name| !name.is_empty())?;
        let end = from
            .bytes()
            .take(LONGEST_TAG)
            .skip(1)
            .position(|byte| matches!(byte, b'>' | b'<'))?
            + 1;
        (from.as_bytes().get(end) == Some(&b'>')).then(|| Self {
            name: name.to_ascii_lowercase(),
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
    fn s_otr_07_a_text_full_of_brackets_takes_no_longer_than_another() {
        let begun = std::time::Instant::now();
        for part in ["<", "<b", "</", "<b ", "&"] {
            for end in ["", ">", "</b>"] {
                let text = format!("<b>{}{end}", part.repeat(60_000 / part.len()));
                plain(&text);
            }
        }
        let long = format!("<b>{}</b>", "x".repeat(70_000));
        assert_eq!(plain(&long), long);
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    }

    #[test]
    fn broken_html_loses_no_words() {
        assert_eq!(plain("<b>one <two & three"), "<b>one <two & three");
        assert_eq!(plain("<b>1 < 2 & 3</b>"), "1 < 2 & 3");
        assert_eq!(plain("<b>é&#xffffffff;</b>"), "é&#xffffffff;");
    }
}
