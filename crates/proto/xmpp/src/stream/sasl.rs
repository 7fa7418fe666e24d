//! The two SASL profiles (RFC 6120 §6, XEP-0388) around the mechanisms.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use minidom::Element;
use zeroize::Zeroizing;

use super::failure::MAX_TEXT;
use super::features::Sasl2;
use super::{ClientStream, LIMITS, Login, Purpose, State, StreamEvent, StreamFailure, ns};
use crate::dom::{Build, el};
use crate::sasl::mechanism::{Choice, Offer};
use crate::sasl::scram::{ClientFinal, ClientFirst, Gs2, ScramError, ServerFirst};
use crate::sasl::{ScramKeyJob, ScramKeys, prepared};
use crate::text::bounded;

/// One attempt to sign in.
pub(super) struct Exchange {
    profile: Profile,
    choice: Choice,
    /// What the server seems to offer (XEP-0474).
    offered: Vec<u8>,
    step: Step,
}

#[derive(Clone, Debug)]
enum Profile {
    /// RFC 6120.
    First,
    /// XEP-0388, and what goes with it in one step.
    Second(Sasl2),
}

impl Profile {
    fn namespace(&self) -> &'static str {
        match self {
            Self::First => ns::SASL,
            Self::Second(_) => ns::SASL2,
        }
    }
}

enum Step {
    /// Everything is said: EXTERNAL and PLAIN.
    Said,
    ClientFirst(ClientFirst),
    /// Waiting for the keys of this job.
    Keys {
        job: u64,
        server_first: ServerFirst,
    },
    ClientFinal(ClientFinal),
    /// The server has proved itself.
    Proved,
    /// Between two of the others.
    Taken,
}

impl ClientStream {
    /// Chooses a mechanism and sends its first message.
    pub(super) fn begin_sasl(&mut self) {
        match self.choose() {
            Ok((profile, offer, choice)) => self.authenticate(profile, &offer, choice),
            Err(failure) => self.fail(failure),
        }
    }

    fn choose(&self) -> Result<(Profile, Offer, Choice), StreamFailure> {
        let (Purpose::Login(login), Some(tls)) = (&self.purpose, &self.tls) else {
            return Err(StreamFailure::NoEncryption);
        };
        let first = self.features.sasl_offer();
        if let Some((second, sasl2)) = self.features.sasl2_offer() {
            match second.choose(login, tls, &self.refused) {
                Ok(choice) => return Ok((Profile::Second(sasl2.clone()), second, choice)),
                Err(failure) if first.mechanisms.is_empty() => return Err(failure),
                Err(_) => {}
            }
        } else if first.mechanisms.is_empty()
            && let Some(sasl2) = &self.features.sasl2
        {
            return Err(StreamFailure::Downgrade {
                reason: "mechanisms with channel binding are offered without its types".to_owned(),
                offered: sasl2.mechanisms.clone(),
            });
        }
        let choice = first.choose(login, tls, &self.refused)?;
        Ok((Profile::First, first, choice))
    }

    fn authenticate(&mut self, profile: Profile, offer: &Offer, choice: Choice) {
        let Purpose::Login(login) = &self.purpose else {
            return;
        };
        let username = prepared(&login.username);
        let (initial, step) = match &choice {
            Choice::External => (Zeroizing::new(Vec::new()), Step::Said),
            Choice::Plain => (plain(login, &username), Step::Said),
            Choice::Scram { hash, gs2, .. } => {
                let Some(nonce) = self.nonces.pop() else {
                    return self.fail(too_weak(offer));
                };
                let client = ClientFirst::new(*hash, gs2.clone(), &username, BASE64.encode(nonce));
                let message = Zeroizing::new(client.message().into_bytes());
                (message, Step::ClientFirst(client))
            }
        };
        let initial = Zeroizing::new(BASE64.encode(&*initial));
        match &profile {
            Profile::First => {
                let initial = if initial.is_empty() { "=" } else { &initial };
                self.out
                    .push_str("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='");
                self.out.push_str(choice.name());
                self.out.push_str("'>");
                self.out.push_str(initial);
                self.out.push_str("</auth>");
            }
            Profile::Second(sasl2) => {
                let request = self.authenticate_element(login, sasl2, choice.name(), &initial);
                crate::xml::write_in_stream(&mut self.out, &request);
            }
        }
        self.step(State::Sasl(Box::new(Exchange {
            profile,
            choice,
            offered: offer.downgrade_input(),
            step,
        })));
    }

