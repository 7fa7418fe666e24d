//! Requests and answers (RFC 6120 §8.2.3).
//!
//! [`Tracker`] keeps the open requests of one stream. An answer counts only when it comes from the
//! one who was asked (S-XMPP-05); requests end by answer, time-out, or when there are too many
//! (S-XMPP-24). [`result`], [`error`] and [`default_reply`] answer the requests of others.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use jid::{BareJid, FullJid, Jid};
use minidom::Element;

use crate::dom::{self, Build, el};
use crate::ns;
use crate::refused::is_domain_of;
use crate::stanza_error::{Condition, ErrorType, StanzaError};
use crate::stanza_id::random_id;

/// Most open requests of one stream; the oldest ends with [`Failure::Dropped`] beyond that.
pub const MAX_OPEN: usize = 1024;
/// Default time for an answer.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// Longest id of a foreign request that is answered, in bytes.
const MAX_FOREIGN_ID: usize = 4096;

/// Which kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of RFC 6120 §8.2.3")]
pub enum Method {
    Get,
    Set,
}

/// Why a request of ours did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The other side says so.
    Error(StanzaError),
    /// No answer came in time.
    TimedOut,
    /// There were too many open requests.
    Dropped,
    /// The stream ended without resumption.
    Lost,
}

/// How a request of ours ended: the payload of the result, if it has one, or the failure.
pub type Outcome = Result<Option<Element>, Failure>;

/// What became of an iq of type `result` or `error`.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<T> {
    /// It answers the request with this tag.
    Ended {
        /// As given to [`Tracker::send`].
        tag: T,
        /// How it ended.
        outcome: Outcome,
    },
    /// It answers nothing that is open, or comes from the wrong sender: without effect.
    Ignored,
}

/// The open requests of one stream; `T` is what the caller wants back with the answer.
#[derive(Debug)]
pub struct Tracker<T> {
    own: Option<FullJid>,
    server: BareJid,
    open: HashMap<String, Open<T>>,
    by_age: BTreeMap<u64, String>,
    next: u64,
    ended: VecDeque<(T, Failure)>,
}

#[derive(Debug)]
struct Open<T> {
    tag: T,
    to: Option<Jid>,
    deadline: Instant,
    age: u64,
}

impl<T> Tracker<T> {
    /// For a stream that is signed in as `own`.
    pub fn new(own: &FullJid) -> Self {
        let server = BareJid::from_parts(None, own.domain());
        Self::with(Some(own.clone()), server)
    }

    /// For a stream to `server` before a log-in, to register.
    pub fn before_login(server: &BareJid) -> Self {
        Self::with(None, server.clone())
    }

    fn with(own: Option<FullJid>, server: BareJid) -> Self {
        Self {
            own,
            server,
            open: HashMap::new(),
            by_age: BTreeMap::new(),
            next: 0,
            ended: VecDeque::new(),
        }
    }

