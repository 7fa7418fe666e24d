use sotto_xmpp::Element;
use sotto_xmpp::stanza_error::StanzaError;

use crate::{people, password};

/// What an iq that we sent is for; comes back with its reply.
#[derive(Debug)]
pub(crate) enum Pending {
    /// Nobody waits for the outcome.
    Nothing,
    /// Contact list, presence, pictures, blocking.
    People(people::Pending),
    /// Changing the password on the server.
    Password(password::Pending),
    /// What the server or the own account can do.
    Disco(crate::account::features::Asked),
    /// Switching carbons on.
    Carbons,
    /// A page of the archive.
    Archive(crate::messages::archive::Asked),
    /// Proof that the server has everything that was sent before, where it has no stream management.
    Fence(sotto_store::row::OutboxId),
}

/// How an iq that we sent ended. Verified: only who was asked can answer (S-XMPP-05).
#[derive(Debug)]
pub(crate) enum IqReply {
    /// `result`, with its payload if it has one.
    Result(Option<Element>),
    /// `error`.
    Error(StanzaError),
    /// No answer in time, or the stream is gone.
    Lost,
}
