//! What a person decides about what is kept: not at all, for how long, erased.

mod common;

use std::path::{Path, PathBuf};

use common::{Profile, account, add, add_account, found, incoming, occurrences, outgoing};
use sotto_api::view::{Direction, MessageKind, Policy, Privacy, Subscription, Trust};
use sotto_api::{AccountId, ConversationId, MessageId, Timestamp};
use sotto_store::Store;
use sotto_store::row::{
    ArchiveState, Archived, CallOutcome, ErasedCount, Erasure, Inserted, NewCall, NewMessage,
    NewOutbox, OutboxPurpose, Page, Place, RosterItem, Verified, VerifiedHow,
};
use tempfile::TempDir;

const LEILA: &str = "leila@example.org";
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const NOW: Timestamp = Timestamp(1_000);

/// A store that is not sealed, so that its bytes can be searched.
struct Plain {
    folder: TempDir,
}

impl Plain {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("plain.db")
    }

    fn open(&self) -> Store {
        Store::open_file(&self.path(), None).expect("it opens")
    }

    /// How often a text stands in the file and in its log.
    fn count(&self, text: &str) -> usize {
        occurrences(self.folder.path(), text.as_bytes())
    }
}

fn talk(store: &Store) -> (AccountId, ConversationId) {
    let account = account(store);
    let conversation = store.conversation_open(account, LEILA).expect("it opens");
    (account, conversation)
}

fn bodies(store: &Store, conversation: ConversationId) -> Vec<String> {
    let page = store
        .message_page(conversation, Page::Newest, 500)
        .expect("a page");
    page.messages.into_iter().map(|row| row.body).collect()
}

fn stanza<'a>(account: AccountId, message: MessageId, id: &'a str, xml: &'a str) -> NewOutbox<'a> {
    NewOutbox {
        account,
        message: Some(message),
        purpose: OutboxPurpose::Message,
        stanza_id: id,
        xml,
        created: Timestamp(1),
    }
}

fn call(account: AccountId, peer: &str, started_at: i64) -> NewCall<'_> {
    NewCall {
        account: Some(account),
        peer,
        direction: Direction::Outgoing,
        outcome: CallOutcome::Answered,
        started_at: Timestamp(started_at),
        ended_at: Timestamp(started_at + 1),
        end_reason: "",
        participants: &[],
        imported: None,
    }
}

/// Everything that brings texts into a store, each with a word of its own.
fn say_all(store: &Store, account: AccountId, conversation: ConversationId) -> Vec<&'static str> {
    let came = add(store, &incoming(conversation, "canary-incoming"));
    store
        .message_correct(came, MessageKind::Text, "canary-edit", Timestamp(2))
        .expect("it corrects");
    let sent = add(store, &outgoing(conversation, "canary-outgoing"));
    store
        .outbox_add(&stanza(account, sent, "s1", "<body>canary-stanza</body>"))
        .expect("it adds");
    store
        .message_insert(
            &NewMessage {
                archive_id: Some("a1"),
                ..incoming(conversation, "canary-older")
            },
            Place::Oldest,
        )
        .expect("it inserts");
    let waits = NewMessage {
        privacy: Privacy::Encrypted,
        ..outgoing(conversation, "canary-waits")
    };
    store.private_wait(add(store, &waits)).expect("it waits");
    store
        .draft_set(conversation, "canary-draft")
        .expect("it sets");
    vec![
        "canary-incoming",
        "canary-edit",
        "canary-outgoing",
        "canary-stanza",
        "canary-older",
        "canary-waits",
        "canary-draft",
    ]
}

#[test]
fn s_store_05_a_conversation_that_is_not_kept_leaves_not_a_byte_of_its_text() {
    for own in [false, true] {
        let plain = Plain::new();
        let store = plain.open();
        let (account, conversation) = talk(&store);
        if own {
            store
                .conversation_set_keep_history(conversation, Some(false), NOW)
                .expect("it sets");
        } else {
            store.keep_history_set(false, NOW).expect("it sets");
        }
        let texts = say_all(&store, account, conversation);
        // All of it is there for the person.
        assert_eq!(
            bodies(&store, conversation),
            [
                "canary-older",
                "canary-edit",
                "canary-outgoing",
                "canary-waits"
            ]
        );
        assert_eq!(found(&store, "outgoing"), ["canary-outgoing"]);
        let row = &store.conversations(9).expect("rows")[0];
        assert_eq!(row.draft, "canary-draft");
        assert_eq!(
            store.outbox(account).expect("rows")[0].xml,
            "<body>canary-stanza</body>"
        );
        for text in &texts {
            assert_eq!(plain.count(text), 0, "{text} in the log");
        }
        store.checkpoint().expect("it empties the log");
        assert_eq!(plain.count("anary"), 0, "no part of one either");
        assert!(plain.count(LEILA) > 0, "the search finds what is there");
        // It is gone with the program, and nothing waits for what is lost.
        store.close().expect("it closes");
        let store = plain.open();
        assert_eq!(store.outbox(account).expect("rows"), []);
        if own {
            assert!(bodies(&store, conversation).is_empty());
        }
        assert_eq!(store.conversations(9).expect("rows").len(), 0);
        store.check().expect("it is sound");
    }
}

