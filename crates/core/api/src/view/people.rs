use serde::{Deserialize, Serialize};

use crate::id::{AccountId, ContactId, ConversationId, Timestamp};

/// What others see of a person's presence, ordered from most to least available.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it; RFC 6121 §4.7.2.1")]
pub enum Availability {
    Chat,
    #[default]
    Available,
    Away,
    ExtendedAway,
    Busy,
    Offline,
    /// Not known yet: no subscription, or the server has not told.
    Unknown,
}

/// One group of the contact list, in the order to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactGroup {
    /// The person's own name for it; empty for those without a group.
    pub name: String,
    /// How many of it are online.
    pub online: u32,
    /// How many there are, shown or not.
    pub total: u32,
    /// Those to show.
    pub contacts: Vec<ContactView>,
}

/// One person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactView {
    /// Their id; absent for somebody who writes but is not in the list.
    pub id: Option<ContactId>,
    /// Their name, or their address.
    pub name: String,
    /// One or two letters for a picture that is missing.
    pub initials: String,
    /// Which of the six pairs of colours (look, §2), 0–5.
    pub colour: u8,
    /// Hash of their picture.
    pub avatar: Option<String>,
    /// Their addresses, the most available first.
    pub addresses: Vec<AddressView>,
    /// Groups they belong to.
    pub groups: Vec<String>,
    /// The best of their addresses.
    pub availability: Availability,
    /// The word for it: *Available*, *Away* …
    pub availability_text: String,
    /// Their own line.
    pub status_text: String,
    /// The conversation with them, if there is one.
    pub conversation: Option<ConversationId>,
    /// Messages not yet seen.
    pub unread: u32,
    /// What the row says below the name: last words, draft, a request that waits.
    pub preview: String,
    /// Whether `preview` is a draft.
    pub preview_is_draft: bool,
    /// Whether the last message could not be sent.
    pub preview_failed: bool,
    /// When the last message was.
    pub last_at: Option<Timestamp>,
    /// Whether they are blocked.
    pub blocked: bool,
    /// The row as a screen reader says it.
    pub spoken: String,
}

/// One address of a person, on one of my accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressView {
    /// My account.
    pub account: AccountId,
    /// Their address, as typed on a screen (Unicode).
    pub address: String,
    /// The same in ASCII where it holds letters of several scripts that could be confused (S-UI-05).
    pub ascii: Option<String>,
    /// Who sees whose presence.
    pub subscription: Subscription,
    /// A request of mine waits for their answer.
    pub asking: bool,
    /// What this address shows.
    pub availability: Availability,
}

/// Who sees whose presence (RFC 6121 §2.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subscription {
    /// Neither.
    None,
    /// I see theirs.
    To,
    /// They see mine.
    From,
    /// Both.
    Both,
}

/// A request to see my presence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionView {
    /// On which account.
    pub account: AccountId,
    /// From whom.
    pub address: String,
    /// What they call themselves (XEP-0172); untrusted.
    pub nickname: String,
    /// Their words; untrusted.
    pub text: String,
    /// When it came.
    pub at: Timestamp,
}

/// A blocked address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedView {
    /// On which account.
    pub account: AccountId,
    /// Whom.
    pub address: String,
}
