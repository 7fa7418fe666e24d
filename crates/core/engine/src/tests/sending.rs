//! Each message once, in order, whatever breaks and whenever.

use std::time::Duration;

use sotto_api::view::Delivery;
use sotto_api::{ErrorKind, Request};

use super::harness::server::WhenResumed;
use super::harness::{DOMAIN, Who, World};

const BOB: &str = "bob@example.org";
const ALICE: &str = "alice@example.org";

/// What can happen to a connection in the middle of something.
#[derive(Clone, Copy, Debug)]
enum Break {
    Cut,
    CutAndRefuse,
    Kill,
    KillAndRefuse,
}

const BREAKS: [Break; 4] = [
    Break::Cut,
    Break::CutAndRefuse,
    Break::Kill,
    Break::KillAndRefuse,
];

fn apply(world: &mut World, who: Who, what: Break) {
    world.servers[0].refuse_resume = matches!(what, Break::CutAndRefuse | Break::KillAndRefuse);
    match what {
        Break::Cut | Break::CutAndRefuse => world.cut(who),
        Break::Kill | Break::KillAndRefuse => {
            world.kill(who);
            world.restart(who);
        }
    }
    world.pass(Duration::from_secs(5));
    world.servers[0].refuse_resume = false;
}

#[test]
fn a_message_arrives_and_its_ticks_follow() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let sent = world.say(who[0], BOB, "Tomorrow at six?");
    assert_eq!(sent.delivery, Some(Delivery::Waiting));
    world.settle();
    assert_eq!(world.bodies(who[1], ALICE), ["Tomorrow at six?"]);
    let history = world.history(who[0], BOB);
    assert_eq!(history[0].delivery, Some(Delivery::Delivered));
    assert_eq!(history[0].delivery_text, "Delivered");
}

#[test]
fn a_resumed_stream_that_the_server_does_not_understand_gives_way_to_a_fresh_one() {
    for how in [WhenResumed::Ignores, WhenResumed::Objects] {
        let (mut world, who) = World::of(&["alice", "bob"]);
        world.say(who[0], BOB, "before");
        world.settle();
        world.servers[0].when_resumed = how;
        world.cut(who[0]);
        world.say(who[0], BOB, "behind half a stanza");
        world.pass(Duration::from_secs(180));
        assert_eq!(
            world.bodies(who[1], ALICE),
            ["before", "behind half a stanza"],
            "{how:?}"
        );
        let history = world.history(who[0], BOB);
        assert_eq!(history[1].delivery, Some(Delivery::Delivered), "{how:?}");
    }
}

#[test]
fn a_break_after_any_number_of_deliveries_loses_and_doubles_nothing() {
    for what in BREAKS {
        for steps in 0..14 {
            let (mut world, who) = World::of(&["alice", "bob"]);
            world.say(who[0], BOB, "before");
            world.settle();
            world.say(who[0], BOB, "one");
            world.say(who[0], BOB, "two");
            for _ in 0..steps {
                world.deliver_some();
            }
            apply(&mut world, who[0], what);
            world.say(who[0], BOB, "three");
            world.pass(Duration::from_secs(70));
            let expected = ["before", "one", "two", "three"];
            assert_eq!(
                world.bodies(who[1], ALICE),
                expected,
                "{what:?} after {steps}"
            );
            assert_eq!(
                world.bodies(who[0], BOB),
                expected,
                "{what:?} after {steps}"
            );
            for message in world.history(who[0], BOB) {
                assert!(
                    message.delivery >= Some(Delivery::Sent),
                    "{what:?} after {steps}: {message:?}"
                );
            }
        }
    }
}

#[test]
fn a_break_at_the_receiver_loses_and_doubles_nothing() {
    for what in BREAKS {
        for steps in 0..14 {
            let (mut world, who) = World::of(&["alice", "bob"]);
            world.say(who[0], BOB, "one");
            world.say(who[0], BOB, "two");
            for _ in 0..steps {
                world.deliver_some();
            }
            apply(&mut world, who[1], what);
            world.say(who[0], BOB, "three");
            world.pass(Duration::from_secs(70));
            assert_eq!(
                world.bodies(who[1], ALICE),
                ["one", "two", "three"],
                "{what:?} after {steps}"
            );
        }
    }
}

#[test]
fn what_is_written_offline_is_sent_in_order_when_the_account_is_back() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.cut_off(who[0], true);
    for body in ["one", "two", "three"] {
        let message = world.say(who[0], BOB, body);
        assert_eq!(message.delivery, Some(Delivery::Waiting));
    }
    world.kill(who[0]);
    world.restart(who[0]);
    world.pass(Duration::from_secs(30));
    assert!(world.bodies(who[1], ALICE).is_empty());
    world.cut_off(who[0], false);
    world.network_up(who[0]);
    world.settle();
    assert_eq!(world.bodies(who[1], ALICE), ["one", "two", "three"]);
}

#[test]
fn without_stream_management_a_message_is_sent_once_the_server_answered_after_it() {
    let (mut world, _) = World::of(&[]);
    world.servers[0].has_sm = false;
    world.servers[0].add_user("alice", "right");
    world.servers[0].add_user("bob", "right");
    world.servers[0].add_contact("alice", BOB, "both");
    world.servers[0].add_contact("bob", ALICE, "both");
    let alice = world.add_player();
    let bob = world.add_player();
    world.sign_in(alice, "alice");
    world.sign_in(bob, "bob");
    world.say(alice, BOB, "one");
    world.cut(alice);
    world.pass(Duration::from_secs(5));
    world.say(alice, BOB, "two");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.bodies(bob, ALICE), ["one", "two"]);
    for message in world.history(alice, BOB) {
        assert!(message.delivery >= Some(Delivery::Sent), "{message:?}");
    }
}

