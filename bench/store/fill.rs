//! People and messages of a long life, the same at each run.

use sotto_api::view::{Delivery, Direction, MessageKind, Privacy, Subscription};
use sotto_api::{AccountId, AccountSettings, ConversationId, Secret, ServerOverride, Timestamp};
use sotto_store::row::{NewAccount, NewMessage, Place, RosterItem};
use sotto_store::{Result, Store};

use crate::corpus::Corpus;

pub const CONVERSATIONS: u64 = 1_000;
const GROUPS: usize = 10;
const BATCH: usize = 1_000;

/// How the account gets online; by default it does not.
#[derive(Default)]
pub struct Server {
    pub place: Option<ServerOverride>,
    pub password: Option<Secret>,
}

pub fn account(store: &Store, address: &str, server: &Server) -> Result<AccountId> {
    let settings = AccountSettings {
        server: server.place.clone(),
        ..AccountSettings::default()
    };
    let account = store.account_add(&NewAccount {
        network: "xmpp",
        address,
        enabled: server.place.is_some(),
        settings: &settings,
        agent_id: "d4565fa7-4d72-4749-b3d3-740edbf87770",
    })?;
    if let Some(password) = &server.password {
        store.credential_set(account, password, Timestamp(0))?;
    }
    Ok(account)
}

pub fn people(number: usize) -> Vec<RosterItem> {
    (0..number)
        .map(|n| RosterItem {
            jid: address(n),
            name: format!("Person {n}"),
            subscription: Subscription::Both,
            ask: false,
            groups: vec![format!("Group {}", n % GROUPS)],
        })
        .collect()
}

/// Messages with the first [`CONVERSATIONS`] people; the first conversation gets every tenth.
pub fn messages(store: &Store, account: AccountId, number: u64) -> Result<Vec<ConversationId>> {
    let names = 0..usize::try_from(CONVERSATIONS).expect("small");
    let conversations: Vec<ConversationId> = names
        .map(|n| store.conversation_open(account, &address(n)))
        .collect::<Result<_>>()?;
    let mut corpus = Corpus::new();
    let mut written = 0;
    while written < number {
        store.begin()?;
        for _ in 0..BATCH {
            let n = if written % 10 == 0 {
                0
            } else {
                1 + corpus.below(CONVERSATIONS - 1)
            };
            let conversation = conversations[usize::try_from(n).expect("below 1,000")];
            let body = corpus.message();
            let id = format!("{written:016x}");
            let incoming = corpus.below(2) == 0;
            store.message_insert(
                &NewMessage {
                    conversation,
                    direction: if incoming {
                        Direction::Incoming
                    } else {
                        Direction::Outgoing
                    },
                    kind: MessageKind::Text,
                    body: &body,
                    at: Timestamp(i64::try_from(written).expect("small") * 1000),
                    received_at: Timestamp(0),
                    delivery: (!incoming).then_some(Delivery::Delivered),
                    privacy: Privacy::ServerOnly,
                    origin_id: Some(&id),
                    message_id: Some(&id),
                    archive_id: Some(&id),
                    sender: "leila@example.org/phone.8",
                    unread: false,
                    kept: true,
                    notice: None,
                },
                Place::Newest,
            )?;
            written += 1;
        }
        store.commit()?;
    }
    Ok(conversations)
}

fn address(n: usize) -> String {
    format!("person{n}@example.org")
}
