//! A client's XMPP stream (RFC 6120): from the first tag to the last, over one connection.
//!
//! [`ClientStream`] negotiates TLS, signs in, binds a resource or resumes the old session, and then
//! carries stanzas. It does no I/O and reads no clock. To drive it:
//!
//! 1. make one with [`ClientStream::new`] when the connection stands;
//! 2. give it what happens: [`ClientStream::handle_bytes`], [`ClientStream::handle_tls`],
//!    [`ClientStream::handle_scram_key`], [`ClientStream::send`], [`ClientStream::close`], and
//!    [`ClientStream::handle_timeout`] when [`ClientStream::poll_timeout`] has passed;
//! 3. after each of these take [`ClientStream::poll_event`] until it gives nothing, keep what must be
//!    kept, report it by [`ClientStream::mark_handled`], and only then take
//!    [`ClientStream::poll_transmit`] until it gives nothing: bytes leave in no other way, so what is
//!    kept is always ahead of what was sent;
//! 4. after [`StreamEvent::Failed`] or [`StreamEvent::Closed`] nothing follows but
//!    [`Transmit::Close`].

mod bind;
mod config;
mod event;
mod failure;
mod features;
mod negotiation;
pub(crate) mod ns;
mod ready;
mod sasl;
mod session;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use jid::{BareJid, FullJid};
use minidom::Element;

pub use config::{
    Login, MechanismMemory, Purpose, Security, StreamConfig, TlsBinding, TlsVersion, UserAgent,
};
pub use event::{StreamEvent, Transmit};
pub use failure::{Condition, StreamFailure};
pub use features::{Sasl2, StreamFeatures};
pub(crate) use ns::STREAM as NS_STREAM;

use crate::sm::ResumeState;
use crate::xml::{Header, Limits, Reader};
use sasl::Exchange;
use session::Session;

/// Time for each step of the negotiation.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);
/// Time for the server to close its side.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest stanza before the login (S-XML-02).
const LIMITS_BEFORE_LOGIN: Limits = Limits {
    stanza: 64 * 1024,
    spare_stream: false,
};
/// Longest stanza after it.
const LIMITS: Limits = Limits {
    stanza: 1024 * 1024,
    spare_stream: true,
};
const NONCE_BYTES: usize = 24;
const NONCES: usize = 3;

/// One connection's XMPP stream. See the [module](self).
pub struct ClientStream {
    domain: String,
    lang: String,
    purpose: Purpose,
    /// The own address without resource, where the localpart makes one.
    own: Option<BareJid>,
    state: State,
    reader: Reader,
    tls: Option<TlsBinding>,
    header: Option<Header>,
    features: StreamFeatures,
    /// Mechanism and memory of the login, once it succeeded.
    signed_in: Option<(String, MechanismMemory)>,
    /// Mechanisms that the server refused on this stream.
    refused: Vec<&'static str>,
    resume: Option<ResumeState>,
    nonces: Vec<[u8; NONCE_BYTES]>,
    id: u64,
    next_job: u64,
    now: Instant,
    step_deadline: Option<Instant>,
    close_deadline: Option<Instant>,
    out: String,
    transmits: VecDeque<Transmit>,
    events: VecDeque<StreamEvent>,
}

/// Where the stream stands; each state holds what exists only there.
enum State {
    /// Our first tag is sent.
    Header,
    /// The server's first tag came.
    Features,
    /// `<starttls/>` is sent.
    StartTls,
    /// The connection does TLS; nothing may come.
    Handshake,
    Sasl(Box<Exchange>),
    Resuming(ResumeState),
    Binding {
        id: String,
        wished: bool,
        early: Vec<Element>,
    },
    /// The session request of RFC 3921.
    Session {
        id: String,
        jid: FullJid,
        early: Vec<Element>,
    },
    Enabling {
        jid: FullJid,
        early: Vec<Element>,
    },
    /// All was bound in the login's step; the features follow.
    Settling {
        jid: FullJid,
        enabled: Option<crate::sm::Enabled>,
    },
    Registering,
    Open(Box<Session>),
    Ended,
}

