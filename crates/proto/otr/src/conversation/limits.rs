//! How often a peer's programs can make us act (S-OTR-03).

use std::time::Instant;

use super::{INSTANCES, MINUTE};

/// What a program of the peer makes us do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Start a key exchange that it asked for.
    Answer,
    /// Start one for anything else: a whitespace tag, an error message, a message that cannot be read.
    Start,
    /// Tell it that it could not be read.
    Complain,
}

impl Act {
    /// How often in a minute one program can make us do it.
    fn limit(self) -> usize {
        match self {
            Self::Answer => 3,
            Self::Start | Self::Complain => 1,
        }
    }
}

/// What was done in the last minute: for at most [`INSTANCES`] full addresses.
#[derive(Default)]
pub(super) struct Limits {
    recent: Vec<(String, Act, Instant)>,
}

impl Limits {
    /// Whether it may be done now for the program at this full address; it is counted then.
    pub(super) fn take(&mut self, from: &str, act: Act, now: Instant) -> bool {
        self.recent
            .retain(|(_, _, at)| now.saturating_duration_since(*at) < MINUTE);
        let known = self.recent.iter().any(|(known, ..)| known == from);
        let times = self
            .recent
            .iter()
            .filter(|(known, done, _)| known == from && *done == act)
            .count();
        if times >= act.limit() || (!known && self.addresses() >= INSTANCES) {
            return false;
        }
        self.recent.push((from.to_owned(), act, now));
        true
    }

    /// The session with this address is over: what started it is not counted any more.
    pub(super) fn forget_starts(&mut self, from: &str) {
        self.recent
            .retain(|(known, act, _)| known != from || *act == Act::Complain);
    }

    fn addresses(&self) -> usize {
        let mut known: Vec<&str> = self.recent.iter().map(|(from, ..)| from.as_str()).collect();
        known.sort_unstable();
        known.dedup();
        known.len()
    }
}
