use super::*;

fn state() -> ResumeState {
    ResumeState {
        id: "id".to_owned(),
        jid: "a@b/c".to_owned(),
        location: None,
        handled: 7,
        sent: 9,
        acked: 4,
        max_seconds: Some(600),
    }
}

fn fresh(uncounted: u32) -> Counters {
    let enabled = Enabled {
        id: Some("id".to_owned()),
        ..Enabled::default()
    };
    Counters::new(enabled, "a@b/c".to_owned(), uncounted)
}

#[test]
fn only_kept_stanzas_are_told() {
    let mut counters = fresh(0);
    counters.receive();
    counters.receive();
    assert_eq!(counters.tell(), 0);
    counters.mark_handled(1);
    assert_eq!(
        (counters.untold(), counters.tell(), counters.untold()),
        (1, 1, 0)
    );
    counters.mark_handled(5);
    assert_eq!(counters.tell(), 2, "no more than came");
}

#[test]
fn stanzas_before_counting_began_do_not_count() {
    let mut counters = fresh(2);
    counters.receive();
    counters.mark_handled(1);
    counters.mark_handled(2);
    assert_eq!(counters.tell(), 1);
}

#[test]
fn s_xmpp_16_more_than_was_sent_cannot_be_confirmed() {
    let mut counters = fresh(0);
    assert_eq!(counters.acknowledge(0), Ok(false));
    assert_eq!(counters.acknowledge(1), Err(CountTooHigh { h: 1, sent: 0 }));
    counters.send();
    counters.send();
    assert_eq!(counters.acknowledge(1), Ok(true));
    assert_eq!(counters.acknowledge(1), Ok(false));
    assert_eq!(
        counters.acknowledge(0),
        Err(CountTooHigh { h: 0, sent: 2 }),
        "backwards"
    );
    assert_eq!(counters.acknowledge(3), Err(CountTooHigh { h: 3, sent: 2 }));
    assert!(counters.has_unacked());
}

#[test]
fn a_resumed_stream_counts_on_from_what_the_server_has() {
    let mut counters = Counters::resumed(&state(), 6).unwrap();
    assert_eq!(counters.send(), 7);
    counters.receive();
    counters.mark_handled(1);
    assert_eq!(counters.tell(), 8);
    let expected = ResumeState {
        handled: 8,
        sent: 7,
        acked: 6,
        ..state()
    };
    assert_eq!(counters.resume_state(), Some(expected));
}

#[test]
fn s_xmpp_16_a_stream_is_not_resumed_with_an_impossible_count() {
    for h in [3, 10, u32::MAX] {
        assert_eq!(
            Counters::resumed(&state(), h).err(),
            Some(CountTooHigh { h, sent: 9 })
        );
    }
    assert!(Counters::resumed(&state(), 4).is_ok());
    assert!(Counters::resumed(&state(), 9).is_ok());
}

#[test]
fn counts_go_round_at_two_to_the_32() {
    let near = ResumeState {
        handled: u32::MAX,
        sent: u32::MAX,
        acked: u32::MAX - 2,
        ..state()
    };
    let mut counters = Counters::resumed(&near, u32::MAX - 1).unwrap();
    assert_eq!(counters.send(), u32::MAX);
    assert_eq!(counters.send(), 0);
    assert_eq!(counters.acknowledge(0), Ok(true));
    assert_eq!(counters.acknowledge(1), Err(CountTooHigh { h: 1, sent: 0 }));
    counters.receive();
    counters.mark_handled(1);
    assert_eq!(counters.tell(), 0);
}

#[test]
fn a_server_that_forbids_resumption_leaves_no_state() {
    let counters = Counters::new(Enabled::default(), "a@b/c".to_owned(), 0);
    assert_eq!(counters.resume_state(), None);
}
