//! Chat state notifications (XEP-0085).

use std::time::{Duration, Instant};

use minidom::Element;

use crate::dom::el;
use crate::ns;

/// What a person does in a conversation (XEP-0085 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of XEP-0085 §5.1")]
pub enum ChatState {
    Active,
    Composing,
    Paused,
    Inactive,
    Gone,
}

impl ChatState {
    const ALL: [Self; 5] = [
        Self::Active,
        Self::Composing,
        Self::Paused,
        Self::Inactive,
        Self::Gone,
    ];

    /// The element's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Composing => "composing",
            Self::Paused => "paused",
            Self::Inactive => "inactive",
            Self::Gone => "gone",
        }
    }

    /// Reads the chat state of a message; two of them are none (XEP-0085 §5.3).
    pub fn of(message: &Element) -> Option<Self> {
        let mut states = message
            .children()
            .filter(|child| child.has_ns(ns::CHAT_STATES));
        match (states.next(), states.next()) {
            (Some(child), None) => Self::ALL
                .into_iter()
                .find(|state| state.name() == child.name()),
            _ => None,
        }
    }

    /// The element.
    pub fn to_element(self) -> Element {
        el(self.name(), ns::CHAT_STATES)
    }
}

/// The shortest time between two `composing` of one stretch of writing.
pub const COMPOSING_INTERVAL: Duration = Duration::from_secs(5);
/// Idle time after which writing has paused.
pub const PAUSE_AFTER: Duration = Duration::from_secs(2);
/// How long a `composing` of the other side holds without news.
pub const INBOUND_LIFETIME: Duration = Duration::from_secs(30);

/// Decides which states to send in one conversation.
///
/// Whether the other side may be told at all is the caller's: never strangers (S-XMPP-17), and only
/// if the person left the setting on.
#[derive(Clone, Debug, Default)]
pub struct Outbound {
    writing: Option<Writing>,
}

#[derive(Clone, Debug)]
struct Writing {
    last_key: Instant,
    last_sent: Instant,
}

impl Outbound {
    /// The person typed. `composing` goes out at the first key, and again while writing goes on.
    pub fn handle_key(&mut self, now: Instant) -> Option<ChatState> {
        match &mut self.writing {
            Some(writing) => {
                writing.last_key = now;
                (now.saturating_duration_since(writing.last_sent) >= COMPOSING_INTERVAL).then(
                    || {
                        writing.last_sent = now;
                        ChatState::Composing
                    },
                )
            }
            None => {
                self.writing = Some(Writing {
                    last_key: now,
                    last_sent: now,
                });
                Some(ChatState::Composing)
            }
        }
    }

    /// The message was sent: it says `active` itself.
    pub fn handle_sent(&mut self) {
        self.writing = None;
    }

    /// The field was emptied or the conversation left.
    pub fn handle_stopped(&mut self) -> Option<ChatState> {
        self.writing.take().map(|_| ChatState::Active)
    }

    /// Call at [`Self::poll_timeout`]: writing may have paused.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<ChatState> {
        let writing = self.writing.as_ref()?;
        if now.saturating_duration_since(writing.last_key) < PAUSE_AFTER {
            return None;
        }
        self.writing = None;
        Some(ChatState::Paused)
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.writing
            .as_ref()
            .map(|writing| writing.last_key + PAUSE_AFTER)
    }
}

/// Whether the other side of one conversation is writing.
#[derive(Clone, Debug, Default)]
pub struct Inbound {
    until: Option<Instant>,
}

impl Inbound {
    /// A state came. Returns whether [`Self::is_writing`] changed.
    pub fn handle_state(&mut self, state: ChatState, now: Instant) -> bool {
        let was = self.until.is_some();
        self.until = (state == ChatState::Composing).then(|| now + INBOUND_LIFETIME);
        was != self.until.is_some()
    }

    /// A message came, or the other side went offline: the writing is over. Returns whether
    /// [`Self::is_writing`] changed.
    pub fn handle_over(&mut self) -> bool {
        self.until.take().is_some()
    }

    /// Call at [`Self::poll_timeout`]. Returns whether [`Self::is_writing`] changed.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        if self.until.is_some_and(|until| until <= now) {
            self.until = None;
            return true;
        }
        false
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.until
    }

    /// Whether they are writing now.
    pub fn is_writing(&self) -> bool {
        self.until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn writing_is_told_at_the_first_key_then_at_most_every_five_seconds_then_paused() {
        let start = Instant::now();
        let mut outbound = Outbound::default();
        let mut sent = Vec::new();
        for millis in (0..12_000).step_by(500) {
            if let Some(state) = outbound.handle_key(at(start, millis)) {
                sent.push((millis, state));
            }
        }
        assert_eq!(outbound.poll_timeout(), Some(at(start, 13_500)));
        assert_eq!(outbound.handle_timeout(at(start, 13_499)), None);
        sent.push((13_500, outbound.handle_timeout(at(start, 13_500)).unwrap()));
        assert_eq!(outbound.poll_timeout(), None);
        assert_eq!(
            sent,
            [
                (0, ChatState::Composing),
                (5_000, ChatState::Composing),
                (10_000, ChatState::Composing),
                (13_500, ChatState::Paused)
            ]
        );
        assert_eq!(
            outbound.handle_key(at(start, 20_000)),
            Some(ChatState::Composing)
        );
        assert_eq!(outbound.handle_stopped(), Some(ChatState::Active));
        assert_eq!(outbound.handle_stopped(), None);
    }

    #[test]
    fn a_sent_message_ends_the_writing_without_a_notice() {
        let start = Instant::now();
        let mut outbound = Outbound::default();
        outbound.handle_key(start);
        outbound.handle_sent();
        assert_eq!(outbound.poll_timeout(), None);
        assert_eq!(outbound.handle_timeout(at(start, 60_000)), None);
    }

    #[test]
    fn the_other_side_stops_writing_by_state_message_or_time() {
        let start = Instant::now();
        let mut inbound = Inbound::default();
        assert!(inbound.handle_state(ChatState::Composing, start));
        assert!(!inbound.handle_state(ChatState::Composing, at(start, 10_000)));
        assert!(!inbound.handle_timeout(at(start, 39_999)));
        assert!(inbound.is_writing());
        assert!(inbound.handle_timeout(at(start, 40_000)));
        assert!(inbound.handle_state(ChatState::Composing, at(start, 50_000)));
        assert!(inbound.handle_state(ChatState::Paused, at(start, 51_000)));
        assert!(!inbound.handle_over());
    }

    #[test]
    fn two_states_in_one_message_are_none() {
        let of = |inner: &str| {
            let message: Element = format!("<message xmlns='jabber:client'>{inner}</message>")
                .parse()
                .unwrap();
            ChatState::of(&message)
        };
        let composing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
        assert_eq!(of(composing), Some(ChatState::Composing));
        assert_eq!(of(&composing.repeat(2)), None);
        assert_eq!(of("<composing xmlns='jabber:client'/>"), None);
        assert_eq!(
            of("<dancing xmlns='http://jabber.org/protocol/chatstates'/>"),
            None
        );
    }
}
