use std::io;
use std::path::PathBuf;

/// Why the store could not do what it was asked.
///
/// No variant carries a message text, a password or a key. After every error the profile is as it
/// was before the call, or before the transaction around it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no room left; reading still works, and writing works again once there is room.
    #[error("the disk is full")]
    DiskFull,
    /// The folder, the file or the medium cannot be written.
    #[error("the profile cannot be written, only read")]
    ReadOnly,
    /// The bytes on disk are not what was written: a damaged medium, a cut file, a foreign change.
    #[error("the profile's store is damaged: {detail}")]
    Damaged {
        /// What was noticed, without contents.
        detail: String,
    },
    /// This key does not open this store.
    #[error("the key does not fit the store")]
    WrongKey,
    /// A later version of the program wrote it. It was not touched.
    #[error(
        "the profile was written by a newer version (schema {found}, this one knows {supported})"
    )]
    NewerSchema {
        /// The version in the file.
        found: i64,
        /// The highest that this program knows.
        supported: i64,
    },
    /// It opens, but is not a profile of this program. It was not touched.
    #[error("the file is a database of another program")]
    NotAProfile,
    /// Another process owns the profile.
    #[error("another program is using this profile")]
    InUse,
    /// The folder or one of its files is not safely ours (S-STORE-06).
    #[error("{} is refused: {reason}", path.display())]
    Unsafe {
        /// What was looked at.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A file operation failed in a way that has no variant of its own.
    #[error("{action} failed: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// There is nothing with this id (any more).
    #[error("there is no such {what}")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
    },
    /// It is there already; nothing was changed.
    #[error("there is such {what} already")]
    Exists {
        /// What kind of thing.
        what: &'static str,
    },
    /// `begin` inside a transaction, or `commit`/`rollback` outside one.
    #[error("a transaction is already open, or none is")]
    Transaction,
    /// SQLite ended the transaction after an earlier error; nothing of it was kept.
    #[error("the transaction was rolled back after an earlier error")]
    RolledBack,
    /// A stored JSON value does not read as what was asked for.
    #[error("the stored value {key} does not read")]
    Value {
        /// Under which key.
        key: String,
    },
    /// SQLite refused for a reason that has no variant of its own: a fault of ours.
    #[error("the store refused: {source}")]
    Sql {
        /// What SQLite said; parameters are always bound, so it holds no contents.
        source: rusqlite::Error,
    },
}

impl StoreError {
    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            _ => Self::Io { action, source },
        }
    }

    /// Whether writing may work again later without any repair.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::DiskFull | Self::ReadOnly | Self::InUse | Self::RolledBack
        )
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match source.sqlite_error_code() {
            Some(Code::DiskFull) => Self::DiskFull,
            Some(Code::ReadOnly) => Self::ReadOnly,
            Some(Code::DatabaseCorrupt) => Self::Damaged {
                detail: "a page does not read".into(),
            },
            Some(Code::NotADatabase) => Self::WrongKey,
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => Self::InUse,
            Some(Code::SystemIoFailure) => Self::Io {
                action: "reading or writing the store",
                source: io::Error::other("the medium does not do it"),
            },
            Some(Code::CannotOpen) => Self::Io {
                action: "opening the store",
                source: io::Error::other("it cannot be opened"),
            },
            Some(Code::PermissionDenied) => Self::ReadOnly,
            _ => Self::Sql { source },
        }
    }
}

/// Shorthand for the results of this crate.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
