use sotto_store::row::OutboxId;
use sotto_xmpp::iq;

use crate::{messages, password, people};

/// What an iq that we sent is for; comes back with its reply.
#[derive(Debug)]
pub(crate) enum Pending {
    /// Nobody waits for the outcome.
    Nothing,
    /// Contact list, presence, pictures, blocking.
    People(people::Pending),
    /// Changing the password on the server.
    Password(password::Pending),
    /// What the server can do.
    ServerInfo,
    /// What the own account can do.
    AccountInfo,
    /// A page of the archive.
    Archive(messages::archive::Asked),
    /// Proof that the server has everything up to here, where it has no stream management.
    Fence(OutboxId),
}

/// How an iq that we sent ended. Verified: only who was asked can answer (S-XMPP-05).
pub(crate) type IqReply = iq::Outcome;
