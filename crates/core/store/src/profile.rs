use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Result, StoreError};

pub(crate) const STORE_FILE: &str = "store.db";
/// What SQLite may put beside it.
pub(crate) const STORE_SIDE_FILES: [&str; 3] = ["store.db-wal", "store.db-shm", "store.db-journal"];
/// The most that is written over in a small file, in bytes.
const OVERWRITE: usize = 64 * 1024;
const LOCK_FILE: &str = "lock";
const SOCKET_FILE: &str = "socket";

/// The folder of a profile, checked: ours alone, mode 0700, not a link (S-STORE-06).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileDir {
    path: PathBuf,
}

impl ProfileDir {
    /// Opens the folder, and makes it with its parents where there is none.
    ///
    /// A folder of ours that others may enter is closed to them; files in it likewise, whatever the umask.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsafe`] when it belongs to somebody else, is a link, or is no folder.
    pub fn open(path: &Path) -> Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => create_folder(path)?,
            Err(error) => return Err(StoreError::io("looking at the profile folder")(error)),
        }
        let found =
            fs::symlink_metadata(path).map_err(StoreError::io("looking at the profile folder"))?;
        if found.file_type().is_symlink() {
            return Err(refuse(path, "it is a link"));
        }
        if !found.is_dir() {
            return Err(refuse(path, "it is not a folder"));
        }
        #[cfg(unix)]
        {
            check_owner(path, &found)?;
            if found.mode() & 0o777 != 0o700 {
                fs::set_permissions(path, Permissions::from_mode(0o700))
                    .map_err(StoreError::io("closing the profile folder to others"))?;
            }
        }
        // Only the last part must not be a link; `/home` often is one.
        let path = path
            .canonicalize()
            .map_err(StoreError::io("finding the profile folder"))?;
        Ok(Self { path })
    }

    /// The folder, without links in it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the owner of the profile listens. Only a name here.
    pub fn socket_path(&self) -> PathBuf {
        self.path.join(SOCKET_FILE)
    }

    /// Becomes the one owner of the profile until the lock is dropped or the process ends, however it ends.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] when another process, or this one, owns it already.
    pub fn lock(&self) -> Result<ProfileLock> {
        let path = self.prepare_file(LOCK_FILE)?;
        let file = open_options()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(StoreError::io("opening the lock file"))?;
        match file.try_lock() {
            Ok(()) => Ok(ProfileLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
            Err(TryLockError::Error(error)) => Err(StoreError::io("locking the profile")(error)),
        }
    }

    /// Makes sure that a file is there, ours alone and mode 0600, before somebody else opens it by name.
    pub(crate) fn prepare_file(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        if !self.check_file(name)? {
            let created = open_options().write(true).create_new(true).open(&path);
            match created {
                Ok(file) => close_to_others(&file)?,
                // Another start was quicker.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    self.check_file(name)?;
                }
                Err(error) => return Err(StoreError::io("making a file of the profile")(error)),
            }
        }
        Ok(path)
    }

    /// Whether a file is there; refused when it is a link or belongs to somebody else, closed to
    /// others when it is open to them.
    pub(crate) fn check_file(&self, name: &str) -> Result<bool> {
        let path = self.path.join(name);
        let found = match fs::symlink_metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(StoreError::io("looking at a file of the profile")(error)),
        };
        if !found.is_file() {
            return Err(refuse(&path, "it is a link or not a plain file"));
        }
        #[cfg(unix)]
        {
            check_owner(&path, &found)?;
            if found.nlink() > 1 {
                return Err(refuse(&path, "it has a second name elsewhere"));
            }
            if found.mode() & 0o777 != 0o600 {
                fs::set_permissions(&path, Permissions::from_mode(0o600))
                    .map_err(StoreError::io("closing a file of the profile to others"))?;
            }
        }
        Ok(true)
    }

    /// The whole of a small file; absent when there is none. At most `limit` bytes are read.
    pub(crate) fn read_file(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        if !self.check_file(name)? {
            return Ok(None);
        }
        let file = open_options()
            .read(true)
            .open(self.path.join(name))
            .map_err(StoreError::io("reading a file of the profile"))?;
        let mut bytes = Vec::new();
        file.take(limit)
            .read_to_end(&mut bytes)
            .map_err(StoreError::io("reading a file of the profile"))?;
        Ok(Some(bytes))
    }

    /// Replaces a file as a whole: after a crash at any moment it is the old one or the new one, and
    /// when this returns the new one is on the medium.
    pub(crate) fn replace_file(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.check_file(name)?;
        let new = format!("{name}.new");
        self.remove_file(&new)?;
        let path = self.path.join(&new);
        let written = (|| {
            let mut file = open_options().write(true).create_new(true).open(&path)?;
            #[cfg(unix)]
            file.set_permissions(Permissions::from_mode(0o600))?;
            crash_point("replace: made");
            file.write_all(bytes)?;
            crash_point("replace: written");
            file.sync_all()?;
            crash_point("replace: synced");
            fs::rename(&path, self.path.join(name))?;
            crash_point("replace: renamed");
            self.sync()
        })();
        if written.is_err() {
            fs::remove_file(&path).ok();
        }
        written.map_err(StoreError::io("writing a file of the profile"))
    }

    /// Removes a file if it is there.
    pub(crate) fn remove_file(&self, name: &str) -> Result<()> {
        match fs::remove_file(self.path.join(name)) {
            Ok(()) => self
                .sync()
                .map_err(StoreError::io("removing a file of the profile")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(StoreError::io("removing a file of the profile")(error)),
        }
    }

    /// Writes random bytes over a file, puts them on the medium, and removes the file if it is there.
    pub(crate) fn overwrite_file(&self, name: &str) -> Result<()> {
        if !self.check_file(name)? {
            return Ok(());
        }
        let written = (|| {
            let mut file = open_options().write(true).open(self.path.join(name))?;
            let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
            let mut noise = vec![0; length.min(OVERWRITE)];
            getrandom::fill(&mut noise).map_err(io::Error::other)?;
            file.write_all(&noise)?;
            file.sync_all()
        })();
        // A medium that takes no writing may still let go of the name.
        let removed = self.remove_file(name);
        written.map_err(StoreError::io("writing over a file of the profile"))?;
        removed
    }

    /// Writes random bytes over the last part of a file, of `most` bytes, puts them on the medium, and cuts that part
    /// off; a file that has no other part is removed.
    pub(crate) fn overwrite_end(&self, name: &str, most: u64) -> Result<()> {
        if !self.check_file(name)? {
            return Ok(());
        }
        let left = (|| {
            let mut file = open_options().write(true).open(self.path.join(name))?;
            let length = file.metadata()?.len();
            let start = length.saturating_sub(most);
            file.seek(SeekFrom::Start(start))?;
            let mut noise = vec![0; OVERWRITE];
            let mut left = length - start;
            while left > 0 {
                let part = usize::try_from(left).map_or(OVERWRITE, |left| left.min(OVERWRITE));
                let noise = noise.get_mut(..part).unwrap_or_default();
                getrandom::fill(noise).map_err(io::Error::other)?;
                file.write_all(noise)?;
                left -= part as u64;
            }
            file.sync_all()?;
            file.set_len(start)?;
            Ok(start)
        })();
        match left.map_err(StoreError::io("writing over a file of the profile"))? {
            0 => self.remove_file(name),
            _ => Ok(()),
        }
    }

    /// Copies a file onto the medium, under a name that nothing has. Whether there was one to copy.
    pub(crate) fn copy_file(&self, name: &str, to: &str) -> Result<bool> {
        if !self.check_file(name)? {
            return Ok(false);
        }
        let copied = (|| {
            let mut from = open_options().read(true).open(self.path.join(name))?;
            let mut options = open_options();
            let mut file = options
                .write(true)
                .create_new(true)
                .open(self.path.join(to))?;
            io::copy(&mut from, &mut file)?;
            file.sync_all()?;
            self.sync()
        })();
        copied.map_err(StoreError::io("copying a file of the profile"))?;
        Ok(true)
    }

    /// Puts a file in the place of another, which is replaced.
    pub(crate) fn rename_file(&self, name: &str, to: &str) -> Result<()> {
        fs::rename(self.path.join(name), self.path.join(to))
            .and_then(|()| self.sync())
            .map_err(StoreError::io("renaming a file of the profile"))
    }

    /// Whether the medium lets the folder be written.
    pub(crate) fn is_writable(&self) -> bool {
        #[cfg(unix)]
        return rustix::fs::access(&self.path, rustix::fs::Access::WRITE_OK).is_ok();
        #[cfg(not(unix))]
        return true;
    }

    /// Puts the names in the folder on the medium.
    fn sync(&self) -> io::Result<()> {
        #[cfg(test)]
        tests::sync_point()?;
        if cfg!(unix) {
            File::open(&self.path)?.sync_all()?;
        }
        Ok(())
    }
}

