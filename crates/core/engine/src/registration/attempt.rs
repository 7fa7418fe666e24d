//! One registration: from the dial to the account.

use std::collections::HashMap;
use std::time::Instant;

use sotto_api::view::{FormAnswer, ProblemView};
use sotto_api::{AccountId, AccountSettings, ApiError, Field, Problem, RegistrationId, Secret};
use sotto_xmpp::bob::{self, Bob};
use sotto_xmpp::iq::{self, Answer as IqAnswer, Failure, Method, Tracker};
use sotto_xmpp::register::{self, Answer, FieldKind, Form, Media, Refusal, RefusalKind};
use sotto_xmpp::stream::{ClientStream, Purpose, Security, StreamConfig, StreamEvent, Transmit};
use sotto_xmpp::{BareJid, Element, Jid};

use super::Effect;
use crate::account::{stream_problem, tls_binding};
use crate::context::Context;
use crate::io::{CloseReason, DialPlan, LinkCommand, LinkEvent, LinkId, PictureJob, WorkId};
use crate::words::{self, ProblemContext};
use crate::work::Done;

/// Pictures and sounds that are asked for of one form.
const MOST_MEDIA: usize = 4;

/// Longest side of a CAPTCHA's picture, in pixels.
const MEDIA_SIDE: usize = 512;

/// Where a registration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Connecting,
    /// Asks about a certificate.
    Asking,
    Form,
    Submitting,
    Done(AccountId),
    Failed,
}

/// What an iq is for.
#[derive(Debug)]
enum Asked {
    Form,
    Media,
    Submit,
}

/// What was sent, until the server says what became of it.
struct Submitted {
    address: BareJid,
    password: Secret,
    remember: bool,
}

/// Answers that wait for a new connection, since the old one was lost while they were written.
struct Waiting {
    answers: Vec<FormAnswer>,
    remember: bool,
}

pub(super) struct Attempt {
    server: BareJid,
    settings: AccountSettings,
    pub stage: Stage,
    pub problem: Option<ProblemView>,
    pub form: Option<Form>,
    link: Option<LinkId>,
    stream: Option<ClientStream>,
    /// There only after TLS: nothing can be asked before (S-XMPP-21).
    requests: Option<Tracker<Asked>>,
    accepted: Vec<[u8; 32]>,
    submitted: Option<Submitted>,
    waiting: Option<Waiting>,
    /// Pictures of the form that are being written anew, by the place of their field.
    decoding: HashMap<WorkId, usize>,
    /// Those that were, as PNG.
    pictures: HashMap<usize, Vec<u8>>,
    /// The next form replaces a used-up one: what went wrong with that stays to be read.
    renewing: bool,
}

impl Attempt {
    pub fn new(server: BareJid, settings: AccountSettings) -> Self {
        Self {
            server,
            settings,
            stage: Stage::Connecting,
            problem: None,
            form: None,
            link: None,
            stream: None,
            requests: None,
            accepted: Vec::new(),
            submitted: None,
            waiting: None,
            decoding: HashMap::new(),
            pictures: HashMap::new(),
            renewing: false,
        }
    }

    pub fn domain(&self) -> &str {
        self.server.domain().as_str()
    }

