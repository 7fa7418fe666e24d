//! What a shell may ask of Sotto and what it hears back: plain, serialisable data, no logic.
//!
//! Every shell (the desktop window, `sotto-cli`, a bot on `sotto-cli rpc`) speaks only this.
//!
//! 1. Send a [`Request`]; it is answered by exactly one [`Reply`] or one [`ApiError`].
//! 2. Hear [`Event`]s. An event says *what changed* (ids, not contents); re-read what you show.
//! 3. Never compute what you show: each view carries the words and figures that it needs, so that
//!    every shell shows the same.
//!
//! Wire form: one JSON object a line; a request is `{"id":1,"method":"contact_list","params":{…}}`.
//! The whole of it is documented in `docs/rpc.md`, which a test keeps complete.
//!
//! Left to others: protocol words (XMPP, SIP) never appear here except as the name of a network.
#![forbid(unsafe_code)]

mod error;
mod event;
mod id;
mod reply;
mod request;
mod secret;
pub mod view;

pub use error::{ApiError, ErrorKind, Field, Problem};
pub use event::Event;
pub use id::{
    AccountId, ContactId, ConversationId, ImportId, MessageId, PeerKeyId, QuestionId,
    RegistrationId, RequestId, Timestamp,
};
pub use reply::{Outcome, Reply, ServerLine};
pub use request::{
    AccountSettings, CertificateAnswer, ClientLine, Protection, Proxy, ProxyKind, Request,
    ServerOverride, SubscriptionAnswer,
};
pub use secret::Secret;
