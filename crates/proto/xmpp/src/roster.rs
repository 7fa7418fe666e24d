//! The roster (RFC 6121 §2).

use jid::BareJid;
use minidom::Element;

use crate::dom::{self, Build, el};
use crate::ns;
use crate::refused::{Refused, is_own_account};
use crate::text;

/// Longest name of a contact or group, in bytes.
pub const MAX_NAME: usize = 1023;
/// Most groups that are kept of one contact.
pub const MAX_GROUPS: usize = 64;

/// Who sees whose presence (RFC 6121 §2.1.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of RFC 6121 §2.1.2.5")]
pub enum Subscription {
    #[default]
    None,
    To,
    From,
    Both,
}

impl Subscription {
    /// Whether we see the contact's presence.
    pub const fn sees_theirs(self) -> bool {
        matches!(self, Self::To | Self::Both)
    }

    /// Whether the contact sees our presence anyway: only then may we answer by ourselves (S-XMPP-17).
    pub const fn sees_ours(self) -> bool {
        matches!(self, Self::From | Self::Both)
    }
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Their address.
    pub jid: BareJid,
    /// What we call them, one line; may be empty.
    pub name: String,
    /// Who sees whose presence.
    pub subscription: Subscription,
    /// A request of ours waits for their answer (`ask='subscribe'`).
    pub ask: bool,
    /// Their groups, sorted, without doubles.
    pub groups: Vec<String>,
}

/// The answer to a request for the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roster {
    /// The version we named is current; changes follow as pushes (§2.6.3).
    Unchanged,
    /// All of it.
    Items {
        /// Its version, when the server has versions.
        version: Option<String>,
        /// The contacts.
        items: Vec<Item>,
    },
}

/// A change that the server tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The version after it, when the server has versions.
    pub version: Option<String>,
    /// What changed.
    pub change: Change,
}

/// What changed in the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A contact is new or different.
    Set(Item),
    /// A contact is gone.
    Removed(BareJid),
}

/// The payload of the request for the roster: an iq `get` without `to`.
///
/// `version`: the version in store, empty for none; absent when the server has no versions
/// (stream feature `urn:xmpp:features:rosterver`).
pub fn get(version: Option<&str>) -> Element {
    el("query", ns::ROSTER).with_opt("ver", version)
}

/// The payload that adds or changes a contact: an iq `set` without `to`.
pub fn set(jid: &BareJid, name: &str, groups: &[String]) -> Element {
    let name = (!name.is_empty()).then_some(name);
    let item = el("item", ns::ROSTER)
        .with("jid", jid.as_str())
        .with_opt("name", name);
    el("query", ns::ROSTER).child(groups.iter().fold(item, |item, group| {
        item.child(el("group", ns::ROSTER).text_of(group))
    }))
}

/// The payload that removes a contact and both subscriptions: an iq `set` without `to`.
pub fn remove(jid: &BareJid) -> Element {
    el("query", ns::ROSTER).child(
        el("item", ns::ROSTER)
            .with("jid", jid.as_str())
            .with("subscription", "remove"),
    )
}

/// Reads the payload of the answer to [`get`]; an empty result means unchanged. Items that are not
/// well formed are left out.
pub fn parse_result(payload: Option<&Element>) -> Result<Roster, Refused> {
    let Some(query) = payload else {
        return Ok(Roster::Unchanged);
    };
    if !query.is("query", ns::ROSTER) {
        return Err(Refused::Malformed);
    }
    let items = query.children().filter_map(parse_item);
    Ok(Roster::Items {
        version: version(query),
        items: items
            .filter_map(|change| match change {
                Change::Set(item) => Some(item),
                Change::Removed(_) => None,
            })
            .collect(),
    })
}

/// Reads a roster push. `None` when the stanza is none at all.
///
/// Only our own account may push (RFC 6121 §2.1.6, S-XMPP-04). A push holds exactly one item. It is
/// answered with [`crate::iq::result`].
pub fn parse_push(iq: &Element, own: &BareJid) -> Result<Option<Push>, Refused> {
    if !iq.is("iq", ns::CLIENT) || iq.attr("type") != Some("set") {
        return Ok(None);
    }
    let Some(query) = iq.get_child("query", ns::ROSTER) else {
        return Ok(None);
    };
    if !is_own_account(iq, own) {
        return Err(Refused::ForeignSender);
    }
    let item = dom::only_child(query, "item", ns::ROSTER).ok_or(Refused::Malformed)?;
    Ok(Some(Push {
        version: version(query),
        change: parse_item(item).ok_or(Refused::Malformed)?,
    }))
}

fn version(query: &Element) -> Option<String> {
    query
        .attr("ver")
        .filter(|ver| ver.len() <= MAX_NAME)
        .map(str::to_owned)
}

fn parse_item(item: &Element) -> Option<Change> {
    if !item.is("item", ns::ROSTER) {
        return None;
    }
    let jid = dom::bare(item, "jid")?;
    let subscription = match item.attr("subscription") {
        Some("remove") => return Some(Change::Removed(jid)),
        Some("to") => Subscription::To,
        Some("from") => Subscription::From,
        Some("both") => Subscription::Both,
        _ => Subscription::None,
    };
    let mut groups: Vec<String> = item
        .children()
        .filter(|child| child.is("group", ns::ROSTER))
        .map(|group| text::one_line(&dom::text_of(group, MAX_NAME * 4), MAX_NAME))
        .filter(|group| !group.is_empty())
        .take(MAX_GROUPS)
        .collect();
    groups.sort();
    groups.dedup();
    Some(Change::Set(Item {
        jid,
        name: text::one_line(item.attr("name").unwrap_or_default(), MAX_NAME),
        subscription,
        ask: item.attr("ask") == Some("subscribe"),
        groups,
    }))
}

#[cfg(test)]
mod tests;