/// Says that this process owns the profile. Dropped, it gives it up.
#[derive(Debug)]
pub struct ProfileLock {
    _file: File,
}

fn refuse(path: &Path, reason: &'static str) -> StoreError {
    StoreError::Unsafe {
        path: path.to_owned(),
        reason,
    }
}

fn create_folder(path: &Path) -> Result<()> {
    let action = "making the profile folder";
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(StoreError::io(action))?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    builder.mode(0o700);
    match builder.create(path) {
        // Two first starts at once: one of them made it.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(StoreError::io(action)),
    }
}

#[cfg(unix)]
fn check_owner(path: &Path, found: &fs::Metadata) -> Result<()> {
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(refuse(path, "it belongs to somebody else"));
    }
    Ok(())
}

/// Opens no link, gives nothing to others, and does not pass to child processes.
fn open_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    options
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    options
}

fn close_to_others(file: &File) -> Result<()> {
    #[cfg(unix)]
    file.set_permissions(Permissions::from_mode(0o600))
        .map_err(StoreError::io("closing a file of the profile to others"))?;
    Ok(())
}

/// Where the tests of S-STORE-03 pull the plug.
#[cfg(not(test))]
pub(crate) fn crash_point(_name: &'static str) {}

#[cfg(test)]
pub(crate) fn crash_point(name: &'static str) {
    tests::crash_point(name);
}

#[cfg(test)]
pub(crate) mod tests;
