//! Personal eventing (XEP-0163) over publish-subscribe (XEP-0060): just what a client of it needs.

use std::fmt;

use jid::BareJid;
use minidom::Element;

use crate::data_form::submit_field;
use crate::dom::{self, Build, el};
use crate::ns;
use crate::refused::{Refused, is_own_account, sender};
use crate::stanza_id::MAX_ID;

/// Most items that are kept of an event or answer.
pub const MAX_ITEMS: usize = 64;

/// News of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Whose node: the sender's bare JID, and nobody else's.
    pub owner: BareJid,
    /// Which node.
    pub node: String,
    /// What was published.
    pub items: Vec<Item>,
    /// Ids of what was taken back.
    pub retracted: Vec<String>,
    /// The node was emptied or deleted.
    pub gone: bool,
}

/// One published item.
#[derive(Clone, PartialEq)]
pub struct Item {
    /// Its id; may be empty.
    pub id: String,
    /// What it holds; absent when it holds nothing.
    pub payload: Option<Element>,
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Who may read a node (XEP-0060 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Who sees our presence.
    Presence,
    /// Everybody.
    Open,
    /// Only ourselves (XEP-0223). Publish with it only where the server announces
    /// `http://jabber.org/protocol/pubsub#publish-options` (S-XMPP-20).
    Whitelist,
}

impl Access {
    const fn name(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::Open => "open",
            Self::Whitelist => "whitelist",
        }
    }
}

impl Event {
    /// Whether the event is about our own data: bookmarks, settings, our own picture.
    ///
    /// Such data must never be taken from anybody else (XEP-0223 §4, S-XMPP-06).
    pub fn is_own(&self, own: &BareJid) -> bool {
        self.owner == *own
    }
}

/// Reads an event. `None` when the stanza is none at all.
///
/// What it says is about its sender only, whatever stands in it (S-XMPP-06): a full JID is refused,
/// since personal events come from an account (XEP-0163 §4.2).
pub fn parse_event(message: &Element, own: &BareJid) -> Result<Option<Event>, Refused> {
    if !message.is("message", ns::CLIENT) || !message.has_child("event", ns::PUBSUB_EVENT) {
        return Ok(None);
    }
    if message.attr("type") == Some("error") {
        return Ok(None);
    }
    let owner = match sender(message)? {
        None => own.clone(),
        Some(jid) if jid.resource().is_none() => jid.to_bare(),
        Some(_) => return Err(Refused::ForeignSender),
    };
    if owner == *own && !is_own_account(message, own) {
        return Err(Refused::ForeignSender);
    }
    let event = dom::only_child(message, "event", ns::PUBSUB_EVENT).ok_or(Refused::Malformed)?;
    let Some(content) = event.children().find(|child| {
        child.has_ns(ns::PUBSUB_EVENT) && matches!(child.name(), "items" | "purge" | "delete")
    }) else {
        return Err(Refused::Malformed);
    };
    let retracted = content
        .children()
        .filter(|child| child.is("retract", ns::PUBSUB_EVENT))
        .filter_map(|child| dom::attr(child, "id", MAX_ID))
        .take(MAX_ITEMS);
    Ok(Some(Event {
        owner,
        node: dom::attr(content, "node", 1024).ok_or(Refused::Malformed)?,
        items: items(content, ns::PUBSUB_EVENT),
        retracted: retracted.collect(),
        gone: content.name() != "items",
    }))
}

/// The payload that asks for items of a node: for an iq `get` to its owner.
///
/// With `id` that item, without it the newest one.
pub fn items_request(node: &str, id: Option<&str>) -> Element {
    let items = el("items", ns::PUBSUB).with("node", node);
    let items = match id {
        Some(id) => items.child(el("item", ns::PUBSUB).with("id", id)),
        None => items.with("max_items", "1"),
    };
    el("pubsub", ns::PUBSUB).child(items)
}

/// Reads the payload of the answer to [`items_request`]; `None` when it is not about `node`.
pub fn parse_items(payload: &Element, node: &str) -> Option<Vec<Item>> {
    if !payload.is("pubsub", ns::PUBSUB) {
        return None;
    }
    let found = payload.get_child("items", ns::PUBSUB)?;
    (found.attr("node") == Some(node)).then(|| items(found, ns::PUBSUB))
}

/// The payload that publishes an item to a node of our own: for an iq `set` without `to`.
pub fn publish(node: &str, id: &str, payload: Element, access: Option<Access>) -> Element {
    let item = el("item", ns::PUBSUB).with("id", id).child(payload);
    let publish = el("publish", ns::PUBSUB).with("node", node).child(item);
    let options = access.map(|access| {
        let form = el("x", ns::DATA_FORM)
            .with("type", "submit")
            .child(submit_field("FORM_TYPE", [ns::PUBSUB_PUBLISH_OPTIONS]).with("type", "hidden"))
            .child(submit_field("pubsub#access_model", [access.name()]));
        el("publish-options", ns::PUBSUB).child(form)
    });
    el("pubsub", ns::PUBSUB).child(publish).child_opt(options)
}

fn items(parent: &Element, namespace: &str) -> Vec<Item> {
    parent
        .children()
        .filter(|child| child.is("item", namespace))
        .take(MAX_ITEMS)
        .map(|item| Item {
            id: dom::attr(item, "id", MAX_ID).unwrap_or_default(),
            payload: item.children().next().cloned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> BareJid {
        BareJid::new("romeo@montague.lit").unwrap()
    }

    fn event(from: &str) -> Result<Option<Event>, Refused> {
        let xml = format!(
            "<message xmlns='jabber:client' to='romeo@montague.lit/home'{from}>\
             <event xmlns='http://jabber.org/protocol/pubsub#event'>\
             <items node='urn:xmpp:avatar:metadata'><item id='111f4b3c'>\
             <metadata xmlns='urn:xmpp:avatar:metadata'/></item><retract id='old'/></items></event>\
             </message>"
        );
        parse_event(&xml.parse().unwrap(), &own())
    }

    /// XEP-0084 example 7.
    #[test]
    fn an_event_is_about_its_sender() {
        let event = event(" from='juliet@capulet.lit'").unwrap().unwrap();
        assert_eq!(event.owner.as_str(), "juliet@capulet.lit");
        assert_eq!(event.items[0].id, "111f4b3c");
        assert_eq!(event.retracted, ["old"]);
        assert!(!event.gone && !event.is_own(&own()));
    }

    #[test]
    fn s_xmpp_06_own_data_come_from_the_own_account_only() {
        for from in ["", " from='romeo@montague.lit'"] {
            assert!(event(from).unwrap().unwrap().is_own(&own()), "{from}");
        }
        for from in [
            "romeo@montague.lit/home",
            "juliet@capulet.lit/balcony",
            "Romeo@montague.lit",
            "@",
        ] {
            assert!(event(&format!(" from='{from}'")).is_err(), "{from}");
        }
        let near = event(" from='rоmeo@montague.lit'").unwrap().unwrap();
        assert!(!near.is_own(&own()), "a lookalike is somebody else");
    }

    /// XEP-0223 example 1.
    #[test]
    fn private_data_are_published_with_their_condition() {
        let payload = el("storage", "storage:bookmarks");
        let built = publish(
            "storage:bookmarks",
            "current",
            payload,
            Some(Access::Whitelist),
        );
        let wire = String::from(&built);
        assert!(wire.contains("pubsub#access_model") && wire.contains("whitelist"));
        let read = parse_items(&built, "storage:bookmarks");
        assert_eq!(read, None, "a request is no answer");
    }
}
