//! Off-the-Record Messaging, versions 2 and 3, without I/O.
//!
//! Implements *Off-the-Record Messaging Protocol version 3* and *version 2*: query and whitespace tag,
//! the authenticated key exchange, data messages with key rotation, fragments, instance tags, the
//! Socialist Millionaires' Protocol, the extra symmetric key; and reads the key files of other programs.
//!
//! The caller sends and receives texts, tells the time, brings randomness, keeps keys and state, and
//! decides what a fingerprint is worth.
//!
//! The loop:
//!
//! 1. Hand every message body to [`Conversation::receive`], or call [`Conversation::send`] and the like.
//! 2. Empty [`Conversation::poll_event`]; [`Event::Transmit`] is a body to send.
//! 3. Store [`Conversation::to_bytes`] before those bodies leave: no counter may be used twice.
//! 4. At [`Conversation::poll_timeout`], call [`Conversation::handle_timeout`] and go to 2.
//!
//! ```
//! use sotto_otr::{Conversation, Event, InstanceTag};
//!
//! let tag = InstanceTag::new(0x5a73_b2c1).expect("not reserved");
//! let mut conversation = Conversation::new(tag);
//! assert!(Conversation::is_otr("?OTRv3?"));
//! assert!(matches!(conversation.poll_event(), None::<Event>));
//! ```
//!
//! Not here: version 1 (its key exchange is broken) and version 4 (unfinished).
#![forbid(unsafe_code)]

mod ake;
mod config;
mod conversation;
mod crypto;
mod encoding;
mod event;
mod fragment;
mod group;
mod instance;
mod keypair;
mod keys;
mod query;
mod smp;
mod wire;

pub mod import;

pub use config::{Config, Env};
pub use conversation::{Conversation, LONGEST_TEXT};
pub use event::{
    Event, InstanceView, SendError, SmpEvent, SmpRefused, SmpState, State, StateError, TextRef,
    TransmitKind, Unread,
};
pub use instance::{InstanceId, InstanceIdError, InstanceTag};
pub use keypair::{Fingerprint, FingerprintError, KeyError, Keypair, PublicKey, Random};
