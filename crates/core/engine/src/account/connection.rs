//! From the dial to the end of a connection, and when the next one is tried.

use std::time::{Duration, Instant};

use sotto_api::view::CertificateView;
use sotto_api::{Problem, Secret};
use sotto_store::row::AccountRow;
use sotto_xmpp::stream::{
    ClientStream, Login, Purpose, Security, StreamConfig, TlsBinding, TlsVersion, UserAgent,
};
use zeroize::Zeroizing;

use super::{Account, Candidate, Connection, Pending, State};
use crate::context::Context;
use crate::error::Fault;
use crate::io::{CloseReason, DialPlan, LinkCommand, LinkEvent, LinkId, TlsEstablished};
use crate::words::{ProblemContext, problem};

/// What a closed connection asks of the engine.
pub(crate) struct CertificateProblem {
    pub domain: String,
    pub reason: String,
    pub chain: CertificateView,
}

impl Account {
    /// Goes online if the person wants it and nothing stands in the way.
    pub fn start(&mut self, cx: &mut Context) -> Result<(), Fault> {
        if self.row.enabled {
            self.connect(cx)
        } else {
            self.set_state(cx, State::Disabled);
            Ok(())
        }
    }

    /// Whether this connection is the account's.
    pub fn owns(&self, link: LinkId) -> bool {
        self.connection.as_ref().is_some_and(|c| c.link == link)
    }

    /// Dials now, whatever was before.
    pub fn connect(&mut self, cx: &mut Context) -> Result<(), Fault> {
        self.drop_connection(cx);
        if self.row.settings.client_certificate.is_none() && self.password(cx)?.is_none() {
            self.problem = Some(self.worded(cx, &Problem::NoPassword, ""));
            self.set_state(cx, State::NeedsPassword);
            return Ok(());
        }
        let domain = self.domain().to_owned();
        let mut accepted_keys = cx.store.cert_pins(self.id, &domain)?;
        accepted_keys.extend_from_slice(&self.accepted_now);
        let link = cx.effects.new_link();
        let plan = DialPlan {
            domain,
            server: self.row.settings.server.clone(),
            proxy: self.row.settings.proxy.clone(),
            client_certificate: self.row.settings.client_certificate.clone(),
            accepted_keys,
        };
        cx.effects.link(link, LinkCommand::Dial(Box::new(plan)));
        self.connection = Some(Connection::new(link));
        self.set_state(cx, State::Connecting);
        Ok(())
    }

    /// Something happened on the connection. A certificate to ask about comes back.
    pub fn handle_link(
        &mut self,
        cx: &mut Context,
        event: LinkEvent,
    ) -> Result<Option<CertificateProblem>, Fault> {
        match event {
            LinkEvent::Dialed { tls, peer: _ } => self.handle_dialed(cx, tls)?,
            LinkEvent::TlsEstablished(tls) => {
                if let Some(connection) = &mut self.connection {
                    connection.note_tls(&tls);
                    if let Some(stream) = &mut connection.stream {
                        stream.handle_tls(binding(&tls), cx.now.instant);
                    }
                }
            }
            LinkEvent::Received(bytes) => {
                self.unkept = true;
                #[cfg(test)]
                super::inbound::panic_if_asked("at bytes");
                self.record_incoming(cx, &bytes);
                if let Some(connection) = &mut self.connection {
                    connection.probe = None;
                    if let Some(stream) = &mut connection.stream {
                        stream.handle_bytes(&bytes, cx.now.instant);
                    }
                }
            }
            LinkEvent::Closed(reason) => return self.handle_closed(cx, reason),
        }
        Ok(None)
    }

    fn handle_dialed(
        &mut self,
        cx: &mut Context,
        tls: Option<TlsEstablished>,
    ) -> Result<(), Fault> {
        let password = self.password(cx)?;
        let settings = &self.row.settings;
        let remembered = cx
            .store
            .mechanism_memory(self.id)?
            .and_then(|json| serde_json::from_str(&json).ok());
        let login = Login {
            username: self
                .address
                .node()
                .map(|node| node.as_str().to_owned())
                .unwrap_or_default(),
            password: password.map(|secret| Zeroizing::new(secret.expose().to_owned())),
            external: settings.client_certificate.is_some(),
            allow_plain: settings.allow_plain,
            resource: settings
                .resource
                .clone()
                .filter(|resource| !resource.is_empty()),
            user_agent: UserAgent {
                id: self.row.agent_id.clone(),
                software: cx.software.to_owned(),
                device: String::new(),
            },
            resume: self.resume_state(cx)?,
            remembered,
        };
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        let security = match &tls {
            Some(tls) => {
                connection.note_tls(tls);
                Security::Established(binding(tls))
            }
            None => Security::NotYet,
        };
        let config = StreamConfig {
            domain: self.address.domain().as_str().to_owned(),
            purpose: Purpose::Login(login),
            security,
            lang: cx.language().to_owned(),
        };
        connection.tap_from_the_start(cx);
        connection.stream = Some(ClientStream::new(
            config,
            cx.now.instant,
            &mut *cx.effects.random,
        ));
        Ok(())
    }

