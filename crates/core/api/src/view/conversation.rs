use serde::{Deserialize, Serialize};

use crate::id::{AccountId, ContactId, ConversationId, MessageId, Timestamp};
use crate::view::history::HistoryView;
use crate::view::people::{Availability, ContactView};
use crate::view::private::PrivateView;

/// The header and state of one conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationView {
    /// Its id.
    pub id: ConversationId,
    /// The account that speaks in it.
    pub account: AccountId,
    /// That account's address.
    pub account_address: String,
    /// The other side's address.
    pub address: String,
    /// The person, also when they are not in the list.
    pub contact: ContactView,
    /// Their id, when they are in the list.
    pub contact_id: Option<ContactId>,
    /// Their presence.
    pub availability: Availability,
    /// Second line of the header: presence in words and address.
    pub subtitle: String,
    /// They are not in the list and have written: shown as such, with *Add* and *Block*.
    pub stranger: bool,
    /// They are writing now.
    pub typing: bool,
    /// *Leila is writing…*, or empty.
    pub typing_text: String,
    /// What is being written and not sent.
    pub draft: String,
    /// Messages not yet seen.
    pub unread: u32,
    /// The first of them, for the *New messages* separator.
    pub first_unread: Option<MessageId>,
    /// Who can read.
    pub privacy: PrivacyView,
    /// The private conversation, and what may leave.
    pub private: PrivateView,
    /// Whether what is said here is kept, and for how long.
    pub history: HistoryView,
    /// Whether a message sent now would leave at once.
    pub online: bool,
    /// A line for the person when it would not, in plain words; empty otherwise.
    pub notice: String,
    /// The message that ↑ corrects, if there is one.
    pub correctable: Option<MessageId>,
    /// When the last message was.
    pub last_at: Option<Timestamp>,
}

/// Who can read (design 1.3): exactly one of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Privacy {
    /// End-to-end, verified.
    Verified,
    /// End-to-end, not verified.
    Encrypted,
    /// To the server only.
    ServerOnly,
    /// Not encrypted.
    None,
}

/// The privacy label, worded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivacyView {
    /// Which of the four.
    pub state: Privacy,
    /// The label: *To the server only*.
    pub label: String,
    /// Under the field: *The servers in between can read this.*
    pub below: String,
    /// For the screen reader.
    pub spoken: String,
}

/// One page of messages, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagePage {
    /// The messages.
    pub messages: Vec<MessageView>,
    /// Whether there are older ones.
    pub older: bool,
    /// Whether there are newer ones.
    pub newer: bool,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageView {
    /// Its id.
    pub id: MessageId,
    /// Where.
    pub conversation: ConversationId,
    /// Whose.
    pub direction: Direction,
    /// The writer's name.
    pub author: String,
    /// What kind of line it is.
    pub kind: MessageKind,
    /// The text, control characters removed. `/me waves` is *Sara waves* with kind `Action`.
    pub body: String,
    /// Links in `body`, in order.
    pub links: Vec<LinkSpan>,
    /// When it was written, as far as a server vouches for it; else when it came.
    pub at: Timestamp,
    /// How far it got; only for own messages.
    pub delivery: Option<Delivery>,
    /// *Waiting*, *Sent*, *Delivered*, *Seen*, *Not sent*; empty for others'.
    pub delivery_text: String,
    /// Why it was not sent, in a sentence; empty otherwise.
    pub failure: String,
    /// It was corrected.
    pub edited: bool,
    /// What it said before each correction, the oldest first.
    pub previous: Vec<String>,
    /// Who could read it on its way.
    pub privacy: Privacy,
    /// Words below it where that matters: *Sent unencrypted*, *Came unencrypted*; empty otherwise.
    pub privacy_text: String,
    /// Whether it is kept when the program ends; private ones are not, unless the person says so.
    pub kept: bool,
    /// What a line of the program's own is about, for its icon and where it leads; absent for others.
    pub notice: Option<LineNotice>,
    /// The message as a screen reader says it.
    pub spoken: String,
}

/// Whose message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Direction {
    Incoming,
    Outgoing,
}

/// What kind of line a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Somebody's words.
    Text,
    /// `/me` (XEP-0245).
    Action,
    /// A line of the program's own, in a form that no message can take.
    System,
}

/// What a line of the program's own is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LineNotice {
    /// A private conversation began; says whether the key is verified.
    PrivateStarted,
    /// A private conversation began and is not kept: leads to the setting.
    NotKept,
    /// A private conversation ended.
    PrivateEnded,
    /// The other side did not answer, or in a version that is not spoken: no private conversation came about.
    NoAnswer,
    /// Another key than before: leads to *Verify*.
    KeyChanged,
    /// A verification succeeded.
    Verified,
    /// A verification did not succeed.
    NotVerified,
    /// Something could not be read.
    Unreadable,
    /// Own messages were sent again, since the other side may not have been able to read them.
    SentAgain,
    /// A correction did not leave: it would have stood outside the encryption.
    CorrectionHeld,
}

/// How far an own message got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// It waits for the account, or for the server to say that it has it.
    Waiting,
    /// The server has it (XEP-0198).
    Sent,
    /// The other program has it (XEP-0184).
    Delivered,
    /// The person has seen it (XEP-0333).
    Seen,
    /// It will not arrive; `failure` says why.
    Failed,
}

/// A link in a text. The shell shows `target` and asks before it opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkSpan {
    /// First byte in `body`.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// The true target, with its host in ASCII; only http, https, mailto, xmpp, sip, sips, geo (S-UI-02).
    pub target: String,
    /// Why to be careful: mixed scripts in the host, a user part that imitates a host. Empty otherwise.
    pub warning: String,
}

/// One page of finds, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchPage {
    /// The finds.
    pub hits: Vec<SearchHit>,
    /// Whether there are more.
    pub more: bool,
}

/// One find.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchHit {
    /// The message.
    pub message: MessageView,
    /// The name of the conversation.
    pub conversation_name: String,
    /// Byte ranges in the body to highlight.
    pub highlights: Vec<(usize, usize)>,
}
