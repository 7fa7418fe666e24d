//! A client's stream and what a test does to it.

use std::time::{Duration, Instant};

use sotto_xmpp::stream::{
    ClientStream, Login, Purpose, Security, StreamConfig, StreamEvent, StreamFailure, TlsBinding,
    TlsVersion, Transmit, UserAgent,
};
use sotto_xmpp::{Element, sm};

use crate::scram_server::ScramServer;

pub const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='lab.test' id='1' version='1.0' xml:lang='en'>";
pub const STARTTLS: &str = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>";
pub const PROCEED: &str = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
pub const BIND_FEATURES: &str = "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session><sm xmlns='urn:xmpp:sm:3'/><csi xmlns='urn:xmpp:csi:0'/><ver xmlns='urn:xmpp:features:rosterver'/></stream:features>";
pub const PASSWORD: &str = "pencil";

/// The stream under test.
pub struct Peer {
    pub stream: ClientStream,
    pub now: Instant,
    /// How many bytes come at once.
    pub chunk: usize,
    /// Everything that was sent and everything that happened, for comparison.
    pub transcript: Vec<String>,
    /// Done instead of derived keys being brought at once.
    pub hold_keys: bool,
    events: Vec<StreamEvent>,
    sent: String,
    pub closed: bool,
    pub starttls: bool,
}

pub fn login() -> Login {
    Login {
        username: "alice".to_owned(),
        password: Some(PASSWORD.to_owned().into()),
        external: false,
        allow_plain: false,
        resource: None,
        user_agent: UserAgent {
            id: "d4565fa7-4d72-4749-b3d3-740edbf87770".to_owned(),
            software: "Sotto".to_owned(),
            device: String::new(),
        },
        resume: None,
        remembered: None,
    }
}

pub fn tls() -> TlsBinding {
    TlsBinding {
        exporter: Some([7; 32]),
        server_end_point: Some(vec![9; 32]),
        version: TlsVersion::Tls13,
    }
}

impl Peer {
    pub fn new(purpose: Purpose, security: Security) -> Self {
        let mut next = 0_u8;
        let mut random = |bytes: &mut [u8]| {
            for byte in bytes {
                next = next.wrapping_add(1);
                *byte = next;
            }
        };
        let now = Instant::now();
        let config = StreamConfig {
            domain: "lab.test".to_owned(),
            purpose,
            security,
            lang: "en".to_owned(),
        };
        Self {
            stream: ClientStream::new(config, now, &mut random),
            now,
            chunk: usize::MAX,
            transcript: Vec::new(),
            hold_keys: false,
            events: Vec::new(),
            sent: String::new(),
            closed: false,
            starttls: false,
        }
    }

    /// TLS stands from the first byte.
    pub fn direct(login: Login) -> Self {
        Self::new(Purpose::Login(login), Security::Established(tls()))
    }

    pub fn plain(login: Login) -> Self {
        Self::new(Purpose::Login(login), Security::NotYet)
    }

    /// The server says something.
    pub fn say(&mut self, text: &str) {
        self.say_bytes(text.as_bytes());
    }

    pub fn say_bytes(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(self.chunk) {
            self.stream.handle_bytes(chunk, self.now);
            self.drain_events();
        }
    }

    fn drain_events(&mut self) {
        while let Some(event) = self.stream.poll_event() {
            self.transcript.push(format!("{event:?}"));
            match event {
                StreamEvent::DeriveKey(job) if !self.hold_keys => {
                    let keys = job.derive();
                    self.stream.handle_scram_key(job.job, keys, self.now);
                }
                event => self.events.push(event),
            }
        }
    }

    /// What the client sent since the last time.
    pub fn sent(&mut self) -> String {
        self.drain_events();
        self.drain_transmits();
        let sent = std::mem::take(&mut self.sent);
        self.transcript.push(sent.clone());
        sent
    }

    fn drain_transmits(&mut self) {
        while let Some(transmit) = self.stream.poll_transmit() {
            match transmit {
                Transmit::Bytes(bytes) => {
                    assert!(!self.closed, "bytes after the end");
                    self.sent
                        .push_str(std::str::from_utf8(&bytes).expect("we write UTF-8"));
                }
                Transmit::StartTls => self.starttls = true,
                Transmit::Close => self.closed = true,
            }
        }
    }

