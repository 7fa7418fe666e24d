use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::event::Event;
use crate::id::RequestId;
use crate::secret::Secret;
use crate::view::{
    AccountView, BlockedView, ContactGroup, ContactView, ConversationView, DayPage, ErasedView,
    ExportPart, ImportView, MessagePage, MessageView, NetworkView, OwnKeyView, PeerKeyView,
    PoliciesView, ProfileView, QuestionView, RecordsView, RegistrationView, SavedPasswordView,
    SearchPage, ServerView, Settings, StrengthView, SubscriptionView,
};

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", content = "value", rename_all = "snake_case")]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "each variant is named after the view it carries"
)]
#[allow(
    clippy::large_enum_variant,
    reason = "a reply lives for one hand-over; a box would only add an allocation"
)]
pub enum Reply {
    /// It was done; there is nothing more to say.
    Done,
    Profile(ProfileView),
    Strength(StrengthView),
    /// A passphrase drawn at random.
    Suggestion(String),
    Networks(Vec<NetworkView>),
    Servers(Vec<ServerView>),
    Accounts(Vec<AccountView>),
    Account(AccountView),
    Registration(RegistrationView),
    Questions(Vec<QuestionView>),
    Contacts(Vec<ContactGroup>),
    Contact(ContactView),
    SubscriptionRequests(Vec<SubscriptionView>),
    Blocked(Vec<BlockedView>),
    /// PNG or JPEG, base64; absent when it is not known.
    Avatar(Option<String>),
    Conversations(Vec<ConversationView>),
    Conversation(ConversationView),
    Messages(MessagePage),
    Message(MessageView),
    Found(SearchPage),
    Settings(Settings),
    PeerKeys(Vec<PeerKeyView>),
    OwnKeys(Vec<OwnKeyView>),
    Policies(PoliciesView),
    SavedPasswords(Vec<SavedPasswordView>),
    /// A kept password, to be shown and not kept.
    Password(Secret),
    Days(DayPage),
    Erased(ErasedView),
    Export(ExportPart),
    Records(RecordsView),
    Import(ImportView),
    /// Name and version, for example `Sotto 0.1.0`.
    Version(String),
}

/// One line from the owner of the profile to a shell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[allow(
    clippy::large_enum_variant,
    reason = "a line lives for one hand-over; a box would only add an allocation"
)]
pub enum ServerLine {
    /// The answer to the request with this id.
    Answer {
        /// As the shell chose it.
        id: RequestId,
        /// Reply or error.
        #[serde(flatten)]
        outcome: Outcome,
    },
    /// Something changed.
    Event(Event),
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(
    clippy::large_enum_variant,
    reason = "an outcome lives for one hand-over; a box would only add an allocation"
)]
pub enum Outcome {
    /// It was done.
    Ok(Reply),
    /// It was refused; nothing was changed.
    Error(ApiError),
}