    /// Builds a request with a fresh id and waits for its answer until `now` + [`TIMEOUT`].
    pub fn send(
        &mut self,
        method: Method,
        to: Option<Jid>,
        payload: Element,
        tag: T,
        now: Instant,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Element {
        let id = random_id(random);
        let iq = request(method, to.as_ref(), &id, payload);
        if self.open.len() >= MAX_OPEN
            && let Some((_, oldest)) = self.by_age.pop_first()
            && let Some(open) = self.open.remove(&oldest)
        {
            self.ended.push_back((open.tag, Failure::Dropped));
        }
        let age = self.next;
        self.next += 1;
        self.by_age.insert(age, id.clone());
        let open = Open {
            tag,
            to,
            deadline: now + TIMEOUT,
            age,
        };
        self.open.insert(id, open);
        iq
    }

    /// An iq of type `result` or `error` came; others are ignored.
    pub fn handle(&mut self, iq: &Element) -> Answer<T> {
        let is_error = match iq.attr("type") {
            Some("result") => false,
            Some("error") => true,
            _ => return Answer::Ignored,
        };
        let Some(id) = iq.attr("id").filter(|_| iq.is("iq", ns::CLIENT)) else {
            return Answer::Ignored;
        };
        let Ok(from) = dom::jid(iq, "from") else {
            return Answer::Ignored;
        };
        match self.open.get(id) {
            Some(open) if self.may_answer(open.to.as_ref(), from.as_ref()) => {}
            _ => return Answer::Ignored,
        }
        let Some(open) = self.open.remove(id) else {
            return Answer::Ignored;
        };
        self.by_age.remove(&open.age);
        let outcome = if is_error {
            Err(Failure::Error(StanzaError::of(iq)))
        } else {
            Ok(iq.children().next().cloned())
        };
        Answer::Ended {
            tag: open.tag,
            outcome,
        }
    }

    /// Who may answer a request to `to`: that address. Our own server answers for our own account
    /// and for itself also without an address, and a request without `to` is to our own account
    /// (RFC 6120 §8.1.2.1, §10.3.3).
    fn may_answer(&self, to: Option<&Jid>, from: Option<&Jid>) -> bool {
        let own = self.own.as_ref().map(|own| own.to_bare());
        let is_own = |jid: &Jid| own.as_ref().is_some_and(|own| *jid == **own);
        let is_server = |jid: &Jid| is_domain_of(jid, &self.server);
        match (to, from) {
            (None, None) => true,
            (None, Some(from)) => {
                is_own(from)
                    || is_server(from)
                    || self.own.as_ref().is_some_and(|own| *from == **own)
            }
            (Some(to), None) => is_own(to) || is_server(to),
            (Some(to), Some(from)) => to == from,
        }
    }

    /// Call at [`Self::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((age, id)) = self.by_age.first_key_value() {
            let age = *age;
            if self.open.get(id).is_some_and(|open| open.deadline > now) {
                return;
            }
            let open = self.open.remove(id);
            self.by_age.remove(&age);
            if let Some(open) = open {
                self.ended.push_back((open.tag, Failure::TimedOut));
            }
        }
    }

    /// The stream ended without resumption: all requests end with [`Failure::Lost`].
    pub fn handle_lost(&mut self) {
        for (_, id) in std::mem::take(&mut self.by_age) {
            if let Some(open) = self.open.remove(&id) {
                self.ended.push_back((open.tag, Failure::Lost));
            }
        }
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let (_, id) = self.by_age.first_key_value()?;
        self.open.get(id).map(|open| open.deadline)
    }

    /// A request that ended without an answer.
    pub fn poll_ended(&mut self) -> Option<(T, Failure)> {
        self.ended.pop_front()
    }

    /// How many requests are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether no request is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

/// Builds a request with an id of the caller's.
pub fn request(method: Method, to: Option<&Jid>, id: &str, payload: Element) -> Element {
    el("iq", ns::CLIENT)
        .with(
            "type",
            match method {
                Method::Get => "get",
                Method::Set => "set",
            },
        )
        .with("id", id)
        .with_opt("to", to.map(Jid::as_str))
        .child(payload)
}

/// A request of somebody else.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming<'a> {
    /// Which kind.
    pub method: Method,
    /// Who asks; absent for our own account or server.
    pub from: Option<Jid>,
    /// What is asked.
    pub payload: &'a Element,
}

/// Reads a request; `None` for answers and for requests that are not well formed (one payload, an
/// id, an address that can be read): give those to [`default_reply`].
pub fn parse_request(iq: &Element) -> Option<Incoming<'_>> {
    let method = request_method(iq)?;
    iq.attr("id")?;
    let from = dom::jid(iq, "from").ok()?;
    let mut children = iq.children();
    let payload = children.next()?;
    children.next().is_none().then_some(Incoming {
        method,
        from,
        payload,
    })
}

/// Answers a request with success. `None` when the stanza is no request: answers are never
/// answered (S-XMPP-13).
pub fn result(iq: &Element, payload: Option<Element>) -> Option<Element> {
    Some(reply(iq, "result")?.child_opt(payload))
}

/// Answers a request with an error; nothing of the request is repeated. `None` when the stanza is
/// no request: answers are never answered (S-XMPP-13).
pub fn error(iq: &Element, error: &StanzaError) -> Option<Element> {
    Some(reply(iq, "error")?.child(error.to_element()))
}

/// The answer to a request that we do not serve, or do not serve to this sender.
///
/// It is what a server answers for somebody who is not there (RFC 6120 §10.5.4), so that it tells a
/// stranger nothing (S-XMPP-17).
pub fn default_reply(iq: &Element) -> Option<Element> {
    error(
        iq,
        &StanzaError::new(ErrorType::Cancel, Condition::ServiceUnavailable),
    )
}

fn request_method(iq: &Element) -> Option<Method> {
    match iq.attr("type") {
        Some("get") if iq.is("iq", ns::CLIENT) => Some(Method::Get),
        Some("set") if iq.is("iq", ns::CLIENT) => Some(Method::Set),
        _ => None,
    }
}

fn reply(iq: &Element, kind: &'static str) -> Option<Element> {
    request_method(iq)?;
    let id = dom::attr(iq, "id", MAX_FOREIGN_ID)?;
    let to = dom::jid(iq, "from").ok()?;
    Some(
        el("iq", ns::CLIENT)
            .with("type", kind)
            .with("id", id)
            .with_opt("to", to.as_ref().map(Jid::as_str)),
    )
}

#[cfg(test)]
mod tests;
