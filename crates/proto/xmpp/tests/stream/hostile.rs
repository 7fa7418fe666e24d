//! Servers, and people between us and them, who break the rules.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use sotto_xmpp::stream::{
    Condition, Login, MechanismMemory, Purpose, Security, StreamEvent, StreamFailure,
};

use crate::peer::{
    self, BIND_FEATURES, HEADER, PROCEED, Peer, SASL, STARTTLS, attribute, bound, login,
};
use crate::scram_server::{ScramServer, base64_in};

fn condition(peer: &mut Peer) -> (Condition, String) {
    match peer.failure() {
        (StreamFailure::Protocol { condition, .. }, sent) => (condition, sent),
        other => panic!("{other:?}"),
    }
}

#[test]
fn s_tls_01_without_starttls_nothing_is_said() {
    for features in [
        "<stream:features/>",
        "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>",
        "<stream:features><starttls xmlns='urn:x'/></stream:features>",
        "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>",
    ] {
        for purpose in [
            Purpose::Login(Login {
                allow_plain: true,
                ..login()
            }),
            Purpose::Register,
        ] {
            let mut peer = Peer::new(purpose, Security::NotYet);
            peer.features(features);
            let (failure, sent) = peer.failure();
            assert_eq!(failure, StreamFailure::NoEncryption);
            assert_eq!(sent, "</stream:stream>");
        }
    }
}

#[test]
fn s_tls_01_optional_starttls_is_used_and_its_refusal_is_the_end() {
    let features = format!(
        "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><optional/></starttls>{}",
        &ScramServer::default().features()["<stream:features>".len()..]
    );
    let mut peer = Peer::plain(login());
    peer.features(&features);
    assert!(peer.sent().starts_with("<starttls "));
    peer.say("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>");
    assert_eq!(peer.failure().0, StreamFailure::NoEncryption);
}

#[test]
fn s_tls_01_a_server_that_goes_on_without_tls_is_left() {
    for instead in [
        format!("<success xmlns='{SASL}'/>"),
        "<stream:features/>".to_owned(),
        "<iq type='result' id='1'/>".to_owned(),
        "<proceed xmlns='urn:x'/>".to_owned(),
    ] {
        let mut peer = Peer::plain(login());
        peer.features(STARTTLS);
        peer.sent();
        peer.say(&instead);
        assert_eq!(condition(&mut peer).0, Condition::UnsupportedStanzaType);
        assert!(!peer.starttls);
    }
}

#[test]
fn s_tls_02_bytes_behind_proceed_are_refused() {
    for injected in [
        "<stream:features/>",
        "x",
        " ",
        "<?xml version='1.0'?>",
        "\u{fc}",
    ] {
        for chunk in [usize::MAX, 1] {
            let mut peer = Peer::plain(login());
            peer.features(STARTTLS);
            peer.sent();
            peer.chunk = chunk;
            peer.say(&format!("{PROCEED}{injected}"));
            let (failure, sent) = peer.failure();
            assert!(matches!(
                failure,
                StreamFailure::Protocol {
                    condition: Condition::PolicyViolation,
                    ..
                }
            ));
            assert!(chunk == 1 || sent.starts_with("<stream:error>"));
            assert!(chunk == 1 || !peer.starttls, "TLS is not begun");
        }
    }
}

#[test]
fn s_tls_02_nothing_heard_before_tls_counts_after_it() {
    let mut peer = Peer::plain(login());
    peer.start_tls();
    assert!(peer.sent().contains("<stream:stream "));
    // The features of before are forgotten: without new ones nothing goes on.
    assert_eq!(peer.sent(), "");
    peer.say("<stream:features/>");
    assert_eq!(condition(&mut peer).0, Condition::BadNamespacePrefix);
}

#[test]
fn s_tls_02_tls_that_nobody_asked_for_changes_nothing() {
    let mut peer = Peer::plain(login());
    peer.sent();
    peer.stream.handle_tls(peer::tls(), peer.now);
    peer.say(HEADER);
    peer.say(&ScramServer::default().features());
    assert_eq!(peer.failure().0, StreamFailure::NoEncryption);
}

