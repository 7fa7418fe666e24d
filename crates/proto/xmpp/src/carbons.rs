//! Message carbons (XEP-0280): copies of what our other devices send and receive.

use std::fmt;

use jid::BareJid;
use minidom::Element;

use crate::delay;
use crate::dom::{self, el};
use crate::ns;
use crate::refused::{Refused, is_own_bare};

/// Which way the copied message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Another device of ours sent it.
    Sent,
    /// Another device of ours received it.
    Received,
}

/// A copy, verified to come from our own server.
#[derive(Clone, PartialEq)]
pub struct Carbon {
    /// Which way it went.
    pub direction: Direction,
    /// The message itself; read it with [`crate::message::parse`].
    pub message: Element,
    /// When it was sent, in milliseconds since 1970-01-01 UTC, if the server says.
    pub stamp: Option<i64>,
}

impl fmt::Debug for Carbon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carbon")
            .field("direction", &self.direction)
            .field("stamp", &self.stamp)
            .finish_non_exhaustive()
    }
}

/// The payload of the request that turns carbons on (§4): an iq `set` without `to`.
pub fn enable() -> Element {
    el("enable", ns::CARBONS)
}

/// Goes into a message of which no copy is to be made for other devices (§9): beside the hint `no-copy`.
pub fn private_element() -> Element {
    el("private", ns::CARBONS)
}

/// Whether no copy of a message is to be made (§9).
pub fn is_private(message: &Element) -> bool {
    message.has_child("private", ns::CARBONS)
}

/// Takes the copy out of its wrapper. `None` when the stanza is not a carbon at all.
///
/// Only our own bare JID may send one (§11, S-XMPP-01); there is one layer and one message in it
/// (S-XMPP-02), which must have been sent or received by us.
pub fn unwrap(stanza: &Element, own: &BareJid) -> Result<Option<Carbon>, Refused> {
    if !stanza.is("message", ns::CLIENT) {
        return Ok(None);
    }
    let mut wrappers = stanza
        .children()
        .filter(|child| child.has_ns(ns::CARBONS) && matches!(child.name(), "sent" | "received"));
    let Some(wrapper) = wrappers.next() else {
        return Ok(None);
    };
    if !stanza
        .attr("from")
        .is_some_and(|from| is_own_bare(from, own))
    {
        return Err(Refused::ForeignSender);
    }
    if wrappers.next().is_some() || stanza.has_child("result", ns::MAM) {
        return Err(Refused::Nested);
    }
    let (message, stamp) = forwarded(wrapper)?;
    let direction = match wrapper.name() {
        "sent" => Direction::Sent,
        _ => Direction::Received,
    };
    let end = match direction {
        Direction::Sent => dom::jid(message, "from"),
        Direction::Received => dom::jid(message, "to"),
    };
    match end.map_err(|_| Refused::Malformed)? {
        Some(end) if end.to_bare() == *own => {}
        // What we received may have had no `to`: then it went to us (RFC 6120 §8.1.1.1).
        None if direction == Direction::Received => {}
        _ => return Err(Refused::Misaddressed),
    }
    Ok(Some(Carbon {
        direction,
        message: message.clone(),
        stamp,
    }))
}

/// The one message in the one `<forwarded/>` of a wrapper (XEP-0297), which wraps nothing itself.
pub(crate) fn forwarded(wrapper: &Element) -> Result<(&Element, Option<i64>), Refused> {
    let forwarded = dom::only_child(wrapper, "forwarded", ns::FORWARD).ok_or(Refused::Malformed)?;
    let mut stanzas = forwarded
        .children()
        .filter(|child| !child.is("delay", ns::DELAY));
    let (Some(message), None) = (stanzas.next(), stanzas.next()) else {
        return Err(Refused::Malformed);
    };
    if !message.is("message", ns::CLIENT) {
        return Err(Refused::Malformed);
    }
    let wraps_again = message.children().any(|child| {
        child.has_ns(ns::CARBONS) && matches!(child.name(), "sent" | "received")
            || child.is("result", ns::MAM)
    });
    if wraps_again {
        return Err(Refused::Nested);
    }
    Ok((message, delay::forwarded_stamp(forwarded)))
}

#[cfg(test)]
mod tests;
