//! A whole profile in one sealed file, for another computer or a safe place (S-STORE-17).
//!
//! The file is one line of JSON, which says how the key is kept (as in `profile.key`), and the store's file as a stream of
//! sealed chunks ([`crate::chunks`]) bound to that line. The store is sealed already; its pages are sealed once more so that
//! a change or a cut anywhere shows before anything of it is used. Nothing is ever written in the clear.
//!
//! The file holds the profile's own key, under a passphrase of its own: whoever guesses that opens the profile as well.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sotto_api::Secret;

use crate::chunks::{self, Chunks, PREFIX};
use crate::error::StoreError;
use crate::frozen::Snapshot;
use crate::key::{DatabaseKey, KeyError, KeyFile, Pace, Slot, random};
use crate::outside::{self, Unwritten};
use crate::profile::{ProfileDir, STORE_FILE, STORE_SIDE_FILES, crash_point};
use crate::store::Store;

const VERSION: u32 = 1;
const KIND: &str = "profile backup";
const PURPOSE: &str = "sotto: profile backup";
/// The longest head that is read, in bytes; ours have some 500.
const HEAD: usize = 8 * 1024;
/// What a restore is writing. Worth nothing until it is whole.
const PART: &str = "restore.part";
/// What a restore wrote, proved whole: becomes the store as soon as there is a key file.
const READY: &str = "restore.db";

/// Why a profile could not be put into a file, or made of one. Nothing was changed, where it does not say otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The passphrase does not open the file.
    #[error("the passphrase does not open the file")]
    WrongPassphrase,
    /// The file was not made by this program.
    #[error("the file is not a backup of a profile")]
    NotABackup,
    /// The file was changed, or ends too early.
    #[error("the backup is damaged or not whole")]
    Damaged,
    /// A later version of the program made it.
    #[error("the backup was made by a newer version ({found}, this one knows {supported})")]
    Newer {
        /// Its version.
        found: u32,
        /// The highest that this program knows.
        supported: u32,
    },
    /// Something is there already.
    #[error("there is something with this name already")]
    Exists,
    /// The profile was closed, or something in it erased, before the copy was whole.
    #[error("the profile was closed or something in it erased meanwhile")]
    Closed,
    /// The file outside the profile.
    #[error("{action} failed: {source}")]
    File {
        /// What was being done.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The file is there and whole, but the system could not make its name last: a power cut may take it.
    #[error("the backup is written, but its folder could not be: {source}")]
    MayVanish {
        /// What the system said.
        source: io::Error,
    },
    /// The key, or the profile's folder.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        Self::Key(error.into())
    }
}

#[derive(Serialize, Deserialize)]
struct Head {
    sotto: String,
    version: u32,
    slot: Slot,
    /// Base64.
    salt: String,
    prefix: String,
    /// Over everything else, which is public: tells a damaged head from a wrong passphrase.
    check: String,
}

#[derive(Deserialize)]
struct JustVersion {
    sotto: String,
    version: u32,
}

/// Writes a profile into a file. To be run on a thread that may wait.
pub struct BackUpJob {
    snapshot: Snapshot,
    key: DatabaseKey,
    passphrase: Secret,
    file: PathBuf,
    pub(crate) pace: Pace,
}

impl BackUpJob {
    /// `file` is where nothing is yet.
    pub fn new(snapshot: Snapshot, key: DatabaseKey, passphrase: Secret, file: PathBuf) -> Self {
        Self {
            snapshot,
            key,
            passphrase,
            file,
            pace: Pace::REAL,
        }
    }

