use std::fs;
use std::io::{self, Seek, SeekFrom, Write};
#[cfg(unix)]
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::folder::{SourceFile, Stamp, options};

/// How much is written at once, in bytes.
const CHUNK: usize = 64 * 1024;
/// Describes the fields of Jitsi's history; left behind it would keep the folder, and the name of it.
const DESCRIPTION: &str = "dbstruct.dat";

/// Why a file was left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is not the file that was read any more: it was changed, replaced, or is gone.
    Changed,
    /// It has a second name elsewhere: overwriting it would reach out of the folder.
    SecondName,
    /// It lies outside of the folder, or a folder on the way became a link.
    Outside,
    /// The system refused.
    Refused,
}

/// Overwrites and removes files that were taken over: exactly those that it is given, if they are still what was
/// read. Folders that became empty go as well; their names say with whom somebody spoke.
///
/// On a medium that moves what is written (SSDs, copy-on-write file systems, journals, backups), the old text may
/// remain readable with special tools. Nothing here can change that.
#[derive(Debug)]
pub struct Shredder {
    root: PathBuf,
    files: Vec<SourceFile>,
    removed: u64,
    kept: Vec<(PathBuf, Kept)>,
}

impl Shredder {
    /// For files below `root`, which is [`crate::Found::folder`].
    pub fn new(root: PathBuf, mut files: Vec<SourceFile>) -> Self {
        files.reverse();
        Self {
            root,
            files,
            removed: 0,
            kept: Vec::new(),
        }
    }

    /// Shreds some files: at most so many, and no further one after so many bytes. Whether there are more.
    pub fn step(&mut self, most_files: usize, most_bytes: u64) -> bool {
        let mut bytes = 0;
        for _ in 0..most_files {
            if bytes >= most_bytes {
                break;
            }
            let Some(file) = self.files.pop() else {
                return false;
            };
            bytes += file.bytes();
            match self.shred(&file) {
                Ok(()) => self.removed += 1,
                Err(why) => self.kept.push((file.path, why)),
            }
        }
        !self.files.is_empty()
    }

    /// How many files are gone.
    pub fn removed(&self) -> u64 {
        self.removed
    }

    /// Which were left, and why.
    pub fn kept(&self) -> &[(PathBuf, Kept)] {
        &self.kept
    }

    fn shred(&self, file: &SourceFile) -> Result<(), Kept> {
        let parent = file.path.parent().ok_or(Kept::Outside)?;
        let real = parent.canonicalize().map_err(|error| of(&error))?;
        if real != parent || !parent.starts_with(&self.root) {
            return Err(Kept::Outside);
        }
        overwrite(file)?;
        fs::remove_file(&file.path).map_err(|error| of(&error))?;
        self.tidy(parent);
        Ok(())
    }

    /// Makes the removal last, and removes folders in which nothing is left.
    fn tidy(&self, parent: &Path) {
        let mut folder = parent;
        // What remains is a folder without anything in it: no reason to call the file not removed.
        let _ = sync_folder(folder);
        while folder != self.root && folder.starts_with(&self.root) {
            remove_description(folder);
            if fs::remove_dir(folder).is_err() {
                break;
            }
            let Some(above) = folder.parent() else {
                break;
            };
            folder = above;
        }
    }
}

fn of(error: &io::Error) -> Kept {
    match error.kind() {
        io::ErrorKind::NotFound => Kept::Changed,
        _ => Kept::Refused,
    }
}

fn overwrite(source: &SourceFile) -> Result<(), Kept> {
    let mut file = options()
        .write(true)
        .open(&source.path)
        .map_err(|error| of(&error))?;
    let found = file.metadata().map_err(|error| of(&error))?;
    if Stamp::of(&found).ok().as_ref() != Some(&source.stamp) {
        return Err(Kept::Changed);
    }
    #[cfg(unix)]
    if found.nlink() > 1 {
        return Err(Kept::SecondName);
    }
    let mut write = || -> io::Result<()> {
        file.seek(SeekFrom::Start(0))?;
        let zeros = [0_u8; CHUNK];
        let mut left = found.len();
        while left > 0 {
            let length = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            file.write_all(zeros.get(..length).unwrap_or(&zeros))?;
            left -= length as u64;
        }
        // On the medium before the name goes: else the system need not write it at all.
        file.sync_all()?;
        file.set_len(0)?;
        file.sync_all()
    };
    write().map_err(|error| of(&error))
}

/// Removes the description of fields where nothing else is left.
fn remove_description(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let names: Vec<_> = entries.take(2).flatten().collect();
    if let [only] = names.as_slice()
        && only.file_name() == DESCRIPTION
        && only.file_type().is_ok_and(|kind| kind.is_file())
    {
        let _ = fs::remove_file(only.path());
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
