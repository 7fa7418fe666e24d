//! Taking up the old session again.

use sotto_xmpp::sm::ResumeState;
use sotto_xmpp::stream::{Login, StreamEvent, StreamFailure};

use crate::peer::{BIND_FEATURES, Peer, attribute, login, resume_state};
use crate::scram_server::ScramServer;

const RESUME: &str = "<resume xmlns='urn:xmpp:sm:3' h='5' previd='old'/>";

fn resuming() -> Peer {
    let mut peer = Peer::direct(Login {
        resume: Some(resume_state()),
        ..login()
    });
    peer.scram(&mut ScramServer::default());
    peer.features(BIND_FEATURES);
    assert_eq!(peer.sent(), RESUME);
    peer
}

fn bind_after(peer: &mut Peer) {
    let id = attribute(&peer.sent(), "id");
    peer.say(&format!("<iq type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@lab.test/new</jid></bind></iq>"));
    peer.sent();
    peer.say("<enabled xmlns='urn:xmpp:sm:3' id='sm-2' resume='true'/>");
}

#[test]
fn a_session_goes_on_where_both_sides_were() {
    let mut peer = resuming();
    peer.say("<resumed xmlns='urn:xmpp:sm:3' previd='old' h='8'/><message id='again'/>");
    let events = peer.events();
    let [
        StreamEvent::Resumed { jid, acked: 8, .. },
        StreamEvent::Stanza(stanza),
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!(jid.as_str(), "alice@lab.test/old");
    assert_eq!(stanza.attr("id"), Some("again"));
    // Two stanzas of ours are to be sent again; their numbers follow what the server has.
    assert_eq!(peer.send("<message xmlns='jabber:client' id='9'/>"), 9);
    assert_eq!(peer.send("<message xmlns='jabber:client' id='10'/>"), 10);
    peer.stream.mark_handled(1);
    let state = peer.stream.resume_state().unwrap();
    let expected = ResumeState {
        handled: 6,
        sent: 10,
        acked: 8,
        ..resume_state()
    };
    assert_eq!(state, expected);
    peer.sent();
    peer.say("<a xmlns='urn:xmpp:sm:3' h='10'/>");
    assert!(matches!(peer.event(), StreamEvent::Acked { sequence: 10 }));
}

#[test]
fn a_state_that_was_written_down_resumes_after_a_restart() {
    let mut first = crate::peer::bound();
    first.say("<message/><message/>");
    first.events();
    first.stream.mark_handled(1);
    first.send("<message xmlns='jabber:client'/>");
    let written = serde_json::to_string(&first.stream.resume_state().unwrap()).unwrap();
    // The program is killed here; the bytes were perhaps sent, perhaps not.
    let mut peer = Peer::direct(Login {
        resume: Some(serde_json::from_str(&written).unwrap()),
        ..login()
    });
    peer.scram(&mut ScramServer::default());
    peer.features(BIND_FEATURES);
    assert_eq!(
        peer.sent(),
        "<resume xmlns='urn:xmpp:sm:3' h='1' previd='sm-1'/>"
    );
    peer.say("<resumed xmlns='urn:xmpp:sm:3' previd='sm-1' h='0'/><message/>");
    let events = peer.events();
    assert!(
        matches!(
            events.as_slice(),
            [
                StreamEvent::Resumed { acked: 0, .. },
                StreamEvent::Stanza(_)
            ]
        ),
        "{events:?}"
    );
    assert_eq!(peer.send("<message xmlns='jabber:client'/>"), 1);
}

#[test]
fn a_session_that_is_gone_is_followed_by_a_fresh_one() {
    for (attribute, expected) in [
        ("", None),
        ("h='9'", Some(9)),
        ("h='11'", None),
        ("h='x'", None),
        ("h='6'", None),
    ] {
        let mut peer = resuming();
        peer.say(&format!("<failed xmlns='urn:xmpp:sm:3' {attribute}><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"));
        bind_after(&mut peer);
        let events = peer.events();
        let [
            StreamEvent::ResumeFailed { acked },
            StreamEvent::Bound { jid, sm: true, .. },
        ] = events.as_slice()
        else {
            panic!("{events:?}");
        };
        assert_eq!(*acked, expected);
        assert_eq!(jid.as_str(), "alice@lab.test/new");
        assert_eq!(
            peer.send("<message xmlns='jabber:client'/>"),
            1,
            "counted anew"
        );
    }
}

#[test]
fn a_server_without_stream_management_gets_a_fresh_session() {
    let mut peer = Peer::direct(Login {
        resume: Some(resume_state()),
        ..login()
    });
    peer.scram(&mut ScramServer::default());
    peer.bind(
        "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>",
    );
    let events = peer.events();
    assert!(
        matches!(
            events.as_slice(),
            [
                StreamEvent::ResumeFailed { acked: None },
                StreamEvent::Bound { sm: false, .. }
            ]
        ),
        "{events:?}"
    );
}

#[test]
fn s_xmpp_16_a_wrong_previd_is_the_end() {
    for previd in ["", "previd=''", "previd='OLD'", "previd='other'"] {
        let mut peer = resuming();
        peer.say(&format!("<resumed xmlns='urn:xmpp:sm:3' {previd} h='8'/>"));
        assert!(
            matches!(peer.failure().0, StreamFailure::Protocol { .. }),
            "{previd}"
        );
    }
}

#[test]
fn s_xmpp_16_a_count_that_cannot_be_is_the_end_and_says_so() {
    for h in [0, 6, 11, u32::MAX] {
        let mut peer = resuming();
        peer.say(&format!(
            "<resumed xmlns='urn:xmpp:sm:3' previd='old' h='{h}'/>"
        ));
        let (failure, sent) = peer.failure();
        assert_eq!(failure, StreamFailure::HandledCountTooHigh { h, sent: 10 });
        assert!(sent.contains("<handled-count-too-high "));
    }
    let mut peer = resuming();
    peer.say("<resumed xmlns='urn:xmpp:sm:3' previd='old'/>");
    assert!(matches!(peer.failure().0, StreamFailure::Protocol { .. }));
}

#[test]
fn a_state_of_another_account_is_not_used() {
    for jid in [
        "bob@lab.test/old",
        "alice@other.test/old",
        "alice@lab.test",
        "",
    ] {
        let state = ResumeState {
            jid: jid.to_owned(),
            ..resume_state()
        };
        let mut peer = Peer::direct(Login {
            resume: Some(state),
            ..login()
        });
        peer.scram(&mut ScramServer::default());
        peer.features(BIND_FEATURES);
        assert!(peer.sent().contains("<bind "), "{jid}");
    }
}
