//! What needs a look behind the interface: schema, pragmas, a full disk, the raw index.

use sotto_api::view::{Direction, MessageKind, Privacy};
use sotto_api::{AccountId, AccountSettings, ConversationId, Timestamp};

use super::*;
use crate::row::{NewAccount, NewMessage, Page, Place};
use crate::schema::SCHEMA_VERSION;

fn profile() -> (tempfile::TempDir, ProfileDir, DatabaseKey) {
    let home = tempfile::tempdir().expect("a folder");
    let profile = ProfileDir::open(&home.path().join("profile")).expect("it opens");
    (home, profile, DatabaseKey::random().expect("random bytes"))
}

fn talk(store: &Store) -> (AccountId, ConversationId) {
    let account = store
        .account_add(&NewAccount {
            network: "xmpp",
            address: "sara@example.org",
            enabled: true,
            settings: &AccountSettings::default(),
            agent_id: "id",
        })
        .expect("an account");
    (
        account,
        store
            .conversation_open(account, "leila@example.org")
            .expect("it opens"),
    )
}

fn message(conversation: ConversationId, body: &str) -> NewMessage<'_> {
    NewMessage {
        conversation,
        direction: Direction::Incoming,
        kind: MessageKind::Text,
        body,
        at: Timestamp(0),
        received_at: Timestamp(0),
        delivery: None,
        privacy: Privacy::ServerOnly,
        origin_id: None,
        message_id: None,
        archive_id: None,
        sender: "leila@example.org/phone",
        unread: true,
        kept: true,
        notice: None,
    }
}

fn pragma(store: &Store, name: &str) -> String {
    store
        .connection
        .query_row(&format!("PRAGMA {name}"), [], |row| {
            Ok(match row.get_ref(0)? {
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                other => other.as_str()?.to_owned(),
            })
        })
        .expect("it answers")
}

fn count(store: &Store, sql: &str) -> i64 {
    store
        .connection
        .query_row(sql, [], |row| row.get(0))
        .expect("a number")
}

#[test]
fn the_store_is_set_up_as_the_design_says() {
    let (_home, profile, key) = profile();
    let store = Store::open(&profile, &key).expect("it opens");
    for (name, value) in [
        ("journal_mode", "wal"),
        ("synchronous", "1"),
        ("secure_delete", "1"),
        ("foreign_keys", "1"),
        ("temp_store", "2"),
        ("locking_mode", "exclusive"),
        ("trusted_schema", "0"),
        ("user_version", &SCHEMA_VERSION.to_string()),
    ] {
        assert_eq!(pragma(&store, name), value, "{name}");
    }
    assert!(pragma(&store, "cipher_version").starts_with('4'));
    let loose = count(
        &store,
        "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0
         AND name NOT LIKE 'sqlite_%'",
    );
    assert_eq!(loose, 0, "every table is STRICT");
}

#[test]
fn durable_transactions_wait_for_the_medium_and_others_do_not() {
    let (_home, profile, key) = profile();
    let store = Store::open(&profile, &key).expect("it opens");
    store.begin_durable().expect("it begins");
    assert_eq!(pragma(&store, "synchronous"), "2");
    assert!(matches!(store.begin(), Err(StoreError::Transaction)));
    store.commit().expect("it commits");
    assert_eq!(pragma(&store, "synchronous"), "1");
    store.begin_durable().expect("it begins");
    store.rollback().expect("it rolls back");
    assert_eq!(pragma(&store, "synchronous"), "1");
    assert!(matches!(store.commit(), Err(StoreError::Transaction)));
    assert!(matches!(store.rollback(), Err(StoreError::Transaction)));
}

#[test]
fn a_refused_write_in_a_transaction_takes_nothing_with_it() {
    let store = Store::in_memory().expect("a store");
    let (_, conversation) = talk(&store);
    store.begin().expect("it begins");
    store
        .message_insert(&message(conversation, "kept"), Place::Newest)
        .expect("it inserts");
    let refused = store.message_insert(&message(ConversationId(99), "lost"), Place::Newest);
    assert!(
        matches!(refused, Err(StoreError::NotFound { .. })),
        "{refused:?}"
    );
    store.commit().expect("it commits");
    let page = store
        .message_page(conversation, Page::Newest, 9)
        .expect("a page");
    assert_eq!(page.messages.len(), 1);
}

#[test]
fn r_data_03_a_full_disk_is_told_loses_nothing_and_passes() {
    let (_home, profile, key) = profile();
    let store = Store::open(&profile, &key).expect("it opens");
    let (_, conversation) = talk(&store);
    store
        .message_insert(&message(conversation, "before"), Place::Newest)
        .expect("it inserts");
    let pages: i64 = pragma(&store, "page_count").parse().expect("a number");
    set(
        &store.connection,
        "max_page_count",
        &(pages + 10).to_string(),
    )
    .expect("it sets");

    let text = "x".repeat(20_000);
    let error = loop {
        // Three to a transaction: all of them or none.
        store.begin_durable().expect("it begins");
        let inserted = (0..3).try_for_each(|_| {
            store
                .message_insert(&message(conversation, &text), Place::Newest)
                .map(drop)
        });
        match inserted.and_then(|()| store.commit()) {
            Ok(()) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::DiskFull), "{error}");
    if store.in_transaction() {
        store.rollback().expect("it rolls back");
    }
    let page = store
        .message_page(conversation, Page::Newest, 99)
        .expect("reading works");
    assert_eq!(page.messages.len() % 3, 1, "whole transactions only");
    assert_eq!(page.messages.first().expect("a message").body, "before");

    set(&store.connection, "max_page_count", "1000000").expect("it sets");
    store
        .message_insert(&message(conversation, "after"), Place::Newest)
        .expect("it works again");
    store.check().expect("it is sound");
}