impl ClientStream {
    /// Opens a stream; its first tag is the first thing to transmit.
    ///
    /// `random` is asked once for 80 bytes, which must be unpredictable.
    pub fn new(config: StreamConfig, now: Instant, random: &mut dyn FnMut(&mut [u8])) -> Self {
        let mut nonces = vec![[0; NONCE_BYTES]; NONCES];
        for nonce in &mut nonces {
            random(nonce);
        }
        let mut id = [0; 8];
        random(&mut id);
        let mut own = None;
        let mut resume = None;
        if let Purpose::Login(login) = &config.purpose {
            own = BareJid::new(&[login.username.as_str(), "@", &config.domain].concat()).ok();
            resume = login.resume.clone().filter(|state| {
                FullJid::new(&state.jid).is_ok_and(|jid| Some(jid.into_bare()) == own)
            });
        }
        let tls = match config.security {
            Security::NotYet => None,
            Security::Established(binding) => Some(binding),
        };
        let mut stream = Self {
            domain: config.domain,
            lang: config.lang,
            purpose: config.purpose,
            own,
            state: State::Header,
            reader: Reader::new(LIMITS_BEFORE_LOGIN),
            tls,
            header: None,
            features: StreamFeatures::default(),
            signed_in: None,
            refused: Vec::new(),
            resume,
            nonces,
            id: u64::from_be_bytes(id),
            next_job: 0,
            now,
            step_deadline: None,
            close_deadline: None,
            out: String::new(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        };
        stream.open();
        stream
    }

    /// Bytes came from the server.
    pub fn handle_bytes(&mut self, bytes: &[u8], now: Instant) {
        self.now = now;
        match &mut self.state {
            State::Ended => return,
            State::Handshake => {
                self.fail(injected());
                return;
            }
            State::Open(session) => session.heard(now),
            _ => {}
        }
        self.reader.feed(bytes);
        self.read();
    }

    /// TLS was done after [`Transmit::StartTls`]: everything heard before is forgotten (S-TLS-02).
    ///
    /// Without effect when no TLS was asked for.
    pub fn handle_tls(&mut self, binding: TlsBinding, now: Instant) {
        self.now = now;
        if matches!(self.state, State::Handshake) {
            self.tls = Some(binding);
            self.reader = Reader::new(LIMITS_BEFORE_LOGIN);
            self.open();
        }
    }

    /// The keys of a [`StreamEvent::DeriveKey`] are there. Keys of another job are ignored.
    pub fn handle_scram_key(&mut self, job: u64, keys: crate::sasl::ScramKeys, now: Instant) {
        self.now = now;
        if self.close_deadline.is_none() {
            self.finish_scram(job, &keys);
        }
    }

    /// [`ClientStream::poll_timeout`] has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        if self.close_deadline.is_some_and(|at| now >= at) {
            self.closed();
            return;
        }
        if self.step_deadline.is_some_and(|at| now >= at) {
            self.step_timed_out();
            return;
        }
        self.session_timeout();
    }

    /// When [`ClientStream::handle_timeout`] is to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let session = match &self.state {
            State::Open(session) => session.poll_timeout(self.close_deadline.is_some()),
            _ => None,
        };
        [session, self.step_deadline, self.close_deadline]
            .into_iter()
            .flatten()
            .min()
    }

    /// What to do with the connection next.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        if let Some(transmit) = self.transmits.pop_front() {
            return Some(transmit);
        }
        if self.close_deadline.is_none()
            && let State::Open(session) = &mut self.state
        {
            session.before_transmit(&mut self.out, self.now);
        }
        (!self.out.is_empty()).then(|| Transmit::Bytes(std::mem::take(&mut self.out).into_bytes()))
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<StreamEvent> {
        self.events.pop_front()
    }

    /// Sends a stanza and gives its sequence number: the count of stanzas since stream management was
    /// switched on, modulo 2³².
    ///
    /// 0 without stream management, and for elements that are no stanzas (XEP-0352). Before
    /// [`StreamEvent::Bound`], [`StreamEvent::Resumed`] or [`StreamEvent::RegistrationReady`] and after
    /// the end nothing is sent.
    pub fn send(&mut self, stanza: Element, now: Instant) -> u32 {
        self.now = now;
        if self.close_deadline.is_some() {
            return 0;
        }
        let sequence = match &mut self.state {
            State::Open(session) if is_stanza(&stanza) => session.count_sent(),
            State::Open(_) | State::Registering => 0,
            _ => return 0,
        };
        crate::xml::write_in_stream(&mut self.out, &stanza);
        sequence
    }

    /// The effects of `count` more [`StreamEvent::Stanza`]s are kept: from now on the server may
    /// forget them (XEP-0198 §4).
    pub fn mark_handled(&mut self, count: u32) {
        if let State::Open(session) = &mut self.state {
            session.mark_handled(count);
        }
    }

    /// What it takes to resume this stream; absent before it is bound, and where the server does not
    /// allow it. To be kept before anything that was sent since is transmitted.
    pub fn resume_state(&self) -> Option<ResumeState> {
        match &self.state {
            State::Open(session) => session.resume_state(),
            _ => None,
        }
    }

    /// Whether every byte that came belongs to a stanza that is whole.
    pub fn is_between_stanzas(&self) -> bool {
        self.reader.is_between_stanzas()
    }

    /// Ends the stream properly: the session is over, it cannot be resumed. The server has 2 s to
    /// answer; then, or at once where there is nothing to wait for, [`StreamEvent::Closed`].
    pub fn close(&mut self, now: Instant) {
        self.now = now;
        if self.close_deadline.is_some() {
            return;
        }
        match &mut self.state {
            State::Ended => return,
            State::Handshake => return self.closed(),
            State::Open(session) => session.before_close(&mut self.out),
            _ => {}
        }
        self.out.push_str("</stream:stream>");
        self.step_deadline = None;
        self.close_deadline = Some(now + CLOSE_TIMEOUT);
    }

    fn next_id(&mut self) -> String {
        self.id = self.id.wrapping_add(1);
        format!("{:016x}", self.id)
    }
}

/// Whether stream management counts it (XEP-0198 §1).
fn is_stanza(element: &Element) -> bool {
    ["message", "presence", "iq"].contains(&element.name()) && element.ns() == crate::ns::CLIENT
}

fn injected() -> StreamFailure {
    StreamFailure::Protocol {
        condition: Condition::PolicyViolation,
        reason: "bytes came in the clear where TLS had to begin".to_owned(),
    }
}
