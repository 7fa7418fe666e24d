//! Forged stanzas, at the level of what a person would see.

use std::time::Duration;

use sotto_api::view::{AccountState, Delivery};
use sotto_api::{Event, Reply, Request};

use super::harness::{Who, World};

const BOB: &str = "bob@example.org";
const ALICE: &str = "alice@example.org";
const EVE: &str = "eve@example.org";

fn inject(world: &mut World, stanza: &str) {
    world.servers[0].inject("alice", stanza);
    world.settle();
}

fn chat(from: &str, id: &str, body: &str, more: &str) -> String {
    format!(
        "<message type='chat' from='{from}' to='{ALICE}' id='{id}'><body>{body}</body>{more}</message>"
    )
}

fn contacts(world: &mut World, who: Who) -> usize {
    let request = Request::ContactList {
        filter: String::new(),
        offline: Some(true),
    };
    match world.ask(who, request) {
        Reply::Contacts(groups) => groups.iter().map(|group| group.contacts.len()).sum(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn s_xmpp_01_a_copy_from_anybody_but_my_own_account_is_refused() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    for outer in [
        "from='eve@example.org'",
        "from='alice@example.org/other'",
        "from='Alice@example.org'",
        "from='аlice@example.org'",
        "from='example.org'",
        "",
    ] {
        for kind in ["sent", "received"] {
            let (from, to) = if kind == "sent" {
                (ALICE, BOB)
            } else {
                (BOB, ALICE)
            };
            inject(
                &mut world,
                &format!(
                    "<message {outer}><{kind} xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
                     <message xmlns='jabber:client' type='chat' from='{from}/x' to='{to}'><body>forged</body></message>\
                     </forwarded></{kind}></message>"
                ),
            );
        }
    }
    assert!(world.bodies(who[0], BOB).is_empty());
    assert!(world.bodies(who[0], EVE).is_empty());
}

#[test]
fn s_xmpp_04_a_contact_list_push_from_anybody_else_is_refused() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let before = contacts(&mut world, who[0]);
    for from in [
        "from='eve@example.org'",
        "from='alice@example.org/x'",
        "from='bob@example.org'",
    ] {
        inject(
            &mut world,
            &format!(
                "<iq type='set' id='p1' {from}><query xmlns='jabber:iq:roster'>\
                 <item jid='{EVE}' subscription='both'/></query></iq>"
            ),
        );
    }
    assert_eq!(contacts(&mut world, who[0]), before);
    inject(
        &mut world,
        &format!(
            "<iq type='set' id='p2'><query xmlns='jabber:iq:roster'>\
             <item jid='{EVE}' subscription='both'/></query></iq>"
        ),
    );
    assert_eq!(contacts(&mut world, who[0]), before + 1);
}

#[test]
fn s_xmpp_05_an_answer_from_somebody_else_completes_nothing() {
    let mut world = World::new();
    world.servers[0].add_user("alice", "right");
    world.servers[0].add_contact("alice", BOB, "both");
    let who = world.add_player();
    world.add_account(who, ALICE, "right", true);
    // Until the contact list was asked for; then the wrong one answers first.
    let id = loop {
        world.deliver_some();
        let asked = world.servers[0].seen.iter().find(|(_, stanza)| {
            stanza.has_child("query", "jabber:iq:roster") && stanza.attr("type") == Some("get")
        });
        if let Some((_, stanza)) = asked {
            break stanza.attr("id").unwrap().to_owned();
        }
    };
    world.servers[0].inject(
        "alice",
        &format!(
            "<iq type='result' id='{id}' from='{EVE}'><query xmlns='jabber:iq:roster'>\
             <item jid='{EVE}' subscription='both'/></query></iq>"
        ),
    );
    world.settle();
    assert_eq!(contacts(&mut world, who), 1);
    assert!(!world.open(who, BOB).stranger);
    assert!(world.open(who, EVE).stranger);
}

#[test]
fn s_xmpp_07_only_who_wrote_a_message_corrects_it() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    inject(&mut world, &chat("bob@example.org/x", "m1", "at six", ""));
    let replace = "<replace xmlns='urn:xmpp:message-correct:0' id='m1'/>";
    inject(
        &mut world,
        &chat("eve@example.org/x", "m2", "at seven", replace),
    );
    assert_eq!(world.bodies(who[0], BOB), ["at six"]);
    assert_eq!(
        world.bodies(who[0], EVE),
        ["at seven"],
        "a message of its own"
    );
    inject(
        &mut world,
        &chat("bob@example.org/y", "m3", "at eight", replace),
    );
    let message = world.history(who[0], BOB).remove(0);
    assert_eq!(message.body, "at eight");
    assert!(message.edited);
    assert_eq!(message.previous, ["at six"]);
    // One that names itself is a message of its own.
    let itself = "<replace xmlns='urn:xmpp:message-correct:0' id='m4'/>";
    inject(
        &mut world,
        &chat("bob@example.org/x", "m4", "alone", itself),
    );
    assert_eq!(world.bodies(who[0], BOB), ["at eight", "alone"]);
}

