//! Policies, keys and verification, as shells ask for them.

use std::time::Duration;

use sotto_api::view::{
    AccountState, LineNotice, OwnKeyView, PeerKeyView, PoliciesView, Policy, PolicyScope,
    PrivateState, Trust, VerificationState,
};
use sotto_api::{ErrorKind, Event, Reply, Request, Secret};

use super::harness::{Who, World};
use super::private::{ALICE, BOB, world};

fn policies(world: &mut World, who: Who) -> PoliciesView {
    match world.ask(who, Request::PolicyList {}) {
        Reply::Policies(view) => view,
        other => panic!("{other:?}"),
    }
}

fn set(world: &mut World, who: Who, scope: PolicyScope, policy: Option<Policy>, follow: bool) {
    let request = Request::PolicySet {
        scope,
        policy,
        follow,
    };
    world.ask(who, request);
}

fn keys(world: &mut World, who: Who) -> Vec<PeerKeyView> {
    match world.ask(who, Request::PeerKeyList { account: None }) {
        Reply::PeerKeys(views) => views,
        other => panic!("{other:?}"),
    }
}

fn own_key(world: &mut World, who: Who) -> OwnKeyView {
    match world.ask(who, Request::OwnKeyList {}) {
        Reply::OwnKeys(mut views) => views.remove(0),
        other => panic!("{other:?}"),
    }
}

/// Both in a private conversation.
fn private() -> (World, Vec<Who>) {
    let (mut world, who) = world(Policy::Required, Policy::Preferred);
    world.say(who[0], BOB, "hello");
    world.settle();
    for (who, peer) in [(who[0], BOB), (who[1], ALICE)] {
        assert_eq!(world.open(who, peer).private.state, PrivateState::Private);
    }
    (world, who)
}

#[test]
fn s_otr_14_a_setting_of_its_own_is_listed_and_follows_when_asked() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let conversation = world.open(who[0], BOB).id;
    let own = PolicyScope::Conversation { conversation };
    set(&mut world, who[0], own, Some(Policy::Preferred), false);
    set(
        &mut world,
        who[0],
        PolicyScope::Global {},
        Some(Policy::Required),
        false,
    );
    // The old setting still holds, and is there to be seen.
    let view = policies(&mut world, who[0]);
    assert_eq!(view.global, Policy::Required);
    assert_eq!(view.own.len(), 1);
    assert_eq!(
        (view.own[0].scope, view.own[0].policy),
        (own, Policy::Preferred)
    );
    let private = world.conversation(who[0], conversation).private;
    assert_eq!(
        (private.policy, private.policy_scope),
        (Policy::Preferred, own)
    );
    world.take_events(who[0]);
    set(
        &mut world,
        who[0],
        PolicyScope::Global {},
        Some(Policy::Required),
        true,
    );
    assert!(world.take_events(who[0]).contains(&Event::PoliciesChanged));
    assert!(policies(&mut world, who[0]).own.is_empty());
    let private = world.conversation(who[0], conversation).private;
    assert_eq!(
        (private.policy, private.policy_scope),
        (Policy::Required, PolicyScope::Global {})
    );
}

#[test]
fn the_setting_of_a_person_counts_before_that_of_the_account_and_that_before_everyones() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let account = world.accounts(who[0])[0].id;
    let conversation = world.open(who[0], BOB).id;
    let of_account = PolicyScope::Account { account };
    let of_person = PolicyScope::Conversation { conversation };
    set(&mut world, who[0], of_account, Some(Policy::Off), false);
    assert_eq!(
        world.conversation(who[0], conversation).private.policy,
        Policy::Off
    );
    set(&mut world, who[0], of_person, Some(Policy::Required), false);
    assert_eq!(
        world.conversation(who[0], conversation).private.policy,
        Policy::Required
    );
    set(&mut world, who[0], of_person, None, false);
    assert_eq!(
        world
            .conversation(who[0], conversation)
            .private
            .policy_scope,
        of_account
    );
    let request = Request::PolicySet {
        scope: PolicyScope::Global {},
        policy: None,
        follow: false,
    };
    let error = world.try_ask(who[0], request).expect_err("no policy");
    assert_eq!(error.kind, ErrorKind::Invalid);
}

