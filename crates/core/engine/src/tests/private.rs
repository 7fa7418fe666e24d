//! Private conversations between two engines: what is required never leaves in clear, and what is private
//! survives cuts and kills.

mod erased;
mod lost;
mod random;

use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sotto_api::view::{
    AlertAct, AlertKind, Delivery, LineNotice, MessageKind, MessageView, Policy, PolicyScope,
    Privacy, PrivateState, Settings, Trust,
};
use sotto_api::{ErrorKind, Request};
use sotto_otr::Keypair;
use sotto_xmpp::Element;

use super::harness::{Who, World};

pub const BOB: &str = "bob@example.org";
pub const ALICE: &str = "alice@example.org";

/// Ready keys: to make one takes a while.
pub fn key(index: usize) -> &'static [u8] {
    static KEYS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        (1..4_u64)
            .map(|seed| {
                let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut random = |buffer: &mut [u8]| {
                    for byte in buffer {
                        state = state
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1_442_695_040_888_963_407);
                        *byte = (state >> 33) as u8;
                    }
                };
                Keypair::generate(&mut random).to_bytes().to_vec()
            })
            .collect()
    });
    &keys[index]
}

/// Alice and Bob with keys, and what each requires.
pub fn world(alice: Policy, bob: Policy) -> (World, Vec<Who>) {
    let (mut world, who) = World::of(&["alice", "bob"]);
    give_keys(&mut world, &[(who[0], alice), (who[1], bob)]);
    (world, who)
}

/// People with one account get ready keys, and require something.
fn give_keys(world: &mut World, people: &[(Who, Policy)]) {
    for (index, (who, policy)) in people.iter().enumerate() {
        world.with_store(*who, |store| {
            let account = store.accounts().expect("accounts")[0].id;
            store
                .otr_key_set(account, key(index), sotto_api::Timestamp(0))
                .expect("a key");
            store.policy_global_set(*policy).expect("a policy");
        });
    }
    world.pass(Duration::from_secs(5));
}

/// What people said to each other, without the program's lines.
fn said(world: &mut World, who: Who, peer: &str) -> Vec<String> {
    words(world, who, peer)
        .into_iter()
        .map(|message| message.body)
        .collect()
}

fn words(world: &mut World, who: Who, peer: &str) -> Vec<MessageView> {
    let mut history = world.history(who, peer);
    history.retain(|message| message.kind != MessageKind::System);
    history
}

fn notices(world: &mut World, who: Who, peer: &str) -> Vec<LineNotice> {
    let history = world.history(who, peer);
    history.iter().filter_map(|line| line.notice).collect()
}

/// Requires private conversations with everybody, in a program that runs.
fn require(world: &mut World, who: Who) {
    let request = Request::PolicySet {
        scope: PolicyScope::Global {},
        policy: Some(Policy::Required),
        follow: true,
    };
    world.ask(who, request);
}

/// Panics if a word stands in anything that a client sent to the server.
fn assert_never_left(world: &World, word: &str) {
    for (user, stanza) in &world.servers[0].seen {
        let xml = String::from(stanza);
        assert!(!xml.contains(word), "{user} sent {word} in clear: {xml}");
    }
}

/// Every body that a user sent, in order.
fn bodies_sent(world: &World, user: &str) -> Vec<String> {
    let sent = world.servers[0].seen.iter();
    sent.filter(|(from, stanza)| {
        from.starts_with(&format!("{user}@")) && stanza.name() == "message"
    })
    .filter_map(|(_, stanza)| stanza.get_child("body", "jabber:client"))
    .map(Element::text)
    .collect()
}

fn bodies_with_otr(world: &World, user: &str) -> Vec<Element> {
    let sent = world.servers[0].seen.iter();
    sent.filter(|(from, stanza)| {
        from.starts_with(&format!("{user}@"))
            && stanza.name() == "message"
            && String::from(stanza).contains("?OTR:AAMD")
    })
    .map(|(_, stanza)| stanza.clone())
    .collect()
}

