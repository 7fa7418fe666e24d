//! Rows as the store hands them out: plain data, no protocol types. Views are built by the engine.
//!
//! `Debug` shows ids and states, never a text, a draft or a stanza.

mod call;
mod history;
mod private;

use std::fmt;

use sotto_api::view::{
    Availability, Delivery, Direction, LineNotice, MessageKind, Policy, Privacy, Subscription,
};
use sotto_api::{AccountId, AccountSettings, ContactId, ConversationId, MessageId, Timestamp};

pub use call::{CallOutcome, CallRow, NewCall};
pub use history::{Archived, DayRow, ErasedCount, Erasure};
pub use private::{OtrKeyRow, OwnPolicyRow, PeerKeyRow, Verified, VerifiedHow};

/// Debug for a text that must not be shown: its length in bytes.
struct Hidden<'a>(&'a str);

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…{} bytes", self.0.len())
    }
}

// ---- accounts --------------------------------------------------------------------------------

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    /// Row of `networks.toml`.
    pub network: &'a str,
    /// Bare address, normalised.
    pub address: &'a str,
    /// Whether it should go online.
    pub enabled: bool,
    /// The advanced page.
    pub settings: &'a AccountSettings,
    /// A stable random id that names this installation to the server (XEP-0388 `user-agent`).
    pub agent_id: &'a str,
}

/// An account.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountRow {
    /// Its id.
    pub id: AccountId,
    /// Row of `networks.toml`.
    pub network: String,
    /// Bare address, normalised.
    pub address: String,
    /// Whether it should be online.
    pub enabled: bool,
    /// The advanced page.
    pub settings: AccountSettings,
    /// The person's own status on it.
    pub availability: Availability,
    /// The person's own line on it.
    pub status_text: String,
    /// Names this installation to the server.
    pub agent_id: String,
    /// Whether a password is stored.
    pub remembered: bool,
}

/// A stored password, as *Saved passwords…* lists it: without the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRow {
    /// Whose.
    pub account: AccountId,
    /// When it was stored.
    pub stored_at: Timestamp,
}

// ---- trust in servers ------------------------------------------------------------------------

/// A key that the person accepted for one account and domain (S-TLS-05).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertPinRow {
    /// For this account only.
    pub account: AccountId,
    /// For this domain only.
    pub domain: String,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub spki: [u8; 32],
    /// When it was accepted.
    pub at: Timestamp,
}

/// The certificate that was last seen and accepted at a domain, to tell what changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertSeenRow {
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub spki: [u8; 32],
    /// What the engine wants to show of it later, as JSON.
    pub json: String,
    /// When it was last seen.
    pub at: Timestamp,
}

// ---- people ----------------------------------------------------------------------------------

/// One item of a roster (RFC 6121 §2.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterItem {
    /// Bare address, normalised.
    pub jid: String,
    /// The person's own name for it; empty for none.
    pub name: String,
    /// Who sees whose presence.
    pub subscription: Subscription,
    /// A request of mine waits for their answer.
    pub ask: bool,
    /// Groups, without doubles.
    pub groups: Vec<String>,
}

/// One address of the contact list with everything that its row shows. One per address; a contact
/// with several addresses comes as several rows with the same `contact`, next to each other.
#[derive(Clone, PartialEq)]
pub struct ContactListRow {
    /// The person.
    pub contact: ContactId,
    /// Their name as the person calls them; empty for none.
    pub name: String,
    /// On which account.
    pub account: AccountId,
    /// Bare address.
    pub jid: String,
    /// Who sees whose presence.
    pub subscription: Subscription,
    /// A request of mine waits for their answer.
    pub ask: bool,
    /// Their groups.
    pub groups: Vec<String>,
    /// The best of their programs by priority, then availability, then time; absent when offline.
    pub presence: Option<PresenceRow>,
    /// Hash of their picture.
    pub avatar: Option<String>,
    /// Whether the address is blocked.
    pub blocked: bool,
    /// The conversation with this address, if there is one.
    pub conversation: Option<ConversationId>,
    /// Messages not yet seen.
    pub unread: u32,
    /// What is being written and not sent; empty for nothing.
    pub draft: String,
    /// The last message of the conversation.
    pub last: Option<LastMessage>,
}

