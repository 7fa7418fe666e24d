//! What needs a look behind the interface: schema, pragmas, a full disk, the raw index.

use sotto_api::view::{Direction, MessageKind, Privacy, Trust};
use sotto_api::{AccountId, AccountSettings, ConversationId, Timestamp};

use super::*;
use crate::row::{CallOutcome, NewAccount, NewCall, NewMessage, Page, Place};
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

/// A store as the first schema had it, with an account, a conversation and a message.
fn of_schema_one() -> Connection {
    let connection = Connection::open_in_memory().expect("it opens");
    let first = include_str!("../schema/001.sql");
    crate::schema::migrate_with(&connection, &[first]).expect("it makes");
    connection
        .execute_batch(
            "INSERT INTO account (network, address, enabled, settings, agent_id)
             VALUES ('xmpp', 'sara@example.org', 1, '{}', 'id');
             INSERT INTO conversation (account, jid, draft, tail)
             VALUES (1, 'leila@example.org', 'Tomorrow at', 1);
             INSERT INTO message (conversation, ord, direction, kind, body, at, received_at, privacy, sender)
             VALUES (1, 1, 0, 0, 'See you', 5, 6, 1, 'leila@example.org/phone');",
        )
        .expect("rows");
    connection
}

#[test]
fn r_data_06_an_older_schema_is_brought_up_to_date_with_its_rows() {
    let store = Store::finish(of_schema_one(), false, Unkept::default()).expect("it opens");
    assert_eq!(pragma(&store, "user_version"), SCHEMA_VERSION.to_string());
    let account = store.accounts().expect("rows")[0].id;
    assert_eq!(store.policy_of_account(account).expect("it reads"), None);
    let conversation = &store.conversations(9).expect("rows");
    assert!(conversation.iter().all(|row| row.draft == "Tomorrow at"));
    assert_eq!(conversation[0].policy, None);
    let page = store
        .message_page(conversation[0].id, Page::Newest, 9)
        .expect("a page");
    let row = &page.messages[0];
    assert_eq!(
        (row.body.as_str(), row.kept, row.notice, row.waits_private),
        ("See you", true, None, false)
    );
    store.check().expect("it is sound");
}

/// A store as the second schema had it: the first's rows, a message that is not kept, and what waits to be sent.
fn of_schema_two() -> Connection {
    let connection = of_schema_one();
    let scripts = [
        include_str!("../schema/001.sql"),
        include_str!("../schema/002.sql"),
    ];
    crate::schema::migrate_with(&connection, &scripts).expect("it upgrades");
    connection
        .execute_batch(
            "INSERT INTO message (conversation, ord, direction, kind, body, at, received_at, delivery,
                 privacy, sender, kept)
             VALUES (1, 2, 1, 0, 'On my way', 7, 7, 0, 1, 'sara@example.org', 1),
                    (1, 3, 0, 0, '', 8, 8, NULL, 2, 'leila@example.org/phone', 0);
             INSERT INTO outbox (account, message, purpose, stanza_id, xml, created)
             VALUES (1, 2, 0, 's1', '<message/>', 7);
             INSERT INTO archive_state (account, peer, newest, complete) VALUES (1, '', 'a7', 1);",
        )
        .expect("rows");
    connection
}

#[test]
fn r_data_06_the_second_schema_is_brought_up_to_date_with_its_rows() {
    let store = Store::finish(of_schema_two(), false, Unkept::default()).expect("it opens");
    assert_eq!(pragma(&store, "user_version"), SCHEMA_VERSION.to_string());
    let account = store.accounts().expect("rows")[0].id;
    let outbox = store.outbox(account).expect("rows");
    assert_eq!(outbox.len(), 1);
    assert_eq!(outbox[0].xml, "<message/>");
    let state = store.archive_state(account, None).expect("it reads");
    assert_eq!(state.newest.as_deref(), Some("a7"));
    let conversation = store.conversations(9).expect("rows")[0].id;
    let page = store
        .message_page(conversation, Page::Newest, 9)
        .expect("a page");
    let bodies: Vec<_> = page.messages.iter().map(|row| row.body.as_str()).collect();
    assert_eq!(
        bodies,
        ["See you", "On my way"],
        "what is not kept goes at the start"
    );
    assert_eq!(store.calls(None, 9).expect("rows"), []);
    store.check().expect("it is sound");
}

