//! Messages, conversations, outbox: what the engine relies on.

mod common;

use common::{account, add, add_account, found, incoming, outgoing};
use sotto_api::view::{Delivery, Direction, MessageKind};
use sotto_api::{AccountId, ConversationId, MessageId, Timestamp};
use sotto_store::row::{Inserted, MessageRows, NewMessage, NewOutbox, OutboxPurpose, Page, Place};
use sotto_store::{Store, StoreError};

fn fresh() -> (Store, AccountId, ConversationId) {
    let store = Store::in_memory().expect("a store");
    let account = account(&store);
    let conversation = store
        .conversation_open(account, "leila@example.org")
        .expect("it opens");
    (store, account, conversation)
}

fn bodies(rows: &MessageRows) -> Vec<&str> {
    rows.messages
        .iter()
        .map(|message| message.body.as_str())
        .collect()
}

fn outbox(account: AccountId, message: MessageId, id: &'static str) -> NewOutbox<'static> {
    NewOutbox {
        account,
        message: Some(message),
        purpose: OutboxPurpose::Message,
        stanza_id: id,
        xml: "<message/>",
        created: Timestamp(5),
    }
}

#[test]
fn pages_join_archive_and_live_messages_in_order() {
    let (store, _, conversation) = fresh();
    for body in ["five", "six"] {
        add(&store, &incoming(conversation, body));
    }
    // A page of the archive, from its newest to its oldest.
    for body in ["four", "three", "two", "one"] {
        store
            .message_insert(&incoming(conversation, body), Place::Oldest)
            .expect("it inserts");
    }
    add(&store, &outgoing(conversation, "seven"));

    let newest = store
        .message_page(conversation, Page::Newest, 3)
        .expect("a page");
    assert_eq!(bodies(&newest), ["five", "six", "seven"]);
    assert_eq!((newest.older, newest.newer), (true, false));
    let before = Page::Before(newest.messages[0].id);
    let older = store.message_page(conversation, before, 4).expect("a page");
    assert_eq!(bodies(&older), ["one", "two", "three", "four"]);
    assert_eq!((older.older, older.newer), (false, true));
    let after = Page::After(older.messages[3].id);
    let back = store.message_page(conversation, after, 2).expect("a page");
    assert_eq!(bodies(&back), ["five", "six"]);
    assert_eq!((back.older, back.newer), (true, true));
    let around = Page::Around(older.messages[2].id);
    let around = store.message_page(conversation, around, 4).expect("a page");
    assert_eq!(bodies(&around), ["one", "two", "three", "four"]);
    assert_eq!((around.older, around.newer), (false, true));
}

#[test]
fn a_page_that_hangs_on_a_message_of_elsewhere_is_refused() {
    let (store, account, conversation) = fresh();
    let other = store
        .conversation_open(account, "omid@example.org")
        .expect("it opens");
    let message = add(&store, &incoming(other, "elsewhere"));
    let page = store.message_page(conversation, Page::Before(message), 10);
    assert!(
        matches!(page, Err(StoreError::NotFound { what: "message" })),
        "{page:?}"
    );
}

#[test]
fn s_xmpp_10_only_the_own_archive_id_makes_a_double() {
    let (store, account, conversation) = fresh();
    let with = |archive_id| NewMessage {
        archive_id,
        message_id: Some("same"),
        origin_id: Some("same"),
        ..incoming(conversation, "hello")
    };
    let first = store
        .message_insert(&with(Some("a1")), Place::Newest)
        .expect("it inserts");
    let again = store
        .message_insert(&with(Some("a1")), Place::Oldest)
        .expect("it inserts");
    assert_eq!(again, Inserted::Known(first.id()));
    for new in [with(Some("a2")), with(None), with(None)] {
        assert!(
            store
                .message_insert(&new, Place::Newest)
                .expect("it inserts")
                .is_new()
        );
    }
    let other = store
        .conversation_open(account, "omid@example.org")
        .expect("it opens");
    let elsewhere = NewMessage {
        archive_id: Some("a1"),
        ..incoming(other, "hello")
    };
    assert!(
        store
            .message_insert(&elsewhere, Place::Newest)
            .expect("it inserts")
            .is_new()
    );
    assert_eq!(
        store
            .message_page(conversation, Page::Newest, 9)
            .expect("a page")
            .messages
            .len(),
        4
    );
}

#[test]
fn ten_thousand_messages_with_forged_ids_are_all_kept() {
    let (store, _, conversation) = fresh();
    store.begin().expect("it begins");
    for _ in 0..10_000 {
        let forged = NewMessage {
            message_id: Some("m"),
            origin_id: Some("o"),
            ..incoming(conversation, "x")
        };
        add(&store, &forged);
    }
    store.commit().expect("it commits");
    let unread = store
        .conversation(conversation)
        .expect("a row")
        .expect("a conversation")
        .unread;
    assert_eq!(unread, 10_000);
}

#[test]
fn delivery_never_goes_back() {
    use Delivery::{Delivered, Failed, Seen, Sent, Waiting};
    let allowed = [
        (Waiting, Sent),
        (Waiting, Delivered),
        (Waiting, Seen),
        (Waiting, Failed),
        (Sent, Delivered),
        (Sent, Seen),
        (Sent, Failed),
        (Delivered, Seen),
        (Failed, Delivered),
        (Failed, Seen),
    ];
    let (store, _, conversation) = fresh();
    for from in [Waiting, Sent, Delivered, Seen, Failed] {
        for to in [Waiting, Sent, Delivered, Seen, Failed] {
            let new = NewMessage {
                delivery: Some(from),
                ..outgoing(conversation, "x")
            };
            let message = add(&store, &new);
            let changed = store
                .message_set_delivery(message, to, "why")
                .expect("it sets");
            assert_eq!(changed, allowed.contains(&(from, to)), "{from:?} to {to:?}");
            let row = store.message(message).expect("a row").expect("a message");
            assert_eq!(row.delivery, Some(if changed { to } else { from }));
            assert_eq!(
                row.failure,
                if changed && to == Failed { "why" } else { "" }
            );
        }
    }
    let received = add(&store, &incoming(conversation, "x"));
    assert!(
        !store
            .message_set_delivery(received, Sent, "")
            .expect("it sets")
    );
}

#[test]
fn a_failed_message_can_be_tried_again() {
    let (store, _, conversation) = fresh();
    let message = add(&store, &outgoing(conversation, "x"));
    assert!(!store.message_retry(message, "again").expect("it asks"));
    store
        .message_set_delivery(message, Delivery::Failed, "why")
        .expect("it sets");
    assert!(store.message_retry(message, "again").expect("it asks"));
    let row = store.message(message).expect("a row").expect("a message");
    assert_eq!(
        (row.delivery, row.failure.as_str()),
        (Some(Delivery::Waiting), "")
    );
}

#[test]
fn a_displayed_marker_covers_what_came_before_it() {
    let (store, _, conversation) = fresh();
    let states = [
        Delivery::Seen,
        Delivery::Sent,
        Delivery::Delivered,
        Delivery::Failed,
        Delivery::Sent,
    ];
    let ids: Vec<MessageId> = states
        .map(|state| {
            add(
                &store,
                &NewMessage {
                    delivery: Some(state),
                    ..outgoing(conversation, "x")
                },
            )
        })
        .into();
    let seen = store.messages_seen_up_to(ids[3]).expect("it marks");
    assert_eq!(seen, [ids[1], ids[2]]);
    let last = store.message(ids[4]).expect("a row").expect("a message");
    assert_eq!(last.delivery, Some(Delivery::Sent));
}

#[test]
fn unread_counts_follow_reading() {
    let (store, _, conversation) = fresh();
    let unread = || {
        store
            .conversation(conversation)
            .expect("a row")
            .expect("it is")
            .unread
    };
    let first = add(&store, &incoming(conversation, "one"));
    let second = add(&store, &incoming(conversation, "two"));
    let system = NewMessage {
        kind: MessageKind::System,
        ..incoming(conversation, "a new key")
    };
    add(
        &store,
        &NewMessage {
            unread: false,
            ..system
        },
    );
    add(&store, &outgoing(conversation, "mine"));
    let third = add(&store, &incoming(conversation, "three"));
    store
        .message_insert(&incoming(conversation, "old"), Place::Oldest)
        .expect("it inserts");
    assert_eq!(unread(), 3);
    assert_eq!(
        store.first_unread(conversation).expect("a row"),
        Some(first)
    );

    assert!(
        store
            .conversation_read(conversation, Some(second))
            .expect("it reads")
    );
    assert_eq!(
        (unread(), store.first_unread(conversation).expect("a row")),
        (1, Some(third))
    );
    assert!(
        !store
            .conversation_read(conversation, Some(first))
            .expect("it reads")
    );
    assert_eq!(unread(), 1);
    assert!(
        store
            .conversation_read(conversation, None)
            .expect("it reads")
    );
    assert_eq!(
        (unread(), store.first_unread(conversation).expect("a row")),
        (0, None)
    );

    // Seen while it came: the next one is the first unread.
    add(
        &store,
        &NewMessage {
            unread: false,
            ..incoming(conversation, "four")
        },
    );
    let fifth = add(&store, &incoming(conversation, "five"));
    assert_eq!(
        (unread(), store.first_unread(conversation).expect("a row")),
        (1, Some(fifth))
    );
    store.message_erase(fifth).expect("it erases");
    assert_eq!(unread(), 0);
    // The place of an erased message is not given again: the next one is unread as it should be.
    add(&store, &incoming(conversation, "six"));
    assert_eq!(unread(), 1);
}

#[test]
fn s_xmpp_07_a_correction_keeps_what_was_said_before() {
    let (store, _, conversation) = fresh();
    let message = add(&store, &incoming(conversation, "at foru"));
    let correct = |body| {
        store
            .message_correct(message, MessageKind::Text, body, Timestamp(9))
            .expect("it corrects")
    };
    assert!(correct("at four"));
    assert!(!correct("at four"), "the archive repeats it");
    assert!(correct("at five"));
    let row = store.message(message).expect("a row").expect("a message");
    assert_eq!((row.body.as_str(), row.edited), ("at five", true));
    let previous = store.message_previous(message).expect("rows");
    assert_eq!(previous, ["at foru", "at four"]);
    assert_eq!(found(&store, "five"), ["at five"]);
    assert_eq!(found(&store, "four"), Vec::<String>::new());
}

#[test]
fn a_message_taken_back_leaves_a_line_without_text() {
    let (store, account, conversation) = fresh();
    let message = add(&store, &outgoing(conversation, "secret plan"));
    store
        .message_correct(message, MessageKind::Text, "secret plans", Timestamp(1))
        .expect("ok");
    store
        .outbox_add(&outbox(account, message, "s1"))
        .expect("it adds");
    store.message_mark_deleted(message).expect("it marks");
    let row = store.message(message).expect("a row").expect("a message");
    assert!(row.deleted && row.body.is_empty());
    assert!(store.message_previous(message).expect("rows").is_empty());
    assert!(store.outbox(account).expect("rows").is_empty());
    assert!(found(&store, "secret").is_empty());
    assert!(
        !store
            .message_correct(message, MessageKind::Text, "x", Timestamp(1))
            .expect("ok")
    );
}

#[test]
fn look_ups_are_by_conversation_and_side() {
    let (store, account, conversation) = fresh();
    let other = store
        .conversation_open(account, "omid@example.org")
        .expect("it opens");
    let with = |new: NewMessage<'static>| NewMessage {
        message_id: Some("m1"),
        origin_id: Some("o1"),
        ..new
    };
    let mine = add(&store, &with(outgoing(conversation, "mine")));
    let theirs = add(&store, &with(incoming(conversation, "theirs")));
    add(&store, &with(incoming(other, "other")));
    let by_id = |direction| {
        let row = store
            .message_by_message_id(conversation, direction, "m1")
            .expect("a row");
        row.map(|row| row.id)
    };
    assert_eq!(by_id(Direction::Outgoing), Some(mine));
    assert_eq!(by_id(Direction::Incoming), Some(theirs));
    let origin = store
        .message_by_origin_id(conversation, Direction::Outgoing, "o1")
        .expect("a row")
        .map(|row| row.id);
    assert_eq!(origin, Some(mine));
    assert!(store.message_set_archive_id(mine, "a1").expect("it sets"));
    assert!(!store.message_set_archive_id(mine, "a2").expect("it sets"));
    assert!(
        !store.message_set_archive_id(theirs, "a1").expect("it sets"),
        "taken"
    );
    assert_eq!(
        store
            .message_by_archive_id(conversation, "a1")
            .expect("a row"),
        Some(mine)
    );
    let last = store
        .message_last_own(conversation)
        .expect("a row")
        .map(|row| row.id);
    assert_eq!(last, Some(mine));
}

