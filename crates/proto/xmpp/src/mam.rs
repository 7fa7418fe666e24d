//! Message archive management (XEP-0313, `urn:xmpp:mam:2`): the own account's archive.
//!
//! A [`Query`] builds the request and checks what comes back for it; a [`Walk`] goes through the
//! archive page by page, forward for catch-up or backward for older history.

mod walk;

use std::fmt;

use jid::{BareJid, Jid};
use minidom::Element;

use crate::carbons::forwarded;
use crate::data_form::submit_field;
use crate::delay;
use crate::dom::{self, Build, el};
use crate::ns;
use crate::refused::{Refused, is_own_account};
use crate::rsm::{Bounds, Page};
use crate::stanza_id::MAX_ID;

pub use walk::{Step, Walk};

/// How many messages a page has by default.
pub const PAGE_SIZE: u32 = 100;

/// One request to the own archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// At least 64 random bits: what comes back carries it.
    pub query_id: String,
    /// Only messages with this address.
    pub with: Option<Jid>,
    /// Only messages from then on, in milliseconds since 1970-01-01 UTC.
    pub start: Option<i64>,
    /// Only messages until then, in milliseconds since 1970-01-01 UTC.
    pub end: Option<i64>,
    /// Which page.
    pub page: Page,
    /// How many messages at most.
    pub max: u32,
}

/// One message from the archive, verified to answer the query.
#[derive(Clone, PartialEq)]
pub struct Item {
    /// Its id in the archive: the one to find doubles by.
    pub archive_id: String,
    /// The message itself; read it with [`crate::message::parse`].
    pub message: Element,
    /// When the archive got it, in milliseconds since 1970-01-01 UTC.
    pub stamp: Option<i64>,
}

/// The end of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fin {
    /// There is nothing beyond this page in the direction asked for.
    pub complete: bool,
    /// Where the page lies.
    pub bounds: Bounds,
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item")
            .field("archive_id", &self.archive_id)
            .field("stamp", &self.stamp)
            .finish_non_exhaustive()
    }
}

impl Query {
    /// A query for one page of everything.
    pub fn new(query_id: impl Into<String>, page: Page) -> Self {
        Self {
            query_id: query_id.into(),
            with: None,
            start: None,
            end: None,
            page,
            max: PAGE_SIZE,
        }
    }

    /// The payload: for an iq `set` without `to`.
    pub fn to_element(&self) -> Element {
        let mut form = el("x", ns::DATA_FORM)
            .with("type", "submit")
            .child(submit_field("FORM_TYPE", [ns::MAM]).with("type", "hidden"));
        if let Some(with) = &self.with {
            form = form.child(submit_field("with", [with.as_str()]));
        }
        if let Some(start) = self.start {
            form = form.child(submit_field("start", [delay::format(start)]));
        }
        if let Some(end) = self.end {
            form = form.child(submit_field("end", [delay::format(end)]));
        }
        el("query", ns::MAM)
            .with("queryid", &self.query_id)
            .child(form)
            .child(self.page.to_element(self.max))
    }

    /// Takes a result of this query out of its wrapper. `None` when the stanza is no result at all.
    ///
    /// Refused unless it comes from our own account and names this query (XEP-0313 §4.2,
    /// S-XMPP-03), holds one message in one layer (S-XMPP-02), and that message was sent or
    /// received by us.
    pub fn accept(&self, stanza: &Element, own: &BareJid) -> Result<Option<Item>, Refused> {
        let Some(result) = result_of(stanza) else {
            return Ok(None);
        };
        if !is_own_account(stanza, own) {
            return Err(Refused::ForeignSender);
        }
        if result.attr("queryid") != Some(self.query_id.as_str()) {
            return Err(Refused::Unsolicited);
        }
        let one = dom::only_child(stanza, "result", ns::MAM).is_some();
        if !one || stanza.children().any(|child| child.has_ns(ns::CARBONS)) {
            return Err(Refused::Nested);
        }
        let archive_id = dom::attr(result, "id", MAX_ID).ok_or(Refused::Malformed)?;
        let (message, stamp) = forwarded(result)?;
        let ours = |name| match dom::jid(message, name) {
            Ok(Some(jid)) => Ok(jid.to_bare() == *own),
            Ok(None) => Ok(true),
            Err(_) => Err(Refused::Malformed),
        };
        if !(ours("from")? || ours("to")? || message.attr("type") == Some("groupchat")) {
            return Err(Refused::Misaddressed);
        }
        Ok(Some(Item {
            archive_id,
            message: message.clone(),
            stamp,
        }))
    }
}

/// The query id of an archive result; `None` when the stanza is no result at all.
///
/// Only to find the open query to ask; [`Query::accept`] does the checking.
pub fn query_id(stanza: &Element) -> Option<&str> {
    Some(result_of(stanza)?.attr("queryid").unwrap_or_default())
}

fn result_of(stanza: &Element) -> Option<&Element> {
    stanza
        .is("message", ns::CLIENT)
        .then(|| stanza.get_child("result", ns::MAM))
        .flatten()
}

impl Fin {
    /// Reads the payload of the iq result that ends a page.
    pub fn parse(fin: &Element) -> Result<Self, Refused> {
        if !fin.is("fin", ns::MAM) {
            return Err(Refused::Malformed);
        }
        Ok(Self {
            complete: matches!(fin.attr("complete"), Some("true" | "1")),
            bounds: Bounds::of(fin),
        })
    }
}

#[cfg(test)]
mod tests;