    fn handle_closed(
        &mut self,
        cx: &mut Context,
        reason: CloseReason,
    ) -> Result<Option<CertificateProblem>, Fault> {
        let Some(connection) = self.connection.take() else {
            return Ok(None);
        };
        super::record::ended(cx, connection.link);
        self.remember_position(&connection);
        self.interrupted(cx)?;
        if connection.closing || self.state_is_final() {
            return Ok(None);
        }
        let (kind, details) = match reason {
            CloseReason::ByUs | CloseReason::Eof => (Problem::ConnectionLost, String::new()),
            CloseReason::Io(cause) => (Problem::ConnectionLost, cause),
            CloseReason::UnknownServer => (Problem::UnknownServer, String::new()),
            CloseReason::DnsFailed(cause) => (Problem::DnsFailed, cause),
            CloseReason::Unreachable(cause) => (Problem::Unreachable, cause),
            CloseReason::TimedOut => (Problem::TimedOut, String::new()),
            CloseReason::Proxy(cause) => (Problem::Proxy, cause),
            CloseReason::Tls(cause) => (Problem::ConnectionLost, cause),
            CloseReason::Certificate { reason, chain } => {
                self.problem = Some(self.worded(cx, &Problem::Certificate, &reason));
                self.set_state(cx, State::Stopped);
                return Ok(Some(CertificateProblem {
                    domain: self.domain().to_owned(),
                    reason,
                    chain,
                }));
            }
        };
        // A failure that the stream reported says more than the end of the connection after it.
        if !matches!(self.state, State::Waiting { .. }) {
            self.problem = Some(self.worded(cx, &kind, &details));
            self.wait(cx);
        }
        Ok(None)
    }

    /// A question about the certificate is open.
    pub fn await_answer(&mut self, cx: &mut Context, question: sotto_api::QuestionId) {
        self.set_state(cx, State::NeedsAnswer(question));
    }

    /// The person accepted a key until the program ends.
    pub fn accept_key_now(&mut self, key: [u8; 32]) {
        if !self.accepted_now.contains(&key) {
            self.accepted_now.push(key);
        }
    }

    /// The person refused the certificate: offline until it is tried again.
    pub fn certificate_refused(&mut self, cx: &mut Context) {
        self.set_state(cx, State::Stopped);
    }

    /// The question that this account waits for.
    pub fn open_question(&self) -> Option<sotto_api::QuestionId> {
        match self.state {
            State::NeedsAnswer(question) => Some(question),
            _ => None,
        }
    }

    /// Tries again after a wait whose length grows.
    pub(super) fn wait(&mut self, cx: &mut Context) {
        let mut byte = [0];
        (cx.effects.random)(&mut byte);
        let wait = self.retry.lost(cx.now.instant, byte[0]);
        let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        self.set_state(
            cx,
            State::Waiting {
                retry: cx.now.instant + wait,
                retry_unix_ms: cx.now.unix_ms.saturating_add(millis),
            },
        );
    }

    /// The network is there again: whoever waits tries at once.
    pub fn network_up(&mut self, cx: &mut Context) -> Result<(), Fault> {
        self.retry.reset();
        match self.state {
            State::Waiting { .. } => self.connect(cx)?,
            State::Online => {
                // The old connection may lead nowhere now (R-NET-04): whoever answers, lives.
                let payload = sotto_xmpp::ping::request();
                self.request(
                    cx,
                    None,
                    sotto_xmpp::iq::Method::Get,
                    payload,
                    Pending::Nothing,
                );
                if let Some(connection) = &mut self.connection {
                    connection.probe = Some(cx.now.instant + PROBE);
                }
            }
            State::Disabled
            | State::Connecting
            | State::NeedsPassword
            | State::NeedsAnswer(_)
            | State::Stopped => {}
        }
        Ok(())
    }