#[test]
fn comparing_codes_verifies_the_key_that_was_shown_and_no_other() {
    let (mut world, who) = private();
    let view = world.open(who[0], BOB);
    let key = view.private.key.expect("a key");
    let code = |key, matches| Request::VerifyCode {
        conversation: view.id,
        key,
        matches,
    };
    let other = sotto_api::PeerKeyId(key.0 + 1);
    let error = world
        .try_ask(who[0], code(other, true))
        .expect_err("another key");
    assert_eq!(error.kind, ErrorKind::Refused);
    world.ask(who[0], code(key, true));
    assert_eq!(world.open(who[0], BOB).private.trust, Some(Trust::Verified));
    let listed = keys(&mut world, who[0]);
    assert_eq!(
        (listed.len(), listed[0].trust, listed[0].in_use),
        (1, Trust::Verified, true)
    );
    let error = world
        .try_ask(who[0], Request::PeerKeyForget { key })
        .expect_err("in use");
    assert_eq!(error.kind, ErrorKind::Refused);
    world.ask(who[0], code(key, false));
    assert_eq!(
        world.open(who[0], BOB).private.trust,
        Some(Trust::Distrusted)
    );
    let request = Request::MessageSend {
        conversation: view.id,
        body: "canary".into(),
    };
    let error = world.try_ask(who[0], request).expect_err("distrusted");
    assert_eq!(error.kind, ErrorKind::NotPrivate);
}

#[test]
fn a_question_verifies_the_one_who_was_asked_and_not_the_one_who_asked() {
    let (mut world, who) = private();
    let (alice, bob) = (world.open(who[0], BOB).id, world.open(who[1], ALICE).id);
    world.ask(
        who[0],
        Request::VerifyAsk {
            conversation: alice,
            question: Some("Where did we shelter from the hail?".into()),
            secret: Secret::new("under the tram bridge".into()),
        },
    );
    world.settle();
    let view = world.conversation(who[1], bob).private.verification;
    assert_eq!(view.state, VerificationState::Asked);
    assert_eq!(view.question, "Where did we shelter from the hail?");
    world.ask(
        who[1],
        Request::VerifyAnswer {
            conversation: bob,
            secret: Secret::new("under the tram bridge".into()),
        },
    );
    world.settle();
    let of_alice = world.conversation(who[0], alice).private;
    assert_eq!(of_alice.verification.state, VerificationState::Succeeded);
    assert_eq!(of_alice.trust, Some(Trust::Verified));
    let of_bob = world.conversation(who[1], bob).private;
    assert_eq!(of_bob.verification.state, VerificationState::Succeeded);
    assert_eq!(of_bob.trust, Some(Trust::New));
}

#[test]
fn a_wrong_answer_marks_nothing_and_a_shared_secret_verifies_both() {
    let (mut world, who) = private();
    let (alice, bob) = (world.open(who[0], BOB).id, world.open(who[1], ALICE).id);
    for (answer, state, trust) in [
        ("two grey herons", VerificationState::Failed, Trust::New),
        (
            "two white herons",
            VerificationState::Succeeded,
            Trust::Verified,
        ),
    ] {
        world.ask(
            who[0],
            Request::VerifyAsk {
                conversation: alice,
                question: None,
                secret: Secret::new("two white herons".into()),
            },
        );
        world.settle();
        world.ask(
            who[1],
            Request::VerifyAnswer {
                conversation: bob,
                secret: Secret::new(answer.into()),
            },
        );
        world.settle();
        for (who, conversation) in [(who[0], alice), (who[1], bob)] {
            let private = world.conversation(who, conversation).private;
            assert_eq!(
                (private.verification.state, private.trust),
                (state, Some(trust))
            );
        }
    }
}