    /// `<authenticate/>` of XEP-0388 §2.2, with resumption and binding where the server can.
    fn authenticate_element(
        &self,
        login: &Login,
        sasl2: &Sasl2,
        mechanism: &str,
        initial: &str,
    ) -> Element {
        let agent = &login.user_agent;
        let user_agent = el("user-agent", ns::SASL2)
            .with_opt("id", Some(&agent.id).filter(|id| !id.is_empty()))
            .child(el("software", ns::SASL2).text_of(&agent.software))
            .child_opt(
                (!agent.device.is_empty()).then(|| el("device", ns::SASL2).text_of(&agent.device)),
            );
        // A wished resource cannot be bound this way; and who is bound cannot resume any more.
        let resume_first = self.resume.is_some() && !sasl2.resume;
        let bind = (sasl2.bind && login.resource.is_none() && !resume_first).then(|| {
            el("bind", ns::BIND2)
                .child(el("tag", ns::BIND2).text_of(&agent.software))
                .child_opt(sasl2.carbons.then(|| el("enable", crate::ns::CARBONS)))
                .child_opt(
                    sasl2
                        .enable
                        .then(|| el("enable", ns::SM).with("resume", "true")),
                )
        });
        let resume = self.resume.as_ref().filter(|_| sasl2.resume).map(|state| {
            el("resume", ns::SM)
                .with("previd", &state.id)
                .with("h", state.handled.to_string())
        });
        el("authenticate", ns::SASL2)
            .with("mechanism", mechanism)
            .child(el("initial-response", ns::SASL2).text_of(initial))
            .child(user_agent)
            .child_opt(resume)
            .child_opt(bind)
    }

    /// An element while signing in.
    pub(super) fn handle_sasl(&mut self, element: &Element) {
        let State::Sasl(exchange) = &mut self.state else {
            return;
        };
        let namespace = exchange.profile.namespace();
        if element.is("challenge", namespace) {
            match decode(&element.text()) {
                Some(data) => self.handle_challenge(&data),
                None => self.fail(not_authentic("its challenge is malformed")),
            }
        } else if element.is("success", namespace) {
            self.handle_success(element);
        } else if element.is("failure", namespace) {
            self.handle_sasl_failure(element);
        } else if element.is("continue", ns::SASL2) {
            self.fail(StreamFailure::Refused {
                condition: "continue".to_owned(),
                text: "the server asks for a second step that is not known here".to_owned(),
            });
        } else {
            self.unexpected(element);
        }
    }

    fn handle_challenge(&mut self, data: &[u8]) {
        let State::Sasl(exchange) = &mut self.state else {
            return;
        };
        match std::mem::replace(&mut exchange.step, Step::Taken) {
            Step::ClientFirst(client) => match client.handle(data, &exchange.offered) {
                Ok(server_first) => self.derive(server_first),
                Err(error) => self.scram_failed(&error),
            },
            Step::ClientFinal(client) => match client.handle(data) {
                // The server's proof may come before its success (RFC 4422 §3.6).
                Ok(()) => {
                    exchange.step = Step::Proved;
                    let namespace = exchange.profile.namespace();
                    self.respond(namespace, "");
                }
                Err(error) => self.scram_failed(&error),
            },
            Step::Said | Step::Keys { .. } | Step::Proved | Step::Taken => {
                self.fail(not_authentic("a challenge is out of place"));
            }
        }
    }

    fn derive(&mut self, server_first: ServerFirst) {
        let (State::Sasl(exchange), Purpose::Login(login)) = (&mut self.state, &self.purpose)
        else {
            return;
        };
        let proof_needed = matches!(
            exchange.choice,
            Choice::Scram {
                proof_needed: true,
                ..
            }
        );
        if proof_needed && !server_first.proves_offer {
            return self.fail(StreamFailure::Downgrade {
                reason: "the list of channel bindings lacks one that every server has".to_owned(),
                offered: self.features.channel_bindings.clone().unwrap_or_default(),
            });
        }
        let Some(password) = &login.password else {
            return self.fail(StreamFailure::NoPassword);
        };
        let job = self.next_job;
        self.next_job += 1;
        self.events.push_back(StreamEvent::DeriveKey(ScramKeyJob {
            job,
            hash: server_first.hash,
            salt: server_first.salt.clone(),
            iterations: server_first.iterations,
            password: prepared(password),
        }));
        exchange.step = Step::Keys { job, server_first };
        // The server is not to blame for the time that this takes.
        self.step_deadline = None;
    }

    pub(super) fn finish_scram(&mut self, job: u64, keys: &ScramKeys) {
        let State::Sasl(exchange) = &mut self.state else {
            return;
        };
        match std::mem::replace(&mut exchange.step, Step::Taken) {
            Step::Keys {
                job: wanted,
                server_first,
            } if wanted == job => {
                let (message, client_final) = server_first.client_final(keys);
                exchange.step = Step::ClientFinal(client_final);
                let namespace = exchange.profile.namespace();
                self.respond(namespace, &BASE64.encode(message));
            }
            other => exchange.step = other,
        }
    }

