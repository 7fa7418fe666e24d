//! Making an account (XEP-0077): a link and a stream of its own until the account is there.
//!
//! How it plugs in: the engine owns one [`Registrations`], gives it the requests of that section, and
//! every event of a link that [`Registrations::owns`]. What it wants from outside comes as [`Effect`]s.

use std::time::Instant;
use sotto_api::{RegistrationId, Request, AccountSettings, Secret};
use crate::context::{Answer, Context, ReplyTo};
use crate::io::{LinkEvent, LinkId};

#[derive(Default)]
pub(crate) struct Registrations { … }

/// What the engine does for a registration.
pub(crate) enum Effect {
    /// The server made the account: the engine adds it (enabled, with this password) and calls `account_added`.
    AddAccount { registration: RegistrationId, address: BareJid, password: Secret, remember: bool, settings: AccountSettings },
    /// The certificate was not accepted: the engine asks and calls `certificate_accepted` or `certificate_rejected`.
    AskCertificate { registration: RegistrationId, domain: String, reason: String, chain: CertificateView },
}

impl Registrations {
    /// `RegistrationStart`, `RegistrationView`, `RegistrationSubmit`, `RegistrationCancel`.
    pub fn handle_request(&mut self, cx: &mut Context, to: ReplyTo, request: Request) -> Answer;
    pub fn owns(&self, link: LinkId) -> bool;
    pub fn handle_link(&mut self, cx: &mut Context, link: LinkId, event: LinkEvent) -> Vec<Effect>;
    pub fn account_added(&mut self, cx: &mut Context, registration: RegistrationId, account: Result<AccountId, ApiError>);
    pub fn certificate_accepted(&mut self, cx: &mut Context, registration: RegistrationId, key: [u8; 32]);
    pub fn certificate_rejected(&mut self, cx: &mut Context, registration: RegistrationId);
    pub fn handle_timeout(&mut self, cx: &mut Context) -> Vec<Effect>;
    pub fn poll_timeout(&self) -> Option<Instant>;
    /// The program ends: closes all links.
    pub fn close(&mut self, cx: &mut Context);
}
