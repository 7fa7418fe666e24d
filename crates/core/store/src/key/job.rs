//! Slow work with the key: to be run on a thread that may wait.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sotto_api::view::ProtectionKind;
use sotto_api::{Protection, Secret};
use zeroize::Zeroizing;

use super::cost::Pace;
use super::file::{SECRET_FILE, VERSION, random_wrap_key};
use super::slot::{Slot, WrapKey, Wrapping, random};
use super::{DatabaseKey, KeyError, KeyFile, keyring};
use crate::profile::ProfileDir;

/// Makes the key of a new profile.
pub struct CreateJob {
    profile: ProfileDir,
    protection: Protection,
    pub(crate) pace: Pace,
}

/// Opens the key of a profile.
pub struct UnlockJob {
    profile: ProfileDir,
    file: KeyFile,
    passphrase: Option<Secret>,
    pub(crate) pace: Pace,
}

/// Keeps the key of a profile in another way.
pub struct ProtectJob {
    unlock: UnlockJob,
    protection: Protection,
    pub(crate) pace: Pace,
}

impl CreateJob {
    pub(super) fn new(profile: ProfileDir, protection: Protection) -> Self {
        Self {
            profile,
            protection,
            pace: Pace::REAL,
        }
    }

    /// Takes some 0.5 s and 64 MiB with a passphrase: its cost is fitted to this machine.
    ///
    /// # Errors
    ///
    /// [`KeyError::Exists`] when there is a key file; [`KeyError::Empty`] for an empty passphrase.
    pub fn run(self) -> Result<(KeyFile, DatabaseKey), KeyError> {
        if KeyFile::exists(&self.profile)? {
            return Err(KeyError::Exists);
        }
        let key = DatabaseKey::random()?;
        let file = wrap(&self.profile, &self.protection, self.pace, &key)?;
        crate::backup::remove_leftovers(&self.profile)?;
        file.save(&self.profile)?;
        Ok((file, key))
    }
}

impl UnlockJob {
    pub(super) fn new(profile: ProfileDir, file: KeyFile, passphrase: Option<Secret>) -> Self {
        Self {
            profile,
            file,
            passphrase,
            pace: Pace::REAL,
        }
    }

    /// Takes some 0.4 s and 64 MiB with a passphrase, right or wrong. Where a guess has become too cheap
    /// on this machine, the key is wrapped anew at a higher cost, and the new key file comes back.
    ///
    /// # Errors
    ///
    /// [`KeyError::WrongPassphrase`] for every wrong one; the others as they say.
    pub fn run(self) -> Result<(Option<KeyFile>, DatabaseKey), KeyError> {
        let (key, took) = self.open()?;
        if !matches!(self.file.slot.wrapping, Wrapping::File) {
            // Left by a crash between a new way of keeping the key and the end of the old one.
            self.profile.overwrite_file(SECRET_FILE).ok();
        }
        let raised = self.raise(&key, took).unwrap_or_default();
        Ok((raised, key))
    }

    fn open(&self) -> Result<(DatabaseKey, Duration), KeyError> {
        let slot = &self.file.slot;
        let (with, took) = match &slot.wrapping {
            Wrapping::Passphrase { cost, .. } => {
                let passphrase = self.passphrase.as_ref().ok_or(KeyError::PassphraseNeeded)?;
                self.pace.time(*cost, || slot.wrapping.derive(passphrase))?
            }
            Wrapping::Keyring { entry } => (wrap_key(&keyring::read(entry)?)?, Duration::ZERO),
            Wrapping::File => (read_secret(&self.profile)?, Duration::ZERO),
        };
        let key = slot
            .open(VERSION, &with)
            .map_err(|error| match (&slot.wrapping, error) {
                (Wrapping::Keyring { .. } | Wrapping::File, KeyError::WrongPassphrase) => {
                    KeyError::Damaged {
                        detail: "the stored secret does not fit",
                    }
                }
                (_, error) => error,
            })?;
        Ok((key, took))
    }

