//! Signing in with servers that behave, and what is said when they do not want to.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sotto_xmpp::stream::{Login, MechanismMemory, Purpose, Security, StreamEvent, StreamFailure};

use crate::peer::{
    self, BIND_FEATURES, HEADER, PROCEED, Peer, SASL, STARTTLS, attribute, bound_unread, login,
};
use crate::scram_server::{ScramServer, base64_in};

const FIRST_TAG: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='lab.test' xml:lang='en'>";
const FIRST_TAG_IN_TLS: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='lab.test' from='alice@lab.test' xml:lang='en'>";

#[test]
fn starttls_scram_binding_and_stream_management() {
    let mut peer = Peer::plain(login());
    assert_eq!(peer.sent(), FIRST_TAG);
    peer.say(HEADER);
    peer.say(STARTTLS);
    peer.sent();
    peer.say(PROCEED);
    peer.sent();
    peer.stream.handle_tls(peer::tls(), peer.now);
    assert_eq!(peer.sent(), FIRST_TAG_IN_TLS);
    let mut server = ScramServer::default();
    peer.say(HEADER);
    peer.say(&server.features());
    let auth = peer.sent();
    assert!(
        auth.starts_with(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>"
        )
    );
    assert!(base64_in(&auth).starts_with("y,,n=alice,r="));
    let challenge = server.first(&auth);
    peer.say(&format!(
        "<challenge xmlns='{SASL}'>{challenge}</challenge>"
    ));
    let verifier = server.last(&peer.sent()).expect("the client's proof");
    peer.say(&format!("<success xmlns='{SASL}'>{verifier}</success>"));
    assert_eq!(peer.sent(), FIRST_TAG_IN_TLS);
    peer.say(HEADER);
    peer.say(BIND_FEATURES);
    let bind = peer.sent();
    let id = attribute(&bind, "id");
    assert!(id.len() >= 16, "64 bits at least");
    assert_eq!(
        bind,
        format!("<iq id='{id}' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    );
    peer.say(&format!(
        "<iq type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@lab.test/r</jid></bind></iq>"
    ));
    assert_eq!(peer.sent(), "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    assert!(peer.events().is_empty());
    peer.say(
        "<enabled xmlns='urn:xmpp:sm:3' id='sm-1' resume='true' max='600' location='[::1]:5'/>",
    );
    let StreamEvent::Bound {
        jid,
        sm,
        features,
        mechanism,
        memory,
    } = peer.event()
    else {
        panic!("not bound");
    };
    assert_eq!(jid.as_str(), "alice@lab.test/r");
    assert!(sm && features.client_state && features.roster_versions && !features.session);
    assert_eq!(mechanism, "SCRAM-SHA-256");
    assert_eq!(
        memory,
        MechanismMemory {
            mechanism: "SCRAM-SHA-256".to_owned(),
            channel_binding: false
        }
    );
    let state = peer.stream.resume_state().expect("the server allows it");
    assert_eq!(state.id, "sm-1");
    assert_eq!(state.jid, "alice@lab.test/r");
    assert_eq!(state.location.as_deref(), Some("[::1]:5"));
    assert_eq!((state.handled, state.sent, state.acked), (0, 0, 0));
    assert_eq!(state.max_seconds, Some(600));
}

#[test]
fn every_hash_signs_in_with_and_without_binding() {
    for (hash, plus) in [
        ("SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"),
        ("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"),
        ("SCRAM-SHA-512", "SCRAM-SHA-512-PLUS"),
    ] {
        for (types, data) in [
            (None, vec![]),
            (
                Some(vec!["tls-server-end-point", "tls-exporter"]),
                vec![7; 32],
            ),
            (Some(vec!["tls-server-end-point"]), vec![9; 32]),
        ] {
            let mut server = ScramServer {
                hash,
                mechanisms: if types.is_some() {
                    vec![hash, plus]
                } else {
                    vec![hash]
                },
                bindings: types.clone(),
                binding_data: data,
                ..ScramServer::default()
            };
            let mut peer = Peer::direct(login());
            peer.scram(&mut server);
            peer.bind("<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>");
            let StreamEvent::Bound {
                mechanism, memory, ..
            } = peer.event()
            else {
                panic!("not bound");
            };
            assert_eq!(memory.channel_binding, types.is_some());
            assert_eq!(memory.mechanism, hash);
            assert_eq!(mechanism, if types.is_some() { plus } else { hash });
        }
    }
}

#[test]
fn names_and_passwords_of_any_kind_sign_in() {
    for (username, password, sent) in [
        ("a,b=c", "x,=y", "n=a=2Cb=3Dc"),
        ("j\u{f6}rg", "p\u{e4}ss w\u{f6}rd", "n=j\u{f6}rg"),
        ("u", "\u{2168}", "n=u"),
        ("u", "\u{1f600}", "n=u"),
    ] {
        let mut server = ScramServer {
            // RFC 4013: U+2168 is IX.
            password: password.replace('\u{2168}', "IX"),
            ..ScramServer::default()
        };
        let mut peer = Peer::direct(Login {
            username: username.to_owned(),
            password: Some(password.to_owned().into()),
            ..login()
        });
        peer.features(&server.features());
        let auth = peer.sent();
        assert!(base64_in(&auth).contains(sent), "{username}");
        let challenge = server.first(&auth);
        peer.say(&format!(
            "<challenge xmlns='{SASL}'>{challenge}</challenge>"
        ));
        assert!(server.last(&peer.sent()).is_ok(), "{password}");
    }
}

#[test]
fn plain_is_used_when_allowed_and_nothing_else_is_there() {
    let features = format!(
        "<stream:features><mechanisms xmlns='{SASL}'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"
    );
    let mut peer = Peer::direct(Login {
        allow_plain: true,
        ..login()
    });
    peer.features(&features);
    let expected = BASE64.encode("\0alice\0pencil");
    assert_eq!(
        peer.sent(),
        format!("<auth xmlns='{SASL}' mechanism='PLAIN'>{expected}</auth>")
    );
    peer.say(&format!("<success xmlns='{SASL}'/>"));
    assert!(peer.sent().contains("<stream:stream "));

    let mut peer = Peer::direct(login());
    peer.features(&features);
    let (failure, sent) = peer.failure();
    assert!(matches!(failure, StreamFailure::MechanismTooWeak { .. }));
    assert_eq!(sent, "</stream:stream>", "no word of the password");
}

#[test]
fn a_client_certificate_signs_in_and_the_password_may_follow_it() {
    let features = format!(
        "<stream:features><mechanisms xmlns='{SASL}'><mechanism>EXTERNAL</mechanism><mechanism>SCRAM-SHA-256</mechanism></mechanisms></stream:features>"
    );
    let external = Login {
        external: true,
        ..login()
    };
    let mut peer = Peer::direct(external.clone());
    peer.features(&features);
    assert_eq!(
        peer.sent(),
        format!("<auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>")
    );
    peer.say(&format!("<success xmlns='{SASL}'></success>"));
    assert!(peer.sent().contains("<stream:stream "));

    let refusal = format!("<failure xmlns='{SASL}'><not-authorized/></failure>");
    let mut peer = Peer::direct(external.clone());
    peer.features(&features);
    peer.sent();
    peer.say(&refusal);
    assert!(peer.sent().contains("mechanism='SCRAM-SHA-256'"));

    let mut peer = Peer::direct(Login {
        password: None,
        ..external
    });
    peer.features(&features);
    peer.sent();
    peer.say(&refusal);
    assert!(matches!(
        peer.failure().0,
        StreamFailure::NotAuthorized { .. }
    ));
}

#[test]
fn refusals_say_what_they_are() {
    let outcome = |condition: &str| {
        let mut peer = Peer::direct(login());
        peer.features(&ScramServer::default().features());
        peer.sent();
        peer.say(&format!(
            "<failure xmlns='{SASL}'><{condition}/><text xml:lang='en'>why</text></failure>"
        ));
        peer.failure().0
    };
    let text = "why".to_owned();
    assert_eq!(
        outcome("not-authorized"),
        StreamFailure::NotAuthorized { text }
    );
    for condition in ["account-disabled", "credentials-expired"] {
        assert!(matches!(
            outcome(condition),
            StreamFailure::AccountDisabled { .. }
        ));
    }
    for condition in ["invalid-mechanism", "mechanism-too-weak"] {
        assert!(matches!(
            outcome(condition),
            StreamFailure::MechanismTooWeak { .. }
        ));
    }
    assert!(matches!(
        outcome("temporary-auth-failure"),
        StreamFailure::Unavailable { .. }
    ));
    for condition in [
        "aborted",
        "encryption-required",
        "incorrect-encoding",
        "invalid-authzid",
        "malformed-request",
        "x",
    ] {
        assert!(matches!(outcome(condition), StreamFailure::Refused { .. }));
    }
}

#[test]
fn a_wished_resource_is_asked_for_and_given_up_when_refused() {
    let mut peer = Peer::direct(Login {
        resource: Some("d<e>sk".to_owned()),
        ..login()
    });
    peer.scram(&mut ScramServer::default());
    peer.features(BIND_FEATURES);
    let bind = peer.sent();
    assert!(bind.contains("<resource>d&lt;e&gt;sk</resource>"));
    let id = attribute(&bind, "id");
    peer.say(&format!("<iq type='error' id='{id}'><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"));
    let again = peer.sent();
    assert!(!again.contains("<resource>"));
    let second = attribute(&again, "id");
    assert_ne!(second, id);
    peer.say(&format!("<iq type='error' id='{second}'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>full</text></error></iq>"));
    let (failure, _) = peer.failure();
    assert_eq!(
        failure,
        StreamFailure::Unavailable {
            condition: "resource-constraint".to_owned(),
            text: "full".to_owned()
        }
    );
}

#[test]
fn an_old_server_gets_its_session_request() {
    let mut peer = Peer::direct(login());
    peer.scram(&mut ScramServer::default());
    peer.bind("<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></stream:features>");
    let session = peer.sent();
    assert!(session.contains("<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>"));
    let id = attribute(&session, "id");
    peer.say(&format!("<iq type='result' id='{id}'/>"));
    assert!(matches!(peer.event(), StreamEvent::Bound { sm: false, .. }));
}

#[test]
fn registration_stops_at_the_features_after_tls() {
    let mut peer = Peer::new(Purpose::Register, Security::NotYet);
    peer.start_tls();
    assert!(!peer.sent().contains("from="));
    peer.say(HEADER);
    peer.say("<stream:features><register xmlns='http://jabber.org/features/iq-register'/></stream:features>");
    assert!(
        matches!(peer.event(), StreamEvent::RegistrationReady { features } if features.registration)
    );
    assert_eq!(
        peer.send("<iq xmlns='jabber:client' type='get' id='1'/>"),
        0
    );
    assert_eq!(peer.sent(), "<iq id='1' type='get'/>");
    peer.say("<iq type='result' id='1'/>");
    assert_eq!(peer.stanzas().len(), 1);
    peer.wait(Duration::from_secs(3600));
    assert!(peer.events().is_empty(), "a person may take their time");
    peer.stream.close(peer.now);
    assert_eq!(peer.sent(), "</stream:stream>");
    peer.say("</stream:stream>");
    assert!(matches!(peer.event(), StreamEvent::Closed));
}

#[test]
fn each_step_has_thirty_seconds() {
    let almost = Duration::from_millis(29_900);
    let rest = Duration::from_millis(200);
    let mut peer = Peer::plain(login());
    peer.sent();
    peer.wait(almost);
    peer.say(HEADER);
    peer.wait(almost);
    peer.say(STARTTLS);
    peer.wait(almost);
    assert!(peer.events().is_empty());
    peer.wait(rest);
    assert_eq!(
        peer.failure().0,
        StreamFailure::TimedOut {
            step: "encryption was negotiated"
        }
    );

    // White space and parts of stanzas are no progress.
    let mut peer = Peer::direct(login());
    peer.sent();
    peer.say(HEADER);
    for _ in 0..29 {
        peer.wait(Duration::from_secs(1));
        peer.say(" ");
    }
    assert!(peer.events().is_empty());
    peer.wait(Duration::from_secs(2));
    assert!(matches!(peer.failure().0, StreamFailure::TimedOut { .. }));

    let mut peer = Peer::direct(login());
    peer.scram(&mut ScramServer::default());
    peer.wait(Duration::from_secs(31));
    assert!(matches!(peer.failure().0, StreamFailure::TimedOut { .. }));
}

#[test]
fn the_servers_time_does_not_run_while_keys_are_derived() {
    let mut peer = Peer::direct(login());
    peer.hold_keys = true;
    let mut server = ScramServer::default();
    peer.features(&server.features());
    let challenge = server.first(&peer.sent());
    peer.say(&format!(
        "<challenge xmlns='{SASL}'>{challenge}</challenge>"
    ));
    let StreamEvent::DeriveKey(job) = peer.event() else {
        panic!("no job");
    };
    assert_eq!(peer.stream.poll_timeout(), None);
    peer.wait(Duration::from_secs(60));
    // Keys of another job are not ours.
    peer.stream
        .handle_scram_key(job.job + 1, job.derive(), peer.now);
    assert_eq!(peer.sent(), "");
    peer.stream
        .handle_scram_key(job.job, job.derive(), peer.now);
    let last = server.last(&peer.sent()).expect("the client's proof");
    peer.say(&format!("<success xmlns='{SASL}'>{last}</success>"));
    assert!(peer.sent().contains("<stream:stream "));
}

#[test]
fn the_proof_may_come_in_a_challenge_before_an_empty_success() {
    let mut peer = Peer::direct(login());
    let mut server = ScramServer::default();
    peer.features(&server.features());
    let challenge = server.first(&peer.sent());
    peer.say(&format!(
        "<challenge xmlns='{SASL}'>{challenge}</challenge>"
    ));
    let last = server.last(&peer.sent()).expect("the client's proof");
    peer.say(&format!("<challenge xmlns='{SASL}'>{last}</challenge>"));
    assert_eq!(peer.sent(), format!("<response xmlns='{SASL}'/>"));
    peer.say(&format!("<success xmlns='{SASL}'/>"));
    assert!(peer.sent().contains("<stream:stream "));
}

#[test]
fn stream_errors_say_what_they_are() {
    let outcome = |condition: &str| {
        let mut peer = Peer::direct(login());
        peer.sent();
        // A server that does not know the domain may answer in its own name.
        peer.say(&HEADER.replace("lab.test", "other.test"));
        peer.say(&format!(
            "<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>why</text></stream:error>"
        ));
        let (failure, sent) = peer.failure();
        assert_eq!(sent, "</stream:stream>");
        failure
    };
    assert_eq!(
        outcome("host-unknown"),
        StreamFailure::HostUnknown {
            condition: "host-unknown".to_owned(),
            text: "why".to_owned()
        }
    );
    assert!(matches!(
        outcome("conflict"),
        StreamFailure::Replaced { .. }
    ));
    assert!(matches!(
        outcome("policy-violation"),
        StreamFailure::Forbidden { .. }
    ));
    assert!(matches!(
        outcome("system-shutdown"),
        StreamFailure::Unavailable { .. }
    ));
    assert!(matches!(
        outcome("resource-constraint"),
        StreamFailure::Unavailable { .. }
    ));
    assert!(matches!(
        outcome("bad-format"),
        StreamFailure::Refused { .. }
    ));
    assert!(matches!(outcome("made-up"), StreamFailure::Refused { .. }));
}

#[test]
fn see_other_host_is_told_and_not_followed() {
    let mut peer = Peer::direct(login());
    peer.sent();
    peer.say(HEADER);
    peer.say("<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>evil.test:5222</see-other-host></stream:error>");
    assert_eq!(
        peer.failure().0,
        StreamFailure::SeeOtherHost {
            host: "evil.test:5222".to_owned()
        }
    );
}

#[test]
fn bytes_one_by_one_make_the_same_session() {
    let run = |chunk: usize| {
        let mut peer = Peer::plain(login());
        peer.chunk = chunk;
        peer.start_tls();
        peer::bind_all(&mut peer);
        peer.send("<message xmlns='jabber:client' to='b@lab.test'><body>hi</body></message>");
        peer.sent();
        peer.say("<message from='b@lab.test'><body>\u{fc}\u{1f600}</body></message> <r xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='1'/>");
        peer.stream.mark_handled(1);
        peer.sent();
        peer.say("<presence/></stream:stream>");
        peer.sent();
        peer.transcript
    };
    let at_once = run(usize::MAX);
    assert_eq!(at_once, run(1));
    assert_eq!(at_once, run(3));
    assert!(at_once.iter().any(|line| line.contains("h='1'")));
}

#[test]
fn nothing_secret_shows_itself() {
    let login = login();
    let shown = format!(
        "{login:?} {:?} {:?}",
        Purpose::Login(login.clone()),
        peer::tls()
    );
    assert!(
        !shown.contains("pencil") && !shown.contains("7, 7"),
        "{shown}"
    );
    let mut peer = bound_unread();
    peer.say("<message from='b@lab.test'><body>secret words</body></message>");
    let shown = format!("{:?}", peer.events());
    assert!(
        shown.contains("Stanza(message)") && !shown.contains("secret"),
        "{shown}"
    );
}
