//! XMPP for a client, without I/O: streams from the first byte to stanzas, and one module for each
//! extension, as functions and state machines over stanzas.
//!
//! What it implements:
//!
//! - [`stream`]: RFC 6120 (streams §4, STARTTLS §5, SASL §6, resource binding §7), XEP-0388 and
//!   XEP-0386 (all of these in one step), XEP-0440; [`sasl`]: SCRAM of RFC 5802 and RFC 7677 with the
//!   bindings of RFC 9266 and RFC 5929, XEP-0474, EXTERNAL, PLAIN; [`sm`]: XEP-0198; [`xml`]:
//!   restricted XML of RFC 6120 §11;
//! - [`message`], [`presence`], [`roster`], [`iq`]: RFC 6121 and RFC 6120 §8;
//! - the other modules carry the short name of their extension and its number in their first line.
//!
//! What it leaves to the caller: sockets, TLS and its certificates, DNS, the clock, randomness, the
//! store, and the thread on which SCRAM's keys are derived. Which stanza is worth what is decided
//! here; what a person sees is not.
//!
//! To drive a stream, after each call that changes it:
//!
//! 1. take [`stream::ClientStream::poll_event`] until it gives nothing. A stanza goes to
//!    [`inbound::sort`] or [`iq::Tracker::handle`]; keep its effects, then report them by
//!    [`stream::ClientStream::mark_handled`];
//! 2. keep [`stream::ClientStream::resume_state`] in the same transaction;
//! 3. take [`stream::ClientStream::poll_transmit`] until it gives nothing;
//! 4. call [`stream::ClientStream::handle_timeout`] when [`stream::ClientStream::poll_timeout`] says.
//!
//! ```
//! # #![allow(clippy::disallowed_methods)]
//! use std::time::Instant;
//! use sotto_xmpp::stream::{
//!     ClientStream, Purpose, Security, StreamConfig, StreamEvent, StreamFailure, Transmit,
//! };
//!
//! let config = StreamConfig {
//!     domain: "example.org".to_owned(),
//!     purpose: Purpose::Register,
//!     security: Security::NotYet,
//!     lang: "en".to_owned(),
//! };
//! let now = Instant::now();
//! let mut stream = ClientStream::new(config, now, &mut |bytes| bytes.fill(4));
//! assert!(matches!(stream.poll_transmit(), Some(Transmit::Bytes(_))));
//!
//! // A server that offers no encryption is not talked to.
//! let server = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
//!               from='example.org' version='1.0'><stream:features/>";
//! stream.handle_bytes(server.as_bytes(), now);
//! let Some(StreamEvent::Failed(failure)) = stream.poll_event() else { panic!() };
//! assert_eq!(failure, StreamFailure::NoEncryption);
//! ```
//!
//! Supported: client to server over TLS, stream resumption also after a restart, one-to-one messages
//! with their archive. Not supported, on purpose: sending anything but the negotiation without TLS,
//! stream compression (XEP-0138), redirection to other hosts, remote control (XEP-0146), rooms,
//! XMPP between servers.

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
pub mod eme;
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
pub mod tap;
pub mod text;
pub mod vcard;
pub mod version;
pub mod xml;

pub use jid::{self, BareJid, FullJid, Jid};
pub use minidom::{self, Element};