#[test]
fn a_new_own_key_ends_private_conversations_and_erases_the_old_one() {
    let (mut world, who) = private();
    let before = own_key(&mut world, who[0]);
    assert_eq!(before.code.len(), 49);
    world.ask(
        who[0],
        Request::OwnKeyRenew {
            account: before.account,
        },
    );
    world.settle();
    world.pass(Duration::from_secs(1));
    let after = own_key(&mut world, who[0]);
    assert!(!after.making && after.code.len() == 49 && after.code != before.code);
    assert_eq!(world.open(who[0], BOB).private.state, PrivateState::None);
    assert_eq!(world.open(who[1], ALICE).private.state, PrivateState::Ended);
    let history = world.history(who[1], ALICE);
    assert!(
        history
            .iter()
            .any(|line| line.notice == Some(LineNotice::PrivateEnded))
    );
}

#[test]
fn an_account_that_is_disabled_or_removed_ends_its_private_conversations_before_it_signs_out() {
    for erase in [None, Some(false), Some(true)] {
        let (mut world, who) = private();
        let account = world.accounts(who[0])[0].id;
        let request = match erase {
            None => Request::AccountEnable {
                account,
                enabled: false,
            },
            Some(erase_history) => Request::AccountRemove {
                account,
                erase_history,
            },
        };
        world.ask_for_long(who[0], request);
        world.settle();
        let private = world.open(who[1], ALICE).private;
        assert_eq!(private.state, PrivateState::Ended, "{erase:?}");
        // Nothing was said after the unavailable presence.
        let said = world.servers[0].seen.iter().rev();
        let last = said
            .map(|(from, stanza)| (from.starts_with("alice@"), stanza))
            .find_map(|(alice, stanza)| alice.then_some(stanza));
        let last = last.expect("Alice said something");
        assert_eq!(
            (last.name(), last.attr("type")),
            ("presence", Some("unavailable")),
            "{erase:?}"
        );
        if erase.is_none() {
            let enabled = Request::AccountEnable {
                account,
                enabled: true,
            };
            world.ask(who[0], enabled);
            world.pass(Duration::from_secs(5));
            assert_eq!(world.open(who[0], BOB).private.state, PrivateState::None);
            assert_eq!(world.open(who[1], ALICE).private.state, PrivateState::Ended);
        }
    }
}

#[test]
fn s_otr_12_a_removal_that_is_not_kept_sends_nothing_and_the_account_goes_on() {
    for erase_history in [false, true] {
        let (mut world, who) = private();
        let account = world.accounts(who[0])[0].id;
        let before = world.servers[0].seen.len();
        world.fill_disk(who[0], true);
        let request = Request::AccountRemove {
            account,
            erase_history,
        };
        let refused = world.try_ask(who[0], request).expect_err("it is full");
        assert_eq!(refused.kind, ErrorKind::Store);
        world.fill_disk(who[0], false);
        world.settle();
        let said: Vec<String> = world.servers[0].seen[before..]
            .iter()
            .filter(|(from, _)| from.starts_with("alice@"))
            .map(|(_, stanza)| String::from(stanza))
            .collect();
        assert_eq!(said, Vec::<String>::new());
        world.pass(Duration::from_secs(5));
        assert_eq!(world.account(who[0], account).state, AccountState::Online);
        assert_eq!(
            world.open(who[1], ALICE).private.state,
            PrivateState::Private
        );
        world.say(who[0], BOB, "still private");
        world.settle();
        let heard = world.bodies(who[1], ALICE);
        assert!(heard.contains(&"still private".into()), "{heard:?}");
    }
}

#[test]
fn an_account_that_is_disabled_while_offline_keeps_its_private_conversations() {
    let (mut world, who) = private();
    let account = world.accounts(who[0])[0].id;
    world.cut_off(who[0], true);
    for enabled in [false, true] {
        world.ask(who[0], Request::AccountEnable { account, enabled });
    }
    world.cut_off(who[0], false);
    world.network_up(who[0]);
    world.pass(Duration::from_secs(5));
    world.say(who[0], BOB, "still private");
    world.settle();
    assert!(
        world
            .bodies(who[1], ALICE)
            .contains(&"still private".into())
    );
    assert_eq!(
        world.open(who[1], ALICE).private.state,
        PrivateState::Private
    );
}