#[test]
fn s_otr_14_required_the_first_message_waits_and_leaves_encrypted() {
    let (mut world, who) = world(Policy::Required, Policy::Preferred);
    let sent = world.say(who[0], BOB, "canary-one");
    assert_eq!(sent.delivery, Some(Delivery::Waiting));
    assert!(!sent.kept);
    world.settle();
    assert_eq!(said(&mut world, who[1], ALICE), ["canary-one"]);
    assert_never_left(&world, "canary");
    let view = world.open(who[0], BOB);
    assert_eq!(view.private.state, PrivateState::Private);
    assert_eq!(view.privacy.state, Privacy::Encrypted);
    assert_eq!(view.private.trust, Some(Trust::New));
    let mine = &words(&mut world, who[0], BOB)[0];
    assert_eq!(mine.delivery, Some(Delivery::Delivered));
    assert_eq!(mine.privacy, Privacy::Encrypted);
    let lines = notices(&mut world, who[0], BOB);
    assert!(lines.contains(&LineNotice::PrivateStarted), "{lines:?}");
    assert!(lines.contains(&LineNotice::NotKept), "{lines:?}");
    world.say(who[1], ALICE, "canary-two");
    world.settle();
    assert_eq!(said(&mut world, who[0], BOB), ["canary-one", "canary-two"]);
    assert_never_left(&world, "canary");
}

#[test]
fn s_otr_14_required_and_no_answer_the_text_comes_back() {
    let (mut world, who) = world(Policy::Required, Policy::Off);
    world.cut_off(who[1], true);
    world.servers[0].expire_sessions();
    let conversation = world.open(who[0], BOB).id;
    world.say_in(who[0], conversation, "canary-one");
    world.say_in(who[0], conversation, "canary-two");
    world.pass(Duration::from_secs(25));
    let view = world.conversation(who[0], conversation);
    assert_eq!(view.draft, "canary-one\ncanary-two");
    assert_eq!(view.private.state, PrivateState::None);
    let alert = view.private.alert.expect("a notice");
    assert_eq!(alert.kind, AlertKind::NotPossible);
    assert!(said(&mut world, who[0], BOB).is_empty());
    assert!(notices(&mut world, who[0], BOB).contains(&LineNotice::NoAnswer));
    assert_never_left(&world, "canary");
}

#[test]
fn s_otr_14_what_waits_in_clear_is_pulled_back_when_the_policy_turns_required() {
    let (mut world, who) = world(Policy::Off, Policy::Preferred);
    world.cut_off(who[0], true);
    world.say(who[0], BOB, "canary-one");
    world.with_store(who[0], |store| {
        store.policy_global_set(Policy::Required).expect("a policy");
    });
    world.cut_off(who[0], false);
    world.network_up(who[0]);
    world.pass(Duration::from_secs(10));
    assert_never_left(&world, "canary");
    assert_eq!(said(&mut world, who[1], ALICE), ["canary-one"]);
}

