//! Ways to lose, double or reorder a message that were found by looking for them.

use std::time::Duration;

use sotto_api::Request;
use sotto_api::view::Delivery;
use sotto_xmpp::BareJid;

use super::harness::World;

const BOB: &str = "bob@example.org";
const ALICE: &str = "alice@example.org";
const MAM: &str = "urn:xmpp:mam:2";

fn from_bob(body: &str, archive_id: Option<&str>) -> String {
    let stamp = archive_id
        .map(|id| format!("<stanza-id xmlns='urn:xmpp:sid:0' by='{ALICE}' id='{id}'/>"))
        .unwrap_or_default();
    format!(
        "<message xmlns='jabber:client' from='{BOB}/x' to='{ALICE}' type='chat' id='{body}'>\
         <body>{body}</body>{stamp}</message>"
    )
}

#[test]
fn a_second_try_that_got_lost_is_not_taken_for_the_first_that_failed() {
    let (mut world, who) = World::of(&["alice"]);
    let to = "nobody@example.org";
    let sent = world.say(who[0], to, "hello");
    world.settle();
    assert_eq!(
        world.history(who[0], to)[0].delivery,
        Some(Delivery::Failed),
        "the archive of the sender has it nevertheless"
    );
    world.servers[0].add_user("nobody", "right");
    world.servers[0].frozen = true;
    world.ask(who[0], Request::MessageRetry { message: sent.id });
    world.servers[0].refuse_resume = true;
    world.cut(who[0]);
    world.servers[0].frozen = false;
    world.pass(Duration::from_secs(70));
    let other = world.add_player();
    world.sign_in(other, "nobody");
    assert_eq!(world.bodies(other, ALICE), ["hello"]);
}

#[test]
fn after_a_failed_catch_up_and_a_kill_the_gap_is_still_read() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.say(who[1], ALICE, "before");
    world.settle();
    world.cut_off(who[0], true);
    world.servers[0].expire_sessions();
    world.say(who[1], ALICE, "missed");
    world.settle();
    world.servers[0].refused.insert(MAM.into());
    world.cut_off(who[0], false);
    world.network_up(who[0]);
    world.settle();
    world.kill(who[0]);
    world.servers[0].refused.clear();
    world.restart(who[0]);
    world.settle();
    world.say(who[1], ALICE, "after");
    world.settle();
    assert_eq!(
        world.bodies(who[0], BOB),
        ["before", "missed", "after"],
        "after the kill"
    );
}

#[test]
fn an_archive_that_does_not_answer_doubles_nothing() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.say(who[0], BOB, "before");
    world.settle();
    world.say(who[0], BOB, "in doubt");
    world.servers[0].mute_archive = true;
    world.servers[0].refuse_resume = true;
    // It leaves the process, and no confirmation comes back.
    world.kill(who[0]);
    world.restart(who[0]);
    world.pass(Duration::from_secs(61));
    world.servers[0].mute_archive = false;
    world.pass(Duration::from_secs(70));
    assert_eq!(world.bodies(who[1], ALICE), ["before", "in doubt"]);
    assert!(
        world.history(who[0], BOB)[1].delivery >= Some(Delivery::Sent),
        "and it is known that it arrived"
    );
}

#[test]
fn another_program_of_mine_may_use_an_id_twice() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    for (n, body) in [(1, "one"), (2, "two")] {
        let copy = format!(
            "<message xmlns='jabber:client' from='{ALICE}' to='{ALICE}/r1'>\
             <sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
             <message xmlns='jabber:client' from='{ALICE}/old' to='{BOB}' type='chat' id='1'>\
             <body>{body}</body><stanza-id xmlns='urn:xmpp:sid:0' by='{ALICE}' id='z{n}'/></message>\
             </forwarded></sent></message>"
        );
        world.servers[0].inject("alice", &copy);
        world.servers[0].inject("alice", &copy);
    }
    world.settle();
    assert_eq!(world.bodies(who[0], BOB), ["one", "two"]);
}

#[test]
fn a_live_message_that_is_not_archived_survives_a_kill_while_the_archive_is_read() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.say(who[1], ALICE, "before");
    world.settle();
    world.servers[0].refuse_resume = true;
    world.servers[0].mute_archive = true;
    world.cut(who[0]);
    world.pass(Duration::from_secs(5));
    world.servers[0].inject("alice", &from_bob("not-kept", None));
    world.settle();
    world.kill(who[0]);
    world.servers[0].expire_sessions();
    world.servers[0].mute_archive = false;
    world.restart(who[0]);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.bodies(who[0], BOB), ["before", "not-kept"]);
}

#[test]
fn more_live_messages_than_can_be_held_lose_none() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.say(who[1], ALICE, "before");
    world.settle();
    world.servers[0].refuse_resume = true;
    world.servers[0].mute_archive = true;
    world.cut(who[0]);
    world.pass(Duration::from_secs(5));
    // Large ones until nothing fits, then a small one that would.
    let bob = BareJid::new(BOB).expect("an address");
    let mut expected = vec!["before".to_owned()];
    for n in 0..100 {
        let body = if n == 99 {
            "small".to_owned()
        } else {
            format!("{n}:{}", "x".repeat(100_000))
        };
        let plain =
            from_bob(&body, None).replacen(&format!("id='{body}'"), &format!("id='m{n}'"), 1);
        let id = world.servers[0].archive("alice", bob.clone(), &plain);
        let stamp = format!("<stanza-id xmlns='urn:xmpp:sid:0' by='{ALICE}' id='{id}'/></message>");
        world.servers[0].inject("alice", &plain.replacen("</message>", &stamp, 1));
        expected.push(body);
    }
    world.settle();
    world.servers[0].mute_archive = false;
    world.pass(Duration::from_secs(70));
    let shown = world.bodies(who[0], BOB);
    assert_eq!(shown.len(), expected.len());
    assert!(shown == expected, "in order");
}

#[test]
fn a_correction_behind_its_original_in_doubt_keeps_its_place() {
    for steps in 0..8 {
        let (mut world, who) = World::of(&["alice", "bob"]);
        let sent = world.say(who[0], BOB, "tow");
        for _ in 0..steps {
            world.deliver_some();
        }
        let request = Request::MessageCorrect {
            message: sent.id,
            body: "two".into(),
        };
        world.ask(who[0], request);
        world.say(who[0], BOB, "three");
        world.servers[0].refuse_resume = steps % 2 == 0;
        world.kill(who[0]);
        world.restart(who[0]);
        world.pass(Duration::from_secs(70));
        assert_eq!(
            world.bodies(who[1], ALICE),
            ["two", "three"],
            "after {steps}"
        );
    }
}
