//! A profile that is put into a file, made of one, or destroyed.

use std::path::PathBuf;
use std::time::Instant;

use sotto_api::view::ProtectionKind;
use sotto_api::{ApiError, Reply, Secret};
use sotto_store::{BackUpJob, KeyError, KeyFile, RestoreJob, Store};

use super::{Deed, Profile, Purpose};
use crate::context::{Answer, Effects, ReplyTo};
use crate::io::{WorkId, WorkJob};
use crate::words;
use crate::work::{Done, WorkResult};

/// A backup under way. It does not keep the profile from being used, sealed otherwise, locked or closed.
pub(super) struct BackingUp {
    work: WorkId,
    to: ReplyTo,
}

impl Profile {
    /// What a backup needs beside the passphrase in force; looked at before that is asked for.
    pub fn may_back_up(&self, file: &str, passphrase: Secret) -> Result<Deed, ApiError> {
        if self.backing_up.is_some() {
            return Err(words::backup_under_way());
        }
        let file = absolute(file)?;
        if passphrase.is_empty() {
            return Err(words::key(&KeyError::Empty));
        }
        Ok(Deed::BackUp { file, passphrase })
    }

    /// Freezes the store's file and has it copied under seal.
    pub fn back_up(
        &mut self,
        effects: &mut Effects,
        to: ReplyTo,
        store: &Store,
        file: PathBuf,
        passphrase: Secret,
    ) -> Answer {
        // Another may have begun while the passphrase in force was proved.
        if self.backing_up.is_some() {
            return Err(words::backup_under_way());
        }
        let key = self.proved.clone().ok_or_else(words::internal)?;
        let snapshot = store.freeze().map_err(|error| words::store(&error))?;
        let job = BackUpJob::new(snapshot, key, passphrase, file);
        let work = effects.work(WorkJob::new(move || WorkResult(Done::BackedUp(job.run()))));
        self.backing_up = Some(BackingUp { work, to });
        Ok(None)
    }

    /// Whether this work is the backup under way.
    pub fn awaits_backup(&self, work: WorkId) -> bool {
        self.backing_up
            .as_ref()
            .is_some_and(|backup| backup.work == work)
    }

    /// The backup ended.
    pub fn backed_up(&mut self, effects: &mut Effects, done: Done) {
        let Some(backup) = self.backing_up.take() else {
            return;
        };
        let answer = match done {
            Done::BackedUp(Ok(())) => Ok(Reply::Done),
            Done::BackedUp(Err(error)) => Err(words::backup(&error)),
            _ => Err(words::internal()),
        };
        effects.answer(backup.to, answer);
    }

    /// Makes the profile of a file.
    pub fn restore(
        &mut self,
        effects: &mut Effects,
        to: ReplyTo,
        file: &str,
        passphrase: Secret,
    ) -> Answer {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        if self.key.is_some() {
            return Err(words::profile_exists());
        }
        self.idle()?;
        let job = RestoreJob::new(self.folder.clone(), passphrase, absolute(file)?);
        self.work(effects, Some(to), Purpose::Open, move || {
            Done::Restored(job.run())
        });
        Ok(None)
    }

    /// Proves that the person knows the passphrase. Where there is none, the deed may be done at once and comes back,
    /// except for showing a password: then nobody could be told from the person.
    pub fn prove(
        &mut self,
        effects: &mut Effects,
        to: ReplyTo,
        current: Option<Secret>,
        deed: Deed,
        now: Instant,
    ) -> Result<Option<Deed>, ApiError> {
        let Some(key) = &self.key else {
            return Err(self.refusal());
        };
        self.idle()?;
        if key.protection() != ProtectionKind::Passphrase {
            return match deed {
                Deed::ShowPassword(_) => Err(words::no_passphrase_to_ask()),
                deed => Ok(Some(deed)),
            };
        }
        self.may_try(now)?;
        let job = key.unlock_job(&self.folder, current);
        self.work(effects, Some(to), Purpose::Prove(deed), move || {
            Done::Key(job.run())
        });
        Ok(None)
    }

    /// Destroys what opens the profile. What is open stays open until it is closed.
    pub fn destroy_key(&self) -> Result<(), ApiError> {
        self.folder
            .destroy_key(self.key.as_ref())
            .map_err(|error| words::key(&error))
    }

    /// Removes the files of the profile, which is closed.
    pub fn destroy(&mut self) -> Result<(), ApiError> {
        let file: Option<KeyFile> = self.key.take();
        self.proved = None;
        self.held = None;
        self.folder
            .destroy(file.as_ref())
            .map_err(|error| words::key(&error))
    }
}

/// A shell's folder is not the owner's: only a full path says where.
pub(crate) fn absolute(file: &str) -> Result<PathBuf, ApiError> {
    let path = PathBuf::from(file);
    if path.is_absolute() && path.file_name().is_some() {
        Ok(path)
    } else {
        Err(words::full_path())
    }
}