    /// Wraps the key anew if a guess is too cheap. Whoever cannot do it now still gets in.
    fn raise(&self, key: &DatabaseKey, took: Duration) -> Result<Option<KeyFile>, KeyError> {
        let Wrapping::Passphrase { cost, .. } = &self.file.slot.wrapping else {
            return Ok(None);
        };
        let (Some(passphrase), Some(raised)) = (&self.passphrase, self.pace.raised(*cost, took))
        else {
            return Ok(None);
        };
        let wrapping = Wrapping::passphrase(raised)?;
        let with = wrapping.derive(passphrase)?;
        let slot = Slot::seal(VERSION, wrapping, &with, key)?;
        let file = KeyFile { slot };
        file.save(&self.profile)?;
        Ok(Some(file))
    }
}

impl ProtectJob {
    pub(super) fn new(unlock: UnlockJob, protection: Protection) -> Self {
        Self {
            unlock,
            protection,
            pace: Pace::REAL,
        }
    }

    /// Takes some 0.9 s from passphrase to passphrase. After a crash at any moment the old way
    /// opens the profile, or the new one does.
    ///
    /// # Errors
    ///
    /// As [`UnlockJob::run`] and [`CreateJob::run`]; nothing has changed then.
    pub fn run(self) -> Result<KeyFile, KeyError> {
        let UnlockJob {
            profile, file: old, ..
        } = &self.unlock;
        let (key, _) = self.unlock.open()?;
        if matches!(self.protection, Protection::None)
            && old.protection() != ProtectionKind::Passphrase
        {
            return Ok(old.clone());
        }
        let new = wrap(profile, &self.protection, self.pace, &key)?;
        new.save(profile)?;
        // From here on the new way is in force; what is left of the old one opens nothing.
        match &old.slot.wrapping {
            Wrapping::File => profile.overwrite_file(SECRET_FILE).ok(),
            Wrapping::Keyring { entry } => keyring::forget(entry).ok(),
            Wrapping::Passphrase { .. } => None,
        };
        Ok(new)
    }
}

/// Puts the wrapping secret in its place, durably, and wraps the key. The key file is not written yet.
fn wrap(
    profile: &ProfileDir,
    protection: &Protection,
    pace: Pace,
    key: &DatabaseKey,
) -> Result<KeyFile, KeyError> {
    let (wrapping, with) = match protection {
        Protection::Passphrase { passphrase } if passphrase.is_empty() => {
            return Err(KeyError::Empty);
        }
        Protection::Passphrase { passphrase } => under(passphrase, pace)?,
        Protection::None => {
            let with = random_wrap_key()?;
            let entry = URL_SAFE_NO_PAD.encode(random::<12>()?);
            if keyring::write(&entry, &with).is_ok() {
                (Wrapping::Keyring { entry }, with)
            } else {
                profile.replace_file(SECRET_FILE, with.as_slice())?;
                (Wrapping::File, with)
            }
        }
    };
    let slot = Slot::seal(VERSION, wrapping, &with, key)?;
    Ok(KeyFile { slot })
}

/// What a passphrase makes of a new salt, at a cost that is fitted to this machine.
fn under(passphrase: &Secret, pace: Pace) -> Result<(Wrapping, WrapKey), KeyError> {
    let mut cost = pace.least;
    loop {
        let wrapping = Wrapping::passphrase(cost)?;
        let (with, took) = pace.time(cost, || wrapping.derive(passphrase))?;
        match pace.raised(cost, took) {
            Some(raised) => cost = raised,
            None => return Ok((wrapping, with)),
        }
    }
}

impl Slot {
    /// Puts a key under a passphrase.
    pub(crate) fn of(passphrase: &Secret, pace: Pace, key: &DatabaseKey) -> Result<Self, KeyError> {
        if passphrase.is_empty() {
            return Err(KeyError::Empty);
        }
        let (wrapping, with) = under(passphrase, pace)?;
        Self::seal(VERSION, wrapping, &with, key)
    }

    /// The key, by its passphrase.
    pub(crate) fn open_with(&self, passphrase: &Secret) -> Result<DatabaseKey, KeyError> {
        self.open(VERSION, &self.wrapping.derive(passphrase)?)
    }
}

fn read_secret(profile: &ProfileDir) -> Result<WrapKey, KeyError> {
    let bytes = profile
        .read_file(SECRET_FILE, 64)?
        .map(Zeroizing::new)
        .ok_or(KeyError::SecretMissing { name: SECRET_FILE })?;
    wrap_key(&bytes)
}

fn wrap_key(bytes: &[u8]) -> Result<WrapKey, KeyError> {
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| KeyError::Damaged {
        detail: "the stored secret has another length",
    })?;
    Ok(bytes.into())
}