    /// The person wants it tried now.
    pub fn retry_now(&mut self, cx: &mut Context) -> Result<(), Fault> {
        self.retry.reset();
        match self.state {
            State::Waiting { .. } | State::Stopped => self.connect(cx),
            State::Disabled
            | State::Connecting
            | State::Online
            | State::NeedsPassword
            | State::NeedsAnswer(_) => Ok(()),
        }
    }

    /// A password from the person: tried at once, stored only when the server accepted it.
    pub fn set_candidate(
        &mut self,
        cx: &mut Context,
        password: Secret,
        remember: bool,
    ) -> Result<(), Fault> {
        let stored = remember && cx.store.credential(self.id)?.is_none();
        if stored {
            cx.store
                .credential_set(self.id, &password, cx.timestamp())?;
            self.row.remembered = true;
        }
        self.passwords.candidate = Some(Candidate {
            password,
            remember,
            stored,
        });
        self.retry.reset();
        if self.row.enabled {
            self.connect(cx)
        } else {
            Ok(())
        }
    }

    /// The person does not want the password kept any more. A session that stands goes on, also over cuts.
    pub fn forget_password(&mut self) {
        self.row.remembered = false;
        self.passwords.removed = true;
        if let Some(candidate) = &mut self.passwords.candidate {
            candidate.remember = false;
            candidate.stored = false;
        }
        if matches!(
            self.state,
            State::Disabled | State::NeedsPassword | State::Stopped
        ) {
            self.forget_removed_password();
        }
    }

    fn forget_removed_password(&mut self) {
        if std::mem::take(&mut self.passwords.removed) {
            self.passwords.proved = None;
        }
    }

    /// The password was changed on the server: from now on this one is used.
    pub fn set_password(&mut self, password: Secret) {
        self.passwords.candidate = None;
        self.passwords.proved = Some(password);
    }

    pub(super) fn password(&self, cx: &Context) -> Result<Option<Secret>, Fault> {
        if let Some(candidate) = &self.passwords.candidate {
            return Ok(Some(candidate.password.clone()));
        }
        if let Some(password) = &self.passwords.proved {
            return Ok(Some(password.clone()));
        }
        Ok(cx.store.credential(self.id)?)
    }

    /// The server did not accept the password: a new one is forgotten, one that was accepted before
    /// stays, and nothing is tried until the person says something.
    pub(super) fn password_refused(&mut self, cx: &mut Context) -> Result<(), Fault> {
        if self.passwords.candidate.take().is_some_and(|c| c.stored) {
            cx.store.credential_remove(self.id)?;
            self.row.remembered = false;
        }
        self.passwords.proved = None;
        self.set_state(cx, State::NeedsPassword);
        Ok(())
    }

    pub(super) fn password_accepted(&mut self, cx: &mut Context) -> Result<(), Fault> {
        let Some(candidate) = self.passwords.candidate.take() else {
            return Ok(());
        };
        if candidate.remember {
            cx.store
                .credential_set(self.id, &candidate.password, cx.timestamp())?;
        } else {
            cx.store.credential_remove(self.id)?;
        }
        self.row.remembered = candidate.remember;
        self.passwords.proved = Some(candidate.password);
        self.passwords.removed = false;
        Ok(())
    }

    /// Signs out properly: the server ends the session, contacts see it, and the last stanzas are
    /// still confirmed. `state` afterwards: disabled, or about to be dialled again.
    pub fn sign_out(&mut self, cx: &mut Context) -> Result<(), Fault> {
        if let Some(stream) = self.bound_stream() {
            let now = cx.now.instant;
            stream.send(sotto_xmpp::presence::unavailable(""), now);
            stream.close(now);
            if let Some(connection) = &mut self.connection {
                connection.closing = true;
                connection.bound = None;
            }
            self.resume = None;
            cx.store.sm_state_set(self.id, None)?;
            self.lost(cx)?;
        } else {
            self.drop_connection(cx);
        }
        self.forget_removed_password();
        self.set_state(cx, State::Disabled);
        Ok(())
    }

    /// Breaks the connection for a while; the server keeps the session.
    pub fn leave(&mut self, cx: &mut Context) -> Result<(), Fault> {
        self.drop_connection(cx);
        self.lost(cx)?;
        if !self.rests() {
            self.set_state(cx, State::Disabled);
        }
        Ok(())
    }

    /// Whether a sign-out is still on its way.
    pub fn is_closing(&self) -> bool {
        self.connection.as_ref().is_some_and(|c| c.closing)
    }

    /// Breaks the connection at once; nothing more is read from it or written to it.
    pub(crate) fn drop_connection(&mut self, cx: &mut Context) {
        if let Some(connection) = self.connection.take() {
            super::record::ended(cx, connection.link);
            self.remember_position(&connection);
            cx.effects.link(connection.link, LinkCommand::Close);
        }
    }

