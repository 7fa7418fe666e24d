//! What is saved of a store whose pages are damaged (R-DATA-04).

mod common;

use std::collections::HashMap;
use std::fs;

use common::{Profile, account, incoming, outgoing};
use sotto_api::view::{Delivery, Direction};
use sotto_api::{AccountId, ConversationId, Secret, Timestamp};
use sotto_store::row::{ArchiveState, CallOutcome, NewCall, NewMessage, Page, Place, SearchQuery};
use sotto_store::{DatabaseKey, Store, StoreError};

const PAGE: usize = 4096;
const CONVERSATIONS: usize = 12;
const MESSAGES: usize = 120;
/// Of each conversation, where many rounds are made.
const FEW: usize = 20;

#[test]
fn r_data_04_with_one_page_in_a_hundred_damaged_95_rows_in_a_hundred_are_saved() {
    let (profile, whole) = written();
    let pages = whole.len() / PAGE;
    let mut chance = Chance(0x0dd_ba11);
    let rounds = std::env::var("SOTTO_SALVAGES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(10_usize);
    for round in 0..rounds {
        let mut bent = whole.clone();
        for n in 0..pages / 100 {
            // Some rounds hit the first page, on which SQLite finds everything else.
            let page = if round % 8 == 0 && n == 0 {
                0
            } else {
                chance.below(pages)
            };
            damage(&mut bent, page, &mut chance);
        }
        fs::write(profile.database(), &bent).expect("it writes");
        let report = Store::salvage(&profile.dir, &profile.key).expect("it is saved");
        let all = CONVERSATIONS * MESSAGES;
        assert!(
            report.messages as usize >= all * 95 / 100,
            "round {round}: {report:?}"
        );
        assert!(report.lost_pages as usize <= pages / 100, "{report:?}");
        assert_eq!(
            fs::read(&report.kept).expect("the old one is kept"),
            bent,
            "round {round}"
        );
        let store = profile.open().expect("it opens");
        store.check().expect("it is sound");
        let read = read_all(&store);
        assert_eq!(read as u64, report.messages, "round {round}");
        drop(store);
        fs::remove_file(report.kept).expect("it removes");
    }
}

#[test]
fn r_data_04_an_undamaged_store_is_saved_whole() {
    let (profile, whole) = written();
    let before = profile.open().expect("it opens");
    let drafts: Vec<_> = before
        .conversations(500)
        .expect("rows")
        .into_iter()
        .map(|row| (row.id, row.jid, row.draft, row.unread))
        .collect();
    before.close().expect("it closes");
    let report = Store::salvage(&profile.dir, &profile.key).expect("it is saved");
    assert_eq!(report.lost_pages, 0);
    assert_eq!(report.messages as usize, CONVERSATIONS * MESSAGES);
    let store = profile.open().expect("it opens");
    let after: Vec<_> = store
        .conversations(500)
        .expect("rows")
        .into_iter()
        .map(|row| (row.id, row.jid, row.draft, row.unread))
        .collect();
    assert_eq!(after, drafts);
    assert_eq!(read_all(&store), CONVERSATIONS * MESSAGES);
    assert_eq!(store.accounts().expect("rows").len(), 1);
    assert_eq!(whole.len(), fs::read(report.kept).expect("kept").len());

    // And it goes on: places and ids are not given twice.
    let (id, ..) = after[0].clone();
    let new = store
        .message_insert(&incoming(id, "after it"), Place::Newest)
        .expect("it inserts");
    let page = store.message_page(id, Page::Newest, 1).expect("a page");
    assert_eq!(page.messages[0].id, new.id());
}

#[test]
fn r_data_04_what_is_in_the_log_only_is_saved_too() {
    let (profile, _) = written();
    let store = profile.open().expect("it opens");
    let conversation = store.conversations(1).expect("rows")[0].id;
    store
        .message_insert(&incoming(conversation, "the newest of all"), Place::Newest)
        .expect("it inserts");
    let log = profile.dir.path().join("store.db-wal");
    let (file, log_bytes) = (
        fs::read(profile.database()).expect("it reads"),
        fs::read(&log).expect("it reads"),
    );
    drop(store);
    fs::write(profile.database(), file).expect("it writes");
    fs::write(&log, log_bytes).expect("it writes");
    let report = Store::salvage(&profile.dir, &profile.key).expect("it is saved");
    assert_eq!(report.messages as usize, CONVERSATIONS * MESSAGES + 1);
}

#[test]
fn r_data_04_a_cut_file_gives_back_what_is_left_of_it() {
    let (profile, whole) = written();
    let half = whole.len() / 2 + 77;
    fs::write(profile.database(), &whole[..half]).expect("it writes");
    let report = Store::salvage(&profile.dir, &profile.key).expect("it is saved");
    assert!(
        report.messages as usize > CONVERSATIONS * MESSAGES / 3,
        "{report:?}"
    );
    let store = profile.open().expect("it opens");
    assert_eq!(read_all(&store) as u64, report.messages);
}

#[test]
fn r_data_04_lost_accounts_and_conversations_do_not_take_their_messages_along() {
    let (profile, whole) = written_with(FEW);
    let pages = whole.len() / PAGE;
    let mut saved_of_lost = 0;
    // The small tables lie at the front, one to a page.
    for page in 1..16.min(pages) {
        let mut bent = whole.clone();
        damage(&mut bent, page, &mut Chance(page as u64));
        fs::write(profile.database(), &bent).expect("it writes");
        let report = Store::salvage(&profile.dir, &profile.key).expect("it is saved");
        assert!(
            report.messages as usize >= CONVERSATIONS * FEW * 80 / 100,
            "page {page}: {report:?}"
        );
        let store = profile.open().expect("it opens");
        assert_eq!(read_all(&store) as u64, report.messages, "page {page}");
        if store.accounts().expect("rows").is_empty() {
            assert_eq!(store.calls(None, 9).expect("rows").len(), 1);
            // Added again, it has its history back.
            let account = account(&store);
            assert!(
                store
                    .conversations(500)
                    .expect("rows")
                    .iter()
                    .all(|row| row.account == account)
            );
            saved_of_lost += 1;
        }
        drop(store);
        fs::remove_file(report.kept).expect("it removes");
    }
    assert_eq!(saved_of_lost, 1);
}

#[test]
fn r_data_04_what_belongs_to_a_lost_account_does_not_keep_the_rest_from_being_saved() {
    let (profile, _) = written_with(FEW);
    let store = profile.open().expect("it opens");
    // One without a conversation, that is not made anew.
    let other = common::add_account(&store, "other@example.org");
    store
        .otr_state_set(other, "person0@example.org", b"state")
        .expect("it sets");
    store.close().expect("it closes");
    let whole = fs::read(profile.database()).expect("it reads");
    let mut lost = 0;
    for page in 1..16.min(whole.len() / PAGE) {
        let mut bent = whole.clone();
        damage(&mut bent, page, &mut Chance(page as u64));
        fs::write(profile.database(), &bent).expect("it writes");
        let report = Store::salvage(&profile.dir, &profile.key).expect("it is saved");
        let store = profile.open().expect("it opens");
        assert_eq!(read_all(&store) as u64, report.messages, "page {page}");
        if store.accounts().expect("rows").is_empty() {
            let state = store.otr_state(other, "person0@example.org");
            assert_eq!(state.expect("it reads"), None);
            lost += 1;
        }
        drop(store);
        fs::remove_file(report.kept).expect("it removes");
    }
    assert_eq!(lost, 1);
}

#[test]
fn r_data_04_with_another_key_nothing_is_touched() {
    let (profile, whole) = written();
    let other = DatabaseKey::random().expect("random bytes");
    let refused = Store::salvage(&profile.dir, &other);
    assert!(
        matches!(refused, Err(StoreError::Damaged { .. })),
        "{refused:?}"
    );
    assert_eq!(fs::read(profile.database()).expect("it reads"), whole);
    let names: Vec<_> = fs::read_dir(profile.dir.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(names, ["store.db"], "nothing is left behind");
}

// ---- helpers -----------------------------------------------------------------------------------

fn body(conversation: usize, n: usize) -> String {
    // Some are longer than a page.
    let length = if n % 50 == 7 { 900 } else { 3 + n % 9 };
    format!(
        "{conversation}:{n} {}",
        "the quick brown fox ".repeat(length)
    )
}

fn written() -> (Profile, Vec<u8>) {
    written_with(MESSAGES)
}

fn written_with(messages: usize) -> (Profile, Vec<u8>) {
    let profile = Profile::new();
    let store = profile.open().expect("it opens");
    let account = account(&store);
    store.begin().expect("it begins");
    let conversations: Vec<ConversationId> = (0..CONVERSATIONS)
        .map(|n| {
            let jid = format!("person{n}@example.org");
            let id = store.conversation_open(account, &jid).expect("it opens");
            store
                .draft_set(id, &format!("draft {n}"))
                .expect("it writes");
            id
        })
        .collect();
    for n in 0..messages {
        for (index, id) in conversations.iter().enumerate() {
            let sender = format!("person{index}@example.org/phone");
            let body = body(index, n);
            let message = if n % 5 == 1 {
                NewMessage {
                    delivery: Some(Delivery::Delivered),
                    ..outgoing(*id, &body)
                }
            } else {
                NewMessage {
                    sender: &sender,
                    ..incoming(*id, &body)
                }
            };
            store
                .message_insert(&message, Place::Newest)
                .expect("it inserts");
        }
    }
    write_beside(&store, account, conversations[0]);
    store.commit().expect("it commits");
    store.close().expect("it closes");
    let bytes = fs::read(profile.database()).expect("it reads");
    (profile, bytes)
}

/// What refers to an account besides its conversations.
fn write_beside(store: &Store, account: AccountId, conversation: ConversationId) {
    let call = NewCall {
        account: Some(account),
        peer: "person0@example.org",
        direction: Direction::Incoming,
        outcome: CallOutcome::Answered,
        started_at: Timestamp(1),
        ended_at: Timestamp(2),
        end_reason: "",
        participants: &[],
        imported: None,
    };
    store.call_add(&call).expect("it adds");
    store
        .otr_state_set(account, "person0@example.org", b"state")
        .expect("it sets");
    store
        .credential_set(account, &Secret::new("secret".to_owned()), Timestamp(1))
        .expect("it keeps");
    let current = ArchiveState {
        newest: Some("a1".into()),
        ..ArchiveState::default()
    };
    store
        .archive_state_set(account, None, &current)
        .expect("it sets");
    let erased = NewMessage {
        archive_id: Some("a2"),
        ..incoming(conversation, "erased")
    };
    let erased = store
        .message_insert(&erased, Place::Newest)
        .expect("it inserts");
    // Its id in the archive is noted.
    store.message_erase(erased.id()).expect("it erases");
}

/// Reads everything. What is read is what was written, once and in order.
fn read_all(store: &Store) -> usize {
    let mut count = 0;
    let mut of_person = HashMap::new();
    for conversation in store.conversations(500).expect("rows") {
        let mut before = None;
        let mut numbers: Vec<usize> = Vec::new();
        loop {
            let which = before.map_or(Page::Newest, Page::Before);
            let page = store
                .message_page(conversation.id, which, 200)
                .expect("a page");
            let Some(first) = page.messages.first() else {
                break;
            };
            before = Some(first.id);
            count += page.messages.len();
            for message in page.messages.iter().rev() {
                let place = message.body.split(' ').next().expect("a beginning");
                let (person, n) = place.split_once(':').expect("two numbers");
                let (person, n) = (person.parse().expect("one"), n.parse().expect("one"));
                assert!(message.body == body(person, n), "wrong text at {place}");
                assert_eq!(conversation.jid, format!("person{person}@example.org"));
                of_person.insert(person, conversation.id);
                numbers.push(n);
            }
        }
        assert!(numbers.is_sorted_by(|later, earlier| later > earlier));
    }
    let found = store
        .search(&SearchQuery {
            text: "brown fox",
            conversation: None,
            before: None,
            limit: 50,
        })
        .expect("it searches");
    assert_eq!(found.hits.len(), 50.min(count));
    assert_eq!(of_person.len(), CONVERSATIONS);
    count
}

/// Changes some bytes of a page; of the first, those after the salt, without which there is no key.
fn damage(bytes: &mut [u8], page: usize, chance: &mut Chance) {
    for _ in 0..1 + chance.below(64) {
        let at = page * PAGE + if page == 0 { 16 } else { 0 };
        let at = at + chance.below((page + 1) * PAGE - at);
        bytes[at] ^= 1 + u8::try_from(chance.below(255)).unwrap_or(0);
    }
}

/// xorshift64*: the same run each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let mixed = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d);
        usize::try_from(mixed >> 33).unwrap_or(0) % limit
    }
}
