//! Stream management (XEP-0198 1.6): who has what, and how a stream is taken up again.
//!
//! Stanzas are counted modulo 2³². When something is asked or answered is the stream's business.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// What it takes to go on with a stream after the connection broke (XEP-0198 §5).
///
/// To be kept in the same transaction as the effects of the stanzas that it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumeState {
    /// The server's id of the stream (`previd`).
    pub id: String,
    /// The address that was bound.
    pub jid: String,
    /// Where the server would like to be called next time (`host:port`); a hint only.
    #[serde(default)]
    pub location: Option<String>,
    /// Inbound stanzas whose effects are kept; our `h`.
    pub handled: u32,
    /// Outbound stanzas handed to the stream.
    pub sent: u32,
    /// Outbound stanzas that the server has confirmed.
    pub acked: u32,
    /// For how many seconds the server keeps the stream, as far as it said.
    #[serde(default)]
    pub max_seconds: Option<u32>,
}

/// The server has counted more than there was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CountTooHigh {
    pub h: u32,
    pub sent: u32,
}

/// What a server says when it switches stream management on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Enabled {
    /// The id by which the stream can be resumed, if it can.
    pub id: Option<String>,
    pub location: Option<String>,
    pub max_seconds: Option<NonZeroU32>,
}

/// The counters of one managed stream.
#[derive(Clone, Debug)]
pub(crate) struct Counters {
    enabled: Enabled,
    jid: String,
    /// Inbound stanzas.
    received: u32,
    /// Inbound stanzas whose effects are kept.
    handled: u32,
    /// Inbound stanzas that came before counting began and are not reported as kept yet.
    uncounted: u32,
    /// The last `h` that the server was told.
    told: u32,
    sent: u32,
    acked: u32,
}

impl Counters {
    /// A fresh stream on which `uncounted` stanzas came before `<enabled/>`.
    pub fn new(enabled: Enabled, jid: String, uncounted: u32) -> Self {
        Self {
            enabled,
            jid,
            received: 0,
            handled: 0,
            uncounted,
            told: 0,
            sent: 0,
            acked: 0,
        }
    }

    /// A resumed stream: outbound numbers go on after what the server has.
    pub fn resumed(state: &ResumeState, h: u32) -> Result<Self, CountTooHigh> {
        let mut counters = Self {
            enabled: Enabled {
                id: Some(state.id.clone()),
                location: state.location.clone(),
                max_seconds: state.max_seconds.and_then(NonZeroU32::new),
            },
            jid: state.jid.clone(),
            received: state.handled,
            handled: state.handled,
            uncounted: 0,
            told: state.handled,
            sent: state.sent,
            acked: state.acked,
        };
        counters.acknowledge(h)?;
        counters.sent = h;
        Ok(counters)
    }

    /// One more inbound stanza.
    pub fn receive(&mut self) {
        self.received = self.received.wrapping_add(1);
    }

    /// One more outbound stanza; gives its number.
    pub fn send(&mut self) -> u32 {
        self.sent = self.sent.wrapping_add(1);
        self.sent
    }

    /// The effects of `count` more inbound stanzas are kept.
    pub fn mark_handled(&mut self, count: u32) {
        let early = count.min(self.uncounted);
        self.uncounted -= early;
        let open = self.received.wrapping_sub(self.handled);
        self.handled = self.handled.wrapping_add((count - early).min(open));
    }

    /// The server has `h` of ours. Tells whether that is news.
    pub fn acknowledge(&mut self, h: u32) -> Result<bool, CountTooHigh> {
        let news = h.wrapping_sub(self.acked);
        if news > self.sent.wrapping_sub(self.acked) {
            return Err(CountTooHigh { h, sent: self.sent });
        }
        self.acked = h;
        Ok(news > 0)
    }

    /// Whether the server has not confirmed everything.
    pub fn has_unacked(&self) -> bool {
        self.sent != self.acked
    }

    /// Whether more came than is kept.
    pub fn is_behind(&self) -> bool {
        self.received != self.handled
    }

    /// Our `h`; it counts as told.
    pub fn tell(&mut self) -> u32 {
        self.told = self.handled;
        self.handled
    }

    /// Kept stanzas that the server does not know of.
    pub fn untold(&self) -> u32 {
        self.handled.wrapping_sub(self.told)
    }

    /// What is needed to go on; absent when the server did not allow it.
    pub fn resume_state(&self) -> Option<ResumeState> {
        Some(ResumeState {
            id: self.enabled.id.clone()?,
            jid: self.jid.clone(),
            location: self.enabled.location.clone(),
            handled: self.handled,
            sent: self.sent,
            acked: self.acked,
            max_seconds: self.enabled.max_seconds.map(NonZeroU32::get),
        })
    }
}

#[cfg(test)]
mod tests;
