//! First tags, features, STARTTLS, errors and ends.

use jid::BareJid;
use minidom::Element;

use super::failure::MAX_TEXT;
use super::{
    ClientStream, Condition, LIMITS_BEFORE_LOGIN, NS_STREAM, Purpose, STEP_TIMEOUT, State,
    StreamEvent, StreamFailure, StreamFeatures, Transmit, injected, ns,
};
use crate::text::bounded;
use crate::xml::{Header, Item, Reader, escape_attribute};

impl ClientStream {
    /// Sends the first tag (RFC 6120 §4.7) and forgets the stream before.
    pub(super) fn open(&mut self) {
        self.header = None;
        self.features = StreamFeatures::default();
        self.out
            .push_str("<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='");
        self.out.push_str(NS_STREAM);
        self.out.push_str("' version='1.0'");
        self.header_attribute("to", &self.domain.clone());
        // Who we are is told over TLS only (§4.7.1).
        if let Some(own) = self.own.as_ref().filter(|_| self.tls.is_some()) {
            let own = own.as_str().to_owned();
            self.header_attribute("from", &own);
        }
        if !self.lang.is_empty() {
            self.header_attribute("xml:lang", &self.lang.clone());
        }
        self.out.push('>');
        self.step(State::Header);
    }

    fn header_attribute(&mut self, name: &str, value: &str) {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("='");
        escape_attribute(&mut self.out, value);
        self.out.push('\'');
    }

    /// Begins the stream anew after the login (RFC 6120 §6.4.6).
    pub(super) fn restart(&mut self) {
        let rest = self.reader.take_rest();
        self.reader = Reader::new(LIMITS_BEFORE_LOGIN);
        self.reader.feed(&rest);
        self.open();
    }

    /// Enters a step of the negotiation.
    pub(super) fn step(&mut self, state: State) {
        self.state = state;
        if self.close_deadline.is_none() {
            self.step_deadline = Some(self.now + STEP_TIMEOUT);
        }
    }

    /// Handles everything that was fed and is complete.
    pub(super) fn read(&mut self) {
        while !matches!(self.state, State::Ended | State::Handshake) {
            match self.reader.next() {
                Ok(Some(item)) => self.handle_item(item),
                Ok(None) => return,
                Err(error) => self.violated(error.condition(), &error.to_string()),
            }
        }
    }

    fn handle_item(&mut self, item: Item) {
        match item {
            Item::Open(header) => self.handle_header(header),
            Item::Child(element) if element.is("error", NS_STREAM) => {
                self.fail(server_error(&element));
            }
            Item::Child(element) => self.handle_element(element),
            Item::Close if self.close_deadline.is_some() => self.closed(),
            Item::Close => self.fail(StreamFailure::Ended),
        }
    }

    fn handle_header(&mut self, header: Header) {
        if header.name != "stream" || header.namespace != NS_STREAM {
            return self.violated(Condition::InvalidNamespace, "this is not a stream");
        }
        if header.default_namespace != crate::ns::CLIENT {
            return self.violated(Condition::InvalidNamespace, "not a stream for clients");
        }
        self.header = Some(header);
        self.step(State::Features);
    }

    fn handle_element(&mut self, element: Element) {
        if self.close_deadline.is_some() && !matches!(self.state, State::Open(_)) {
            return;
        }
        match &self.state {
            State::Header | State::Handshake | State::Ended => {}
            State::Features if element.is("features", NS_STREAM) => self.handle_features(&element),
            State::StartTls if element.is("proceed", ns::TLS) => self.handle_proceed(),
            State::StartTls if element.is("failure", ns::TLS) => {
                self.fail(StreamFailure::NoEncryption);
            }
            State::Features | State::StartTls => self.unexpected(&element),
            State::Sasl(_) => self.handle_sasl(&element),
            State::Resuming(_) => self.handle_resume_answer(&element),
            State::Binding { .. } => self.handle_bind_answer(element),
            State::Session { .. } => self.handle_session_answer(element),
            State::Enabling { .. } => self.handle_enable_answer(element),
            State::Settling { .. } => self.handle_settling(element),
            State::Registering => {
                if super::is_stanza(&element) {
                    self.events.push_back(StreamEvent::Stanza(element));
                } else {
                    self.unexpected(&element);
                }
            }
            State::Open(_) => self.handle_open(element),
        }
    }

