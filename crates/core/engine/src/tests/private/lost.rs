//! One side lost its session: no text is lost with it, none is shown twice, none goes to another key.

use std::collections::BTreeMap;

use sotto_store::Store;

use super::*;

/// Alice and Bob in a private conversation in which `canary-1` was said and confirmed.
fn begun() -> (World, Vec<Who>) {
    let (mut world, who) = world(Policy::Required, Policy::Preferred);
    world.say(who[0], BOB, "canary-1");
    world.settle();
    assert_eq!(said(&mut world, who[1], ALICE), ["canary-1"]);
    (world, who)
}

/// The store was put back to before the session, or the session was lost in another way.
fn lose_session(world: &mut World, who: Who) {
    world.with_store(who, |store| {
        let account = store.accounts().expect("accounts")[0].id;
        store.otr_state_remove_all(account).expect("no sessions");
    });
}

fn settings(world: &mut World, who: Who, settings: Settings) {
    world.ask(who, Request::SettingsSet { settings });
}

/// How far each own message got.
fn delivered(world: &mut World, who: Who, peer: &str) -> Vec<(String, Delivery)> {
    words(world, who, peer)
        .into_iter()
        .filter_map(|message| Some((message.body, message.delivery?)))
        .collect()
}

/// How often each stanza with a text of Alice's went to the server, by its id.
fn times_sent(world: &World) -> Vec<usize> {
    let mut times = BTreeMap::new();
    for stanza in bodies_with_otr(world, "alice") {
        if stanza.has_child("request", "urn:xmpp:receipts") {
            *times
                .entry(stanza.attr("id").map(str::to_owned))
                .or_insert(0) += 1;
        }
    }
    let mut times: Vec<usize> = times.into_values().collect();
    times.sort_unstable();
    times
}

fn count(lines: &[LineNotice], notice: LineNotice) -> usize {
    lines.iter().filter(|line| **line == notice).count()
}

#[test]
fn texts_into_a_session_that_the_other_side_lost_arrive_in_the_next_one() {
    let (mut world, who) = begun();
    lose_session(&mut world, who[1]);
    for n in 2..=4 {
        world.say(who[0], BOB, &format!("canary-{n}"));
    }
    world.settle();
    // Bob's first text went when his program ended: it was not kept.
    assert_eq!(
        said(&mut world, who[1], ALICE),
        ["canary-2", "canary-3", "canary-4"]
    );
    let got = delivered(&mut world, who[0], BOB);
    assert!(
        got.iter().all(|(_, state)| *state == Delivery::Delivered),
        "{got:?}"
    );
    assert_never_left(&world, "canary");
    let lines = notices(&mut world, who[0], BOB);
    assert_eq!(count(&lines, LineNotice::SentAgain), 1, "{lines:?}");
    let lines = notices(&mut world, who[1], ALICE);
    assert_eq!(count(&lines, LineNotice::Unreadable), 1, "{lines:?}");
    // All is well again: nothing is left to be said about the fault.
    assert_eq!(world.open(who[0], BOB).private.alert, None);
    assert_eq!(times_sent(&world), [1, 2, 2, 2]);
}

#[test]
fn an_end_that_never_arrived_loses_no_text() {
    let (mut world, who) = begun();
    let bobs = world.open(who[1], ALICE).id;
    world.servers[0].loses = Some(|from, _| from.starts_with("bob@"));
    world.ask(who[1], Request::PrivateEnd { conversation: bobs });
    world.settle();
    world.servers[0].loses = None;
    assert_eq!(world.open(who[0], BOB).private.state, PrivateState::Private);
    world.say(who[0], BOB, "canary-2");
    world.settle();
    assert_eq!(said(&mut world, who[1], ALICE), ["canary-1", "canary-2"]);
    assert_never_left(&world, "canary");
}

#[test]
fn a_lost_error_message_loses_no_text() {
    let (mut world, who) = begun();
    lose_session(&mut world, who[1]);
    world.servers[0].loses = Some(|_, stanza| String::from(stanza).contains("?OTR Error"));
    world.say(who[0], BOB, "canary-2");
    world.settle();
    assert_eq!(said(&mut world, who[1], ALICE), ["canary-2"]);
    assert_never_left(&world, "canary");
}

#[test]
fn after_a_kill_of_the_receiver_each_text_is_there_once() {
    for steps in 0..12 {
        let (mut world, who) = begun();
        settings(
            &mut world,
            who[1],
            Settings {
                keep_private: true,
                ..Settings::default()
            },
        );
        world.say(who[0], BOB, "canary-2");
        for _ in 0..steps {
            world.deliver_some();
        }
        world.kill(who[1]);
        world.say(who[0], BOB, "canary-3");
        world.restart(who[1]);
        world.pass(Duration::from_secs(30));
        assert_eq!(
            said(&mut world, who[1], ALICE),
            ["canary-2", "canary-3"],
            "after {steps}"
        );
        assert_eq!(times_sent(&world), [1, 1, 1], "after {steps}");
    }
}

