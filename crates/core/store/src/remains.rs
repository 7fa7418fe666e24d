//! Files of older stores beside the profile's own: what [`Store::salvage`] kept of a damaged one, and what it left
//! behind when it was interrupted. They hold what an erasure or expiry takes from the store, so they go too: all of
//! them with an erasure of everything, each some time after it was kept, leftovers at the next start.
//!
//! A file goes in slices, from its end: random bytes over the last part, onto the medium, and that part is cut off.

use std::fs;
use std::time::{Duration, SystemTime};

use sotto_api::Timestamp;

use crate::error::{Result, StoreError};
use crate::profile::ProfileDir;
use crate::records::{RecordKind, Records};
use crate::salvage::{COPY, KEPT, NEW};
use crate::store::Store;

/// What is being removed has this name, whatever it was called.
const LEAVING: &str = "store.db.leaving";
/// Bytes of one slice.
const SLICE: u64 = 4 * 1024 * 1024;
/// Setting: an erasure of everything takes the files of damaged stores along. Absent when not.
const ERASED: &str = "store.remains_erased";
/// For so many days the files of a damaged store are kept, at most.
pub const REMAINS_DAYS: u32 = 30;
const DAY: Duration = Duration::from_secs(86_400);

impl Store {
    /// How many files of damaged stores lie beside this one.
    pub fn remains(&self) -> Result<usize> {
        let Some(folder) = &self.folder else {
            return Ok(0);
        };
        let kept = |name: &String| name.starts_with(KEPT) || name == LEAVING;
        Ok(names(folder)?.iter().filter(|name| kept(name)).count())
    }

    /// How many files of recorded stanzas lie in the profile.
    pub(crate) fn recorded(&self) -> usize {
        self.folder.as_ref().map_or(0, |folder| {
            Records::of(folder).list(RecordKind::Stanzas).len()
        })
    }

    /// An erasure of everything takes them along.
    pub(crate) fn remains_erase(&self) -> Result<()> {
        if self.remains()? > 0 {
            self.setting_set(ERASED, &true)?;
        }
        Ok(())
    }

    /// Removes some of what is to go: some 10 to 50 ms. `now`, if it is sure, and `days` say which have been kept for
    /// long enough; 0: for [`REMAINS_DAYS`]. Whether there is more to do: call it again, with pauses, until there is
    /// not. Outside any transaction.
    pub fn remains_step(&self, now: Option<Timestamp>, days: u32) -> Result<bool> {
        let Some(folder) = &self.folder else {
            return Ok(false);
        };
        let all = self.setting::<bool>(ERASED)?.is_some();
        let days = if days == 0 { REMAINS_DAYS } else { days };
        let before = now.and_then(|now| kept_before(now, days.min(REMAINS_DAYS)));
        let names = names(folder)?;
        if names.iter().any(|name| name == LEAVING) {
            folder.overwrite_end(LEAVING, SLICE)?;
            return Ok(true);
        }
        let due = |name: &&String| {
            if !name.starts_with(KEPT) {
                return true;
            }
            let written = || fs::symlink_metadata(folder.path().join(name))?.modified();
            all || before.is_some_and(|before| written().is_ok_and(|at| at < before))
        };
        if let Some(name) = names.iter().find(due) {
            folder.check_file(name)?;
            folder.rename_file(name, LEAVING)?;
            return Ok(true);
        }
        if all {
            self.setting_remove(ERASED)?;
        }
        Ok(false)
    }
}

/// The time of a file that has been kept for so many days.
fn kept_before(now: Timestamp, days: u32) -> Option<SystemTime> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(now.0).ok()?);
    now.checked_sub(DAY * days)
}

/// The files in a profile that are not of its own store, in the order of their names.
fn names(folder: &ProfileDir) -> Result<Vec<String>> {
    let listed =
        fs::read_dir(folder.path()).map_err(StoreError::io("reading the profile folder"))?;
    let mut names: Vec<String> = listed
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| {
            name == LEAVING
                || [KEPT, COPY, NEW]
                    .iter()
                    .any(|begins| name.starts_with(begins))
        })
        .collect();
    names.sort_unstable();
    Ok(names)
}
