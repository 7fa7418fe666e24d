//! Profiles' folders for tests.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder for one profile, mode 0700, removed when dropped.
#[derive(Debug)]
pub struct TempProfile {
    folder: TempDir,
}

impl TempProfile {
    /// A fresh, empty place; the profile itself does not exist yet.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new() -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("sotto-profile-")
            .tempdir()?;
        Ok(Self { folder })
    }

    /// The profile's folder. It does not exist until a program creates the profile.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("profile")
    }

    /// The folder around it, for other files of the test.
    pub fn around(&self) -> &Path {
        self.folder.path()
    }
}
