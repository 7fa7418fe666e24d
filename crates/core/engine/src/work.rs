use std::fmt;

use sotto_store::{BackupError, DatabaseKey, KeyError, KeyFile, SalvageReport, StoreError};
use sotto_xmpp::sasl::ScramKeys;

/// Slow work, away from the engine's thread.
pub struct WorkJob(Box<dyn FnOnce() -> WorkResult + Send>);

impl WorkJob {
    pub(crate) fn new(job: impl FnOnce() -> WorkResult + Send + 'static) -> Self {
        Self(Box::new(job))
    }

    /// Does the work; takes up to seconds.
    pub fn run(self) -> WorkResult {
        (self.0)()
    }
}

impl fmt::Debug for WorkJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkJob")
    }
}

/// What a [`WorkJob`] found; only the engine looks inside.
pub struct WorkResult(pub(crate) Done);

impl WorkResult {
    /// The work could not be run to its end: the pool is gone, or the job panicked.
    pub fn failed() -> Self {
        Self(Done::Failed)
    }
}

pub(crate) enum Done {
    /// A profile's key was found or made; with the key file when it is new.
    Key(Result<(Option<KeyFile>, DatabaseKey), KeyError>),
    /// A profile's key is kept in another way now.
    Protected(Result<KeyFile, KeyError>),
    /// What reads of a damaged store was put into a new one.
    Salvaged(Result<SalvageReport, StoreError>),
    /// The profile was put into a file.
    BackedUp(Result<(), BackupError>),
    /// The profile was made of a file.
    Restored(Result<(KeyFile, DatabaseKey), BackupError>),
    /// What was recorded was removed, or written out.
    Record(crate::record::Done),
    /// SCRAM's keys for a stream's job.
    Scram(ScramKeys),
    /// An own OTR key was made.
    OtrKey(zeroize::Zeroizing<Vec<u8>>),
    /// A picture of somebody else was written anew.
    Picture(Result<Vec<u8>, crate::picture::PictureError>),
    /// One of my own was.
    OwnPicture(Result<crate::picture::Own, crate::picture::PictureError>),
    /// A part of an import was done.
    Import(crate::import::Step),
    /// The job itself failed by a fault of ours.
    Failed,
}

impl fmt::Debug for WorkResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkResult")
    }
}
