//! The session stands: what follows is stanzas.

use jid::FullJid;
use minidom::Element;

use super::bind::count;
use super::session::{self, Answer, Session};
use super::{
    ClientStream, Condition, LIMITS, MechanismMemory, NS_STREAM, State, StreamEvent, StreamFailure,
    StreamFeatures, is_stanza, ns,
};
use crate::sm::{CountTooHigh, Counters, Enabled, ResumeState};
use crate::text::bounded;

impl ClientStream {
    pub(super) fn ready_bound(
        &mut self,
        jid: FullJid,
        enabled: Option<Enabled>,
        early: Vec<Element>,
    ) {
        let uncounted = u32::try_from(early.len()).unwrap_or(u32::MAX);
        let counters =
            enabled.map(|enabled| Counters::new(enabled, jid.as_str().to_owned(), uncounted));
        let (mechanism, memory) = self.sign_in_words();
        self.events.push_back(StreamEvent::Bound {
            jid: jid.clone(),
            sm: counters.is_some(),
            features: self.features.clone(),
            mechanism,
            memory,
        });
        self.events
            .extend(early.into_iter().map(StreamEvent::Stanza));
        self.ready(jid, counters);
    }

    pub(super) fn ready_resumed(&mut self, state: &ResumeState, h: u32) {
        let Ok(jid) = FullJid::new(&state.jid) else {
            return self.violated(Condition::UndefinedCondition, "another stream was resumed");
        };
        match Counters::resumed(state, h) {
            Ok(counters) => {
                let (mechanism, memory) = self.sign_in_words();
                self.events.push_back(StreamEvent::Resumed {
                    jid: jid.clone(),
                    acked: h,
                    features: self.features.clone(),
                    mechanism,
                    memory,
                });
                self.ready(jid, Some(counters));
            }
            Err(CountTooHigh { h, sent }) => {
                self.fail(StreamFailure::HandledCountTooHigh { h, sent })
            }
        }
    }

    fn ready(&mut self, jid: FullJid, counters: Option<Counters>) {
        self.reader.set_limits(LIMITS);
        let ping = self.next_id();
        let session = Session::new(jid, self.domain.clone(), counters, ping, self.now);
        self.state = State::Open(Box::new(session));
        self.step_deadline = None;
        // Nothing of the password is needed any more.
        if let super::Purpose::Login(login) = &mut self.purpose {
            login.password = None;
        }
    }

    fn sign_in_words(&self) -> (String, MechanismMemory) {
        let (mechanism, memory) = self
            .signed_in
            .clone()
            .expect("a session begins only after the login succeeded");
        (mechanism, memory)
    }

    /// An element after everything was bound in the login's step.
    pub(super) fn handle_settling(&mut self, element: Element) {
        if element.is("features", NS_STREAM) {
            self.features = StreamFeatures::parse(&element);
            return self.settle();
        }
        self.settle();
        if matches!(self.state, State::Open(_)) {
            self.handle_open(element);
        } else {
            self.handle_enable_answer(element);
        }
    }

    /// Goes on with or without the features.
    pub(super) fn settle(&mut self) {
        let State::Settling { jid, enabled } = &mut self.state else {
            return;
        };
        let (jid, enabled) = (jid.clone(), enabled.take());
        if enabled.is_none() && self.features.stream_management {
            self.enable(jid, Vec::new());
        } else {
            self.ready_bound(jid, enabled, Vec::new());
        }
    }

    /// An element of the open session.
    pub(super) fn handle_open(&mut self, element: Element) {
        let State::Open(session) = &mut self.state else {
            return;
        };
        if is_stanza(&element) {
            let ours = session.receive(&element);
            if !ours && self.close_deadline.is_none() {
                self.events.push_back(StreamEvent::Stanza(element));
            }
        } else if element.is("r", ns::SM) {
            session.answer_wanted();
        } else if element.is("a", ns::SM) {
            match count(&element, "h").map(|h| (h, session.acknowledge(h))) {
                Some((sequence, Ok(Answer::News))) => {
                    self.events.push_back(StreamEvent::Acked { sequence });
                }
                Some((_, Ok(Answer::Nothing))) => {}
                Some((_, Err(CountTooHigh { h, sent }))) => {
                    self.fail(StreamFailure::HandledCountTooHigh { h, sent });
                }
                None => self.violated(Condition::BadFormat, "an answer without a count"),
            }
        } else if ["message", "presence", "iq"].contains(&element.name()) {
            // What looks like a stanza to one side only is not let through (S-XML-05).
            let reason = format!("<{}> in another namespace", element.name());
            self.violated(Condition::InvalidNamespace, &reason);
        } else if element.has_ns(crate::ns::CLIENT)
            || element.has_ns(ns::TLS)
            || element.has_ns(ns::SASL)
        {
            let reason = format!("<{}> is out of place", bounded(element.name(), 64));
            self.violated(Condition::UnsupportedStanzaType, &reason);
        }
        // Other extensions of the stream may come (features after SASL 2); they mean nothing here.
    }

    pub(super) fn session_timeout(&mut self) {
        let now = self.now;
        let State::Open(session) = &mut self.state else {
            return;
        };
        match session.handle_timeout(now, &mut self.out) {
            session::Timeout::Nothing => {}
            session::Timeout::AckOverdue => self.events.push_back(StreamEvent::AckOverdue),
            session::Timeout::Dead => self.fail(StreamFailure::TimedOut {
                step: "the connection was checked",
            }),
        }
    }
}
