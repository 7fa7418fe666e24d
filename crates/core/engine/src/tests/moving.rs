//! A profile that moves to another computer in a file, and one that is destroyed.

use std::path::Path;

use sotto_api::view::{AccountState, EraseScope, ProfileState, ProfileView};
use sotto_api::{ApiError, ErrorKind, Event, Protection, Reply, Request, Secret};

use super::harness::{PASSWORD, Who, World};
use super::private::{ALICE, BOB};

const PASSPHRASE: &str = "six green bottles";
const OWN: &str = "of the file alone";

#[test]
fn s_store_17_a_profile_moves_in_one_file_with_everything() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("alice.sotto");
    let mut world = World::new();
    let alice = signed_in(&mut world, &home.path().join("here"));
    world.say(alice, BOB, "canary-one");
    world.settle();

    let refused = back_up(&mut world, alice, "alice.sotto", OWN).expect_err("where?");
    assert_eq!(refused.kind, ErrorKind::Invalid);
    let refused = back_up(&mut world, alice, &text(&file), "").expect_err("it protects nothing");
    assert_eq!(refused.kind, ErrorKind::Invalid);
    let nowhere = text(&home.path().join("no/such/folder"));
    let refused = back_up(&mut world, alice, &nowhere, OWN).expect_err("there is none");
    assert_eq!(refused.kind, ErrorKind::Store);
    assert!(refused.message.contains("no such"), "{refused}");
    back_up(&mut world, alice, &text(&file), OWN).expect("it is written");
    let refused = back_up(&mut world, alice, &text(&file), OWN).expect_err("it is there");
    assert_eq!(refused.kind, ErrorKind::Exists);
    // It is used on.
    world.say(alice, BOB, "canary-two");
    world.settle();
    world.ask(alice, Request::Quit {});
    world.settle();

    let there = world.add_profile(&home.path().join("there"));
    let refused = restore(&mut world, there, &file, PASSPHRASE).expect_err("another one");
    assert_eq!(refused.kind, ErrorKind::WrongPassphrase);
    assert_eq!(profile(&mut world, there).state, ProfileState::Absent);
    restore(&mut world, there, &file, OWN).expect("it is restored");
    assert_eq!(profile(&mut world, there).state, ProfileState::Open);
    world.settle();
    let account = &world.accounts(there)[0];
    assert_eq!(
        (account.address.as_str(), account.state),
        (ALICE, AccountState::Online)
    );
    assert_eq!(world.bodies(there, BOB)[0], "canary-one");
    let refused = restore(&mut world, there, &file, OWN).expect_err("there is one now");
    assert_eq!(refused.kind, ErrorKind::ProfileExists);
    // The file's passphrase is the profile's.
    world.ask(there, Request::ProfileLock {});
    let refused = unlock(&mut world, there, PASSPHRASE).expect_err("no longer");
    assert_eq!(refused.kind, ErrorKind::WrongPassphrase);
    unlock(&mut world, there, OWN).expect("it opens");
}

#[test]
fn s_store_17_what_is_locked_is_not_backed_up() {
    let home = tempfile::tempdir().expect("a folder");
    let mut world = World::new();
    let alice = signed_in(&mut world, &home.path().join("here"));
    world.ask(alice, Request::ProfileLock {});
    let file = text(&home.path().join("alice.sotto"));
    let refused = back_up(&mut world, alice, &file, OWN).expect_err("it is locked");
    assert_eq!(refused.kind, ErrorKind::Locked);
    assert!(!Path::new(&file).exists());
}

#[test]
fn s_store_17_a_backup_takes_the_passphrase_in_force() {
    let home = tempfile::tempdir().expect("a folder");
    let mut world = World::new();
    let alice = signed_in(&mut world, &home.path().join("here"));
    let file = text(&home.path().join("alice.sotto"));
    for (current, kind) in [
        (None, ErrorKind::WrongPassphrase),
        (Some(""), ErrorKind::WrongPassphrase),
        (Some(OWN), ErrorKind::WrongPassphrase),
    ] {
        let refused = back_up_with(&mut world, alice, current, &file, OWN).expect_err("not theirs");
        assert_eq!(refused.kind, kind);
        assert!(!Path::new(&file).exists());
    }
    back_up(&mut world, alice, &file, OWN).expect("the person's");
    assert!(Path::new(&file).exists());
}

#[test]
fn s_store_07_an_erasure_is_answered_when_the_file_is_clean_though_a_backup_was_under_way() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("here");
    let mut world = World::new();
    // Without a passphrase there is no proof that would be held up with the rest.
    let alice = signed_in_with(&mut world, &folder, Protection::None);
    world.say(alice, BOB, "canary");
    world.settle();
    let file = home.path().join("alice.sotto");
    world.hold_work(alice, true);
    let request = Request::ProfileBackUp {
        current: None,
        file: text(&file),
        passphrase: Secret::new(OWN.into()),
    };
    let backup = world.ask_later(alice, request.clone());
    world.say(alice, BOB, "canary-two");
    world.settle();
    let log = || std::fs::metadata(folder.join("store.db-wal")).map_or(0, |log| log.len());
    assert!(log() > 0, "what is written meanwhile gathers in the log");
    assert!(world.answer(alice, backup).is_none());
    let what = EraseScope::All;
    world.ask_for_long(alice, Request::HistoryErase { what });
    assert_eq!(log(), 0);
    // What would hold what was erased is given up, and that is said.
    world.hold_work(alice, false);
    let refused = world.answer(alice, backup).expect("it is answered");
    let refused = refused.expect_err("it was given up");
    assert_eq!(refused.kind, ErrorKind::Refused);
    assert!(refused.message.contains("erased"), "{refused}");
    assert!(!file.exists());
    world
        .try_ask(alice, request)
        .expect("the next one is whole");
}