#[test]
fn what_is_not_kept_is_there_again_when_a_locked_profile_is_opened() {
    let profile = Profile::new();
    let store = profile.open().expect("it opens");
    let (account, conversation) = talk(&store);
    store.keep_history_set(false, NOW).expect("it sets");
    say_all(&store, account, conversation);
    let said = bodies(&store, conversation);
    let texts = store.unkept_texts();
    store.close().expect("it closes");
    let store = Store::reopen(&profile.dir, &profile.key, texts).expect("it opens");
    assert_eq!(bodies(&store, conversation), said);
    assert_eq!(
        store.conversations(9).expect("rows")[0].draft,
        "canary-draft"
    );
    assert_eq!(
        store.outbox(account).expect("rows")[0].xml,
        "<body>canary-stanza</body>"
    );
}

#[test]
fn where_it_is_kept_the_same_search_finds_all_of_it() {
    let plain = Plain::new();
    let store = plain.open();
    let (account, conversation) = talk(&store);
    for text in say_all(&store, account, conversation) {
        assert!(plain.count(text) > 0, "{text}");
    }
}

#[test]
fn a_conversations_own_choice_goes_before_what_holds_for_everyone() {
    let store = Store::in_memory().expect("a store");
    let (_, conversation) = talk(&store);
    for (all, own, keeps) in [
        (true, None, true),
        (true, Some(false), false),
        (false, None, false),
        (false, Some(true), true),
    ] {
        store.keep_history_set(all, NOW).expect("it sets");
        store
            .conversation_set_keep_history(conversation, own, NOW)
            .expect("it sets");
        assert_eq!(store.keeps(conversation).expect("it says"), keeps);
        let id = add(&store, &incoming(conversation, "words"));
        assert_eq!(
            store.message(id).expect("it reads").expect("is").kept,
            keeps
        );
    }
}

#[test]
fn switching_off_takes_the_draft_from_the_disk_and_switching_on_brings_it_back() {
    let plain = Plain::new();
    let store = plain.open();
    let (_, conversation) = talk(&store);
    store.draft_set(conversation, "canary").expect("it sets");
    store.checkpoint().expect("it empties the log");
    assert!(plain.count("canary") > 0);
    store.keep_history_set(false, NOW).expect("it sets");
    store.checkpoint().expect("it empties the log");
    assert_eq!(plain.count("canary"), 0);
    let draft = |store: &Store| store.conversations(9).expect("rows")[0].draft.clone();
    assert_eq!(draft(&store), "canary");
    store.keep_history_set(true, NOW).expect("it sets");
    store.close().expect("it closes");
    assert_eq!(draft(&plain.open()), "canary");
}

#[test]
fn a_correction_after_switching_off_takes_the_message_out_of_what_is_kept() {
    let plain = Plain::new();
    let store = plain.open();
    let (_, conversation) = talk(&store);
    let id = add(&store, &incoming(conversation, "canary-first"));
    store.keep_history_set(false, NOW).expect("it sets");
    store
        .message_correct(id, MessageKind::Text, "canary-second", Timestamp(2))
        .expect("it corrects");
    store.checkpoint().expect("it empties the log");
    assert_eq!(plain.count("canary"), 0);
    assert_eq!(bodies(&store, conversation), ["canary-second"]);
    assert_eq!(
        store.message_previous(id).expect("they read"),
        ["canary-first"]
    );
    assert_eq!(found(&store, "first"), Vec::<String>::new());
}

