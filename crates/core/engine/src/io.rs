//! What goes into the engine and what comes out of it.

use std::fmt;
use std::time::Instant;

use sotto_api::view::CertificateView;
use sotto_api::{Event, Outcome, Proxy, Request, RequestId, Secret, ServerOverride};

pub use sotto_store::SharedRecord;

pub use crate::picture::PictureJob;
pub use crate::work::{WorkJob, WorkResult};

/// The two clocks, read once by the caller for each call.
///
/// Timers use `instant` only; `unix_ms` is written into messages and never compared with a timer, so
/// that a jump of the wall clock changes nothing but a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Monotonic.
    pub instant: Instant,
    /// Milliseconds since 1970, by the wall clock.
    pub unix_ms: i64,
}

/// A shell that is attached; chosen by the runtime, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// One connection to a server; chosen by the engine in its first command, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// One piece of slow work; chosen by the engine, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkId(pub u64);

/// Everything that can wake the engine, besides time.
#[derive(Debug)]
pub enum Input {
    /// A shell asks. Answered by exactly one [`Output::Reply`], at once or later.
    Request {
        /// Who.
        client: ClientId,
        /// As the shell chose it.
        id: RequestId,
        /// What.
        request: Request,
    },
    /// A shell went away; replies to it are of no use any more.
    ClientGone {
        /// Who.
        client: ClientId,
    },
    /// Something happened on a connection.
    Link {
        /// Which.
        link: LinkId,
        /// What.
        event: LinkEvent,
    },
    /// A piece of slow work ended.
    WorkDone {
        /// Which.
        work: WorkId,
        /// With what.
        result: WorkResult,
    },
    /// The system says that a network is there (again): waiting accounts try at once.
    NetworkUp,
}

/// Everything that the engine wants done.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "short-lived, and replies are the common case"
)]
pub enum Output {
    /// The answer to a request.
    Reply {
        /// To whom.
        client: ClientId,
        /// To which of its requests.
        id: RequestId,
        /// Reply or error.
        outcome: Outcome,
    },
    /// For every attached shell.
    Event(Event),
    /// For a connection.
    Link {
        /// Which; new with [`LinkCommand::Dial`].
        link: LinkId,
        /// What to do.
        command: LinkCommand,
    },
    /// Run [`WorkJob::run`] away from the engine's thread and bring the result back.
    Work {
        /// Which.
        work: WorkId,
        /// What to run.
        job: WorkJob,
    },
    /// Run [`PictureJob::run`] away from the engine's thread, decode in a process that may do nothing else, and
    /// bring the result back as of [`Output::Work`].
    Picture {
        /// Which.
        work: WorkId,
        /// What to decode.
        job: PictureJob,
    },
    /// Where the program's log goes from now on, besides where it goes anyway; absent: nowhere else.
    Log(Option<SharedRecord>),
    /// Everything is saved and every stream closed: end now.
    Quit,
}

/// What a connection is to do. Commands of one link are carried out in order.
#[derive(Debug)]
pub enum LinkCommand {
    /// Resolve, connect, and do TLS from the first byte where the target says so.
    Dial(Box<DialPlan>),
    /// Everything sent so far leaves in the clear; then TLS over the same connection (RFC 6120 §5).
    /// Bytes that came before the handshake and were not delivered yet are forgotten (S-TLS-02).
    StartTls,
    /// Send.
    Transmit(Vec<u8>),
    /// Send what is queued (at most a second), then close. Answered by `Closed(ByUs)`.
    Close,
}

/// How to reach a server.
#[derive(Clone, Debug)]
pub struct DialPlan {
    /// The address's domain: what DNS is asked for and what the certificate must prove (RFC 6120 §13.7.2.1).
    pub domain: String,
    /// Connect there instead of asking DNS; the certificate must still prove `domain`.
    pub server: Option<ServerOverride>,
    /// Connect through this; then nothing is resolved here.
    pub proxy: Option<Proxy>,
    /// Certificate and key of ours, PEM.
    pub client_certificate: Option<Secret>,
    /// SHA-256 of public keys (SubjectPublicKeyInfo) that the person accepted for this account and
    /// domain: accepted whatever else is wrong with the certificate.
    pub accepted_keys: Vec<[u8; 32]>,
}

/// What happened on a connection.
#[derive(Debug)]
pub enum LinkEvent {
    /// It stands.
    Dialed {
        /// Direct TLS was done and verified; absent: plain TCP, the stream must negotiate STARTTLS.
        tls: Option<TlsEstablished>,
        /// Address and port of the other end, for the details page.
        peer: String,
    },
    /// TLS after [`LinkCommand::StartTls`] was done and verified.
    TlsEstablished(TlsEstablished),
    /// Bytes came.
    Received(Vec<u8>),
    /// Always last; the id is dead after it.
    Closed(CloseReason),
}

/// A verified TLS connection.
#[derive(Clone)]
pub struct TlsEstablished {
    /// RFC 9266 `tls-exporter`; only on TLS 1.3, or 1.2 with the extended master secret.
    pub exporter: Option<[u8; 32]>,
    /// RFC 5929 `tls-server-end-point`: hash of the server's certificate.
    pub server_end_point: Option<Vec<u8>>,
    /// TLS 1.3 rather than 1.2.
    pub tls13: bool,
    /// The cipher suite's name, for the details page.
    pub cipher: String,
    /// What the server showed.
    pub certificate: CertificateView,
}

impl fmt::Debug for TlsEstablished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsEstablished")
            .field("tls13", &self.tls13)
            .field("cipher", &self.cipher)
            .finish_non_exhaustive()
    }
}

/// Why a connection ended, or was not made. Strings are technical causes for the details page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// After [`LinkCommand::Close`].
    ByUs,
    /// The other end closed.
    Eof,
    /// The connection broke.
    Io(String),
    /// DNS says that there is no such server.
    UnknownServer,
    /// DNS did not answer.
    DnsFailed(String),
    /// Nothing answers at any of its addresses.
    Unreachable(String),
    /// Connecting or TLS took too long.
    TimedOut,
    /// The proxy refused or does not answer.
    Proxy(String),
    /// The certificate was not accepted; nothing was sent over TLS.
    Certificate {
        /// What is wrong with it, technically.
        reason: String,
        /// What the server showed.
        chain: CertificateView,
    },
    /// TLS failed otherwise.
    Tls(String),
}
