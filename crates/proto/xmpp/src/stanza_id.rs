//! Unique and stable stanza ids (XEP-0359).

use jid::BareJid;
use minidom::Element;

use crate::dom::{self, Build, el};
use crate::ns;

/// Longest id that is kept, in bytes. Longer ones count as absent.
pub const MAX_ID: usize = 512;

/// The id that `by` gave to a stanza.
///
/// Call it only when `by` announces `urn:xmpp:sid:0` in its disco#info: only then does it remove
/// forged elements that bear its name (XEP-0359 §4, S-XMPP-10). Two ids by the same entity prove
/// a forgery that slipped through; then there is none.
pub fn assigned(stanza: &Element, by: &BareJid) -> Option<String> {
    let mut ids = stanza
        .children()
        .filter(|child| child.is("stanza-id", ns::STANZA_ID))
        .filter(|child| dom::bare(child, "by").is_some_and(|jid| jid == *by));
    match (ids.next(), ids.next()) {
        (Some(child), None) => dom::attr(child, "id", MAX_ID),
        _ => None,
    }
}

/// The id that the sender chose. Anybody can write it: it identifies only our own messages.
pub fn origin(stanza: &Element) -> Option<String> {
    dom::attr(
        dom::only_child(stanza, "origin-id", ns::STANZA_ID)?,
        "id",
        MAX_ID,
    )
}

/// Builds an `<origin-id/>`.
pub fn origin_element(id: &str) -> Element {
    el("origin-id", ns::STANZA_ID).with("id", id)
}

/// An id of 128 random bits in lower-case base 16, for stanzas and archive queries.
pub fn random_id(random: &mut dyn FnMut(&mut [u8])) -> String {
    let mut bytes = [0; 16];
    random(&mut bytes);
    hex(&bytes)
}

/// Lower-case base 16.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> BareJid {
        BareJid::new("juliet@capulet.com").unwrap()
    }

    fn message(ids: &str) -> Element {
        format!("<message xmlns='jabber:client'>{ids}</message>")
            .parse()
            .unwrap()
    }

    fn by(by: &str, id: &str) -> String {
        format!("<stanza-id xmlns='urn:xmpp:sid:0' by='{by}' id='{id}'/>")
    }

    #[test]
    fn s_xmpp_10_only_an_id_by_the_own_account_counts() {
        assert_eq!(
            assigned(&message(&by("juliet@capulet.com", "1")), &own()).as_deref(),
            Some("1")
        );
        for forged in [
            "eve@evil.example",
            "capulet.com",
            "juliet@capulet.com/x",
            "",
        ] {
            assert_eq!(
                assigned(&message(&by(forged, "1")), &own()),
                None,
                "{forged}"
            );
        }
    }

    #[test]
    fn s_xmpp_10_two_ids_by_the_same_entity_are_none() {
        let twice = by("juliet@capulet.com", "1") + &by("juliet@capulet.com", "2");
        assert_eq!(assigned(&message(&twice), &own()), None);
        let one = by("room@muc.capulet.com", "1") + &by("juliet@capulet.com", "2");
        assert_eq!(assigned(&message(&one), &own()).as_deref(), Some("2"));
    }

    #[test]
    fn s_xmpp_10_ten_thousand_forged_ids_hide_no_message() {
        let mut seen = std::collections::HashSet::new();
        for number in 0..10_000 {
            let real = format!("real-{number}");
            let forged = by("eve@evil.example", "same")
                + "<origin-id xmlns='urn:xmpp:sid:0' id='same'/>"
                + &by("juliet@capulet.com", &real);
            assert!(seen.insert(assigned(&message(&forged), &own()).unwrap()));
        }
    }

    #[test]
    fn ids_are_128_random_bits() {
        let mut next = 0_u8;
        let id = random_id(&mut |bytes| {
            for byte in bytes {
                next += 1;
                *byte = next;
            }
        });
        assert_eq!(id, "0102030405060708090a0b0c0d0e0f10");
    }
}
