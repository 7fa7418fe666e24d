//! The profile before it is open: made, unlocked, sealed otherwise.

pub(crate) mod moving;

use std::path::PathBuf;
use std::time::Instant;

use sotto_api::view::{ProfileState, ProfileView, ProtectionKind};
use sotto_api::{AccountId, ApiError, Protection, Reply, Secret};
use sotto_store::{DatabaseKey, KeyError, KeyFile, ProfileDir, Store, StoreError, UnlockThrottle};

use crate::account::HeldAccount;
use crate::context::{Answer, Effects, ReplyTo};
use crate::io::{WorkId, WorkJob};
use crate::lock::Held;
use crate::words;
use crate::work::{Done, WorkResult};

/// The folder and the key of a profile.
pub(crate) struct Profile {
    folder: ProfileDir,
    key: Option<KeyFile>,
    /// Why the key file does not read.
    fault: Option<ApiError>,
    throttle: UnlockThrottle,
    /// The key that opened the key file: whether its store opens is another matter.
    proved: Option<DatabaseKey>,
    /// What the memory of the locked profile held, sealed.
    held: Option<Vec<u8>>,
    /// What was saved of a damaged store, or that its file was put there from elsewhere; to be shown.
    saved: String,
    working: Option<Working>,
    backing_up: Option<moving::BackingUp>,
}

struct Working {
    work: WorkId,
    /// Who asked; nobody when it opens by itself.
    to: Option<ReplyTo>,
    purpose: Purpose,
}

enum Purpose {
    Open,
    Protect,
    Salvage,
    /// Only to know that the passphrase is right, so that this may be done.
    Prove(Deed),
}

/// What takes more than an open profile: the person proves that they know the passphrase.
pub(crate) enum Deed {
    /// The profile is destroyed.
    Destroy,
    /// The password of this account is shown.
    ShowPassword(AccountId),
    /// The profile is put into this file, which opens with another passphrase.
    BackUp { file: PathBuf, passphrase: Secret },
}

/// What a finished piece of work means for the engine.
pub(crate) enum Finished {
    /// The store is open; the request behind it is still to be answered.
    Opened {
        store: Box<Store>,
        /// What was in memory only when it was locked.
        held: Vec<HeldAccount>,
        to: Option<ReplyTo>,
    },
    /// The passphrase is right: this may be done.
    Proved { deed: Deed, to: ReplyTo },
    /// Another way of keeping the key holds now, or does not.
    Answered,
}

impl Profile {
    pub fn new(folder: ProfileDir) -> Self {
        let (key, fault) = match KeyFile::load(&folder) {
            Ok(key) => (key, None),
            Err(error) => (None, Some(words::key(&error))),
        };
        Self {
            folder,
            key,
            fault,
            throttle: UnlockThrottle::default(),
            proved: None,
            held: None,
            saved: String::new(),
            working: None,
            backing_up: None,
        }
    }

    /// A profile without a passphrase opens by itself.
    pub fn open_by_itself(&mut self, effects: &mut Effects) {
        if let Some(key) = &self.key
            && key.protection() != ProtectionKind::Passphrase
        {
            let job = key.unlock_job(&self.folder, None);
            self.work(effects, None, Purpose::Open, move || Done::Key(job.run()));
        }
    }

    pub fn view(&self, open: bool) -> ProfileView {
        let protection = self.key.as_ref().map(KeyFile::protection);
        ProfileView {
            state: match (&self.key, &self.fault) {
                _ if open => ProfileState::Open,
                (None, None) => ProfileState::Absent,
                _ => ProfileState::Locked,
            },
            folder: self.folder.path().display().to_string(),
            warning: [
                self.saved.as_str(),
                protection.map_or("", words::profile_warning),
            ]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(" "),
            protection,
        }
    }

    /// What is answered to a request that needs an open profile.
    pub fn refusal(&self) -> ApiError {
        match (&self.fault, &self.key) {
            (Some(fault), _) => fault.clone(),
            (None, None) => words::no_profile(),
            (None, Some(_)) => words::locked(),
        }
    }