    /// What happened since the last time.
    pub fn events(&mut self) -> Vec<StreamEvent> {
        self.drain_events();
        std::mem::take(&mut self.events)
    }

    /// The only thing that happened.
    pub fn event(&mut self) -> StreamEvent {
        let mut events = self.events();
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }

    /// The failure, which is the last thing that happened, and what was still sent.
    pub fn failure(&mut self) -> (StreamFailure, String) {
        let events = self.events();
        let Some(StreamEvent::Failed(failure)) = events.last() else {
            panic!("no failure: {events:?}");
        };
        let failure = failure.clone();
        let sent = self.sent();
        assert!(self.closed, "the connection is closed");
        (failure, sent)
    }

    pub fn stanzas(&mut self) -> Vec<Element> {
        self.events()
            .into_iter()
            .filter_map(|event| match event {
                StreamEvent::Stanza(stanza) => Some(stanza),
                _ => None,
            })
            .collect()
    }

    pub fn send(&mut self, text: &str) -> u32 {
        self.stream
            .send(text.parse().expect("a test's stanza"), self.now)
    }

    /// Time passes; whatever is due happens when it is due.
    pub fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.stream.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.stream.handle_timeout(self.now);
            self.drain_events();
            self.drain_transmits();
            assert_ne!(self.stream.poll_timeout(), Some(at), "a timer stands still");
        }
        self.now = end;
    }

    /// The next first tag and features.
    pub fn features(&mut self, features: &str) {
        assert!(self.sent().contains("<stream:stream "));
        self.say(HEADER);
        self.say(features);
    }

    /// Does STARTTLS with a server that behaves.
    pub fn start_tls(&mut self) {
        self.features(STARTTLS);
        assert_eq!(
            self.sent(),
            "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
        );
        self.say(PROCEED);
        assert_eq!(self.sent(), "");
        assert!(self.starttls);
        self.stream.handle_tls(tls(), self.now);
    }

    /// Signs in by SCRAM with a server that behaves; ends before the new first tag.
    pub fn scram(&mut self, server: &mut ScramServer) {
        self.features(&server.features());
        let auth = self.sent();
        let first = server.first(&auth);
        self.say(&format!("<challenge xmlns='{SASL}'>{first}</challenge>"));
        let last = server.last(&self.sent()).expect("the client's proof");
        self.say(&format!("<success xmlns='{SASL}'>{last}</success>"));
    }

    /// Binds a resource; ends before stream management.
    pub fn bind(&mut self, features: &str) {
        self.features(features);
        let id = attribute(&self.sent(), "id");
        self.say(&format!(
            "<iq type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@lab.test/r</jid></bind></iq>"
        ));
    }
}

/// A session with stream management.
pub fn bound() -> Peer {
    let mut peer = bound_unread();
    assert!(matches!(peer.event(), StreamEvent::Bound { sm: true, .. }));
    peer
}

pub fn bound_unread() -> Peer {
    let mut peer = Peer::direct(login());
    bind_all(&mut peer);
    peer
}

pub fn bind_all(peer: &mut Peer) {
    peer.scram(&mut ScramServer::default());
    peer.bind(BIND_FEATURES);
    assert_eq!(peer.sent(), "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    peer.say("<enabled xmlns='urn:xmpp:sm:3' id='sm-1' resume='true' max='600'/>");
}

/// A session without stream management.
pub fn bound_without_sm() -> Peer {
    let mut peer = Peer::direct(login());
    peer.scram(&mut ScramServer::default());
    peer.bind(
        "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>",
    );
    assert!(matches!(peer.event(), StreamEvent::Bound { sm: false, .. }));
    peer
}

pub fn resume_state() -> sm::ResumeState {
    sm::ResumeState {
        id: "old".to_owned(),
        jid: "alice@lab.test/old".to_owned(),
        location: None,
        handled: 5,
        sent: 10,
        acked: 7,
        max_seconds: Some(600),
    }
}

/// The value of the first attribute with this name.
pub fn attribute(xml: &str, name: &str) -> String {
    let start = xml
        .find(&format!(" {name}='"))
        .unwrap_or_else(|| panic!("no {name} in {xml}"));
    let value = &xml[start + name.len() + 3..];
    value[..value.find('\'').expect("a closing quote")].to_owned()
}
