//! Private conversations: texts that are not kept, messages that wait, keys, policies.

mod common;

use common::{Profile, account, add, add_account, found, incoming, outgoing};
use sotto_api::view::{Delivery, LineNotice, MessageKind, Policy, PolicyScope, Privacy, Trust};
use sotto_api::{AccountId, ConversationId, MessageId, Timestamp};
use sotto_store::row::{
    Erasure, NewMessage, NewOutbox, OutboxPurpose, OwnPolicyRow, Page, Verified, VerifiedHow,
};
use sotto_store::{Store, StoreError};

fn talk() -> (Store, AccountId, ConversationId) {
    let store = Store::in_memory().expect("a store");
    let (account, conversation) = opened(&store);
    (store, account, conversation)
}

fn opened(store: &Store) -> (AccountId, ConversationId) {
    let account = account(store);
    let conversation = store
        .conversation_open(account, "leila@example.org")
        .expect("it opens");
    (account, conversation)
}

fn unkept(new: NewMessage<'_>) -> NewMessage<'_> {
    NewMessage {
        kept: false,
        privacy: Privacy::Encrypted,
        ..new
    }
}

fn body(store: &Store, message: MessageId) -> String {
    store
        .message(message)
        .expect("it reads")
        .expect("a message")
        .body
}

fn bodies(store: &Store, conversation: ConversationId) -> Vec<String> {
    let page = store.message_page(conversation, Page::Newest, 50);
    let rows = page.expect("a page").messages;
    rows.into_iter().map(|row| row.body).collect()
}

fn draft(store: &Store, conversation: ConversationId) -> String {
    let row = store.conversation(conversation).expect("it reads");
    row.expect("a conversation").draft
}

fn queue(store: &Store, account: AccountId, message: MessageId) {
    store
        .outbox_add(&NewOutbox {
            account,
            message: Some(message),
            purpose: OutboxPurpose::Message,
            stanza_id: "a1",
            xml: "<message/>",
            created: Timestamp(0),
        })
        .expect("it adds");
}

// ---- texts that are not kept -----------------------------------------------------------------

#[test]
fn s_otr_17_a_text_that_is_not_kept_is_there_until_the_program_ends() {
    let profile = Profile::new();
    let store = profile.open().expect("it opens");
    let (_, conversation) = opened(&store);
    add(&store, &incoming(conversation, "before"));
    let id = add(&store, &unkept(incoming(conversation, "meet at zanzibar")));
    assert_eq!(bodies(&store, conversation), ["before", "meet at zanzibar"]);
    let row = store.conversation(conversation).expect("it reads");
    let row = row.expect("a conversation");
    assert_eq!(row.unread, 2);
    assert_eq!(row.last.expect("a last").preview, "meet at zanzibar");
    assert_eq!(found(&store, "zanzi"), ["meet at zanzibar"]);
    assert!(!store.message(id).expect("reads").expect("one").kept);
    assert_eq!(
        common::occurrences(profile.folder.path(), b"zanzibar"),
        0,
        "not on the medium, sealed or not"
    );
    store.close().expect("it closes");

    let store = profile.open().expect("it opens");
    assert_eq!(bodies(&store, conversation), ["before"]);
    let row = store.conversation(conversation).expect("it reads");
    let row = row.expect("a conversation");
    assert_eq!(row.unread, 1);
    assert_eq!(row.last.expect("a last").preview, "before");
    assert!(found(&store, "zanzibar").is_empty());
    store.check().expect("it is sound");
}

#[test]
fn s_otr_17_texts_that_are_not_kept_follow_their_transaction() {
    let (store, _, conversation) = talk();
    let id = add(&store, &unkept(incoming(conversation, "one")));

    store.begin().expect("it begins");
    store
        .message_correct(id, MessageKind::Text, "two", Timestamp(1))
        .expect("it corrects");
    let gone = add(&store, &unkept(incoming(conversation, "never")));
    store.message_erase(id).expect("it erases");
    store.rollback().expect("it rolls back");
    assert_eq!(body(&store, id), "one");
    assert!(store.message(gone).expect("it reads").is_none());
    assert!(found(&store, "never").is_empty());

    store.begin_durable().expect("it begins");
    store
        .message_correct(id, MessageKind::Text, "two", Timestamp(1))
        .expect("it corrects");
    store.commit().expect("it commits");
    assert_eq!(body(&store, id), "two");
    assert_eq!(store.message_previous(id).expect("reads"), ["one"]);

    // Nothing of what was committed comes back with a later transaction.
    store.begin().expect("it begins");
    store.rollback().expect("it rolls back");
    assert_eq!(body(&store, id), "two");
}

#[test]
fn texts_that_are_not_kept_are_taken_back_and_erased_like_others() {
    let (store, account, conversation) = talk();
    let id = add(&store, &unkept(outgoing(conversation, "zanzibar")));
    store.message_mark_deleted(id).expect("it takes back");
    assert_eq!(body(&store, id), "");
    assert!(found(&store, "zanzibar").is_empty());
    for erase in [
        Store::conversation_erase as fn(&Store, ConversationId) -> _,
        |store, _| store.erase(&Erasure::All).map(drop),
    ] {
        let conversation = store
            .conversation_open(account, "leila@example.org")
            .expect("it opens");
        add(&store, &unkept(incoming(conversation, "zanzibar")));
        add(&store, &incoming(conversation, "kept"));
        erase(&store, conversation).expect("it erases");
        assert!(found(&store, "zanzibar").is_empty());
        assert!(bodies(&store, conversation).is_empty());
        store.check().expect("it is sound");
    }
}

#[test]
fn a_search_finds_kept_and_unkept_in_order_and_by_pages() {
    let (store, _, conversation) = talk();
    for n in 0..6 {
        let text = format!("lamp {n}");
        let new = incoming(conversation, &text);
        add(&store, &if n % 2 == 0 { unkept(new) } else { new });
    }
    let mut before = None;
    let mut seen = Vec::new();
    loop {
        let rows = store
            .search(&sotto_store::row::SearchQuery {
                text: "lamp",
                conversation: Some(conversation),
                before,
                limit: 2,
            })
            .expect("it finds");
        before = rows.hits.last().map(|hit| hit.message.id);
        seen.extend(rows.hits.into_iter().map(|hit| hit.message.body));
        if !rows.more {
            break;
        }
    }
    assert_eq!(
        seen,
        ["lamp 5", "lamp 4", "lamp 3", "lamp 2", "lamp 1", "lamp 0"]
    );
}

#[test]
fn a_stanza_of_a_message_that_is_not_kept_outlives_its_row() {
    let profile = Profile::new();
    let store = profile.open().expect("it opens");
    let (account, conversation) = opened(&store);
    let id = add(&store, &unkept(outgoing(conversation, "on its way")));
    queue(&store, account, id);
    store.close().expect("it closes");
    let store = profile.open().expect("it opens");
    assert!(store.message(id).expect("it reads").is_none());
    let outbox = store.outbox(account).expect("rows");
    assert_eq!(outbox.len(), 1);
    assert_eq!(outbox[0].message, None);
    assert_eq!(outbox[0].purpose, OutboxPurpose::Otr);
}

#[test]
fn a_line_says_what_it_is_about() {
    let (store, _, conversation) = talk();
    for notice in [
        LineNotice::PrivateStarted,
        LineNotice::NotKept,
        LineNotice::PrivateEnded,
        LineNotice::NoAnswer,
        LineNotice::KeyChanged,
        LineNotice::Verified,
        LineNotice::NotVerified,
        LineNotice::Unreadable,
    ] {
        let id = add(
            &store,
            &NewMessage {
                kind: MessageKind::System,
                notice: Some(notice),
                ..incoming(conversation, "a line")
            },
        );
        let row = store.message(id).expect("it reads").expect("a message");
        assert_eq!(row.notice, Some(notice));
    }
}

// ---- messages that wait ----------------------------------------------------------------------

#[test]
fn s_otr_14_a_waiting_message_stands_in_no_outbox_and_leaves_when_it_may() {
    let (store, account, conversation) = talk();
    let first = add(&store, &unkept(outgoing(conversation, "first")));
    queue(&store, account, first);
    let second = add(&store, &outgoing(conversation, "second"));
    for id in [first, second] {
        store.private_wait(id).expect("it waits");
    }
    assert!(store.outbox(account).expect("rows").is_empty());
    let waiting = store.private_waiting(conversation).expect("rows");
    assert!(waiting.iter().all(|row| row.waits_private));
    let texts: Vec<_> = waiting.iter().map(|row| row.body.as_str()).collect();
    assert_eq!(texts, ["first", "second"]);
    assert_eq!(
        store.private_waiting_conversations(account).expect("rows"),
        [conversation]
    );
    assert!(store.private_leave(first).expect("it leaves"));
    assert!(!store.private_leave(first).expect("it has left"));
    assert_eq!(store.private_waiting(conversation).expect("rows").len(), 1);
    store
        .message_set_delivery(second, Delivery::Failed, "gone")
        .expect("it sets");
    assert!(
        store
            .private_waiting(conversation)
            .expect("rows")
            .is_empty(),
        "what failed does not leave later"
    );
    // What came, or has left for good, does not wait.
    store
        .message_set_delivery(first, Delivery::Sent, "")
        .expect("it sets");
    let came = add(&store, &incoming(conversation, "theirs"));
    for id in [first, came] {
        assert!(matches!(
            store.private_wait(id),
            Err(StoreError::NotFound { .. })
        ));
    }
}

#[test]
fn s_otr_14_what_did_not_leave_is_back_in_the_draft() {
    let (store, _, conversation) = talk();
    for text in ["first", "second"] {
        let id = add(&store, &unkept(outgoing(conversation, text)));
        store.private_wait(id).expect("it waits");
    }
    store.draft_set(conversation, "third").expect("it sets");
    assert_eq!(store.private_withdraw(conversation).expect("back").len(), 2);
    assert_eq!(draft(&store, conversation), "first\nsecond\nthird");
    assert!(bodies(&store, conversation).is_empty());
    assert!(
        store
            .private_withdraw(conversation)
            .expect("none")
            .is_empty()
    );
    assert_eq!(draft(&store, conversation), "first\nsecond\nthird");
}

#[test]
fn a_waiting_text_that_is_not_kept_is_the_draft_after_a_restart() {
    let profile = Profile::new();
    let store = profile.open().expect("it opens");
    let (_, conversation) = opened(&store);
    let waits = add(&store, &unkept(outgoing(conversation, "waits")));
    let left = add(&store, &unkept(outgoing(conversation, "left")));
    for id in [waits, left] {
        store.private_wait(id).expect("it waits");
    }
    store.private_leave(left).expect("it leaves");
    store
        .message_correct(waits, MessageKind::Text, "still waits", Timestamp(1))
        .expect("it corrects");
    // As after a kill: nothing is closed.
    drop(store);
    let store = profile.open().expect("it opens");
    assert_eq!(draft(&store, conversation), "still waits");
    assert!(bodies(&store, conversation).is_empty());
    store.draft_set(conversation, "").expect("it sets");
    store.close().expect("it closes");
    let store = profile.open().expect("it opens");
    assert_eq!(draft(&store, conversation), "", "once only");
}

#[test]
fn s_otr_14_clear_stanzas_are_pulled_back_and_encrypted_ones_stay() {
    let (store, account, conversation) = talk();
    let clear = add(&store, &outgoing(conversation, "clear"));
    let private = add(&store, &unkept(outgoing(conversation, "private")));
    let doubtful = add(&store, &outgoing(conversation, "in doubt"));
    let other = store
        .conversation_open(account, "omid@example.org")
        .expect("it opens");
    let elsewhere = add(&store, &outgoing(other, "elsewhere"));
    queue(&store, account, doubtful);
    let id = store.outbox(account).expect("rows")[0].id;
    store.outbox_set_sequence(id, 7).expect("it sets");
    store.outbox_doubt(account).expect("in doubt");
    for id in [clear, private, elsewhere] {
        queue(&store, account, id);
    }
    let pulled = store.private_pull_back(conversation).expect("back");
    let of: Vec<_> = pulled.iter().filter_map(|row| row.message).collect();
    assert_eq!(of, [doubtful, clear]);
    let left = store.outbox(account).expect("rows");
    let left: Vec<_> = left.iter().filter_map(|row| row.message).collect();
    assert_eq!(left, [private, elsewhere]);
}

// ---- keys and sessions -----------------------------------------------------------------------

#[test]
fn own_keys_tags_and_sessions_are_replaced_and_erased() {
    let (store, account, _) = talk();
    assert_eq!(store.otr_key(account).expect("it reads"), None);
    store
        .otr_key_set(account, b"old", Timestamp(1))
        .expect("it sets");
    store
        .otr_key_set(account, b"new", Timestamp(2))
        .expect("it sets");
    let key = store.otr_key(account).expect("it reads").expect("a key");
    assert_eq!(
        (key.bytes.as_slice(), key.created),
        (&b"new"[..], Timestamp(2))
    );
    assert!(!format!("{key:?}").contains("bytes"));
    store.instance_tag_set(account, u32::MAX).expect("it sets");
    assert_eq!(
        store.instance_tag(account).expect("it reads"),
        Some(u32::MAX)
    );
    for peer in ["b@x", "a@x"] {
        store.otr_state_set(account, peer, b"1").expect("it sets");
        store.otr_state_set(account, peer, b"2").expect("it sets");
    }
    assert_eq!(
        store.otr_state_peers(account).expect("rows"),
        ["a@x", "b@x"]
    );
    store.otr_state_remove(account, "a@x").expect("it removes");
    assert_eq!(store.otr_state(account, "a@x").expect("it reads"), None);
    let state = store.otr_state(account, "b@x").expect("it reads");
    assert_eq!(state.expect("a state").as_slice(), b"2");
    store.otr_state_remove_all(account).expect("it removes");
    assert_eq!(store.otr_state(account, "b@x").expect("it reads"), None);
    store.otr_key_remove(account).expect("it removes");
    assert_eq!(store.otr_key(account).expect("it reads"), None);
}

#[test]
fn s_otr_16_trust_belongs_to_one_key_of_one_address_on_one_account() {
    let (store, account, _) = talk();
    let other = add_account(&store, "sara@example.net");
    let (key, new) = store
        .peer_key_seen(account, "leila@x", &[1; 20], Trust::New, Timestamp(5))
        .expect("it is seen");
    assert!(new);
    let verified = Verified {
        how: VerifiedHow::Question,
        at: Timestamp(6),
    };
    store
        .peer_key_set_trust(key.id, Trust::Verified, Some(verified))
        .expect("it verifies");
    let (again, new) = store
        .peer_key_seen(account, "leila@x", &[1; 20], Trust::New, Timestamp(9))
        .expect("it is seen");
    assert!(!new, "seen again it keeps its trust");
    assert_eq!(
        (again.trust, again.verified),
        (Trust::Verified, Some(verified))
    );
    assert_eq!(
        (again.first_seen, again.last_seen),
        (Timestamp(5), Timestamp(9))
    );
    for (account, jid, fingerprint) in [
        (account, "leila@x", [2; 20]),
        (account, "omid@x", [1; 20]),
        (other, "leila@x", [1; 20]),
    ] {
        let (row, new) = store
            .peer_key_seen(account, jid, &fingerprint, Trust::New, Timestamp(7))
            .expect("it is seen");
        assert!(new);
        assert_eq!((row.trust, row.verified), (Trust::New, None));
    }
    assert_eq!(store.peer_keys(None).expect("rows").len(), 4);
    assert_eq!(store.peer_keys(Some(account)).expect("rows").len(), 3);
    let of: Vec<_> = store
        .peer_keys_of(account, "leila@x")
        .expect("rows")
        .into_iter()
        .map(|row| row.fingerprint)
        .collect();
    assert_eq!(of, [vec![1; 20], vec![2; 20]]);

    assert!(
        store
            .peer_key_set_trust(key.id, Trust::Verified, None)
            .is_err(),
        "not without a proof"
    );
    store
        .peer_key_set_trust(key.id, Trust::Distrusted, Some(verified))
        .expect("it distrusts");
    let row = store.peer_key(key.id).expect("it reads").expect("a key");
    assert_eq!((row.trust, row.verified), (Trust::Distrusted, None));
    store.peer_key_forget(key.id).expect("it forgets");
    assert!(store.peer_key(key.id).expect("it reads").is_none());
    assert!(store.peer_key_forget(key.id).is_err());
}

// ---- policies --------------------------------------------------------------------------------

#[test]
fn policies_are_kept_for_everyone_an_account_and_a_person() {
    let (store, account, conversation) = talk();
    assert_eq!(store.policy_global().expect("it reads"), Policy::Off);
    store.policy_global_set(Policy::Required).expect("it sets");
    assert_eq!(store.policy_global().expect("it reads"), Policy::Required);
    assert!(store.policies_own().expect("rows").is_empty());
    store
        .policy_of_account_set(account, Some(Policy::Off))
        .expect("it sets");
    store
        .policy_of_conversation_set(conversation, Some(Policy::Required))
        .expect("it sets");
    assert_eq!(
        store.policies_own().expect("rows"),
        [
            OwnPolicyRow {
                scope: PolicyScope::Account { account },
                policy: Policy::Off
            },
            OwnPolicyRow {
                scope: PolicyScope::Conversation { conversation },
                policy: Policy::Required
            },
        ]
    );
    store.policies_clear().expect("it clears");
    assert_eq!(store.policy_of_account(account).expect("it reads"), None);
    assert_eq!(
        store.policy_of_conversation(conversation).expect("reads"),
        None
    );
    assert_eq!(store.policy_global().expect("it reads"), Policy::Required);
}

#[test]
fn s_otr_14_erasing_history_does_not_loosen_a_policy() {
    let (store, account, conversation) = talk();
    add(&store, &incoming(conversation, "old"));
    store
        .policy_of_conversation_set(conversation, Some(Policy::Required))
        .expect("it sets");
    for what in [Erasure::All, Erasure::Account(account)] {
        store.erase(&what).expect("it erases");
    }
    assert_eq!(
        store.policy_of_conversation(conversation).expect("reads"),
        Some(Policy::Required)
    );
    assert!(store.conversations(9).expect("rows").is_empty());
    store.account_remove(account, true).expect("it removes");
    while store.erase_step().expect("it erases") {}
    assert!(store.conversation(conversation).expect("reads").is_none());
}

#[test]
fn removing_an_account_erases_its_keys_sessions_and_trust() {
    for erase_history in [false, true] {
        let (store, account, conversation) = talk();
        store
            .otr_key_set(account, b"key", Timestamp(1))
            .expect("it sets");
        store.instance_tag_set(account, 0x100).expect("it sets");
        store.otr_state_set(account, "a@x", b"s").expect("it sets");
        store
            .peer_key_seen(account, "a@x", &[1; 20], Trust::New, Timestamp(5))
            .expect("it is seen");
        store
            .policy_of_account_set(account, Some(Policy::Off))
            .expect("it sets");
        let id = add(&store, &unkept(outgoing(conversation, "waits")));
        store.private_wait(id).expect("it waits");
        store
            .account_remove(account, erase_history)
            .expect("it removes");
        assert_eq!(store.otr_key(account).expect("it reads"), None);
        assert_eq!(store.instance_tag(account).expect("it reads"), None);
        assert_eq!(store.otr_state(account, "a@x").expect("it reads"), None);
        assert!(store.peer_keys(None).expect("rows").is_empty());
        assert_eq!(store.policy_of_account(account).expect("it reads"), None);
        assert!(
            store
                .private_waiting(conversation)
                .expect("rows")
                .is_empty()
        );
        store.check().expect("it is sound");
    }
}