#[test]
fn the_first_text_of_an_account_offers_although_its_key_is_not_made_yet() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    for who in &who {
        let everyone = PolicyScope::Global {};
        set(&mut world, *who, everyone, Some(Policy::Preferred), true);
    }
    world.hold_work(who[0], true);
    world.say(who[0], BOB, "hello");
    world.settle();
    assert!(own_key(&mut world, who[0]).making);
    assert_eq!(
        world.bodies(who[1], ALICE).first().map(String::as_str),
        Some("hello")
    );
    // Bob took the offer; he is asked as soon as Alice can.
    world.hold_work(who[0], false);
    world.settle();
    for (who, peer) in [(who[0], BOB), (who[1], ALICE)] {
        assert_eq!(world.open(who, peer).private.state, PrivateState::Private);
    }
}

#[test]
fn who_answers_the_first_text_in_clear_while_the_key_is_made_is_offered_nothing_more() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let everyone = PolicyScope::Global {};
    set(&mut world, who[0], everyone, Some(Policy::Preferred), true);
    world.hold_work(who[0], true);
    world.say(who[0], BOB, "hello");
    world.settle();
    world.say(who[1], ALICE, "good morning");
    world.settle();
    world.hold_work(who[0], false);
    world.say(who[0], BOB, "and to you");
    world.settle();
    let tagged: Vec<bool> = world.servers[0]
        .seen
        .iter()
        .filter(|(from, _)| from.starts_with("alice@"))
        .filter_map(|(_, stanza)| stanza.get_child("body", "jabber:client"))
        .map(|body| body.text().contains(" \t  \t\t\t\t"))
        .collect();
    assert_eq!(tagged, [true, false]);
    assert_eq!(
        world.bodies(who[0], BOB),
        ["hello", "good morning", "and to you"]
    );
}

#[test]
fn fingerprints_of_libotr_are_read_and_what_is_distrusted_stays_so() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let file = format!(
        "{BOB}\t{ALICE}/pidgin\tprpl-jabber\t{}\tverified\n\
         carol@example.org\t{ALICE}\tprpl-jabber\t{}\t\n\
         dave@example.org\tsomebody@example.org\tprpl-jabber\t{}\tverified\n",
        "ab".repeat(20),
        "cd".repeat(20),
        "ef".repeat(20),
    );
    let import = |text: &str| Request::OtrImport {
        private_key: None,
        fingerprints: Some(text.into()),
        instance_tags: None,
    };
    world.ask(who[0], import(&file));
    let listed = keys(&mut world, who[0]);
    let trusts: Vec<_> = listed
        .iter()
        .map(|key| (key.address.as_str(), key.trust))
        .collect();
    assert_eq!(
        trusts,
        [(BOB, Trust::Verified), ("carol@example.org", Trust::New)]
    );
    world.ask(
        who[0],
        Request::PeerKeyTrust {
            key: listed[0].id,
            trust: Trust::Distrusted,
        },
    );
    world.ask(who[0], import(&file));
    assert_eq!(keys(&mut world, who[0])[0].trust, Trust::Distrusted);
    let none = Request::OtrImport {
        private_key: None,
        fingerprints: None,
        instance_tags: None,
    };
    let error = world.try_ask(who[0], none).expect_err("no file");
    assert_eq!(error.kind, ErrorKind::Invalid);
    let broken = Request::OtrImport {
        private_key: Some(Secret::new("(privkeys".into())),
        fingerprints: None,
        instance_tags: None,
    };
    let error = world.try_ask(who[0], broken).expect_err("no keys");
    assert_eq!(error.kind, ErrorKind::Invalid);
}
