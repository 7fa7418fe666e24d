//! Signing in (RFC 4422, RFC 6120 §6): SCRAM (RFC 5802, RFC 7677) with channel binding (RFC 9266,
//! RFC 5929) and downgrade protection (XEP-0474), EXTERNAL, and PLAIN where it is allowed.
//!
//! The stream drives what is here; a caller sees only [`ScramKeyJob`], because deriving the keys takes
//! too long for the thread that owns the stream.

mod hash;
mod keys;
pub(crate) mod mechanism;
mod prepare;
pub(crate) mod scram;

pub use hash::Hash;
pub use keys::{ScramKeyJob, ScramKeys};
pub(crate) use prepare::prepared;
