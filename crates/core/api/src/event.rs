use serde::{Deserialize, Serialize};

use crate::id::{AccountId, ConversationId, ImportId, MessageId, RegistrationId};

/// What changed. Carries ids, never contents: re-read what you show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The profile was made, opened, or sealed otherwise. Re-read `profile_status`.
    ProfileChanged,
    /// Accounts were added or removed, or one of them changed. Re-read `account_list`.
    AccountChanged {
        /// Which.
        account: AccountId,
    },
    /// The contact list changed: names, groups, presence, pictures. At most 5 a second.
    ContactsChanged,
    /// A request to see my presence came or was answered. Re-read `subscription_list`.
    SubscriptionsChanged,
    /// Header, label, draft, unread count, typing or last message of a conversation changed.
    ConversationChanged {
        /// Which.
        conversation: ConversationId,
    },
    /// Messages were added; by the person, by the contact, or from the archive.
    MessagesAdded {
        /// Where.
        conversation: ConversationId,
        /// The first and the last of the new ids; catch-up adds many at once.
        first: MessageId,
        /// See `first`.
        last: MessageId,
        /// Whether one of them came from somebody else just now: what a notification is for.
        alert: bool,
    },
    /// Text or state of one message changed.
    MessageChanged {
        /// Where.
        conversation: ConversationId,
        /// Which.
        message: MessageId,
    },
    /// A message was taken back or erased.
    MessageRemoved {
        /// Where.
        conversation: ConversationId,
        /// Which.
        message: MessageId,
    },
    /// Much of the history went at once, by an erasure or by its age: re-read every list and page that is shown.
    HistoryErased,
    /// An import moved on. Re-read `import_view`.
    ImportChanged {
        /// Which.
        import: ImportId,
    },
    /// Recording began, stopped, or failed. Re-read `record_status`.
    RecordsChanged,
    /// A registration moved on. Re-read `registration_view`.
    RegistrationChanged {
        /// Which.
        registration: RegistrationId,
    },
    /// A question was asked or answered. Re-read `question_list`.
    QuestionsChanged,
    /// Keys of others, own keys, or trust changed. Re-read `peer_key_list` and `own_key_list`.
    KeysChanged,
    /// A privacy policy changed. Re-read `policy_list`.
    PoliciesChanged,
    /// Settings were replaced. Re-read `settings_get`.
    SettingsChanged,
    /// A second start asked for the window, perhaps with a link to open (which always asks first).
    Activated {
        /// The link as given, unparsed.
        link: Option<String>,
    },
    /// The owner of the profile is about to end.
    Ending,
}