#[test]
fn what_a_transaction_did_in_memory_is_undone_with_it() {
    let store = Store::in_memory().expect("a store");
    let (account, conversation) = talk(&store);
    store.keep_history_set(false, NOW).expect("it sets");
    store.draft_set(conversation, "before").expect("it sets");
    store.begin().expect("it begins");
    let id = add(&store, &outgoing(conversation, "words"));
    store
        .outbox_add(&stanza(account, id, "s1", "<x/>"))
        .expect("it adds");
    store.draft_set(conversation, "").expect("it sets");
    store.rollback().expect("it rolls back");
    assert!(bodies(&store, conversation).is_empty());
    assert_eq!(store.conversations(9).expect("rows")[0].draft, "before");

    let id = add(&store, &outgoing(conversation, "words"));
    let row = store
        .outbox_add(&stanza(account, id, "s1", "<x/>"))
        .expect("it adds");
    store.begin().expect("it begins");
    let failed: sotto_store::Result<()> = store.attempt(|| {
        store.outbox_remove(row)?;
        store.message_erase(id)?;
        Err(sotto_store::StoreError::NotFound { what: "reason" })
    });
    assert!(failed.is_err());
    store.commit().expect("it commits");
    assert_eq!(bodies(&store, conversation), ["words"]);
    assert_eq!(store.outbox(account).expect("rows")[0].xml, "<x/>");
}

// ---- erasing -----------------------------------------------------------------------------------

fn erase_in_slices(store: &Store, what: &Erasure) -> (ErasedCount, usize) {
    let count = store.erase_begin(what).expect("it begins");
    let mut slices = 0;
    while store.erase_step().expect("it erases") {
        slices += 1;
    }
    while store.tidy().expect("it tidies") {}
    store.checkpoint().expect("it empties the log");
    (count, slices)
}

#[test]
fn s_store_07_a_message_a_conversation_a_day_an_account_and_everything_leave_the_file() {
    let plain = Plain::new();
    let store = plain.open();
    let (sara, leila) = talk(&store);
    let omid = store
        .conversation_open(sara, "omid@example.org")
        .expect("it opens");
    let other = add_account(&store, "work@example.org");
    let boss = store
        .conversation_open(other, "boss@example.org")
        .expect("it opens");
    let say = |conversation, word: &str, n: i64| {
        let body = format!("{word}{n} canary");
        add(
            &store,
            &NewMessage {
                at: Timestamp(n * HOUR),
                received_at: Timestamp(n * HOUR),
                ..incoming(conversation, &body)
            },
        )
    };
    store.begin().expect("it begins");
    for n in 0..1_200 {
        say(leila, "wordleila", n);
        say(omid, "wordomid", n);
        say(boss, "wordboss", n);
    }
    store.commit().expect("it commits");
    store.call_add(&call(sara, LEILA, 5 * HOUR)).expect("adds");
    store
        .call_add(&call(sara, "omid@example.org", 5 * HOUR))
        .expect("it adds");
    store.draft_set(leila, "draftleila").expect("it sets");
    store.checkpoint().expect("it empties the log");

    let day = Erasure::Between {
        conversation: Some(omid),
        from: Timestamp(0),
        to: Timestamp(24 * HOUR),
    };
    assert_eq!(
        store.erasure_count(&day).expect("it counts"),
        ErasedCount {
            messages: 24,
            calls: 1,
            remains: 0,
            records: 0
        }
    );
    let (count, _) = erase_in_slices(&store, &day);
    assert_eq!((count.messages, count.calls), (24, 1));
    assert_eq!(plain.count("wordomid23 "), 0, "a day");
    assert!(plain.count("wordomid24 ") > 0);
    assert!(plain.count("wordleila23 ") > 0, "of one conversation");

    let (count, slices) = erase_in_slices(&store, &Erasure::Conversation(leila));
    assert_eq!((count.messages, count.calls), (1_200, 1));
    assert!(slices > 1, "it is not done at once");
    assert_eq!(plain.count("wordleila"), 0, "a conversation");
    assert_eq!(plain.count("ordleila"), 0, "its words in the index");
    assert_eq!(plain.count("draftleila"), 0, "its draft");
    assert!(store.conversation(leila).expect("it reads").is_some());

    let all_days = Erasure::Between {
        conversation: None,
        from: Timestamp(24 * HOUR),
        to: Timestamp(48 * HOUR),
    };
    assert_eq!(erase_in_slices(&store, &all_days).0.messages, 48);
    assert_eq!(plain.count("wordboss30 "), 0);

    let one = say(omid, "wordone", 1);
    store.checkpoint().expect("it empties the log");
    assert_eq!(
        erase_in_slices(&store, &Erasure::Message(one)).0.messages,
        1
    );
    assert_eq!(plain.count("wordone"), 0, "a message");

    let (count, _) = erase_in_slices(&store, &Erasure::Account(sara));
    assert_eq!(count.messages, 1_200 - 48);
    assert_eq!(plain.count("wordomid"), 0, "an account");
    assert!(plain.count("wordboss") > 0);

    let (count, _) = erase_in_slices(&store, &Erasure::All);
    assert_eq!(count.messages, 1_200 - 24);
    assert_eq!(plain.count("wordboss"), 0, "everything");
    assert_eq!(plain.count("canary"), 0);
    assert_eq!(plain.count("anary"), 0);
    store.check().expect("it is sound");
    // With whom, too, when the program starts anew.
    store.close().expect("it closes");
    let store = plain.open();
    store.checkpoint().expect("it empties the log");
    assert_eq!(store.conversation(boss).expect("it reads"), None);
}

