//! Confirmations, and whether the other end is still there.

use std::time::{Duration, Instant};

use jid::{FullJid, Jid};
use minidom::Element;

use super::ns;
use crate::dom::{Build, el};
use crate::sm::{CountTooHigh, Counters, ResumeState};

/// A confirmation that is late.
const OVERDUE: Duration = Duration::from_secs(5);
/// Silence after a question that means that the connection is dead.
const DEAD: Duration = Duration::from_secs(20);
/// A question that is never answered means it too, however much else comes.
const IGNORED: Duration = Duration::from_secs(120);
/// Silence after which we ask: with [`DEAD`], a dead connection is noticed within 70 s.
const IDLE: Duration = Duration::from_secs(45);
/// Time between two confirmations of ours: at most ten a second (S-XMPP-16).
const BETWEEN_ANSWERS: Duration = Duration::from_millis(100);
/// Kept stanzas after which we confirm without being asked.
const UNASKED: u32 = 100;

/// An open session.
pub(super) struct Session {
    jid: FullJid,
    domain: String,
    counters: Option<Counters>,
    last_heard: Instant,
    /// A question of ours that is open.
    question: Option<Question>,
    /// The id of our XEP-0199 pings, where there is no stream management.
    ping: String,
    answer_wanted: bool,
    /// An answer told less than had been received.
    answer_owed: bool,
    last_answer: Option<Instant>,
}

struct Question {
    asked: Instant,
    overdue: bool,
}

/// What a confirmation brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    News,
    Nothing,
}

/// What time brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timeout {
    Nothing,
    AckOverdue,
    Dead,
}

impl Session {
    pub fn new(
        jid: FullJid,
        domain: String,
        counters: Option<Counters>,
        ping: String,
        now: Instant,
    ) -> Self {
        Self {
            jid,
            domain,
            counters,
            last_heard: now,
            question: None,
            ping,
            answer_wanted: false,
            answer_owed: false,
            last_answer: None,
        }
    }

    /// Any bytes came.
    pub fn heard(&mut self, now: Instant) {
        self.last_heard = now;
        if self.counters.is_none() {
            self.question = None;
        }
    }

    /// Counts an inbound stanza. Tells whether it answers a ping of ours.
    pub fn receive(&mut self, stanza: &Element) -> bool {
        match &mut self.counters {
            Some(counters) => {
                counters.receive();
                false
            }
            None => {
                stanza.name() == "iq"
                    && stanza.attr("id") == Some(self.ping.as_str())
                    && matches!(stanza.attr("type"), Some("result" | "error"))
                    && self.is_server(stanza.attr("from"))
            }
        }
    }

    fn is_server(&self, from: Option<&str>) -> bool {
        let Some(from) = from else {
            return true;
        };
        Jid::new(from).is_ok_and(|from| {
            from == self.jid || from == self.jid.to_bare() || from.as_str() == self.domain
        })
    }

    /// Counts an outbound stanza.
    pub fn count_sent(&mut self) -> u32 {
        self.counters.as_mut().map_or(0, Counters::send)
    }

    pub fn mark_handled(&mut self, count: u32) {
        let Some(counters) = &mut self.counters else {
            return;
        };
        counters.mark_handled(count);
        let untold = counters.untold();
        if untold >= UNASKED || (untold > 0 && self.answer_owed) {
            self.answer_wanted = true;
        }
    }

    pub fn answer_wanted(&mut self) {
        self.answer_wanted = self.counters.is_some();
    }

    pub fn acknowledge(&mut self, h: u32) -> Result<Answer, CountTooHigh> {
        let Some(counters) = &mut self.counters else {
            return Ok(Answer::Nothing);
        };
        self.question = None;
        counters
            .acknowledge(h)
            .map(|news| if news { Answer::News } else { Answer::Nothing })
    }

    pub fn resume_state(&self) -> Option<ResumeState> {
        self.counters.as_ref()?.resume_state()
    }

    /// Adds our confirmation and our question to what goes out.
    pub fn before_transmit(&mut self, out: &mut String, now: Instant) {
        let Some(counters) = &mut self.counters else {
            return;
        };
        let allowed = self
            .last_answer
            .is_none_or(|last| now.saturating_duration_since(last) >= BETWEEN_ANSWERS);
        if self.answer_wanted && allowed {
            self.answer_wanted = false;
            self.answer_owed = counters.is_behind();
            self.last_answer = Some(now);
            write_answer(out, counters.tell());
        }
        if counters.has_unacked() && self.question.is_none() {
            out.push_str("<r xmlns='urn:xmpp:sm:3'/>");
            self.question = Some(Question {
                asked: now,
                overdue: false,
            });
        }
    }

    /// The last confirmation, whatever the rate.
    pub fn before_close(&mut self, out: &mut String) {
        if let Some(counters) = &mut self.counters
            && counters.untold() > 0
        {
            write_answer(out, counters.tell());
        }
    }

    pub fn poll_timeout(&self, closing: bool) -> Option<Instant> {
        if closing {
            return None;
        }
        let answer = self
            .last_answer
            .filter(|_| self.answer_wanted)
            .map(|last| last + BETWEEN_ANSWERS);
        let check = match &self.question {
            None => self.last_heard + IDLE,
            Some(question) if !question.overdue && self.has_unacked() => question.asked + OVERDUE,
            Some(question) => self.dead_at(question),
        };
        Some(answer.map_or(check, |answer| answer.min(check)))
    }

    pub fn handle_timeout(&mut self, now: Instant, out: &mut String) -> Timeout {
        let unacked = self.has_unacked();
        let Some(question) = &self.question else {
            if now >= self.last_heard + IDLE {
                self.ask(now, out);
            }
            return Timeout::Nothing;
        };
        if now >= self.dead_at(question) {
            return Timeout::Dead;
        }
        if let Some(question) = &mut self.question
            && unacked
            && !question.overdue
            && now >= question.asked + OVERDUE
        {
            question.overdue = true;
            return Timeout::AckOverdue;
        }
        Timeout::Nothing
    }

    fn has_unacked(&self) -> bool {
        self.counters.as_ref().is_some_and(Counters::has_unacked)
    }

    fn dead_at(&self, question: &Question) -> Instant {
        let silence = question.asked.max(self.last_heard) + DEAD;
        silence.min(question.asked + IGNORED)
    }

    /// Asks whether the other end is there.
    fn ask(&mut self, now: Instant, out: &mut String) {
        if self.counters.is_some() {
            out.push_str("<r xmlns='urn:xmpp:sm:3'/>");
        } else {
            let ping = el("iq", crate::ns::CLIENT)
                .with("type", "get")
                .with("id", &self.ping)
                .with("to", &self.domain)
                .child(el("ping", crate::ns::PING));
            crate::xml::write_in_stream(out, &ping);
        }
        self.question = Some(Question {
            asked: now,
            overdue: false,
        });
    }
}

fn write_answer(out: &mut String, h: u32) {
    let answer = el("a", ns::SM).with("h", h.to_string());
    crate::xml::write_in_stream(out, &answer);
}
