//! The first question about a message stanza: what is it, and may its sender send it?
//!
//! Wrappers are taken off in this order and once only: a carbon, an archive result, an event. What
//! is none of them is a message of its sender's own.

use jid::BareJid;
use minidom::Element;

use crate::carbons::{self, Carbon};
use crate::mam;
use crate::message;
use crate::ns;
use crate::pep::{self, Event};
use crate::refused::{Refused, is_own_account};

/// What a message stanza is.
#[derive(Debug)]
pub enum Inbound<'a> {
    /// A copy of what another device of ours sent or received.
    Carbon(Carbon),
    /// A result from our own archive, for the query with this id. Give the stanza to
    /// [`mam::Query::accept`] of that query; without one it is unsolicited.
    ArchiveResult {
        /// As the stanza says.
        query_id: &'a str,
    },
    /// News of a node.
    Event(Event),
    /// A message: give the stanza to [`message::parse`].
    Message,
}

/// Sorts a message stanza, and refuses forged wrappers.
pub fn sort<'a>(stanza: &'a Element, own: &BareJid) -> Result<Inbound<'a>, Refused> {
    if !stanza.is("message", ns::CLIENT) {
        return Err(Refused::Malformed);
    }
    if stanza.attr("type") == Some("error") {
        // What came back repeats what we sent; its wrappers are nobody's (S-XMPP-13).
        return Ok(Inbound::Message);
    }
    if let Some(carbon) = carbons::unwrap(stanza, own)? {
        return Ok(Inbound::Carbon(carbon));
    }
    if let Some(query_id) = mam::query_id(stanza) {
        if !is_own_account(stanza, own) {
            return Err(Refused::ForeignSender);
        }
        return Ok(Inbound::ArchiveResult { query_id });
    }
    if let Some(event) = pep::parse_event(stanza, own)? {
        return Ok(Inbound::Event(event));
    }
    if message::is_wrapper(stanza) {
        return Err(Refused::Malformed);
    }
    Ok(Inbound::Message)
}
