//! Making an account (XEP-0077): a link and a stream of its own until the account is there.
//!
//! How it plugs in: the engine owns one [`Registrations`], gives it the requests of that section, and
//! every event of a link that [`Registrations::owns`]. What it wants from outside comes as [`Effect`]s.
//!
//! It goes the way of a log-in: the same dial, the same proof of the domain, TLS before anything else
//! (S-XMPP-21). The server's words are untrusted plain text; nothing that its form names is fetched
//! from anywhere but the stream itself.

mod attempt;
mod view;

use std::collections::BTreeMap;
use std::time::Instant;

use sotto_api::view::CertificateView;
use sotto_api::{
    AccountId, AccountSettings, ApiError, Problem, RegistrationId, Reply, Request, Secret,
};
use sotto_xmpp::BareJid;

use crate::context::{Answer, Context, ReplyTo};
use crate::io::{LinkEvent, LinkId, WorkId};
use crate::words;
use crate::work::Done;
use attempt::{Attempt, Stage};

/// Registrations that may be open at once.
const MOST: usize = 8;

/// All registrations under way, and those that ended and were not put away yet.
#[derive(Default)]
pub(crate) struct Registrations {
    attempts: BTreeMap<RegistrationId, Attempt>,
    last: i64,
}

/// What the engine does for a registration.
pub(crate) enum Effect {
    /// The server made the account: the engine adds it (enabled, with this password) and calls
    /// [`Registrations::account_added`].
    AddAccount {
        registration: RegistrationId,
        address: BareJid,
        password: Secret,
        remember: bool,
        settings: AccountSettings,
        /// Keys that the person accepted on the way.
        accepted_keys: Vec<[u8; 32]>,
    },
    /// The certificate was not accepted: the engine asks and calls
    /// [`Registrations::certificate_accepted`] or [`Registrations::certificate_rejected`].
    AskCertificate {
        registration: RegistrationId,
        domain: String,
        reason: String,
        chain: CertificateView,
    },
}

impl Registrations {
    /// `RegistrationStart`, `RegistrationView`, `RegistrationSubmit`, `RegistrationCancel`.
    pub fn handle_request(&mut self, cx: &mut Context, _to: ReplyTo, request: Request) -> Answer {
        match request {
            Request::RegistrationStart { server, settings } => self.start(cx, &server, settings),
            Request::RegistrationView { registration } => {
                let attempt = self.find(registration)?;
                Ok(Some(Reply::Registration(attempt.view(registration))))
            }
            Request::RegistrationSubmit {
                registration,
                answers,
                remember,
            } => {
                let attempt = self.find(registration)?;
                attempt.submit(cx, answers, remember)?;
                cx.changes.registration(registration);
                Ok(Some(Reply::Registration(attempt.view(registration))))
            }
            Request::RegistrationCancel { registration } => {
                let mut attempt = self
                    .attempts
                    .remove(&registration)
                    .ok_or_else(words::not_found)?;
                attempt.close(cx);
                cx.changes.registration(registration);
                Ok(Some(Reply::Done))
            }
            _ => Err(words::internal()),
        }
    }

    fn start(&mut self, cx: &mut Context, server: &str, settings: AccountSettings) -> Answer {
        let server = server.trim();
        let server = server.strip_prefix('@').unwrap_or(server);
        let domain = BareJid::new(server)
            .ok()
            .filter(|jid| jid.node().is_none())
            .ok_or_else(words::invalid_server)?;
        if self.attempts.len() >= MOST {
            self.attempts.retain(|_, attempt| !attempt.has_ended());
        }
        if self.attempts.len() >= MOST {
            return Err(words::too_many_registrations());
        }
        self.last += 1;
        let id = RegistrationId(self.last);
        let mut attempt = Attempt::new(domain, settings);
        attempt.dial(cx);
        let view = attempt.view(id);
        self.attempts.insert(id, attempt);
        Ok(Some(Reply::Registration(view)))
    }

    fn find(&mut self, registration: RegistrationId) -> Result<&mut Attempt, ApiError> {
        self.attempts
            .get_mut(&registration)
            .ok_or_else(words::not_found)
    }

    /// Whether a link is one of these.
    pub fn owns(&self, link: LinkId) -> bool {
        self.attempts.values().any(|attempt| attempt.owns(link))
    }

    /// Something happened on a link of these.
    pub fn handle_link(&mut self, cx: &mut Context, link: LinkId, event: LinkEvent) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some((id, attempt)) = self.attempts.iter_mut().find(|(_, a)| a.owns(link)) {
            attempt.handle_link(cx, *id, event, &mut effects);
        }
        effects
    }

    /// A picture of a form was decoded, or not. Whether it was one of these.
    pub fn handle_work(&mut self, cx: &mut Context, work: WorkId, done: &mut Option<Done>) -> bool {
        self.attempts
            .iter_mut()
            .any(|(id, attempt)| attempt.handle_work(cx, *id, work, done))
    }

    /// The engine added the account, or could not.
    pub fn account_added(
        &mut self,
        cx: &mut Context,
        registration: RegistrationId,
        account: Result<AccountId, ApiError>,
    ) {
        if let Some(attempt) = self.attempts.get_mut(&registration) {
            match account {
                Ok(account) => attempt.stage = Stage::Done(account),
                Err(error) => attempt.fail_to_add(&error),
            }
            cx.changes.registration(registration);
        }
    }

    /// The person accepted the key: once more, with it.
    pub fn certificate_accepted(
        &mut self,
        cx: &mut Context,
        registration: RegistrationId,
        key: [u8; 32],
    ) {
        if let Some(attempt) = self.attempts.get_mut(&registration) {
            attempt.accept_key(key);
            attempt.dial(cx);
            cx.changes.registration(registration);
        }
    }

    /// The person refused the certificate.
    pub fn certificate_rejected(&mut self, cx: &mut Context, registration: RegistrationId) {
        if let Some(attempt) = self.attempts.get_mut(&registration) {
            attempt.fail(&Problem::Certificate, "");
            cx.changes.registration(registration);
        }
    }

    /// Call when [`Registrations::poll_timeout`] has passed.
    pub fn handle_timeout(&mut self, cx: &mut Context) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (id, attempt) in &mut self.attempts {
            attempt.handle_timeout(cx, *id, &mut effects);
        }
        effects
    }

    /// When something is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.attempts
            .values()
            .filter_map(Attempt::poll_timeout)
            .min()
    }

    /// A fault of ours came to light: none of these is to be trusted any more.
    pub fn give_up(&mut self, cx: &mut Context) {
        for (id, attempt) in &mut self.attempts {
            attempt.give_up(cx);
            cx.changes.registration(*id);
        }
    }

    /// The program ends: closes all links.
    pub fn close(&mut self, cx: &mut Context) {
        for attempt in self.attempts.values_mut() {
            attempt.close(cx);
        }
    }
}

#[cfg(test)]
mod tests;
