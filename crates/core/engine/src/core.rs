//! The open profile: every input finds its way from here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use sotto_api::view::Settings;
use sotto_api::{ApiError, CertificateAnswer, QuestionId, Reply, Request, Timestamp};
use sotto_store::Store;
use sotto_xmpp::BareJid;

use crate::account::{Account, Accounts, HeldAccount};
use crate::certificates::{Questions, Subject};
use crate::context::{Answer, Context, Random, ReplyTo, Shared};
use crate::error::Fault;
use crate::history::{self, Care};
use crate::import::Imports;
use crate::io::{LinkEvent, LinkId, WorkId};
use crate::lock::Held;
use crate::registration::{Effect, Registrations};
use crate::work::Done;
use crate::{accounts, messages, password, people, saved_passwords, settings, words};

const SETTINGS: &str = "settings";
/// When originals of what was taken over were last shredded, in milliseconds since 1970.
const SHREDDING: &str = "import.shredding";

/// Everything that needs an open profile.
pub(crate) struct Core {
    store: Store,
    settings: Settings,
    accounts: Accounts,
    registrations: Registrations,
    questions: Questions,
    care: Care,
    imports: Imports,
}

impl Core {
    /// Reads what the store has; [`Core::start`] goes online.
    pub fn open(store: Store, now: Timestamp, random: &mut Random) -> Result<Self, Fault> {
        if store.is_copy()? {
            crate::private::settle_copy(&store, random)?;
        }
        let settings: Settings = store.setting(SETTINGS)?.unwrap_or_default();
        // The store acts on it by itself; a salvaged one may have lost it.
        store.keep_history_set(settings.keep_history, now)?;
        let mut accounts = Accounts::new();
        for row in store.accounts()? {
            let Ok(address) = BareJid::new(&row.address) else {
                tracing::error!(account = row.id.0, "an address in the store does not read");
                continue;
            };
            let id = row.id;
            let mut account = Account::new(row, address);
            people::opened(&store, &mut account)?;
            accounts.insert(id, account);
        }
        Ok(Self {
            store,
            settings,
            accounts,
            registrations: Registrations::default(),
            questions: Questions::default(),
            care: Care::default(),
            imports: Imports::default(),
        })
    }