#[test]
fn s_xmpp_09_a_receipt_counts_only_from_whom_the_message_went_to() {
    let (mut world, who) = World::of(&["alice"]);
    world.servers[0].add_user("bob", "right");
    world.say(who[0], BOB, "hello");
    world.settle();
    let id = world.servers[0]
        .seen
        .iter()
        .find(|(_, stanza)| stanza.has_child("body", "jabber:client"))
        .and_then(|(_, stanza)| stanza.attr("id"))
        .unwrap()
        .to_owned();
    for notice in [
        format!("<received xmlns='urn:xmpp:receipts' id='{id}'/>"),
        format!("<displayed xmlns='urn:xmpp:chat-markers:0' id='{id}'/>"),
    ] {
        inject(
            &mut world,
            &format!("<message from='{EVE}/x' to='{ALICE}' id='r'>{notice}</message>"),
        );
        assert_eq!(world.history(who[0], BOB)[0].delivery, Some(Delivery::Sent));
    }
    inject(
        &mut world,
        &format!(
            "<message from='{BOB}/x' to='{ALICE}' id='r'><received xmlns='urn:xmpp:receipts' id='{id}'/></message>"
        ),
    );
    assert_eq!(
        world.history(who[0], BOB)[0].delivery,
        Some(Delivery::Delivered)
    );
}

#[test]
fn s_xmpp_10_forged_ids_swallow_nothing() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    inject(&mut world, &chat("bob@example.org/x", "same", "first", ""));
    let mut expected = vec!["first".to_owned()];
    for number in 0..500 {
        let forged = format!(
            "<origin-id xmlns='urn:xmpp:sid:0' id='same'/>\
             <stanza-id xmlns='urn:xmpp:sid:0' by='{BOB}' id='same'/>\
             <stanza-id xmlns='urn:xmpp:sid:0' by='example.org' id='same'/>"
        );
        let body = format!("message {number}");
        world.servers[0].inject("alice", &chat("bob@example.org/x", "same", &body, &forged));
        expected.push(body);
    }
    world.settle();
    assert_eq!(world.bodies(who[0], BOB), expected);
}

#[test]
fn s_xmpp_10_only_the_same_words_of_the_same_program_are_one_message() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let origin = "<origin-id xmlns='urn:xmpp:sid:0' id='same'/>";
    let mut say = |from: &str, body: &str, origin: &str| {
        inject(&mut world, &chat(from, "same", body, origin));
    };
    say("bob@example.org/x", "hello", origin);
    say("bob@example.org/x", "hello", origin); // routed twice by the server
    say("bob@example.org/y", "hello", origin); // another program
    say("bob@example.org/x", "hello", ""); // another origin
    say("bob@example.org/x", "other words", origin);
    assert_eq!(
        world.bodies(who[0], BOB),
        ["hello", "hello", "hello", "other words"]
    );
}

#[test]
fn s_xmpp_10_what_a_restarted_program_repeats_is_one_message() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let id = "9f0c1f0e7c2b4d6a";
    let origin = format!("<origin-id xmlns='urn:xmpp:sid:0' id='{id}'/>");
    let mut say = |from: &str, body: &str, origin: &str| {
        inject(&mut world, &chat(from, id, body, origin));
    };
    say("bob@example.org/before", "hello", &origin);
    say("bob@example.org/after", "hello", &origin); // the server had it after all
    say("bob@example.org/after", "other words", &origin);
    say("bob@example.org/after", "hello", "");
    assert_eq!(world.bodies(who[0], BOB), ["hello", "other words", "hello"]);
    let id = "17";
    let origin = format!("<origin-id xmlns='urn:xmpp:sid:0' id='{id}'/>");
    for from in ["bob@example.org/one", "bob@example.org/two"] {
        inject(&mut world, &chat(from, id, "counted", &origin));
    }
    assert_eq!(
        world.history(who[0], BOB).len(),
        5,
        "two programs that count"
    );
}

#[test]
fn s_xmpp_12_what_comes_through_a_room_is_not_shown_as_a_contacts_words() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let room = "<x xmlns='http://jabber.org/protocol/muc#user'/>";
    let from = "room@conference.example.org/bob";
    inject(&mut world, &chat(from, "1", "psst", room));
    inject(
        &mut world,
        &format!(
            "<message from='{ALICE}'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
             <message xmlns='jabber:client' type='chat' from='{ALICE}/x' to='{from}'><body>psst</body>{room}</message>\
             </forwarded></sent></message>"
        ),
    );
    inject(
        &mut world,
        &format!("<message type='groupchat' from='{from}' to='{ALICE}'><body>all</body></message>"),
    );
    assert!(world.conversations(who[0]).is_empty());
}

