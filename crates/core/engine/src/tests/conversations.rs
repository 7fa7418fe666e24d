//! Drafts, unread counts, typing, receipts, markers, settings, search.

use std::time::Duration;

use sotto_api::view::{Delivery, MessageKind, Privacy, Settings};
use sotto_api::{ConversationId, ErrorKind, Event, Reply, Request};
use sotto_xmpp::Element;

use super::harness::{Who, World};

const BOB: &str = "bob@example.org";
const ALICE: &str = "alice@example.org";

fn typing(world: &mut World, who: Who, conversation: ConversationId, active: bool) {
    world.ask(
        who,
        Request::Typing {
            conversation,
            active,
        },
    );
    world.settle();
}

fn set(world: &mut World, who: Who, change: impl FnOnce(&mut Settings)) {
    let Reply::Settings(mut settings) = world.ask(who, Request::SettingsGet {}) else {
        panic!("no settings")
    };
    change(&mut settings);
    world.ask(who, Request::SettingsSet { settings });
}

/// What a client sent to an address since the beginning.
fn sent_to<'a>(world: &'a World, from: &str, to: &str) -> Vec<&'a Element> {
    world.servers[0]
        .seen
        .iter()
        .filter(|(sender, stanza)| {
            sender.starts_with(from)
                && stanza.name() == "message"
                && stanza.attr("to").is_some_and(|known| known.starts_with(to))
        })
        .map(|(_, stanza)| stanza)
        .collect()
}

#[test]
fn drafts_and_unread_counts_survive_a_restart() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.say(who[0], BOB, "one");
    world.say(who[0], BOB, "two");
    world.settle();
    let conversation = world.open(who[1], ALICE).id;
    world.ask(
        who[1],
        Request::DraftSet {
            conversation,
            body: "half a sent".into(),
        },
    );
    world.kill(who[1]);
    world.restart(who[1]);
    world.settle();
    let view = world.conversation(who[1], conversation);
    assert_eq!((view.draft.as_str(), view.unread), ("half a sent", 2));
    let first = world.history(who[1], ALICE)[0].id;
    assert_eq!(view.first_unread, Some(first));
    world.ask(who[1], Request::ConversationRead { conversation });
    assert_eq!(world.conversation(who[1], conversation).unread, 0);
    world.kill(who[1]);
    world.restart(who[1]);
    world.settle();
    let view = world.conversation(who[1], conversation);
    assert_eq!((view.unread, view.first_unread), (0, None));
}

#[test]
fn typing_is_shown_to_contacts_and_ends_by_itself() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.say(who[0], BOB, "hello");
    world.settle();
    let conversation = world.open(who[0], BOB).id;
    typing(&mut world, who[0], conversation, true);
    let theirs = world.open(who[1], ALICE);
    assert!(theirs.typing);
    assert!(theirs.typing_text.ends_with("is writing…"));
    world.pass(Duration::from_secs(3));
    assert!(!world.open(who[1], ALICE).typing, "paused");
    typing(&mut world, who[0], conversation, true);
    assert!(world.open(who[1], ALICE).typing);
    world.say(who[0], BOB, "written");
    world.settle();
    assert!(!world.open(who[1], ALICE).typing);
}

#[test]
fn typing_is_not_told_when_it_is_switched_off() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    set(&mut world, who[0], |settings| settings.send_typing = false);
    let conversation = world.open(who[0], BOB).id;
    typing(&mut world, who[0], conversation, true);
    assert!(sent_to(&world, ALICE, BOB).is_empty());
}

#[test]
fn s_xmpp_17_a_stranger_hears_nothing_that_was_not_written() {
    let (mut world, who) = World::of(&["alice"]);
    world.servers[0].add_user("eve", "right");
    let eve = world.add_player();
    world.sign_in(eve, "eve");
    world.say(eve, ALICE, "who is there?");
    for probe in [
        "<iq type='get' id='1' from='eve@example.org/x'><query xmlns='jabber:iq:version'/></iq>",
        "<iq type='get' id='2' from='eve@example.org/x'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq type='get' id='3' from='eve@example.org/x'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
        "<iq type='get' id='4' from='eve@example.org/x'><query xmlns='jabber:iq:last'/></iq>",
    ] {
        world.servers[0].inject("alice", probe);
    }
    world.settle();
    set(&mut world, who[0], |settings| {
        settings.send_displayed = true
    });
    let view = world.open(who[0], "eve@example.org");
    assert!(view.stranger);
    typing(&mut world, who[0], view.id, true);
    world.ask(
        who[0],
        Request::ConversationRead {
            conversation: view.id,
        },
    );
    world.settle();
    assert!(sent_to(&world, ALICE, "eve@").is_empty());
    for (from, stanza) in &world.servers[0].seen {
        if from.starts_with(ALICE) && stanza.name() == "iq" && stanza.attr("to").is_some() {
            assert_ne!(stanza.attr("type"), Some("result"), "{stanza:?}");
        }
    }
    assert_eq!(world.history(eve, ALICE)[0].delivery, Some(Delivery::Sent));
}