#[test]
fn first_tags_of_something_else_are_refused() {
    for (header, expected) in [
        ("<html>", Condition::InvalidNamespace),
        (
            "<stream:stream xmlns='jabber:client' xmlns:stream='urn:x' version='1.0'>",
            Condition::InvalidNamespace,
        ),
        (
            "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
            Condition::InvalidNamespace,
        ),
        (
            "<stream:stream xmlns='jabber:client&#10;' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
            Condition::InvalidNamespace,
        ),
        (
            "<stream:stream xmlns='jabber:client' version='1.0'>",
            Condition::BadNamespacePrefix,
        ),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", Condition::NotWellFormed),
        ("SSH-2.0-OpenSSH_9.2", Condition::NotWellFormed),
    ] {
        let mut peer = Peer::direct(login());
        peer.sent();
        peer.say(header);
        assert_eq!(condition(&mut peer).0, expected, "{header}");
    }
    for (header, expected) in [
        (
            HEADER.replace(" version='1.0' xml", " xml"),
            Condition::UnsupportedVersion,
        ),
        (
            HEADER.replace(" version='1.0' xml", " version='0.9' xml"),
            Condition::UnsupportedVersion,
        ),
        (
            HEADER.replace("lab.test", "evil.test"),
            Condition::InvalidFrom,
        ),
    ] {
        let mut peer = Peer::direct(login());
        peer.sent();
        peer.say(&header);
        peer.say(&ScramServer::default().features());
        let (told, sent) = condition(&mut peer);
        assert_eq!(told, expected);
        assert!(!sent.contains("<auth"));
    }
}

#[test]
fn s_tls_06_a_login_bound_to_another_connection_is_refused_by_the_server() {
    let mut server = ScramServer {
        mechanisms: vec!["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"],
        bindings: Some(vec!["tls-exporter", "tls-server-end-point"]),
        binding_data: vec![8; 32],
        ..ScramServer::default()
    };
    let mut peer = Peer::direct(login());
    peer.features(&server.features());
    let challenge = server.first(&peer.sent());
    peer.say(&format!(
        "<challenge xmlns='{SASL}'>{challenge}</challenge>"
    ));
    assert!(
        server.last(&peer.sent()).is_err(),
        "the man in the middle is found out"
    );
    peer.say(&format!(
        "<failure xmlns='{SASL}'><not-authorized/></failure>"
    ));
    let (failure, _) = peer.failure();
    assert!(failure.to_string().contains("channel binding"), "{failure}");
}

#[test]
fn s_tls_06_s_tls_07_a_weaker_offer_than_before_ends_the_login_before_it_begins() {
    for (mechanisms, bindings, remembered) in [
        (vec!["SCRAM-SHA-256"], None, ("SCRAM-SHA-256", true)),
        (
            vec!["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"],
            None,
            ("SCRAM-SHA-256", true),
        ),
        (vec!["SCRAM-SHA-1"], None, ("SCRAM-SHA-512", false)),
        (vec!["PLAIN"], None, ("SCRAM-SHA-1", false)),
        (
            vec!["SCRAM-SHA-256"],
            Some(vec!["tls-exporter"]),
            ("SCRAM-SHA-256", false),
        ),
    ] {
        let server = ScramServer {
            mechanisms,
            bindings,
            ..ScramServer::default()
        };
        let mut peer = Peer::direct(Login {
            allow_plain: true,
            remembered: Some(MechanismMemory {
                mechanism: remembered.0.to_owned(),
                channel_binding: remembered.1,
            }),
            ..login()
        });
        peer.features(&server.features());
        let (failure, sent) = peer.failure();
        assert!(
            matches!(failure, StreamFailure::Downgrade { .. }),
            "{failure:?}"
        );
        assert_eq!(sent, "</stream:stream>");
    }
}

