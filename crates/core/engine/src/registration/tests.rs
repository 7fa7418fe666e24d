//! Against a scripted server: bytes in, bytes out, over the real stream.

use std::time::Duration;

use sotto_api::view::{
    CertificateSummary, FieldKind, FormAnswer, FormView, RegistrationState, RegistrationView,
    Settings,
};
use sotto_api::{ErrorKind, Timestamp};
use sotto_store::Store;

use super::*;
use crate::changes::Changes;
use crate::context::Effects;
use crate::io::{
    ClientId, CloseReason, LinkCommand, Now, Output, PictureJob, TlsEstablished, WorkResult,
};
use crate::networks::Networks;
use crate::picture;

const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' id='s1' from='new.example' version='1.0'>";
const FEATURES: &str = "<stream:features><register xmlns='http://jabber.org/features/iq-register'/>\
    <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism></mechanisms>\
    </stream:features>";
const PLAIN_FORM: &str = "<query xmlns='jabber:iq:register'><instructions>Choose a name.</instructions>\
    <username/><password/></query>";

struct Fixture {
    store: Store,
    settings: Settings,
    networks: Networks,
    changes: Changes,
    effects: Effects,
    registrations: Registrations,
    now: Now,
    /// The newest link.
    link: Option<LinkId>,
    /// Everything that was sent on it and not looked at yet.
    sent: String,
    commands: Vec<&'static str>,
    wanted: Vec<Effect>,
    /// To be decoded.
    pictures: Vec<(WorkId, PictureJob)>,
}

impl Fixture {
    fn new() -> Self {
        let mut next = 0_u64;
        Self {
            store: Store::in_memory().expect("memory is there"),
            settings: Settings::default(),
            networks: Networks::bundled(),
            changes: Changes::default(),
            effects: Effects::new(Box::new(move |bytes| {
                for byte in bytes {
                    next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    *byte = (next >> 33) as u8;
                }
            })),
            registrations: Registrations::default(),
            now: Now {
                instant: Instant::now(),
                unix_ms: 1_000,
            },
            link: None,
            sent: String::new(),
            commands: Vec::new(),
            wanted: Vec::new(),
            pictures: Vec::new(),
        }
    }

    fn with<T>(&mut self, work: impl FnOnce(&mut Context, &mut Registrations) -> T) -> T {
        let mut cx = Context {
            now: self.now,
            store: &self.store,
            settings: &self.settings,
            networks: &self.networks,
            software: "Sotto 0.1.0",
            changes: &mut self.changes,
            effects: &mut self.effects,
        };
        let done = work(&mut cx, &mut self.registrations);
        while let Some(output) = self.effects.outputs.pop_front() {
            let (link, command) = match output {
                Output::Link { link, command } => (link, command),
                Output::Picture { work, job } => {
                    self.pictures.push((work, job));
                    continue;
                }
                _ => continue,
            };
            match command {
                LinkCommand::Dial(plan) => {
                    assert_eq!(plan.domain, "new.example");
                    self.link = Some(link);
                    self.sent.clear();
                    self.commands.push("dial");
                }
                LinkCommand::StartTls => self.commands.push("starttls"),
                LinkCommand::Transmit(bytes) => {
                    self.sent
                        .push_str(&String::from_utf8(bytes).expect("a stream is UTF-8"));
                }
                LinkCommand::Close => self.commands.push("close"),
            }
        }
        done
    }

    fn ask(&mut self, request: Request) -> Result<RegistrationView, ApiError> {
        let to = ReplyTo {
            client: ClientId(1),
            id: 1,
        };
        match self.with(|cx, registrations| registrations.handle_request(cx, to, request))? {
            Some(Reply::Registration(view)) => Ok(view),
            other => panic!("no registration: {other:?}"),
        }
    }

    fn start(&mut self) -> RegistrationView {
        self.ask(Request::RegistrationStart {
            server: " new.example ".into(),
            settings: AccountSettings::default(),
        })
        .expect("the name is well formed")
    }

    fn view(&mut self) -> RegistrationView {
        self.ask(Request::RegistrationView {
            registration: RegistrationId(1),
        })
        .expect("it is there")
    }

    fn link(&mut self, event: LinkEvent) {
        let link = self.link.expect("it was dialled");
        let effects = self.with(|cx, registrations| registrations.handle_link(cx, link, event));
        self.wanted.extend(effects);
    }

    fn receive(&mut self, xml: &str) {
        self.link(LinkEvent::Received(xml.as_bytes().to_vec()));
    }

