//! A store whose file stands still for a while, so that another thread can copy it while writing goes on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Result, StoreError};
use crate::store::Store;

/// The file of a store as it stood when it was frozen: whole, sealed, and unchanged for as long as
/// [`Snapshot::holds`]. What is written meanwhile goes into the log beside it.
///
/// Reading the file ends the file locks that SQLite has on it in this process (POSIX); the profile's own lock, which
/// keeps others out, is on another file.
#[derive(Clone, Debug)]
pub struct Snapshot {
    file: PathBuf,
    holds: Arc<AtomicBool>,
}

impl Snapshot {
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Whether all that was read so far is of one moment. Once it is not, it will not be again.
    pub fn holds(&self) -> bool {
        self.holds.load(Ordering::SeqCst)
    }
}

/// Ends a snapshot when the store goes, before its file is written to.
#[derive(Debug, Default)]
pub(crate) struct Frozen(Option<Arc<AtomicBool>>);

impl Frozen {
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn end(&mut self) {
        if let Some(holds) = self.0.take() {
            holds.store(false, Ordering::SeqCst);
        }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.end();
    }
}

impl Store {
    /// Makes the file whole and leaves it alone until [`Store::thaw`], or until the store is closed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] when it is frozen already; [`StoreError::Transaction`] inside one.
    pub fn freeze(&self) -> Result<Snapshot> {
        if self.frozen.borrow().is_on() {
            return Err(StoreError::Exists { what: "snapshot" });
        }
        let file = self
            .connection
            .path()
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            .ok_or(StoreError::NotFound { what: "file" })?;
        self.checkpoint()?;
        self.checkpoint_after(0)?;
        let holds = Arc::new(AtomicBool::new(true));
        self.frozen.replace(Frozen(Some(holds.clone())));
        Ok(Snapshot { file, holds })
    }

    /// Writes into the file again, and empties the log into it. A copy that is not whole yet is given up
    /// ([`Snapshot::holds`]). Does nothing when it was not frozen.
    ///
    /// # Errors
    ///
    /// [`StoreError::Transaction`] inside one.
    pub fn thaw(&self) -> Result<()> {
        if !self.frozen.borrow().is_on() {
            return Ok(());
        }
        self.frozen.borrow_mut().end();
        self.checkpoint_after(CHECKPOINT_PAGES)?;
        self.checkpoint()
    }

    fn checkpoint_after(&self, pages: u32) -> Result<()> {
        self.connection
            .query_row(&format!("PRAGMA wal_autocheckpoint = {pages}"), [], |_| {
                Ok(())
            })?;
        Ok(())
    }
}

/// How many pages SQLite lets gather in the log before it moves them into the file: its own default.
const CHECKPOINT_PAGES: u32 = 1000;
