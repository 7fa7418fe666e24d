//! The Socialist Millionaires' Protocol: two people learn whether they typed the same secret, and
//! nothing else (OTR v3, *Socialist Millionaires' Protocol (SMP)*).
//!
//! The side that starts sends messages 1 and 3, the other 2 and 4. Each call takes a record or gives
//! one; on any error the run is over, and [`Smp::abort`] makes the record that tells the peer.

mod message;
mod proof;
mod state;

#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use self::message::{Message1, Message2, Message3, Message4};
use self::state::{Asked, Awaiting2, Awaiting3, State};
use crate::encoding::{DecodeError, Tlv};
use crate::group::OutOfRange;
use crate::keypair::{Fingerprint, Random};

/// Record types of OTR v3, *Type/Length/Value Records*.
pub(crate) const TLV_SMP_1: u16 = 2;
pub(crate) const TLV_SMP_2: u16 = 3;
pub(crate) const TLV_SMP_3: u16 = 4;
pub(crate) const TLV_SMP_4: u16 = 5;
pub(crate) const TLV_SMP_ABORT: u16 = 6;
pub(crate) const TLV_SMP_1Q: u16 = 7;

/// The longest question, in bytes: a record holds 65,535, and message 1 has its share.
pub(crate) const MAX_QUESTION: usize = 32 * 1024;

/// What a record from the peer led to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SmpStep {
    /// The peer asks; [`Smp::answer`] goes on.
    Asked {
        /// The question, if there is one.
        question: Option<String>,
    },
    /// The run goes on: send this.
    Reply(Tlv),
    /// The run is over.
    Done {
        /// The last record, to be sent in any case.
        reply: Option<Tlv>,
        /// Whether both secrets are the same.
        same: bool,
    },
    /// The peer gave up.
    Aborted,
}

/// Why a run ended. The state is reset: send [`Smp::abort`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum SmpError {
    /// Not the message that was due, or a call at the wrong time.
    #[error("this step of the verification is not due")]
    NotDue,
    /// Not in the form of the message.
    #[error("the message of the verification cannot be read")]
    Malformed,
    /// A number outside its range: somebody cheats.
    #[error("a number of the verification is outside its range")]
    OutOfRange,
    /// A proof does not hold: somebody cheats.
    #[error("a proof of the verification does not hold")]
    Proof,
}

impl From<DecodeError> for SmpError {
    fn from(_: DecodeError) -> Self {
        Self::Malformed
    }
}

impl From<OutOfRange> for SmpError {
    fn from(_: OutOfRange) -> Self {
        Self::OutOfRange
    }
}

/// Mixes what a person typed with the two keys and the session, in the order of who started.
pub(crate) fn secret(
    initiator: &Fingerprint,
    responder: &Fingerprint,
    session_id: &[u8; 8],
    typed: &[u8],
) -> Zeroizing<[u8; 32]> {
    let mut hash = Sha256::new();
    hash.update([1_u8]);
    hash.update(initiator.as_bytes());
    hash.update(responder.as_bytes());
    hash.update(session_id);
    hash.update(typed);
    let mut out = Zeroizing::new([0_u8; 32]);
    out.copy_from_slice(&hash.finalize());
    out
}

/// One run of the protocol, or none.
#[derive(Clone, Default)]
pub(crate) struct Smp {
    state: State,
}

impl std::fmt::Debug for Smp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Smp(..)")
    }
}

impl Smp {
    /// Whether no run is on.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Whether the peer asked and [`Smp::answer`] is due.
    pub(crate) fn is_asked(&self) -> bool {
        matches!(self.state, State::Asked(_))
    }

    /// The question that waits for an answer.
    pub(crate) fn question(&self) -> Option<&str> {
        match &self.state {
            State::Asked(asked) => asked.question.as_deref(),
            _ => None,
        }
    }

    /// Starts a run with message 1; fails when one is on, or when the question is longer than
    /// [`MAX_QUESTION`] or holds a zero byte.
    pub(crate) fn start(
        &mut self,
        secret: &[u8; 32],
        question: Option<&str>,
        random: Random<'_>,
    ) -> Result<Tlv, SmpError> {
        if !self.is_idle() {
            return Err(SmpError::NotDue);
        }
        if question.is_some_and(|text| text.len() > MAX_QUESTION || text.contains('\0')) {
            return Err(SmpError::Malformed);
        }
        let (next, message) = Awaiting2::start(secret, random);
        self.state = State::Awaiting2(Box::new(next));
        Ok(message.write(question))
    }

    /// Takes a record of type 2 to 7.
    ///
    /// After an error the run is over. While the peer's question waits for an answer, a record
    /// other than an abort ends it as well.
    pub(crate) fn handle(&mut self, tlv: &Tlv, random: Random<'_>) -> Result<SmpStep, SmpError> {
        let state = std::mem::take(&mut self.state);
        match (tlv.kind, state) {
            (TLV_SMP_ABORT, _) => Ok(SmpStep::Aborted),
            (TLV_SMP_1 | TLV_SMP_1Q, State::Idle) => {
                let (message, question) = Message1::read(tlv)?;
                let asked = Asked::check(message, question)?;
                let question = asked.question.clone();
                self.state = State::Asked(Box::new(asked));
                Ok(SmpStep::Asked { question })
            }
            (TLV_SMP_2, State::Awaiting2(state)) => {
                let (next, reply) = state.step(&Message2::read(tlv)?, random)?;
                self.state = State::Awaiting4(Box::new(next));
                Ok(SmpStep::Reply(reply.write()))
            }
            (TLV_SMP_3, State::Awaiting3(state)) => {
                let (reply, same) = state.step(&Message3::read(tlv)?, random)?;
                Ok(SmpStep::Done {
                    reply: Some(reply.write()),
                    same,
                })
            }
            (TLV_SMP_4, State::Awaiting4(state)) => Ok(SmpStep::Done {
                reply: None,
                same: state.step(&Message4::read(tlv)?)?,
            }),
            _ => Err(SmpError::NotDue),
        }
    }

    /// Answers the peer's message 1 with message 2; fails when none waits.
    pub(crate) fn answer(
        &mut self,
        secret: &[u8; 32],
        random: Random<'_>,
    ) -> Result<Tlv, SmpError> {
        match std::mem::take(&mut self.state) {
            State::Asked(asked) => {
                let (next, message) = Awaiting3::start(&asked, secret, random)?;
                self.state = State::Awaiting3(Box::new(next));
                Ok(message.write())
            }
            other => {
                self.state = other;
                Err(SmpError::NotDue)
            }
        }
    }

    /// Ends the run, whatever its state, and tells the peer.
    pub(crate) fn abort(&mut self) -> Tlv {
        self.reset();
        Tlv::new(TLV_SMP_ABORT, Vec::new())
    }

    /// Ends the run without a word.
    pub(crate) fn reset(&mut self) {
        self.state = State::Idle;
    }

    /// Writes the run for the store; holds secrets.
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.state.to_bytes()
    }

    /// Reads what [`Smp::to_bytes`] wrote; fails on anything else.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, SmpError> {
        Ok(Self {
            state: State::from_bytes(bytes)?,
        })
    }
}