    pub fn create(&mut self, effects: &mut Effects, to: ReplyTo, protection: Protection) -> Answer {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        if self.key.is_some() {
            return Err(words::profile_exists());
        }
        self.idle()?;
        let job = KeyFile::create_job(&self.folder, protection);
        self.work(effects, Some(to), Purpose::Open, move || {
            Done::Key(job.run().map(|(file, key)| (Some(file), key)))
        });
        Ok(None)
    }

    pub fn unlock(
        &mut self,
        effects: &mut Effects,
        to: ReplyTo,
        passphrase: Secret,
        now: Instant,
    ) -> Answer {
        let Some(key) = &self.key else {
            return Err(self.refusal());
        };
        self.idle()?;
        self.may_try(now)?;
        let job = key.unlock_job(&self.folder, Some(passphrase));
        self.work(effects, Some(to), Purpose::Open, move || {
            Done::Key(job.run())
        });
        Ok(None)
    }

    pub fn protect(
        &mut self,
        effects: &mut Effects,
        to: ReplyTo,
        current: Option<Secret>,
        protection: Protection,
        now: Instant,
    ) -> Answer {
        let Some(key) = &self.key else {
            return Err(self.refusal());
        };
        self.idle()?;
        self.may_try(now)?;
        let job = key.protect_job(&self.folder, current, protection);
        self.work(effects, Some(to), Purpose::Protect, move || {
            Done::Protected(job.run())
        });
        Ok(None)
    }

    /// Whether there is a key to salvage with, and nothing else is being done with it.
    pub fn may_salvage(&self) -> Result<(), ApiError> {
        self.idle()?;
        match self.proved {
            Some(_) => Ok(()),
            None => Err(self.refusal()),
        }
    }

    /// Saves what reads of the store, which is closed now, and opens it again.
    pub fn salvage(&mut self, effects: &mut Effects, to: ReplyTo) -> Answer {
        self.may_salvage()?;
        let Some(key) = self.proved.clone() else {
            return Err(self.refusal());
        };
        let folder = self.folder.clone();
        self.work(effects, Some(to), Purpose::Salvage, move || {
            Done::Salvaged(Store::salvage(&folder, &key))
        });
        Ok(None)
    }

    /// Whether a guess may be made now.
    fn may_try(&self, now: Instant) -> Result<(), ApiError> {
        match self.throttle.wait(now) {
            Some(wait) => {
                let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                Err(words::wait_with_passphrase(wait))
            }
            None => Ok(()),
        }
    }

    fn idle(&self) -> Result<(), ApiError> {
        match self.working {
            Some(_) => Err(words::busy_with_key()),
            None => Ok(()),
        }
    }

    fn work(
        &mut self,
        effects: &mut Effects,
        to: Option<ReplyTo>,
        purpose: Purpose,
        job: impl FnOnce() -> Done + Send + 'static,
    ) {
        let work = effects.work(WorkJob::new(move || WorkResult(job())));
        self.working = Some(Working { work, to, purpose });
    }

    /// Whether this work is the profile's.
    pub fn awaits(&self, work: WorkId) -> bool {
        self.working
            .as_ref()
            .is_some_and(|working| working.work == work)
    }

