use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use sotto_api::{ApiError, Event, Reply, Request, Secret, Timestamp};
use sotto_store::ProfileDir;

use crate::account::CLOSE_WAIT;
use crate::changes::Changes;
use crate::context::{Answer, Effects, Random, ReplyTo, Shared};
use crate::core::Core;
use crate::io::{Input, Now, Output, WorkId};
use crate::networks::{self, Networks};
use crate::profile::{Deed, Finished, Profile};
use crate::work::WorkResult;
use crate::{lock, record, saved_passwords, strength, words};

/// What an engine needs to begin.
pub struct EngineConfig {
    /// The profile's folder, checked and locked by the caller.
    pub profile: ProfileDir,
    /// Fills a buffer with bytes that nobody can guess.
    pub random: Random,
    /// Name and version of the program, for example `Sotto 0.1.0`.
    pub software: String,
}

/// The owner of all state. See the crate's first page for how to drive it.
pub struct Engine {
    shared: Shared,
    profile: Profile,
    core: Option<Core>,
    /// When the person did something last, as far as shells told.
    active: Instant,
    /// The end was asked for: when it comes at the latest.
    ending: Option<Instant>,
    ended: bool,
}

impl Engine {
    /// An engine on a profile that may not exist yet. One without a passphrase opens by itself.
    pub fn new(config: EngineConfig, now: Now) -> Self {
        let mut engine = Self {
            shared: Shared {
                now,
                software: config.software,
                networks: Networks::bundled(),
                changes: Changes::default(),
                effects: Effects::new(config.random),
            },
            profile: Profile::new(config.profile),
            core: None,
            active: now.instant,
            ending: None,
            ended: false,
        };
        engine.profile.open_by_itself(&mut engine.shared.effects);
        engine
    }

    /// An engine on an open store in memory: for tests.
    #[cfg(test)]
    pub(crate) fn with_store(config: EngineConfig, store: sotto_store::Store, now: Now) -> Self {
        let mut engine = Self::new(config, now);
        let at = Timestamp(now.unix_ms);
        let mut core = Core::open(store, at, &mut engine.shared.effects.random)
            .expect("a store in memory reads");
        core.start(&mut engine.shared);
        engine.core = Some(core);
        engine
    }

    /// The store of a test's engine, which ends without a farewell, as if it were killed.
    #[cfg(test)]
    pub(crate) fn kill(self) -> sotto_store::Store {
        self.core.expect("a test's engine is open").into_store()
    }

    /// The store of a test's engine that runs.
    #[cfg(test)]
    pub(crate) fn store(&self) -> &sotto_store::Store {
        self.core.as_ref().expect("a test's engine is open").store()
    }

    /// Takes one input in. Drain [`Engine::poll_output`] afterwards.
    pub fn handle(&mut self, input: Input, now: Now) {
        self.shared.now = now;
        match input {
            Input::Request {
                client,
                id,
                request,
            } => {
                let to = ReplyTo { client, id };
                let answer = catch_unwind(AssertUnwindSafe(|| self.request(to, request)))
                    .unwrap_or_else(|_| {
                        tracing::error!("a request brought a panic to light");
                        if let Some(core) = &mut self.core {
                            core.recover();
                        }
                        Err(words::internal())
                    });
                match answer {
                    Ok(Some(reply)) => self.shared.effects.answer(to, Ok(reply)),
                    Ok(None) => {}
                    Err(error) => self.shared.effects.answer(to, Err(error)),
                }
            }
            Input::ClientGone { .. } => {}
            Input::Link { link, event } => {
                if let Some(core) = &mut self.core {
                    core.handle_link(&mut self.shared, link, event);
                }
            }
            Input::WorkDone { work, result } => self.work_done(work, result),
            Input::NetworkUp => {
                if let Some(core) = &mut self.core {
                    core.network_up(&mut self.shared);
                }
            }
        }
        self.after();
    }

    /// Begins and stops to record as the settings say.
    fn apply_records(&mut self) {
        let shared = &mut self.shared;
        match &self.core {
            Some(core) => record_as_set(shared, core),
            None => {
                let records = &mut shared.effects.records;
                let logged = records.log().is_some();
                records.close();
                if logged {
                    shared.effects.outputs.push_back(Output::Log(None));
                }
            }
        }
        if shared.effects.records.take_changed() {
            shared.changes.push(Event::RecordsChanged);
        }
    }

    /// Call when [`Engine::poll_timeout`] has passed.
    pub fn handle_timeout(&mut self, now: Now) {
        self.shared.now = now;
        if let Some(core) = &mut self.core {
            core.handle_timeout(&mut self.shared);
        }
        if self.lock_due().is_some_and(|at| at <= now.instant)
            && let Err(error) = self.lock()
        {
            tracing::error!(%error, "the profile does not lock by itself");
        }
        self.after();
    }