/// A store as the third schema had it: the second's rows, choices about what is kept, and a closed archive.
fn of_schema_three() -> Connection {
    let connection = of_schema_two();
    let scripts = [
        include_str!("../schema/001.sql"),
        include_str!("../schema/002.sql"),
        include_str!("../schema/003.sql"),
    ];
    crate::schema::migrate_with(&connection, &scripts).expect("it upgrades");
    connection
        .execute_batch(
            "UPDATE archive_state SET current_at = 9;
             INSERT INTO archive_state (account, peer, oldest, closed) VALUES (1, 'leila@example.org', 'a1', 1);
             INSERT INTO setting (key, json) VALUES ('store.not_kept', 'true');
             INSERT INTO conversation (account, jid, keep_history) VALUES (1, 'omid@example.org', 1);",
        )
        .expect("rows");
    connection
}

#[test]
fn r_data_06_the_third_schema_is_brought_up_to_date_with_its_rows() {
    let store = Store::finish(of_schema_three(), false, Unkept::default()).expect("it opens");
    assert_eq!(pragma(&store, "user_version"), SCHEMA_VERSION.to_string());
    let account = store.accounts().expect("rows")[0].id;
    // What was erased until then is not known.
    let up_to = store.archive_erased_up_to(account).expect("it reads");
    assert_eq!(up_to, Some(Timestamp(9)));
    let state = store
        .archive_state(account, Some("leila@example.org"))
        .expect("it reads");
    assert_eq!(state.oldest.as_deref(), Some("a1"));
    assert!(
        store
            .archive_is_closed(account, "leila@example.org")
            .expect("it says")
    );
    // Nor when history was switched off.
    for (jid, kept) in [("leila@example.org", false), ("omid@example.org", true)] {
        let conversation = store.conversation_open(account, jid).expect("it opens");
        assert_eq!(
            store.kept_at(conversation, Timestamp(5)).expect("it says"),
            kept
        );
        assert_eq!(store.keeps(conversation).expect("it says"), kept);
    }
    store.check().expect("it is sound");
}

#[test]
fn what_another_program_had_comes_once() {
    let store = Store::in_memory().expect("a store");
    let (account, conversation) = talk(&store);
    let import = |key| {
        store
            .message_import(&message(conversation, "See you"), Place::Oldest, key)
            .expect("it imports")
    };
    let first = import("jitsi:1");
    assert!(first.is_new());
    assert!(import("jitsi:2").is_new(), "the same words, said twice");
    let again = import("jitsi:1");
    assert_eq!((again.is_new(), again.id()), (false, first.id()));

    let call = |imported| NewCall {
        account: Some(account),
        peer: "leila@example.org",
        direction: Direction::Outgoing,
        outcome: CallOutcome::Answered,
        started_at: Timestamp(5),
        ended_at: Timestamp(9),
        end_reason: "",
        participants: &[],
        imported,
    };
    assert!(store.call_add(&call(Some("jitsi:1"))).expect("it adds"));
    assert!(!store.call_add(&call(Some("jitsi:1"))).expect("it is known"));
    assert!(store.call_add(&call(None)).expect("it adds"));
    assert!(store.call_add(&call(None)).expect("it adds"));
    assert_eq!(store.calls(None, 9).expect("rows").len(), 3);
    assert_eq!(store.calls(Some(Timestamp(5)), 9).expect("rows"), []);
}

#[test]
fn r_data_06_an_older_schema_is_left_as_it_was_when_the_way_fails() {
    let connection = of_schema_one();
    let first = include_str!("../schema/001.sql");
    let broken = [
        first,
        "CREATE TABLE second (x INTEGER) STRICT; CREATE TABLE account (x);",
    ];
    assert!(crate::schema::migrate_with(&connection, &broken).is_err());
    let count = |sql: &str| -> i64 {
        connection
            .query_row(sql, [], |row| row.get(0))
            .expect("a number")
    };
    assert_eq!(
        count("SELECT count(*) FROM sqlite_schema WHERE name = 'second'"),
        0
    );
    assert_eq!(count("PRAGMA user_version"), 1);
    assert_eq!(count("SELECT count(*) FROM message"), 1);
    // As the program before this one would open it.
    crate::schema::migrate_with(&connection, &[first]).expect("it opens");
}

