//! The end of a profile (S-STORE-07): first what opens it, then the rest.

use std::fs;
use std::io;

use crate::error::{Result, StoreError};
use crate::key::{self, KeyError, KeyFile};
use crate::profile::ProfileDir;

/// What names of the profile's files begin with, besides the key's. Nothing else in the folder is touched.
const OURS: [&str; 3] = ["store.db", "restore.", "profile."];
/// Folders of ours.
pub(crate) const RECORDS_FOLDER: &str = "records";

impl ProfileDir {
    /// Destroys the key of the profile, in milliseconds: from then on nobody can read the store, not even with the
    /// passphrase. `file` names the entry in the keyring, if there is one.
    ///
    /// On flash memory the medium may keep old blocks; what lies in them is wrapped under the passphrase.
    ///
    /// # Errors
    ///
    /// When a file could not be written over; it is removed all the same where that is possible.
    pub fn destroy_key(&self, file: Option<&KeyFile>) -> Result<(), KeyError> {
        key::destroy(self, file)
    }

    /// Removes the files of a profile whose store is closed, after its key. The lock stays until it is let go.
    ///
    /// # Errors
    ///
    /// The first that could not be removed; the others are.
    pub fn destroy(&self, file: Option<&KeyFile>) -> Result<(), KeyError> {
        let mut done = self.destroy_key(file).map(drop);
        let listed =
            fs::read_dir(self.path()).map_err(StoreError::io("reading the profile folder"))?;
        for entry in listed.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if OURS.iter().any(|ours| name.starts_with(ours))
                && let Err(error) = self.remove_file(name)
            {
                done = done.and(Err(error.into()));
            }
        }
        match fs::remove_dir_all(self.path().join(RECORDS_FOLDER)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let error = StoreError::io("removing the records")(error);
                done.and(Err(error.into()))
            }
            _ => done,
        }
    }
}
