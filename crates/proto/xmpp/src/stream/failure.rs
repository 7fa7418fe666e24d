use std::fmt;

use thiserror::Error;

/// Longest text of a server that is kept, in bytes.
pub(super) const MAX_TEXT: usize = 1024;

/// Why a stream cannot go on. Always followed by [`super::Transmit::Close`].
///
/// The text of a server is foreign: at most 1 KiB, shown as plain text only.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StreamFailure {
    /// The server did not accept name and password (`not-authorized`, RFC 6120 §6.5.10).
    #[error("the server does not accept the password{}", said(text))]
    NotAuthorized {
        /// The server's words, or empty.
        text: String,
    },
    /// The server wants a password and none was given.
    #[error("no password was given")]
    NoPassword,
    /// The account is switched off or its credential has expired (RFC 6120 §6.5.1, §6.5.3).
    #[error("the server answers {condition}{}", said(text))]
    AccountDisabled {
        /// `account-disabled` or `credentials-expired`.
        condition: String,
        /// The server's words, or empty.
        text: String,
    },
    /// The server offers no mechanism that this login allows.
    #[error("the server offers only these ways to sign in: {}", offered.join(", "))]
    MechanismTooWeak {
        /// What it offers.
        offered: Vec<String>,
    },
    /// The server offers less than it did before (S-TLS-06, S-TLS-07), or what reached us is not what
    /// it offered (XEP-0474).
    #[error("{reason}; the server offers {}", offered.join(", "))]
    Downgrade {
        /// What is weaker now.
        reason: String,
        /// What it offers.
        offered: Vec<String>,
    },
    /// The server could not prove that it knows the password, or its challenge breaks the bounds of
    /// SCRAM (RFC 5802).
    #[error("the server is not authentic: {reason}")]
    ServerNotAuthentic {
        /// What is wrong.
        reason: String,
    },
    /// The server does not offer TLS, or refuses it; nothing was sent.
    #[error("the server offers no encryption")]
    NoEncryption,
    /// The server answered nothing for too long.
    #[error("no answer while {step}")]
    TimedOut {
        /// What was waited for.
        step: &'static str,
    },
    /// The server ended the stream without giving a reason.
    #[error("the server ended the stream")]
    Ended,
    /// The server is not able to serve now; it may be later.
    #[error("the server answers {condition}{}", said(text))]
    Unavailable {
        /// Its condition, for example `system-shutdown`.
        condition: String,
        /// The server's words, or empty.
        text: String,
    },
    /// The server sends us to another host (RFC 6120 §4.9.3.19). It is not followed.
    #[error("the server points to {host}")]
    SeeOtherHost {
        /// Where to.
        host: String,
    },
    /// Another session with the same resource took over (`conflict`).
    #[error("another session took over{}", said(text))]
    Replaced {
        /// The server's words, or empty.
        text: String,
    },
    /// The server forbids this connection.
    #[error("the server answers {condition}{}", said(text))]
    Forbidden {
        /// Its condition, for example `policy-violation`.
        condition: String,
        /// The server's words, or empty.
        text: String,
    },
    /// The server does not serve this domain (`host-unknown`, `host-gone`).
    #[error("the server answers {condition}{}", said(text))]
    HostUnknown {
        /// Its condition.
        condition: String,
        /// The server's words, or empty.
        text: String,
    },
    /// The server counted more stanzas than were sent (XEP-0198 §5, S-XMPP-16). The stream must not be
    /// resumed again: forget the [`crate::sm::ResumeState`]; what was not acknowledged is sent again.
    #[error("the server has counted {h} stanzas where {sent} were sent")]
    HandledCountTooHigh {
        /// What the server counted.
        h: u32,
        /// What was sent.
        sent: u32,
    },
    /// The server broke the protocol.
    #[error("the server broke the protocol ({condition}): {reason}")]
    Protocol {
        /// What was told to the server.
        condition: Condition,
        /// What is wrong.
        reason: String,
    },
    /// The server says that we broke the protocol.
    #[error("the server answers {condition}{}", said(text))]
    Refused {
        /// Its condition.
        condition: String,
        /// The server's words, or empty.
        text: String,
    },
}

fn said(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        [": ", text].concat()
    }
}

/// A stream error's condition (RFC 6120 §4.9.3); those that we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of RFC 6120 §4.9.3")]
pub enum Condition {
    BadFormat,
    BadNamespacePrefix,
    ConnectionTimeout,
    HostUnknown,
    InvalidFrom,
    InvalidNamespace,
    InvalidXml,
    NotWellFormed,
    PolicyViolation,
    RestrictedXml,
    UndefinedCondition,
    UnsupportedEncoding,
    UnsupportedStanzaType,
    UnsupportedVersion,
}

impl Condition {
    /// The element's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadFormat => "bad-format",
            Self::BadNamespacePrefix => "bad-namespace-prefix",
            Self::ConnectionTimeout => "connection-timeout",
            Self::HostUnknown => "host-unknown",
            Self::InvalidFrom => "invalid-from",
            Self::InvalidNamespace => "invalid-namespace",
            Self::InvalidXml => "invalid-xml",
            Self::NotWellFormed => "not-well-formed",
            Self::PolicyViolation => "policy-violation",
            Self::RestrictedXml => "restricted-xml",
            Self::UndefinedCondition => "undefined-condition",
            Self::UnsupportedEncoding => "unsupported-encoding",
            Self::UnsupportedStanzaType => "unsupported-stanza-type",
            Self::UnsupportedVersion => "unsupported-version",
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
