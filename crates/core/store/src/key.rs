//! The key of a profile: 32 random bytes, kept under a passphrase, in the keyring, or in a file.

mod cost;
mod database;
mod file;
mod job;
mod keyring;
mod slot;
mod throttle;

pub(crate) use cost::Pace;
pub use database::{DatabaseKey, harden_process};
pub use file::KeyFile;
pub(crate) use file::destroy;
pub use job::{CreateJob, ProtectJob, UnlockJob};
pub(crate) use slot::{Slot, random};
pub use throttle::UnlockThrottle;

/// Shows the bytes of a key to a test that looks for what is left of them.
#[doc(hidden)]
pub fn key_bytes_for_tests<T>(key: &DatabaseKey, look: impl FnOnce(&[u8; 32]) -> T) -> T {
    look(key.expose())
}

/// Why a key could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The passphrase does not open the profile. The same for every wrong one, and after the same work.
    #[error("the passphrase does not open the profile")]
    WrongPassphrase,
    /// The profile has a passphrase and none was given.
    #[error("the profile needs its passphrase")]
    PassphraseNeeded,
    /// The system's keyring does not answer, is locked, or lost the entry.
    #[error("the keyring does not give the key: {detail}")]
    Keyring {
        /// What it said.
        detail: String,
    },
    /// The file that holds the key is gone.
    #[error("the file with the key, {name}, is missing")]
    SecretMissing {
        /// Its name in the profile folder.
        name: &'static str,
    },
    /// The key file does not read, nor does its copy.
    #[error("the key file is damaged: {detail}")]
    Damaged {
        /// What was noticed.
        detail: &'static str,
    },
    /// A later version of the program wrote the key file.
    #[error("the key file was written by a newer version ({found}, this one knows {supported})")]
    Newer {
        /// The version in the file.
        found: u32,
        /// The highest that this program knows.
        supported: u32,
    },
    /// There is a key file already.
    #[error("there is a profile already")]
    Exists,
    /// An empty passphrase protects nothing.
    #[error("the passphrase is empty")]
    Empty,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
    /// There is not enough memory for the work (64 MiB).
    #[error("there is not enough memory")]
    Memory,
    /// The folder or a file in it.
    #[error(transparent)]
    Store(#[from] crate::error::StoreError),
}

#[cfg(test)]
pub(crate) use tests::SLOW as CHEAP_FOR_TESTS;

#[cfg(test)]
mod tests;
