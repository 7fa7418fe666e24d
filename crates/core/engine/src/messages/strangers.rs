//! Bounds for messages of people who are not in the contact list (S-XMPP-18).

use std::time::{Duration, Instant};

/// New conversations that strangers can open.
const CONVERSATIONS: Rate = Rate {
    most: 100,
    every: Duration::from_secs(3600),
};
/// Messages of all strangers together that are kept.
const MESSAGES: Rate = Rate {
    most: 1000,
    every: Duration::from_secs(3600),
};
/// Messages of strangers that make themselves noticed.
const ALERTS: Rate = Rate {
    most: 5,
    every: Duration::from_secs(600),
};

#[derive(Clone, Copy)]
struct Rate {
    most: u32,
    every: Duration,
}

/// What one account took from strangers lately. The server's archive keeps what is not taken.
#[derive(Default)]
pub(crate) struct Limits {
    conversations: Window,
    messages: Window,
    alerts: Window,
}

#[derive(Default)]
struct Window {
    since: Option<Instant>,
    count: u32,
}

impl Limits {
    /// Whether a message of a stranger is kept; `new`: it opens a conversation.
    pub fn take(&mut self, new: bool, now: Instant) -> bool {
        (!new || self.conversations.take(CONVERSATIONS, now)) && self.messages.take(MESSAGES, now)
    }

    /// Whether it may make itself noticed.
    pub fn alert(&mut self, now: Instant) -> bool {
        self.alerts.take(ALERTS, now)
    }
}

impl Window {
    fn take(&mut self, rate: Rate, now: Instant) -> bool {
        if self
            .since
            .is_none_or(|since| now.saturating_duration_since(since) >= rate.every)
        {
            self.since = Some(now);
            self.count = 0;
        }
        if self.count >= rate.most {
            return false;
        }
        self.count += 1;
        true
    }
}
