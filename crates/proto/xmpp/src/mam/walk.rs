use jid::Jid;

use super::{Fin, PAGE_SIZE, Query};
use crate::rsm::Page;

/// Goes through the archive page by page.
///
/// Ask [`Walk::query`] for the next request, feed its [`Fin`] to [`Walk::handle_fin`], repeat until
/// it says [`Step::Done`]. A server that turns in a circle ends the walk.
#[derive(Clone, Debug)]
pub struct Walk {
    forward: bool,
    with: Option<Jid>,
    start: Option<i64>,
    max: u32,
    from: Option<String>,
    done: bool,
}

/// What follows a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask for the next page.
    More,
    /// The end was reached.
    Done,
}

impl Walk {
    /// Forward from what follows the archive id `after`; from the very first when absent.
    pub fn forward(after: Option<String>) -> Self {
        Self {
            forward: true,
            with: None,
            start: None,
            max: PAGE_SIZE,
            from: after,
            done: false,
        }
    }

    /// Backward from what precedes the archive id `before`; from the very last when absent.
    pub fn backward(before: Option<String>) -> Self {
        Self {
            forward: false,
            ..Self::forward(before)
        }
    }

    /// Only messages with this address.
    pub fn with(mut self, with: Jid) -> Self {
        self.with = Some(with);
        self
    }

    /// Only messages from then on, in milliseconds since 1970-01-01 UTC.
    pub fn since(mut self, start: i64) -> Self {
        self.start = Some(start);
        self
    }

    /// Pages of at most this many messages.
    pub fn page_size(mut self, max: u32) -> Self {
        self.max = max;
        self
    }

    /// The request for the next page; `None` when the walk is over.
    pub fn query(&self, query_id: impl Into<String>) -> Option<Query> {
        if self.done {
            return None;
        }
        let page = if self.forward {
            Page::After(self.from.clone())
        } else {
            Page::Before(self.from.clone())
        };
        Some(Query {
            with: self.with.clone(),
            start: self.start,
            max: self.max,
            ..Query::new(query_id, page)
        })
    }

    /// A page ended.
    pub fn handle_fin(&mut self, fin: &Fin) -> Step {
        let next = if self.forward {
            &fin.bounds.last
        } else {
            &fin.bounds.first
        };
        let circle = next.is_none() || *next == self.from;
        if next.is_some() {
            self.from.clone_from(next);
        }
        self.done = fin.complete || circle;
        if self.done { Step::Done } else { Step::More }
    }

    /// The archive id up to which everything is known: where to go on after an interruption.
    pub fn position(&self) -> Option<&str> {
        self.from.as_deref()
    }
}