impl fmt::Debug for ContactListRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContactListRow")
            .field("contact", &self.contact)
            .field("account", &self.account)
            .field("subscription", &self.subscription)
            .field("conversation", &self.conversation)
            .field("unread", &self.unread)
            .finish_non_exhaustive()
    }
}

/// What a list shows of the last message.
#[derive(Clone, PartialEq, Eq)]
pub struct LastMessage {
    /// Which.
    pub id: MessageId,
    /// Whose.
    pub direction: Direction,
    /// What kind of line it is.
    pub kind: MessageKind,
    /// The first 200 characters of the text.
    pub preview: String,
    /// When it was written.
    pub at: Timestamp,
    /// How far it got.
    pub delivery: Option<Delivery>,
}

impl fmt::Debug for LastMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastMessage")
            .field("id", &self.id)
            .field("preview", &Hidden(&self.preview))
            .finish_non_exhaustive()
    }
}

/// Presence of one program of a person (RFC 6121 §4.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresenceRow {
    /// Bare address.
    pub jid: String,
    /// Resource; empty when the presence came from the bare address.
    pub resource: String,
    /// What it shows.
    pub availability: Availability,
    /// Its line.
    pub status: String,
    /// -128 to 127.
    pub priority: i8,
    /// Key into the capabilities cache (XEP-0115), if it sent one.
    pub caps: Option<String>,
    /// When it came.
    pub at: Timestamp,
}

/// A request to see my presence.
#[derive(Clone, PartialEq, Eq)]
pub struct SubscriptionRow {
    /// On which account.
    pub account: AccountId,
    /// From whom; bare.
    pub jid: String,
    /// What they call themselves (XEP-0172); untrusted.
    pub nickname: String,
    /// Their words; untrusted.
    pub text: String,
    /// When it first came.
    pub at: Timestamp,
}

impl fmt::Debug for SubscriptionRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriptionRow")
            .field("account", &self.account)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// A blocked address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedRow {
    /// On which account.
    pub account: AccountId,
    /// Whom: a bare address, a domain, or either with a resource (XEP-0191 §3.2).
    pub jid: String,
}

/// A picture.
#[derive(Clone, PartialEq, Eq)]
pub struct AvatarRow {
    /// SHA-1 of the bytes, lower-case hexadecimal (XEP-0084 §3).
    pub hash: String,
    /// `image/png` or `image/jpeg`.
    pub mime: String,
    /// The file.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for AvatarRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AvatarRow({}, {} bytes)", self.hash, self.bytes.len())
    }
}

// ---- conversations ---------------------------------------------------------------------------

/// A conversation.
#[derive(Clone, PartialEq)]
pub struct ConversationRow {
    /// Its id.
    pub id: ConversationId,
    /// The account that speaks in it.
    pub account: AccountId,
    /// The other side; bare.
    pub jid: String,
    /// What is being written and not sent; empty for nothing.
    pub draft: String,
    /// Messages not yet seen.
    pub unread: u32,
    /// The last message.
    pub last: Option<LastMessage>,
    /// Whether its text is kept; absent: as the global switch says.
    pub keep_history: Option<bool>,
    /// After how many days its messages expire; absent: as the global setting says; 0: never.
    pub expire_days: Option<u32>,
    /// What may leave here; absent: as the account or the global setting says.
    pub policy: Option<Policy>,
    /// Which device of the other side the person chose to write to.
    pub private_device: Option<String>,
}

impl fmt::Debug for ConversationRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConversationRow")
            .field("id", &self.id)
            .field("account", &self.account)
            .field("draft", &Hidden(&self.draft))
            .field("unread", &self.unread)
            .finish_non_exhaustive()
    }
}

