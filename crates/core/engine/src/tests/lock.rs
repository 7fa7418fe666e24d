//! A profile that is locked: nothing can be asked of it, nothing is lost by it.

use std::time::Duration;

use sotto_api::view::{
    AccountState, Delivery, Policy, PrivateState, ProfileState, ProfileView, Settings,
};
use sotto_api::{ApiError, ErrorKind, Event, Protection, Reply, Request, Secret, Timestamp};
use sotto_store::{KeyFile, ProfileDir, Store};
use tempfile::TempDir;

use super::harness::{DOMAIN, PASSWORD, Who, World};
use super::private::{ALICE, BOB, key};

const PASSPHRASE: &str = "six green bottles";

#[test]
fn s_store_08_while_it_is_locked_nothing_can_be_asked_and_only_the_passphrase_opens_it() {
    let (mut world, who, _home) = sealed(Policy::Off);
    let alice = who[0];
    world.take_events(alice);
    lock(&mut world, alice);
    assert_eq!(profile(&mut world, alice).state, ProfileState::Locked);
    assert!(world.take_events(alice).contains(&Event::ProfileChanged));
    for request in [
        Request::AccountList {},
        Request::SettingsGet {},
        Request::PersonActive {},
        Request::ProfileSalvage {},
    ] {
        let refused = world.try_ask(alice, request).expect_err("it is locked");
        assert_eq!(refused.kind, ErrorKind::Locked, "{refused}");
    }
    // Again, it changes nothing.
    lock(&mut world, alice);
    let refused = unlock(&mut world, alice, "another").expect_err("it is wrong");
    assert_eq!(refused.kind, ErrorKind::WrongPassphrase);
    assert_eq!(profile(&mut world, alice).state, ProfileState::Locked);
    unlock(&mut world, alice, PASSPHRASE).expect("it opens");
    assert_eq!(profile(&mut world, alice).state, ProfileState::Open);
    world.settle();
    assert_eq!(world.accounts(alice)[0].state, AccountState::Online);
}

#[test]
fn locking_says_no_farewell_and_the_server_holds_what_comes() {
    let (mut world, who, _home) = sealed(Policy::Off);
    let (alice, bob) = (who[0], who[1]);
    world.say(alice, BOB, "before");
    world.settle();
    world.servers[0].seen.clear();
    lock(&mut world, alice);
    world.settle();
    let farewell = world.servers[0]
        .seen
        .iter()
        .find(|(user, _)| user.starts_with("alice@"));
    assert!(farewell.is_none(), "{farewell:?}");
    assert!(world.servers[0].users_with_sessions().contains("alice"));

    for text in ["one", "two", "three"] {
        world.say(bob, ALICE, text);
        world.pass(Duration::from_secs(20));
    }
    unlock(&mut world, alice, PASSPHRASE).expect("it opens");
    world.settle();
    assert_eq!(
        world.bodies(alice, BOB),
        ["before", "one", "two", "three"],
        "each once, in order"
    );
    world.say(alice, BOB, "after");
    world.settle();
    assert_eq!(world.bodies(bob, ALICE).last().expect("one"), "after");
}

#[test]
fn a_message_that_had_not_left_when_the_lock_came_leaves_once_after_it() {
    let (mut world, who, _home) = sealed(Policy::Off);
    let (alice, bob) = (who[0], who[1]);
    // Answered, so it is kept; its bytes may be on their way or not.
    world.say(alice, BOB, "on the way");
    lock(&mut world, alice);
    world.pass(Duration::from_secs(30));
    unlock(&mut world, alice, PASSPHRASE).expect("it opens");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.bodies(bob, ALICE), ["on the way"]);
    let sent = &world.history(alice, BOB)[0];
    assert!(sent.delivery >= Some(Delivery::Sent), "{:?}", sent.delivery);

    world.cut_off(alice, true);
    world.say(alice, BOB, "without a network");
    lock(&mut world, alice);
    world.cut_off(alice, false);
    unlock(&mut world, alice, PASSPHRASE).expect("it opens");
    world.pass(Duration::from_secs(60));
    assert_eq!(
        world.bodies(bob, ALICE),
        ["on the way", "without a network"]
    );
}

#[test]
fn what_is_not_kept_comes_back_when_it_is_unlocked_and_never_touches_the_disk() {
    let (mut world, who, home) = sealed(Policy::Required);
    let (alice, bob) = (who[0], who[1]);
    world.say(alice, BOB, "canary-one");
    world.settle();
    world.say(bob, ALICE, "canary-two");
    world.settle();
    assert_eq!(said(&mut world, alice), ["canary-one", "canary-two"]);

    lock(&mut world, alice);
    world.pass(Duration::from_secs(600));
    let profile = ProfileDir::open(&home.path().join("profile")).expect("a folder");
    let store = Store::open(&profile, &database_key(&profile)).expect("it opens");
    drop(store);

    unlock(&mut world, alice, PASSPHRASE).expect("it opens");
    world.settle();
    // That opening of the store in between was another run of the program: it removed the rows.
    assert_eq!(said(&mut world, alice), [""; 0]);

    world.say(alice, BOB, "canary-three");
    world.settle();
    lock(&mut world, alice);
    unlock(&mut world, alice, PASSPHRASE).expect("it opens");
    world.settle();
    assert_eq!(said(&mut world, alice), ["canary-three"]);
    // The session goes on too.
    world.say(bob, ALICE, "canary-four");
    world.settle();
    assert_eq!(said(&mut world, alice), ["canary-three", "canary-four"]);
    let view = world.open(alice, BOB);
    assert_eq!(view.private.state, PrivateState::Private);
}

