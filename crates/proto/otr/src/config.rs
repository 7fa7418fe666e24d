//! What the caller decides, and what it lends for one call.

use std::time::Instant;

use crate::Keypair;

/// What may be done in a conversation without asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Version 2 may be spoken; it has known weaknesses.
    pub v2: bool,
    /// Version 3 may be spoken.
    pub v3: bool,
    /// Plain text carries the whitespace tag until the peer answers in clear.
    pub offer: bool,
    /// A whitespace tag starts a key exchange.
    pub answer_tag: bool,
    /// A query starts a key exchange.
    pub answer_query: bool,
    /// An error message of the peer starts a key exchange, and so does a message that cannot be read. Where
    /// a session stands, an error message of its peer starts one anyway.
    pub restart_on_error: bool,
    /// Longest body, bytes of it as sent; `None` for whole messages. Values below 64 count as 64.
    pub fragment: Option<usize>,
}

/// Version 3 only, answered when asked for.
impl Default for Config {
    fn default() -> Self {
        Self {
            v2: false,
            v3: true,
            offer: false,
            answer_tag: true,
            answer_query: true,
            restart_on_error: true,
            fragment: None,
        }
    }
}

/// What the caller lends for one call.
pub struct Env<'a> {
    /// The long-term key of the account.
    pub keypair: &'a Keypair,
    /// What may be done.
    pub config: &'a Config,
    /// The time; must not run backwards.
    pub now: Instant,
    /// A cryptographically secure source of randomness.
    pub random: &'a mut dyn FnMut(&mut [u8]),
}
