//! What was missed, and what is older (XEP-0313).

use std::time::Duration;

use sotto_api::Event;
use sotto_api::view::{Delivery, Direction};
use sotto_xmpp::BareJid;

use super::harness::World;

const BOB: &str = "bob@example.org";
const ALICE: &str = "alice@example.org";

#[test]
fn what_came_while_nobody_was_there_is_fetched_in_order_before_what_comes_live() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.say(who[0], BOB, "0");
    world.settle();
    world.cut_off(who[1], true);
    world.servers[0].expire_sessions();
    let expected: Vec<String> = (0..250).map(|number| number.to_string()).collect();
    for body in &expected[1..249] {
        world.say(who[0], BOB, body);
        world.settle();
    }
    world.take_events(who[1]);
    world.cut_off(who[1], false);
    world.network_up(who[1]);
    // The last one comes live, in the middle of the catch-up.
    for _ in 0..20 {
        world.deliver_some();
    }
    world.say(who[0], BOB, "249");
    world.settle();
    assert_eq!(world.bodies(who[1], ALICE), expected);
    let view = world.open(who[1], ALICE);
    assert_eq!(view.unread, 250);
    let alerts = world
        .take_events(who[1])
        .into_iter()
        .filter(|event| matches!(event, Event::MessagesAdded { alert: true, .. }));
    assert!(alerts.count() >= 1);
}

#[test]
fn r_net_10_a_refused_resumption_leaves_no_gap_and_no_double() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let mut expected = Vec::new();
    for round in 0..5 {
        for number in 0..30 {
            let body = format!("{round}/{number}");
            world.say(who[0], BOB, &body);
            expected.push(body);
            if number == 10 {
                world.servers[0].refuse_resume = true;
                world.cut(who[1]);
            }
            if number == 20 {
                world.pass(Duration::from_secs(3));
                world.servers[0].refuse_resume = false;
            }
        }
        world.settle();
    }
    world.pass(Duration::from_secs(30));
    assert_eq!(world.bodies(who[1], ALICE), expected);
}

#[test]
fn the_first_sign_in_shows_the_newest_page_as_read_and_older_ones_when_looked_at() {
    let mut world = World::new();
    world.servers[0].add_user("alice", "right");
    world.servers[0].add_user("bob", "right");
    world.servers[0].add_contact("alice", BOB, "both");
    let expected: Vec<String> = (0..330).map(|number| format!("old {number}")).collect();
    for (number, body) in expected.iter().enumerate() {
        let (from, to) = if number % 3 == 0 {
            ("alice@example.org/x", BOB)
        } else {
            ("bob@example.org/y", ALICE)
        };
        let stanza = format!(
            "<message xmlns='jabber:client' type='chat' from='{from}' to='{to}' id='o{number}'><body>{body}</body></message>"
        );
        let peer = BareJid::new(BOB).unwrap();
        world.servers[0].archive("alice", peer, &stanza);
    }
    let alice = world.add_player();
    world.sign_in(alice, "alice");
    let view = world.open(alice, BOB);
    assert_eq!(view.unread, 0);
    assert_eq!(world.bodies(alice, BOB), expected[230..]);
    for _ in 0..10 {
        world.bodies(alice, BOB);
        world.settle();
    }
    assert_eq!(world.bodies(alice, BOB), expected);
    let history = world.history(alice, BOB);
    assert_eq!(history[0].direction, Direction::Outgoing);
    assert_eq!(history[1].direction, Direction::Incoming);
    assert_eq!(world.open(alice, BOB).unread, 0);
}

#[test]
fn what_comes_into_an_empty_archive_while_nobody_is_there_is_new() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.cut_off(who[1], true);
    world.servers[0].expire_sessions();
    world.say(who[0], BOB, "hello");
    world.settle();
    world.cut_off(who[1], false);
    world.network_up(who[1]);
    world.settle();
    assert_eq!(world.open(who[1], ALICE).unread, 1);
    let message = world.history(who[0], BOB).remove(0);
    assert_eq!(message.delivery, Some(Delivery::Delivered));
}

#[test]
fn s_xmpp_03_an_archive_result_that_nobody_asked_for_has_no_effect() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    for from in ["bob@example.org", "alice@example.org", "example.org"] {
        let forged = format!(
            "<message from='{from}'><result xmlns='urn:xmpp:mam:2' queryid='1' id='9'>\
             <forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' type='chat' from='{BOB}' to='{ALICE}'>\
             <body>forged</body></message></forwarded></result></message>"
        );
        world.servers[0].inject("alice", &forged);
    }
    world.settle();
    assert!(world.bodies(who[0], BOB).is_empty());
}

#[test]
fn a_server_without_an_archive_needs_none() {
    let mut world = World::new();
    world.servers[0].has_archive = false;
    for name in ["alice", "bob"] {
        world.servers[0].add_user(name, "right");
    }
    world.servers[0].add_contact("alice", BOB, "both");
    world.servers[0].add_contact("bob", ALICE, "both");
    let alice = world.add_player();
    let bob = world.add_player();
    world.sign_in(alice, "alice");
    world.sign_in(bob, "bob");
    for number in 0..10 {
        world.say(alice, BOB, &number.to_string());
        world.cut(if number % 2 == 0 { alice } else { bob });
        world.pass(Duration::from_secs(3));
    }
    world.pass(Duration::from_secs(30));
    let expected: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    assert_eq!(world.bodies(bob, ALICE), expected);
}
