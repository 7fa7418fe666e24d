//! Resource binding (RFC 6120 §7) and resumption (XEP-0198 §5), in steps of their own or in the login's.

use jid::FullJid;
use minidom::Element;

use super::failure::MAX_TEXT;
use super::{
    ClientStream, Condition, LIMITS, Purpose, State, StreamEvent, StreamFailure, is_stanza, ns,
};
use crate::dom::{Build, el};
use crate::sm::{Enabled, ResumeState};
use crate::text::bounded;

/// Most stanzas that are kept while the session is started.
const MAX_EARLY: usize = 64;

impl ClientStream {
    /// After the login's own features: resume or bind.
    pub(super) fn begin_session(&mut self) {
        self.reader.set_limits(LIMITS);
        match self.resume.take() {
            Some(state) if self.features.stream_management => {
                let resume = el("resume", ns::SM)
                    .with("previd", &state.id)
                    .with("h", state.handled.to_string());
                crate::xml::write_in_stream(&mut self.out, &resume);
                self.step(State::Resuming(state));
            }
            Some(_) => {
                self.events
                    .push_back(StreamEvent::ResumeFailed { acked: None });
                self.bind(true);
            }
            None => self.bind(true),
        }
    }

    pub(super) fn handle_resume_answer(&mut self, element: &Element) {
        let State::Resuming(state) = &self.state else {
            return;
        };
        let state = state.clone();
        if element.is("resumed", ns::SM) {
            self.resumed(&state, element);
        } else if element.is("failed", ns::SM) {
            self.resume_failed(&state, element);
            self.bind(true);
        } else {
            self.unexpected(element);
        }
    }

    fn resumed(&mut self, state: &ResumeState, resumed: &Element) {
        if resumed.attr("previd") != Some(state.id.as_str()) {
            return self.violated(Condition::UndefinedCondition, "another stream was resumed");
        }
        match count(resumed, "h") {
            Some(h) => self.ready_resumed(state, h),
            None => self.violated(Condition::BadFormat, "resumption without a count"),
        }
    }

    fn resume_failed(&mut self, state: &ResumeState, failed: &Element) {
        let acked = count(failed, "h")
            .filter(|h| h.wrapping_sub(state.acked) <= state.sent.wrapping_sub(state.acked));
        self.events.push_back(StreamEvent::ResumeFailed { acked });
    }

    fn bind(&mut self, wished: bool) {
        if !self.features.bind {
            return self.violated(Condition::UndefinedCondition, "no resource can be bound");
        }
        let resource = match &self.purpose {
            Purpose::Login(login) if wished => login.resource.clone(),
            _ => None,
        };
        let wished = resource.is_some();
        let id = self.next_id();
        let bind = el("bind", ns::BIND)
            .child_opt(resource.map(|resource| el("resource", ns::BIND).text_of(resource)));
        self.request(&id, bind);
        self.step(State::Binding {
            id,
            wished,
            early: Vec::new(),
        });
    }

    fn request(&mut self, id: &str, payload: Element) {
        let iq = el("iq", crate::ns::CLIENT)
            .with("type", "set")
            .with("id", id)
            .child(payload);
        crate::xml::write_in_stream(&mut self.out, &iq);
    }

    pub(super) fn handle_bind_answer(&mut self, element: Element) {
        let State::Binding { id, wished, early } = &mut self.state else {
            return;
        };
        if !answers(&element, id) {
            if keep_early(early, &element) {
                early.push(element);
                return;
            }
            return self.unexpected(&element);
        }
        let (wished, early) = (*wished, std::mem::take(early));
        if element.attr("type") == Some("error") {
            return self.bind_refused(&element, wished);
        }
        let jid = element
            .get_child("bind", ns::BIND)
            .and_then(|bind| bind.get_child("jid", ns::BIND))
            .and_then(|jid| FullJid::new(jid.text().trim()).ok());
        match jid {
            Some(jid) if self.is_own(&jid) => self.bound(jid, early),
            _ => self.violated(Condition::UndefinedCondition, "another address was bound"),
        }
    }

    fn is_own(&self, jid: &FullJid) -> bool {
        self.own
            .as_ref()
            .is_some_and(|own| *own == jid.clone().into_bare())
    }

