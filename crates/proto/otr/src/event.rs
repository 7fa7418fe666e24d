//! What a conversation reports, and how it says no.

use std::fmt;

use zeroize::Zeroizing;

use crate::{Fingerprint, InstanceId};

/// What happened, in order; read with [`Conversation::poll_event`](crate::Conversation::poll_event).
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// Send this text as one message body.
    Transmit {
        /// The full address; `None` for the bare one.
        to: Option<String>,
        /// One body, never longer than [`Config::fragment`](crate::Config::fragment) where that is set.
        text: String,
        /// What it is.
        kind: TransmitKind,
    },
    /// Text that came in clear, without the whitespace tag.
    Plain {
        /// The sender's full address.
        from: String,
        /// The text as it came.
        text: String,
        /// A session with the peer stands or was ended by them: this text was not expected in clear.
        private: bool,
    },
    /// A decrypted message; messages without text are not reported.
    Message {
        /// Where it came from.
        instance: InstanceId,
        /// The text as it came; some programs send HTML.
        text: String,
    },
    /// A key exchange was completed.
    Established {
        /// With whom.
        instance: InstanceId,
        /// The peer's long-term key.
        fingerprint: Fingerprint,
        /// 2 or 3.
        version: u8,
        /// A session with the same key stood before.
        refreshed: bool,
        /// Texts for this instance that [`Conversation::send_named`](crate::Conversation::send_named) sent in
        /// the sessions before and that the peer may not have read, in order. They are not reported again.
        unread: Vec<Unread>,
    },
    /// The peer ended the session; nothing is sent until the person chooses.
    Ended {
        /// Whose session.
        instance: InstanceId,
    },
    /// The check of a shared secret went on.
    Smp {
        /// With whom.
        instance: InstanceId,
        /// How.
        event: SmpEvent,
    },
    /// The peer asks to use the extra symmetric key (OTR v3, TLV type 8).
    ExtraKey {
        /// Who.
        instance: InstanceId,
        /// What for; the values are not assigned by the standard.
        use_: u32,
        /// What came with it.
        data: Vec<u8>,
        /// The key.
        key: Zeroizing<[u8; 32]>,
    },
    /// An encrypted message could not be read.
    Unreadable {
        /// Whose session, where there is one.
        instance: Option<InstanceId>,
        /// An error message goes back: at most once a minute to each program of the peer.
        told: bool,
    },
    /// The peer reports an error (`?OTR Error:`).
    PeerError {
        /// Plain text, at most 256 characters, no control characters.
        text: String,
    },
    /// The peer offers version 2 and not 3, and [`Config::v2`](crate::Config::v2) says no: nothing was answered.
    OldVersion,
    /// Nobody completed a key exchange within 20 s of our asking for one.
    NoAnswer,
}

/// Texts and keys are left out: an event may end up in a log.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transmit { to, text, kind } => f
                .debug_struct("Transmit")
                .field("to", to)
                .field("bytes", &text.len())
                .field("kind", kind)
                .finish(),
            Self::Plain { private, .. } => f
                .debug_struct("Plain")
                .field("private", private)
                .finish_non_exhaustive(),
            Self::Message { instance, .. } => f
                .debug_struct("Message")
                .field("instance", instance)
                .finish_non_exhaustive(),
            Self::Established {
                instance,
                fingerprint,
                version,
                refreshed,
                unread,
            } => f
                .debug_struct("Established")
                .field("instance", instance)
                .field("fingerprint", fingerprint)
                .field("version", version)
                .field("refreshed", refreshed)
                .field("unread", &unread.len())
                .finish(),
            Self::Ended { instance } => {
                f.debug_struct("Ended").field("instance", instance).finish()
            }
            Self::Smp { instance, event } => f
                .debug_struct("Smp")
                .field("instance", instance)
                .field("event", event)
                .finish(),
            Self::ExtraKey { instance, use_, .. } => f
                .debug_struct("ExtraKey")
                .field("instance", instance)
                .field("use_", use_)
                .finish_non_exhaustive(),
            Self::Unreadable { instance, told } => f
                .debug_struct("Unreadable")
                .field("instance", instance)
                .field("told", told)
                .finish(),
            Self::PeerError { .. } => f.debug_struct("PeerError").finish_non_exhaustive(),
            Self::OldVersion => f.write_str("OldVersion"),
            Self::NoAnswer => f.write_str("NoAnswer"),
        }
    }
}

/// The caller's name for a text, by which it finds the text again; this crate keeps no texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextRef {
    /// Which text.
    pub id: u64,
    /// When it was sent, by whatever clock the caller has.
    pub at: u64,
}

