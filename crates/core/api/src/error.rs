use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a request was refused. Nothing was changed by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// For programs.
    pub kind: ErrorKind,
    /// For people: what happened, why, and what to do. A full sentence in plain words.
    pub message: String,
    /// The field it stands next to, if one is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Field>,
}

impl ApiError {
    /// An error without a field.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            field: None,
        }
    }

    /// Names the field to blame.
    pub fn at(mut self, field: Field) -> Self {
        self.field = Some(field);
        self
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}

/// Kinds of refusal that a program may act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request itself is not well formed, or a value is out of range.
    Invalid,
    /// The profile must be opened first.
    Locked,
    /// There is no profile yet.
    NoProfile,
    /// A profile exists already.
    ProfileExists,
    /// This passphrase does not open the profile.
    WrongPassphrase,
    /// Another program owns the profile.
    InUse,
    /// The id is not (or no longer) known.
    NotFound,
    /// It exists already.
    Exists,
    /// The account must be online for this.
    Offline,
    /// The server cannot or will not do it; the message says why.
    Refused,
    /// The store failed: disk full, read-only, damaged.
    Store,
    /// The network withdrew its service; the message says what to do instead.
    Withdrawn,
    /// Privacy is required here and not possible now; the text was not taken.
    NotPrivate,
    /// A fault of ours.
    Internal,
}

/// Input fields that an error can point at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub enum Field {
    Address,
    Name,
    Password,
    Passphrase,
    Server,
    Port,
    Proxy,
    Resource,
    Priority,
    Certificate,
    Groups,
    Body,
    Query,
    Picture,
    Question,
    Answer,
    Code,
}

/// Why an account is not online, or a registration did not succeed.
///
/// A program acts on the variant; a person reads `ProblemView`, which the engine words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Problem {
    /// The server did not accept the password. The stored one is kept; no retry happens by itself.
    WrongPassword,
    /// No password is stored, and none was given yet.
    NoPassword,
    /// The server has switched this account off, or its credential has expired.
    AccountDisabled,
    /// The server offers only mechanisms that this account does not allow (PLAIN, or none known).
    MechanismTooWeak,
    /// The server offers weaker protection than it did before (XEP-0474, S-TLS-06, S-TLS-07).
    Downgrade,
    /// The server could not prove that it knows the password (RFC 5802 §3), or broke SCRAM's bounds.
    ServerNotAuthentic,
    /// The server does not offer TLS; nothing was sent.
    NoEncryption,
    /// The certificate was not accepted; a question may be open.
    Certificate,
    /// DNS has no such server.
    UnknownServer,
    /// DNS itself did not answer.
    DnsFailed,
    /// Nothing answers at the server's addresses, or no network is there.
    Unreachable,
    /// The connection ended.
    ConnectionLost,
    /// The server took too long.
    TimedOut,
    /// The proxy refused, or does not answer.
    Proxy,
    /// The server goes down or is overloaded; it may come back.
    ServerUnavailable,
    /// The same account and resource signed in elsewhere.
    ReplacedElsewhere,
    /// The server forbids this connection.
    Forbidden,
    /// The server does not know this domain.
    HostUnknown,
    /// The server broke the protocol; its words are in the details.
    ProtocolViolation,

    /// Registration: the name is taken.
    NameTaken,
    /// Registration: the name cannot be used there.
    NameInvalid,
    /// Registration: this server makes no accounts.
    RegistrationClosed,
    /// Registration: too many from here for now; wait.
    RegistrationWait,
    /// Registration: an answer was not accepted (a CAPTCHA, a required field).
    FormRejected,
}