#[test]
fn an_erasure_that_was_interrupted_goes_on_and_spares_what_came_after() {
    for everything in [false, true] {
        let plain = Plain::new();
        let store = plain.open();
        let (account, conversation) = talk(&store);
        store.begin().expect("it begins");
        for n in 0..1_200 {
            add(&store, &incoming(conversation, &format!("old{n}")));
        }
        store.commit().expect("it commits");
        let what = if everything {
            Erasure::All
        } else {
            Erasure::Conversation(conversation)
        };
        store.erase_begin(&what).expect("it begins");
        assert!(store.erase_step().expect("it erases"));
        add(&store, &incoming(conversation, "new words"));
        assert_eq!(
            store.conversations(9).expect("rows")[0].unread,
            1,
            "what is being erased is not unread"
        );
        drop(store);
        let store = plain.open();
        assert!(store.is_erasing().expect("it says"));
        while store.erase_step().expect("it erases") {}
        while store.tidy().expect("it tidies") {}
        assert!(!store.is_erasing().expect("it says"));
        assert_eq!(bodies(&store, conversation), ["new words"]);
        assert_eq!(found(&store, "new"), ["new words"]);
        assert_eq!(found(&store, "old5"), Vec::<String>::new());
        let again = store
            .conversation_find(account, LEILA)
            .expect("it reads")
            .expect("it stays");
        assert_eq!(again, conversation);
        store.check().expect("it is sound");
    }
}

#[test]
fn an_erased_message_that_waited_is_not_sent() {
    let store = Store::in_memory().expect("a store");
    let (account, conversation) = talk(&store);
    let id = add(&store, &outgoing(conversation, "waits"));
    store
        .outbox_add(&stanza(account, id, "s1", "<x/>"))
        .expect("it adds");
    store
        .erase(&Erasure::Conversation(conversation))
        .expect("it erases");
    assert_eq!(store.outbox(account).expect("rows"), []);
}

#[test]
fn erasing_what_is_not_there_is_told() {
    let store = Store::in_memory().expect("a store");
    assert!(store.erase(&Erasure::Message(MessageId(7))).is_err());
    assert!(
        store
            .erase(&Erasure::Conversation(ConversationId(7)))
            .is_err()
    );
    assert!(!store.is_erasing().expect("it says"));
    assert_eq!(store.erase(&Erasure::All).expect("it erases").messages, 0);
}

// ---- the archive -------------------------------------------------------------------------------

fn archived(conversation: ConversationId, archive_id: &str) -> NewMessage<'_> {
    NewMessage {
        archive_id: Some(archive_id),
        message_id: Some("m"),
        received_at: Timestamp(50),
        ..incoming(conversation, "words")
    }
}

fn current(store: &Store, account: AccountId, at: i64) {
    let state = ArchiveState {
        newest: Some("a9".into()),
        ..ArchiveState::default()
    };
    store
        .archive_state_set(account, None, &state)
        .expect("it sets");
    store
        .archive_is_current(account, Timestamp(at), true)
        .expect("it notes");
}

#[test]
fn what_is_older_than_an_erased_conversation_is_not_asked_for_again() {
    let store = Store::in_memory().expect("a store");
    let (account, conversation) = talk(&store);
    current(&store, account, 10);
    add(&store, &archived(conversation, "a1"));
    let closed = |peer| store.archive_is_closed(account, peer).expect("it says");
    assert!(!closed(LEILA));
    store
        .erase(&Erasure::Conversation(conversation))
        .expect("it erases");
    assert!(closed(LEILA));
    assert!(!closed("omid@example.org"));
    store.archive_state_clear(account).expect("it clears");
    assert!(closed(LEILA), "also when the server lost its place");
    store.erase(&Erasure::All).expect("it erases");
    assert!(closed("omid@example.org"));
    assert_eq!(
        store.archive_state(account, None).expect("it reads").newest,
        None,
        "as it was cleared"
    );
}