    /// Direct TLS, features, and the question for the form.
    fn connect(&mut self) {
        self.link(LinkEvent::Dialed {
            tls: Some(tls()),
            peer: "192.0.2.1:5223".into(),
        });
        self.receive(&format!("{HEADER}{FEATURES}"));
    }

    /// Answers the last iq that was sent.
    fn answer(&mut self, kind: &str, payload: &str) {
        let id = last_id(&self.sent);
        self.sent.clear();
        self.receive(&format!(
            "<iq type='{kind}' id='{id}' from='new.example'>{payload}</iq>"
        ));
    }

    fn form(&mut self) -> FormView {
        match self.view().state {
            RegistrationState::Form { form } => form,
            other => panic!("no form: {other:?}"),
        }
    }

    fn submit(&mut self, name: &str, password: &str) -> Result<RegistrationView, ApiError> {
        self.ask(Request::RegistrationSubmit {
            registration: RegistrationId(1),
            answers: vec![answer("username", name), answer("password", password)],
            remember: true,
        })
    }

    fn problem(&mut self) -> Option<Problem> {
        self.view().problem.map(|view| view.problem)
    }
}

fn answer(name: &str, value: &str) -> FormAnswer {
    FormAnswer {
        name: name.into(),
        values: vec![Secret::new(value.into())],
    }
}

fn last_id(sent: &str) -> String {
    let iq = sent.rsplit("<iq").next().expect("an iq was sent");
    let id = iq.split(" id=").nth(1).expect("it has an id");
    let quote = id.chars().next().expect("it is quoted");
    id[1..]
        .split(quote)
        .next()
        .expect("the quote ends")
        .to_owned()
}

fn certificate() -> CertificateView {
    CertificateView {
        summary: CertificateSummary {
            subject: "new.example".into(),
            issuer: "somebody".into(),
            not_before: Timestamp(0),
            not_after: Timestamp(1),
            sha256: "00".repeat(32),
            key_sha256: "11".repeat(32),
        },
        names: vec!["new.example".into()],
        pem: String::new(),
    }
}

fn tls() -> TlsEstablished {
    TlsEstablished {
        exporter: None,
        server_end_point: None,
        tls13: true,
        cipher: "TLS13_AES_256_GCM_SHA384".into(),
        certificate: certificate(),
    }
}

#[test]
fn an_account_is_made_and_handed_over_with_its_password() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.start().state, RegistrationState::Connecting);
    fixture.connect();
    assert!(
        fixture.sent.contains("jabber:iq:register"),
        "{}",
        fixture.sent
    );
    fixture.answer("result", PLAIN_FORM);
    let form = fixture.form();
    assert_eq!(form.instructions, "Choose a name.");
    let kinds: Vec<_> = form
        .fields
        .iter()
        .map(|f| (f.kind, f.label.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            (FieldKind::Username, "Name"),
            (FieldKind::Password, "Password")
        ]
    );

    let view = fixture
        .submit("Sara", "correct horse")
        .expect("it is complete");
    assert_eq!(view.state, RegistrationState::Submitting);
    assert!(fixture.sent.contains("correct horse"));
    fixture.answer("result", "");
    let Some(Effect::AddAccount {
        registration,
        address,
        password,
        remember,
        ..
    }) = fixture.wanted.pop()
    else {
        panic!("no account");
    };
    assert_eq!(address.as_str(), "sara@new.example");
    assert_eq!(password.expose(), "correct horse");
    assert!(remember);
    fixture.with(|cx, r| r.account_added(cx, registration, Ok(AccountId(7))));
    assert_eq!(
        fixture.view().state,
        RegistrationState::Done {
            account: AccountId(7)
        }
    );
}

