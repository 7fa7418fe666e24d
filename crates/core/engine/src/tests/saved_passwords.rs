//! Passwords that are kept: listed, removed, shown.

use std::time::Duration;

use sotto_api::view::{AccountState, SavedPasswordView};
use sotto_api::{ApiError, ErrorKind, Protection, Reply, Request, Secret};
use tempfile::TempDir;

use super::harness::{PASSWORD, Who, World};

const PASSPHRASE: &str = "six green bottles";

fn world(protection: Protection) -> (World, Who, TempDir) {
    let home = tempfile::tempdir().expect("a folder");
    let mut world = World::new();
    for name in ["alice", "work"] {
        world.servers[0].add_user(name, PASSWORD);
    }
    let alice = world.add_profile(&home.path().join("profile"));
    world.ask(alice, Request::ProfileCreate { protection });
    world.sign_in(alice, "alice");
    world.sign_in(alice, "work");
    (world, alice, home)
}

fn sealed() -> (World, Who, TempDir) {
    world(Protection::Passphrase {
        passphrase: Secret::new(PASSPHRASE.into()),
    })
}

fn list(world: &mut World, who: Who) -> Vec<SavedPasswordView> {
    match world.ask(who, Request::SavedPasswordList {}) {
        Reply::SavedPasswords(views) => views,
        other => panic!("{other:?}"),
    }
}

fn show(
    world: &mut World,
    who: Who,
    account: sotto_api::AccountId,
    passphrase: &str,
) -> Result<String, ApiError> {
    let request = Request::SavedPasswordShow {
        account,
        passphrase: Secret::new(passphrase.into()),
    };
    match world.try_ask(who, request)? {
        Reply::Password(password) => Ok(password.expose().to_owned()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_kept_password_is_listed_and_none_of_them_said() {
    let (mut world, alice, _home) = sealed();
    let views = list(&mut world, alice);
    let shown: Vec<_> = views
        .iter()
        .map(|view| (view.network.as_str(), view.address.as_str()))
        .collect();
    assert_eq!(
        shown,
        [("XMPP", "alice@example.org"), ("XMPP", "work@example.org")]
    );
    assert!(views.iter().all(|view| view.stored_at.0 > 0));
}

#[test]
fn a_removed_password_leaves_the_account_online_and_the_next_sign_in_asks() {
    let (mut world, alice, _home) = sealed();
    let account = list(&mut world, alice)[0].account;
    world.ask(
        alice,
        Request::SavedPasswordRemove {
            account: Some(account),
        },
    );
    assert_eq!(list(&mut world, alice).len(), 1);
    let view = world.account(alice, account);
    assert_eq!((view.state, view.remembered), (AccountState::Online, false));
    // A cut is no sign-in of the person's.
    world.cut(alice);
    world.pass(Duration::from_secs(60));
    // Nor is a lock.
    world.ask(alice, Request::ProfileLock {});
    world.ask(
        alice,
        Request::ProfileUnlock {
            passphrase: Secret::new(PASSPHRASE.into()),
        },
    );
    world.pass(Duration::from_secs(60));
    assert_eq!(world.account(alice, account).state, AccountState::Online);
    let enable = |enabled| Request::AccountEnable { account, enabled };
    world.ask(alice, enable(false));
    world.settle();
    world.ask(alice, enable(true));
    world.pass(Duration::from_secs(5));
    assert_eq!(
        world.account(alice, account).state,
        AccountState::NeedsPassword
    );

    world.ask(alice, Request::SavedPasswordRemove { account: None });
    assert_eq!(list(&mut world, alice), []);
    let unknown = Request::SavedPasswordRemove {
        account: Some(sotto_api::AccountId(99)),
    };
    let refused = world.try_ask(alice, unknown).expect_err("refused");
    assert_eq!(refused.kind, ErrorKind::NotFound);
}

#[test]
fn a_password_is_shown_only_to_who_knows_the_passphrase_and_guessing_is_slowed() {
    let (mut world, alice, _home) = sealed();
    let account = list(&mut world, alice)[0].account;
    let show = |world: &mut World, passphrase| show(world, alice, account, passphrase);
    assert_eq!(show(&mut world, PASSPHRASE).expect("shown"), PASSWORD);
    for _ in 0..5 {
        let wrong = show(&mut world, "another").expect_err("refused");
        assert_eq!(wrong.kind, ErrorKind::WrongPassphrase);
    }
    let at_once = show(&mut world, PASSPHRASE).expect_err("whoever guesses waits");
    assert!(at_once.message.contains("counts in"), "{at_once}");
    world.pass(Duration::from_secs(10));
    assert_eq!(show(&mut world, PASSPHRASE).expect("shown"), PASSWORD);
    world.ask(alice, Request::SavedPasswordRemove { account: None });
    let gone = show(&mut world, PASSPHRASE).expect_err("it is gone");
    assert_eq!(gone.kind, ErrorKind::NotFound);
}

#[test]
fn without_a_passphrase_no_password_is_shown() {
    let (mut world, alice, _home) = world(Protection::None);
    let account = list(&mut world, alice)[0].account;
    let refused = show(&mut world, alice, account, "").expect_err("refused");
    assert_eq!(refused.kind, ErrorKind::Refused);
    assert!(refused.message.contains("passphrase"), "{refused}");
}