    fn bind_refused(&mut self, iq: &Element, wished: bool) {
        // The server may not like the wished resource; it can always make one.
        if wished {
            return self.bind(false);
        }
        let error = iq.get_child("error", crate::ns::CLIENT);
        let child = |name: fn(&str) -> bool| {
            let mut children = error.into_iter().flat_map(Element::children);
            children.find(|child| child.has_ns(crate::ns::STANZA_ERRORS) && name(child.name()))
        };
        let condition = child(|name| name != "text").map_or("undefined-condition", Element::name);
        let text = child(|name| name == "text")
            .map(|text| bounded(&text.text(), MAX_TEXT).to_owned())
            .unwrap_or_default();
        let condition = bounded(condition, 64).to_owned();
        self.fail(match condition.as_str() {
            "resource-constraint"
            | "internal-server-error"
            | "service-unavailable"
            | "conflict" => StreamFailure::Unavailable { condition, text },
            "not-allowed" | "forbidden" => StreamFailure::Forbidden { condition, text },
            _ => StreamFailure::Refused { condition, text },
        });
    }

    fn bound(&mut self, jid: FullJid, early: Vec<Element>) {
        if self.features.session {
            let id = self.next_id();
            self.request(&id, el("session", ns::SESSION));
            self.step(State::Session { id, jid, early });
        } else {
            self.enable(jid, early);
        }
    }

    pub(super) fn handle_session_answer(&mut self, element: Element) {
        let State::Session { id, jid, early } = &mut self.state else {
            return;
        };
        if answers(&element, id) {
            // An error here means that the server does not need it after all.
            let (jid, early) = (jid.clone(), std::mem::take(early));
            self.enable(jid, early);
        } else if keep_early(early, &element) {
            early.push(element);
        } else {
            self.unexpected(&element);
        }
    }

    pub(super) fn enable(&mut self, jid: FullJid, early: Vec<Element>) {
        if self.features.stream_management {
            let enable = el("enable", ns::SM).with("resume", "true");
            crate::xml::write_in_stream(&mut self.out, &enable);
            self.step(State::Enabling { jid, early });
        } else {
            self.ready_bound(jid, None, early);
        }
    }

    pub(super) fn handle_enable_answer(&mut self, element: Element) {
        let State::Enabling { jid, early } = &mut self.state else {
            return;
        };
        let enabled = if element.is("enabled", ns::SM) {
            Some(parse_enabled(&element))
        } else if element.is("failed", ns::SM) {
            None
        } else if keep_early(early, &element) {
            early.push(element);
            return;
        } else {
            return self.unexpected(&element);
        };
        let (jid, early) = (jid.clone(), std::mem::take(early));
        self.ready_bound(jid, enabled, early);
    }

    /// What came with the success of SASL 2 (XEP-0386, XEP-0198 §9).
    pub(super) fn begin_inline_session(&mut self, success: &Element) {
        let resumable = self
            .features
            .sasl2
            .as_ref()
            .is_some_and(|sasl2| sasl2.resume);
        if resumable && let Some(state) = self.resume.take() {
            if let Some(resumed) = success.get_child("resumed", ns::SM) {
                return self.resumed(&state, resumed);
            }
            match success.get_child("failed", ns::SM) {
                Some(failed) => self.resume_failed(&state, failed),
                None => self
                    .events
                    .push_back(StreamEvent::ResumeFailed { acked: None }),
            }
        }
        let Some(bound) = success.get_child("bound", ns::BIND2) else {
            // The features that follow lead to the steps of RFC 6120.
            return self.step(State::Features);
        };
        let jid = success
            .get_child("authorization-identifier", ns::SASL2)
            .and_then(|jid| FullJid::new(jid.text().trim()).ok());
        let Some(jid) = jid.filter(|jid| self.is_own(jid)) else {
            return self.violated(Condition::UndefinedCondition, "another address was bound");
        };
        let enabled = bound.get_child("enabled", ns::SM).map(parse_enabled);
        self.step(State::Settling { jid, enabled });
        // They come at once where they come at all.
        self.step_deadline = Some(self.now + super::CLOSE_TIMEOUT);
    }
}

fn parse_enabled(enabled: &Element) -> Enabled {
    let resume = matches!(enabled.attr("resume"), Some("true" | "1"));
    let bounded_attr = |name: &str, max: usize| {
        enabled
            .attr(name)
            .filter(|value| !value.is_empty() && value.len() <= max)
            .map(str::to_owned)
    };
    Enabled {
        // XEP-0198 §5: ids are at most 4000 bytes.
        id: bounded_attr("id", 4000).filter(|_| resume),
        location: bounded_attr("location", 1024),
        max_seconds: enabled.attr("max").and_then(|max| max.parse().ok()),
    }
}

/// A count of stanzas in an attribute.
pub(super) fn count(element: &Element, name: &str) -> Option<u32> {
    element
        .attr(name)
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
}

fn answers(element: &Element, id: &str) -> bool {
    element.is("iq", crate::ns::CLIENT)
        && element.attr("id") == Some(id)
        && matches!(element.attr("type"), Some("result" | "error"))
}

fn keep_early(early: &[Element], element: &Element) -> bool {
    is_stanza(element) && early.len() < MAX_EARLY
}
