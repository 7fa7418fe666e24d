//! SASL 2, Bind 2 and resumption in one step (XEP-0388, XEP-0386, XEP-0198 §9).

use std::time::Duration;

use sotto_xmpp::stream::{Login, StreamEvent, StreamFailure};

use crate::peer::{BIND_FEATURES, Peer, SASL, attribute, login, resume_state};
use crate::scram_server::{ScramServer, base64_in};

const SASL2: &str = "urn:xmpp:sasl:2";
const INLINE: &str = "<inline><sm xmlns='urn:xmpp:sm:3'/><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:carbons:2'/><feature var='urn:xmpp:sm:3'/></inline></bind></inline>";

fn features(server: &ScramServer, inline: &str) -> String {
    format!(
        "<stream:features>{}<authentication xmlns='{SASL2}'>{}{inline}</authentication><mechanisms xmlns='{SASL}'>{}</mechanisms></stream:features>",
        server.binding_list(),
        server.mechanism_list(),
        server.mechanism_list()
    )
}

/// Signs in until the server's success, of which `rest` is the part after the proof; gives the request.
fn sign_in(peer: &mut Peer, inline: &str, rest: &str) -> String {
    let mut server = ScramServer::default();
    peer.features(&features(&server, inline));
    let request = peer.sent();
    let challenge = server.first(&request);
    peer.say(&format!(
        "<challenge xmlns='{SASL2}'>{challenge}</challenge>"
    ));
    let response = peer.sent();
    assert!(response.starts_with("<response xmlns='urn:xmpp:sasl:2'>"));
    let last = server.last(&response).expect("the client's proof");
    peer.say(&format!(
        "<success xmlns='{SASL2}'><additional-data>{last}</additional-data>{rest}</success>"
    ));
    request
}

const BOUND: &str = "<authorization-identifier>alice@lab.test/Sotto.1</authorization-identifier><bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='sm-2' resume='1' max='60'/></bound>";

#[test]
fn everything_is_bound_in_one_step() {
    let mut peer = Peer::direct(login());
    let request = sign_in(&mut peer, INLINE, BOUND);
    assert!(request.starts_with(
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-256'><initial-response>"
    ));
    assert!(request.ends_with(
        "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>Sotto</software></user-agent>\
         <bind xmlns='urn:xmpp:bind:0'><tag>Sotto</tag><enable xmlns='urn:xmpp:carbons:2'/>\
         <enable xmlns='urn:xmpp:sm:3' resume='true'/></bind></authenticate>"
    ));
    assert!(base64_in(&request).starts_with("y,,n=alice,r="));
    assert_eq!(peer.sent(), "", "no new first tag");
    peer.say(BIND_FEATURES);
    let StreamEvent::Bound {
        jid, sm, features, ..
    } = peer.event()
    else {
        panic!("not bound");
    };
    assert_eq!(jid.as_str(), "alice@lab.test/Sotto.1");
    assert!(sm && features.client_state);
    let state = peer.stream.resume_state().unwrap();
    assert_eq!((state.id.as_str(), state.max_seconds), ("sm-2", Some(60)));
}

#[test]
fn the_features_after_it_may_be_missing() {
    let mut peer = Peer::direct(login());
    sign_in(&mut peer, INLINE, BOUND);
    assert!(peer.events().is_empty());
    peer.wait(Duration::from_secs(2));
    assert!(matches!(peer.event(), StreamEvent::Bound { sm: true, .. }));

    let mut peer = Peer::direct(login());
    sign_in(&mut peer, INLINE, BOUND);
    peer.say("<message id='1'/>");
    let events = peer.events();
    assert!(
        matches!(
            events.as_slice(),
            [StreamEvent::Bound { .. }, StreamEvent::Stanza(_)]
        ),
        "{events:?}"
    );
    peer.stream.mark_handled(1);
    assert_eq!(peer.stream.resume_state().unwrap().handled, 1);
}