    /// What was in memory only when the profile was locked. Before [`Core::start`].
    pub fn restore(&mut self, held: Vec<HeldAccount>) {
        for held in held {
            if let Some(account) = self.accounts.get_mut(&held.account) {
                account.restore(held);
            }
        }
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Every account that should be online dials.
    pub fn start(&mut self, shared: &mut Shared) {
        self.care.wake(shared.now.instant);
        for account in self.accounts.values_mut() {
            account.private.opened(shared.now.instant);
        }
        let ids: Vec<_> = self
            .accounts
            .values()
            .filter(|account| !account.rests())
            .map(|account| account.id)
            .collect();
        for id in ids {
            self.step(shared, |cx, core| {
                let account = core.accounts.get_mut(&id);
                account.map_or(Ok(()), |account| account.start(cx))
            });
        }
    }

    // ---- one input, one transaction ----------------------------------------------------------

    /// Runs one step as one transaction; afterwards what it wants to send is handed over.
    fn step(
        &mut self,
        shared: &mut Shared,
        work: impl FnOnce(&mut Context, &mut Parts) -> Result<(), Fault>,
    ) {
        if let Err(fault) = self.transact(shared, false, work) {
            tracing::warn!(%fault, "a step was rolled back");
        }
        self.flush(shared);
    }

    /// The same for registrations: they end when a fault of ours comes to light.
    fn step_of_registrations(
        &mut self,
        shared: &mut Shared,
        work: impl FnOnce(&mut Context, &mut Parts) -> Result<(), Fault>,
    ) {
        if let Err(fault) = self.transact(shared, false, work) {
            tracing::warn!(%fault, "a step of a registration was rolled back");
            if matches!(fault, Fault::Panicked) {
                let (mut cx, parts) = split(self, shared);
                parts.registrations.give_up(&mut cx);
            }
        }
        self.flush(shared);
    }

    fn transact<T, E: From<Fault>>(
        &mut self,
        shared: &mut Shared,
        durable: bool,
        work: impl FnOnce(&mut Context, &mut Parts) -> Result<T, E>,
    ) -> Result<T, E> {
        let begun = if durable {
            self.store.begin_durable()
        } else {
            self.store.begin()
        };
        begun.map_err(Fault::from)?;
        let (mut cx, mut parts) = split(self, shared);
        // What a stanza brings to light is contained closer to it; this is for all that stands around that, so that a
        // fault of ours costs one connection and not the program (S-PROC-07).
        let done = catch_unwind(AssertUnwindSafe(|| {
            let done = work(&mut cx, &mut parts)?;
            for account in parts.accounts.values_mut() {
                account.drive(&mut cx)?;
            }
            cx.store.commit().map_err(Fault::from)?;
            Ok(done)
        }))
        .unwrap_or_else(|_| Err(Fault::Panicked.into()));
        if done.is_err() && cx.store.in_transaction() {
            cx.store.rollback().map_err(Fault::from)?;
        }
        let kept = done.is_ok();
        if !kept {
            accounts::reread(&mut cx, parts.accounts).map_err(E::from)?;
        }
        parts.accounts.retain(|_, account| {
            if kept {
                account.private.sessions.committed();
            } else {
                account.private.sessions.rolled_back();
            }
            let unkept = account.take_unkept();
            let stays = !account.take_leaving() || !kept;
            if !stays {
                account.flush_farewell(&mut cx);
            } else if unkept && !kept {
                // Its stream has gone on in memory only: it begins again from what is kept.
                account.abort(&mut cx);
            }
            stays
        });
        done
    }

    fn flush(&mut self, shared: &mut Shared) {
        let (mut cx, parts) = split(self, shared);
        for account in parts.accounts.values_mut() {
            account.flush(&mut cx);
        }
    }

    // ---- requests ----------------------------------------------------------------------------

    /// Handles a request; absent: it is answered later.
    pub fn handle_request(&mut self, shared: &mut Shared, to: ReplyTo, request: Request) -> Answer {
        let durable = messages::request::is_durable(&request);
        if let Request::SettingsSet { settings } = request {
            return self.set_settings(shared, settings).map(Some);
        }
        if matches!(request, Request::ImportShred { .. }) {
            // What was taken over is on the medium before its originals go: this commit waits for all before it.
            self.transact(shared, true, |cx, _| -> Result<(), ApiError> {
                let at = cx.now.unix_ms;
                Ok(cx.store.setting_set(SHREDDING, &at).map_err(Fault::from)?)
            })?;
        }
        if matches!(
            request,
            Request::AccountRemove { .. }
                | Request::SavedPasswordRemove { .. }
                | Request::MessageWithdraw { .. }
        ) {
            self.care.overwritten(shared.now.instant);
        }
        let answer = self.transact(shared, durable, |cx, core| core.request(cx, to, request));
        if answer.is_err() {
            self.care.forget(to);
        }
        let (mut cx, parts) = split(self, shared);
        parts.imports.begin(&mut cx, to, answer.is_ok());
        self.flush(shared);
        answer
    }

    fn set_settings(&mut self, shared: &mut Shared, settings: Settings) -> Result<Reply, ApiError> {
        settings::check(&settings)?;
        self.transact(shared, false, |cx, _| -> Result<(), ApiError> {
            let store = cx.store;
            store
                .setting_set(SETTINGS, &settings)
                .map_err(Fault::from)?;
            store
                .keep_history_set(settings.keep_history, cx.timestamp())
                .map_err(Fault::from)?;
            Ok(())
        })?;
        self.settings = settings;
        self.care.wake(shared.now.instant);
        shared.changes.settings();
        shared.changes.contacts();
        Ok(Reply::Done)
    }

    /// There is no passphrase (any more): locking would keep nobody out, and a passphrase that is set later begins
    /// without it.
    pub fn never_lock(&mut self, shared: &mut Shared) {
        if self.settings.lock_after == 0 {
            return;
        }
        let settings = Settings {
            lock_after: 0,
            ..self.settings.clone()
        };
        if let Err(error) = self.set_settings(shared, settings) {
            tracing::warn!(%error, "the time after which to lock could not be forgotten");
        }
    }

    // ---- links, work, time -------------------------------------------------------------------

    pub fn handle_link(&mut self, shared: &mut Shared, link: LinkId, event: LinkEvent) {
        if self.registrations.owns(link) {
            self.step_of_registrations(shared, |cx, core| {
                let effects = core.registrations.handle_link(cx, link, event);
                core.apply(cx, effects)
            });
            return;
        }
        let Some(id) = self
            .accounts
            .values()
            .find(|account| account.owns(link))
            .map(|account| account.id)
        else {
            return;
        };
        let done = self.transact(shared, false, |cx, core| {
            let Some(account) = core.accounts.get_mut(&id) else {
                return Ok(());
            };
            let Some(problem) = account.handle_link(cx, event)? else {
                return Ok(());
            };
            let subject = Subject::Account(id);
            let asked =
                core.questions
                    .ask(cx, subject, &problem.domain, &problem.reason, problem.chain)?;
            if let Some(question) = asked {
                account.await_answer(cx, question);
            }
            Ok(())
        });
        if let Err(fault) = done {
            let fault: Fault = fault;
            tracing::warn!(%fault, "what a connection brought could not be kept");
        }
        self.flush(shared);
    }

    pub fn handle_work(&mut self, shared: &mut Shared, work: WorkId, done: Done) {
        if self.imports.awaits(work) {
            let done = self.transact(shared, false, |cx, core| {
                core.imports.handle_work(cx, core.accounts, done)
            });
            let (mut cx, parts) = split(self, shared);
            parts.imports.settle(&mut cx, done);
            if !parts.imports.is_running() {
                // What came may be the next to expire.
                parts.care.wake(cx.now.instant);
            }
            return;
        }
        self.step(shared, |cx, core| {
            let mut done = Some(done);
            if core.registrations.handle_work(cx, work, &mut done) {
                return Ok(());
            }
            for account in core.accounts.values_mut() {
                if people::handle_work(cx, account, work, &mut done)?
                    || crate::private::handle_work(cx, account, work, &mut done)?
                {
                    return Ok(());
                }
                if account.awaits(work)
                    && let Some(done) = done.take()
                {
                    account.handle_scram(cx, done);
                    return Ok(());
                }
            }
            Ok(())
        });
    }

    pub fn handle_timeout(&mut self, shared: &mut Shared) {
        let now = shared.now.instant;
        let due = self
            .accounts
            .values()
            .filter(|account| account.poll_timeout().is_some_and(|at| at <= now))
            .map(|account| account.id)
            .collect::<Vec<_>>();
        for id in due {
            self.step(shared, |cx, core| match core.accounts.get_mut(&id) {
                Some(account) => account.handle_timeout(cx),
                None => Ok(()),
            });
        }
        if self
            .registrations
            .poll_timeout()
            .is_some_and(|at| at <= now)
        {
            self.step_of_registrations(shared, |cx, core| {
                let effects = core.registrations.handle_timeout(cx);
                core.apply(cx, effects)
            });
        }
        let (mut cx, parts) = split(self, shared);
        parts.care.handle_timeout(&mut cx);
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.accounts
            .values()
            .filter_map(Account::poll_timeout)
            .chain(self.registrations.poll_timeout())
            .chain(self.care.poll_timeout())
            .min()
    }

    pub fn network_up(&mut self, shared: &mut Shared) {
        self.step(shared, |cx, core| {
            for account in core.accounts.values_mut() {
                account.network_up(cx)?;
            }
            Ok(())
        });
    }

    // ---- the end -----------------------------------------------------------------------------

    /// Signs out everywhere. [`Core::is_closed`] says when the servers have confirmed.
    pub fn close(&mut self, shared: &mut Shared) {
        self.step(shared, |cx, core| {
            core.registrations.close(cx);
            core.care.close(cx);
            core.imports.close(cx);
            for account in core.accounts.values_mut() {
                account.sign_out(cx)?;
            }
            Ok(())
        });
    }

    pub fn is_closed(&self) -> bool {
        !self.accounts.values().any(Account::is_closing)
    }

    /// A panic came to light in the middle of a request: nothing of it is kept.
    pub fn recover(&mut self) {
        for account in self.accounts.values_mut() {
            account.private.sessions.rolled_back();
            account.take_leaving();
        }
        if self.store.in_transaction()
            && let Err(error) = self.store.rollback()
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }

    #[cfg(test)]
    pub fn into_store(self) -> Store {
        self.store
    }

    /// Breaks every connection and closes the store at once; whoever waits for something is told.
    pub fn leave(mut self, shared: &mut Shared) {
        self.break_off(shared);
        self.finish();
    }

    /// The same for a lock: what is in memory only comes back, to be sealed.
    pub fn lock(mut self, shared: &mut Shared) -> Held {
        self.break_off(shared);
        let held = Held {
            texts: self.store.unkept_texts(),
            accounts: self.accounts.values().map(Account::hold).collect(),
        };
        self.finish();
        held
    }

    /// One step for each, so that a full disk keeps no connection open.
    fn break_off(&mut self, shared: &mut Shared) {
        self.step(shared, |cx, core| {
            core.registrations.close(cx);
            core.care.close(cx);
            core.imports.close(cx);
            Ok(())
        });
        let ids: Vec<_> = self.accounts.keys().copied().collect();
        for id in ids {
            self.step(shared, |cx, core| match core.accounts.get_mut(&id) {
                Some(account) => account.leave(cx),
                None => Ok(()),
            });
        }
    }

    /// Closes the store; nothing can be asked any more.
    pub fn finish(self) {
        if let Err(error) = self.store.close() {
            tracing::warn!(%error, "the store did not close cleanly");
        }
    }
}

/// The profile without what the context lends.
struct Parts<'a> {
    accounts: &'a mut Accounts,
    registrations: &'a mut Registrations,
    questions: &'a mut Questions,
    care: &'a mut Care,
    imports: &'a mut Imports,
}

