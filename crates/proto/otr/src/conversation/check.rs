//! The check of a shared secret within a session (OTR v3, *Socialist Millionaires' Protocol*).

use zeroize::Zeroizing;

use super::{Conversation, Peer};
use crate::config::Env;
use crate::encoding::Tlv;
use crate::event::{Event, SmpEvent, SmpRefused, SmpState};
use crate::instance::InstanceId;
use crate::smp::{Smp, SmpError, SmpStep, secret};
use crate::wire::IGNORE_UNREADABLE;

/// Longest question and secret, bytes.
const LONGEST: usize = 4_096;

/// The run with one instance.
#[derive(Default)]
pub(super) struct Check {
    pub(super) smp: Smp,
}

impl Check {
    pub(super) fn state(&self) -> SmpState {
        if self.smp.is_idle() {
            SmpState::Idle
        } else if self.smp.is_asked() {
            SmpState::Asked {
                question: self.smp.question().map(str::to_owned),
            }
        } else {
            SmpState::Waiting
        }
    }

    /// Ends the run; the event if one was on.
    pub(super) fn reset(&mut self) -> Option<SmpEvent> {
        let on = !self.smp.is_idle();
        self.smp.reset();
        on.then_some(SmpEvent::Aborted)
    }
}

impl Peer {
    /// What both sides compare; `ours` says that we started.
    fn mixed(&self, env: &Env<'_>, ours: bool, typed: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let (own, theirs) = (env.keypair.fingerprint(), self.fingerprint?);
        let (initiator, responder) = if ours { (own, theirs) } else { (theirs, own) };
        Some(secret(&initiator, &responder, &self.ssid, typed))
    }
}

impl Conversation {
    /// Starts a check of a secret that both persons know, with a question if wanted.
    ///
    /// # Errors
    /// Nothing is queued then; see [`SmpRefused`].
    pub fn smp_start(
        &mut self,
        env: &mut Env<'_>,
        instance: &InstanceId,
        question: Option<&str>,
        secret: &[u8],
    ) -> Result<(), SmpRefused> {
        let (at, peer) = self.checked(instance)?;
        let fits = question.is_none_or(|text| text.len() <= LONGEST && !text.contains('\0'));
        if !fits || secret.is_empty() || secret.len() > LONGEST {
            return Err(SmpRefused::Length);
        }
        let mixed = peer
            .mixed(env, true, secret)
            .ok_or(SmpRefused::NotPrivate)?;
        let record = peer
            .check
            .smp
            .start(&mixed, question, env.random)
            .map_err(|_| SmpRefused::Busy)?;
        self.transmit_check(env, at, record);
        Ok(())
    }

    /// Answers the peer's check.
    ///
    /// # Errors
    /// Nothing is queued then; see [`SmpRefused`].
    pub fn smp_answer(
        &mut self,
        env: &mut Env<'_>,
        instance: &InstanceId,
        secret: &[u8],
    ) -> Result<(), SmpRefused> {
        let (at, peer) = self.checked(instance)?;
        if secret.is_empty() || secret.len() > LONGEST {
            return Err(SmpRefused::Length);
        }
        let mixed = peer
            .mixed(env, false, secret)
            .ok_or(SmpRefused::NotPrivate)?;
        let record = peer
            .check
            .smp
            .answer(&mixed, env.random)
            .map_err(|_| SmpRefused::NotAsked)?;
        self.transmit_check(env, at, record);
        self.progress(instance, 2);
        Ok(())
    }

    /// Stops a check on both sides.
    ///
    /// # Errors
    /// See [`SmpRefused`].
    pub fn smp_abort(
        &mut self,
        env: &mut Env<'_>,
        instance: &InstanceId,
    ) -> Result<(), SmpRefused> {
        let (at, peer) = self.checked(instance)?;
        let record = peer.check.smp.abort();
        self.transmit_check(env, at, record);
        Ok(())
    }

    fn checked(&mut self, instance: &InstanceId) -> Result<(usize, &mut Peer), SmpRefused> {
        let at = self.find(instance).ok_or(SmpRefused::UnknownInstance)?;
        match self.peers.get_mut(at) {
            Some(peer) if peer.private() => Ok((at, peer)),
            _ => Err(SmpRefused::NotPrivate),
        }
    }

    fn transmit_check(&mut self, env: &mut Env<'_>, at: usize, record: Tlv) {
        // The records of a check are far below what a message holds.
        let _ = self.transmit_data(env, at, IGNORE_UNREADABLE, "", &[record], false);
    }

    fn progress(&mut self, instance: &InstanceId, step: u8) {
        let event = SmpEvent::Progress { step };
        self.events.push_back(Event::Smp {
            instance: instance.clone(),
            event,
        });
    }

    /// A record of a check came in.
    pub(super) fn check(&mut self, env: &mut Env<'_>, at: usize, record: Tlv) {
        let Some(peer) = self.peers.get_mut(at).filter(|peer| peer.private()) else {
            return;
        };
        let instance = peer.id.clone();
        let running = !peer.check.smp.is_idle();
        let (reply, event) = match peer.check.smp.handle(&record, env.random) {
            Ok(SmpStep::Asked { question }) => (None, Some(SmpEvent::Asked { question })),
            Ok(SmpStep::Reply(reply)) => (Some(reply), Some(SmpEvent::Progress { step: 2 })),
            Ok(SmpStep::Done { reply, same }) => {
                self.progress(&instance, 3);
                (
                    reply,
                    Some(if same {
                        SmpEvent::Succeeded
                    } else {
                        SmpEvent::Failed
                    }),
                )
            }
            Ok(SmpStep::Aborted) => (None, running.then_some(SmpEvent::Aborted)),
            Err(error) => {
                let event = match error {
                    SmpError::OutOfRange | SmpError::Proof => Some(SmpEvent::Cheated),
                    SmpError::NotDue | SmpError::Malformed => running.then_some(SmpEvent::Aborted),
                };
                (Some(peer.check.smp.abort()), event)
            }
        };
        if let Some(reply) = reply {
            self.transmit_check(env, at, reply);
        }
        if let Some(event) = event {
            self.events.push_back(Event::Smp { instance, event });
        }
    }
}
