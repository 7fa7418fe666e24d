//! Texts of programs that send HTML through OTR (Pidgin, Adium): made plain.
//!
//! OTR does not say what a text is. One is taken for HTML only where it can hardly be anything else: it begins
//! with a tag that such programs write, and that tag is closed. Everything else keeps its `<` and `&`.

const OPENINGS: [&str; 9] = [
    "<font", "<html", "<body", "<span", "<div", "<b>", "<i>", "<p>", "<a href=",
];

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

fn looks_like_html(text: &str) -> bool {
    let start: String = text
        .chars()
        .take(8)
        .collect::<String>()
        .to_ascii_lowercase();
    OPENINGS
        .iter()
        .find(|opening| start.starts_with(&opening[..opening.len().min(8)]))
        .is_some_and(|opening| {
            let name = opening.trim_start_matches('<').split([' ', '>']).next();
            let closing = format!("</{}>", name.unwrap_or_default());
            text.to_ascii_lowercase().contains(&closing)
        })
}

/// What a tag says, and its length in bytes.
fn tag(from: &str) -> (String, usize) {
    let Some(end) = from.find('>') else {
        return ("<".into(), 1);
    };
    let inside = from.get(1..end).unwrap_or_default().to_ascii_lowercase();
    let name: String = inside
        .trim_start_matches('/')
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    if name.is_empty() {
        return ("<".into(), 1);
    }
    let breaks = name == "br" || (inside.starts_with('/') && matches!(name.as_str(), "p" | "div"));
    (if breaks { "\n".into() } else { String::new() }, end + 1)
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
        assert_eq!(plain("<b>bold</b><br>next"), "bold\nnext");
        assert_eq!(plain("<html><body>one&#33;</body></html>"), "one!");
    }

    #[test]
    fn words_of_plain_programs_keep_their_signs() {
        for text in [
            "a < b && c > d",
            "&amp; is how it is written",
            "<3",
            "<b> is a tag",
            "if x<y>z",
        ] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn broken_html_loses_no_words() {
        assert_eq!(plain("<b>one</b> <two & three"), "one <two & three");
        assert_eq!(plain("<b>é&#xffffffff;</b>"), "é&#xffffffff;");
    }
}
