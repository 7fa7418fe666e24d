//! The start of a session on a stream, fresh or resumed, and its end.

use sotto_xmpp::stream::{MechanismMemory, StreamFailure};
use sotto_xmpp::{Element, FullJid, carbons, disco, iq};

use super::problem::{Course, course, ends_session, may_be_broken};
use super::{Account, Pending, State};
use crate::context::Context;
use crate::error::Fault;
use crate::{certificates, messages, people};

impl Account {
    /// A fresh stream: everything about the session is asked anew.
    pub(super) fn handle_bound(
        &mut self,
        cx: &mut Context,
        jid: FullJid,
        sm: bool,
        mechanism: &str,
        memory: &MechanismMemory,
    ) -> Result<(), Fault> {
        self.lost(cx)?;
        self.requests = Some(iq::Tracker::new(&jid));
        self.signed_in(cx, jid, sm, mechanism, memory)?;
        self.resume = None;
        cx.store.sm_state_set(self.id, None)?;
        cx.store.outbox_doubt(self.id)?;
        messages::archive::stream_bound(self);
        people::stream_bound(cx, self)?;
        let server = self.server_address();
        self.request(
            cx,
            None,
            iq::Method::Set,
            carbons::enable(),
            Pending::Nothing,
        );
        self.ask_features(cx, server);
        people::send_presence(cx, self)?;
        self.wake_outbox();
        Ok(())
    }

    /// The old stream goes on: what the server did not get is sent again, in order.
    pub(super) fn handle_resumed(
        &mut self,
        cx: &mut Context,
        jid: FullJid,
        acked: u32,
        mechanism: &str,
        memory: &MechanismMemory,
    ) -> Result<(), Fault> {
        if self.requests.is_none() {
            self.requests = Some(iq::Tracker::new(&jid));
        }
        self.signed_in(cx, jid, true, mechanism, memory)?;
        if let Some(connection) = &mut self.connection {
            connection.unproved = true;
        }
        self.handle_acked(cx, acked)?;
        self.send_again(cx)?;
        if !self.features.known {
            // After a restart: read messages as before at once, and ask again in case it changed.
            self.features = super::features::Features::load(cx.store, self.id)?;
            let server = self.server_address();
            self.ask_features(cx, server);
            people::stream_resumed(cx, self)?;
        }
        messages::archive::stream_resumed(cx, self)?;
        self.wake_outbox();
        Ok(())
    }

    fn signed_in(
        &mut self,
        cx: &mut Context,
        jid: FullJid,
        sm: bool,
        mechanism: &str,
        memory: &MechanismMemory,
    ) -> Result<(), Fault> {
        self.problem = None;
        self.ack_overdue = false;
        self.retry.online(cx.now.instant);
        self.password_accepted(cx)?;
        if let Ok(json) = serde_json::to_string(memory) {
            cx.store.mechanism_memory_set(self.id, Some(&json))?;
        }
        let domain = self.domain().to_owned();
        if let Some(connection) = &mut self.connection {
            connection.bound = Some(jid);
            connection.sm = sm;
            connection.label = [connection.label.as_str(), mechanism].join(", ");
            if let Some(certificate) = &connection.certificate {
                certificates::remember_seen(cx, self.id, &domain, certificate)?;
            }
        }
        self.set_state(cx, State::Online);
        cx.changes.account(self.id);
        messages::account_state_changed(cx, self)?;
        crate::private::online(cx, self)
    }

    fn ask_features(&mut self, cx: &mut Context, server: sotto_xmpp::Jid) {
        self.request(
            cx,
            Some(server),
            iq::Method::Get,
            disco::info_request(None),
            Pending::ServerInfo,
        );
        let own = self.address.clone().into();
        self.request(
            cx,
            Some(own),
            iq::Method::Get,
            disco::info_request(None),
            Pending::AccountInfo,
        );
    }

    pub(super) fn handle_server_info(
        &mut self,
        cx: &mut Context,
        reply: iq::Outcome,
    ) -> Result<(), Fault> {
        if let Some(info) = info_of(reply) {
            self.features.learn_server(&info);
            self.features.save(cx.store, self.id)?;
            cx.changes.account(self.id);
        }
        Ok(())
    }

    pub(super) fn handle_account_info(
        &mut self,
        cx: &mut Context,
        reply: iq::Outcome,
    ) -> Result<(), Fault> {
        match &reply {
            Err(iq::Failure::Lost) => return Ok(()),
            // No answer says nothing about the archive: as before, then.
            Err(iq::Failure::TimedOut | iq::Failure::Dropped) => {
                let before = super::features::Features::load(cx.store, self.id)?;
                self.features = super::features::Features {
                    known: true,
                    ..before
                };
            }
            Ok(_) | Err(iq::Failure::Error(_)) => {
                self.features
                    .learn_account(&info_of(reply).unwrap_or_default());
            }
        }
        self.features.save(cx.store, self.id)?;
        people::features_known(cx, self)?;
        messages::archive::features_known(cx, self)
    }

    /// The connection is gone, the stream may be resumed: what is typed waits.
    pub(super) fn interrupted(&mut self, cx: &mut Context) -> Result<(), Fault> {
        self.ack_overdue = false;
        self.messages.archive.interrupted();
        messages::account_state_changed(cx, self)
    }

    /// The session is gone for good: open requests end, everybody is offline.
    pub(super) fn lost(&mut self, cx: &mut Context) -> Result<(), Fault> {
        self.unacked.clear();
        self.features = super::features::Features::default();
        if let Some(requests) = &mut self.requests {
            requests.handle_lost();
        }
        self.settle_ended_requests(cx)?;
        self.requests = None;
        messages::typing::forget(cx, self);
        people::stream_lost(cx, self)?;
        messages::account_state_changed(cx, self)
    }

    /// The stream cannot go on; the connection closes by itself now.
    pub(super) fn handle_failed(
        &mut self,
        cx: &mut Context,
        failure: &StreamFailure,
    ) -> Result<(), Fault> {
        let unproved = self.connection.as_ref().is_some_and(|c| c.unproved);
        let broken = unproved && may_be_broken(failure);
        let course = match course(failure) {
            Course::Stop(problem) if broken => Course::Again(problem),
            course => course,
        };
        let details = failure.to_string();
        self.problem = Some(self.worded(cx, &course.problem(), &details));
        if self.is_closing() {
            return Ok(());
        }
        if broken || ends_session(failure) {
            self.forget_session(cx)?;
        }
        cx.changes.account(self.id);
        match course {
            Course::Again(_) => self.wait(cx),
            Course::Password(_) => self.password_refused(cx)?,
            Course::Stop(_) => self.set_state(cx, State::Stopped),
        }
        messages::account_state_changed(cx, self)
    }

    /// The next stream begins a session of its own.
    fn forget_session(&mut self, cx: &mut Context) -> Result<(), Fault> {
        if let Some(connection) = &mut self.connection {
            connection.bound = None;
        }
        self.resume = None;
        cx.store.sm_state_set(self.id, None)?;
        Ok(())
    }

    fn server_address(&self) -> sotto_xmpp::Jid {
        sotto_xmpp::BareJid::from_parts(None, self.address.domain()).into()
    }
}

fn info_of(reply: iq::Outcome) -> Option<disco::Info> {
    reply
        .ok()
        .flatten()
        .as_ref()
        .and_then(|query: &Element| disco::Info::parse(query))
}
