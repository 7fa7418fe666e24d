use std::fmt;

use jid::FullJid;
use minidom::Element;

use super::config::MechanismMemory;
use super::failure::StreamFailure;
use super::features::StreamFeatures;
use crate::sasl::ScramKeyJob;

/// What a stream wants done with its connection; in order.
#[derive(PartialEq, Eq)]
pub enum Transmit {
    /// Send.
    Bytes(Vec<u8>),
    /// Do TLS now, then call [`super::ClientStream::handle_tls`]. Bytes that came before and were not
    /// delivered yet are to be forgotten (S-TLS-02).
    StartTls,
    /// Send what is queued, then close the connection.
    Close,
}

impl fmt::Debug for Transmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::StartTls => f.write_str("StartTls"),
            Self::Close => f.write_str("Close"),
        }
    }
}

/// What happened on a stream.
#[allow(
    clippy::large_enum_variant,
    reason = "short-lived, and stanzas are the common case"
)]
pub enum StreamEvent {
    /// SCRAM needs its keys: run [`ScramKeyJob::derive`] away from this thread and bring the result to
    /// [`super::ClientStream::handle_scram_key`].
    DeriveKey(ScramKeyJob),
    /// [`super::Purpose::Register`]: TLS is there and the server says what it offers.
    RegistrationReady {
        /// What it offers.
        features: StreamFeatures,
    },
    /// Signed in with a fresh session.
    Bound {
        /// The whole address.
        jid: FullJid,
        /// Whether stream management is on; stanzas have sequence numbers then.
        sm: bool,
        /// What the server offers on this stream.
        features: StreamFeatures,
        /// The SASL mechanism, for the details page.
        mechanism: String,
        /// To be kept for the next login.
        memory: MechanismMemory,
    },
    /// The old session goes on. What the server has not confirmed is to be sent again, in order; new
    /// sequence numbers follow `acked`.
    Resumed {
        /// The whole address.
        jid: FullJid,
        /// The server has all outbound stanzas up to this sequence number.
        acked: u32,
        /// What the server offers on this stream.
        features: StreamFeatures,
        /// The SASL mechanism, for the details page.
        mechanism: String,
        /// To be kept for the next login.
        memory: MechanismMemory,
    },
    /// The old session is gone; [`StreamEvent::Bound`] follows on the same stream.
    ResumeFailed {
        /// As far as the server remembers: what it had of the old session.
        acked: Option<u32>,
    },
    /// A message, presence or iq (namespace `jabber:client`).
    Stanza(Element),
    /// The server has all outbound stanzas up to this sequence number.
    Acked {
        /// As returned by [`super::ClientStream::send`].
        sequence: u32,
    },
    /// The server has not confirmed for 5 s what it was sent.
    AckOverdue,
    /// The stream cannot go on.
    Failed(StreamFailure),
    /// The stream was closed in both directions, after [`super::ClientStream::close`].
    Closed,
}

/// Stanzas show their name only: what people write does not belong into logs.
impl fmt::Debug for StreamEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeriveKey(job) => job.fmt(f),
            Self::RegistrationReady { .. } => f.write_str("RegistrationReady"),
            Self::Bound {
                jid, sm, mechanism, ..
            } => {
                write!(f, "Bound({jid}, sm {sm}, {mechanism})")
            }
            Self::Resumed {
                jid,
                acked,
                mechanism,
                ..
            } => {
                write!(f, "Resumed({jid}, {acked}, {mechanism})")
            }
            Self::ResumeFailed { acked } => write!(f, "ResumeFailed({acked:?})"),
            Self::Stanza(stanza) => write!(f, "Stanza({})", stanza.name()),
            Self::Acked { sequence } => write!(f, "Acked({sequence})"),
            Self::AckOverdue => f.write_str("AckOverdue"),
            Self::Failed(failure) => write!(f, "Failed({failure:?})"),
            Self::Closed => f.write_str("Closed"),
        }
    }
}