#[test]
fn s_xmpp_21_nothing_is_asked_before_tls() {
    let mut fixture = Fixture::new();
    fixture.start();
    fixture.link(LinkEvent::Dialed {
        tls: None,
        peer: "192.0.2.1:5222".into(),
    });
    fixture.receive(&format!(
        "{HEADER}<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>\
         <register xmlns='http://jabber.org/features/iq-register'/></stream:features>"
    ));
    fixture.receive("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    assert!(!fixture.sent.contains("jabber:iq:register"));
    assert_eq!(fixture.commands, ["dial", "starttls"]);
    fixture.link(LinkEvent::TlsEstablished(tls()));
    fixture.receive(&format!("{HEADER}{FEATURES}"));
    assert!(fixture.sent.contains("jabber:iq:register"));
}

#[test]
fn s_xmpp_21_a_server_without_tls_gets_no_registration() {
    let mut fixture = Fixture::new();
    fixture.start();
    fixture.link(LinkEvent::Dialed {
        tls: None,
        peer: "192.0.2.1:5222".into(),
    });
    fixture.receive(&format!("{HEADER}{FEATURES}"));
    assert!(!fixture.sent.contains("jabber:iq:register"));
    assert_eq!(fixture.view().state, RegistrationState::Failed);
    assert_eq!(fixture.problem(), Some(Problem::NoEncryption));
}

#[test]
fn s_xmpp_05_an_answer_from_another_host_is_no_answer() {
    let mut fixture = Fixture::new();
    fixture.start();
    fixture.connect();
    let id = last_id(&fixture.sent);
    fixture.receive(&format!(
        "<iq type='result' id='{id}' from='evil.example'>{PLAIN_FORM}</iq>"
    ));
    assert_eq!(fixture.view().state, RegistrationState::Connecting);
}

#[test]
fn a_taken_name_says_so_and_the_form_stays() {
    let mut fixture = Fixture::new();
    fixture.start();
    fixture.connect();
    fixture.answer("result", PLAIN_FORM);
    fixture.submit("sara", "pw").expect("it is complete");
    // As ejabberd does: the request comes back, password and all.
    fixture.answer(
        "error",
        "<query xmlns='jabber:iq:register'><username>sara</username><password>pw</password></query>\
         <error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
    );
    assert_eq!(fixture.problem(), Some(Problem::NameTaken));
    let view = fixture.view();
    let text = view.problem.expect("it is there").text;
    assert_eq!(
        text,
        "Somebody already has this name on new.example. Choose another; the rest is still there."
    );
    assert_eq!(fixture.form().fields.len(), 2);
    let view = fixture.submit("sara2", "pw").expect("it is complete");
    assert_eq!(
        (view.state, view.problem),
        (RegistrationState::Submitting, None)
    );
}

#[test]
fn closed_and_wait_are_told_apart() {
    for (error, problem) in [
        (
            "<error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
            Problem::RegistrationClosed,
        ),
        (
            "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
            Problem::RegistrationClosed,
        ),
        (
            "<error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
            Problem::RegistrationWait,
        ),
        (
            "<error type='wait'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
            Problem::RegistrationWait,
        ),
    ] {
        let mut fixture = Fixture::new();
        fixture.start();
        fixture.connect();
        fixture.answer("error", error);
        assert_eq!(fixture.view().state, RegistrationState::Failed, "{error}");
        assert_eq!(fixture.problem(), Some(problem), "{error}");
    }
}

#[test]
fn what_is_missing_or_impossible_is_caught_before_anything_is_sent() {
    let mut fixture = Fixture::new();
    fixture.start();
    fixture.connect();
    fixture.answer("result", PLAIN_FORM);
    fixture.sent.clear();
    for (name, password) in [("", "pw"), ("  ", "pw"), ("sara", "")] {
        let refused = fixture
            .submit(name, password)
            .expect_err("it is incomplete");
        assert_eq!(refused.kind, ErrorKind::Invalid);
    }
    for name in ["sara@elsewhere.example", "a b", "a/b", "<x>"] {
        fixture
            .submit(name, "pw")
            .expect("the problem is in the view");
        assert_eq!(fixture.problem(), Some(Problem::NameInvalid), "{name}");
        assert_eq!(fixture.form().fields.len(), 2);
    }
    assert_eq!(fixture.sent, "");
}

const CAPTCHA_FORM: &str = "<query xmlns='jabber:iq:register'>\
    <x xmlns='jabber:x:data' type='form'><title>Hello\u{202e}</title>\
    <field type='hidden' var='FORM_TYPE'><value>urn:xmpp:captcha</value></field>\
    <field type='hidden' var='challenge'><value>42</value></field>\
    <field type='text-single' var='username' label='Your name'><required/></field>\
    <field type='text-private' var='password' label='Secret'><required/></field>\
    <field type='text-single' var='ocr' label='Type what you see'><required/>\
    <media xmlns='urn:xmpp:media-element'><uri type='image/png'>https://tracker.example/x.png</uri>\
    <uri type='image/png'>cid:sha1+c49ee0df6c6cd2b09a4f0c4b04c3ae4a8b0e8d92@bob.xmpp.org</uri></media></field>\
    </x></query>";

#[test]
fn s_xmpp_21_a_captcha_is_shown_as_text_and_nothing_outside_the_stream_is_fetched() {
    let mut fixture = Fixture::new();
    fixture.start();
    fixture.connect();
    fixture.answer("result", CAPTCHA_FORM);
    let form = fixture.form();
    assert_eq!(form.title, "Hello");
    let names: Vec<&str> = form.fields.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["username", "password", "ocr"]);
    assert_eq!(form.fields[2].media, None);
    // Only the server itself is asked for the picture, over the same stream.
    assert!(fixture.sent.contains("urn:xmpp:bob"), "{}", fixture.sent);
    assert!(!fixture.sent.contains("tracker.example"));
    assert_eq!(fixture.commands, ["dial"]);
}

