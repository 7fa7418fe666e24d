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

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> BareJid {
        BareJid::new("juliet@capulet.com").unwrap()
    }

    fn push(from: &str, change: &str) -> Result<Option<Push>, Refused> {
        let xml = format!("<iq xmlns='jabber:client' type='set' id='p1'{from}>{change}</iq>");
        parse_push(&xml.parse().unwrap(), &own())
    }

    /// XEP-0191 examples 2, 3 and 5.
    #[test]
    fn the_list_and_the_requests_are_those_of_the_xep() {
        let list: Element = "<blocklist xmlns='urn:xmpp:blocking'><item jid='romeo@montague.net'/>\
            <item jid='iago@shakespeare.lit'/><item/><item jid='@'/></blocklist>"
            .parse()
            .unwrap();
        let jids = parse_list(&list).unwrap();
        assert_eq!(jids.len(), 2);
        let expected: Element =
            "<block xmlns='urn:xmpp:blocking'><item jid='romeo@montague.net'/></block>"
                .parse()
                .unwrap();
        assert_eq!(block(&jids[0]), expected);
        assert!(unblock(&jids[0]).has_child("item", ns::BLOCKING));
    }

    #[test]
    fn s_xmpp_04_only_the_own_account_changes_the_list() {
        let change = "<block xmlns='urn:xmpp:blocking'><item jid='romeo@montague.net'/></block>";
        let romeo = Jid::new("romeo@montague.net").unwrap();
        assert_eq!(
            push("", change),
            Ok(Some(Push::Blocked(vec![romeo.clone()])))
        );
        let change = change
            .replace("block ", "unblock ")
            .replace("/block", "/unblock");
        let from = " from='juliet@capulet.com'";
        assert_eq!(push(from, &change), Ok(Some(Push::Unblocked(vec![romeo]))));
        let all = "<unblock xmlns='urn:xmpp:blocking'/>";
        assert_eq!(push("", all), Ok(Some(Push::UnblockedAll)));
        for from in [
            "eve@evil.example",
            "juliet@capulet.com/x",
            "capulet.com",
            "@",
        ] {
            let forged = push(&format!(" from='{from}'"), all);
            assert_eq!(forged, Err(Refused::ForeignSender), "{from}");
        }
    }
}