#[test]
fn after_sqlite_gave_up_a_transaction_nothing_more_is_written_in_it() {
    let store = Store::in_memory().expect("a store");
    let (_, conversation) = talk(&store);
    store.begin().expect("it begins");
    store.draft_set(conversation, "one").expect("it sets");
    store
        .connection
        .execute_batch("ROLLBACK")
        .expect("as SQLite does when the disk is full");
    let late = store.draft_set(conversation, "two");
    assert!(matches!(late, Err(StoreError::RolledBack)), "{late:?}");
    assert!(matches!(store.commit(), Err(StoreError::RolledBack)));
    let draft = store
        .conversation(conversation)
        .expect("a row")
        .expect("it is")
        .draft;
    assert_eq!(draft, "");
    store
        .draft_set(conversation, "three")
        .expect("it works again");
}

#[test]
fn a_read_only_store_is_told() {
    let store = Store::in_memory().expect("a store");
    let (_, conversation) = talk(&store);
    set(&store.connection, "query_only", "ON").expect("it sets");
    assert!(matches!(
        store.draft_set(conversation, "x"),
        Err(StoreError::ReadOnly)
    ));
}

#[test]
fn r_data_06_a_newer_schema_is_refused_and_not_touched() {
    let (_home, profile, key) = profile();
    let store = Store::open(&profile, &key).expect("it opens");
    store
        .connection
        .execute_batch("CREATE TABLE later (x); PRAGMA user_version = 7;")
        .expect("a later version");
    store.close().expect("it closes");
    let path = profile.path().join("store.db");
    let before = std::fs::read(&path).expect("it reads");
    let opened = Store::open(&profile, &key).err().expect("refused");
    assert!(
        matches!(
            opened,
            StoreError::NewerSchema {
                found: 7,
                supported: SCHEMA_VERSION
            }
        ),
        "{opened}"
    );
    assert_eq!(std::fs::read(&path).expect("it reads"), before);
}

#[test]
fn r_data_06_an_older_schema_is_brought_up_to_date_or_left_as_it_was() {
    let (_home, profile, key) = profile();
    let store = Store::open(&profile, &key).expect("it opens");
    talk(&store);
    let first = include_str!("../schema/001.sql");
    let broken = [
        first,
        "CREATE TABLE second (x) STRICT; CREATE TABLE account (x);",
    ];
    assert!(crate::schema::migrate_with(&store.connection, &broken).is_err());
    assert_eq!(
        count(
            &store,
            "SELECT count(*) FROM sqlite_schema WHERE name = 'second'"
        ),
        0
    );
    assert_eq!(pragma(&store, "user_version"), "1");

    let good = [first, "CREATE TABLE second (x INTEGER) STRICT;"];
    crate::schema::migrate_with(&store.connection, &good).expect("it migrates");
    assert_eq!(pragma(&store, "user_version"), "2");
    assert_eq!(store.accounts().expect("rows").len(), 1);
}

#[test]
fn a_database_of_another_program_is_refused() {
    let (home, _, key) = profile();
    let path = home.path().join("other.db");
    let other = Connection::open(&path).expect("it opens");
    key.apply(&other).expect("it takes the key");
    other
        .execute_batch("CREATE TABLE theirs (x);")
        .expect("it makes");
    other.close().expect("it closes");
    let opened = Store::open_file(&path, Some(&key)).err().expect("refused");
    assert!(matches!(opened, StoreError::NotAProfile), "{opened}");
}

/// The words of the index lie in blobs, in order and with shared beginnings cut: look for the ends.
fn index_holds(store: &Store, ending: &str) -> bool {
    let mut statement = store
        .connection
        .prepare("SELECT block FROM message_words_data")
        .expect("it prepares");
    let blocks = statement
        .query_map([], |row| row.get::<_, Vec<u8>>(0))
        .expect("it runs");
    blocks.map(|block| block.expect("a block")).any(|block| {
        block
            .windows(ending.len())
            .any(|window| window == ending.as_bytes())
    })
}

#[test]
fn s_store_07_erased_words_leave_the_index_too() {
    let store = Store::in_memory().expect("a store");
    let (account, conversation) = talk(&store);
    let other = store
        .conversation_open(account, "omid@example.org")
        .expect("it opens");
    store
        .message_insert(&message(other, "zanzibar stays"), Place::Newest)
        .expect("it inserts");

    // One message: at once.
    let one = store.message_insert(&message(conversation, "qwertzuiop"), Place::Newest);
    assert!(index_holds(&store, "tzuiop"));
    store
        .message_erase(one.expect("it inserts").id())
        .expect("it erases");
    assert!(!index_holds(&store, "tzuiop"));

    // A long conversation: when the index has been tidied.
    store.begin().expect("it begins");
    for n in 0..3_000 {
        let body = format!("word{n} asdfghjkl");
        store
            .message_insert(&message(conversation, &body), Place::Newest)
            .expect("it inserts");
    }
    store.commit().expect("it commits");
    assert!(index_holds(&store, "dfghjkl"));
    store.conversation_erase(conversation).expect("it erases");
    let mut slices = 0;
    while store.tidy().expect("it tidies") {
        slices += 1;
        assert!(slices < 1_000, "it comes to an end");
    }
    assert!(!index_holds(&store, "dfghjkl"), "after {slices} slices");
    assert!(index_holds(&store, "nzibar"));
    assert!(!store.tidy().expect("it tidies"), "nothing is left to do");
    assert_eq!(
        pragma(&store, "freelist_count")
            .parse::<i64>()
            .map(|n| n > 0),
        Ok(true)
    );
    store.check().expect("it is sound");
}