    /// The next thing to be done, if there is one.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.shared.effects.outputs.pop_front()
    }

    /// When to call [`Engine::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        [
            self.core.as_ref().and_then(Core::poll_timeout),
            self.shared.changes.poll_timeout(),
            self.lock_due(),
            self.ending.filter(|_| !self.ended),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn request(&mut self, to: ReplyTo, request: Request) -> Answer {
        let shared = &mut self.shared;
        let reply = match request {
            Request::ProfileStatus {} => Reply::Profile(self.profile.view(self.core.is_some())),
            Request::ProfileCreate { protection } => {
                return self.profile.create(&mut shared.effects, to, protection);
            }
            Request::ProfileUnlock { passphrase } => {
                if self.core.is_some() {
                    return Ok(Some(Reply::Done));
                }
                let now = shared.now.instant;
                self.active = now;
                return self
                    .profile
                    .unlock(&mut shared.effects, to, passphrase, now);
            }
            Request::ProfileProtect {
                current,
                protection,
            } => {
                let now = shared.now.instant;
                return self
                    .profile
                    .protect(&mut shared.effects, to, current, protection, now);
            }
            Request::ProfileLock {} => {
                self.lock()?;
                Reply::Done
            }
            Request::PersonActive {} if self.core.is_some() => {
                self.active = shared.now.instant;
                Reply::Done
            }
            Request::ProfileSalvage {} => {
                if self.ending.is_some() {
                    return Err(words::closing());
                }
                self.profile.may_salvage()?;
                if let Some(core) = self.core.take() {
                    core.leave(shared);
                    shared.changes.profile();
                }
                return self.profile.salvage(&mut shared.effects, to);
            }
            Request::ProfileBackUp {
                current,
                file,
                passphrase,
            } => {
                if self.core.is_none() {
                    return Err(self.profile.refusal());
                }
                let deed = self.profile.may_back_up(&file, passphrase)?;
                return self.prove(to, current, deed);
            }
            Request::ProfileRestore { file, passphrase } => {
                return self
                    .profile
                    .restore(&mut shared.effects, to, &file, passphrase);
            }
            Request::ProfileDestroy { current } => return self.prove(to, current, Deed::Destroy),
            Request::RecordStatus {} => match shared.effects.records.view() {
                Some(view) => Reply::Records(view),
                None => return Err(self.profile.refusal()),
            },
            Request::RecordRemove { record } if self.core.is_some() => {
                return record::remove(&mut shared.effects, to, record);
            }
            Request::RecordExport { record, file } if self.core.is_some() => {
                return record::export(&mut shared.effects, to, record, &file);
            }
            Request::SavedPasswordShow {
                account,
                passphrase,
            } => {
                if self.core.is_none() {
                    return Err(self.profile.refusal());
                }
                return self.prove(to, Some(passphrase), Deed::ShowPassword(account));
            }
            Request::PassphraseStrength { passphrase } => {
                Reply::Strength(strength::strength(passphrase.expose(), &[]))
            }
            Request::PassphraseSuggest {} => {
                Reply::Suggestion(strength::suggest(&mut *shared.effects.random))
            }
            Request::NetworkList {} => Reply::Networks(shared.networks.views()),
            Request::ServerList {} => Reply::Servers(networks::servers()),
            Request::Version {} => Reply::Version(shared.software.clone()),
            Request::Activate { link } => {
                shared.changes.push(Event::Activated { link });
                Reply::Done
            }
            Request::Quit {} => {
                self.quit();
                Reply::Done
            }
            request => {
                let Some(core) = &mut self.core else {
                    return Err(self.profile.refusal());
                };
                if self.ending.is_some() {
                    return Err(words::closing());
                }
                if let Request::SettingsSet { settings } = &request {
                    if settings.lock_after > core.settings().lock_after
                        && !self.profile.has_passphrase()
                    {
                        return Err(words::lock_needs_passphrase());
                    }
                    // Whoever sets how long to wait is there now.
                    self.active = shared.now.instant;
                }
                return core.handle_request(shared, to, request);
            }
        };
        Ok(Some(reply))
    }

    fn work_done(&mut self, work: WorkId, result: WorkResult) {
        if self.profile.awaits_backup(work) {
            if let Some(core) = &self.core
                && let Err(error) = core.store().thaw()
            {
                tracing::warn!(%error, "the log of the store was not emptied after a backup");
            }
            self.profile.backed_up(&mut self.shared.effects, result.0);
            return;
        }
        let shared = &mut self.shared;
        if record::handle_work(&mut shared.effects, work, &result.0) {
            return;
        }
        if !self.profile.awaits(work) {
            if let Some(core) = &mut self.core {
                core.handle_work(shared, work, result.0);
            }
            return;
        }
        let now = shared.now.instant;
        match self.profile.finish(&mut shared.effects, result.0, now) {
            Finished::Opened { store, held, to } => {
                self.active = now;
                let at = Timestamp(shared.now.unix_ms);
                let opened =
                    Core::open(*store, at, &mut shared.effects.random).map_err(ApiError::from);
                let answer = match opened {
                    Ok(mut core) => {
                        if let Some((folder, key)) = self.profile.place() {
                            shared.effects.records.opened(folder, key);
                        }
                        record_as_set(shared, &core);
                        core.restore(held);
                        core.start(shared);
                        self.core = Some(core);
                        Ok(Reply::Done)
                    }
                    Err(error) => Err(error),
                };
                if let Some(to) = to {
                    shared.effects.answer(to, answer);
                }
            }
            Finished::Proved { deed, to } => return self.carry_out(deed, to),
            Finished::Answered => {}
        }
        if !self.profile.has_passphrase()
            && let Some(core) = &mut self.core
        {
            core.never_lock(shared);
        }
        shared.changes.profile();
    }

    /// Asks for proof that the person knows the passphrase, where there is one, and then does what it is asked for.
    fn prove(&mut self, to: ReplyTo, current: Option<Secret>, deed: Deed) -> Answer {
        if self.ending.is_some() {
            return Err(words::closing());
        }
        let now = self.shared.now.instant;
        let effects = &mut self.shared.effects;
        if let Some(deed) = self.profile.prove(effects, to, current, deed, now)? {
            self.carry_out(deed, to);
        }
        Ok(None)
    }

    fn carry_out(&mut self, deed: Deed, to: ReplyTo) {
        let effects = &mut self.shared.effects;
        let answer = match (deed, &self.core) {
            (Deed::Destroy, _) => return self.destroy(to),
            (_, None) => Err(self.profile.refusal()),
            (Deed::ShowPassword(account), Some(core)) => {
                saved_passwords::show(core.store(), account).map(Some)
            }
            (Deed::BackUp { file, passphrase }, Some(core)) => {
                let store = core.store();
                self.profile.back_up(effects, to, store, file, passphrase)
            }
        };
        match answer {
            Ok(None) => {}
            Ok(Some(reply)) => effects.answer(to, Ok(reply)),
            Err(error) => effects.answer(to, Err(error)),
        }
    }

    /// The key goes first, so that nothing can be read whatever comes between; then what is open; then the files.
    fn destroy(&mut self, to: ReplyTo) {
        // A file that resists, on a medium that is full or breaking, must not save the others.
        let key = self.profile.destroy_key();
        if let Some(core) = self.core.take() {
            core.leave(&mut self.shared);
        }
        // Nothing may be written there any more.
        self.apply_records();
        let done = key.and(self.profile.destroy());
        self.shared.effects.answer(to, done.map(|()| Reply::Done));
        self.quit();
    }

    // ---- locking -----------------------------------------------------------------------------

    /// Closes everything that is open: links without a farewell, so that the servers hold what comes, then the store,
    /// then the key goes. Nothing of a request is half done: each was one transaction.
    fn lock(&mut self) -> Result<(), ApiError> {
        if self.ending.is_some() {
            return Err(words::closing());
        }
        self.profile.may_lock()?;
        if let Some(core) = self.core.take() {
            let held = core.lock(&mut self.shared);
            self.profile.lock(&held);
            self.shared.changes.profile();
        }
        // Where the store does not open, what was proved waits for a salvage.
        self.profile.forget_key();
        Ok(())
    }

    /// When the profile locks by itself. Not while its key is being worked on: that comes to an end.
    fn lock_due(&self) -> Option<Instant> {
        if self.ending.is_some() {
            return None;
        }
        self.profile.may_lock().ok()?;
        match &self.core {
            Some(core) => lock::due(core.settings(), self.active),
            None if self.profile.has_key() => Some(self.active + lock::SALVAGE_WAIT),
            None => None,
        }
    }

    fn quit(&mut self) {
        if self.ending.is_some() {
            return;
        }
        self.shared.changes.push(Event::Ending);
        if let Some(core) = &mut self.core {
            core.close(&mut self.shared);
        }
        self.ending = Some(self.shared.now.instant + CLOSE_WAIT);
    }

    /// Events last, when everything that they tell of can be read; then the end, if it has come.
    fn after(&mut self) {
        self.apply_records();
        let now = self.shared.now.instant;
        for event in self.shared.changes.take(now) {
            self.shared.effects.outputs.push_back(Output::Event(event));
        }
        let Some(latest) = self.ending.filter(|_| !self.ended) else {
            return;
        };
        if now >= latest || self.core.as_ref().is_none_or(Core::is_closed) {
            if let Some(core) = self.core.take() {
                core.finish();
            }
            self.ended = true;
            self.shared.effects.outputs.push_back(Output::Quit);
        }
    }
}

/// Begins and stops to record as the settings of the open profile say.
fn record_as_set(shared: &mut Shared, core: &Core) {
    let title = format!(
        "{}, {} ms since 1970\n",
        shared.software, shared.now.unix_ms
    );
    if shared.effects.records.apply(core.settings(), &title) {
        let log = shared.effects.records.log();
        shared.effects.outputs.push_back(Output::Log(log));
    }
}