#[test]
fn stream_management_that_is_not_inline_is_switched_on_after_it() {
    let inline = "<inline><bind xmlns='urn:xmpp:bind:0'/></inline>";
    let mut peer = Peer::direct(login());
    let request = sign_in(
        &mut peer,
        inline,
        "<authorization-identifier>alice@lab.test/Sotto.1</authorization-identifier><bound xmlns='urn:xmpp:bind:0'/>",
    );
    assert!(!request.contains("urn:xmpp:sm:3") && request.contains("urn:xmpp:bind:0"));
    peer.say(BIND_FEATURES);
    assert_eq!(peer.sent(), "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    peer.say("<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true'/>");
    assert!(matches!(peer.event(), StreamEvent::Bound { sm: true, .. }));
}

#[test]
fn a_wished_resource_is_bound_in_the_old_way() {
    let mut peer = Peer::direct(Login {
        resource: Some("desk".to_owned()),
        ..login()
    });
    let request = sign_in(
        &mut peer,
        INLINE,
        "<authorization-identifier>alice@lab.test</authorization-identifier>",
    );
    assert!(!request.contains("urn:xmpp:bind:0"));
    peer.say(BIND_FEATURES);
    let bind = peer.sent();
    assert!(bind.contains("<resource>desk</resource>"));
    let id = attribute(&bind, "id");
    peer.say(&format!("<iq type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@lab.test/desk</jid></bind></iq>"));
    assert!(peer.sent().starts_with("<enable "));
}

fn resuming() -> Peer {
    Peer::direct(Login {
        resume: Some(resume_state()),
        ..login()
    })
}

#[test]
fn the_old_session_is_resumed_in_one_step() {
    let mut peer = resuming();
    let request = sign_in(
        &mut peer,
        INLINE,
        "<authorization-identifier>alice@lab.test/old</authorization-identifier><resumed xmlns='urn:xmpp:sm:3' previd='old' h='8'/>",
    );
    assert!(request.contains("<resume xmlns='urn:xmpp:sm:3' h='5' previd='old'/><bind "));
    assert!(matches!(
        peer.event(),
        StreamEvent::Resumed { acked: 8, .. }
    ));
    assert_eq!(peer.send("<message xmlns='jabber:client'/>"), 9);
    // Some servers send their features all the same.
    peer.say(BIND_FEATURES);
    peer.say("<message/>");
    assert_eq!(peer.stanzas().len(), 1);
}

#[test]
fn a_session_that_is_gone_is_followed_by_a_fresh_one_in_the_same_step() {
    let mut peer = resuming();
    sign_in(
        &mut peer,
        INLINE,
        &format!(
            "<failed xmlns='urn:xmpp:sm:3' h='9'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>{BOUND}"
        ),
    );
    peer.say(BIND_FEATURES);
    let events = peer.events();
    assert!(
        matches!(
            events.as_slice(),
            [
                StreamEvent::ResumeFailed { acked: Some(9) },
                StreamEvent::Bound { sm: true, .. }
            ]
        ),
        "{events:?}"
    );
}

#[test]
fn where_resumption_is_not_inline_nothing_is_bound_before_it() {
    let inline = "<inline><bind xmlns='urn:xmpp:bind:0'/></inline>";
    let mut peer = resuming();
    let request = sign_in(
        &mut peer,
        inline,
        "<authorization-identifier>alice@lab.test</authorization-identifier>",
    );
    assert!(!request.contains("urn:xmpp:bind:0"));
    peer.say(BIND_FEATURES);
    assert_eq!(
        peer.sent(),
        "<resume xmlns='urn:xmpp:sm:3' h='5' previd='old'/>"
    );
}

#[test]
fn s_xmpp_16_a_wrong_resumption_inside_the_login_is_the_end() {
    for resumed in [
        "previd='other' h='8'",
        "previd='old' h='11'",
        "previd='old'",
    ] {
        let mut peer = resuming();
        sign_in(
            &mut peer,
            INLINE,
            &format!("<resumed xmlns='urn:xmpp:sm:3' {resumed}/>"),
        );
        let (failure, _) = peer.failure();
        assert!(matches!(
            failure,
            StreamFailure::Protocol { .. } | StreamFailure::HandledCountTooHigh { .. }
        ));
    }
}

#[test]
fn another_address_than_ours_is_not_bound_inside_the_login() {
    for jid in ["mallory@lab.test/x", "alice@lab.test", ""] {
        let mut peer = Peer::direct(login());
        sign_in(
            &mut peer,
            INLINE,
            &format!(
                "<authorization-identifier>{jid}</authorization-identifier><bound xmlns='urn:xmpp:bind:0'/>"
            ),
        );
        assert!(
            matches!(peer.failure().0, StreamFailure::Protocol { .. }),
            "{jid}"
        );
    }
}

#[test]
fn s_tls_09_success_without_proof_is_refused() {
    let mut server = ScramServer::default();
    let mut peer = Peer::direct(login());
    peer.features(&features(&server, INLINE));
    let challenge = server.first(&peer.sent());
    peer.say(&format!(
        "<challenge xmlns='{SASL2}'>{challenge}</challenge>"
    ));
    peer.sent();
    peer.say(&format!("<success xmlns='{SASL2}'>{BOUND}</success>"));
    assert!(matches!(
        peer.failure().0,
        StreamFailure::ServerNotAuthentic { .. }
    ));
}

#[test]
fn refusals_and_second_steps_are_told() {
    let failing = |answer: &str| {
        let mut peer = Peer::direct(login());
        peer.features(&features(&ScramServer::default(), INLINE));
        peer.sent();
        peer.say(answer);
        peer.failure().0
    };
    assert_eq!(
        failing(&format!(
            "<failure xmlns='{SASL2}'><not-authorized xmlns='{SASL}'/><text>why</text></failure>"
        )),
        StreamFailure::NotAuthorized {
            text: "why".to_owned()
        }
    );
    assert!(matches!(
        failing(&format!(
            "<continue xmlns='{SASL2}'><tasks><task>TOTP</task></tasks></continue>"
        )),
        StreamFailure::Refused { .. }
    ));
    // Answers in the words of the other profile are out of place.
    assert!(matches!(
        failing(&format!("<success xmlns='{SASL}'/>")),
        StreamFailure::Protocol { .. }
    ));
}

#[test]
fn an_offer_that_contradicts_itself_is_not_taken() {
    // XEP-0440 §3 rule 4: -PLUS without types, forbidden here, undefined in the old profile.
    let server = ScramServer {
        mechanisms: vec!["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"],
        ..ScramServer::default()
    };
    let mut peer = Peer::direct(login());
    peer.features(&features(&server, INLINE));
    assert!(peer.sent().starts_with("<auth "));

    let only = format!(
        "<stream:features><authentication xmlns='{SASL2}'>{}</authentication></stream:features>",
        server.mechanism_list()
    );
    let mut peer = Peer::direct(login());
    peer.features(&only);
    assert!(matches!(peer.failure().0, StreamFailure::Downgrade { .. }));
}

#[test]
fn binding_holds_in_the_new_profile_too() {
    let mut server = ScramServer {
        mechanisms: vec!["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"],
        bindings: Some(vec!["tls-server-end-point", "tls-exporter"]),
        ..ScramServer::default()
    };
    let mut peer = Peer::direct(login());
    peer.features(&features(&server, INLINE));
    let request = peer.sent();
    assert!(request.contains("mechanism='SCRAM-SHA-256-PLUS'"));
    let challenge = server.first(&request);
    peer.say(&format!(
        "<challenge xmlns='{SASL2}'>{challenge}</challenge>"
    ));
    assert!(server.last(&peer.sent()).is_ok());
}