fn split<'a>(core: &'a mut Core, shared: &'a mut Shared) -> (Context<'a>, Parts<'a>) {
    let cx = Context {
        now: shared.now,
        store: &core.store,
        settings: &core.settings,
        networks: &shared.networks,
        software: &shared.software,
        changes: &mut shared.changes,
        effects: &mut shared.effects,
    };
    let parts = Parts {
        accounts: &mut core.accounts,
        registrations: &mut core.registrations,
        questions: &mut core.questions,
        care: &mut core.care,
        imports: &mut core.imports,
    };
    (cx, parts)
}

impl Parts<'_> {
    fn request(&mut self, cx: &mut Context, to: ReplyTo, request: Request) -> Answer {
        match request {
            Request::AccountChangePassword { account, password } => {
                let account = self
                    .accounts
                    .get_mut(&account)
                    .ok_or_else(words::not_found)?;
                password::change(cx, account, to, password)
            }
            Request::AccountRemove {
                account,
                erase_history,
            } => {
                self.questions.withdraw(cx, Subject::Account(account));
                let reply = accounts::handle(cx, self.accounts, request)?;
                if !erase_history {
                    return Ok(reply);
                }
                self.care
                    .answer_when_erased(cx.now.instant, to, Reply::Done);
                Ok(None)
            }
            Request::AccountConfigure { account, .. } => {
                self.questions.withdraw(cx, Subject::Account(account));
                accounts::handle(cx, self.accounts, request)
            }
            Request::AccountList {}
            | Request::AccountAdd { .. }
            | Request::AccountEnable { .. }
            | Request::AccountPassword { .. }
            | Request::AccountRetry { .. } => {
                let answer = accounts::handle(cx, self.accounts, request);
                self.withdraw_stale_questions(cx);
                answer
            }
            Request::RegistrationStart { .. }
            | Request::RegistrationView { .. }
            | Request::RegistrationSubmit { .. }
            | Request::RegistrationCancel { .. } => {
                self.registrations.handle_request(cx, to, request)
            }
            Request::QuestionList {} => Ok(Some(Reply::Questions(self.questions.views()))),
            Request::CertificateAnswer { question, answer } => {
                self.answer_certificate(cx, question, answer)?;
                Ok(Some(Reply::Done))
            }
            Request::SettingsGet {} => Ok(Some(Reply::Settings(cx.settings.clone()))),
            Request::PrivateStart { .. }
            | Request::PrivateEnd { .. }
            | Request::PrivateDevice { .. }
            | Request::PrivateContinue { .. }
            | Request::VerifyCode { .. }
            | Request::VerifyAsk { .. }
            | Request::VerifyAnswer { .. }
            | Request::VerifyStop { .. }
            | Request::PeerKeyList { .. }
            | Request::PeerKeyTrust { .. }
            | Request::PeerKeyForget { .. }
            | Request::OwnKeyList {}
            | Request::OwnKeyRenew { .. }
            | Request::PolicyList {}
            | Request::PolicySet { .. }
            | Request::OtrImport { .. } => {
                crate::private::handle_request(cx, self.accounts, request)
            }
            Request::SavedPasswordList {} | Request::SavedPasswordRemove { .. } => {
                saved_passwords::handle_request(cx, self.accounts, request)
            }
            Request::HistorySet { .. }
            | Request::HistoryDays { .. }
            | Request::HistoryDay { .. }
            | Request::HistoryCount { .. }
            | Request::HistoryErase { .. }
            | Request::HistoryExport { .. }
            | Request::QuitCount {} => {
                history::handle_request(cx, self.care, self.accounts, to, request)
            }
            Request::ImportScan { .. }
            | Request::ImportRun { .. }
            | Request::ImportView { .. }
            | Request::ImportShred { .. }
            | Request::ImportClose { .. } => {
                self.imports.handle_request(cx, self.accounts, to, request)
            }
            Request::ConversationList { .. }
            | Request::ConversationOpen { .. }
            | Request::ConversationView { .. }
            | Request::MessagePage { .. }
            | Request::MessageView { .. }
            | Request::MessageSend { .. }
            | Request::MessageCorrect { .. }
            | Request::MessageRetry { .. }
            | Request::MessageWithdraw { .. }
            | Request::DraftSet { .. }
            | Request::ConversationRead { .. }
            | Request::Typing { .. }
            | Request::Search { .. } => messages::request::handle(cx, self.accounts, request),
            _ => people::handle_request(cx, self.accounts, to, request),
        }
    }

    /// An account that tries again, or not at all, has no question any more.
    fn withdraw_stale_questions(&mut self, cx: &mut Context) {
        for account in self.accounts.values() {
            if account.open_question().is_none() {
                self.questions.withdraw(cx, Subject::Account(account.id));
            }
        }
    }

    fn answer_certificate(
        &mut self,
        cx: &mut Context,
        id: QuestionId,
        answer: CertificateAnswer,
    ) -> Result<(), ApiError> {
        let question = self.questions.answer(cx, id)?;
        match question.subject {
            Subject::Account(account) => {
                let Some(account) = self.accounts.get_mut(&account) else {
                    return Ok(());
                };
                match answer {
                    CertificateAnswer::Reject => {
                        account.certificate_refused(cx);
                        return Ok(());
                    }
                    CertificateAnswer::ThisTime => account.accept_key_now(question.key),
                    CertificateAnswer::Always => cx
                        .store
                        .cert_pin_add(account.id, &question.domain, &question.key, cx.timestamp())
                        .map_err(Fault::from)?,
                }
                account.connect(cx)?;
            }
            Subject::Registration(registration) => match answer {
                CertificateAnswer::Reject => {
                    self.registrations.certificate_rejected(cx, registration);
                }
                CertificateAnswer::ThisTime | CertificateAnswer::Always => {
                    if answer == CertificateAnswer::Always {
                        self.questions.keep_for(registration, question.key);
                    }
                    self.registrations
                        .certificate_accepted(cx, registration, question.key);
                }
            },
        }
        Ok(())
    }

    /// Carries out what registrations want from outside.
    fn apply(&mut self, cx: &mut Context, effects: Vec<Effect>) -> Result<(), Fault> {
        for effect in effects {
            match effect {
                Effect::AskCertificate {
                    registration,
                    domain,
                    reason,
                    chain,
                } => {
                    let subject = Subject::Registration(registration);
                    self.questions.ask(cx, subject, &domain, &reason, chain)?;
                }
                Effect::AddAccount {
                    registration,
                    address,
                    password,
                    remember,
                    settings,
                    accepted_keys,
                } => {
                    let kept = self.questions.take_kept(registration);
                    let accepted = accepted_keys
                        .into_iter()
                        .map(|key| (key, kept.contains(&key)))
                        .collect();
                    let added = accounts::add_registered(
                        cx,
                        self.accounts,
                        address,
                        password,
                        remember,
                        settings,
                        accepted,
                    );
                    self.registrations.account_added(cx, registration, added);
                }
            }
        }
        Ok(())
    }
}
