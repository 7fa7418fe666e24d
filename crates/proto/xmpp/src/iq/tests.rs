use super::*;
use crate::ping;

fn own() -> FullJid {
    FullJid::new("juliet@capulet.com/balcony").unwrap()
}

/// A counter instead of randomness.
fn counter() -> impl FnMut(&mut [u8]) {
    let mut next = 0_u64;
    move |bytes: &mut [u8]| {
        next += 1;
        for (byte, value) in bytes.iter_mut().zip(next.to_le_bytes()) {
            *byte = value;
        }
    }
}

fn answer(iq: &Element, kind: &str, from: Option<&str>) -> Element {
    el("iq", ns::CLIENT)
        .with("id", iq.attr("id").unwrap())
        .with("type", kind)
        .with_opt("from", from)
}

fn sent(to: Option<&str>) -> (Tracker<u8>, Element) {
    let mut tracker = Tracker::new(&own());
    let iq = tracker.send(
        Method::Get,
        to.map(|to| Jid::new(to).unwrap()),
        ping::request(),
        7,
        Instant::now(),
        &mut counter(),
    );
    (tracker, iq)
}

#[test]
fn s_xmpp_05_only_the_one_who_was_asked_may_answer() {
    let own_account = [
        None,
        Some("juliet@capulet.com"),
        Some("juliet@capulet.com/balcony"),
        Some("capulet.com"),
    ];
    let cases: [(Option<&str>, &[Option<&str>]); 5] = [
        (None, &own_account),
        (
            Some("juliet@capulet.com"),
            &[None, Some("juliet@capulet.com")],
        ),
        (Some("capulet.com"), &[None, Some("capulet.com")]),
        (Some("romeo@montague.net"), &[Some("romeo@montague.net")]),
        (
            Some("romeo@montague.net/x"),
            &[Some("romeo@montague.net/x")],
        ),
    ];
    let senders = [
        None,
        Some("juliet@capulet.com"),
        Some("juliet@capulet.com/balcony"),
        Some("juliet@capulet.com/other"),
        Some("capulet.com"),
        Some("capulet.com/x"),
        Some("romeo@montague.net"),
        Some("romeo@montague.net/x"),
        Some("romeo@montague.net/y"),
        Some("montague.net"),
        Some("eve@evil.example/x"),
        Some("@"),
        Some(""),
    ];
    for (to, allowed) in cases {
        for from in senders {
            for kind in ["result", "error"] {
                let (mut tracker, iq) = sent(to);
                let answered = tracker.handle(&answer(&iq, kind, from)) != Answer::Ignored;
                assert_eq!(
                    answered,
                    allowed.contains(&from),
                    "{to:?} answered by {from:?}"
                );
                assert_eq!(
                    tracker.is_empty(),
                    answered,
                    "a forged answer leaves it open"
                );
            }
        }
    }
}

#[test]
fn an_answer_counts_once_and_only_with_its_id() {
    let (mut tracker, iq) = sent(None);
    let mut other = answer(&iq, "result", None);
    other.attrs_mut().clear();
    let other = other.with("type", "result").with("id", "guess");
    assert_eq!(tracker.handle(&other), Answer::Ignored);
    assert_eq!(tracker.handle(&answer(&iq, "set", None)), Answer::Ignored);
    let payload = ping::request();
    let result = answer(&iq, "result", None).child(payload.clone());
    let outcome = Ok(Some(payload));
    assert_eq!(tracker.handle(&result), Answer::Ended { tag: 7, outcome });
    assert_eq!(tracker.handle(&result), Answer::Ignored);
}

#[test]
fn before_a_log_in_only_the_server_answers() {
    let server = BareJid::new("capulet.com").unwrap();
    for (from, answered) in [
        (None, true),
        (Some("capulet.com"), true),
        (Some("a@capulet.com"), false),
    ] {
        let mut tracker = Tracker::before_login(&server);
        let iq = tracker.send(
            Method::Get,
            Some(Jid::from(server.clone())),
            crate::register::request(),
            (),
            Instant::now(),
            &mut counter(),
        );
        assert_eq!(
            tracker.handle(&answer(&iq, "result", from)) != Answer::Ignored,
            answered
        );
    }
}