    /// Takes as long as reading and writing the store does. The file appears under its name when it is whole and on the
    /// medium; a program that is killed leaves at most a sealed `….part` beside it that nothing restores from.
    ///
    /// # Errors
    ///
    /// As they say; then there is no file, besides [`BackupError::MayVanish`].
    pub fn run(self) -> Result<(), BackupError> {
        if fs::symlink_metadata(&self.file).is_ok() {
            return Err(BackupError::Exists);
        }
        let slot = Slot::of(&self.passphrase, self.pace, &self.key)?;
        let salt: [u8; 16] = random()?;
        let prefix: [u8; PREFIX] = random()?;
        let head = head(slot, &salt, &prefix)?;
        let chunks = Chunks::new(&self.key.derive(PURPOSE, &salt), prefix, head.clone());

        let mut store = File::open(self.snapshot.file()).map_err(file("reading the store"))?;
        outside::write_new(&self.file, |out| {
            out.write_all(&head)?;
            chunks::seal_all(chunks, &mut store, out, || self.snapshot.holds())?;
            // Asked after the last byte was read: what stands in the file is of one moment.
            if self.snapshot.holds() {
                Ok(())
            } else {
                Err(io::ErrorKind::Interrupted.into())
            }
        })
        .map_err(|error| match error {
            Unwritten::MayVanish(source) => BackupError::MayVanish { source },
            Unwritten::Not(error) => match error.kind() {
                io::ErrorKind::Interrupted => BackupError::Closed,
                io::ErrorKind::AlreadyExists => BackupError::Exists,
                _ => file("writing the backup")(error),
            },
        })
    }
}

/// Makes a profile of a file. To be run on a thread that may wait.
pub struct RestoreJob {
    profile: ProfileDir,
    passphrase: Secret,
    file: PathBuf,
    pub(crate) pace: Pace,
}

impl RestoreJob {
    /// `profile` has no key file.
    pub fn new(profile: ProfileDir, passphrase: Secret, file: PathBuf) -> Self {
        Self {
            profile,
            passphrase,
            file,
            pace: Pace::REAL,
        }
    }

    /// The profile is there when its key file is, which comes last; until then nothing of it counts.
    ///
    /// # Errors
    ///
    /// As they say; then there is no profile, as before.
    pub fn run(self) -> Result<(KeyFile, DatabaseKey), BackupError> {
        if KeyFile::exists(&self.profile)? || self.profile.check_file(STORE_FILE)? {
            return Err(KeyError::Exists.into());
        }
        let from = File::open(&self.file).map_err(file("reading the backup"))?;
        let mut from = BufReader::new(from);
        let head = read_head(&mut from)?;
        let parsed = parse(&head)?;
        let key = parsed
            .slot
            .open_with(&self.passphrase)
            .map_err(|error| match error {
                KeyError::WrongPassphrase => BackupError::WrongPassphrase,
                KeyError::Damaged { .. } => BackupError::Damaged,
                error => error.into(),
            })?;
        let salt: [u8; 16] = decode(&parsed.salt)?;
        let prefix: [u8; PREFIX] = decode(&parsed.prefix)?;
        let chunks = Chunks::new(&key.derive(PURPOSE, &salt), prefix, head);

        remove_leftovers(&self.profile)?;
        let made = self.write(chunks, &mut from, &key).and_then(|()| {
            let slot = Slot::of(&self.passphrase, self.pace, &key)?;
            let file = KeyFile::with(slot);
            crash_point("restore: ready");
            Ok(file)
        });
        let saved = made.and_then(|file| {
            file.save(&self.profile)?;
            Ok(file)
        });
        if saved.is_err() && !KeyFile::exists(&self.profile).unwrap_or(true) {
            remove_leftovers(&self.profile).ok();
        }
        let file = saved?;
        crash_point("restore: key");
        finish_restore(&self.profile)?;
        Ok((file, key))
    }