// ---- messages --------------------------------------------------------------------------------

/// A message to be stored.
#[derive(Clone)]
pub struct NewMessage<'a> {
    /// Where.
    pub conversation: ConversationId,
    /// Whose.
    pub direction: Direction,
    /// What kind of line it is.
    pub kind: MessageKind,
    /// The text.
    pub body: &'a str,
    /// When it was written, as far as a server vouches for it; else when it came.
    pub at: Timestamp,
    /// When it came to this program.
    pub received_at: Timestamp,
    /// How far it got; only for own messages.
    pub delivery: Option<Delivery>,
    /// Who could read it on its way.
    pub privacy: Privacy,
    /// XEP-0359 `origin-id`; forgeable, never a ground to drop a message.
    pub origin_id: Option<&'a str>,
    /// The stanza's `id`.
    pub message_id: Option<&'a str>,
    /// Id in the own archive: a verified `stanza-id`, or the id of a MAM result.
    pub archive_id: Option<&'a str>,
    /// Full address of the writer.
    pub sender: &'a str,
    /// Counts as unread until the conversation is read. Only incoming messages that are appended.
    pub unread: bool,
    /// Whether the text is written down. Else it stays in memory, cannot be found after the program has
    /// ended, and the row goes at the next start.
    pub kept: bool,
    /// What a line of the program's own is about.
    pub notice: Option<LineNotice>,
}

impl fmt::Debug for NewMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewMessage")
            .field("conversation", &self.conversation)
            .field("direction", &self.direction)
            .field("body", &Hidden(self.body))
            .finish_non_exhaustive()
    }
}

/// Where a message goes within its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// After all others.
    Newest,
    /// Before all others: a page of older archive, inserted from its newest to its oldest.
    Oldest,
    /// At a place that `Store::places_before` reserved.
    At(i64),
}

/// What became of an insertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is new.
    New(MessageId),
    /// Its `archive_id` is known in this conversation already; nothing was changed.
    Known(MessageId),
}

impl Inserted {
    /// The message, new or known.
    pub fn id(self) -> MessageId {
        match self {
            Self::New(id) | Self::Known(id) => id,
        }
    }

    /// Whether it was new.
    pub fn is_new(self) -> bool {
        matches!(self, Self::New(_))
    }
}

/// A message.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Its id.
    pub id: MessageId,
    /// Where.
    pub conversation: ConversationId,
    /// Place in the conversation; ascending, with gaps.
    pub ord: i64,
    /// Whose.
    pub direction: Direction,
    /// What kind of line it is.
    pub kind: MessageKind,
    /// The text; empty when `deleted`.
    pub body: String,
    /// When it was written.
    pub at: Timestamp,
    /// When it came to this program.
    pub received_at: Timestamp,
    /// How far it got; only for own messages.
    pub delivery: Option<Delivery>,
    /// Why it was not sent; empty otherwise.
    pub failure: String,
    /// Who could read it on its way.
    pub privacy: Privacy,
    /// XEP-0359 `origin-id`.
    pub origin_id: Option<String>,
    /// The stanza's `id`.
    pub message_id: Option<String>,
    /// Id in the own archive.
    pub archive_id: Option<String>,
    /// Full address of the writer.
    pub sender: String,
    /// It was corrected; `Store::message_previous` has what it said before.
    pub edited: bool,
    /// It was taken back; only the line remains.
    pub deleted: bool,
    /// Whether its text is written down.
    pub kept: bool,
    /// What a line of the program's own is about.
    pub notice: Option<LineNotice>,
    /// It waits for a private conversation, and must leave in no other way.
    pub waits_private: bool,
}

impl fmt::Debug for MessageRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageRow")
            .field("id", &self.id)
            .field("conversation", &self.conversation)
            .field("ord", &self.ord)
            .field("direction", &self.direction)
            .field("delivery", &self.delivery)
            .field("body", &Hidden(&self.body))
            .finish_non_exhaustive()
    }
}

