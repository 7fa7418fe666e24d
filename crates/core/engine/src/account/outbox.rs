//! From the outbox to the server, each stanza once.
//!
//! A stanza's sequence number and the stream's position are committed before its bytes may leave. So
//! whatever happens afterwards, the next stream knows which stanzas are in doubt, and asks.

use sotto_api::view::Delivery;
use sotto_store::StoreError;
use sotto_store::row::{OutboxPurpose, OutboxRow};
use sotto_xmpp::{Element, iq, ping};

use super::{Account, Pending};
use crate::context::Context;
use crate::error::Fault;

/// How many stanzas are handed over in one transaction.
const BATCH: u32 = 200;

impl Account {
    /// Something was put into the outbox, or may leave it now.
    pub fn wake_outbox(&mut self) {
        self.outbox_awake = true;
    }

    /// Hands over what waits. Not while it is in doubt whether the server has something older.
    pub(super) fn hand_over(&mut self, cx: &mut Context) -> Result<(), Fault> {
        while self.outbox_awake && self.can_send() {
            self.outbox_awake = false;
            if !self.messages.archive.is_settled()
                && !cx.store.outbox_ambiguous(self.id)?.is_empty()
            {
                return Ok(());
            }
            let rows = cx.store.outbox_unsent(self.id, BATCH)?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            let last = last.id;
            let durable = rows.iter().any(|row| row.purpose != OutboxPurpose::Notice);
            if durable {
                cx.store.begin_durable()?;
            } else {
                cx.store.begin()?;
            }
            let mut handed = || -> Result<(), Fault> {
                for row in &rows {
                    self.hand_over_one(cx, row)?;
                }
                if self.connection.as_ref().is_some_and(|c| !c.sm) {
                    let pending = Pending::Fence(last);
                    self.request(cx, None, iq::Method::Get, ping::request(), pending);
                }
                self.keep_position(cx)
            };
            match handed() {
                Ok(()) => {
                    if let Err(error) = cx.store.commit() {
                        self.private.sessions.rolled_back();
                        return Err(error.into());
                    }
                    self.private.sessions.committed();
                }
                Err(fault) => {
                    cx.store.rollback()?;
                    self.private.sessions.rolled_back();
                    return Err(fault);
                }
            }
            self.outbox_awake |= rows.len() == BATCH as usize;
        }
        Ok(())
    }

    /// The account is about to sign out: what waits leaves before that, in the transaction in hand; one batch.
    pub(crate) fn hand_over_last(&mut self, cx: &mut Context) -> Result<(), Fault> {
        let in_doubt =
            !self.messages.archive.is_settled() && !cx.store.outbox_ambiguous(self.id)?.is_empty();
        if !self.can_send() || in_doubt {
            return Ok(());
        }
        // If the transaction fails, the stream has them and the store has not: it begins again, and sends none of them.
        self.unkept = true;
        for row in cx.store.outbox_unsent(self.id, BATCH)? {
            self.hand_over_one(cx, &row)?;
        }
        Ok(())
    }

    fn hand_over_one(&mut self, cx: &mut Context, row: &OutboxRow) -> Result<(), Fault> {
        let Ok(stanza) = row.xml.parse::<Element>() else {
            // Written by ourselves; if it does not read any more, the person is told.
            cx.store.outbox_remove(row.id)?;
            return crate::messages::failed(cx, self, row, "undefined-condition");
        };
        if !crate::private::may_leave(cx, self, row, &stanza)? {
            return Ok(());
        }
        let now = cx.now.instant;
        let Some(stream) = self.bound_stream() else {
            return Ok(());
        };
        let sequence = stream.send(stanza, now);
        cx.store.outbox_set_sequence(row.id, sequence)?;
        Ok(())
    }

    /// The server has every stanza up to this sequence number.
    pub(super) fn handle_acked(&mut self, cx: &mut Context, acked: u32) -> Result<(), Fault> {
        while self
            .unacked
            .front()
            .is_some_and(|(sequence, _)| is_up_to(*sequence, acked))
        {
            self.unacked.pop_front();
        }
        for row in cx.store.outbox_settle(self.id, acked)? {
            self.settled(cx, &row)?;
        }
        Ok(())
    }

    /// Without stream management: the server answered a ping that was sent after these.
    pub(super) fn handle_fence(
        &mut self,
        cx: &mut Context,
        last: sotto_store::row::OutboxId,
        reply: &iq::Outcome,
    ) -> Result<(), Fault> {
        if !matches!(reply, Ok(_) | Err(iq::Failure::Error(_))) {
            return Ok(());
        }
        for row in cx.store.outbox(self.id)? {
            if row.id <= last && row.sequence.is_some() {
                cx.store.outbox_remove(row.id)?;
                self.settled(cx, &row)?;
            }
        }
        Ok(())
    }

    /// The server has it.
    pub(crate) fn settled(&mut self, cx: &mut Context, row: &OutboxRow) -> Result<(), Fault> {
        let Some(message) = row
            .message
            .filter(|_| row.purpose == OutboxPurpose::Message)
        else {
            return Ok(());
        };
        if cx.store.message_set_delivery(message, Delivery::Sent, "")?
            && let Some(known) = cx.store.message(message)?
        {
            cx.changes.message(known.conversation, message);
            cx.changes.contacts();
        }
        Ok(())
    }

    /// After a resumption: everything that the server did not confirm, in its old order.
    pub(super) fn send_again(&mut self, cx: &mut Context) -> Result<(), Fault> {
        enum Again {
            Row(Box<OutboxRow>),
            Other(Element),
        }
        let mut all: Vec<(u32, Again)> = std::mem::take(&mut self.unacked)
            .into_iter()
            .map(|(sequence, stanza)| (sequence, Again::Other(stanza)))
            .collect();
        for row in cx.store.outbox(self.id)? {
            if let Some(sequence) = row.sequence {
                all.push((sequence, Again::Row(Box::new(row))));
            }
        }
        // Numbers wrap at 2³² (XEP-0198 §4); all of these lie within a small window.
        let first = all.first().map_or(0, |(sequence, _)| *sequence);
        all.sort_by_key(|(sequence, _)| sequence.wrapping_sub(first) as i32);
        for (_, stanza) in all {
            match stanza {
                Again::Row(row) => self.hand_over_one(cx, &row)?,
                Again::Other(stanza) => self.send(cx, stanza),
            }
        }
        Ok(())
    }

    /// The archive was read to its end: what is still in doubt did not reach the server.
    pub(crate) fn doubt_settled(&mut self, cx: &mut Context) -> Result<(), StoreError> {
        for row in cx.store.outbox_ambiguous(self.id)? {
            cx.store.outbox_clear(row.id)?;
        }
        self.wake_outbox();
        Ok(())
    }
}

/// Whether `sequence` is not after `acked`, modulo 2³².
fn is_up_to(sequence: u32, acked: u32) -> bool {
    acked.wrapping_sub(sequence) < 1 << 31
}