    fn write(
        &self,
        chunks: Chunks,
        from: &mut impl BufRead,
        key: &DatabaseKey,
    ) -> Result<(), BackupError> {
        let path = self.profile.prepare_file(PART)?;
        let mut to = BufWriter::with_capacity(
            256 * 1024,
            OpenOptions::new()
                .write(true)
                .open(&path)
                .map_err(StoreError::io("writing the store"))?,
        );
        crash_point("restore: begun");
        chunks::open_all(chunks, from, &mut to).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => BackupError::Damaged,
            _ => StoreError::io("writing the store")(error).into(),
        })?;
        let to = to
            .into_inner()
            .map_err(|error| StoreError::io("writing the store")(error.into_error()))?;
        to.sync_all().map_err(StoreError::io("writing the store"))?;
        crash_point("restore: written");
        // A store that this version cannot open must not take the place of a profile.
        let store = Store::open_file(&path, Some(key))?;
        // The other computer may go on with it.
        store.take_as_copy()?;
        store.forget_file()?;
        store.close()?;
        self.profile.rename_file(PART, READY)?;
        Ok(())
    }
}

/// Removes what an attempt to restore has left where there is no profile: under a new key it would be taken for the
/// new profile's store, and SQLite's own files would be taken for part of the next one.
pub(crate) fn remove_leftovers(profile: &ProfileDir) -> Result<(), StoreError> {
    for name in [PART, READY] {
        profile.remove_file(name)?;
        for end in ["-wal", "-shm", "-journal"] {
            profile.remove_file(&format!("{name}{end}"))?;
        }
    }
    if !profile.check_file(STORE_FILE)? {
        for name in STORE_SIDE_FILES {
            profile.remove_file(name)?;
        }
    }
    Ok(())
}

/// Puts a restored store in its place, where a crash came between its key file and that. To be called only where there is a
/// key file.
pub(crate) fn finish_restore(profile: &ProfileDir) -> Result<(), StoreError> {
    if profile.check_file(READY)? && !profile.check_file(STORE_FILE)? {
        profile.rename_file(READY, STORE_FILE)?;
    }
    Ok(())
}

fn head(slot: Slot, salt: &[u8], prefix: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut head = Head {
        sotto: KIND.into(),
        version: VERSION,
        slot,
        salt: BASE64.encode(salt),
        prefix: BASE64.encode(prefix),
        check: String::new(),
    };
    head.check = check(&head);
    let mut line = serde_json::to_vec(&head).map_err(|_| KeyError::Memory)?;
    line.push(b'\n');
    Ok(line)
}

fn check(head: &Head) -> String {
    let covered = (
        &head.sotto,
        head.version,
        &head.slot,
        &head.salt,
        &head.prefix,
    );
    let covered = serde_json::to_vec(&covered).unwrap_or_default();
    Sha256::digest(covered)
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The first line, with its end.
fn read_head(from: &mut impl BufRead) -> Result<Vec<u8>, BackupError> {
    let mut head = Vec::new();
    io::Read::take(from, HEAD as u64)
        .read_until(b'\n', &mut head)
        .map_err(file("reading the backup"))?;
    match head.as_slice() {
        [b'{', .., b'\n'] => Ok(head),
        _ => Err(BackupError::NotABackup),
    }
}

fn parse(head: &[u8]) -> Result<Head, BackupError> {
    let just: JustVersion = serde_json::from_slice(head).map_err(|_| BackupError::NotABackup)?;
    if just.sotto != KIND {
        return Err(BackupError::NotABackup);
    }
    if just.version > VERSION {
        return Err(BackupError::Newer {
            found: just.version,
            supported: VERSION,
        });
    }
    let parsed: Head = serde_json::from_slice(head).map_err(|_| BackupError::Damaged)?;
    if parsed.check != check(&parsed) {
        return Err(BackupError::Damaged);
    }
    Ok(parsed)
}

fn decode<const N: usize>(text: &str) -> Result<[u8; N], BackupError> {
    BASE64
        .decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(BackupError::Damaged)
}

fn file(action: &'static str) -> impl Fn(io::Error) -> BackupError {
    move |source| BackupError::File { action, source }
}

#[cfg(test)]
mod tests;
