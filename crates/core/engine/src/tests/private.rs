//! Private conversations between two engines: what is required never leaves in clear, and what is private
//! survives cuts and kills.

mod lost;
mod random;

use std::sync::OnceLock;
use std::time::Duration;

use sotto_api::view::{
    AlertAct, AlertKind, Delivery, LineNotice, MessageKind, MessageView, Policy, Privacy,
    PrivateState, Trust,
};
use sotto_api::{ErrorKind, Request};
use sotto_otr::Keypair;
use sotto_xmpp::Element;

use super::harness::{Who, World};

pub const BOB: &str = "bob@example.org";
pub const ALICE: &str = "alice@example.org";

/// Ready keys: to make one takes a while.
fn key(index: usize) -> &'static [u8] {
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
    for (index, policy) in [alice, bob].into_iter().enumerate() {
        world.with_store(who[index], |store| {
            let account = store.accounts().expect("accounts")[0].id;
            store
                .otr_key_set(account, key(index), sotto_api::Timestamp(0))
                .expect("a key");
            store.policy_global_set(policy).expect("a policy");
        });
    }
    world.pass(Duration::from_secs(5));
    (world, who)
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

/// Panics if a word stands in anything that a client sent to the server.
fn assert_never_left(world: &World, word: &str) {
    for (user, stanza) in &world.servers[0].seen {
        let xml = String::from(stanza);
        assert!(!xml.contains(word), "{user} sent {word} in clear: {xml}");
    }
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
}

#[test]
fn s_otr_02_version_two_is_neither_offered_nor_taken() {
    let (mut world, who) = world(Policy::Required, Policy::Off);
    world.say(who[0], BOB, "canary");
    world.settle();
    let asked = world.servers[0].seen.iter().any(|(user, stanza)| {
        user.starts_with("alice@") && String::from(stanza).contains("?OTRv3?")
    });
    assert!(asked);
    let before = bodies_with_otr(&world, "alice").len();
    world.servers[0].inject(
        "alice",
        "<message xmlns='jabber:client' from='bob@example.org/x' type='chat' id='q'><body>?OTRv2?</body></message>",
    );
    world.settle();
    assert_eq!(bodies_with_otr(&world, "alice").len(), before);
}

#[test]
fn s_otr_02_version_two_is_taken_where_the_person_allowed_it() {
    let (mut world, who) = world(Policy::Off, Policy::Off);
    world.open(who[0], BOB);
    let settings = sotto_api::view::Settings {
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
fn s_otr_07_an_error_of_the_other_side_is_plain_text() {
    let (mut world, who) = world(Policy::Preferred, Policy::Preferred);
    let conversation = world.open(who[0], BOB).id;
    world.ask(who[0], Request::PrivateStart { conversation });
    world.settle();
    world.servers[0].inject(
        "alice",
        "<message xmlns='jabber:client' from='bob@example.org/x' type='chat' id='e'>\
         <body>?OTR Error: %s%n &lt;b&gt;bold&lt;/b&gt;</body></message>",
    );
    let alert = (0..40).find_map(|_| {
        world.deliver_some();
        world.conversation(who[0], conversation).private.alert
    });
    assert!(said(&mut world, who[0], BOB).is_empty());
    // A new private conversation, which the error asks for, puts the notice away.
    if let Some(alert) = alert {
        assert_eq!(alert.kind, AlertKind::Fault);
    }
}
