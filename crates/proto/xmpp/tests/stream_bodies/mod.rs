//! What the fuzz targets of the stream run; shared by `testing/fuzz` and by the plain tests beside
//! this folder.
//!
//! Each takes any bytes, must not panic, and asserts what must hold for every input.
#![allow(dead_code, reason = "each user takes its own part")]

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sotto_xmpp::Element;
use sotto_xmpp::sm::ResumeState;
use sotto_xmpp::stream::{
    ClientStream, Login, Purpose, Security, StreamConfig, StreamEvent, TlsBinding, TlsVersion,
    Transmit, UserAgent,
};

const HEADER: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='a.test' version='1.0'>";
const PLAIN: &str = "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>";
const SCRAM: &str = "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>";
const SUCCESS: &str = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const FEATURES: &str = "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/></stream:features>";
const ENABLED: &str = "<enabled xmlns='urn:xmpp:sm:3' id='i' resume='true'/>";

/// A stream and what became of it.
struct Run {
    stream: ClientStream,
    now: Instant,
    told: Vec<String>,
    sent: String,
    over: bool,
}

impl Run {
    fn new(security: Security, resume: Option<ResumeState>) -> Self {
        let login = Login {
            username: "u".to_owned(),
            password: Some("pencil".to_owned().into()),
            external: false,
            allow_plain: true,
            resource: None,
            user_agent: UserAgent::default(),
            resume,
            remembered: None,
        };
        let config = StreamConfig {
            domain: "a.test".to_owned(),
            purpose: Purpose::Login(login),
            security,
            lang: "en".to_owned(),
        };
        let now = Instant::now();
        Self {
            stream: ClientStream::new(config, now, &mut |bytes| bytes.fill(b'7')),
            now,
            told: Vec::new(),
            sent: String::new(),
            over: false,
        }
    }

    /// A session with stream management.
    fn bound() -> Self {
        let mut run = Self::new(Security::Established(tls()), None);
        run.say(HEADER.as_bytes());
        run.say(PLAIN.as_bytes());
        run.say(SUCCESS.as_bytes());
        run.say(HEADER.as_bytes());
        run.say(FEATURES.as_bytes());
        let id = run.sent.rsplit("id='").next().expect("the request to bind");
        let id = id.split('\'').next().expect("its id");
        let bound = format!(
            "<iq type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>u@a.test/r</jid></bind></iq>"
        );
        run.say(bound.as_bytes());
        run.say(ENABLED.as_bytes());
        assert!(run.told.iter().any(|told| told.starts_with("Bound")));
        run
    }

    fn say(&mut self, bytes: &[u8]) {
        self.stream.handle_bytes(bytes, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(event) = self.stream.poll_event() {
            assert!(!self.over, "something happened after the end: {event:?}");
            self.told.push(format!("{event:?}"));
            match event {
                StreamEvent::DeriveKey(job) if job.iterations() <= 8192 => {
                    let keys = job.derive();
                    self.stream.handle_scram_key(job.job, keys, self.now);
                }
                StreamEvent::Stanza(stanza) => {
                    // What was read can be written, and reads back as the same.
                    let written = sotto_xmpp::xml::to_string(&stanza);
                    let again: Element = written.parse().expect("what we write can be read");
                    assert_eq!(again, stanza);
                }
                StreamEvent::Failed(_) | StreamEvent::Closed => self.over = true,
                _ => {}
            }
        }
        while let Some(transmit) = self.stream.poll_transmit() {
            match transmit {
                Transmit::Bytes(bytes) => {
                    self.sent
                        .push_str(std::str::from_utf8(&bytes).expect("we write UTF-8"));
                }
                Transmit::StartTls => self.sent.push_str("[tls]"),
                Transmit::Close => self.sent.push_str("[close]"),
            }
        }
        if let Some((_, after)) = self.sent.split_once("</stream:stream>") {
            assert!(
                matches!(after, "" | "[close]"),
                "{after} after the last tag"
            );
        }
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        if self.stream.poll_timeout().is_some_and(|at| at <= self.now) {
            self.stream.handle_timeout(self.now);
            self.drain();
        }
    }
}

fn tls() -> TlsBinding {
    TlsBinding {
        exporter: Some([1; 32]),
        server_end_point: None,
        version: TlsVersion::Tls13,
    }
}

/// Bytes of a server, before the login and in a session: the same at once and in pieces.
pub fn xml_stream(data: &[u8]) {
    for start in [Run::bound, || Run::new(Security::Established(tls()), None)] {
        let mut at_once = start();
        at_once.say(data);
        let mut in_pieces = start();
        for piece in data.chunks(3) {
            in_pieces.say(piece);
        }
        assert_eq!(at_once.told, in_pieces.told);
        assert_eq!(
            at_once.stream.poll_timeout().is_some(),
            in_pieces.stream.poll_timeout().is_some()
        );
    }
}

/// A script, one act a line: `s` and words of the server, `t` TLS, `m` a stanza of ours, `k` stanzas
/// are kept, `w` and seconds, `c` close. The first line chooses where it starts.
pub fn stream_session(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let state = ResumeState {
        id: "old".to_owned(),
        jid: "u@a.test/old".to_owned(),
        location: None,
        handled: 5,
        sent: 10,
        acked: 7,
        max_seconds: None,
    };
    let mut run = match lines.next().and_then(|line| line.first()) {
        Some(b'b') => Run::bound(),
        Some(b'r') => Run::new(Security::Established(tls()), Some(state)),
        _ => Run::new(Security::NotYet, None),
    };
    for line in lines.take(64) {
        let Some((act, rest)) = line.split_first() else {
            continue;
        };
        match act {
            b's' => run.say(rest),
            b't' => run.stream.handle_tls(tls(), run.now),
            b'm' => {
                let message = Element::bare("message", "jabber:client");
                run.stream.send(message, run.now);
            }
            b'k' => run
                .stream
                .mark_handled(u32::from(rest.first().copied().unwrap_or(1))),
            b'w' => run.wait(Duration::from_secs(u64::from(
                rest.first().copied().unwrap_or(1),
            ))),
            b'c' => run.stream.close(run.now),
            _ => {}
        }
        run.drain();
        if let Some(state) = run.stream.resume_state() {
            assert!(state.sent.wrapping_sub(state.acked) <= 64, "{state:?}");
        }
    }
}

/// The two messages of a server that does not know the password, divided by a zero byte.
pub fn sasl_scram(data: &[u8]) {
    let mut run = Run::new(Security::Established(tls()), None);
    run.say(HEADER.as_bytes());
    run.say(SCRAM.as_bytes());
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let nonce = BASE64.encode([b'7'; 24]);
    let first = String::from_utf8_lossy(parts.next().unwrap_or_default()).replace("NONCE", &nonce);
    let challenge = BASE64.encode(first);
    run.say(
        format!("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{challenge}</challenge>")
            .as_bytes(),
    );
    let last = BASE64.encode(parts.next().unwrap_or_default());
    run.say(
        format!("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{last}</success>").as_bytes(),
    );
    let first_tags = run.sent.matches("<stream:stream ").count();
    assert_eq!(first_tags, 1, "signed in to a server that knows nothing");
}
