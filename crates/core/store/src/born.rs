//! Whether the store's file is the one that was written last, or a copy that was put in its place (S-STORE-12).
//!
//! A file system notes when a file was made, and a copy is made later than its original. So the store knows its own
//! file by that time. It is all that can be known without something outside the profile: a copy that keeps the time (an
//! image of a disk, a snapshot of a machine), or that was written into the same file, does not show, nor does any where
//! the file system notes no such time.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::error::Result;
use crate::store::Store;

/// Setting: when the store's file was made, in nanoseconds since 1970.
const BORN: &str = "store.born";

impl Store {
    /// Compares the file with the one that was written last. Another one is taken as a copy ([`Store::is_copy`]): what
    /// went out since it was made is not in it, and it may be in use elsewhere as well.
    pub(crate) fn know_file(&self, path: &Path) -> Result<()> {
        let Some(born) = born(path) else {
            return Ok(());
        };
        let known: Option<u64> = self.setting(BORN)?;
        if known == Some(born) {
            return Ok(());
        }
        self.atomically(|| {
            if known.is_some() {
                self.take_as_copy()?;
                self.put_back.set(true);
            }
            self.setting_set(BORN, &born)
        })
    }

    /// Its file is not the one that was written last, as was seen when it was opened.
    pub fn was_put_back(&self) -> bool {
        self.put_back.get()
    }

    /// Its next file is made knowingly.
    pub(crate) fn forget_file(&self) -> Result<()> {
        self.setting_remove(BORN)
    }
}

fn born(path: &Path) -> Option<u64> {
    let made = fs::symlink_metadata(path).ok()?.created().ok()?;
    u64::try_from(made.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()
}