#[test]
fn a_text_that_waits_for_a_private_conversation_still_waits_after_a_lock() {
    let (mut world, who, _home) = sealed(Policy::Required);
    let (alice, bob) = (who[0], who[1]);
    world.cut_off(alice, true);
    world.say(alice, BOB, "canary-one");
    lock(&mut world, alice);
    world.cut_off(alice, false);
    unlock(&mut world, alice, PASSPHRASE).expect("it opens");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.bodies(bob, ALICE).last().expect("one"), "canary-one");
    for (user, stanza) in &world.servers[0].seen {
        assert!(!String::from(stanza).contains("canary"), "{user}");
    }
}

#[test]
fn a_password_that_is_not_kept_is_not_asked_for_again_after_a_lock() {
    let home = tempfile::tempdir().expect("a folder");
    let mut world = World::new();
    world.servers[0].add_user("alice", PASSWORD);
    let alice = create(&mut world, &home);
    let account = world.add_account(alice, ALICE, PASSWORD, false);
    world.settle();
    assert_eq!(world.account(alice, account).state, AccountState::Online);
    lock(&mut world, alice);
    unlock(&mut world, alice, PASSPHRASE).expect("it opens");
    world.settle();
    let view = world.account(alice, account);
    assert_eq!(view.state, AccountState::Online);
    assert!(!view.remembered);
}

#[test]
fn a_refused_password_is_not_tried_again_because_of_a_lock() {
    let home = tempfile::tempdir().expect("a folder");
    let mut world = World::new();
    world.servers[0].add_user("alice", PASSWORD);
    let alice = create(&mut world, &home);
    let account = world.add_account(alice, ALICE, "wrong", true);
    world.settle();
    let before = world.account(alice, account);
    assert_eq!(before.state, AccountState::NeedsPassword);
    let dialled = world.dialled(alice).len();
    lock(&mut world, alice);
    unlock(&mut world, alice, PASSPHRASE).expect("it opens");
    world.pass(Duration::from_secs(600));
    let after = world.account(alice, account);
    assert_eq!((after.state, after.problem), (before.state, before.problem));
    assert_eq!(world.dialled(alice).len(), dialled);
}

#[test]
fn s_store_08_it_locks_by_itself_when_the_person_was_away_for_long_enough() {
    let (mut world, who, _home) = sealed(Policy::Off);
    let alice = who[0];
    lock_after(&mut world, alice, 5).expect("it is taken");
    world.pass(Duration::from_secs(299));
    world.ask(alice, Request::PersonActive {});
    world.pass(Duration::from_secs(299));
    assert_eq!(profile(&mut world, alice).state, ProfileState::Open);
    // What comes from others is nothing that the person did.
    world.say(who[1], ALICE, "hello");
    world.pass(Duration::from_secs(1));
    assert_eq!(profile(&mut world, alice).state, ProfileState::Locked);
    unlock(&mut world, alice, PASSPHRASE).expect("it opens");
    world.pass(Duration::from_secs(299));
    assert_eq!(profile(&mut world, alice).state, ProfileState::Open);
    world.pass(Duration::from_secs(1));
    assert_eq!(profile(&mut world, alice).state, ProfileState::Locked);

    unlock(&mut world, alice, PASSPHRASE).expect("it opens");
    lock_after(&mut world, alice, 0).expect("it is taken");
    world.pass(Duration::from_secs(100_000));
    assert_eq!(profile(&mut world, alice).state, ProfileState::Open);
}

#[test]
fn with_its_passphrase_a_profile_loses_the_time_after_which_it_locks() {
    let (mut world, who, _home) = sealed(Policy::Off);
    let alice = who[0];
    lock_after(&mut world, alice, 5).expect("it is taken");
    world.take_events(alice);
    protect(&mut world, alice, Protection::None);
    let Reply::Settings(settings) = world.ask(alice, Request::SettingsGet {}) else {
        panic!("no settings")
    };
    assert_eq!(settings.lock_after, 0);
    assert!(world.take_events(alice).contains(&Event::SettingsChanged));
    // A new passphrase does not bring it back.
    let passphrase = Secret::new(PASSPHRASE.into());
    protect(&mut world, alice, Protection::Passphrase { passphrase });
    world.pass(Duration::from_secs(100_000));
    assert_eq!(profile(&mut world, alice).state, ProfileState::Open);
}