#[test]
fn the_outbox_settles_up_to_a_sequence_number_across_its_wrap() {
    let (store, account, conversation) = fresh();
    let numbers = [u32::MAX - 1, u32::MAX, 0, 1];
    let mut ids = Vec::new();
    for number in numbers {
        let message = add(&store, &outgoing(conversation, "x"));
        let id = store
            .outbox_add(&outbox(account, message, "s"))
            .expect("it adds");
        store.outbox_set_sequence(id, number).expect("it sets");
        ids.push(id);
    }
    let settle = |up_to| {
        let rows = store.outbox_settle(account, up_to).expect("it settles");
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(settle(u32::MAX - 2), []);
    assert_eq!(settle(u32::MAX), ids[..2]);
    assert_eq!(settle(0), ids[2..3]);
    assert_eq!(settle(5), ids[3..]);
}

#[test]
fn a_lost_stream_leaves_its_stanzas_in_doubt_and_in_place() {
    let (store, account, conversation) = fresh();
    let second = add_account(&store, "sara@example.net");
    let add_one = |account, id| {
        let message = add(&store, &outgoing(conversation, "x"));
        store
            .outbox_add(&outbox(account, message, id))
            .expect("it adds")
    };
    let one = add_one(account, "s1");
    let two = add_one(account, "s2");
    let three = add_one(account, "s3");
    let other = add_one(second, "s1");
    for (id, sequence) in [(one, 1), (two, 2), (other, 1)] {
        store.outbox_set_sequence(id, sequence).expect("it sets");
    }
    assert_eq!(store.outbox_doubt(account).expect("it doubts"), 2);
    let ids = |rows: Vec<sotto_store::row::OutboxRow>| {
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(
        ids(store.outbox_ambiguous(account).expect("rows")),
        [one, two]
    );
    assert_eq!(
        ids(store.outbox_unsent(account, 10).expect("rows")),
        [three]
    );
    // The archive has the first, not the second.
    assert!(store.outbox_remove(one).expect("it removes"));
    store.outbox_clear(two).expect("it clears");
    let unsent = store.outbox_unsent(account, 10).expect("rows");
    assert_eq!(
        unsent
            .iter()
            .map(|row| (row.id, row.attempts))
            .collect::<Vec<_>>(),
        [(two, 1), (three, 0)]
    );
    let untouched = store.outbox(second).expect("rows");
    assert_eq!(
        (untouched[0].sequence, untouched[0].ambiguous),
        (Some(1), false)
    );
}

#[test]
fn conversations_come_newest_first_with_their_last_message() {
    let (store, account, leila) = fresh();
    let omid = store
        .conversation_open(account, "omid@example.org")
        .expect("it opens");
    assert!(
        store.conversations(10).expect("rows").is_empty(),
        "nothing was said"
    );
    add(
        &store,
        &NewMessage {
            at: Timestamp(10),
            ..incoming(leila, "first")
        },
    );
    add(
        &store,
        &NewMessage {
            at: Timestamp(20),
            ..incoming(omid, &"ä".repeat(300))
        },
    );
    let rows = store.conversations(10).expect("rows");
    assert_eq!(
        rows.iter().map(|row| row.id).collect::<Vec<_>>(),
        [omid, leila]
    );
    assert_eq!(
        rows[0].last.as_ref().expect("a message").preview,
        "ä".repeat(200)
    );
    store.draft_set(leila, "not yet").expect("it sets");
    assert_eq!(
        store
            .conversation(leila)
            .expect("a row")
            .expect("it is")
            .draft,
        "not yet"
    );
    assert_eq!(
        store
            .conversation_open(account, "leila@example.org")
            .expect("it opens"),
        leila
    );
}

#[test]
fn debug_never_shows_a_text() {
    let (store, account, conversation) = fresh();
    let new = outgoing(conversation, "canary-1b7d");
    let message = add(&store, &new);
    let stanza = NewOutbox {
        xml: "<body>canary-1b7d</body>",
        ..outbox(account, message, "s")
    };
    store.outbox_add(&stanza).expect("it adds");
    store
        .draft_set(conversation, "canary-1b7d")
        .expect("it sets");
    let shown = format!(
        "{new:?} {stanza:?} {:?} {:?} {:?} {:?}",
        store.message(message),
        store.outbox(account),
        store.conversation(conversation),
        store.message_page(conversation, Page::Newest, 5),
    );
    assert!(!shown.contains("canary"), "{shown}");
}