/// Which page of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The newest messages.
    Newest,
    /// The nearest before this one.
    Before(MessageId),
    /// The nearest after this one.
    After(MessageId),
    /// Around this one, itself included: where a search hit leads.
    Around(MessageId),
}

/// One page, the oldest message first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRows {
    /// The messages.
    pub messages: Vec<MessageRow>,
    /// Whether there are older ones.
    pub older: bool,
    /// Whether there are newer ones.
    pub newer: bool,
}

/// What to look for.
#[derive(Clone, Copy)]
pub struct SearchQuery<'a> {
    /// What the person typed, as it is.
    pub text: &'a str,
    /// In one conversation; in all when absent.
    pub conversation: Option<ConversationId>,
    /// Only those before this message, for the next page.
    pub before: Option<MessageId>,
    /// At most so many.
    pub limit: u32,
}

/// Finds, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchRows {
    /// The finds.
    pub hits: Vec<SearchRow>,
    /// Whether there are more.
    pub more: bool,
}

/// One find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchRow {
    /// The message.
    pub message: MessageRow,
    /// Byte ranges in its body to highlight: ascending, apart from each other, on character borders.
    pub highlights: Vec<(usize, usize)>,
}

// ---- outbox and streams ----------------------------------------------------------------------

/// An entry of the outbox. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutboxId(pub i64);

/// What a stanza in the outbox is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxPurpose {
    /// The message itself.
    Message,
    /// A correction of it (XEP-0308).
    Correction,
    /// Something that goes with a message but is none: a receipt, a marker.
    Notice,
    /// A message of the OTR protocol that carries nobody's words: a query, a key exchange, a heartbeat. As
    /// durable and in order as the messages among which it stands; where it fails, no message has failed.
    Otr,
}

/// A stanza to be sent.
#[derive(Clone)]
pub struct NewOutbox<'a> {
    /// By which account.
    pub account: AccountId,
    /// For which message; removed with it.
    pub message: Option<MessageId>,
    /// What for.
    pub purpose: OutboxPurpose,
    /// The stanza's `id`; what the archive is asked for when its fate is in doubt.
    pub stanza_id: &'a str,
    /// The stanza.
    pub xml: &'a str,
    /// When it was written.
    pub created: Timestamp,
}

impl fmt::Debug for NewOutbox<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewOutbox")
            .field("account", &self.account)
            .field("message", &self.message)
            .field("xml", &Hidden(self.xml))
            .finish_non_exhaustive()
    }
}

/// A stanza that the server has not confirmed.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its id; the order of sending.
    pub id: OutboxId,
    /// By which account.
    pub account: AccountId,
    /// For which message.
    pub message: Option<MessageId>,
    /// What for.
    pub purpose: OutboxPurpose,
    /// The stanza's `id`.
    pub stanza_id: String,
    /// The stanza.
    pub xml: String,
    /// Its outbound sequence number (XEP-0198) on the stream in force; absent: not handed over yet.
    pub sequence: Option<u32>,
    /// It was handed to a stream that is gone: the server may have it or not.
    pub ambiguous: bool,
    /// How often it was handed to a stream.
    pub attempts: u32,
    /// When it was written.
    pub created: Timestamp,
}

impl fmt::Debug for OutboxRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxRow")
            .field("id", &self.id)
            .field("message", &self.message)
            .field("sequence", &self.sequence)
            .field("ambiguous", &self.ambiguous)
            .field("xml", &Hidden(&self.xml))
            .finish_non_exhaustive()
    }
}

/// How far an archive is known (XEP-0313).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveState {
    /// Id of the newest message that was fetched.
    pub newest: Option<String>,
    /// Id of the oldest one.
    pub oldest: Option<String>,
    /// Nothing is older than `oldest`.
    pub complete: bool,
}
