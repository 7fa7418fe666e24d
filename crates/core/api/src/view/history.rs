use serde::{Deserialize, Serialize};

use crate::id::{AccountId, ConversationId, ImportId, MessageId, Timestamp};

/// How long messages are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Expiry {
    /// For ever.
    #[default]
    Never,
    /// 365 days.
    Year,
    /// 30 days.
    Month,
    /// 7 days.
    Week,
    /// 24 hours.
    Day,
}

/// Whether a conversation is kept, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryView {
    /// Whether a text written now is kept when the program ends.
    pub keep: bool,
    /// The conversation's own choice; absent: as for everyone.
    pub own_keep: Option<bool>,
    /// How long.
    pub expiry: Expiry,
    /// The conversation's own choice; absent: as for everyone.
    pub own_expiry: Option<Expiry>,
    /// Both in a line: *Kept for a week*, *Not kept*.
    pub text: String,
}

/// What to erase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "snake_case")]
pub enum EraseScope {
    /// One message.
    Message {
        /// Which.
        message: MessageId,
    },
    /// Everything with one contact, drafts too.
    Conversation {
        /// Which.
        conversation: ConversationId,
    },
    /// One day.
    Day {
        /// In one conversation; in all when absent.
        #[serde(default)]
        conversation: Option<ConversationId>,
        /// The day: `2026-11-26`.
        day: String,
        /// Where it begins, as in `HistoryDays`.
        #[serde(default)]
        zone: String,
    },
    /// Everything of one account.
    Account {
        /// Which.
        account: AccountId,
    },
    /// Everything.
    All,
}

/// How much was erased, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedView {
    /// Messages.
    pub messages: u64,
    /// Calls.
    pub calls: u64,
    /// In a sentence, as it is asked: *1,284 messages and 12 calls will be gone from this computer. …*
    pub text: String,
}

/// Days on which something was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayPage {
    /// The newest first.
    pub days: Vec<DayView>,
    /// Whether there are older ones.
    pub more: bool,
}

/// One day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayView {
    /// `2026-11-26`, in the zone that was asked for.
    pub day: String,
    /// Its first message in the order of the history.
    pub first: MessageId,
    /// How many messages.
    pub messages: u32,
}

/// A part of a conversation as readable text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportPart {
    /// A name for the file, without folder: `Leila Haddad 2026-11-26.txt`.
    pub name: String,
    /// The text; the first part begins with a heading.
    pub text: String,
    /// Ask for the next part after this message; absent: that was all.
    pub next: Option<MessageId>,
}

impl std::fmt::Debug for ExportPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExportPart")
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

/// A password that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPasswordView {
    /// Whose.
    pub account: AccountId,
    /// The network's name.
    pub network: String,
    /// The account's address.
    pub address: String,
    /// Since when.
    pub stored_at: Timestamp,
}

/// What can be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Stanzas, with credentials blanked.
    Stanzas,
    /// The program's log.
    Log,
}

/// Whether stanzas are recorded, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recording {
    /// Nothing is written.
    #[default]
    Off,
    /// Sealed under the profile's key.
    Sealed,
    /// As plain capture files (pcapng) that everybody who gets at the folder can read.
    Plain,
}

/// What is recorded, and what lies there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordsView {
    /// How stanzas are recorded now.
    pub stanzas: Recording,
    /// Files of stanzas, sealed and plain.
    pub stanza_files: u32,
    /// Their size in bytes.
    pub stanza_bytes: u64,
    /// Whether the log is recorded now.
    pub log: bool,
    /// Its size in bytes.
    pub log_bytes: u64,
    /// Where they lie.
    pub folder: String,
    /// What the window says while something is recorded; empty otherwise.
    pub warning: String,
    /// Why recording stopped by itself, for example a full disk; empty otherwise.
    pub failure: String,
}

/// A program that people come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum ImportProgram {
    Jitsi,
    Pidgin,
}

/// What to take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportParts {
    /// Accounts, switched off until the person switches them on.
    pub accounts: bool,
    /// Their passwords, sealed.
    pub passwords: bool,
    /// Messages and calls.
    pub history: bool,
    /// OTR keys, and which codes were verified.
    pub keys: bool,
}

/// What another program has, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportView {
    /// Its id.
    pub id: ImportId,
    /// Whose.
    pub program: ImportProgram,
    /// The folder that was looked at.
    pub folder: String,
    /// How far it is.
    pub state: ImportState,
    /// Accounts, by address; those of networks that are not supported yet are named in `problems`.
    pub accounts: Vec<String>,
    /// Passwords that can be read.
    pub passwords: u32,
    /// Whether there are passwords that need Jitsi's master password.
    pub needs_master: bool,
    /// Conversations.
    pub conversations: u32,
    /// Messages.
    pub messages: u64,
    /// Calls.
    pub calls: u64,
    /// Own OTR keys.
    pub own_keys: u32,
    /// Verified codes of others.
    pub verified_keys: u32,
    /// Size of the clear-text originals in bytes.
    pub bytes: u64,
    /// What could not be read or taken, each in a sentence.
    pub problems: Vec<String>,
    /// What was done, in a sentence; empty before.
    pub text: String,
    /// What shredding can and cannot do, said before it is offered.
    pub shred_text: String,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ImportState {
    /// It was looked at; nothing was changed.
    Found,
    /// It is being taken over.
    Running {
        /// Messages so far.
        messages: u64,
    },
    /// It is here.
    Done,
    /// It is here, and the originals are gone.
    Shredded,
}