    fn handle_features(&mut self, element: &Element) {
        if let Err((condition, reason)) = self.check_header() {
            return self.violated(condition, reason);
        }
        self.features = StreamFeatures::parse(element);
        if self.tls.is_none() {
            // Also where the server calls TLS optional: nothing is said in the clear (S-TLS-01).
            if self.features.starttls {
                self.out
                    .push_str("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
                self.step(State::StartTls);
            } else {
                self.fail(StreamFailure::NoEncryption);
            }
        } else if self.signed_in.is_some() {
            self.begin_session();
        } else if matches!(self.purpose, Purpose::Register) {
            self.state = State::Registering;
            self.step_deadline = None;
            self.events.push_back(StreamEvent::RegistrationReady {
                features: self.features.clone(),
            });
        } else {
            self.begin_sasl();
        }
    }

    /// Only here, because a server that does not know the domain says so with an error after a first
    /// tag that may be in another name.
    fn check_header(&self) -> Result<(), (Condition, &'static str)> {
        let attribute = |name: &str| {
            let header = self.header.as_ref()?;
            header.attributes.get(&rxml::Namespace::NONE, name)
        };
        let major =
            attribute("version").and_then(|version| version.split('.').next()?.parse().ok());
        if major.is_none_or(|major: u32| major < 1) {
            return Err((Condition::UnsupportedVersion, "the stream has no version"));
        }
        let Some(from) = attribute("from") else {
            return Ok(());
        };
        let same = match (BareJid::new(from), BareJid::new(&self.domain)) {
            (Ok(from), Ok(domain)) => from == domain,
            _ => *from == self.domain,
        };
        if same {
            Ok(())
        } else {
            Err((Condition::InvalidFrom, "another server answers"))
        }
    }

    fn handle_proceed(&mut self) {
        if self.reader.has_rest() {
            return self.fail(injected());
        }
        self.flush();
        self.transmits.push_back(Transmit::StartTls);
        self.step(State::Handshake);
    }

    pub(super) fn unexpected(&mut self, element: &Element) {
        let reason = format!("<{}> is out of place", bounded(element.name(), 64));
        self.violated(Condition::UnsupportedStanzaType, &reason);
    }

    pub(super) fn violated(&mut self, condition: Condition, reason: &str) {
        self.fail(StreamFailure::Protocol {
            condition,
            reason: reason.to_owned(),
        });
    }

    pub(super) fn step_timed_out(&mut self) {
        let step = match &self.state {
            State::Settling { .. } => return self.settle(),
            State::Header | State::Features => "the stream was opened",
            State::StartTls | State::Handshake => "encryption was negotiated",
            State::Sasl(_) => "signing in",
            State::Resuming(_)
            | State::Binding { .. }
            | State::Session { .. }
            | State::Enabling { .. } => "the session was started",
            State::Registering | State::Open(_) | State::Ended => return,
        };
        self.fail(StreamFailure::TimedOut { step });
    }

    /// Reports the end and closes the connection. The server hears why, where it is at fault.
    pub(super) fn fail(&mut self, failure: StreamFailure) {
        match (&self.state, &failure) {
            (State::Ended, _) => return,
            // Nothing goes out in the clear between two states of encryption.
            (State::Handshake, _) => self.out.clear(),
            // Our side is closed already.
            _ if self.close_deadline.is_some() => {}
            // The session can be resumed if it is not closed.
            (State::Open(_), StreamFailure::TimedOut { .. }) => {}
            (_, StreamFailure::Protocol { condition, .. }) => {
                self.write_error(*condition, "");
            }
            (_, StreamFailure::HandledCountTooHigh { h, sent }) => {
                let detail = format!(
                    "<handled-count-too-high xmlns='urn:xmpp:sm:3' h='{h}' send-count='{sent}'/>"
                );
                self.write_error(Condition::UndefinedCondition, &detail);
            }
            _ => self.out.push_str("</stream:stream>"),
        }
        if self.close_deadline.is_some() {
            self.events.push_back(StreamEvent::Closed);
        } else {
            self.events.push_back(StreamEvent::Failed(failure));
        }
        self.end();
    }

    fn write_error(&mut self, condition: Condition, detail: &str) {
        self.out.push_str("<stream:error><");
        self.out.push_str(condition.name());
        self.out.push_str(" xmlns='");
        self.out.push_str(ns::STREAM_ERRORS);
        self.out.push_str("'/>");
        self.out.push_str(detail);
        self.out.push_str("</stream:error></stream:stream>");
    }

    /// Both sides are closed, or the time for it is over.
    pub(super) fn closed(&mut self) {
        if !matches!(self.state, State::Ended) {
            self.events.push_back(StreamEvent::Closed);
            self.end();
        }
    }

    fn end(&mut self) {
        self.state = State::Ended;
        self.step_deadline = None;
        self.close_deadline = None;
        self.flush();
        self.transmits.push_back(Transmit::Close);
    }

    fn flush(&mut self) {
        if !self.out.is_empty() {
            let bytes = std::mem::take(&mut self.out).into_bytes();
            self.transmits.push_back(Transmit::Bytes(bytes));
        }
    }
}

/// What a stream error of the server means (RFC 6120 §4.9.3).
fn server_error(error: &Element) -> StreamFailure {
    let text = error
        .get_child("text", ns::STREAM_ERRORS)
        .map(|text| bounded(&text.text(), MAX_TEXT).to_owned())
        .unwrap_or_default();
    let condition = error
        .children()
        .find(|child| child.has_ns(ns::STREAM_ERRORS) && child.name() != "text");
    let name = condition.map_or("undefined-condition", Element::name);
    let condition_name = bounded(name, 64).to_owned();
    match name {
        "conflict" => StreamFailure::Replaced { text },
        "host-unknown" | "host-gone" => StreamFailure::HostUnknown {
            condition: condition_name,
            text,
        },
        "not-authorized" | "policy-violation" => StreamFailure::Forbidden {
            condition: condition_name,
            text,
        },
        "see-other-host" => StreamFailure::SeeOtherHost {
            host: condition
                .map(|host| bounded(host.text().trim(), 256).to_owned())
                .unwrap_or_default(),
        },
        "system-shutdown"
        | "reset"
        | "resource-constraint"
        | "internal-server-error"
        | "remote-connection-failed"
        | "connection-timeout" => StreamFailure::Unavailable {
            condition: condition_name,
            text,
        },
        _ => StreamFailure::Refused {
            condition: condition_name,
            text,
        },
    }
}