    /// What was handled could not be kept: as if the connection had broken before it.
    pub(crate) fn abort(&mut self, cx: &mut Context) {
        if let Some(connection) = self.connection.take() {
            super::record::ended(cx, connection.link);
            cx.effects.link(connection.link, LinkCommand::Close);
        }
        self.resume = None;
        self.messages.forget_held();
        if self.row.enabled {
            self.wait(cx);
        }
    }

    /// What was changed could not be kept: this is what holds.
    pub(crate) fn reread(&mut self, cx: &mut Context, row: AccountRow) {
        let switched = row.enabled != self.row.enabled;
        self.row = row;
        if switched {
            self.abort(cx);
        }
        if switched && !self.row.enabled {
            self.set_state(cx, State::Disabled);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let stream = self.connection.as_ref().and_then(|c| c.stream.as_ref());
        let retry = match self.state {
            State::Waiting { retry, .. } => Some(retry),
            _ => None,
        };
        [
            stream.and_then(ClientStream::poll_timeout),
            retry,
            self.connection.as_ref().and_then(|c| c.probe),
            self.requests
                .as_ref()
                .and_then(sotto_xmpp::iq::Tracker::poll_timeout),
            self.messages.poll_timeout(),
            self.private.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(crate) fn handle_timeout(&mut self, cx: &mut Context) -> Result<(), Fault> {
        let now = cx.now.instant;
        // Should this fail, it is not tried again at once and for ever: the account waits.
        self.unkept = true;
        #[cfg(test)]
        super::inbound::panic_if_asked("at a time");
        if let State::Waiting { retry, .. } = self.state
            && now >= retry
        {
            self.connect(cx)?;
        }
        if self
            .connection
            .as_ref()
            .and_then(|c| c.probe)
            .is_some_and(|at| now >= at)
        {
            self.interrupted(cx)?;
            self.connect(cx)?;
        }
        if let Some(stream) = self.connection.as_mut().and_then(|c| c.stream.as_mut())
            && stream.poll_timeout().is_some_and(|at| now >= at)
        {
            stream.handle_timeout(now);
        }
        if let Some(requests) = &mut self.requests {
            requests.handle_timeout(now);
        }
        self.settle_ended_requests(cx)?;
        crate::private::handle_timeout(cx, self)?;
        crate::messages::typing::handle_timeout(cx, self)
    }

    pub(super) fn worded(
        &self,
        cx: &Context,
        kind: &Problem,
        details: &str,
    ) -> sotto_api::view::ProblemView {
        problem(
            kind,
            ProblemContext {
                server: self.domain(),
                network: cx.networks.get(&self.row.network),
                details,
            },
        )
    }

    pub(super) fn set_state(&mut self, cx: &mut Context, state: State) {
        if self.state != state {
            self.state = state;
            cx.changes.account(self.id);
        }
    }

    fn state_is_final(&self) -> bool {
        matches!(
            self.state,
            State::Disabled | State::NeedsPassword | State::Stopped | State::NeedsAnswer(_)
        )
    }

    fn remember_position(&mut self, connection: &Connection) {
        if let Some(stream) = &connection.stream
            && connection.bound.is_some()
        {
            self.resume = stream.resume_state();
        }
    }
}

impl Connection {
    fn new(link: LinkId) -> Self {
        Self {
            link,
            stream: None,
            bound: None,
            label: String::new(),
            certificate: None,
            scram: None,
            sm: false,
            unproved: false,
            closing: false,
            saved: None,
            unmarked: 0,
            tap: None,
            probe: None,
        }
    }

    fn note_tls(&mut self, tls: &TlsEstablished) {
        self.label = format!("TLS {}", if tls.tls13 { "1.3" } else { "1.2" });
        self.certificate = Some(tls.certificate.summary.clone());
    }
}

/// What a TLS connection gives a log-in to be bound to.
pub(crate) fn binding(tls: &TlsEstablished) -> TlsBinding {
    TlsBinding {
        exporter: tls.exporter,
        server_end_point: tls.server_end_point.clone(),
        version: if tls.tls13 {
            TlsVersion::Tls13
        } else {
            TlsVersion::Tls12
        },
    }
}

/// How long an answer may take after the network changed.
const PROBE: Duration = Duration::from_secs(2);

/// How long the end of the program waits for streams to close.
pub(crate) const CLOSE_WAIT: Duration = Duration::from_millis(1500);
