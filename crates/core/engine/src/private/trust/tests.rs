use sotto_api::PeerKeyId;
use sotto_api::view::Trust;
use sotto_otr::SmpEvent;

use super::super::verify::Begun;
use super::*;
use crate::context::{Effects, Random};
use crate::networks::Networks;

/// A store with one account, and everything that a context lends.
struct World {
    store: sotto_store::Store,
    account: Account,
    changes: crate::changes::Changes,
    effects: Effects,
    settings: sotto_api::view::Settings,
    networks: Networks,
    unix_ms: i64,
}

impl World {
    fn new() -> Self {
        let store = sotto_store::Store::in_memory().expect("a store");
        let id = store
            .account_add(&sotto_store::row::NewAccount {
                network: "xmpp",
                address: "sara@example.org",
                enabled: false,
                settings: &sotto_api::AccountSettings::default(),
                agent_id: "a",
            })
            .expect("an account");
        let row = store.account(id).expect("a read").expect("an account");
        let address = BareJid::new("sara@example.org").expect("an address");
        let random: Random = Box::new(|bytes| bytes.fill(7));
        Self {
            store,
            account: Account::new(row, address),
            changes: crate::changes::Changes::default(),
            effects: Effects::new(random),
            settings: sotto_api::view::Settings::default(),
            networks: Networks::parse("network = []").expect("no rows"),
            unix_ms: 0,
        }
    }

    fn with<T>(&mut self, work: impl FnOnce(&mut Context, &Account) -> Result<T, Fault>) -> T {
        self.unix_ms += 1_000;
        let mut cx = Context {
            now: crate::io::Now {
                instant: std::time::Instant::now(),
                unix_ms: self.unix_ms,
            },
            store: &self.store,
            settings: &self.settings,
            networks: &self.networks,
            software: "",
            changes: &mut self.changes,
            effects: &mut self.effects,
        };
        work(&mut cx, &self.account).expect("the store works")
    }

    fn seen(&mut self, key: u8) -> Seen {
        self.with(|cx, account| seen(cx, account, &leila(), &code(key)))
    }

    fn of(&mut self, key: u8) -> Option<Trust> {
        self.with(|cx, account| of(cx, account, &leila(), &code(key)))
    }

    fn verify(&mut self, key: PeerKeyId) {
        let proof = Proof::of_comparison(key, key).expect("the same key");
        self.with(|cx, _| verify(cx, key, proof));
    }
}

fn leila() -> BareJid {
    BareJid::new("leila@example.org").expect("an address")
}

fn code(key: u8) -> Fingerprint {
    Fingerprint::from_bytes([key; 20])
}

#[test]
fn s_otr_16_the_first_key_is_new_and_stays_so_until_somebody_checks_it() {
    let mut world = World::new();
    let first = world.seen(1);
    assert_eq!(
        (first.trust, first.fresh, first.previous),
        (Trust::New, true, None)
    );
    let again = world.seen(1);
    assert_eq!(
        (again.key, again.trust, again.fresh),
        (first.key, Trust::New, false)
    );
    world.verify(first.key);
    assert_eq!(world.seen(1).trust, Trust::Verified);
}

#[test]
fn s_otr_16_verified_is_never_inherited_and_another_key_stops_the_sending() {
    let mut world = World::new();
    let first = world.seen(1);
    world.verify(first.key);
    let other = world.seen(2);
    assert_eq!((other.trust, other.fresh), (Trust::Changed, true));
    assert_eq!(other.previous, Some(code(1)));
    assert_eq!(world.of(1), Some(Trust::Verified));
    // Not by being met again, either.
    assert_eq!(world.seen(2).trust, Trust::Changed);
}

#[test]
fn s_otr_16_another_key_than_an_unchecked_one_is_new_and_both_are_named() {
    let mut world = World::new();
    world.seen(1);
    let other = world.seen(2);
    assert_eq!((other.trust, other.fresh), (Trust::New, true));
    assert_eq!(other.previous, Some(code(1)));
}

#[test]
fn s_otr_16_an_unchecked_key_that_was_met_earlier_does_not_pass_beside_a_verified_one() {
    let mut world = World::new();
    world.seen(9);
    let own = world.seen(1);
    world.verify(own.key);
    assert_eq!(world.seen(9).trust, Trust::Changed);
}

#[test]
fn going_on_with_a_changed_key_verifies_nothing_and_lasts() {
    let mut world = World::new();
    let first = world.seen(1);
    world.verify(first.key);
    world.seen(2);
    world.with(|cx, account| go_on_unverified(cx, account, &leila(), &code(2)));
    assert_eq!(world.seen(2).trust, Trust::New);
    assert_eq!(world.of(1), Some(Trust::Verified));
}

#[test]
fn going_on_does_not_lift_distrust() {
    let mut world = World::new();
    let first = world.seen(1);
    world.with(|cx, _| distrust(cx, first.key));
    world.with(|cx, account| go_on_unverified(cx, account, &leila(), &code(1)));
    assert_eq!(world.seen(1).trust, Trust::Distrusted);
}

#[test]
fn what_was_forgotten_is_met_for_the_first_time_again() {
    let mut world = World::new();
    let first = world.seen(1);
    world.verify(first.key);
    world.with(|cx, _| forget(cx, first.key));
    assert_eq!(world.of(1), None);
    let again = world.seen(1);
    assert_eq!((again.trust, again.fresh), (Trust::New, true));
    assert_ne!(again.key, first.key);
}

#[test]
fn keys_of_one_address_say_nothing_about_another() {
    let mut world = World::new();
    let first = world.seen(1);
    world.verify(first.key);
    let omar = BareJid::new("omar@example.org").expect("an address");
    let seen = world.with(|cx, account| seen(cx, account, &omar, &code(1)));
    assert_eq!(
        (seen.trust, seen.fresh, seen.previous),
        (Trust::New, true, None)
    );
}

#[test]
fn only_a_comparison_of_the_key_that_stands_is_a_proof() {
    assert!(Proof::of_comparison(PeerKeyId(1), PeerKeyId(2)).is_none());
    assert!(Proof::of_comparison(PeerKeyId(1), PeerKeyId(1)).is_some());
}

#[test]
fn s_otr_09_only_a_check_that_succeeded_is_a_proof_and_no_answer_to_their_question() {
    let begun = [
        Begun::Question { ours: true },
        Begun::Question { ours: false },
        Begun::Secret,
    ];
    for begun in begun {
        for event in [
            SmpEvent::Failed,
            SmpEvent::Aborted,
            SmpEvent::Cheated,
            SmpEvent::Progress { step: 3 },
            SmpEvent::Asked { question: None },
        ] {
            assert!(Proof::of_check(&event, begun).is_none(), "{event:?}");
        }
        let proof = Proof::of_check(&SmpEvent::Succeeded, begun);
        assert_eq!(proof.is_some(), begun != (Begun::Question { ours: false }));
    }
}