#[test]
fn s_store_07_with_whom_nothing_is_left_goes_from_the_file_and_the_keys_of_contacts_stay() {
    const CONTACT: &str = "canary-contact@example.org";
    const STRANGER: &str = "canary-stranger@example.org";
    const STAYS: &str = "canary-stays@example.org";
    for everything in [true, false] {
        let plain = Plain::new();
        let store = plain.open();
        let account = account(&store);
        current(&store, account, 10);
        let item = RosterItem {
            jid: CONTACT.into(),
            name: String::new(),
            subscription: Subscription::Both,
            ask: false,
            groups: Vec::new(),
        };
        store.roster_set(account, &item, None).expect("it sets");
        for (peer, id) in [(CONTACT, "a1"), (STRANGER, "a2"), (STAYS, "a3")] {
            let conversation = store.conversation_open(account, peer).expect("it opens");
            add(&store, &archived(conversation, id));
            store
                .otr_state_set(account, peer, b"state")
                .expect("it sets");
            let (key, _) = store
                .peer_key_seen(account, peer, &[1; 20], Trust::New, Timestamp(1))
                .expect("a key");
            let verified = Verified {
                how: VerifiedHow::Code,
                at: Timestamp(2),
            };
            store
                .peer_key_set_trust(key.id, Trust::Verified, Some(verified))
                .expect("it sets");
        }
        let stays = store.conversation_open(account, STAYS).expect("it opens");
        store
            .policy_of_conversation_set(stays, Some(Policy::Required))
            .expect("it sets");
        if everything {
            store.erase(&Erasure::All).expect("it erases");
        } else {
            let stranger = store.conversation_open(account, STRANGER);
            let stranger = stranger.expect("it opens");
            store
                .erase(&Erasure::Conversation(stranger))
                .expect("it erases");
        }
        while store.tidy().expect("it tidies") {}
        store.close().expect("it closes");
        let store = plain.open();
        store.checkpoint().expect("it empties the log");
        assert_eq!(plain.count(STRANGER), 0, "{everything}");
        assert!(store.archive_is_closed(account, STRANGER).expect("it says"));
        for peer in [CONTACT, STAYS] {
            let keys = store.peer_keys_of(account, peer).expect("it reads");
            assert_eq!(keys.len(), 1, "{peer}");
            assert_eq!(keys[0].trust, Trust::Verified);
            let state = store.otr_state(account, peer).expect("it reads");
            assert!(state.is_some(), "{peer}");
        }
    }
}

#[test]
fn the_oldest_place_outlives_its_message() {
    let store = Store::in_memory().expect("a store");
    let (account, conversation) = talk(&store);
    current(&store, account, 10);
    let first = add(&store, &archived(conversation, "a1"));
    add(&store, &archived(conversation, "a2"));
    store.message_erase(first).expect("it erases");
    let state = store.archive_state(account, Some(LEILA)).expect("it reads");
    assert_eq!(state.oldest.as_deref(), Some("a1"));
    assert!(!store.archive_is_closed(account, LEILA).expect("it says"));
}

#[test]
fn without_a_place_to_ask_from_nothing_older_is_asked_for() {
    let store = Store::in_memory().expect("a store");
    let (account, conversation) = talk(&store);
    current(&store, account, 10);
    let sent = NewMessage {
        delivery: Some(sotto_api::view::Delivery::Sent),
        ..outgoing(conversation, "first")
    };
    let first = add(&store, &sent);
    add(&store, &archived(conversation, "a2"));
    // One that never left stands in no archive.
    let waits = add(&store, &outgoing(conversation, "waits"));
    store.message_erase(waits).expect("it erases");
    assert!(!store.archive_is_closed(account, LEILA).expect("it says"));
    store.message_erase(first).expect("it erases");
    assert!(store.archive_is_closed(account, LEILA).expect("it says"));
}

#[test]
fn an_erased_message_that_another_program_had_closes_what_is_older_where_the_archive_has_it_too() {
    for (place_at, known, complete, closed) in [
        // The place is that of a later message, of one that is gone, of an earlier one; the beginning was read.
        (1_000_000, true, false, true),
        (1_000_000, false, false, true),
        (1_000, true, false, false),
        (1_000_000, true, true, false),
    ] {
        let store = Store::in_memory().expect("a store");
        let (account, conversation) = talk(&store);
        current(&store, account, 2_000_000);
        let place = NewMessage {
            at: Timestamp(place_at),
            ..archived(conversation, "a5")
        };
        if known {
            add(&store, &place);
        }
        let state = ArchiveState {
            oldest: Some("a5".into()),
            complete,
            ..ArchiveState::default()
        };
        store
            .archive_state_set(account, Some(LEILA), &state)
            .expect("it sets");
        let imported = NewMessage {
            at: Timestamp(500_000),
            received_at: Timestamp(500_000),
            ..incoming(conversation, "in May")
        };
        let imported = match store.message_take_over(&imported, Place::Oldest, "key") {
            Ok(Inserted::New(id)) => id,
            other => panic!("{other:?}"),
        };
        store.message_erase(imported).expect("it erases");
        assert_eq!(
            store.archive_is_closed(account, LEILA).expect("it says"),
            closed,
            "{place_at} {known} {complete}"
        );
    }
}