#[test]
fn s_xmpp_13_an_error_is_neither_answered_nor_shown() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.take_events(who[0]);
    let before = world.servers[0].seen.len();
    inject(
        &mut world,
        &format!(
            "<message type='error' from='{BOB}/x' to='{ALICE}' id='zz'><body>boo</body>\
             <request xmlns='urn:xmpp:receipts'/><error type='cancel'>\
             <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        ),
    );
    inject(
        &mut world,
        &format!("<iq type='error' from='{BOB}/x' id='zz'><error type='cancel'/></iq>"),
    );
    assert!(world.bodies(who[0], BOB).is_empty());
    let events = world.take_events(who[0]);
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::MessagesAdded { .. })),
        "{events:?}"
    );
    assert_eq!(world.servers[0].seen.len(), before);
}

#[test]
fn s_xmpp_16_a_server_that_counts_wrongly_loses_no_message() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.say(who[0], BOB, "one");
    world.settle();
    world.servers[0].inject("alice", "<a xmlns='urn:xmpp:sm:3' h='4000000'/>");
    world.say(who[0], BOB, "two");
    world.pass(Duration::from_secs(70));
    assert_eq!(world.bodies(who[1], ALICE), ["one", "two"]);
    let account = world.accounts(who[0]).remove(0);
    assert_eq!(account.state, AccountState::Online);
}

#[test]
fn s_xmpp_18_floods_of_strangers_are_bounded_and_alert_a_few_times_only() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.take_events(who[0]);
    for number in 0..2000 {
        let from = format!("s{number}@spam.example/x");
        world.servers[0].inject("alice", &chat(&from, "1", "buy", ""));
        let request = format!("<presence type='subscribe' from='s{number}@spam.example'/>");
        world.servers[0].inject("alice", &request);
    }
    world.say(who[1], ALICE, "still here?");
    world.settle();
    assert_eq!(world.bodies(who[0], BOB), ["still here?"]);
    assert!(world.conversations(who[0]).len() <= 110);
    let alerts = world
        .take_events(who[0])
        .into_iter()
        .filter(|event| matches!(event, Event::MessagesAdded { alert: true, .. }))
        .count();
    assert!(alerts <= 6, "{alerts} alerts");
    let Reply::SubscriptionRequests(requests) = world.ask(who[0], Request::SubscriptionList {})
    else {
        panic!("no list")
    };
    assert!(requests.len() <= 1000, "{}", requests.len());
}

#[test]
fn s_proc_07_a_stanza_that_panics_is_put_aside_and_the_rest_goes_on() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    world.servers[0].inject("alice", &chat("bob@example.org/x", "1", "before", ""));
    let bad = chat("bob@example.org/x", "panic-for-a-test", "bad", "");
    world.servers[0].inject("alice", &bad);
    world.servers[0].inject("alice", &chat("bob@example.org/x", "3", "after", ""));
    world.settle();
    std::panic::set_hook(hook);
    assert_eq!(world.bodies(who[0], BOB), ["before", "after"]);
    let account = world.accounts(who[0]).remove(0);
    assert_eq!(account.state, AccountState::Online);
    world.kill(who[0]);
    world.restart(who[0]);
    world.settle();
    assert_eq!(world.bodies(who[0], BOB), ["before", "after"]);
}

#[test]
fn s_proc_07_a_panic_outside_of_a_stanza_costs_one_connection_and_not_the_program() {
    for place in ["at bytes", "at a time"] {
        let (mut world, who) = World::of(&["alice", "bob"]);
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        crate::account::PANIC.set(place);
        world.servers[0].inject("alice", &chat("bob@example.org/x", "1", "before", ""));
        world.pass(Duration::from_secs(600));
        std::panic::set_hook(hook);
        assert_eq!(crate::account::PANIC.get(), "", "{place}: it came to light");
        for account in who.iter().flat_map(|who| world.accounts(*who)) {
            assert_eq!(account.state, AccountState::Online, "{place}");
        }
        world.servers[0].inject("alice", &chat("bob@example.org/x", "2", "after", ""));
        world.settle();
        assert_eq!(
            world.bodies(who[0], BOB).last().unwrap(),
            "after",
            "{place}"
        );
        world.kill(who[0]);
        world.restart(who[0]);
        world.settle();
        assert_eq!(
            world.bodies(who[0], BOB).last().unwrap(),
            "after",
            "{place}"
        );
    }
}