#[test]
fn without_a_passphrase_it_does_not_lock_and_says_why() {
    let home = tempfile::tempdir().expect("a folder");
    let mut world = World::new();
    let alice = world.add_profile(&home.path().join("profile"));
    let refused = world
        .try_ask(alice, Request::ProfileLock {})
        .expect_err("there is none");
    assert_eq!(refused.kind, ErrorKind::NoProfile);
    let protection = Protection::None;
    world.ask(alice, Request::ProfileCreate { protection });
    let refused = world
        .try_ask(alice, Request::ProfileLock {})
        .expect_err("it would keep nobody out");
    assert_eq!(refused.kind, ErrorKind::Refused);
    assert!(refused.message.contains("passphrase"), "{refused}");
    let refused = lock_after(&mut world, alice, 5).expect_err("likewise");
    assert_eq!(refused.kind, ErrorKind::Refused);
    assert_eq!(profile(&mut world, alice).state, ProfileState::Open);
}

#[test]
fn settings_out_of_range_are_refused_as_a_whole() {
    let (mut world, who, _home) = sealed(Policy::Off);
    let good = Settings::default();
    let wrong = [
        Settings {
            lock_after: 1441,
            ..good.clone()
        },
        Settings {
            record_files: 0,
            ..good.clone()
        },
        Settings {
            record_files: 21,
            ..good.clone()
        },
        Settings {
            record_size: 99,
            ..good.clone()
        },
        Settings {
            record_size: 100_001,
            ..good.clone()
        },
    ];
    for settings in wrong {
        let refused = world
            .try_ask(who[0], Request::SettingsSet { settings })
            .expect_err("it is out of range");
        assert_eq!(refused.kind, ErrorKind::Invalid);
    }
    assert_eq!(
        world.ask(who[0], Request::SettingsGet {}),
        Reply::Settings(good)
    );
}

/// Alice, whose profile lies on disk under a passphrase, and Bob; both signed in, with keys and this policy.
fn sealed(policy: Policy) -> (World, [Who; 2], TempDir) {
    let home = tempfile::tempdir().expect("a folder");
    let mut world = World::new();
    for (name, other) in [("alice", "bob"), ("bob", "alice")] {
        world.servers[0].add_user(name, PASSWORD);
        let jid = format!("{other}@{DOMAIN}");
        world.servers[0].add_contact(name, &jid, "both");
    }
    let alice = create(&mut world, &home);
    world.sign_in(alice, "alice");
    lock(&mut world, alice);
    world.settle();
    let profile = ProfileDir::open(&home.path().join("profile")).expect("a folder");
    let store = Store::open(&profile, &database_key(&profile)).expect("it opens");
    prepare(&store, 0, policy);
    store.close().expect("it closes");
    unlock(&mut world, alice, PASSPHRASE).expect("it opens");

    let bob = world.add_player();
    world.sign_in(bob, "bob");
    world.with_store(bob, |store| prepare(store, 1, policy));
    world.pass(Duration::from_secs(5));
    (world, [alice, bob], home)
}

fn prepare(store: &Store, index: usize, policy: Policy) {
    let account = store.accounts().expect("accounts")[0].id;
    store
        .otr_key_set(account, key(index), Timestamp(0))
        .expect("a key");
    store.policy_global_set(policy).expect("a policy");
}

fn create(world: &mut World, home: &TempDir) -> Who {
    let who = world.add_profile(&home.path().join("profile"));
    let protection = Protection::Passphrase {
        passphrase: Secret::new(PASSPHRASE.into()),
    };
    world.ask(who, Request::ProfileCreate { protection });
    who
}

fn database_key(profile: &ProfileDir) -> sotto_store::DatabaseKey {
    let file = KeyFile::load(profile).expect("it loads").expect("a key");
    file.unlock_job(profile, Some(Secret::new(PASSPHRASE.into())))
        .run()
        .expect("it opens")
        .1
}

fn lock(world: &mut World, who: Who) {
    assert_eq!(world.ask(who, Request::ProfileLock {}), Reply::Done);
}

fn unlock(world: &mut World, who: Who, passphrase: &str) -> Result<Reply, ApiError> {
    let passphrase = Secret::new(passphrase.into());
    world.try_ask(who, Request::ProfileUnlock { passphrase })
}

fn profile(world: &mut World, who: Who) -> ProfileView {
    match world.ask(who, Request::ProfileStatus {}) {
        Reply::Profile(view) => view,
        other => panic!("{other:?}"),
    }
}

fn lock_after(world: &mut World, who: Who, minutes: u16) -> Result<Reply, ApiError> {
    let settings = Settings {
        lock_after: minutes,
        ..Settings::default()
    };
    world.try_ask(who, Request::SettingsSet { settings })
}

fn said(world: &mut World, who: Who) -> Vec<String> {
    let mut history = world.history(who, BOB);
    history.retain(|message| message.kind != sotto_api::view::MessageKind::System);
    history.into_iter().map(|message| message.body).collect()
}

fn protect(world: &mut World, who: Who, protection: Protection) {
    let current = match protection {
        Protection::None => Some(Secret::new(PASSPHRASE.into())),
        _ => None,
    };
    let request = Request::ProfileProtect {
        current,
        protection,
    };
    world.ask(who, request);
}