#[test]
fn s_tls_07_a_list_changed_on_the_way_is_found_out() {
    let mut server = ScramServer {
        mechanisms: vec!["SCRAM-SHA-256", "SCRAM-SHA-512"],
        ..ScramServer::default()
    };
    let truth = server.digest(b"SCRAM-SHA-256\x1eSCRAM-SHA-512");
    server.extensions = format!(",h={}", BASE64.encode(truth));
    // Untouched: the login goes on (the server's own choice of hash for `h` is the mechanism's).
    let stripped = "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-256</mechanism></mechanisms></stream:features>";
    let mut peer = Peer::direct(login());
    peer.features(stripped);
    let challenge = server.first(&peer.sent());
    peer.say(&format!(
        "<challenge xmlns='{SASL}'>{challenge}</challenge>"
    ));
    let (failure, sent) = peer.failure();
    assert!(matches!(failure, StreamFailure::Downgrade { .. }));
    assert_eq!(sent, "</stream:stream>");

    let mut honest = ScramServer {
        mechanisms: vec!["SCRAM-SHA-256"],
        ..ScramServer::default()
    };
    honest.extensions = format!(",h={}", BASE64.encode(honest.digest(b"SCRAM-SHA-256")));
    let mut peer = Peer::direct(login());
    peer.scram(&mut honest);
    assert!(peer.sent().contains("<stream:stream "));
}

#[test]
fn s_tls_06_binding_types_without_the_mandatory_one_need_the_servers_proof() {
    let offer = || ScramServer {
        mechanisms: vec!["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"],
        bindings: Some(vec!["tls-unique"]),
        ..ScramServer::default()
    };
    let mut server = offer();
    let mut peer = Peer::direct(login());
    peer.features(&server.features());
    let challenge = server.first(&peer.sent());
    peer.say(&format!(
        "<challenge xmlns='{SASL}'>{challenge}</challenge>"
    ));
    assert!(matches!(peer.failure().0, StreamFailure::Downgrade { .. }));

    let mut server = offer();
    let list = server.digest(b"SCRAM-SHA-256\x1eSCRAM-SHA-256-PLUS\x1ftls-unique");
    server.extensions = format!(",h={}", BASE64.encode(list));
    let mut peer = Peer::direct(login());
    peer.scram(&mut server);
    assert!(peer.sent().contains("<stream:stream "));
}

/// Server-first messages; `NONCE` stands for the client's.
const BAD_FIRST: [&str; 26] = [
    "",
    "hello",
    "s=c2FsdA==,i=4096",
    "r=NONCEx,i=4096",
    "r=NONCEx,s=c2FsdA==",
    "s=c2FsdA==,r=NONCEx,i=4096",
    "r=,s=c2FsdA==,i=4096",
    "r=NONCE,s=c2FsdA==,i=4096",
    "r=xNONCE,s=c2FsdA==,i=4096",
    "r=another,s=c2FsdA==,i=4096",
    "r=NONCEx,s=,i=4096",
    "r=NONCEx,s=*,i=4096",
    "r=NONCEx,s=c2FsdA==,i=1",
    "r=NONCEx,s=c2FsdA==,i=0",
    "r=NONCEx,s=c2FsdA==,i=4095",
    "r=NONCEx,s=c2FsdA==,i=1000001",
    "r=NONCEx,s=c2FsdA==,i=4294967296",
    "r=NONCEx,s=c2FsdA==,i=4294971392",
    "r=NONCEx,s=c2FsdA==,i=-4096",
    "r=NONCEx,s=c2FsdA==,i=+4096",
    "r=NONCEx,s=c2FsdA==,i=04096",
    "r=NONCEx,s=c2FsdA==,i=4096,m=x",
    "m=x,r=NONCEx,s=c2FsdA==,i=4096",
    "r=NONCEx,s=c2FsdA==,i=4096,i=4096",
    "r=NONCEx,s=c2FsdA==,i=4096,",
    "e=other-error",
];

