//! Histories of other programs: once, in their place, and not beside what came here by itself.

mod common;

use common::{account, incoming};
use sotto_api::view::Direction;
use sotto_api::{ConversationId, Timestamp};
use sotto_store::Store;
use sotto_store::row::{Inserted, NewMessage, Page, Place};

fn talk() -> (Store, ConversationId) {
    let store = Store::in_memory().expect("a store");
    let account = account(&store);
    let conversation = store
        .conversation_open(account, "leila@example.org")
        .expect("it opens");
    (store, conversation)
}

fn at(conversation: ConversationId, body: &str, at: i64) -> NewMessage<'_> {
    NewMessage {
        at: Timestamp(at),
        received_at: Timestamp(at),
        ..incoming(conversation, body)
    }
}

fn bodies(store: &Store, conversation: ConversationId) -> Vec<String> {
    let page = store
        .message_page(conversation, Page::Newest, 100)
        .expect("a page");
    page.messages.into_iter().map(|row| row.body).collect()
}

/// Takes these over, each at its time, into places before everything.
fn take_over(
    store: &Store,
    conversation: ConversationId,
    messages: &[(&str, i64)],
) -> Vec<Inserted> {
    let first = store
        .places_before(conversation, messages.len() as u64)
        .expect("places");
    (first..)
        .zip(messages)
        .map(|(place, (body, time))| {
            store
                .message_take_over(
                    &at(conversation, body, *time),
                    Place::At(place),
                    &format!("{body} {time}"),
                )
                .expect("it is taken over")
        })
        .collect()
}

fn arrange(store: &Store, conversation: ConversationId) -> usize {
    let order = store.order_by_time(conversation).expect("it reads");
    let first = store
        .places_before(conversation, order.len() as u64)
        .expect("places");
    store.messages_place(&order, first).expect("they move");
    store.conversation_settle(conversation).expect("it settles");
    order.len()
}

#[test]
fn what_is_taken_over_stands_before_what_came_here() {
    let (store, conversation) = talk();
    store
        .message_insert(&at(conversation, "here", 1_000_000), Place::Newest)
        .expect("it inserts");
    take_over(&store, conversation, &[("one", 1), ("two", 2)]);
    assert_eq!(bodies(&store, conversation), ["one", "two", "here"]);
    assert_eq!(arrange(&store, conversation), 0, "nothing to be moved");
    // Older pages of the archive still go before all.
    store
        .message_insert(&at(conversation, "archive", 0), Place::Oldest)
        .expect("it inserts");
    assert_eq!(
        bodies(&store, conversation),
        ["archive", "one", "two", "here"]
    );
}

#[test]
fn what_came_here_by_itself_is_not_taken_over_once_more() {
    let (store, conversation) = talk();
    let known = store
        .message_insert(&at(conversation, "ok", 1_000_000), Place::Newest)
        .expect("it inserts");
    // Said twice there, and one of them came here, a moment apart.
    let taken = take_over(
        &store,
        conversation,
        &[("ok", 1_030_000), ("ok", 1_031_000)],
    );
    assert_eq!(taken.first(), Some(&Inserted::Known(known.id())));
    assert!(taken.get(1).is_some_and(|inserted| inserted.is_new()));
    let again = take_over(
        &store,
        conversation,
        &[("ok", 1_030_000), ("ok", 1_031_000)],
    );
    assert!(again.iter().all(|inserted| !inserted.is_new()));
    // Another side, another time, other words.
    let other = take_over(
        &store,
        conversation,
        &[("ok", 2_000_000), ("okay", 1_000_000)],
    );
    assert!(other.iter().all(|inserted| inserted.is_new()));
    assert_eq!(bodies(&store, conversation).len(), 4);
}

#[test]
fn what_was_taken_over_does_not_come_again_from_the_archive() {
    let (store, conversation) = talk();
    let taken = take_over(
        &store,
        conversation,
        &[("ok", 1_000_000), ("ok", 1_001_000)],
    );
    let from_archive = |id: &'static str, received: i64| {
        let new = NewMessage {
            archive_id: Some(id),
            at: Timestamp(1_002_000),
            received_at: Timestamp(received),
            ..incoming(conversation, "ok")
        };
        store
            .message_insert(&new, Place::Oldest)
            .expect("it inserts")
    };
    let mut known = vec![from_archive("a1", 9_000_000), from_archive("a2", 9_000_000)];
    known.sort_by_key(|inserted| inserted.id());
    let expected: Vec<_> = taken.iter().map(|one| Inserted::Known(one.id())).collect();
    assert_eq!(known, expected);
    assert_eq!(from_archive("a1", 9_000_000), from_archive("a1", 9_000_000));
    assert!(from_archive("a3", 9_000_000).is_new(), "said a third time");
}

#[test]
fn s_xmpp_10_what_comes_live_is_never_a_double_of_what_was_taken_over() {
    let (store, conversation) = talk();
    take_over(&store, conversation, &[("ok", 1_000_000)]);
    let live = NewMessage {
        archive_id: Some("a1"),
        at: Timestamp(1_002_000),
        received_at: Timestamp(1_002_000),
        ..incoming(conversation, "ok")
    };
    let inserted = store
        .message_insert(&live, Place::Newest)
        .expect("it inserts");
    assert!(inserted.is_new());
}

#[test]
fn what_came_between_is_put_in_its_place_and_unread_ones_stay() {
    let (store, conversation) = talk();
    for (body, time, direction, unread) in [
        ("b", 200_000_000, Direction::Outgoing, false),
        // Their clock was behind: it stays after what it answers.
        ("c", 100_000_000, Direction::Outgoing, false),
        ("unread", 300_000_000, Direction::Incoming, true),
    ] {
        let new = NewMessage {
            direction,
            unread,
            ..at(conversation, body, time)
        };
        store
            .message_insert(&new, Place::Newest)
            .expect("it inserts");
    }
    take_over(
        &store,
        conversation,
        &[("a", 1), ("d", 250_000_000), ("e", 400_000_000)],
    );
    assert_eq!(arrange(&store, conversation), 5);
    assert_eq!(
        bodies(&store, conversation),
        ["a", "b", "c", "d", "e", "unread"]
    );
    assert_eq!(arrange(&store, conversation), 0);
    let row = store
        .conversation(conversation)
        .expect("it reads")
        .expect("it is there");
    assert_eq!(row.unread, 1);
    assert_eq!(row.last.map(|last| last.preview).as_deref(), Some("unread"));
    store.check().expect("it is sound");
}