    fn respond(&mut self, namespace: &'static str, data: &str) {
        let response = el("response", namespace).text_of(data);
        crate::xml::write_in_stream(&mut self.out, &response);
        if self.close_deadline.is_none() {
            self.step_deadline = Some(self.now + super::STEP_TIMEOUT);
        }
    }

    fn handle_success(&mut self, element: &Element) {
        let State::Sasl(exchange) = &mut self.state else {
            return;
        };
        let data = match &exchange.profile {
            Profile::First => element.text(),
            Profile::Second(_) => element
                .get_child("additional-data", ns::SASL2)
                .map(Element::text)
                .unwrap_or_default(),
        };
        let Some(data) = decode(&data) else {
            return self.fail(not_authentic("its proof is malformed"));
        };
        match std::mem::replace(&mut exchange.step, Step::Taken) {
            Step::Said | Step::Proved => {}
            Step::ClientFinal(client) => {
                if let Err(error) = client.handle(&data) {
                    return self.scram_failed(&error);
                }
            }
            Step::ClientFirst(_) | Step::Keys { .. } | Step::Taken => {
                return self.fail(not_authentic("it did not prove that it knows the password"));
            }
        }
        let profile = exchange.profile.clone();
        self.signed_in = Some((exchange.choice.name().to_owned(), exchange.choice.memory()));
        match profile {
            Profile::First => self.restart(),
            Profile::Second(_) => {
                self.reader.set_limits(LIMITS);
                self.begin_inline_session(element);
            }
        }
    }

    fn handle_sasl_failure(&mut self, element: &Element) {
        let State::Sasl(exchange) = &self.state else {
            return;
        };
        let bound = matches!(
            exchange.choice,
            Choice::Scram {
                gs2: Gs2::Bound { .. },
                ..
            }
        );
        let name = exchange.choice.name();
        let (condition, mut text) = failure_words(element);
        if bound && text.is_empty() && condition == "not-authorized" {
            // What a server says when the binding does not fit, too.
            "or the connection is not the server's (channel binding)".clone_into(&mut text);
        }
        let Purpose::Login(login) = &self.purpose else {
            return;
        };
        // A certificate that is not accepted may still leave the password; nothing is weaker for it
        // than what the account allows anyway.
        if exchange.choice == Choice::External && login.password.is_some() {
            self.refused.push(name);
            return self.begin_sasl();
        }
        self.fail(match condition.as_str() {
            "not-authorized" => StreamFailure::NotAuthorized { text },
            "account-disabled" | "credentials-expired" => {
                StreamFailure::AccountDisabled { condition, text }
            }
            "invalid-mechanism" | "mechanism-too-weak" => StreamFailure::MechanismTooWeak {
                offered: self.features.mechanisms.clone(),
            },
            "temporary-auth-failure" => StreamFailure::Unavailable { condition, text },
            _ => StreamFailure::Refused { condition, text },
        });
    }

    fn scram_failed(&mut self, error: &ScramError) {
        let failure = match error {
            ScramError::Downgrade => StreamFailure::Downgrade {
                reason: error.to_string(),
                offered: self.features.mechanisms.clone(),
            },
            // `e=` instead of a failure element (RFC 5802 §7): what is meant is the same.
            ScramError::Reported { error } if error == "invalid-proof" => {
                StreamFailure::NotAuthorized {
                    text: error.clone(),
                }
            }
            _ => not_authentic(&error.to_string()),
        };
        self.fail(failure);
    }
}

/// RFC 4616 §2. The name and password are prepared by the server.
fn plain(login: &Login, username: &str) -> Zeroizing<Vec<u8>> {
    let password = login
        .password
        .as_ref()
        .map_or("", |password| password.as_str());
    let mut message = Zeroizing::new(Vec::with_capacity(username.len() + password.len() + 2));
    message.push(0);
    message.extend_from_slice(username.as_bytes());
    message.push(0);
    message.extend_from_slice(password.as_bytes());
    message
}

/// Base64 as in RFC 6120 §6.4.2: `=` or nothing is no data.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    if text.is_empty() || text == "=" {
        return Some(Vec::new());
    }
    BASE64.decode(text).ok()
}

fn failure_words(element: &Element) -> (String, String) {
    let text = element
        .children()
        .find(|child| child.name() == "text")
        .map(|text| bounded(&text.text(), MAX_TEXT).to_owned())
        .unwrap_or_default();
    // XEP-0388 takes the conditions of RFC 6120 with their namespace.
    let condition = element
        .children()
        .find(|child| child.has_ns(ns::SASL) && child.name() != "text")
        .map_or("not-authorized", Element::name);
    (bounded(condition, 64).to_owned(), text)
}

fn not_authentic(reason: &str) -> StreamFailure {
    StreamFailure::ServerNotAuthentic {
        reason: reason.to_owned(),
    }
}

fn too_weak(offer: &Offer) -> StreamFailure {
    StreamFailure::MechanismTooWeak {
        offered: offer.mechanisms.clone(),
    }
}
