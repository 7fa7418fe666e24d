//! Blocking command (XEP-0191).

use jid::{BareJid, Jid};
use minidom::Element;

use crate::dom::{self, Build, el};
use crate::ns;
use crate::refused::{Refused, is_own_account};

/// Most addresses that are kept of a list.
pub const MAX_BLOCKED: usize = 10_000;

/// A change of the list that another device of ours made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Push {
    /// These are blocked from now on.
    Blocked(Vec<Jid>),
    /// These are not blocked any more.
    Unblocked(Vec<Jid>),
    /// Nobody is blocked any more.
    UnblockedAll,
}

/// The payload that asks for the list: for an iq `get` without `to`.
pub fn list() -> Element {
    el("blocklist", ns::BLOCKING)
}

/// Reads the payload of the answer to [`list`]; `None` when it is none.
pub fn parse_list(payload: &Element) -> Option<Vec<Jid>> {
    payload
        .is("blocklist", ns::BLOCKING)
        .then(|| items(payload))
}

/// The payload that blocks an address: for an iq `set` without `to`.
pub fn block(jid: &Jid) -> Element {
    el("block", ns::BLOCKING).child(item(jid))
}

/// The payload that unblocks an address: for an iq `set` without `to`.
///
/// Never without an address: that would unblock everybody.
pub fn unblock(jid: &Jid) -> Element {
    el("unblock", ns::BLOCKING).child(item(jid))
}

/// Reads a push (§3.2.5). `None` when the stanza is none at all. Only our own account may push. It
/// is answered with [`crate::iq::result`].
pub fn parse_push(iq: &Element, own: &BareJid) -> Result<Option<Push>, Refused> {
    if !iq.is("iq", ns::CLIENT) || iq.attr("type") != Some("set") {
        return Ok(None);
    }
    let Some(change) = iq
        .children()
        .find(|child| child.has_ns(ns::BLOCKING) && matches!(child.name(), "block" | "unblock"))
    else {
        return Ok(None);
    };
    if !is_own_account(iq, own) {
        return Err(Refused::ForeignSender);
    }
    let has_items = change.has_child("item", ns::BLOCKING);
    Ok(Some(match change.name() {
        "block" => Push::Blocked(items(change)),
        _ if has_items => Push::Unblocked(items(change)),
        _ => Push::UnblockedAll,
    }))
}

fn item(jid: &Jid) -> Element {
    el("item", ns::BLOCKING).with("jid", jid.as_str())
}

fn items(parent: &Element) -> Vec<Jid> {
    parent
        .children()
        .filter(|child| child.is("item", ns::BLOCKING))
        .filter_map(|child| dom::jid(child, "jid").ok().flatten())
        .take(MAX_BLOCKED)
        .collect()
}