#[test]
fn it_is_known_until_when_the_archive_may_have_what_was_erased() {
    let store = Store::in_memory().expect("a store");
    let (account, conversation) = talk(&store);
    let up_to = || store.archive_erased_up_to(account).expect("it says");
    let at = |at| NewMessage {
        at: Timestamp(at),
        received_at: Timestamp(at),
        ..incoming(conversation, "words")
    };
    let (first, second) = (add(&store, &at(50)), add(&store, &at(70)));
    let waits = add(
        &store,
        &NewMessage {
            at: Timestamp(500),
            ..outgoing(conversation, "waits")
        },
    );
    store.message_erase(waits).expect("it erases");
    assert_eq!(up_to(), None, "that one never left");
    store.message_erase(second).expect("it erases");
    assert_eq!(up_to(), Some(Timestamp(70)));
    store.message_erase(first).expect("it erases");
    assert_eq!(up_to(), Some(Timestamp(70)));
    // The own clock may be behind; what was known as the end came before.
    current(&store, account, 90);
    let third = add(&store, &at(80));
    store.message_erase(third).expect("it erases");
    assert_eq!(up_to(), Some(Timestamp(90)));
    store.archive_state_clear(account).expect("it clears");
    assert_eq!(up_to(), Some(Timestamp(90)));
    let imported = match store.message_take_over(&at(100), Place::Oldest, "key") {
        Ok(Inserted::New(id)) => id,
        other => panic!("{other:?}"),
    };
    store.message_erase(imported).expect("it erases");
    assert_eq!(up_to(), Some(Timestamp(100 + 90_000)), "another's clock");
}

#[test]
fn what_waits_in_an_account_that_is_removed_waits_no_longer_and_expires() {
    let store = Store::in_memory().expect("a store");
    let (account, conversation) = talk(&store);
    let waits = add(&store, &outgoing(conversation, "waits"));
    add(&store, &incoming(conversation, "words"));
    store.account_remove(account, false).expect("it removes");
    let row = store.message(waits).expect("it reads").expect("a row");
    assert_eq!(row.delivery, Some(sotto_api::view::Delivery::Failed));
    let expired = store.expire(1, Timestamp(100 * DAY), 9).expect("it goes");
    assert_eq!(expired, 2);
}

#[test]
fn a_removed_account_still_knows_what_must_not_come_back() {
    let store = Store::in_memory().expect("a store");
    let (account, conversation) = talk(&store);
    current(&store, account, 60);
    let came = NewMessage {
        received_at: Timestamp(70),
        ..archived(conversation, "a2")
    };
    let erased = add(&store, &came);
    add(&store, &archived(conversation, "a3"));
    let other = store
        .conversation_open(account, "omid@example.org")
        .expect("it opens");
    add(&store, &archived(other, "a4"));
    store
        .erase(&Erasure::Conversation(other))
        .expect("it erases");
    store.message_erase(erased).expect("it erases");
    store.account_remove(account, false).expect("it removes");
    let again = common::account(&store);
    assert_eq!(again, account);
    assert!(
        store
            .archive_is_closed(account, "omid@example.org")
            .expect("it says")
    );
    let told = Archived {
        archive_id: "a2",
        sender: LEILA,
        message_id: None,
        replaces: None,
    };
    assert!(store.archive_has_erased(account, &told).expect("it says"));
    let up_to = store.archive_erased_up_to(account).expect("it says");
    assert_eq!(up_to, Some(came.at));
    let state = store.archive_state(account, None).expect("it reads");
    assert_eq!(state, ArchiveState::default(), "it is read from its end");
}