    pub fn owns(&self, link: LinkId) -> bool {
        self.link == Some(link)
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Done(_) | Stage::Failed)
    }

    pub fn accept_key(&mut self, key: [u8; 32]) {
        if !self.accepted.contains(&key) {
            self.accepted.push(key);
        }
    }

    /// Connects as a log-in does: same name to prove, same proxy, same override.
    pub fn dial(&mut self, cx: &mut Context) {
        self.drop_link(cx);
        let link = cx.effects.new_link();
        let plan = DialPlan {
            domain: self.domain().to_owned(),
            server: self.settings.server.clone(),
            proxy: self.settings.proxy.clone(),
            client_certificate: None,
            accepted_keys: self.accepted.clone(),
        };
        cx.effects.link(link, LinkCommand::Dial(Box::new(plan)));
        self.link = Some(link);
        if self.waiting.is_none() {
            self.stage = Stage::Connecting;
        }
    }

    // ---- the link ----------------------------------------------------------------------------

    pub fn handle_link(
        &mut self,
        cx: &mut Context,
        id: RegistrationId,
        event: LinkEvent,
        effects: &mut Vec<Effect>,
    ) {
        match event {
            LinkEvent::Dialed { tls, .. } => {
                let security = match &tls {
                    Some(tls) => Security::Established(tls_binding(tls)),
                    None => Security::NotYet,
                };
                let config = StreamConfig {
                    domain: self.domain().to_owned(),
                    purpose: Purpose::Register,
                    security,
                    lang: cx.language().to_owned(),
                };
                let random = &mut *cx.effects.random;
                self.stream = Some(ClientStream::new(config, cx.now.instant, random));
            }
            LinkEvent::TlsEstablished(tls) => {
                if let Some(stream) = &mut self.stream {
                    stream.handle_tls(tls_binding(&tls), cx.now.instant);
                }
            }
            LinkEvent::Received(bytes) => {
                if let Some(stream) = &mut self.stream {
                    stream.handle_bytes(&bytes, cx.now.instant);
                }
            }
            LinkEvent::Closed(reason) => {
                self.link = None;
                self.stream = None;
                self.requests = None;
                self.handle_closed(cx, id, reason, effects);
                return;
            }
        }
        self.drive(cx, id, effects);
    }

    fn handle_closed(
        &mut self,
        cx: &mut Context,
        id: RegistrationId,
        reason: CloseReason,
        effects: &mut Vec<Effect>,
    ) {
        if self.has_ended() || self.stage == Stage::Asking {
            return;
        }
        let (problem, details) = match reason {
            CloseReason::ByUs | CloseReason::Eof => (Problem::ConnectionLost, String::new()),
            CloseReason::Io(cause) | CloseReason::Tls(cause) => (Problem::ConnectionLost, cause),
            CloseReason::UnknownServer => (Problem::UnknownServer, String::new()),
            CloseReason::DnsFailed(cause) => (Problem::DnsFailed, cause),
            CloseReason::Unreachable(cause) => (Problem::Unreachable, cause),
            CloseReason::TimedOut => (Problem::TimedOut, String::new()),
            CloseReason::Proxy(cause) => (Problem::Proxy, cause),
            CloseReason::Certificate { reason, chain } => {
                self.stage = Stage::Asking;
                effects.push(Effect::AskCertificate {
                    registration: id,
                    domain: self.domain().to_owned(),
                    reason,
                    chain,
                });
                cx.changes.registration(id);
                return;
            }
        };
        match self.stage {
            // The server does not wait for ever; a new connection is made when the form is sent.
            Stage::Form => return,
            Stage::Submitting if self.form.is_some() => {
                self.submitted = None;
                self.waiting = None;
                self.stage = Stage::Form;
                self.word(&problem, &details);
            }
            _ => self.fail(&problem, &details),
        }
        cx.changes.registration(id);
    }

    /// Carries out what the stream says and wants.
    fn drive(&mut self, cx: &mut Context, id: RegistrationId, effects: &mut Vec<Effect>) {
        while let Some(event) = self.stream.as_mut().and_then(ClientStream::poll_event) {
            match event {
                StreamEvent::RegistrationReady { .. } => {
                    self.requests = Some(Tracker::before_login(&self.server));
                    self.ask(cx, Method::Get, register::request(), Asked::Form);
                }
                StreamEvent::Stanza(stanza) => {
                    let answer = self.requests.as_mut().map(|r| r.handle(&stanza));
                    if let Some(IqAnswer::Ended { tag, outcome }) = answer {
                        self.handle_answer(cx, id, &tag, outcome, effects);
                    }
                }
                StreamEvent::Failed(failure) => {
                    let problem = stream_problem(&failure);
                    let details = failure.to_string();
                    if self.stage == Stage::Submitting && self.form.is_some() {
                        self.submitted = None;
                        self.waiting = None;
                        self.stage = Stage::Form;
                        self.word(&problem, &details);
                        cx.changes.registration(id);
                    } else if matches!(self.stage, Stage::Connecting | Stage::Submitting) {
                        self.fail(&problem, &details);
                        cx.changes.registration(id);
                    }
                }
                // A registration asks for none of these.
                _ => {}
            }
        }
        self.transmit(cx);
    }

    fn transmit(&mut self, cx: &mut Context) {
        let (Some(link), Some(stream)) = (self.link, &mut self.stream) else {
            return;
        };
        while let Some(transmit) = stream.poll_transmit() {
            let command = match transmit {
                Transmit::Bytes(bytes) => LinkCommand::Transmit(bytes),
                Transmit::StartTls => LinkCommand::StartTls,
                Transmit::Close => LinkCommand::Close,
            };
            cx.effects.link(link, command);
        }
    }

    fn ask(&mut self, cx: &mut Context, method: Method, payload: Element, asked: Asked) {
        let (Some(stream), Some(requests)) = (&mut self.stream, &mut self.requests) else {
            return;
        };
        let to = Jid::from(self.server.clone());
        let random = &mut *cx.effects.random;
        let now = cx.now.instant;
        let iq = requests.send(method, Some(to), payload, asked, now, random);
        stream.send(iq, now);
    }

    // ---- what the server answers -------------------------------------------------------------

    fn handle_answer(
        &mut self,
        cx: &mut Context,
        id: RegistrationId,
        asked: &Asked,
        outcome: iq::Outcome,
        effects: &mut Vec<Effect>,
    ) {
        match asked {
            Asked::Form => self.handle_form(cx, outcome),
            Asked::Media => {
                let bob = outcome.ok().flatten().as_ref().and_then(Bob::parse);
                if let (Some(bob), Some(form)) = (bob, &mut self.form) {
                    form.add_media(&bob);
                }
                self.look_at_pictures(cx);
            }
            Asked::Submit => self.handle_submitted(cx, id, outcome, effects),
        }
        cx.changes.registration(id);
    }

    fn handle_form(&mut self, cx: &mut Context, outcome: iq::Outcome) {
        let payload = match outcome {
            Ok(Some(payload)) => payload,
            Ok(None) => return self.fail(&Problem::RegistrationClosed, ""),
            Err(Failure::Error(error)) => {
                let refusal = Refusal::of(&error, false);
                let problem = match refusal.kind {
                    RefusalKind::Wait => Problem::RegistrationWait,
                    _ => Problem::RegistrationClosed,
                };
                return self.fail(&problem, &refusal.text);
            }
            Err(Failure::TimedOut | Failure::Dropped | Failure::Lost) => {
                return self.fail(&Problem::TimedOut, "");
            }
        };
        let Ok(form) = Form::parse(&payload) else {
            return self.fail(&Problem::ProtocolViolation, "");
        };
        if !can_be_filled(&form) && form.page.is_none() {
            return self.fail(&Problem::RegistrationClosed, &form.instructions);
        }
        let missing: Vec<String> = form
            .missing_media()
            .take(MOST_MEDIA)
            .map(str::to_owned)
            .collect();
        let same = self
            .form
            .as_ref()
            .is_some_and(|old| same_fields(old, &form));
        let solved_before = form.has_captcha();
        self.form = Some(form);
        self.stage = Stage::Form;
        self.decoding.clear();
        self.pictures.clear();
        self.look_at_pictures(cx);
        for cid in missing {
            self.ask(cx, Method::Get, bob::request(&cid), Asked::Media);
        }
        if let Some(Waiting { answers, remember }) = self.waiting.take() {
            if same && !solved_before && self.submit(cx, answers, remember).is_ok() {
                return;
            }
            // The form is another one now, or asks for something that must be read anew.
            self.word(&Problem::ConnectionLost, "");
        } else if !std::mem::take(&mut self.renewing) {
            self.problem = None;
        }
    }

    /// Has pictures of the form decoded that have come and were not looked at yet.
    fn look_at_pictures(&mut self, cx: &mut Context) {
        let Some(form) = &self.form else { return };
        for (place, field) in form.fields.iter().enumerate() {
            let Some(Media::Data { media_type, bytes }) = &field.media else {
                continue;
            };
            let seen = self.pictures.contains_key(&place)
                || self.decoding.values().any(|other| *other == place);
            if seen || !media_type.starts_with("image/") {
                continue;
            }
            if self.pictures.len() + self.decoding.len() >= MOST_MEDIA {
                return;
            }
            let job = PictureJob::view(bytes.clone(), MEDIA_SIDE);
            self.decoding.insert(cx.effects.picture(job), place);
        }
    }

    /// The picture of the field in this place, if there is one and it could be decoded.
    pub fn picture(&self, place: usize) -> Option<&[u8]> {
        let png = self.pictures.get(&place)?;
        (!png.is_empty()).then_some(png)
    }

    /// A picture was decoded, or not. Whether it was one of these.
    pub fn handle_work(
        &mut self,
        cx: &mut Context,
        id: RegistrationId,
        work: WorkId,
        done: &mut Option<Done>,
    ) -> bool {
        let Some(place) = self.decoding.remove(&work) else {
            return false;
        };
        // One that came to nothing is empty: it is not shown, and not decoded again.
        let png = match done.take() {
            Some(Done::Picture(Ok(png))) => png,
            _ => Vec::new(),
        };
        self.pictures.insert(place, png);
        cx.changes.registration(id);
        true
    }

    fn handle_submitted(
        &mut self,
        cx: &mut Context,
        id: RegistrationId,
        outcome: iq::Outcome,
        effects: &mut Vec<Effect>,
    ) {
        let Some(submitted) = self.submitted.take() else {
            return;
        };
        match outcome {
            Ok(_) => {
                self.problem = None;
                effects.push(Effect::AddAccount {
                    registration: id,
                    address: submitted.address,
                    password: submitted.password,
                    remember: submitted.remember,
                    settings: self.settings.clone(),
                    accepted_keys: self.accepted.clone(),
                });
                if let Some(stream) = &mut self.stream {
                    stream.close(cx.now.instant);
                }
            }
            Err(Failure::Error(error)) => {
                let captcha = self.form.as_ref().is_some_and(Form::has_captcha);
                let refusal = Refusal::of(&error, captcha);
                let problem = match refusal.kind {
                    RefusalKind::NameTaken => Problem::NameTaken,
                    RefusalKind::NameInvalid => Problem::NameInvalid,
                    RefusalKind::Wait => Problem::RegistrationWait,
                    RefusalKind::Closed | RefusalKind::NotAuthorized => {
                        return self.fail(&Problem::RegistrationClosed, &refusal.text);
                    }
                    _ => Problem::FormRejected,
                };
                self.stage = Stage::Form;
                self.word(&problem, &refusal.text);
                if captcha {
                    // A riddle is good for one try; what was typed otherwise stays with the shell.
                    self.renewing = true;
                    self.ask(cx, Method::Get, register::request(), Asked::Form);
                }
            }
            Err(Failure::TimedOut | Failure::Dropped | Failure::Lost) => {
                self.stage = Stage::Form;
                self.word(&Problem::TimedOut, "");
            }
        }
    }

    // ---- what the person does ----------------------------------------------------------------

    /// Sends the filled form. What is wrong before anything is sent is an error of the request; what
    /// the server does not like becomes the registration's problem.
    pub fn submit(
        &mut self,
        cx: &mut Context,
        answers: Vec<FormAnswer>,
        remember: bool,
    ) -> Result<(), ApiError> {
        if self.stage != Stage::Form {
            return Err(words::registration_busy());
        }
        let Some(form) = self.form.as_ref().filter(|form| can_be_filled(form)) else {
            return Err(words::registration_busy());
        };
        let value = |kind: FieldKind| {
            let field = form.fields.iter().find(|field| field.kind == kind)?;
            let answer = answers.iter().find(|answer| answer.name == field.name)?;
            answer.values.first()
        };
        let name = value(FieldKind::Username).map_or("", Secret::expose).trim();
        if name.is_empty() {
            return Err(words::empty_field(words::form_label("username")).at(Field::Name));
        }
        let password = value(FieldKind::Password)
            .filter(|password| !password.is_empty())
            .cloned()
            .ok_or_else(words::empty_password)?;
        let address = BareJid::new(&format!("{name}@{}", self.server.domain()))
            .ok()
            .filter(|jid| jid.domain() == self.server.domain());
        let Some(address) = address.filter(|_| !name.contains(['@', '/'])) else {
            self.word(&Problem::NameInvalid, "");
            return Ok(());
        };
        let borrowed: Vec<(&str, Vec<&str>)> = answers
            .iter()
            .map(|answer| {
                let values = answer.values.iter().map(Secret::expose).collect();
                (answer.name.as_str(), values)
            })
            .collect();
        let filled: Vec<Answer<'_>> = borrowed
            .iter()
            .map(|(name, values)| Answer { name, values })
            .collect();
        let payload = form.submit(&filled).map_err(|missing| {
            let label = form
                .fields
                .iter()
                .find(|field| field.name == missing.name)
                .map(|field| field.label.as_str())
                .filter(|label| !label.is_empty())
                .unwrap_or_else(|| words::form_label(&missing.name));
            words::empty_field(label)
        })?;
        self.problem = None;
        self.stage = Stage::Submitting;
        if self.requests.is_none() {
            self.waiting = Some(Waiting { answers, remember });
            self.dial(cx);
            return Ok(());
        }
        self.submitted = Some(Submitted {
            address,
            password,
            remember,
        });
        self.ask(cx, Method::Set, payload, Asked::Submit);
        self.transmit(cx);
        Ok(())
    }

    /// Gives up and closes the connection properly.
    pub fn close(&mut self, cx: &mut Context) {
        self.submitted = None;
        self.waiting = None;
        if let Some(stream) = &mut self.stream {
            stream.close(cx.now.instant);
            self.transmit(cx);
        }
        self.drop_link(cx);
    }

    /// Ends without another word to the server.
    pub fn give_up(&mut self, cx: &mut Context) {
        self.drop_link(cx);
        if !self.has_ended() {
            self.fail(&Problem::ProtocolViolation, "");
        }
    }

    fn drop_link(&mut self, cx: &mut Context) {
        self.stream = None;
        self.requests = None;
        if let Some(link) = self.link.take() {
            cx.effects.link(link, LinkCommand::Close);
        }
    }

    // ---- time and problems -------------------------------------------------------------------

    pub fn handle_timeout(
        &mut self,
        cx: &mut Context,
        id: RegistrationId,
        effects: &mut Vec<Effect>,
    ) {
        let now = cx.now.instant;
        if let Some(stream) = &mut self.stream
            && stream.poll_timeout().is_some_and(|at| now >= at)
        {
            stream.handle_timeout(now);
        }
        if let Some(requests) = &mut self.requests {
            requests.handle_timeout(now);
        }
        while let Some((tag, failure)) = self.requests.as_mut().and_then(Tracker::poll_ended) {
            self.handle_answer(cx, id, &tag, Err(failure), effects);
        }
        self.drive(cx, id, effects);
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        let stream = self.stream.as_ref().and_then(ClientStream::poll_timeout);
        let requests = self.requests.as_ref().and_then(Tracker::poll_timeout);
        stream.into_iter().chain(requests).min()
    }

    pub fn fail(&mut self, problem: &Problem, details: &str) {
        self.stage = Stage::Failed;
        self.submitted = None;
        self.waiting = None;
        self.word(problem, details);
    }

    /// The server made the account, but it could not be added here.
    pub fn fail_to_add(&mut self, error: &ApiError) {
        self.fail(&Problem::FormRejected, "");
        if let Some(problem) = &mut self.problem {
            problem.title = words::made_not_added_title().into();
            problem.text = words::made_not_added(self.server.domain().as_str(), &error.message);
        }
    }

    fn word(&mut self, problem: &Problem, details: &str) {
        self.problem = Some(words::problem(
            problem,
            ProblemContext {
                server: self.server.domain().as_str(),
                network: None,
                details,
            },
        ));
    }
}

/// Whether an account can be made with it from here: it asks for a name and a password.
pub(super) fn can_be_filled(form: &Form) -> bool {
    form.is_fillable()
        && form
            .fields
            .iter()
            .any(|field| field.kind == FieldKind::Password)
}

fn same_fields(old: &Form, new: &Form) -> bool {
    let names = |form: &Form| -> Vec<String> {
        form.fields.iter().map(|field| field.name.clone()).collect()
    };
    names(old) == names(new)
}