#[test]
fn after_a_restart_of_both_what_is_kept_is_sent_again() {
    let (mut world, who) = begun();
    settings(
        &mut world,
        who[0],
        Settings {
            keep_private: true,
            ..Settings::default()
        },
    );
    world.kill(who[1]);
    world.say(who[0], BOB, "canary-2");
    world.settle();
    world.kill(who[0]);
    world.restart(who[1]);
    lose_session(&mut world, who[1]);
    world.restart(who[0]);
    world.pass(Duration::from_secs(120));
    assert_eq!(said(&mut world, who[1], ALICE), ["canary-2"]);
    assert_eq!(
        delivered(&mut world, who[0], BOB),
        [("canary-2".to_owned(), Delivery::Delivered)]
    );
    assert_never_left(&world, "canary");
}

#[test]
fn a_text_that_was_read_and_comes_again_is_shown_once() {
    let (mut world, who) = begun();
    settings(
        &mut world,
        who[1],
        Settings {
            send_receipts: false,
            ..Settings::default()
        },
    );
    world.pass(Duration::from_secs(150));
    for n in 2..=3 {
        world.say(who[0], BOB, &format!("canary-{n}"));
    }
    world.settle();
    let bobs = world.open(who[1], ALICE).id;
    world.ask(who[1], Request::PrivateStart { conversation: bobs });
    world.settle();
    // Alice cannot know that Bob has read the last, and says it again.
    assert_eq!(times_sent(&world).last(), Some(&2));
    assert_eq!(
        said(&mut world, who[1], ALICE),
        ["canary-1", "canary-2", "canary-3"]
    );
    assert_never_left(&world, "canary");
}

#[test]
fn without_receipts_only_texts_of_the_last_minutes_are_sent_again() {
    let (mut world, who) = world(Policy::Required, Policy::Preferred);
    let quiet = Settings {
        send_receipts: false,
        ..Settings::default()
    };
    settings(&mut world, who[1], quiet);
    for n in 1..=3 {
        world.say(who[0], BOB, &format!("canary-{n}"));
        world.settle();
    }
    world.pass(Duration::from_secs(121));
    lose_session(&mut world, who[1]);
    world.say(who[0], BOB, "canary-4");
    world.settle();
    assert_eq!(said(&mut world, who[1], ALICE), ["canary-4"]);
    let got = delivered(&mut world, who[0], BOB);
    assert!(
        got.iter().all(|(_, state)| *state == Delivery::Sent),
        "{got:?}"
    );
    assert_eq!(times_sent(&world), [1, 1, 1, 2]);
    assert_never_left(&world, "canary");
}

#[test]
fn s_otr_16_a_text_is_not_sent_again_to_another_key_than_it_was_written_for() {
    // The same program with a new key, and one in its place.
    for same_tag in [true, false] {
        let (mut world, who) = begun();
        world.kill(who[1]);
        world.servers[0].expire_sessions();
        world.say(who[0], BOB, "canary-2");
        world.settle();
        world.restart(who[1]);
        world.with_store(who[1], |store| {
            let account = store.accounts().expect("accounts")[0].id;
            store.otr_state_remove_all(account).expect("no sessions");
            if !same_tag {
                store.instance_tag_set(account, 0x1234_5678).expect("a tag");
            }
            store
                .otr_key_set(account, key(2), sotto_api::Timestamp(0))
                .expect("a key");
        });
        // Alice sees that Bob is there with this program alone.
        let mut seen = world.servers[0].seen.iter().rev();
        let (from, _) = seen
            .find(|(from, _)| from.starts_with("bob@"))
            .expect("Bob signed in");
        let presence = format!("<presence xmlns='jabber:client' from='{from}'/>");
        world.servers[0].inject("alice", &presence);
        world.settle();
        let bobs = world.open(who[1], ALICE).id;
        world.ask(who[1], Request::PrivateStart { conversation: bobs });
        world.settle();
        assert!(said(&mut world, who[1], ALICE).is_empty(), "{same_tag}");
        let message = words(&mut world, who[0], BOB).pop().expect("the message");
        assert_eq!(
            (message.body.as_str(), message.delivery),
            ("canary-2", Some(Delivery::Failed)),
            "{same_tag}"
        );
        assert!(
            message.failure.contains("another key"),
            "{}",
            message.failure
        );
        // The person may send it to the new key.
        let retry = Request::MessageRetry {
            message: message.id,
        };
        world.ask(who[0], retry);
        world.settle();
        assert_eq!(said(&mut world, who[1], ALICE), ["canary-2"], "{same_tag}");
        assert_never_left(&world, "canary");
    }
}

