//! Sotto.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "a virtual clock begins at some instant"
    )
)]

mod dom;

pub mod automatic;
pub mod avatar;
pub mod blocking;
pub mod bob;
pub mod caps;
pub mod carbons;
pub mod chat_states;
pub mod correction;
pub mod csi;
pub mod data_form;
pub mod delay;
pub mod disco;
pub mod hints;
pub mod inbound;
pub mod iq;
pub mod mam;
pub mod markers;
pub mod message;
pub mod ns;
pub mod pep;
pub mod ping;
pub mod presence;
pub mod receipts;
pub mod refused;
pub mod register;
pub mod roster;
pub mod rsm;
pub mod sasl;
pub mod sm;
pub mod stanza_error;
pub mod stanza_id;
pub mod stream;
pub mod text;
pub mod vcard;
pub mod version;
pub mod xml;

pub use jid::{self, BareJid, FullJid, Jid};
pub use minidom::{self, Element};