#[test]
fn a_request_without_answer_times_out() {
    let (mut tracker, _) = sent(None);
    let deadline = tracker.poll_timeout().unwrap();
    tracker.handle_timeout(deadline - Duration::from_millis(1));
    assert_eq!(tracker.poll_ended(), None);
    tracker.handle_timeout(deadline);
    assert_eq!(tracker.poll_ended(), Some((7, Failure::TimedOut)));
    assert_eq!((tracker.poll_ended(), tracker.poll_timeout()), (None, None));
}

#[test]
fn a_lost_stream_ends_all_requests_in_order() {
    let mut tracker = Tracker::new(&own());
    let mut random = counter();
    for tag in 0..5 {
        tracker.send(
            Method::Get,
            None,
            ping::request(),
            tag,
            Instant::now(),
            &mut random,
        );
    }
    tracker.handle_lost();
    let ended: Vec<u8> = std::iter::from_fn(|| tracker.poll_ended())
        .map(|(tag, _)| tag)
        .collect();
    assert_eq!(ended, [0, 1, 2, 3, 4]);
}

#[test]
fn s_xmpp_24_a_hundred_thousand_open_requests_are_bounded() {
    let mut tracker = Tracker::new(&own());
    let mut random = counter();
    let now = Instant::now();
    for tag in 0..100_000_u32 {
        tracker.send(Method::Get, None, ping::request(), tag, now, &mut random);
        assert!(tracker.len() <= MAX_OPEN);
        if let Some((dropped, failure)) = tracker.poll_ended() {
            assert_eq!(failure, Failure::Dropped);
            assert_eq!(
                dropped as usize,
                tag as usize - MAX_OPEN,
                "the oldest goes first"
            );
        }
    }
}

#[test]
fn s_xmpp_13_answers_are_never_answered() {
    for kind in ["result", "error", "x"] {
        let iq = el("iq", ns::CLIENT).with("id", "1").with("type", kind);
        assert_eq!(default_reply(&iq), None);
        assert_eq!(result(&iq, None), None);
        assert_eq!(parse_request(&iq), None);
    }
    let message = el("message", ns::CLIENT)
        .with("id", "1")
        .with("type", "get");
    assert_eq!(default_reply(&message), None);
}

#[test]
fn s_xmpp_17_what_is_not_served_looks_like_nobody_there() {
    let iq: Element = "<iq xmlns='jabber:client' type='get' id='v1' from='eve@evil.example/x'>\
        <query xmlns='jabber:iq:version'/></iq>"
        .parse()
        .unwrap();
    let expected: Element =
        "<iq xmlns='jabber:client' type='error' id='v1' to='eve@evil.example/x'>\
        <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
        </error></iq>"
            .parse()
            .unwrap();
    assert_eq!(default_reply(&iq), Some(expected));
}

#[test]
fn a_request_has_one_payload_an_id_and_a_readable_sender() {
    let read = |xml: &str| parse_request(&xml.parse().unwrap()).is_some();
    assert!(read(
        "<iq xmlns='jabber:client' type='get' id='1'><a xmlns='urn:x'/></iq>"
    ));
    assert!(!read("<iq xmlns='jabber:client' type='get' id='1'/>"));
    assert!(!read(
        "<iq xmlns='jabber:client' type='get'><a xmlns='urn:x'/></iq>"
    ));
    assert!(!read(
        "<iq xmlns='jabber:client' type='get' id='1'><a xmlns='urn:x'/><b xmlns='urn:x'/></iq>"
    ));
    assert!(!read(
        "<iq xmlns='jabber:client' type='get' id='1' from='@'><a xmlns='urn:x'/></iq>"
    ));
    assert!(!read(
        "<iq xmlns='urn:x' type='get' id='1'><a xmlns='urn:x'/></iq>"
    ));
}
