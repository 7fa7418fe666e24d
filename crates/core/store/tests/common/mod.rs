//! What the suites share: a profile in a folder of its own, and short ways to write rows.
#![allow(dead_code, reason = "each suite uses a part")]

use std::path::Path;

use sotto_api::view::{Delivery, Direction, MessageKind, Privacy};
use sotto_api::{AccountId, AccountSettings, ConversationId, MessageId, Timestamp};
use sotto_store::row::{NewAccount, NewMessage, Place, SearchQuery};
use sotto_store::{DatabaseKey, ProfileDir, Result, Store};
use tempfile::TempDir;

pub struct Profile {
    pub folder: TempDir,
    pub dir: ProfileDir,
    pub key: DatabaseKey,
}

impl Profile {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = ProfileDir::open(&folder.path().join("profile")).expect("a profile folder");
        let key = DatabaseKey::random().expect("random bytes");
        Self { folder, dir, key }
    }

    pub fn open(&self) -> Result<Store> {
        Store::open(&self.dir, &self.key)
    }

    pub fn database(&self) -> std::path::PathBuf {
        self.dir.path().join("store.db")
    }
}

pub fn account(store: &Store) -> AccountId {
    add_account(store, "sara@example.org")
}

pub fn add_account(store: &Store, address: &str) -> AccountId {
    store
        .account_add(&NewAccount {
            network: "xmpp",
            address,
            enabled: true,
            settings: &AccountSettings::default(),
            agent_id: "d4565fa7-4d72-4749-b3d3-740edbf87770",
        })
        .expect("an account")
}

pub fn incoming(conversation: ConversationId, body: &str) -> NewMessage<'_> {
    NewMessage {
        conversation,
        direction: Direction::Incoming,
        kind: MessageKind::Text,
        body,
        at: Timestamp(1_000),
        received_at: Timestamp(1_001),
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

pub fn outgoing(conversation: ConversationId, body: &str) -> NewMessage<'_> {
    NewMessage {
        direction: Direction::Outgoing,
        delivery: Some(Delivery::Waiting),
        sender: "sara@example.org/desk",
        unread: false,
        ..incoming(conversation, body)
    }
}

pub fn add(store: &Store, new: &NewMessage<'_>) -> MessageId {
    store
        .message_insert(new, Place::Newest)
        .expect("an insertion")
        .id()
}

pub fn found(store: &Store, text: &str) -> Vec<String> {
    let query = SearchQuery {
        text,
        conversation: None,
        before: None,
        limit: 50,
    };
    let rows = store.search(&query).expect("a search");
    rows.hits.into_iter().map(|hit| hit.message.body).collect()
}

/// How often `needle` stands in the files of a folder, byte by byte.
pub fn occurrences(folder: &Path, needle: &[u8]) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            count += occurrences(&path, needle);
        } else {
            let bytes = std::fs::read(&path).expect("a file");
            count += bytes
                .windows(needle.len())
                .filter(|window| *window == needle)
                .count();
        }
    }
    count
}
