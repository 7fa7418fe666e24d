//! Asking for a private conversation: query messages and the whitespace tag (OTR v3, *Requesting an
//! OTR conversation*).

/// Versions offered; version 1 is not known here (S-OTR-01).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Versions {
    pub(crate) v2: bool,
    pub(crate) v3: bool,
}

impl Versions {
    /// The best version that both sides speak.
    pub(crate) fn common(self, other: Self) -> Option<u8> {
        if self.v3 && other.v3 {
            Some(3)
        } else if self.v2 && other.v2 {
            Some(2)
        } else {
            None
        }
    }
}

const BASE: &str = " \t  \t\t\t\t \t \t \t  ";
const TAG_V2: &str = "  \t\t  \t ";
const TAG_V3: &str = "  \t\t  \t\t";

/// What a text is on the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form<'a> {
    Plain,
    Query(Versions),
    Error(&'a str),
    Fragment,
    Encoded,
}

/// Sorts a text.
pub(crate) fn form(text: &str) -> Form<'_> {
    let Some(rest) = text.strip_prefix("?OTR") else {
        return Form::Plain;
    };
    if rest.starts_with(':') {
        return Form::Encoded;
    }
    if rest.starts_with(',') || rest.starts_with('|') {
        return Form::Fragment;
    }
    if let Some(error) = rest.strip_prefix(" Error:") {
        return Form::Error(error.trim());
    }
    match versions(rest) {
        Some(versions) => Form::Query(versions),
        None => Form::Plain,
    }
}

fn versions(rest: &str) -> Option<Versions> {
    let (first, rest) = match rest.strip_prefix('?') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let mut offered = Versions::default();
    let listed = rest.strip_prefix('v').and_then(|rest| rest.split_once('?'));
    match listed {
        Some((list, _)) if list.len() <= 32 && list.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            offered.v2 = list.contains('2');
            offered.v3 = list.contains('3');
            Some(offered)
        }
        _ => first.then_some(offered),
    }
}

/// The query for these versions, with a line for people whose program does not know it.
pub(crate) fn query(versions: Versions) -> Option<String> {
    let list = match (versions.v2, versions.v3) {
        (true, true) => "23",
        (true, false) => "2",
        (false, true) => "3",
        (false, false) => return None,
    };
    Some(format!(
        "?OTRv{list}?\nThe sender asks for a private conversation (Off-the-Record), which this program does not offer."
    ))
}

/// The text with the whitespace tag behind it.
pub(crate) fn tagged(text: &str, versions: Versions) -> String {
    let mut tagged = text.to_owned();
    if versions.v2 || versions.v3 {
        tagged.push_str(BASE);
    }
    if versions.v2 {
        tagged.push_str(TAG_V2);
    }
    if versions.v3 {
        tagged.push_str(TAG_V3);
    }
    tagged
}

/// Takes every whitespace tag out of a text; what the first one offers.
pub(crate) fn untag(text: &str) -> (String, Option<Versions>) {
    let mut offered = None;
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(BASE) {
        plain.push_str(before);
        rest = after;
        let mut versions = Versions::default();
        while let Some((tag, after)) = rest.split_at_checked(8) {
            if !tag.bytes().all(|b| b == b' ' || b == b'\t') {
                break;
            }
            versions.v2 |= tag == TAG_V2;
            versions.v3 |= tag == TAG_V3;
            rest = after;
        }
        offered.get_or_insert(versions);
    }
    plain.push_str(rest);
    (plain, offered)
}

/// At most 256 characters of a peer's error text, without control characters (S-OTR-07).
pub(crate) fn shown(error: &str) -> String {
    let hidden = |c: &char| {
        c.is_control()
            || matches!(*c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    error.chars().filter(|c| !hidden(c)).take(256).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_told_from_text() {
        let both = Versions { v2: true, v3: true };
        assert_eq!(form("?OTRv23?\nhello"), Form::Query(both));
        assert_eq!(
            form("?OTR?v2?"),
            Form::Query(Versions {
                v2: true,
                v3: false
            })
        );
        assert_eq!(form("?OTRv24x3?"), Form::Query(both));
        assert_eq!(form("?OTR Error: no"), Form::Error("no"));
        assert_eq!(form("?OTR:AAMD."), Form::Encoded);
        for text in [
            "",
            "?OTR",
            "?OTRv",
            "?OTRv23",
            "?OTR is a thing",
            "hello ?OTRv23?",
        ] {
            assert_eq!(form(text), Form::Plain, "{text}");
        }
    }

    #[test]
    fn s_otr_01_version_1_is_not_spoken() {
        assert_eq!(form("?OTR?"), Form::Query(Versions::default()));
        assert_eq!(
            Versions { v2: true, v3: true }.common(Versions::default()),
            None
        );
        assert_eq!(query(Versions::default()), None);
    }

    #[test]
    fn s_otr_03_every_tag_is_taken_out() {
        let both = Versions { v2: true, v3: true };
        let text = tagged("hi", both);
        assert_eq!(untag(&text), ("hi".to_owned(), Some(both)));
        let many = "x".to_owned() + &tagged("", both).repeat(1000) + "y";
        assert_eq!(untag(&many).0, "xy");
        assert_eq!(untag(BASE), (String::new(), Some(Versions::default())));
        assert_eq!(untag("plain \t text"), ("plain \t text".to_owned(), None));
    }

    #[test]
    fn s_otr_07_an_error_text_is_short_and_plain() {
        let text = shown(&format!("<b>%s%n\u{202e}\u{7}{}", "x".repeat(1000)));
        assert_eq!(text.chars().count(), 256);
        assert!(text.starts_with("<b>%s%nxxx"));
    }
}
