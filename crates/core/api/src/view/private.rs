use serde::{Deserialize, Serialize};

use crate::id::{AccountId, ContactId, ConversationId, PeerKeyId, Timestamp};
use crate::view::conversation::Privacy;

/// What may leave for somebody: design word *privacy policy*, for text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// No private conversation is begun by the program; one can be begun by hand. The default: private
    /// conversations are not kept, and that is a choice to make knowingly (S-OTR-17).
    #[default]
    Off,
    /// A private conversation is offered with the first message, and used where it comes about.
    Preferred,
    /// A message goes out end-to-end encrypted, or it does not go.
    Required,
}

/// Where a policy was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "snake_case")]
pub enum PolicyScope {
    /// For everyone.
    Global {},
    /// For everyone on one account.
    Account {
        /// Which.
        account: AccountId,
    },
    /// For one person: one conversation.
    Conversation {
        /// Which.
        conversation: ConversationId,
    },
}

/// All policies in force, for the page where they are set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoliciesView {
    /// For everyone who has no setting of their own.
    pub global: Policy,
    /// Accounts and people with a setting of their own, also where it equals the global one.
    pub own: Vec<OwnPolicyView>,
    /// What no policy for private conversations covers, in words: rooms, messages to telephones.
    pub uncovered: String,
}

/// A setting that differs from everyone's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnPolicyView {
    /// For whom: an account or a conversation.
    pub scope: PolicyScope,
    /// Name of the person, or address of the account.
    pub name: String,
    /// The setting.
    pub policy: Policy,
    /// *when possible*, *off*, *required*.
    pub policy_text: String,
}

/// How a private conversation stands; part of [`crate::view::ConversationView`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateView {
    /// Where it stands.
    pub state: PrivateState,
    /// What may leave here.
    pub policy: Policy,
    /// Who set that: everyone's, the account's, or this person's own setting.
    pub policy_scope: PolicyScope,
    /// *Required, as for everyone*; stands at the end of the line under the field.
    pub policy_text: String,
    /// Whether a message written now would be taken: false while sending is stopped.
    pub can_send: bool,
    /// Devices of the other side that speak privately or could, the chosen one first.
    pub devices: Vec<DeviceView>,
    /// The other side's key on the chosen device, in ten groups of four; empty when there is none.
    pub code: String,
    /// The own key's code, as the other side sees it; empty before there is one.
    pub own_code: String,
    /// The other side's key.
    pub key: Option<PeerKeyId>,
    /// Trust in that key.
    pub trust: Option<Trust>,
    /// Question and answer, or shared secret, under way.
    pub verification: VerificationView,
    /// What the person must see and choose about; the gravest.
    pub alert: Option<AlertView>,
}

/// Where a private conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivateState {
    /// There is none.
    None,
    /// Keys are being made; what was written waits.
    Starting,
    /// It stands.
    Private,
    /// The other side ended it: nothing leaves until the person chooses.
    Ended,
}

/// A device of the other side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceView {
    /// For [`crate::Request::PrivateDevice`].
    pub id: String,
    /// What the other side calls it, cleaned; or *a device without a name*.
    pub name: String,
    /// Whether it is the one that is written to.
    pub chosen: bool,
    /// Whether a private conversation with it stands.
    pub private: bool,
    /// Its label.
    pub privacy: Privacy,
    /// Its key.
    pub key: Option<PeerKeyId>,
}

/// How sure it is whose a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Seen, and nobody has checked it.
    New,
    /// A person compared it, or a protocol proved it.
    Verified,
    /// It stands where another, verified key stood: sending is stopped until the person chooses.
    Changed,
    /// The person said that it is not theirs.
    Distrusted,
}

/// Verification by question or secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationView {
    /// Where it stands.
    pub state: VerificationState,
    /// The other side's question, cleaned; empty when a shared secret is asked for, or nothing.
    pub question: String,
    /// What happened, or what is waited for, in a sentence.
    pub text: String,
    /// Steps done, of two.
    pub step: u8,
}

/// Where a verification stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerificationState {
    /// None is under way.
    #[default]
    None,
    /// The other side asks; answer with [`crate::Request::VerifyAnswer`].
    Asked,
    /// The other side has to answer.
    Waiting,
    /// Both said the same: the key is verified.
    Succeeded,
    /// They did not: nothing was marked.
    Failed,
    /// One side stopped it.
    Stopped,
}

/// A notice with choices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertView {
    /// For programs.
    pub kind: AlertKind,
    /// *Your message was not sent*.
    pub title: String,
    /// What happened, why, and what to do.
    pub text: String,
    /// The choices, the safest first.
    pub choices: Vec<AlertChoice>,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AlertKind {
    /// Privacy is required and the other side did not answer or cannot; the text is back in the draft.
    NotPossible,
    /// The other side ended the private conversation.
    Ended,
    /// The key is not the one that was verified.
    KeyChanged,
    /// The key was distrusted by the person.
    Distrusted,
    /// Text came in clear where privacy was expected.
    CameUnencrypted,
    /// The other side's program could not read a message, or reported a fault.
    Fault,
}

/// One button of a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertChoice {
    /// What it does.
    pub act: AlertAct,
    /// Its label: *Ask again*.
    pub label: String,
    /// Whether it lowers the protection: never the default, and asked about once more.
    pub risky: bool,
    /// For a risky one: the question, as title and sentence; empty otherwise.
    pub question: String,
}

/// What a button of a notice does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AlertAct {
    /// Asks for a private conversation again (`PrivateStart`).
    Start,
    /// Opens *Verify*.
    Verify,
    /// Goes on without encryption to this person (`PrivateContinue`).
    ContinueUnencrypted,
    /// Goes on with the new key, not verified (`PrivateContinue`).
    ContinueUnverified,
    /// Opens the options of private conversations.
    Options,
    /// Puts the notice away.
    Dismiss,
}

/// A key of somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerKeyView {
    /// Its id.
    pub id: PeerKeyId,
    /// By which of the own accounts it was met.
    pub account: AccountId,
    /// That account's address.
    pub account_address: String,
    /// Whose address.
    pub address: String,
    /// Whose name.
    pub name: String,
    /// The person, when they are in the list.
    pub contact: Option<ContactId>,
    /// Ten groups of four.
    pub code: String,
    /// How sure.
    pub trust: Trust,
    /// *Verified*, *Not checked*, …
    pub trust_text: String,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last used.
    pub last_seen: Timestamp,
    /// Whether a private conversation with it stands now.
    pub in_use: bool,
}

/// An own key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnKeyView {
    /// Of which account.
    pub account: AccountId,
    /// That account's address.
    pub address: String,
    /// Ten groups of four; empty before there is one.
    pub code: String,
    /// It is being made now.
    pub making: bool,
    /// When it was made.
    pub created: Option<Timestamp>,
}