/// A text that the peer may not have read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Which text.
    pub text: TextRef,
    /// The peer's long-term key that it was written for: it must not go to another one unasked.
    pub fingerprint: Fingerprint,
    /// The peer has read something that was sent at that time or later. Then it has read this too, unless the
    /// network lost it on the way.
    pub overtaken: bool,
}

/// What a text to transmit is; hints and receipts depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransmitKind {
    /// Asks for a key exchange.
    Query,
    /// A part of the key exchange.
    Ake,
    /// An encrypted message.
    Data {
        /// It carries the person's text; otherwise a heartbeat, a check or the end of the session.
        message: bool,
    },
    /// An error message.
    Error,
}

/// The check of a shared secret (OTR v3, *Socialist Millionaires' Protocol*).
#[derive(Clone, PartialEq, Eq)]
pub enum SmpEvent {
    /// The peer asks for the secret; answer with [`Conversation::smp_answer`](crate::Conversation::smp_answer).
    Asked {
        /// The peer's question.
        question: Option<String>,
    },
    /// A step was taken, 1 to 3.
    Progress {
        /// Which.
        step: u8,
    },
    /// Both secrets are the same.
    Succeeded,
    /// The secrets differ.
    Failed,
    /// The peer, or a message out of turn, stopped the check.
    Aborted,
    /// A value that no honest program sends; the check was stopped.
    Cheated,
}

/// The question is left out.
impl fmt::Debug for SmpEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked { question } => {
                write!(
                    f,
                    "Asked {{ question: {} }}",
                    if question.is_some() { "yes" } else { "no" }
                )
            }
            Self::Progress { step } => write!(f, "Progress {{ step: {step} }}"),
            Self::Succeeded => f.write_str("Succeeded"),
            Self::Failed => f.write_str("Failed"),
            Self::Aborted => f.write_str("Aborted"),
            Self::Cheated => f.write_str("Cheated"),
        }
    }
}

/// Where an instance stands (OTR v3, *Message state*, and a running key exchange).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No session.
    Plaintext,
    /// A first key exchange runs.
    Starting,
    /// Messages are encrypted.
    Private,
    /// The peer ended the session and the person has not chosen yet.
    Finished,
}

/// Where the check of a shared secret stands.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum SmpState {
    /// None runs.
    #[default]
    Idle,
    /// It is the peer's turn.
    Waiting,
    /// The peer waits for our secret.
    Asked {
        /// The peer's question.
        question: Option<String>,
    },
}

/// The question is left out.
impl fmt::Debug for SmpState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "Idle",
            Self::Waiting => "Waiting",
            Self::Asked { .. } => "Asked",
        })
    }
}

/// One program of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceView {
    /// Its name.
    pub id: InstanceId,
    /// The full address it was last heard at.
    pub address: String,
    /// Where it stands.
    pub state: State,
    /// 2 or 3.
    pub version: u8,
    /// The peer's long-term key, once a key exchange was completed.
    pub fingerprint: Option<Fingerprint>,
    /// The secure session id (OTR v3, *ssid*), while [`State::Private`].
    pub session_id: Option<[u8; 8]>,
    /// The half of [`session_id`](Self::session_id) that is shown in bold: the first of the one who
    /// answered, the second of the one who started; `true` for the first.
    pub session_id_first_half: bool,
    /// Where a check stands.
    pub smp: SmpState,
}

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No session stands; nothing is encrypted.
    #[error("no private session stands")]
    NotPrivate,
    /// The peer ended the session and the person has not chosen yet.
    #[error("the peer ended the private session")]
    Finished,
    /// The conversation knows no such instance.
    #[error("no such instance")]
    UnknownInstance,
    /// Longer than [`LONGEST_TEXT`](crate::LONGEST_TEXT), or than 65,535 fragments can carry.
    #[error("the message is too long")]
    TooLong,
}

/// Why a step of the check was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmpRefused {
    /// No session stands.
    #[error("no private session stands")]
    NotPrivate,
    /// The conversation knows no such instance.
    #[error("no such instance")]
    UnknownInstance,
    /// Another check runs.
    #[error("a check is under way")]
    Busy,
    /// The peer asked for nothing.
    #[error("the peer asked for nothing")]
    NotAsked,
    /// The question or the secret is longer than 4,096 bytes, or the secret is empty.
    #[error("question or secret has no usable length")]
    Length,
}

/// The bytes are not the state of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Written by a later version of this crate.
    #[error("state of an unknown version {0}")]
    Version(u8),
    /// Cut off or damaged.
    #[error("damaged state")]
    Damaged,
}