#[test]
fn s_otr_14_a_retry_and_a_correction_stay_private() {
    let (mut world, who) = world(Policy::Required, Policy::Preferred);
    let sent = world.say(who[0], BOB, "canary-one");
    world.settle();
    let refused = world.try_ask(
        who[0],
        Request::MessageCorrect {
            message: sent.id,
            body: "canary-two".into(),
        },
    );
    assert_eq!(refused.map_err(|error| error.kind), Err(ErrorKind::Refused));
    assert_eq!(world.open(who[0], BOB).correctable, None);
    // One that came back, within a private conversation and when there is none any more.
    for private in [true, false] {
        let sent = world.say(who[0], BOB, &format!("canary-{private}"));
        world.servers[0].loses = Some(|_, stanza| stanza.name() == "message");
        world.settle();
        world.servers[0].loses = None;
        let lost = bodies_with_otr(&world, "alice").pop().expect("it left");
        let id = lost.attr("id").expect("an id").to_owned();
        let error = format!(
            "<message xmlns='jabber:client' type='error' from='{BOB}' id='{id}'><error type='cancel'>\
             <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        );
        world.servers[0].inject("alice", &error);
        world.settle();
        let state = |world: &mut World| {
            let all = words(world, who[0], BOB);
            let found = all.into_iter().find(|message| message.id == sent.id);
            found.expect("the message").delivery
        };
        assert_eq!(state(&mut world), Some(Delivery::Failed));
        if !private {
            let conversation = sent.conversation;
            world.ask(who[0], Request::PrivateEnd { conversation });
            world.settle();
        }
        let message = sent.id;
        world.ask(who[0], Request::MessageRetry { message });
        assert_eq!(state(&mut world), Some(Delivery::Waiting));
        world.settle();
        assert_eq!(state(&mut world), Some(Delivery::Delivered));
        let heard = said(&mut world, who[1], ALICE);
        assert_eq!(heard.last(), Some(&format!("canary-{private}")));
    }
    world.ask(
        who[0],
        Request::Typing {
            conversation: sent.conversation,
            active: true,
        },
    );
    world.settle();
    assert_never_left(&world, "canary");
    for stanza in bodies_with_otr(&world, "alice") {
        let xml = String::from(&stanza);
        assert!(!xml.contains("chatstates"), "{xml}");
        assert!(!xml.contains("message-correct"), "{xml}");
    }
}

#[test]
fn s_otr_13_after_the_other_side_ended_nothing_leaves_until_the_person_chose() {
    let (mut world, who) = world(Policy::Preferred, Policy::Preferred);
    let conversation = world.open(who[0], BOB).id;
    world.ask(who[0], Request::PrivateStart { conversation });
    world.settle();
    let bobs = world.open(who[1], ALICE).id;
    world.ask(who[1], Request::PrivateEnd { conversation: bobs });
    world.settle();
    let view = world.conversation(who[0], conversation);
    assert_eq!(view.private.state, PrivateState::Ended);
    assert!(!view.private.can_send);
    assert_eq!(
        view.private.alert.map(|alert| alert.kind),
        Some(AlertKind::Ended)
    );
    let refused = world.try_ask(
        who[0],
        Request::MessageSend {
            conversation,
            body: "canary".into(),
        },
    );
    assert_eq!(
        refused.map_err(|error| error.kind),
        Err(ErrorKind::NotPrivate)
    );
    assert_never_left(&world, "canary");
    world.ask(
        who[0],
        Request::PrivateContinue {
            conversation,
            act: AlertAct::ContinueUnencrypted,
        },
    );
    world.say_in(who[0], conversation, "in clear");
    world.settle();
    assert!(said(&mut world, who[1], ALICE).contains(&"in clear".to_owned()));
}

#[test]
fn s_otr_13_clear_words_inside_a_private_conversation_are_marked() {
    let (mut world, who) = world(Policy::Preferred, Policy::Preferred);
    let conversation = world.open(who[0], BOB).id;
    world.ask(who[0], Request::PrivateStart { conversation });
    world.settle();
    world.servers[0].inject(
        "alice",
        "<message xmlns='jabber:client' from='bob@example.org/other' type='chat' id='forged'>\
         <body>come alone</body></message>",
    );
    world.settle();
    let message = words(&mut world, who[0], BOB)
        .into_iter()
        .find(|message| message.body == "come alone")
        .expect("it is shown");
    assert_eq!(message.privacy, Privacy::None);
    assert!(!message.privacy_text.is_empty());
    let view = world.conversation(who[0], conversation);
    assert_eq!(
        view.private.alert.map(|alert| alert.kind),
        Some(AlertKind::CameUnencrypted)
    );
}

#[test]
fn s_otr_03_the_first_message_offers_and_the_offer_is_not_seen() {
    let (mut world, who) = world(Policy::Preferred, Policy::Preferred);
    world.say(who[0], BOB, "hello");
    world.settle();
    assert_eq!(said(&mut world, who[1], ALICE), ["hello"]);
    assert_eq!(world.open(who[0], BOB).private.state, PrivateState::Private);
    world.say(who[0], BOB, "canary");
    world.settle();
    assert_eq!(said(&mut world, who[1], ALICE), ["hello", "canary"]);
    assert_never_left(&world, "canary");
}

#[test]
fn s_otr_12_after_a_kill_at_any_moment_no_counter_is_used_twice() {
    for steps in 0..10 {
        let (mut world, who) = world(Policy::Required, Policy::Preferred);
        world.say(who[0], BOB, "canary-0");
        world.settle();
        world.say(who[0], BOB, "canary-1");
        for _ in 0..steps {
            world.deliver_some();
        }
        world.kill(who[0]);
        world.restart(who[0]);
        world.pass(Duration::from_secs(5));
        world.say(who[0], BOB, "canary-2");
        world.pass(Duration::from_secs(70));
        let said = said(&mut world, who[1], ALICE);
        assert_eq!(said, ["canary-0", "canary-1", "canary-2"], "after {steps}");
        assert_never_left(&world, "canary");
        let mut seen = std::collections::BTreeMap::new();
        for stanza in bodies_with_otr(&world, "alice") {
            let body = stanza
                .children()
                .find(|child| child.name() == "body")
                .map(Element::text)
                .expect("a body");
            let id = stanza.attr("id").map(str::to_owned);
            // The same text may go twice after a cut, as the same stanza only.
            let before = seen.entry(body).or_insert(id.clone());
            assert_eq!(*before, id, "after {steps}");
        }
    }
}

#[test]
fn keys_move_on_by_messages_without_words_where_one_side_only_reads() {
    let (mut world, who) = world(Policy::Required, Policy::Preferred);
    for n in 1..=4 {
        world.say(who[0], BOB, &format!("canary-{n}"));
        world.pass(Duration::from_secs(61));
    }
    let answers = bodies_with_otr(&world, "bob");
    assert!(answers.len() >= 3, "{}", answers.len());
    for stanza in answers {
        let asks = stanza.has_child("request", "urn:xmpp:receipts");
        assert!(!asks, "nobody confirms a message without words");
    }
    assert!(
        words(&mut world, who[0], BOB)
            .iter()
            .all(|message| message.delivery.is_some())
    );
    assert_eq!(said(&mut world, who[1], ALICE).len(), 4);
}

#[test]
fn s_otr_15_data_ask_not_to_be_copied_or_kept() {
    let (mut world, who) = world(Policy::Required, Policy::Preferred);
    world.say(who[0], BOB, "canary");
    world.settle();
    let all = bodies_with_otr(&world, "alice");
    assert!(!all.is_empty());
    for stanza in all {
        let xml = String::from(&stanza);
        for wish in [
            "<no-copy",
            "<no-permanent-store",
            "urn:xmpp:carbons:2",
            "urn:xmpp:otr:0",
        ] {
            assert!(xml.contains(wish), "{wish} in {xml}");
        }
    }
}

#[test]
fn s_otr_15_a_copy_for_another_device_is_one_line() {
    let (mut world, who) = world(Policy::Off, Policy::Off);
    world.open(who[0], BOB);
    for index in 0..3 {
        let copy = format!(
            "<message xmlns='jabber:client' from='alice@example.org' to='alice@example.org/x'>\
             <received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
             <message xmlns='jabber:client' from='bob@example.org/a' to='alice@example.org/other' \
             type='chat' id='c{index}'><body>?OTR:AAMDxyz.</body></message></forwarded></received></message>"
        );
        world.servers[0].inject("alice", &copy);
    }
    world.settle();
    assert!(said(&mut world, who[0], BOB).is_empty());
    assert_eq!(notices(&mut world, who[0], BOB), [LineNotice::Unreadable]);
}

#[test]
fn s_otr_16_another_key_than_the_verified_one_stops_the_sending() {
    let (mut world, who) = world(Policy::Required, Policy::Preferred);
    world.say(who[0], BOB, "canary-one");
    world.settle();
    let view = world.open(who[0], BOB);
    let request = Request::VerifyCode {
        conversation: view.id,
        key: view.private.key.expect("a key"),
        matches: true,
    };
    world.ask(who[0], request);
    assert_eq!(world.open(who[0], BOB).privacy.state, Privacy::Verified);
    world.with_store(who[1], |store| {
        let account = store.accounts().expect("accounts")[0].id;
        store.otr_state_remove_all(account).expect("no sessions");
        store.instance_tag_set(account, 0x1234_5678).expect("a tag");
        store
            .otr_key_set(account, key(2), sotto_api::Timestamp(0))
            .expect("a key");
    });
    let bobs = world.open(who[1], ALICE).id;
    world.ask(who[1], Request::PrivateStart { conversation: bobs });
    world.settle();
    let view = world.open(who[0], BOB);
    assert_eq!(view.private.trust, Some(Trust::Changed));
    assert!(notices(&mut world, who[0], BOB).contains(&LineNotice::KeyChanged));
    let refused = world.try_ask(
        who[0],
        Request::MessageSend {
            conversation: view.id,
            body: "canary-two".into(),
        },
    );
    assert_eq!(
        refused.map_err(|error| error.kind),
        Err(ErrorKind::NotPrivate)
    );
    world.ask(
        who[0],
        Request::PrivateContinue {
            conversation: view.id,
            act: AlertAct::ContinueUnverified,
        },
    );
    world.say(who[0], BOB, "canary-three");
    world.settle();
    assert!(said(&mut world, who[1], ALICE).contains(&"canary-three".to_owned()));
    assert_eq!(world.open(who[0], BOB).privacy.state, Privacy::Encrypted);
    assert_never_left(&world, "canary");
}

#[test]
fn s_otr_17_private_words_are_gone_after_the_end_of_the_program() {
    let (mut world, who) = world(Policy::Required, Policy::Preferred);
    world.say(who[0], BOB, "canary");
    world.settle();
    assert_eq!(said(&mut world, who[0], BOB), ["canary"]);
    let mine = &words(&mut world, who[0], BOB)[0];
    assert!(!mine.kept);
    for (who, peer) in [(who[0], BOB), (who[1], ALICE)] {
        world.kill(who);
        world.restart(who);
        world.pass(Duration::from_secs(5));
        assert!(world.history(who, peer).is_empty());
    }
    // The private conversation itself goes on; with the setting, its words are kept.
    let settings = Settings {
        keep_private: true,
        ..Settings::default()
    };
    world.ask(who[1], Request::SettingsSet { settings });
    world.say(who[0], BOB, "canary-two");
    world.settle();
    for who in &who {
        world.kill(*who);
        world.restart(*who);
    }
    world.pass(Duration::from_secs(5));
    assert!(said(&mut world, who[0], BOB).is_empty());
    assert_eq!(said(&mut world, who[1], ALICE), ["canary-two"]);
}

#[test]
fn s_otr_02_version_two_is_neither_offered_nor_taken() {
    let (mut world, who) = world(Policy::Required, Policy::Preferred);
    let version_3 = |world: &World| {
        for body in bodies_sent(world, "alice") {
            let three = body.starts_with("?OTRv3?") || body.starts_with("?OTR:AAM");
            assert!(three, "not version 3: {body}");
        }
        bodies_sent(world, "alice").len()
    };
    let inject = |world: &mut World, body: &str| {
        let stanza = format!(
            "<message xmlns='jabber:client' from='bob@example.org/x' type='chat' id='q'><body>{body}</body></message>"
        );
        world.servers[0].inject("alice", &stanza);
        world.settle();
    };
    // Of a commit of version 2, the header and the beginning are enough to be looked at.
    let weak = [
        "?OTRv2?",
        "?OTR?v2?",
        "?OTR?",
        "?OTRv24?",
        "?OTR:AAICAAAAxAAAAA==.",
        "hello \t  \t\t\t\t \t \t \t    \t\t  \t ",
    ];
    world.open(who[0], BOB);
    for body in weak {
        inject(&mut world, body);
        assert_eq!(version_3(&world), 0, "answered to {body:?}");
    }
    // The person hears of it once, and not when the two have version 3.
    let told = |world: &mut World| -> Vec<String> {
        let history = world.history(who[0], BOB).into_iter();
        history
            .filter(|line| line.notice == Some(LineNotice::NoAnswer))
            .map(|line| line.body)
            .collect()
    };
    let lines = told(&mut world);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("old version of OTR (2)"), "{}", lines[0]);
    world.say(who[0], BOB, "canary");
    world.settle();
    assert_eq!(said(&mut world, who[1], ALICE), ["canary"]);
    let before = version_3(&world);
    assert!(before > 2);
    for body in weak {
        inject(&mut world, body);
        assert_eq!(version_3(&world), before, "answered to {body:?}");
    }
    assert_eq!(told(&mut world).len(), 1);
    assert_never_left(&world, "canary");
}

