//! An open session: confirmations, silence, and the end.

use std::time::Duration;

use sotto_xmpp::stream::{StreamEvent, StreamFailure};

use crate::peer::{BIND_FEATURES, Peer, bound, bound_without_sm, login};
use crate::scram_server::ScramServer;

const MESSAGE: &str = "<message xmlns='jabber:client' to='b@lab.test'><body>hi</body></message>";
const SENT: &str = "<message to='b@lab.test'><body>hi</body></message>";
const R: &str = "<r xmlns='urn:xmpp:sm:3'/>";

fn a(h: u32) -> String {
    format!("<a xmlns='urn:xmpp:sm:3' h='{h}'/>")
}

#[test]
fn stanzas_are_numbered_and_one_question_is_open_at_a_time() {
    let mut peer = bound();
    assert_eq!(peer.send(MESSAGE), 1);
    assert_eq!(peer.send(MESSAGE), 2);
    assert_eq!(peer.sent(), format!("{SENT}{SENT}{R}"));
    assert_eq!(peer.send(MESSAGE), 3);
    assert_eq!(peer.sent(), SENT);
    peer.say(&a(2));
    assert!(matches!(peer.event(), StreamEvent::Acked { sequence: 2 }));
    assert_eq!(peer.sent(), R, "there is more to confirm");
    peer.say(&a(3));
    assert!(matches!(peer.event(), StreamEvent::Acked { sequence: 3 }));
    assert_eq!(peer.sent(), "");
    peer.say(&a(3));
    assert!(peer.events().is_empty(), "no news");
    let state = peer.stream.resume_state().unwrap();
    assert_eq!((state.sent, state.acked), (3, 3));
}

#[test]
fn elements_that_are_no_stanzas_are_not_counted() {
    let mut peer = bound();
    assert_eq!(peer.send("<inactive xmlns='urn:xmpp:csi:0'/>"), 0);
    assert_eq!(peer.send(MESSAGE), 1);
    assert_eq!(peer.send("<active xmlns='urn:xmpp:csi:0'/>"), 0);
    assert_eq!(peer.stream.resume_state().unwrap().sent, 1);
}

#[test]
fn the_position_is_known_before_the_bytes_leave() {
    let mut peer = bound();
    peer.send(MESSAGE);
    assert_eq!(peer.stream.resume_state().unwrap().sent, 1);
    assert_eq!(peer.sent(), format!("{SENT}{R}"));
}

#[test]
fn only_what_is_kept_is_confirmed() {
    let mut peer = bound();
    peer.say("<message/><presence/><iq type='get' id='1'/>");
    assert_eq!(peer.stanzas().len(), 3);
    peer.say(R);
    assert_eq!(peer.sent(), a(0), "nothing is kept yet");
    assert_eq!(peer.stream.resume_state().unwrap().handled, 0);
    peer.stream.mark_handled(2);
    assert_eq!(peer.stream.resume_state().unwrap().handled, 2);
    assert_eq!(peer.sent(), "", "at most ten a second");
    peer.wait(Duration::from_millis(100));
    assert_eq!(peer.sent(), a(2), "what was owed");
    peer.stream.mark_handled(1);
    peer.wait(Duration::from_millis(100));
    assert_eq!(peer.sent(), a(3));
    peer.stream.mark_handled(9);
    assert_eq!(peer.stream.resume_state().unwrap().handled, 3);
}

#[test]
fn s_xmpp_16_answers_are_limited_to_ten_a_second() {
    let mut peer = bound();
    let mut answers = 0;
    for _ in 0..1000 {
        peer.say(&R.repeat(10));
        answers += peer.sent().matches("<a ").count();
        peer.wait(Duration::from_millis(1));
        answers += peer.sent().matches("<a ").count();
    }
    assert!((9..=11).contains(&answers), "{answers} in a second");
    peer.wait(Duration::from_secs(1));
    assert!(peer.sent().matches("<a ").count() <= 1);
}

#[test]
fn much_is_confirmed_without_being_asked() {
    let mut peer = bound();
    peer.say(&"<message/>".repeat(100));
    peer.stream.mark_handled(99);
    assert_eq!(peer.sent(), "");
    peer.stream.mark_handled(1);
    assert_eq!(peer.sent(), a(100));
}

#[test]
fn s_xmpp_16_a_count_above_what_was_sent_is_the_end() {
    let mut peer = bound();
    peer.send(MESSAGE);
    peer.sent();
    peer.say(&a(2));
    let (failure, sent) = peer.failure();
    assert_eq!(
        failure,
        StreamFailure::HandledCountTooHigh { h: 2, sent: 1 }
    );
    assert_eq!(
        sent,
        "<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><handled-count-too-high xmlns='urn:xmpp:sm:3' h='2' send-count='1'/></stream:error></stream:stream>"
    );
}

