use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sotto_api::view::ProtectionKind;
use sotto_api::{Protection, Secret};

use super::job::{CreateJob, ProtectJob, UnlockJob};
use super::slot::{Slot, Wrapping};
use super::{KeyError, keyring, slot};
use crate::error::Result;
use crate::profile::ProfileDir;

const KEY_FILE: &str = "profile.key";
/// The same again: without the key file the whole profile would be lost.
const KEY_FILE_COPY: &str = "profile.key.copy";
pub(super) const SECRET_FILE: &str = "profile.secret";
pub(super) const VERSION: u32 = 1;
/// A key file is some 400 bytes long.
const LIMIT: u64 = 64 * 1024;

/// The file that says how the key of a profile is kept, with the key itself under seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    pub(super) slot: Slot,
}

#[derive(Serialize, Deserialize)]
struct Written {
    sotto: String,
    version: u32,
    slots: Vec<Slot>,
    /// Over everything else: tells a damaged file from a wrong passphrase. It covers only what is
    /// public, so it helps nobody to guess.
    check: String,
}

#[derive(Deserialize)]
struct JustVersion {
    version: u32,
}

impl KeyFile {
    /// Reads the key file of a profile; absent when there is none.
    ///
    /// A damaged file is replaced by its copy; a copy that differs by the file.
    ///
    /// # Errors
    ///
    /// [`KeyError::Damaged`] when neither reads, [`KeyError::Newer`] for a later version.
    pub fn load(profile: &ProfileDir) -> Result<Option<Self>, KeyError> {
        let main = profile.read_file(KEY_FILE, LIMIT)?;
        let copy = profile.read_file(KEY_FILE_COPY, LIMIT)?;
        let read = match (&main, &copy) {
            (None, None) => return Ok(None),
            (Some(bytes), _) | (None, Some(bytes)) => Self::parse(bytes),
        };
        match read {
            Ok(file) => {
                if main.is_none() || copy != main {
                    // A crash between the two, or a lost file. Not being able to mend it now must not
                    // keep the person out.
                    file.save(profile).ok();
                }
                Ok(Some(file))
            }
            Err(error @ KeyError::Damaged { .. }) => match copy.as_deref().map(Self::parse) {
                Some(Ok(file)) => {
                    file.save(profile).ok();
                    Ok(Some(file))
                }
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// How the key is kept.
    pub fn protection(&self) -> ProtectionKind {
        self.slot.kind()
    }

    /// The work of making a profile's key. Refused when there is one.
    pub fn create_job(profile: &ProfileDir, protection: Protection) -> CreateJob {
        CreateJob::new(profile.clone(), protection)
    }

    /// The work of opening the key. The passphrase is needed only with [`ProtectionKind::Passphrase`].
    pub fn unlock_job(&self, profile: &ProfileDir, passphrase: Option<Secret>) -> UnlockJob {
        UnlockJob::new(profile.clone(), self.clone(), passphrase)
    }

    /// The work of keeping the key in another way. The key itself, and so the store, stays as it is.
    pub fn protect_job(
        &self,
        profile: &ProfileDir,
        current: Option<Secret>,
        protection: Protection,
    ) -> ProtectJob {
        ProtectJob::new(self.unlock_job(profile, current), protection)
    }

    fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        let damaged = |detail| KeyError::Damaged { detail };
        let just: JustVersion =
            serde_json::from_slice(bytes).map_err(|_| damaged("it does not read"))?;
        if just.version > VERSION {
            return Err(KeyError::Newer {
                found: just.version,
                supported: VERSION,
            });
        }
        let written: Written =
            serde_json::from_slice(bytes).map_err(|_| damaged("it does not read"))?;
        if written.check != check(&written.sotto, written.version, &written.slots) {
            return Err(damaged("its check does not fit"));
        }
        let slot = written
            .slots
            .into_iter()
            .next()
            .ok_or(damaged("it holds no key"))?;
        Ok(Self { slot })
    }

    /// A key file with this slot; written by [`KeyFile::save`].
    pub(crate) fn with(slot: Slot) -> Self {
        Self { slot }
    }

    pub(crate) fn exists(profile: &ProfileDir) -> Result<bool, KeyError> {
        Ok(profile.check_file(KEY_FILE)? || profile.check_file(KEY_FILE_COPY)?)
    }

    pub(crate) fn save(&self, profile: &ProfileDir) -> Result<(), KeyError> {
        let slots = vec![self.slot.clone()];
        let sotto = "profile key".to_owned();
        let written = Written {
            check: check(&sotto, VERSION, &slots),
            sotto,
            version: VERSION,
            slots,
        };
        let mut bytes = serde_json::to_vec_pretty(&written).map_err(|_| KeyError::Memory)?;
        bytes.push(b'\n');
        if let Err(error) = profile.replace_file(KEY_FILE, &bytes) {
            // The error may have come after the name had changed hands. Then this is in force already, and whoever heard
            // that nothing had changed would be wrong.
            let stands = profile.read_file(KEY_FILE, LIMIT).ok().flatten();
            if stands.as_deref() != Some(&bytes) {
                return Err(error.into());
            }
        }
        if profile.replace_file(KEY_FILE_COPY, &bytes).is_err() {
            // The next start writes it. Until then an older one must not open the profile in an older way.
            profile.overwrite_file(KEY_FILE_COPY).ok();
        }
        Ok(())
    }
}

/// Writes over what opens the key, on the medium as far as the medium does so, and removes it. From then on nothing
/// opens the store any more, unless there is a copy elsewhere.
///
/// # Errors
///
/// The first that came; everything else was tried all the same.
pub(crate) fn destroy(profile: &ProfileDir, file: Option<&KeyFile>) -> Result<(), KeyError> {
    let names = [KEY_FILE, KEY_FILE_COPY, SECRET_FILE];
    let new = names.map(|name| format!("{name}.new"));
    let mut destroyed = Ok(());
    for name in names.into_iter().chain(new.iter().map(String::as_str)) {
        destroyed = destroyed.and(profile.overwrite_file(name));
    }
    if let Some(Wrapping::Keyring { entry }) = file.map(|file| &file.slot.wrapping) {
        // What a keyring keeps all the same opens nothing without the key file.
        keyring::forget(entry).ok();
    }
    destroyed.map_err(KeyError::from)
}

fn check(sotto: &str, version: u32, slots: &[Slot]) -> String {
    let covered = serde_json::to_vec(&(sotto, version, slots)).unwrap_or_default();
    Sha256::digest(covered)
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// 32 random bytes to wrap a key with, where there is no passphrase.
pub(super) fn random_wrap_key() -> Result<slot::WrapKey, KeyError> {
    Ok(slot::random::<32>()?.into())
}