#[test]
fn receipts_and_markers_go_to_contacts_as_the_settings_say() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    set(&mut world, who[1], |settings| {
        settings.send_receipts = false
    });
    world.say(who[0], BOB, "one");
    world.settle();
    assert_eq!(world.history(who[0], BOB)[0].delivery, Some(Delivery::Sent));
    set(&mut world, who[1], |settings| settings.send_receipts = true);
    world.say(who[0], BOB, "two");
    world.settle();
    let conversation = world.open(who[1], ALICE).id;
    world.ask(who[1], Request::ConversationRead { conversation });
    world.settle();
    let deliveries: Vec<_> = world
        .history(who[0], BOB)
        .iter()
        .map(|message| message.delivery)
        .collect();
    assert_eq!(
        deliveries,
        [Some(Delivery::Sent), Some(Delivery::Delivered)]
    );
    set(&mut world, who[1], |settings| {
        settings.send_displayed = true
    });
    world.say(who[0], BOB, "three");
    world.settle();
    world.ask(who[1], Request::ConversationRead { conversation });
    world.settle();
    for message in world.history(who[0], BOB) {
        assert_eq!(message.delivery, Some(Delivery::Seen));
    }
}

#[test]
fn a_displayed_marker_of_my_other_program_marks_as_read_here() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let second = world.add_player();
    world.sign_in(second, "bob");
    for player in [who[1], second] {
        set(&mut world, player, |settings| {
            settings.send_displayed = true
        });
    }
    world.say(who[0], BOB, "hello");
    world.settle();
    assert_eq!(world.open(who[1], ALICE).unread, 1);
    let conversation = world.open(second, ALICE).id;
    world.ask(second, Request::ConversationRead { conversation });
    world.settle();
    assert_eq!(world.open(who[1], ALICE).unread, 0);
}

#[test]
fn views_carry_actions_links_and_the_privacy_label() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.say(who[0], BOB, "/me waves at https://example.org/");
    world.settle();
    let message = world.history(who[1], ALICE).remove(0);
    assert_eq!(message.kind, MessageKind::Action);
    assert!(message.body.ends_with("waves at https://example.org/"));
    assert!(!message.body.starts_with("/me"));
    assert_eq!(message.links.len(), 1);
    assert_eq!(message.privacy, Privacy::ServerOnly);
    let view = world.open(who[1], ALICE);
    assert_eq!(view.privacy.state, Privacy::ServerOnly);
    assert!(view.online);
    assert_eq!(view.notice, "");
    assert!(!view.stranger);
}

#[test]
fn words_are_found_in_all_conversations_or_in_one() {
    let (mut world, who) = World::of(&["alice", "bob", "carol"]);
    world.say(who[0], BOB, "the garden gate");
    world.say(who[0], "carol@example.org", "a garden party");
    world.settle();
    let found = |world: &mut World, conversation| {
        let request = Request::Search {
            query: "gard".into(),
            conversation,
            before: None,
            limit: 10,
        };
        match world.ask(who[0], request) {
            Reply::Found(page) => page.hits,
            other => panic!("{other:?}"),
        }
    };
    let all = found(&mut world, None);
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].message.body, "a garden party");
    assert_eq!(all[0].highlights.len(), 1);
    let conversation = world.open(who[0], BOB).id;
    let one = found(&mut world, Some(conversation));
    assert_eq!(one.len(), 1);
}

#[test]
fn limits_and_empty_texts_are_refused() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let conversation = world.open(who[0], BOB).id;
    let kind = |world: &mut World, request| world.try_ask(who[0], request).unwrap_err().kind;
    for body in ["", " \n ", "\u{1}\u{2}"] {
        let body = body.into();
        let request = Request::MessageSend { conversation, body };
        assert_eq!(kind(&mut world, request), ErrorKind::Invalid);
    }
    for limit in [0, 501] {
        let request = Request::MessagePage {
            conversation,
            before: None,
            after: None,
            limit,
        };
        assert_eq!(kind(&mut world, request), ErrorKind::Invalid);
    }
    let unknown = ConversationId(9999);
    let request = Request::ConversationView {
        conversation: unknown,
    };
    assert_eq!(kind(&mut world, request), ErrorKind::NotFound);
}

#[test]
fn events_name_what_changed() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.take_events(who[1]);
    let sent = world.say(who[0], BOB, "hello");
    world.settle();
    let conversation = world.open(who[1], ALICE).id;
    let events = world.take_events(who[1]);
    let added = events.iter().any(|event| {
        matches!(event, Event::MessagesAdded { conversation: c, alert: true, .. } if *c == conversation)
    });
    assert!(added, "{events:?}");
    let events = world.take_events(who[0]);
    let ticked = events
        .iter()
        .any(|event| matches!(event, Event::MessageChanged { message, .. } if *message == sent.id));
    assert!(ticked, "{events:?}");
}