#[test]
fn s_xmpp_16_counts_that_are_none_are_the_end() {
    for bad in ["", "-1", "+1", "x", "4294967296", "1.0", " 1"] {
        let mut peer = bound();
        peer.send(MESSAGE);
        peer.sent();
        peer.say(&format!("<a xmlns='urn:xmpp:sm:3' h='{bad}'/>"));
        assert!(
            matches!(peer.failure().0, StreamFailure::Protocol { .. }),
            "{bad}"
        );
    }
    let mut peer = bound();
    peer.say("<a xmlns='urn:xmpp:sm:3'/>");
    assert!(matches!(peer.failure().0, StreamFailure::Protocol { .. }));
}

#[test]
fn a_late_confirmation_is_told_after_five_seconds_and_the_link_is_dead_after_twenty() {
    let mut peer = bound();
    peer.send(MESSAGE);
    peer.sent();
    peer.wait(Duration::from_millis(4_999));
    assert!(peer.events().is_empty());
    peer.wait(Duration::from_millis(1));
    assert!(matches!(peer.event(), StreamEvent::AckOverdue));
    peer.wait(Duration::from_millis(14_999));
    assert!(peer.events().is_empty(), "told once");
    peer.wait(Duration::from_millis(1));
    let (failure, sent) = peer.failure();
    assert!(matches!(failure, StreamFailure::TimedOut { .. }));
    assert_eq!(sent, "", "not closed properly: the session can be resumed");
}

#[test]
fn whoever_talks_is_not_dead_but_must_answer_in_the_end() {
    let mut peer = bound();
    peer.send(MESSAGE);
    peer.sent();
    for _ in 0..11 {
        peer.wait(Duration::from_secs(10));
        peer.say("<presence/>");
    }
    let failed = |events: &[StreamEvent]| {
        events
            .iter()
            .any(|event| matches!(event, StreamEvent::Failed(_)))
    };
    assert!(!failed(&peer.events()));
    peer.wait(Duration::from_secs(11));
    assert!(failed(&peer.events()));
}

#[test]
fn a_half_open_link_is_noticed_within_seventy_seconds() {
    let mut peer = bound();
    peer.wait(Duration::from_secs(45));
    assert_eq!(peer.sent(), R);
    assert!(peer.events().is_empty());
    peer.wait(Duration::from_secs(24));
    let events = peer.events();
    assert!(
        matches!(
            events.as_slice(),
            [StreamEvent::Failed(StreamFailure::TimedOut { .. })]
        ),
        "{events:?}"
    );
}

#[test]
fn an_idle_link_that_answers_stays() {
    let mut peer = bound();
    for _ in 0..20 {
        peer.wait(Duration::from_secs(45));
        assert_eq!(peer.sent(), R);
        peer.say(&a(0));
    }
    assert!(peer.events().is_empty());
}