#[test]
fn s_tls_08_bad_first_messages_end_the_login_before_the_clients_proof() {
    for message in BAD_FIRST {
        let mut peer = Peer::direct(login());
        peer.features(&ScramServer::default().features());
        let first = base64_in(&peer.sent());
        let nonce = first.split(",r=").nth(1).expect("the client's nonce");
        let challenge = BASE64.encode(message.replace("NONCE", nonce));
        peer.say(&format!(
            "<challenge xmlns='{SASL}'>{challenge}</challenge>"
        ));
        let (failure, sent) = peer.failure();
        assert!(
            matches!(failure, StreamFailure::ServerNotAuthentic { .. }),
            "{message}"
        );
        assert_eq!(sent, "</stream:stream>", "{message}");
    }
    for raw in ["***", "c", "====", "r=x"] {
        let mut peer = Peer::direct(login());
        peer.features(&ScramServer::default().features());
        peer.sent();
        peer.say(&format!("<challenge xmlns='{SASL}'>{raw}</challenge>"));
        let (failure, sent) = peer.failure();
        assert!(matches!(failure, StreamFailure::ServerNotAuthentic { .. }));
        assert_eq!(sent, "</stream:stream>");
    }
}

/// The login until the client has sent its proof; gives the server's true answer as well.
fn until_proof() -> (Peer, String) {
    let mut peer = Peer::direct(login());
    let mut server = ScramServer::default();
    peer.features(&server.features());
    let challenge = server.first(&peer.sent());
    peer.say(&format!(
        "<challenge xmlns='{SASL}'>{challenge}</challenge>"
    ));
    let last = server.last(&peer.sent()).expect("the client's proof");
    (peer, last)
}

#[test]
fn s_tls_09_a_server_that_does_not_prove_itself_is_not_signed_in_to() {
    let truth = String::from_utf8(BASE64.decode(until_proof().1).unwrap()).unwrap();
    let mut other = truth.clone().into_bytes();
    other[4] = if other[4] == b'A' { b'B' } else { b'A' };
    let other = String::from_utf8(other).unwrap();
    let encoded = |message: &str| BASE64.encode(message);
    for (what, data) in [
        ("nothing", String::new()),
        ("`=`", "=".to_owned()),
        ("an error", encoded("e=server-error")),
        ("another signature", encoded(&other)),
        ("a signature cut short", encoded(&truth[..20])),
        ("another attribute", encoded(&truth.replace("v=", "x="))),
        ("no Base64", "***".to_owned()),
        ("an empty signature", encoded("v=")),
    ] {
        let (mut peer, _) = until_proof();
        peer.say(&format!("<success xmlns='{SASL}'>{data}</success>"));
        let (failure, sent) = peer.failure();
        assert!(
            matches!(failure, StreamFailure::ServerNotAuthentic { .. }),
            "{what}"
        );
        assert_eq!(sent, "</stream:stream>", "{what}");
    }
    let (mut peer, truth) = until_proof();
    peer.say(&format!("<success xmlns='{SASL}'>{truth}</success>"));
    assert!(peer.sent().contains("<stream:stream "));
}

#[test]
fn s_tls_09_success_before_its_time_is_refused() {
    // At once, instead of a challenge.
    let mut peer = Peer::direct(login());
    peer.features(&ScramServer::default().features());
    peer.sent();
    peer.say(&format!("<success xmlns='{SASL}'>dj1BQUFB</success>"));
    assert!(matches!(
        peer.failure().0,
        StreamFailure::ServerNotAuthentic { .. }
    ));
    // While we derive.
    let mut peer = Peer::direct(login());
    peer.hold_keys = true;
    let mut server = ScramServer::default();
    peer.features(&server.features());
    let challenge = server.first(&peer.sent());
    peer.say(&format!(
        "<challenge xmlns='{SASL}'>{challenge}</challenge>"
    ));
    peer.say(&format!("<success xmlns='{SASL}'/>"));
    assert!(matches!(
        peer.failure().0,
        StreamFailure::ServerNotAuthentic { .. }
    ));
    // A second challenge instead of the proof.
    let (mut peer, _) = until_proof();
    peer.say(&format!(
        "<challenge xmlns='{SASL}'>{challenge}</challenge>"
    ));
    assert!(matches!(
        peer.failure().0,
        StreamFailure::ServerNotAuthentic { .. }
    ));
    // Bound without having signed in.
    let mut peer = Peer::direct(login());
    peer.features(BIND_FEATURES);
    let (failure, sent) = peer.failure();
    assert!(matches!(failure, StreamFailure::MechanismTooWeak { .. }));
    assert_eq!(sent, "</stream:stream>");
}