#[test]
fn ids_of_erased_messages_are_known_until_the_archive_was_read_past_them() {
    let store = Store::in_memory().expect("a store");
    let (account, conversation) = talk(&store);
    current(&store, account, 60);
    let before = add(&store, &archived(conversation, "a1"));
    let came = add(
        &store,
        &NewMessage {
            received_at: Timestamp(70),
            ..archived(conversation, "a2")
        },
    );
    let sent = add(
        &store,
        &NewMessage {
            delivery: Some(sotto_api::view::Delivery::Sent),
            message_id: Some("m7"),
            received_at: Timestamp(80),
            ..outgoing(conversation, "sent")
        },
    );
    for id in [before, came, sent] {
        store.message_erase(id).expect("it erases");
    }
    let told = |archive_id, sender, message_id, replaces| {
        let told = Archived {
            archive_id,
            sender,
            message_id: Some(message_id),
            replaces,
        };
        store.archive_has_erased(account, &told).expect("it says")
    };
    let known = |archive_id, sender, id| told(archive_id, sender, id, None);
    assert!(!known("a1", LEILA, "m"), "the mark is past it");
    assert!(known("a2", LEILA, "other"));
    assert!(known("a3", "sara@example.org", "m7"));
    assert!(!known("a3", LEILA, "m7"), "the same id from somebody else");
    assert!(!known("a3", LEILA, "m"), "the same id, used again");
    assert!(told("a3", LEILA, "new", Some("m")), "its correction");
    assert!(told("a3", "sara@example.org", "new", Some("m7")));
    assert!(!told("a3", LEILA, "new", Some("m7")), "another's");
    current(&store, account, 90);
    assert!(!known("a2", LEILA, "other"));
}

#[test]
fn it_is_known_when_what_was_said_was_not_kept() {
    let store = Store::in_memory().expect("a store");
    let (account, conversation) = talk(&store);
    let other = store
        .conversation_open(account, "omid@example.org")
        .expect("it opens");
    let at = |hours| Timestamp(hours * HOUR);
    let set = |hours, keep| store.keep_history_set(keep, at(hours)).expect("it sets");
    let own = |hours, keep| {
        store
            .conversation_set_keep_history(conversation, keep, at(hours))
            .expect("it sets");
    };
    set(10, false);
    own(12, Some(true));
    own(14, None);
    own(15, None);
    set(20, true);
    own(30, Some(false));
    own(32, Some(true));
    let kept = |conversation, at| store.kept_at(conversation, at).expect("it says");
    for (hours, all, this) in [
        (9, true, true),
        (11, false, false),
        (13, false, true),
        (16, false, false),
        (21, true, true),
        (31, true, false),
        (33, true, true),
    ] {
        assert_eq!(kept(other, at(hours)), all, "{hours}");
        assert_eq!(kept(conversation, at(hours)), this, "{hours}");
    }
    // Clocks are apart by a minute.
    for apart in [-60_000, 60_000] {
        for edge in [10, 20] {
            assert!(!kept(other, Timestamp(edge * HOUR + apart)));
        }
    }
    // The clock had been set ahead.
    set(1_000, false);
    set(40, true);
    assert!(kept(other, at(41)) && kept(other, at(1_001)));
}

// ---- expiry ------------------------------------------------------------------------------------

#[test]
fn old_messages_expire_in_batches_and_what_waits_does_not() {
    let store = Store::in_memory().expect("a store");
    let (account, conversation) = talk(&store);
    let kept = store
        .conversation_open(account, "omid@example.org")
        .expect("it opens");
    for of in [conversation, kept] {
        for n in 0..10 {
            add(
                &store,
                &NewMessage {
                    at: Timestamp(n * HOUR),
                    received_at: Timestamp(n * HOUR),
                    ..incoming(of, "old")
                },
            );
        }
        let waits = NewMessage {
            at: Timestamp(0),
            received_at: Timestamp(0),
            ..outgoing(of, "waits")
        };
        add(&store, &waits);
        // Written long ago, missed for days.
        let late = NewMessage {
            at: Timestamp(0),
            received_at: Timestamp(9 * HOUR),
            ..incoming(of, "late")
        };
        add(&store, &late);
    }
    store
        .conversation_set_expiry(kept, Some(0))
        .expect("it sets");
    store.call_add(&call(account, LEILA, 0)).expect("it adds");
    store
        .call_add(&call(account, "omid@example.org", 0))
        .expect("it adds");
    assert_eq!(store.expires_next(0).expect("it says"), None);
    assert_eq!(
        store.expires_next(1).expect("it says"),
        Some(Timestamp(DAY))
    );
    let now = Timestamp(DAY + 7 * HOUR);
    assert_eq!(store.expire(0, now, 5).expect("it expires"), 0);
    assert_eq!(
        store.expire(1, now, 5).expect("it expires"),
        6,
        "and a call"
    );
    assert_eq!(store.expire(1, now, 5).expect("it expires"), 2);
    assert_eq!(store.expire(1, now, 5).expect("it expires"), 0);
    let row = store
        .conversation(conversation)
        .expect("a row")
        .expect("it is");
    assert_eq!(row.unread, 4, "three and the late one");
    assert_eq!(
        bodies(&store, conversation),
        ["old", "old", "old", "waits", "late"]
    );
    assert_eq!(bodies(&store, kept).len(), 12);
    assert_eq!(store.calls(None, 9).expect("rows").len(), 1);
    assert_eq!(
        store.expired_before(conversation, 1, now).expect("it says"),
        Some(Timestamp(7 * HOUR))
    );
    assert_eq!(store.expired_before(kept, 1, now).expect("it says"), None);
}