#[test]
fn s_proc_01_a_captcha_is_shown_when_its_picture_was_decoded_elsewhere() {
    const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let cid = "sha1+4a5eb7171b58e08a6881721e3b43d5a44419a2be@bob.xmpp.org";
    let with_data = CAPTCHA_FORM
        .replace(
            "sha1+c49ee0df6c6cd2b09a4f0c4b04c3ae4a8b0e8d92@bob.xmpp.org",
            cid,
        )
        .replace(
            "</query>",
            &format!(
                "<data xmlns='urn:xmpp:bob' cid='{cid}' type='image/png'>{PNG}</data></query>"
            ),
        );
    type Decode = fn(&[u8], usize) -> Result<picture::Pixels, picture::PictureError>;
    let refused: Decode = |_, _| Err(picture::PictureError::Damaged);
    for (decode, shown) in [(picture::decode as Decode, true), (refused, false)] {
        let mut fixture = Fixture::new();
        fixture.start();
        fixture.connect();
        fixture.answer("result", &with_data);
        assert_eq!(fixture.form().fields[2].media, None, "not looked into yet");
        let [(work, job)] = std::mem::take(&mut fixture.pictures)
            .try_into()
            .expect("one picture");
        let WorkResult(done) = job.run(decode);
        let mut done = Some(done);
        let taken = fixture.with(|cx, all| all.handle_work(cx, work, &mut done));
        assert!(taken);
        let media = fixture.form().fields[2].media.clone();
        assert_eq!(media.is_some(), shown);
        // Looking at the form again decodes nothing again.
        assert!(fixture.pictures.is_empty());
        // A new riddle is another picture.
        let answers = ["username", "password", "ocr"].map(|name| answer(name, "x"));
        fixture
            .ask(Request::RegistrationSubmit {
                registration: RegistrationId(1),
                answers: answers.into(),
                remember: true,
            })
            .expect("it is complete");
        fixture.answer(
            "error",
            "<error type='auth'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
        );
        fixture.answer("result", &with_data);
        assert_eq!(fixture.pictures.len(), 1);
        assert_eq!(fixture.form().fields[2].media, None);
    }
}

#[test]
fn a_wrong_captcha_brings_a_new_one_and_says_so() {
    let mut fixture = Fixture::new();
    fixture.start();
    fixture.connect();
    fixture.answer("result", CAPTCHA_FORM);
    let answers = vec![
        answer("username", "sara"),
        answer("password", "pw"),
        answer("ocr", "abcd"),
        // Hidden fields go back as they came, whatever a shell says.
        answer("challenge", "forged"),
    ];
    fixture
        .ask(Request::RegistrationSubmit {
            registration: RegistrationId(1),
            answers,
            remember: true,
        })
        .expect("it is complete");
    assert!(fixture.sent.contains("abcd") && !fixture.sent.contains("forged"));
    fixture.answer(
        "error",
        "<error type='auth'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>The CAPTCHA verification has failed</text></error>",
    );
    assert_eq!(fixture.problem(), Some(Problem::FormRejected));
    assert!(
        fixture.sent.contains("jabber:iq:register"),
        "a new form is asked for"
    );
    fixture.answer("result", CAPTCHA_FORM);
    assert_eq!(fixture.problem(), Some(Problem::FormRejected));
    assert_eq!(fixture.form().fields.len(), 3);
}

#[test]
fn a_server_with_a_page_only_names_it_and_nothing_else() {
    let mut fixture = Fixture::new();
    fixture.start();
    fixture.connect();
    fixture.answer(
        "result",
        "<query xmlns='jabber:iq:register'><instructions>Come to our page.</instructions>\
         <x xmlns='jabber:x:oob'><url>https://new.example/join</url></x></query>",
    );
    let form = fixture.form();
    assert_eq!(form.page.as_deref(), Some("https://new.example/join"));
    assert!(form.fields.is_empty());
    let refused = fixture
        .submit("sara", "pw")
        .expect_err("there is nothing to fill");
    assert_eq!(refused.kind, ErrorKind::Refused);
}