#[test]
fn s_otr_02_version_two_is_taken_where_the_person_allowed_it() {
    let (mut world, who) = world(Policy::Off, Policy::Off);
    world.open(who[0], BOB);
    let settings = Settings {
        allow_otr_v2: true,
        ..Default::default()
    };
    world.ask(who[0], Request::SettingsSet { settings });
    let conversation = world.open(who[0], BOB).id;
    world.ask(who[0], Request::PrivateStart { conversation });
    world.settle();
    let both = world.servers[0].seen.iter().any(|(user, stanza)| {
        user.starts_with("alice@") && String::from(stanza).contains("?OTRv23?")
    });
    assert!(both);
}

#[test]
fn s_otr_07_an_error_of_the_other_side_is_plain_text_and_stays_to_be_seen() {
    let (mut world, who) = world(Policy::Preferred, Policy::Preferred);
    let conversation = world.open(who[0], BOB).id;
    world.ask(who[0], Request::PrivateStart { conversation });
    world.settle();
    let from = world.conversation(who[0], conversation).private.devices;
    let from = format!("{BOB}/{}", from[0].name);
    let error = format!(
        "<message xmlns='jabber:client' from='{from}' type='chat' id='e'>\
         <body>?OTR Error: %s%n &lt;b&gt;bold&lt;/b&gt;{}</body></message>",
        "x".repeat(1_000)
    );
    world.servers[0].inject("alice", &error);
    world.settle();
    assert!(said(&mut world, who[0], BOB).is_empty());
    // The two programs have begun a new private conversation meanwhile; the notice is still there.
    let began = bodies_sent(&world, "alice");
    let asked = began.iter().filter(|body| body.starts_with("?OTRv3?"));
    assert_eq!(asked.count(), 2);
    let view = world.conversation(who[0], conversation).private;
    assert_eq!(view.state, PrivateState::Private);
    let alert = view.alert.expect("a notice");
    assert_eq!(alert.kind, AlertKind::Fault);
    assert!(alert.text.contains("%s%n <b>bold</b>xxx"), "{}", alert.text);
    assert!(alert.text.chars().count() < 400, "{}", alert.text);
    world.ask(
        who[0],
        Request::PrivateContinue {
            conversation,
            act: AlertAct::Dismiss,
        },
    );
    assert_eq!(world.conversation(who[0], conversation).private.alert, None);
}