#[test]
fn s_store_07_what_expired_is_gone_from_the_file() {
    let plain = Plain::new();
    let store = plain.open();
    let (_, conversation) = talk(&store);
    store.begin().expect("it begins");
    for n in 0..700 {
        add(&store, &incoming(conversation, &format!("canary{n}")));
    }
    store.commit().expect("it commits");
    store.checkpoint().expect("it empties the log");
    assert!(plain.count("canary") >= 700);
    let now = Timestamp(9 * DAY);
    while store.expire(7, now, 300).expect("it expires") > 0 {}
    while store.tidy().expect("it tidies") {}
    store.checkpoint().expect("it empties the log");
    assert_eq!(plain.count("canary"), 0);
    assert_eq!(plain.count("anary"), 0);
}

// ---- days --------------------------------------------------------------------------------------

#[test]
fn days_are_counted_by_when_messages_were_written_in_their_order() {
    let store = Store::in_memory().expect("a store");
    let (account, conversation) = talk(&store);
    let other = store
        .conversation_open(account, "omid@example.org")
        .expect("it opens");
    let at = |of, at, body| {
        add(
            &store,
            &NewMessage {
                at: Timestamp(at),
                ..incoming(of, body)
            },
        )
    };
    let first = at(conversation, 7, "first in its conversation");
    at(conversation, 5, "written before, came later");
    let earliest = at(other, 4, "of somebody else");
    at(conversation, 20, "another day");
    store.keep_history_set(false, NOW).expect("it sets");
    at(conversation, 6, "not kept");
    let last = |of, before| store.last_before(of, Timestamp(before)).expect("it reads");
    assert_eq!(last(Some(conversation), 99), Some(Timestamp(20)));
    assert_eq!(last(Some(conversation), 20), Some(Timestamp(7)));
    assert_eq!(last(Some(conversation), 5), None);
    assert_eq!(last(None, 5), Some(Timestamp(4)));
    let day = |of| {
        let row = store
            .day(of, Timestamp(0), Timestamp(10))
            .expect("it reads")
            .expect("a day");
        (row.first, row.messages)
    };
    assert_eq!(day(Some(conversation)), (first, 2));
    assert_eq!(day(None), (earliest, 3));
    assert_eq!(
        store
            .day(None, Timestamp(30), Timestamp(40))
            .expect("it reads"),
        None
    );
    let said = |after, limit| {
        let rows = store
            .said_between(Timestamp(0), Timestamp(10), after, limit)
            .expect("rows");
        rows.into_iter()
            .map(|row| (row.body, row.id))
            .collect::<Vec<_>>()
    };
    let all = said(None, 9);
    assert_eq!(
        all.iter()
            .map(|(body, _)| body.as_str())
            .collect::<Vec<_>>(),
        [
            "of somebody else",
            "written before, came later",
            "first in its conversation"
        ]
    );
    assert_eq!(said(None, 1), all[..1]);
    assert_eq!(said(Some(all[0].1), 9), all[1..]);
    assert_eq!(said(Some(all[2].1), 9), []);
    assert!(
        store
            .said_between(Timestamp(0), Timestamp(10), Some(MessageId(9_999)), 9)
            .is_err()
    );
    let kept = |after| {
        let rows = store.kept_after(conversation, after, 2).expect("rows");
        rows.into_iter().map(|row| row.body).collect::<Vec<_>>()
    };
    assert_eq!(
        kept(None),
        ["first in its conversation", "written before, came later"]
    );
    let second = store.kept_after(conversation, None, 2).expect("rows")[1].id;
    assert_eq!(kept(Some(second)), ["another day"]);
    assert!(store.kept_after(other, Some(second), 2).is_err());
}

/// What [`Plain`] searches: the file is really there.
#[test]
fn the_search_through_the_file_sees_what_is_written() {
    let plain = Plain::new();
    let store = plain.open();
    let (_, conversation) = talk(&store);
    add(&store, &incoming(conversation, "canary"));
    assert!(Path::new(&plain.path()).exists());
    assert!(plain.count("canary") > 0);
}
