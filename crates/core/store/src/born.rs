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
        if known.is_some_and(|known| is_same(known, born)) {
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

/// Sticks are often FAT, which notes local time: in another zone, or with another clock, the same moment shows shifted by
/// whole quarters of an hour. A copy is not made so to the point.
fn is_same(known: u64, born: u64) -> bool {
    const QUARTER: u64 = 15 * 60 * 1_000_000_000;
    /// From the westernmost zone to the easternmost.
    const MOST: u64 = 26 * 4 * QUARTER;
    let apart = known.abs_diff(born);
    apart <= MOST && apart.is_multiple_of(QUARTER)
}

fn born(path: &Path) -> Option<u64> {
    let made = fs::symlink_metadata(path).ok()?.created().ok()?;
    u64::try_from(made.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_store_12_a_stick_in_another_zone_is_the_same_and_a_copy_is_not() {
        let made = 1_795_000_000_010_000_000;
        let minute = 60 * 1_000_000_000;
        for minutes in [0, 15, 60, 345, 26 * 60] {
            assert!(is_same(made, made + minutes * minute), "{minutes}");
            assert!(is_same(made + minutes * minute, made), "{minutes}");
        }
        for apart in [
            1,
            10_000_000,
            minute,
            14 * minute,
            26 * 60 * minute + 15 * minute,
        ] {
            assert!(!is_same(made, made + apart), "{apart}");
        }
    }
}