#[test]
fn s_otr_06_what_is_for_another_program_or_from_none_is_neither_shown_nor_answered() {
    let (mut world, who) = world(Policy::Required, Policy::Preferred);
    world.say(who[0], BOB, "canary");
    world.settle();
    world.say(who[1], ALICE, "for this one");
    world.settle();
    let heard = said(&mut world, who[0], BOB);
    let sent = bodies_with_otr(&world, "bob").pop().expect("it left");
    let body = sent.get_child("body", "jabber:client").map(Element::text);
    let body = body.expect("a body");
    let encoded = body.trim_start_matches("?OTR:").trim_end_matches('.');
    let bytes = STANDARD.decode(encoded).expect("base64");
    let before = bodies_sent(&world, "alice").len();
    let lines = world.history(who[0], BOB).len();
    for (at, tag) in [(3, 0_u32), (3, 0xff), (7, 0), (7, 0xff), (7, 0x1234_5678)] {
        let mut bytes = bytes.clone();
        bytes[at..at + 4].copy_from_slice(&tag.to_be_bytes());
        let stanza = format!(
            "<message xmlns='jabber:client' from='bob@example.org/x' type='chat' id='o'>\
             <body>?OTR:{}.</body></message>",
            STANDARD.encode(&bytes)
        );
        world.servers[0].inject("alice", &stanza);
        world.settle();
    }
    assert_eq!(said(&mut world, who[0], BOB), heard);
    assert_eq!(world.history(who[0], BOB).len(), lines);
    assert_eq!(bodies_sent(&world, "alice").len(), before);
    assert_eq!(world.open(who[0], BOB).private.devices.len(), 1);
}