#[test]
fn a_certificate_is_asked_about_and_dialled_again_only_when_accepted() {
    let mut fixture = Fixture::new();
    fixture.start();
    let closed = |fixture: &mut Fixture| {
        fixture.link(LinkEvent::Closed(CloseReason::Certificate {
            reason: "UnknownIssuer".into(),
            chain: certificate(),
        }));
    };
    closed(&mut fixture);
    assert!(matches!(
        fixture.wanted.pop(),
        Some(Effect::AskCertificate { .. })
    ));
    fixture.with(|cx, r| r.certificate_accepted(cx, RegistrationId(1), [1; 32]));
    assert_eq!(fixture.commands, ["dial", "dial"]);
    closed(&mut fixture);
    fixture.with(|cx, r| r.certificate_rejected(cx, RegistrationId(1)));
    assert_eq!(fixture.view().state, RegistrationState::Failed);
    assert_eq!(fixture.problem(), Some(Problem::Certificate));
    assert_eq!(fixture.commands, ["dial", "dial"]);
}

#[test]
fn a_connection_lost_while_the_form_is_filled_is_made_anew() {
    let mut fixture = Fixture::new();
    fixture.start();
    fixture.connect();
    fixture.answer("result", PLAIN_FORM);
    fixture.link(LinkEvent::Closed(CloseReason::Eof));
    assert_eq!(fixture.form().fields.len(), 2);
    let view = fixture.submit("sara", "pw").expect("it is complete");
    assert_eq!(view.state, RegistrationState::Submitting);
    fixture.connect();
    fixture.answer("result", PLAIN_FORM);
    assert!(fixture.sent.contains("sara"), "{}", fixture.sent);
    fixture.answer("result", "");
    assert!(matches!(
        fixture.wanted.pop(),
        Some(Effect::AddAccount { .. })
    ));
}

#[test]
fn network_failures_are_told_apart() {
    for (reason, problem) in [
        (CloseReason::UnknownServer, Problem::UnknownServer),
        (CloseReason::DnsFailed("x".into()), Problem::DnsFailed),
        (CloseReason::Unreachable("x".into()), Problem::Unreachable),
        (CloseReason::TimedOut, Problem::TimedOut),
        (CloseReason::Proxy("x".into()), Problem::Proxy),
        (CloseReason::Eof, Problem::ConnectionLost),
    ] {
        let mut fixture = Fixture::new();
        fixture.start();
        fixture.link(LinkEvent::Closed(reason));
        assert_eq!(fixture.view().state, RegistrationState::Failed);
        assert_eq!(fixture.problem(), Some(problem));
    }
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let mut fixture = Fixture::new();
    fixture.start();
    fixture.connect();
    for _ in 0..100 {
        let Some(due) = fixture.registrations.poll_timeout() else {
            break;
        };
        fixture.now.instant = due.max(fixture.now.instant) + Duration::from_millis(1);
        fixture.with(|cx, r| r.handle_timeout(cx));
    }
    assert_eq!(fixture.view().state, RegistrationState::Failed);
}

#[test]
fn cancelling_closes_the_connection_and_forgets() {
    let mut fixture = Fixture::new();
    fixture.start();
    fixture.connect();
    let to = ReplyTo {
        client: ClientId(1),
        id: 2,
    };
    let registration = RegistrationId(1);
    let cancel = Request::RegistrationCancel { registration };
    let answer = fixture.with(|cx, r| r.handle_request(cx, to, cancel));
    assert_eq!(answer, Ok(Some(Reply::Done)));
    assert_eq!(fixture.commands.last(), Some(&"close"));
    let gone = fixture.ask(Request::RegistrationView { registration });
    assert_eq!(gone.map_err(|e| e.kind), Err(ErrorKind::NotFound));
}

#[test]
fn registrations_at_once_are_bounded_and_names_are_checked() {
    let mut fixture = Fixture::new();
    for _ in 0..MOST {
        fixture.start();
    }
    let request = || Request::RegistrationStart {
        server: "new.example".into(),
        settings: AccountSettings::default(),
    };
    let refused = fixture.ask(request()).expect_err("there are too many");
    assert_eq!(refused.kind, ErrorKind::Refused);
    for server in ["", "sara@new.example", "a b", "http://new.example/"] {
        let refused = fixture.ask(Request::RegistrationStart {
            server: server.into(),
            settings: AccountSettings::default(),
        });
        assert_eq!(
            refused.map_err(|e| e.kind),
            Err(ErrorKind::Invalid),
            "{server}"
        );
    }
}