#[test]
fn without_stream_management_a_ping_finds_a_half_open_link() {
    let mut peer = bound_without_sm();
    assert_eq!(peer.send(MESSAGE), 0);
    assert_eq!(peer.sent(), SENT);
    peer.wait(Duration::from_secs(45));
    let ping = peer.sent();
    let id = crate::peer::attribute(&ping, "id");
    assert_eq!(
        ping,
        format!("<iq id='{id}' to='lab.test' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    );
    // The answer is nobody else's business; one from another sender is no answer of the server's.
    peer.say(&format!("<iq type='result' id='{id}' from='lab.test'/>"));
    assert!(peer.events().is_empty());
    peer.say(&format!(
        "<iq type='result' id='{id}' from='mallory@evil.test'/>"
    ));
    assert_eq!(peer.stanzas().len(), 1);
    peer.wait(Duration::from_secs(45));
    assert!(peer.sent().contains("urn:xmpp:ping"));
    peer.wait(Duration::from_secs(20));
    assert!(matches!(
        peer.event(),
        StreamEvent::Failed(StreamFailure::TimedOut { .. })
    ));
    assert_eq!(peer.stream.resume_state(), None);
}

#[test]
fn stanzas_that_come_before_counting_begins_are_delivered_and_not_counted() {
    let mut peer = Peer::direct(login());
    peer.scram(&mut ScramServer::default());
    peer.bind(BIND_FEATURES);
    peer.sent();
    peer.say("<message id='early'/><enabled xmlns='urn:xmpp:sm:3' id='x' resume='1'/><message id='late'/>");
    let events = peer.events();
    let [
        StreamEvent::Bound { .. },
        StreamEvent::Stanza(early),
        StreamEvent::Stanza(late),
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!(
        (early.attr("id"), late.attr("id")),
        (Some("early"), Some("late"))
    );
    peer.stream.mark_handled(2);
    peer.say(R);
    assert_eq!(peer.sent(), a(1));
}

#[test]
fn stream_management_that_fails_leaves_a_session_without_it() {
    let mut peer = Peer::direct(login());
    peer.scram(&mut ScramServer::default());
    peer.bind(BIND_FEATURES);
    peer.sent();
    peer.say("<failed xmlns='urn:xmpp:sm:3'><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
    assert!(matches!(peer.event(), StreamEvent::Bound { sm: false, .. }));
    assert_eq!(peer.send(MESSAGE), 0);
}

#[test]
fn a_session_that_must_not_be_resumed_leaves_no_state() {
    for enabled in ["id='x'", "id='x' resume='false'", "resume='true'"] {
        let mut peer = Peer::direct(login());
        peer.scram(&mut ScramServer::default());
        peer.bind(BIND_FEATURES);
        peer.sent();
        peer.say(&format!("<enabled xmlns='urn:xmpp:sm:3' {enabled}/>"));
        assert!(matches!(peer.event(), StreamEvent::Bound { sm: true, .. }));
        assert_eq!(peer.send(MESSAGE), 1);
        assert_eq!(peer.stream.resume_state(), None);
    }
}

#[test]
fn closing_confirms_what_is_kept_and_waits_two_seconds() {
    let mut peer = bound();
    peer.say("<message/>");
    peer.events();
    peer.stream.mark_handled(1);
    peer.stream.close(peer.now);
    assert_eq!(peer.sent(), format!("{}</stream:stream>", a(1)));
    assert_eq!(peer.send(MESSAGE), 0);
    assert_eq!(peer.sent(), "");
    // The server has the last stanza and says so; what it sends now is no longer ours.
    peer.say("<message/><r xmlns='urn:xmpp:sm:3'/>");
    assert!(peer.events().is_empty());
    assert_eq!(peer.sent(), "");
    peer.wait(Duration::from_secs(2));
    assert!(matches!(peer.event(), StreamEvent::Closed));
    assert_eq!(peer.sent(), "");
    assert!(peer.closed);
}

#[test]
fn closing_ends_when_the_server_closes_too() {
    let mut peer = bound();
    peer.send(MESSAGE);
    peer.stream.close(peer.now);
    assert_eq!(peer.sent(), format!("{SENT}</stream:stream>"));
    peer.say(&format!("{}</stream:stream>", a(1)));
    let events = peer.events();
    assert!(
        matches!(
            events.as_slice(),
            [StreamEvent::Acked { sequence: 1 }, StreamEvent::Closed]
        ),
        "{events:?}"
    );
}

#[test]
fn ten_thousand_messages_pass() {
    let mut peer = bound();
    let message = "<message from='alice@lab.test' id='x'><result xmlns='urn:xmpp:mam:2' queryid='q' id='1'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/><message xmlns='jabber:client' from='b@lab.test' type='chat'><body>hello there</body></message></forwarded></result></message>";
    for _ in 0..100 {
        peer.say(&message.repeat(100));
        assert_eq!(peer.stanzas().len(), 100);
        peer.stream.mark_handled(100);
        peer.sent();
    }
    assert_eq!(peer.stream.resume_state().unwrap().handled, 10_000);
}

#[test]
fn after_our_last_tag_nothing_is_sent_any_more() {
    let mut peer = bound();
    peer.send(MESSAGE);
    peer.say("<message/>");
    peer.stream.close(peer.now);
    peer.sent();
    peer.events();
    peer.stream.mark_handled(1);
    peer.stream.close(peer.now);
    assert_eq!(peer.sent(), "");
    peer.say(&format!("<message/>{R}broken<"));
    assert!(matches!(peer.event(), StreamEvent::Closed));
    assert_eq!(peer.sent(), "");
    assert!(peer.closed);

    let mut peer = Peer::direct(login());
    peer.hold_keys = true;
    let mut server = ScramServer::default();
    peer.features(&server.features());
    let challenge = server.first(&peer.sent());
    peer.say(&format!(
        "<challenge xmlns='{}'>{challenge}</challenge>",
        crate::peer::SASL
    ));
    let StreamEvent::DeriveKey(job) = peer.event() else {
        panic!("no job");
    };
    peer.stream.close(peer.now);
    assert_eq!(peer.sent(), "</stream:stream>");
    peer.stream
        .handle_scram_key(job.job, job.derive(), peer.now);
    assert_eq!(peer.sent(), "");
}
