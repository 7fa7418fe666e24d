use serde::{Deserialize, Serialize};
use sotto_api::{AccountId, ConversationId, MessageId, Timestamp};

/// What to erase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Erasure {
    /// One message.
    Message(MessageId),
    /// Everything with one contact, the draft too.
    Conversation(ConversationId),
    /// What was written, and calls that began, in a span of time.
    Between {
        /// In one conversation; in all when absent.
        conversation: Option<ConversationId>,
        /// From then on.
        from: Timestamp,
        /// Before then.
        to: Timestamp,
    },
    /// Every conversation of an account.
    Account(AccountId),
    /// Every conversation of an account that is being removed, and then what is left of the account.
    Removed(AccountId),
    /// Every conversation of every account.
    All,
}

/// How much an erasure takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErasedCount {
    /// Messages, without the program's own lines.
    pub messages: u64,
    /// Calls.
    pub calls: u64,
    /// Files of damaged stores beside the store, which hold older messages. They go with [`Erasure::All`] only.
    pub remains: usize,
    /// Files of recorded stanzas ([`crate::Records`]), which no erasure takes.
    pub records: usize,
}

/// What was said in a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRow {
    /// The first message in the order of its conversation; over all, the one that was written first.
    pub first: MessageId,
    /// How many messages, without the program's own lines.
    pub messages: u32,
}

/// A message that the own archive tells of.
#[derive(Clone, Copy, Debug)]
pub struct Archived<'a> {
    /// Its id there.
    pub archive_id: &'a str,
    /// Bare address of who sent it.
    pub sender: &'a str,
    /// The stanza's `id`.
    pub message_id: Option<&'a str>,
    /// The id of what it corrects (XEP-0308).
    pub replaces: Option<&'a str>,
}
