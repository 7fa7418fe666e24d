//! One stanza from the stream, and answers to our requests.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sotto_xmpp::automatic::{Automatic, Relation, may_answer};
use sotto_xmpp::{Element, Jid, disco, iq, ns, ping, version};

use super::{Account, Pending};
use crate::context::Context;
use crate::error::Fault;
use crate::{messages, password, people};

#[cfg(test)]
thread_local! {
    /// Where a test wants the next panic.
    pub(crate) static PANIC: std::cell::Cell<&'static str> = const { std::cell::Cell::new("") };
}

#[cfg(test)]
pub(super) fn panic_if_asked(place: &str) {
    if PANIC.get() == place {
        PANIC.set("");
        panic!("asked for by a test");
    }
}

impl Account {
    /// Handles one stanza as a part of the transaction. One that cannot be handled, even one that
    /// brings a panic to light, is put aside without a trace, and the next goes on (S-PROC-07).
    pub(super) fn handle_stanza(&mut self, cx: &mut Context, stanza: Element) -> Result<(), Fault> {
        let store = cx.store;
        let done = store.attempt(|| {
            catch_unwind(AssertUnwindSafe(|| self.dispatch(cx, stanza)))
                .unwrap_or(Err(Fault::Panicked))
        });
        match done {
            Err(fault) if fault.is_of_this_stanza() => {
                tracing::error!(%fault, "a stanza was put aside");
                self.private.sessions.rolled_back();
                Ok(())
            }
            done => done,
        }
    }

    fn dispatch(&mut self, cx: &mut Context, stanza: Element) -> Result<(), Fault> {
        #[cfg(test)]
        assert!(
            stanza.attr("id") != Some("panic-for-a-test"),
            "asked for by a test"
        );
        match stanza.name() {
            "message" => messages::incoming::handle_stanza(cx, self, stanza),
            "presence" => {
                messages::typing::handle_presence(cx, self, &stanza);
                people::handle_presence(cx, self, &stanza)
            }
            "iq" => self.handle_iq(cx, &stanza),
            _ => Ok(()),
        }
    }

    fn handle_iq(&mut self, cx: &mut Context, stanza: &Element) -> Result<(), Fault> {
        if matches!(stanza.attr("type"), Some("result" | "error")) {
            let Some(requests) = &mut self.requests else {
                return Ok(());
            };
            return match requests.handle(stanza) {
                iq::Answer::Ended { tag, outcome } => self.handle_reply(cx, tag, outcome),
                iq::Answer::Ignored => Ok(()),
            };
        }
        if people::handle_push(cx, self, stanza)? {
            return Ok(());
        }
        let answer = match iq::parse_request(stanza) {
            Some(request) => self.automatic_answer(cx, stanza, &request)?,
            None => None,
        };
        if let Some(answer) = answer.or_else(|| iq::default_reply(stanza)) {
            self.send(cx, answer);
        }
        Ok(())
    }

    /// What the program says by itself, and only to those who may know that it is there (S-XMPP-17).
    fn automatic_answer(
        &mut self,
        cx: &mut Context,
        stanza: &Element,
        request: &iq::Incoming<'_>,
    ) -> Result<Option<Element>, Fault> {
        if request.method != iq::Method::Get {
            return Ok(None);
        }
        let relation = self.relation(cx, request.from.as_ref())?;
        let payload = request.payload;
        if ping::is_request(payload) && may_answer(Automatic::Ping, relation) {
            return Ok(iq::result(stanza, None));
        }
        if version::is_request(payload) && may_answer(Automatic::Version, relation) {
            let (name, number) = cx.software.split_once(' ').unwrap_or((cx.software, ""));
            return Ok(iq::result(stanza, Some(version::answer(name, number))));
        }
        if payload.is("query", ns::DISCO_INFO) && may_answer(Automatic::DiscoInfo, relation) {
            let node = payload.attr("node");
            if node.is_none_or(|node| node == sotto_xmpp::caps::Caps::sotto().query_node()) {
                let info = disco::Info::sotto().to_element(node);
                return Ok(iq::result(stanza, Some(info)));
            }
        }
        Ok(None)
    }

    /// Who somebody is to this account.
    pub fn relation(&self, cx: &Context, from: Option<&Jid>) -> Result<Relation, Fault> {
        let Some(from) = from else {
            return Ok(Relation::Own);
        };
        let bare = from.to_bare();
        if bare == self.address {
            return Ok(Relation::Own);
        }
        if bare.node().is_none() && bare.domain() == self.address.domain() {
            return Ok(Relation::Server);
        }
        Ok(if people::sees_me(cx, self.id, &bare)? {
            Relation::SeesOurs
        } else {
            Relation::Stranger
        })
    }

    fn handle_reply(
        &mut self,
        cx: &mut Context,
        pending: Pending,
        reply: iq::Outcome,
    ) -> Result<(), Fault> {
        match pending {
            Pending::Nothing => Ok(()),
            Pending::People(pending) => people::handle_reply(cx, self, pending, reply),
            Pending::Password(pending) => password::handle_reply(cx, self, pending, reply),
            Pending::ServerInfo => self.handle_server_info(cx, reply),
            Pending::AccountInfo => self.handle_account_info(cx, reply),
            Pending::Archive(asked) => messages::archive::handle_reply(cx, self, asked, reply),
            Pending::Fence(last) => self.handle_fence(cx, last, &reply),
        }
    }

    /// Requests that ended without an answer: by time, number, or the end of the session.
    pub(super) fn settle_ended_requests(&mut self, cx: &mut Context) -> Result<(), Fault> {
        while let Some((pending, failure)) =
            self.requests.as_mut().and_then(iq::Tracker::poll_ended)
        {
            self.handle_reply(cx, pending, Err(failure))?;
        }
        Ok(())
    }
}