    /// The work that [`Profile::awaits`] ended.
    pub fn finish(&mut self, effects: &mut Effects, done: Done, now: Instant) -> Finished {
        let Some(working) = self.working.take() else {
            return Finished::Answered;
        };
        let done = match done {
            Done::Restored(Ok((file, key))) => Done::Key(Ok((Some(file), key))),
            done => done,
        };
        let outcome = match (working.purpose, done) {
            (Purpose::Open, Done::Key(Ok((file, key)))) => {
                if let Some(file) = file {
                    self.key = Some(file);
                }
                self.throttle.opened();
                let opened = self.open_store(&key);
                self.proved = Some(key);
                match opened {
                    Ok((store, held)) => {
                        return Finished::Opened {
                            store: Box::new(store),
                            held,
                            to: working.to,
                        };
                    }
                    Err(error) => Err(error),
                }
            }
            (Purpose::Salvage, Done::Salvaged(salvaged)) => {
                let opened = salvaged
                    .map_err(|error| words::salvage_failed(&error))
                    .and_then(|report| {
                        self.saved = words::salvaged(&report);
                        let key = self.proved.clone().ok_or_else(words::internal)?;
                        self.open_store(&key)
                    });
                match opened {
                    Ok((store, held)) => {
                        self.fault = None;
                        return Finished::Opened {
                            store: Box::new(store),
                            held,
                            to: working.to,
                        };
                    }
                    Err(error) => Err(error),
                }
            }
            (Purpose::Protect, Done::Protected(Ok(file))) => {
                self.key = Some(file);
                self.throttle.opened();
                Ok(Reply::Profile(self.view(true)))
            }
            (Purpose::Prove(deed), Done::Key(Ok((file, _)))) => {
                if let Some(file) = file {
                    self.key = Some(file);
                }
                self.throttle.opened();
                match working.to {
                    Some(to) => return Finished::Proved { deed, to },
                    None => Err(words::internal()),
                }
            }
            (_, Done::Restored(Err(error))) => Err(words::backup(&error)),
            (_, Done::Key(Err(error)) | Done::Protected(Err(error))) => {
                if matches!(error, KeyError::WrongPassphrase) {
                    self.throttle.wrong(now);
                }
                Err(words::key(&error))
            }
            _ => Err(words::internal()),
        };
        if working.to.is_none()
            && let Err(error) = &outcome
        {
            // Nobody asked, so it is told to whoever asks for something that needs the profile.
            self.fault = Some(error.clone());
        }
        if let Some(to) = working.to {
            effects.answer(to, outcome.map(|_| Reply::Done));
        }
        Finished::Answered
    }

    /// The store, with what was in memory only when it was locked.
    fn open_store(&mut self, key: &DatabaseKey) -> Result<(Store, Vec<HeldAccount>), ApiError> {
        let held = self
            .held
            .as_ref()
            .and_then(|sealed| Held::unseal(sealed, key))
            .unwrap_or_default();
        let store = Store::reopen(&self.folder, key, held.texts).map_err(|error| match error {
            // The key file vouches for the key, so it is the store that is wrong.
            StoreError::WrongKey | StoreError::Damaged { .. } => words::damaged_store(),
            error => words::store(&error),
        })?;
        self.held = None;
        if store.was_put_back() {
            self.saved = words::put_back().into();
        }
        Ok((store, held.accounts))
    }

    /// Where the profile lies, and its key while it is open.
    pub fn place(&self) -> Option<(&ProfileDir, &DatabaseKey)> {
        Some((&self.folder, self.proved.as_ref()?))
    }

    // ---- locking -----------------------------------------------------------------------------

    /// Whether the profile can be locked: there is a passphrase to open it again, and nothing is being done with it.
    pub fn may_lock(&self) -> Result<(), ApiError> {
        match &self.key {
            None => return Err(self.refusal()),
            Some(key) if key.protection() != ProtectionKind::Passphrase => {
                return Err(words::lock_needs_passphrase());
            }
            Some(_) => {}
        }
        self.idle()
    }

    /// Whether it could be opened again after a lock.
    pub fn has_passphrase(&self) -> bool {
        self.key
            .as_ref()
            .is_some_and(|key| key.protection() == ProtectionKind::Passphrase)
    }

    /// The store is closed: the key leaves memory.
    pub fn lock(&mut self, held: &Held) {
        if let Some(key) = self.proved.take() {
            self.held = held.seal(&key);
        }
    }

    /// Whether a passphrase was given that opens the key, and the key is in memory.
    pub fn has_key(&self) -> bool {
        self.proved.is_some()
    }

    /// The key leaves memory, where no store was open.
    pub fn forget_key(&mut self) {
        self.proved = None;
    }
}
