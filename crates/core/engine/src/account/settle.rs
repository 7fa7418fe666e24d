//! What the stream says, what is kept of it, and what goes out, in this order.

use sotto_xmpp::stream::{StreamEvent, Transmit};

use super::{Account, State};
use crate::context::Context;
use crate::error::Fault;
use crate::io::{LinkCommand, WorkId, WorkJob};
use crate::work::{Done, WorkResult};

impl Account {
    /// Handles everything that the stream has to say and keeps its position. Inside the transaction
    /// of the input; nothing leaves before it is committed.
    pub(crate) fn drive(&mut self, cx: &mut Context) -> Result<(), Fault> {
        while let Some(event) = self
            .connection
            .as_mut()
            .and_then(|c| c.stream.as_mut())
            .and_then(sotto_xmpp::stream::ClientStream::poll_event)
        {
            self.unkept = true;
            self.handle_stream_event(cx, event)?;
        }
        if !self.messages.archive.is_asking()
            && let Some(connection) = &mut self.connection
            && let Some(stream) = &mut connection.stream
        {
            // Leaves for the server only after the commit, like everything else.
            stream.mark_handled(std::mem::take(&mut connection.unmarked));
        }
        self.keep_position(cx)
    }

    fn handle_stream_event(&mut self, cx: &mut Context, event: StreamEvent) -> Result<(), Fault> {
        match event {
            StreamEvent::DeriveKey(job) => {
                let number = job.job;
                let work = cx
                    .effects
                    .work(WorkJob::new(move || WorkResult(Done::Scram(job.derive()))));
                if let Some(connection) = &mut self.connection {
                    connection.scram = Some((work, number));
                }
            }
            StreamEvent::Bound {
                jid,
                sm,
                features,
                mechanism,
                memory,
            } => {
                self.roster_versions = features.roster_versions;
                self.handle_bound(cx, jid, sm, &mechanism, &memory)?;
            }
            StreamEvent::Resumed {
                jid,
                acked,
                mechanism,
                memory,
                ..
            } => self.handle_resumed(cx, jid, acked, &mechanism, &memory)?,
            StreamEvent::ResumeFailed { acked } => {
                if let Some(acked) = acked {
                    self.handle_acked(cx, acked)?;
                }
            }
            StreamEvent::Stanza(stanza) => {
                self.handle_stanza(cx, stanza)?;
                if let Some(connection) = &mut self.connection {
                    connection.unmarked += 1;
                }
            }
            StreamEvent::Acked { sequence } => {
                if std::mem::take(&mut self.ack_overdue) {
                    crate::messages::account_state_changed(cx, self)?;
                }
                if let Some(connection) = &mut self.connection {
                    connection.unproved = false;
                }
                self.handle_acked(cx, sequence)?;
            }
            StreamEvent::AckOverdue => {
                self.ack_overdue = true;
                crate::messages::account_state_changed(cx, self)?;
            }
            StreamEvent::Failed(failure) => self.handle_failed(cx, &failure)?,
            StreamEvent::Closed | StreamEvent::RegistrationReady { .. } => {}
        }
        Ok(())
    }

    /// Whether the account's log-in waits for this work.
    pub(crate) fn awaits(&self, work: WorkId) -> bool {
        let awaited = self.connection.as_ref().and_then(|c| c.scram);
        awaited.is_some_and(|(awaited, _)| awaited == work)
    }

    /// The keys of a log-in are there.
    pub(crate) fn handle_scram(&mut self, cx: &mut Context, done: Done) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        let job = connection.scram.take();
        match (done, &mut connection.stream, job) {
            (Done::Scram(keys), Some(stream), Some((_, job))) => {
                stream.handle_scram_key(job, keys, cx.now.instant);
            }
            _ => {
                self.drop_connection(cx);
                self.wait(cx);
            }
        }
    }

    /// Whether the stream went on since this was last asked.
    pub(crate) fn take_unkept(&mut self) -> bool {
        std::mem::take(&mut self.unkept)
    }

    /// Keeps the stream's position together with the effects of what it counts.
    ///
    /// Not while the archive is being read: what came live meanwhile is put aside in memory, so after
    /// a crash the stream must not be resumed; the archive has it all. Nor when reading it failed: a
    /// fresh stream tries again.
    pub(super) fn keep_position(&mut self, cx: &mut Context) -> Result<(), Fault> {
        if !self.messages.archive.is_current() {
            return Ok(());
        }
        let Some(connection) = self.connection.as_mut().filter(|c| c.bound.is_some()) else {
            return Ok(());
        };
        let state = connection.stream.as_ref().and_then(|s| s.resume_state());
        if state == connection.saved {
            return Ok(());
        }
        let json = state
            .as_ref()
            .and_then(|state| serde_json::to_string(state).ok());
        self.unkept = true;
        cx.store.sm_state_set(self.id, json.as_deref())?;
        connection.saved = state;
        Ok(())
    }

    /// The position from which a stream can go on.
    pub(super) fn resume_state(
        &self,
        cx: &Context,
    ) -> Result<Option<sotto_xmpp::sm::ResumeState>, Fault> {
        if self.resume.is_some() {
            return Ok(self.resume.clone());
        }
        Ok(cx
            .store
            .sm_state(self.id)?
            .and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// Hands over what waits in the outbox, then lets the bytes go. Outside any transaction.
    pub(crate) fn flush(&mut self, cx: &mut Context) {
        if let Err(fault) = self.hand_over(cx) {
            tracing::warn!(%fault, "the outbox could not be handed over");
            self.abort(cx);
        }
        self.transmit(cx);
    }

    fn transmit(&mut self, cx: &mut Context) {
        while let Some((link, transmit)) = self.connection.as_mut().and_then(|connection| {
            let transmit = connection.stream.as_mut()?.poll_transmit()?;
            Some((connection.link, transmit))
        }) {
            if let Transmit::Bytes(bytes) = &transmit {
                self.record_outgoing(cx, bytes);
            }
            let command = match transmit {
                Transmit::Bytes(bytes) => LinkCommand::Transmit(bytes),
                Transmit::StartTls => LinkCommand::StartTls,
                Transmit::Close => LinkCommand::Close,
            };
            cx.effects.link(link, command);
        }
    }

    /// The account is signed out and goes with the transaction in hand; if that fails, it stays and begins again.
    pub(crate) fn leave_for_good(&mut self) {
        self.leaving = true;
        self.unkept = true;
    }

    /// Whether it was to go with the transaction that just ended.
    pub(crate) fn take_leaving(&mut self) -> bool {
        std::mem::take(&mut self.leaving)
    }

    /// Lets the last words of a sign-out go and closes the connection, without waiting for an answer. Outside any
    /// transaction: what is not kept must not leave.
    pub(crate) fn flush_farewell(&mut self, cx: &mut Context) {
        self.transmit(cx);
        self.drop_connection(cx);
    }

    /// Whether stanzas are taken now.
    pub(super) fn can_send(&self) -> bool {
        self.state == State::Online
    }
}