#[test]
fn s_otr_16_from_one_verified_key_to_another_a_text_goes_again() {
    let (mut world, who) = begun();
    let verify = |world: &mut World| {
        let view = world.open(who[0], BOB);
        let request = Request::VerifyCode {
            conversation: view.id,
            key: view.private.key.expect("a key"),
            matches: true,
        };
        world.ask(who[0], request);
    };
    let new_key = |world: &mut World, index: usize| {
        world.with_store(who[1], |store| {
            let account = store.accounts().expect("accounts")[0].id;
            store.otr_state_remove_all(account).expect("no sessions");
            store
                .otr_key_set(account, key(index), sotto_api::Timestamp(0))
                .expect("a key");
        });
        let bobs = world.open(who[1], ALICE).id;
        world.ask(who[1], Request::PrivateStart { conversation: bobs });
        world.settle();
    };
    verify(&mut world);
    new_key(&mut world, 2);
    verify(&mut world);
    // The old key again, which is verified as well, while a text is on its way.
    world.kill(who[1]);
    world.say(who[0], BOB, "canary-2");
    world.settle();
    world.restart(who[1]);
    new_key(&mut world, 1);
    assert_eq!(said(&mut world, who[1], ALICE), ["canary-2"]);
    assert_never_left(&world, "canary");
}

#[test]
fn a_text_that_crossed_the_end_of_the_session_waits_for_the_person() {
    let (mut world, who) = begun();
    let bobs = world.open(who[1], ALICE).id;
    world.say(who[0], BOB, "canary-2");
    world.ask(who[1], Request::PrivateEnd { conversation: bobs });
    world.settle();
    let alices = world.open(who[0], BOB);
    assert_eq!(alices.private.state, PrivateState::Ended);
    let conversation = alices.id;
    world.ask(who[0], Request::PrivateStart { conversation });
    world.settle();
    assert_eq!(said(&mut world, who[1], ALICE), ["canary-1", "canary-2"]);
    assert_never_left(&world, "canary");
}

#[test]
fn s_otr_03_a_second_device_that_asks_within_the_minute_is_answered() {
    let (mut world, who) = begun();
    let second = world.add_player();
    world.sign_in(second, "bob");
    world.with_store(second, |store| {
        let account = store.accounts().expect("accounts")[0].id;
        store
            .otr_key_set(account, key(2), sotto_api::Timestamp(0))
            .expect("a key");
    });
    let conversation = world.open(second, ALICE).id;
    let before = world.now.instant;
    world.ask(second, Request::PrivateStart { conversation });
    world.settle();
    assert_eq!(world.now.instant, before);
    assert_eq!(
        world.open(second, ALICE).private.state,
        PrivateState::Private
    );
    let devices = world.open(who[0], BOB).private.devices;
    assert_eq!(devices.iter().filter(|device| device.private).count(), 2);
}

#[test]
fn a_request_that_comes_back_gives_the_text_back_at_once() {
    let (mut world, who) = world(Policy::Required, Policy::Off);
    let conversation = world.open(who[0], "nobody@example.org").id;
    let before = world.now.instant;
    world.say_in(who[0], conversation, "canary");
    world.settle();
    assert_eq!(world.now.instant, before);
    let view = world.conversation(who[0], conversation);
    assert_eq!(view.draft, "canary");
    assert_eq!(view.private.state, PrivateState::None);
    let alert = view.private.alert.expect("a notice");
    assert_eq!(alert.kind, AlertKind::NotPossible);
    // Nothing more is said when the time for an answer is over.
    let lines = notices(&mut world, who[0], "nobody@example.org");
    world.pass(Duration::from_secs(60));
    assert_eq!(notices(&mut world, who[0], "nobody@example.org"), lines);
    assert_never_left(&world, "canary");
}

#[test]
fn s_otr_12_a_restored_copy_goes_on_with_no_session_and_sends_nothing_in_clear() {
    let (mut world, who) = world(Policy::Preferred, Policy::Preferred);
    let conversation = world.open(who[0], BOB).id;
    world.ask(who[0], Request::PrivateStart { conversation });
    world.settle();
    world.say(who[0], BOB, "canary-1");
    world.settle();
    let before = bodies_with_otr(&world, "alice").len();
    let tag = |store: &Store| {
        let account = store.accounts().expect("accounts")[0].id;
        store
            .instance_tag(account)
            .expect("it reads")
            .expect("a tag")
    };
    let mut old = 0;
    world.with_store(who[0], |store| {
        old = tag(store);
        store.take_as_copy().expect("it is one now");
    });
    let view = world.open(who[0], BOB).private;
    assert_eq!(view.state, PrivateState::Ended);
    let body = "canary-2".to_owned();
    let request = Request::MessageSend { conversation, body };
    let refused = world.try_ask(who[0], request).expect_err("it has ended");
    assert_eq!(refused.kind, ErrorKind::NotPrivate);
    assert_eq!(bodies_with_otr(&world, "alice").len(), before);
    assert_never_left(&world, "canary");

    world.ask(who[0], Request::PrivateStart { conversation });
    world.settle();
    world.say(who[0], BOB, "canary-3");
    world.settle();
    assert_eq!(said(&mut world, who[1], ALICE), ["canary-1", "canary-3"]);
    assert_never_left(&world, "canary");
    let mut new = 0;
    world.with_store(who[0], |store| {
        new = tag(store);
        assert!(!store.is_copy().expect("it reads"));
    });
    assert_ne!(old, new, "another instance");
}