#[test]
fn another_address_than_ours_is_not_bound() {
    for jid in [
        "mallory@lab.test/r",
        "alice@evil.test/r",
        "alice@lab.test",
        "lab.test/r",
        "",
        "@/",
    ] {
        let mut peer = Peer::direct(login());
        peer.scram(&mut ScramServer::default());
        peer.features(BIND_FEATURES);
        let id = attribute(&peer.sent(), "id");
        peer.say(&format!("<iq type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>{jid}</jid></bind></iq>"));
        assert_eq!(
            condition(&mut peer).0,
            Condition::UndefinedCondition,
            "{jid}"
        );
    }
}

#[test]
fn s_xml_01_restricted_xml_closes_a_session_with_its_condition() {
    for bad in [
        "<!DOCTYPE x>",
        "<!-- x -->",
        "<?x?>",
        "<message>&x;</message>",
    ] {
        let mut peer = bound();
        peer.say(bad);
        let (told, sent) = condition(&mut peer);
        assert_eq!(told, Condition::RestrictedXml);
        assert_eq!(
            sent,
            "<stream:error><restricted-xml xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
        );
    }
}

#[test]
fn s_xml_02_stanzas_are_smaller_before_the_login() {
    let text = "x".repeat(70 * 1024);
    let mut peer = Peer::direct(login());
    peer.sent();
    peer.say(HEADER);
    peer.say(&format!("<stream:features><x xmlns='u'>{text}"));
    assert_eq!(condition(&mut peer).0, Condition::PolicyViolation);

    let mut peer = bound();
    peer.say(&format!("<message><body>{text}</body></message>"));
    assert_eq!(peer.stanzas().len(), 1);
    peer.say(&format!("<message><body>{}", "x".repeat(1024 * 1024)));
    assert_eq!(condition(&mut peer).0, Condition::PolicyViolation);
}

#[test]
fn s_xml_03_malformed_utf_8_closes_a_session() {
    let mut peer = bound();
    peer.say_bytes(b"<message><body>\xc0\xbcx/></body></message>");
    assert_eq!(condition(&mut peer).0, Condition::UnsupportedEncoding);
}

#[test]
fn s_xml_04_a_stream_in_a_session_is_refused() {
    let mut peer = bound();
    peer.say(HEADER.trim_start_matches("<?xml version='1.0'?>"));
    assert_eq!(condition(&mut peer).0, Condition::InvalidXml);
}

#[test]
fn s_xml_05_stanzas_of_other_namespaces_are_refused() {
    for namespace in ["jabber:client&#10;", "jabber:server", "", "urn:x"] {
        let mut peer = bound();
        peer.say(&format!(
            "<message xmlns='{namespace}'><body>x</body></message>"
        ));
        assert_eq!(condition(&mut peer).0, Condition::InvalidNamespace);
    }
}

#[test]
fn s_xml_06_compression_is_neither_asked_for_nor_taken() {
    let mut peer = Peer::direct(login());
    peer.scram(&mut ScramServer::default());
    peer.features("<stream:features><compression xmlns='http://jabber.org/features/compress'><method>zlib</method></compression><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>");
    assert!(!peer.sent().contains("compress"));
    peer.say("<compressed xmlns='http://jabber.org/protocol/compress'/>");
    assert_eq!(condition(&mut peer).0, Condition::UnsupportedStanzaType);
}

