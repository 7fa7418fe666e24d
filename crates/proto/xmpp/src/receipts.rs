//! Message delivery receipts (XEP-0184).

use jid::{BareJid, Jid};
use minidom::Element;

use crate::dom::{self, Build, el};
use crate::hints::Hints;
use crate::message::{Kind, Message};
use crate::ns;
use crate::stanza_id::MAX_ID;

/// The id of the message that this one says has arrived.
pub fn received(message: &Element) -> Option<String> {
    dom::attr(
        dom::only_child(message, "received", ns::RECEIPTS)?,
        "id",
        MAX_ID,
    )
}

/// Whether the sender asks for a receipt.
pub fn is_requested(message: &Element) -> bool {
    message.has_child("request", ns::RECEIPTS)
}

/// The `<request/>` of a message of ours.
pub fn request_element() -> Element {
    el("request", ns::RECEIPTS)
}

/// A receipt for the message `id` that came from `to`. Kept by archives, so that the sender's
/// other programs learn of it.
pub fn receipt(to: &Jid, id: &str, own_id: &str) -> Element {
    let mut message = el("message", ns::CLIENT)
        .with("to", to.as_str())
        .with("id", own_id)
        .with("type", "chat")
        .child(el("received", ns::RECEIPTS).with("id", id));
    Hints::STORE.append_to(&mut message);
    message
}

/// Whether a receipt or marker from `from` can be about a message of ours that went to
/// `addressee`: only who got a message can say that it arrived (S-XMPP-09).
pub fn is_from_addressee(from: Option<&Jid>, addressee: &BareJid) -> bool {
    from.is_some_and(|from| from.to_bare() == *addressee)
}

/// Whether a message that came asks for a receipt that we may give.
///
/// `shares_presence`: the sender is a contact who sees our presence anyway (S-XMPP-17). Errors,
/// room messages, copies, receipts themselves and messages without id get none (XEP-0184 §5.5).
pub fn is_due(message: &Message, shares_presence: bool) -> bool {
    shares_presence
        && message.receipt_request
        && message.receipt.is_none()
        && matches!(message.kind, Kind::Chat | Kind::Normal)
        && !message.room
        && message.id.is_some()
        && message.from.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markers;

    /// XEP-0184 example 4, XEP-0333 example 2.
    #[test]
    fn receipts_and_markers_read_back_and_are_kept_by_archives() {
        let to = Jid::new("northumberland@shakespeare.lit/westminster").unwrap();
        let receipt = receipt(&to, "richard2-4.1.247", "own-1");
        assert_eq!(received(&receipt).as_deref(), Some("richard2-4.1.247"));
        let marker = markers::marker(&to, "message-1", "own-2");
        assert_eq!(markers::displayed(&marker).as_deref(), Some("message-1"));
        for built in [receipt, marker] {
            assert!(Hints::of(&built).store);
            assert_eq!(built.attr("to"), Some(to.as_str()));
            assert!(!built.has_child("body", ns::CLIENT));
        }
    }

    #[test]
    fn a_receipt_without_id_or_doubled_says_nothing() {
        for inner in [
            "<received xmlns='urn:xmpp:receipts'/>",
            "<received xmlns='urn:xmpp:receipts' id=''/>",
            "<received xmlns='urn:xmpp:receipts' id='1'/><received xmlns='urn:xmpp:receipts' id='2'/>",
            "<received xmlns='urn:x' id='1'/>",
        ] {
            let xml = format!("<message xmlns='jabber:client'>{inner}</message>");
            assert_eq!(received(&xml.parse().unwrap()), None, "{inner}");
        }
    }
}
