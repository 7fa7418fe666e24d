//! Off-the-Record Messaging, versions 2 and 3, without I/O.
#![forbid(unsafe_code)]

mod config;
mod conversation;
mod encoding;
mod event;
mod group;
mod instance;
mod keypair;
mod smp;

pub mod import;

pub use config::{Config, Env};
pub use conversation::Conversation;
pub use event::{
    Event, InstanceView, SendError, SmpEvent, SmpRefused, SmpState, State, StateError, TransmitKind,
};
pub use instance::{InstanceId, InstanceIdError, InstanceTag};
pub use keypair::{Fingerprint, FingerprintError, KeyError, Keypair, PublicKey, Random};