#[test]
fn after_the_end_nothing_is_heard_and_nothing_said() {
    let mut peer = bound();
    peer.say("<message/>broken<");
    peer.failure();
    peer.say("<message/></stream:stream>");
    assert!(peer.events().is_empty());
    assert_eq!(peer.send("<message xmlns='jabber:client'/>"), 0);
    peer.stream.close(peer.now);
    peer.stream.mark_handled(3);
    assert_eq!(peer.sent(), "");
    assert_eq!(peer.stream.poll_timeout(), None);
    assert_eq!(peer.stream.resume_state(), None);
}

#[test]
fn the_servers_end_of_a_stream_is_answered() {
    let mut peer = bound();
    peer.say("</stream:stream>");
    let (failure, sent) = peer.failure();
    assert_eq!(failure, StreamFailure::Ended);
    assert_eq!(sent, "</stream:stream>");
}

/// Words that servers say, in no order.
fn word() -> impl Strategy<Value = String> {
    let server = ScramServer::default();
    prop::sample::select(vec![
        HEADER.to_owned(),
        STARTTLS.to_owned(),
        PROCEED.to_owned(),
        server.features(),
        BIND_FEATURES.to_owned(),
        format!("<challenge xmlns='{SASL}'>cj1h</challenge>"),
        format!("<success xmlns='{SASL}'/>"),
        format!("<failure xmlns='{SASL}'><not-authorized/></failure>"),
        "<iq type='result' id='5152535455565759'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@lab.test/r</jid></bind></iq>".to_owned(),
        "<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true'/>".to_owned(),
        "<failed xmlns='urn:xmpp:sm:3'/>".to_owned(),
        "<resumed xmlns='urn:xmpp:sm:3' previd='old' h='8'/>".to_owned(),
        "<r xmlns='urn:xmpp:sm:3'/>".to_owned(),
        "<a xmlns='urn:xmpp:sm:3' h='1'/>".to_owned(),
        "<message><body>x</body></message>".to_owned(),
        "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>".to_owned(),
        "</stream:stream>".to_owned(),
        "<".to_owned(),
        "\u{0}".to_owned(),
        " ".to_owned(),
    ])
}

/// What the caller does between the server's words.
#[derive(Clone, Debug)]
enum Act {
    Say(String),
    Tls,
    Send,
    Mark,
    Close,
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => word().prop_map(Act::Say),
        1 => Just(Act::Tls),
        1 => Just(Act::Send),
        1 => Just(Act::Mark),
        1 => Just(Act::Close),
        1 => (0_u64..100).prop_map(Act::Wait),
    ]
}

proptest! {
    #[test]
    fn no_order_of_words_and_acts_panics_or_binds_without_a_login(
        acts in prop::collection::vec(act(), 0..24),
        start in 0..3,
    ) {
        let mut peer = match start {
            0 => Peer::plain(Login { resume: Some(peer::resume_state()), ..login() }),
            1 => Peer::direct(Login { resume: Some(peer::resume_state()), ..login() }),
            _ => bound(),
        };
        for act in acts {
            match act {
                Act::Say(text) => peer.say(&text),
                Act::Tls => peer.stream.handle_tls(peer::tls(), peer.now),
                Act::Send => drop(peer.send("<message xmlns='jabber:client'/>")),
                Act::Mark => peer.stream.mark_handled(2),
                Act::Close => peer.stream.close(peer.now),
                Act::Wait(seconds) => peer.wait(std::time::Duration::from_secs(seconds)),
            }
            peer.sent();
        }
        let bound_again = peer.events().iter().any(|event| {
            matches!(event, StreamEvent::Bound { .. } | StreamEvent::Resumed { .. })
        });
        prop_assert!(!bound_again, "nobody proved anything");
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), open in any::<bool>()) {
        let mut peer = if open { bound() } else { Peer::direct(login()) };
        peer.sent();
        peer.say_bytes(&bytes);
        peer.sent();
    }
}