#[test]
fn r_data_06_the_program_before_this_one_refuses_what_this_one_wrote() {
    let store = Store::in_memory().expect("a store");
    let first = include_str!("../schema/001.sql");
    let refused = crate::schema::migrate_with(&store.connection, &[first]);
    assert!(
        matches!(
            refused,
            Err(StoreError::NewerSchema {
                found: SCHEMA_VERSION,
                supported: 1
            })
        ),
        "{refused:?}"
    );
}

#[test]
fn r_data_04_a_store_from_the_first_schema_is_saved_before_and_after_its_upgrade() {
    let (_home, profile, key) = profile();
    let path = profile.prepare_file("store.db").expect("a file");
    let connection = Connection::open(&path).expect("it opens");
    key.apply(&connection).expect("it takes the key");
    let first = include_str!("../schema/001.sql");
    crate::schema::migrate_with(&connection, &[first]).expect("it makes");
    let long = "the quick brown fox ".repeat(20);
    connection
        .execute_batch(&format!(
            "INSERT INTO account (network, address, enabled, settings, agent_id)
             VALUES ('xmpp', 'sara@example.org', 1, '{{}}', 'id');
             INSERT INTO conversation (account, jid, tail) VALUES (1, 'leila@example.org', 500);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
             INSERT INTO message (conversation, ord, direction, kind, body, at, received_at, privacy, sender)
             SELECT 1, i, 0, 0, '{long}' || i, 5, 6, 1, 'leila@example.org/phone' FROM n;"
        ))
        .expect("rows");
    connection.close().expect("it closes");
    let report = Store::salvage(&profile, &key).expect("it is saved");
    assert_eq!((report.messages, report.lost_pages), (500, 0));
    // The old one again, brought up to date this time; then its first page is lost.
    std::fs::rename(&report.kept, &path).expect("it goes back");
    let store = Store::open(&profile, &key).expect("it opens");
    let account = store.accounts().expect("rows")[0].id;
    store
        .otr_key_set(account, b"key", Timestamp(1))
        .expect("it sets");
    store
        .otr_state_set(account, "leila@example.org", b"state")
        .expect("it sets");
    store
        .peer_key_seen(
            account,
            "leila@example.org",
            &[1; 20],
            Trust::New,
            Timestamp(1),
        )
        .expect("it is seen");
    store.close().expect("it closes");
    let mut bytes = std::fs::read(&path).expect("it reads");
    bytes[100] ^= 1;
    std::fs::write(&path, bytes).expect("it writes");
    let report = Store::salvage(&profile, &key).expect("it is saved");
    assert_eq!((report.messages, report.lost_pages), (500, 1));
    let store = Store::open(&profile, &key).expect("it opens");
    let own = store.otr_key(account).expect("it reads").expect("a key");
    assert_eq!(own.bytes.as_slice(), b"key");
    assert_eq!(store.peer_keys(None).expect("rows").len(), 1);
    // S-OTR-12: a session that may be older than what went out in it is not gone on with.
    assert_eq!(
        store
            .otr_state(account, "leila@example.org")
            .expect("it reads"),
        None
    );
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[test]
fn s_otr_17_what_is_not_kept_never_reaches_the_database() {
    let mut store = Store::in_memory().expect("a store");
    let (_, conversation) = talk(&store);
    let secret = NewMessage {
        kept: false,
        ..message(conversation, "zanzibar at nine")
    };
    let id = store
        .message_insert(&secret, Place::Newest)
        .expect("it inserts")
        .id();
    store
        .message_correct(id, MessageKind::Text, "qwertzuiop at ten", Timestamp(1))
        .expect("it corrects");
    store
        .message_insert(&message(conversation, "kept words"), Place::Newest)
        .expect("it inserts");
    let row = store.message(id).expect("it reads").expect("a message");
    assert_eq!(row.body, "qwertzuiop at ten");
    let pages = store
        .connection
        .serialize(rusqlite::MAIN_DB)
        .expect("its pages");
    assert!(
        holds(&pages, "kept words"),
        "the search finds what is there"
    );
    for text in ["zanzibar", "qwertzuiop"] {
        assert!(!holds(&pages, text), "{text}");
    }
    assert!(!index_holds(&store, "nzibar"));
    assert!(!index_holds(&store, "tzuiop"));
    store.message_erase(id).expect("it erases");
    store.check().expect("the index is sound");
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