#[test]
fn s_otr_14_required_on_a_running_program_holds_what_is_queued_in_clear() {
    let (mut world, who) = world(Policy::Off, Policy::Preferred);
    world.cut_off(who[0], true);
    for n in 1..=3 {
        world.say(who[0], BOB, &format!("canary-{n}"));
    }
    require(&mut world, who[0]);
    world.cut_off(who[0], false);
    world.network_up(who[0]);
    world.pass(Duration::from_secs(10));
    assert_never_left(&world, "canary");
    assert_eq!(
        said(&mut world, who[1], ALICE),
        ["canary-1", "canary-2", "canary-3"]
    );
}

#[test]
fn s_otr_14_what_a_resumed_stream_would_repeat_in_clear_is_held_when_required() {
    let (mut world, who) = world(Policy::Off, Policy::Preferred);
    // Handed to the stream, and lost with the connection before the server had it.
    world.servers[0].frozen = true;
    world.say(who[0], BOB, "canary");
    world.settle();
    world.cut_off(who[0], true);
    world.servers[0].frozen = false;
    require(&mut world, who[0]);
    world.cut_off(who[0], false);
    world.network_up(who[0]);
    world.pass(Duration::from_secs(30));
    assert_never_left(&world, "canary");
    assert_eq!(said(&mut world, who[1], ALICE), ["canary"]);
}