#[test]
fn s_store_12_a_profile_whose_file_was_put_back_says_so() {
    let home = tempfile::tempdir().expect("a folder");
    let (here, there) = (home.path().join("here"), home.path().join("there"));
    let mut world = World::new();
    let alice = signed_in(&mut world, &here);
    assert_eq!(profile(&mut world, alice).warning, "");
    world.ask(alice, Request::Quit {});
    world.settle();
    std::fs::create_dir(&there).expect("a folder");
    for name in ["profile.key", "store.db"] {
        std::fs::copy(here.join(name), there.join(name)).expect("it copies");
    }
    for (folder, noticed) in [(&there, true), (&there, false), (&here, false)] {
        let alice = world.add_profile(folder);
        unlock(&mut world, alice, PASSPHRASE).expect("it opens");
        let warning = profile(&mut world, alice).warning;
        assert_eq!(warning.contains("put back"), noticed, "{warning}");
        world.ask(alice, Request::Quit {});
        world.settle();
    }
}

#[test]
fn s_store_07_the_passphrase_destroys_the_profile_and_the_program_ends() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("here");
    let mut world = World::new();
    let alice = signed_in(&mut world, &folder);
    for (current, kind) in [
        (None, ErrorKind::WrongPassphrase),
        (Some("another"), ErrorKind::WrongPassphrase),
    ] {
        let refused = destroy(&mut world, alice, current).expect_err("it is not proved");
        assert_eq!(refused.kind, kind);
        assert_eq!(profile(&mut world, alice).state, ProfileState::Open);
        assert!(folder.join("profile.key").exists());
    }
    world.take_events(alice);
    let started = std::time::Instant::now();
    destroy(&mut world, alice, Some(PASSPHRASE)).expect("it is destroyed");
    assert!(started.elapsed() < std::time::Duration::from_secs(3));
    assert!(world.has_ended(alice));
    assert!(world.take_events(alice).contains(&Event::Ending));
    assert_eq!(std::fs::read_dir(&folder).expect("it lists").count(), 0);
}

#[test]
fn s_store_07_a_locked_profile_and_one_without_a_passphrase_can_be_destroyed() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("locked");
    let mut world = World::new();
    let alice = signed_in(&mut world, &folder);
    world.ask(alice, Request::ProfileLock {});
    destroy(&mut world, alice, Some(PASSPHRASE)).expect("it is destroyed");
    assert_eq!(std::fs::read_dir(&folder).expect("it lists").count(), 0);

    let folder = home.path().join("open");
    let who = world.add_profile(&folder);
    let refused = destroy(&mut world, who, None).expect_err("there is none");
    assert_eq!(refused.kind, ErrorKind::NoProfile);
    let protection = Protection::None;
    world.ask(who, Request::ProfileCreate { protection });
    destroy(&mut world, who, None).expect("it is destroyed");
    assert!(world.has_ended(who));
    assert_eq!(std::fs::read_dir(&folder).expect("it lists").count(), 0);
}

fn signed_in(world: &mut World, folder: &Path) -> Who {
    let protection = Protection::Passphrase {
        passphrase: Secret::new(PASSPHRASE.into()),
    };
    signed_in_with(world, folder, protection)
}

fn signed_in_with(world: &mut World, folder: &Path, protection: Protection) -> Who {
    world.servers[0].add_user("alice", PASSWORD);
    world.servers[0].add_user("bob", PASSWORD);
    let who = world.add_profile(folder);
    world.ask(who, Request::ProfileCreate { protection });
    world.ask(
        who,
        Request::PolicySet {
            scope: sotto_api::view::PolicyScope::Global {},
            policy: Some(sotto_api::view::Policy::Off),
            follow: false,
        },
    );
    world.sign_in(who, "alice");
    who
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}

fn back_up(world: &mut World, who: Who, file: &str, own: &str) -> Result<Reply, ApiError> {
    back_up_with(world, who, Some(PASSPHRASE), file, own)
}

fn back_up_with(
    world: &mut World,
    who: Who,
    current: Option<&str>,
    file: &str,
    own: &str,
) -> Result<Reply, ApiError> {
    let request = Request::ProfileBackUp {
        current: current.map(|text| Secret::new(text.into())),
        file: file.to_owned(),
        passphrase: Secret::new(own.into()),
    };
    world.try_ask(who, request)
}

fn restore(world: &mut World, who: Who, file: &Path, own: &str) -> Result<Reply, ApiError> {
    let request = Request::ProfileRestore {
        file: text(file),
        passphrase: Secret::new(own.into()),
    };
    world.try_ask(who, request)
}

fn destroy(world: &mut World, who: Who, current: Option<&str>) -> Result<Reply, ApiError> {
    let current = current.map(|text| Secret::new(text.into()));
    world.try_ask(who, Request::ProfileDestroy { current })
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