#[test]
fn a_half_open_connection_is_noticed_and_the_message_arrives_once() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.servers[0].frozen = true;
    let sent = world.say(who[0], BOB, "hello");
    world.pass(Duration::from_secs(6));
    let view = world.conversation(who[0], sent.conversation);
    assert!(!view.notice.is_empty(), "r_net_02: not delivered yet");
    world.pass(Duration::from_secs(20));
    world.servers[0].frozen = false;
    world.pass(Duration::from_secs(70));
    assert_eq!(world.bodies(who[1], ALICE), ["hello"]);
}

#[test]
fn t_18_a_message_goes_to_the_conversation_it_was_written_in() {
    let names = ["alice", "p0", "p1", "p2", "p3", "p4"];
    let (mut world, who) = World::of(&names);
    let conversations: Vec<_> = names[1..]
        .iter()
        .map(|name| world.open(who[0], &format!("{name}@{DOMAIN}")).id)
        .collect();
    for round in 0..20 {
        for (index, conversation) in conversations.iter().enumerate() {
            // Another one is looked at while this one is written to.
            let other = conversations[(index + round) % conversations.len()];
            world.conversation(who[0], other);
            world.say_in(who[0], *conversation, &format!("for {index}"));
        }
        if round % 5 == 0 {
            world.cut(who[0]);
            world.pass(Duration::from_secs(3));
        }
    }
    world.settle();
    for (index, player) in who[1..].iter().enumerate() {
        let bodies = world.bodies(*player, ALICE);
        assert_eq!(bodies, vec![format!("for {index}"); 20]);
    }
}

#[test]
fn a_message_to_nobody_fails_with_a_reason_and_can_be_tried_again() {
    let (mut world, who) = World::of(&["alice"]);
    let sent = world.say(who[0], "nobody@example.org", "hello");
    world.settle();
    let failed = &world.history(who[0], "nobody@example.org")[0];
    assert_eq!(failed.delivery, Some(Delivery::Failed));
    assert!(!failed.failure.is_empty());
    world.servers[0].add_user("nobody", "right");
    world.ask(who[0], Request::MessageRetry { message: sent.id });
    world.settle();
    let again = &world.history(who[0], "nobody@example.org")[0];
    assert_eq!(again.delivery, Some(Delivery::Sent));
    assert_eq!(again.failure, "");
}

#[test]
fn a_message_that_has_not_left_can_be_taken_back_and_one_that_has_left_cannot() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let sent = world.say(who[0], BOB, "gone");
    world.settle();
    let refused = world.try_ask(who[0], Request::MessageWithdraw { message: sent.id });
    assert_eq!(refused.map_err(|error| error.kind), Err(ErrorKind::Refused));
    world.cut_off(who[0], true);
    let waiting = world.say(who[0], BOB, "not yet");
    world.ask(
        who[0],
        Request::MessageWithdraw {
            message: waiting.id,
        },
    );
    world.cut_off(who[0], false);
    world.network_up(who[0]);
    world.settle();
    assert_eq!(world.bodies(who[1], ALICE), ["gone"]);
    assert_eq!(world.bodies(who[0], BOB), ["gone"]);
}

#[test]
fn the_last_message_is_corrected_at_both_ends_and_only_the_last() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let first = world.say(who[0], BOB, "one");
    let last = world.say(who[0], BOB, "tow");
    world.settle();
    let refused = world.try_ask(
        who[0],
        Request::MessageCorrect {
            message: first.id,
            body: "no".into(),
        },
    );
    assert_eq!(refused.map_err(|error| error.kind), Err(ErrorKind::Refused));
    world.cut_off(who[0], true);
    world.ask(
        who[0],
        Request::MessageCorrect {
            message: last.id,
            body: "two".into(),
        },
    );
    world.kill(who[0]);
    world.restart(who[0]);
    world.cut_off(who[0], false);
    world.network_up(who[0]);
    world.settle();
    for (player, peer) in [(who[0], BOB), (who[1], ALICE)] {
        let history = world.history(player, peer);
        assert_eq!(history.len(), 2);
        assert_eq!(history[1].body, "two");
        assert!(history[1].edited);
        assert_eq!(history[1].previous, ["tow"]);
    }
}

#[test]
fn two_programs_of_one_account_show_the_same() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let second = world.add_player();
    world.sign_in(second, "alice");
    world.say(who[0], BOB, "from the first");
    world.settle();
    world.say(second, BOB, "from the second");
    world.settle();
    world.say(who[1], ALICE, "answer");
    world.settle();
    let expected = ["from the first", "from the second", "answer"];
    for (player, peer) in [(who[0], BOB), (second, BOB), (who[1], ALICE)] {
        assert_eq!(world.bodies(player, peer), expected);
    }
    // And after both lost their sessions, the archive adds nothing twice.
    world.servers[0].refuse_resume = true;
    for player in [who[0], second] {
        world.cut(player);
    }
    world.pass(Duration::from_secs(10));
    for (player, peer) in [(who[0], BOB), (second, BOB)] {
        assert_eq!(world.bodies(player, peer), expected);
    }
}

#[test]
fn a_note_to_oneself_is_there_once() {
    let (mut world, who) = World::of(&["alice"]);
    world.say(who[0], ALICE, "buy bread");
    world.settle();
    world.servers[0].refuse_resume = true;
    world.cut(who[0]);
    world.pass(Duration::from_secs(10));
    assert_eq!(world.bodies(who[0], ALICE), ["buy bread"]);
}
