//! The files that lie in the folder: listed, removed, written out.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use super::{HEAD, LENGTH, LONGEST, RecordKey, RecordKind, SEALED};
use crate::chunks::{PREFIX, TAG, fill};
use crate::destroy::RECORDS_FOLDER;
use crate::outside::{self, Unwritten};
use crate::profile::ProfileDir;

/// The records of a profile.
#[derive(Clone, Debug)]
pub struct Records {
    folder: PathBuf,
}

/// One file of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordFile {
    pub(crate) path: PathBuf,
    /// Later ones have larger numbers.
    pub number: u32,
    /// Whether it is sealed.
    pub sealed: bool,
    /// Its size in bytes.
    pub bytes: u64,
}

impl Records {
    /// The folder is made when something is written.
    pub fn of(profile: &ProfileDir) -> Self {
        Self {
            folder: profile.path().join(RECORDS_FOLDER),
        }
    }

    /// Where they lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The files of a kind, the oldest first. None where the folder does not read.
    pub fn list(&self, kind: RecordKind) -> Vec<RecordFile> {
        let Ok(listed) = fs::read_dir(&self.folder) else {
            return Vec::new();
        };
        let mut files: Vec<RecordFile> = listed
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name();
                let (number, sealed) = parse(name.to_str()?, kind)?;
                let found = entry.metadata().ok()?;
                found.is_file().then(|| RecordFile {
                    path: entry.path(),
                    number,
                    sealed,
                    bytes: found.len(),
                })
            })
            .collect();
        files.sort_by_key(|file| file.number);
        files
    }

    /// Removes files that [`Records::list`] gave. What was plain is written over first, which a flash medium may still
    /// keep in old blocks. Slow for large ones.
    ///
    /// # Errors
    ///
    /// The first that could not be removed; the others are.
    pub fn remove(files: Vec<RecordFile>) -> io::Result<()> {
        let mut done = Ok(());
        for file in files {
            if !file.sealed {
                overwrite(&file.path).ok();
            }
            match fs::remove_file(&file.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    done = done.and(Err(error))
                }
                _ => {}
            }
        }
        done
    }

    /// Writes all that is recorded, the oldest first, into one new file outside the profile. Slow for large ones.
    ///
    /// # Errors
    ///
    /// `InvalidData` when a sealed file was changed; `AlreadyExists` when something has the name; whatever the system says.
    pub fn export(files: &[RecordFile], key: &RecordKey, to: &Path) -> io::Result<()> {
        let written = outside::write_new(to, |out| {
            for file in files {
                let from = File::open(&file.path)?;
                let mut from = BufReader::new(from);
                if file.sealed {
                    open(&mut from, key, out)?;
                } else {
                    io::copy(&mut from, out)?;
                }
            }
            Ok(())
        });
        match written {
            // It is there, and what it was made of stays.
            Ok(()) | Err(Unwritten::MayVanish(_)) => Ok(()),
            Err(Unwritten::Not(error)) => Err(error),
        }
    }
}

/// The number of a file, and whether it is sealed.
fn parse(name: &str, kind: RecordKind) -> Option<(u32, bool)> {
    let rest = name.strip_prefix(kind.name())?.strip_prefix('-')?;
    let (number, ending) = rest.split_once('.')?;
    let sealed = ending == SEALED;
    (sealed || ending == kind.plain()).then_some(())?;
    Some((number.parse().ok()?, sealed))
}

/// Opens a sealed file up to its last whole chunk.
fn open(from: &mut impl Read, key: &RecordKey, to: &mut impl Write) -> io::Result<()> {
    let mut head = vec![0; HEAD.len()];
    let mut prefix = [0; PREFIX];
    if fill(from, &mut head)? < HEAD.len() || fill(from, &mut prefix)? < PREFIX {
        // Cut off before anything was written.
        return Ok(());
    }
    if head != HEAD {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut chunks = key.chunks(prefix);
    let mut sealed = Vec::new();
    loop {
        let mut length = [0; LENGTH];
        if fill(from, &mut length)? < LENGTH {
            return Ok(());
        }
        let length = u32::from_le_bytes(length) as usize;
        if length > LONGEST + TAG {
            return Err(io::ErrorKind::InvalidData.into());
        }
        sealed.resize(length, 0);
        if fill(from, &mut sealed)? < length {
            return Ok(());
        }
        to.write_all(&chunks.open(&sealed, false)?)?;
    }
}

fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len();
    io::copy(&mut io::repeat(0).take(length), &mut file)?;
    file.sync_all()
}
