//! What was erased is not named any more in what is kept of a private conversation.

use sotto_api::Reply;
use sotto_api::view::EraseScope;
use tempfile::TempDir;

use super::*;

const HOUR: Duration = Duration::from_hours(1);

/// Alice, whose file can be searched, in a private conversation with Bob.
struct Two {
    world: World,
    alice: Who,
    bob: Who,
    folder: TempDir,
}

fn two() -> Two {
    let folder = tempfile::tempdir().expect("a folder");
    let mut world = World::new();
    for (name, other) in [("alice", BOB), ("bob", ALICE)] {
        world.servers[0].add_user(name, "right");
        world.servers[0].add_contact(name, other, "both");
    }
    let alice = world.add_in_clear(&folder.path().join("store.db"));
    let bob = world.add_player();
    world.sign_in(alice, "alice");
    world.sign_in(bob, "bob");
    give_keys(
        &mut world,
        &[(alice, Policy::Required), (bob, Policy::Preferred)],
    );
    Two {
        world,
        alice,
        bob,
        folder,
    }
}

impl Two {
    /// Says something. As what OTR's state names it: id and time.
    fn say(&mut self, body: &str) -> (MessageView, [u8; 16]) {
        let sent = self.world.say(self.alice, BOB, body);
        let at = self.world.now.unix_ms;
        self.world.settle();
        assert_eq!(
            said(&mut self.world, self.bob, ALICE)
                .last()
                .map(String::as_str),
            Some(body)
        );
        let mut name = [0; 16];
        name[..8].copy_from_slice(&sent.id.0.to_be_bytes());
        name[8..].copy_from_slice(&at.to_be_bytes());
        (sent, name)
    }

    fn set(&mut self, settings: Settings) {
        self.world
            .ask(self.alice, Request::SettingsSet { settings });
    }

    fn is_on_disk(&self, name: &[u8]) -> bool {
        std::fs::read_dir(self.folder.path())
            .expect("a folder")
            .any(|entry| {
                let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
                bytes.windows(name.len()).any(|window| window == name)
            })
    }

    /// Whether what is kept of the conversation names a text.
    fn is_named(&mut self, name: [u8; 16]) -> bool {
        let mut named = false;
        self.world.kill(self.alice);
        self.world.look_at_store(self.alice, |store| {
            let account = store.accounts().expect("accounts")[0].id;
            let state = store.otr_state(account, BOB).expect("it reads");
            let state = state.expect("a conversation");
            named = state.windows(name.len()).any(|window| *window == name);
        });
        self.world.restart(self.alice);
        self.world.pass(Duration::from_secs(5));
        named
    }
}

#[test]
fn s_store_07_an_erased_text_is_not_named_in_the_state_of_its_private_conversation() {
    for scope in 0..5 {
        let mut two = two();
        let (sent, name) = two.say("canary");
        assert!(two.is_on_disk(&name), "the search finds what is there");
        let account = two.world.accounts(two.alice)[0].id;
        let conversation = sent.conversation;
        let what = match scope {
            0 => EraseScope::Message { message: sent.id },
            1 => EraseScope::Conversation { conversation },
            2 => EraseScope::Day {
                conversation: None,
                day: "2025-06-15".into(),
                zone: "UTC".into(),
            },
            3 => EraseScope::Account { account },
            _ => EraseScope::All,
        };
        let erased = two
            .world
            .ask_for_long(two.alice, Request::HistoryErase { what });
        assert!(
            matches!(erased, Reply::Erased(erased) if erased.messages == 1),
            "{scope}"
        );
        assert!(!two.is_on_disk(&name), "{scope}");
        // The conversation goes on, and what comes after it is named as ever.
        let (_, name) = two.say("canary-2");
        assert!(two.is_named(name), "{scope}");
        assert_never_left(&two.world, "canary");
    }
}

#[test]
fn what_is_not_erased_goes_on_being_named() {
    let mut two = two();
    let (first, one) = two.say("canary-1");
    two.world.pass(24 * HOUR - Duration::from_secs(60));
    let (_, other) = two.say("canary-2");
    let what = EraseScope::Message { message: first.id };
    two.world
        .ask_for_long(two.alice, Request::HistoryErase { what });
    assert!(!two.is_on_disk(&one));
    assert!(two.is_named(other));
}

#[test]
fn a_text_that_can_never_go_again_is_named_no_longer_than_a_day() {
    let mut two = two();
    let (_, name) = two.say("canary");
    two.world.pass(23 * HOUR);
    assert!(two.is_named(name));
    two.world.pass(2 * HOUR);
    assert!(!two.is_named(name));
    // Also where the program did not run meanwhile.
    let (_, name) = two.say("canary-2");
    two.world.kill(two.alice);
    two.world.pass(25 * HOUR);
    two.world.restart(two.alice);
    two.world.pass(Duration::from_secs(5));
    assert!(!two.is_named(name));
}

#[test]
fn s_store_05_texts_that_wait_or_were_given_back_are_on_the_disk_only_where_history_is_kept() {
    for keep_history in [false, true] {
        let mut two = two();
        two.set(Settings {
            keep_history,
            ..Settings::default()
        });
        two.world.cut_off(two.bob, true);
        two.world.servers[0].expire_sessions();
        let conversation = two.world.open(two.alice, BOB).id;
        two.world.say_in(two.alice, conversation, "canary-waits");
        two.world.settle();
        let stands = two.is_on_disk(b"canary-waits");
        assert_eq!(stands, keep_history, "while it waits");
        two.world.pass(Duration::from_secs(25));
        let draft = two.world.conversation(two.alice, conversation).draft;
        assert_eq!(draft, "canary-waits");
        assert_eq!(two.is_on_disk(b"canary"), keep_history, "when it is back");
        let request = Request::DraftSet {
            conversation,
            body: "canary-draft".into(),
        };
        two.world.ask(two.alice, request);
        assert_eq!(two.is_on_disk(b"canary-draft"), keep_history);
        two.world
            .say_in(two.alice, conversation, "canary-waits again");
        let what = EraseScope::Conversation { conversation };
        two.world
            .ask_for_long(two.alice, Request::HistoryErase { what });
        assert!(!two.is_on_disk(b"canary"), "{keep_history}");
        two.world.pass(Duration::from_secs(25));
        let draft = two.world.conversation(two.alice, conversation).draft;
        assert_eq!(draft, "", "nothing is given back");
        two.world.kill(two.alice);
        assert!(!two.is_on_disk(b"canary"), "{keep_history}");
    }
}
