//! Displayed markers (XEP-0333).

use jid::Jid;
use minidom::Element;

use crate::dom::{self, Build, el};
use crate::hints::Hints;
use crate::message::{Kind, Message};
use crate::ns;
use crate::stanza_id::MAX_ID;

/// The id of the message up to which the sender has seen everything.
pub fn displayed(message: &Element) -> Option<String> {
    dom::attr(
        dom::only_child(message, "displayed", ns::MARKERS)?,
        "id",
        MAX_ID,
    )
}

/// Whether the sender would like to know that the message was seen.
pub fn is_markable(message: &Element) -> bool {
    message.has_child("markable", ns::MARKERS)
}

/// The `<markable/>` of a message of ours.
pub fn markable_element() -> Element {
    el("markable", ns::MARKERS)
}

/// Tells `to` that their message `id` and all before it were seen.
pub fn marker(to: &Jid, id: &str, own_id: &str) -> Element {
    let mut message = el("message", ns::CLIENT)
        .with("to", to.as_str())
        .with("id", own_id)
        .with("type", "chat")
        .child(el("displayed", ns::MARKERS).with("id", id));
    Hints::STORE.append_to(&mut message);
    message
}

/// Whether we may tell that a message was seen (S-XMPP-17): only contacts who see our presence.
pub fn is_due(message: &Message, shares_presence: bool) -> bool {
    shares_presence
        && message.markable
        && matches!(message.kind, Kind::Chat | Kind::Normal)
        && !message.room
        && message.id.is_some()
}
