use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Never reused within a profile, so a stale id can only miss, never hit something else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);
    };
}

id!(
    /// One address on one network with its credential, settings and status.
    AccountId
);
id!(
    /// One person in the contact list.
    ContactId
);
id!(
    /// One conversation with a contact, or later with a room.
    ConversationId
);
id!(
    /// One message in the history. A larger id arrived (or was written) later.
    MessageId
);
id!(
    /// A question that waits for the person: a certificate, for now.
    QuestionId
);
id!(
    /// A registration (XEP-0077) under way.
    RegistrationId
);

id!(
    /// What was found of another program, until it is closed.
    ImportId
);

id!(
    /// A key of somebody else's device.
    PeerKeyId
);

/// Chosen by the shell; comes back with the reply.
pub type RequestId = u64;

/// Milliseconds since 1970-01-01T00:00:00Z, by the wall clock.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);
