use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::sm::ResumeState;

/// What a stream is for and over what it runs.
#[derive(Clone, Debug)]
pub struct StreamConfig {
    /// The address's domain: the stream is opened to it, and it must answer as it.
    pub domain: String,
    /// What is wanted of the stream.
    pub purpose: Purpose,
    /// Whether TLS is there already.
    pub security: Security,
    /// `xml:lang` of the stream: the language in which the server should speak to the person.
    pub lang: String,
}

/// What is wanted of a stream.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "made once for each connection")]
pub enum Purpose {
    /// Sign in, bind or resume.
    Login(Login),
    /// Stop at the features after TLS: the requests of XEP-0077 then go through
    /// [`super::ClientStream::send`].
    Register,
}

/// Whether TLS is there already.
#[derive(Clone, Debug)]
pub enum Security {
    /// Plain TCP; TLS must be negotiated first (RFC 6120 §5). There is no way around it.
    NotYet,
    /// TLS from the first byte (XEP-0368), verified.
    Established(TlsBinding),
}

/// How to sign in.
#[derive(Clone)]
pub struct Login {
    /// The localpart of the address, not yet prepared.
    pub username: String,
    /// The password; absent only where a client certificate is used.
    pub password: Option<Zeroizing<String>>,
    /// A client certificate was shown in TLS: SASL EXTERNAL is used where offered.
    pub external: bool,
    /// Whether the password may be given to the server in clear (inside TLS).
    pub allow_plain: bool,
    /// The wished resource; absent: the server chooses.
    pub resource: Option<String>,
    /// What tells the server which installation this is (XEP-0388 §2.2).
    pub user_agent: UserAgent,
    /// The stream to take up again (XEP-0198 §5).
    pub resume: Option<ResumeState>,
    /// How this account signed in before; weaker now is [`super::StreamFailure::Downgrade`].
    pub remembered: Option<MechanismMemory>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("username", &self.username)
            .field("external", &self.external)
            .field("allow_plain", &self.allow_plain)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

/// An installation (XEP-0388 §2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserAgent {
    /// A UUID (version 4) that stays the same for this account on this installation.
    pub id: String,
    /// The program's name.
    pub software: String,
    /// The device's name, or empty.
    pub device: String,
}

/// What binds a login to its TLS connection.
#[derive(Clone)]
pub struct TlsBinding {
    /// RFC 9266 `tls-exporter`; only on TLS 1.3, or 1.2 with the extended master secret.
    pub exporter: Option<[u8; 32]>,
    /// RFC 5929 `tls-server-end-point`: hash of the server's certificate.
    pub server_end_point: Option<Vec<u8>>,
    /// Which TLS.
    pub version: TlsVersion,
}

impl fmt::Debug for TlsBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsBinding")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Which TLS; older ones are not spoken (S-TLS-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum TlsVersion {
    Tls12,
    Tls13,
}

/// How an account signed in, kept for the next time (S-TLS-06, S-TLS-07).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MechanismMemory {
    /// The best SASL mechanism that was used, without `-PLUS`.
    pub mechanism: String,
    /// Whether the login was bound to the TLS connection.
    pub channel_binding: bool,
}