#[test]
fn s_otr_14_a_text_that_waits_is_not_offered_as_a_draft_as_well() {
    let (mut world, who) = world(Policy::Required, Policy::Preferred);
    world.cut_off(who[1], true);
    world.servers[0].expire_sessions();
    let conversation = world.open(who[0], BOB).id;
    let draft = |world: &mut World| world.conversation(who[0], conversation).draft;
    let request = Request::DraftSet {
        conversation,
        body: "canary".into(),
    };
    world.ask(who[0], request);
    world.say_in(who[0], conversation, "canary");
    assert_eq!(draft(&mut world), "");
    world.open(who[0], BOB);
    world.pass(Duration::from_secs(10));
    assert_eq!(draft(&mut world), "");
    assert_eq!(said(&mut world, who[0], BOB), ["canary"]);
    // The program ends meanwhile: the text is the draft then, and does not wait any more.
    world.kill(who[0]);
    world.restart(who[0]);
    assert_eq!(draft(&mut world), "canary");
    assert!(said(&mut world, who[0], BOB).is_empty());
    world.cut_off(who[1], false);
    world.network_up(who[1]);
    world.pass(Duration::from_secs(60));
    assert!(said(&mut world, who[1], ALICE).is_empty());
    assert_never_left(&world, "canary");
}
