//! Records for experts: append-only files in the profile's `records` folder, sealed or knowingly plain, bounded in number
//! and size.
//!
//! A sealed file is a line that says what it is, a random prefix, and chunks ([`crate::chunks`]), each behind its length. It
//! can be read up to the last whole chunk after a crash. No file is ever written on by another run: a chunk's number is
//! never used twice.

mod files;
mod shared;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use zeroize::Zeroizing;

use crate::chunks::{Chunks, PREFIX, TAG};
use crate::key::DatabaseKey;

pub use files::{RecordFile, Records};
pub use shared::SharedRecord;

/// The first line of a sealed record.
const HEAD: &[u8] = b"sotto sealed record 1\n";
/// Before each sealed chunk, its length: 32 bits, little end first.
const LENGTH: usize = 4;
/// The longest piece that is appended at once, in bytes.
const LONGEST: usize = 4 * 1024 * 1024;

/// What is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// Stanzas, as capture files.
    Stanzas,
    /// The program's own log, as text.
    Log,
}

impl RecordKind {
    fn name(self) -> &'static str {
        match self {
            Self::Stanzas => "stanzas",
            Self::Log => "log",
        }
    }

    /// How a plain file's name ends.
    fn plain(self) -> &'static str {
        match self {
            Self::Stanzas => "pcapng",
            Self::Log => "txt",
        }
    }
}

/// How a sealed file's name ends.
const SEALED: &str = "sealed";

/// Seals records of one kind; not the profile's key, and nothing else opens with it.
#[derive(Clone)]
pub struct RecordKey {
    key: Zeroizing<[u8; 32]>,
}

impl DatabaseKey {
    /// The key of records of this kind.
    pub fn record_key(&self, kind: RecordKind) -> RecordKey {
        RecordKey {
            key: self.derive("sotto: records", kind.name().as_bytes()),
        }
    }
}

impl RecordKey {
    fn chunks(&self, prefix: [u8; PREFIX]) -> Chunks {
        Chunks::new(&self.key, prefix, HEAD.to_vec())
    }
}

/// Appends to the records of one kind, and begins a new file where one is full.
pub struct RecordWriter {
    records: Records,
    kind: RecordKind,
    /// Absent: plain.
    key: Option<RecordKey>,
    /// What every file begins with.
    opening: Vec<u8>,
    most_files: usize,
    most_bytes: u64,
    /// Opened with the first piece.
    file: Option<Open>,
}

struct Open {
    file: File,
    chunks: Option<Chunks>,
    length: u64,
}

impl RecordWriter {
    /// Nothing is written before the first [`RecordWriter::append`]. At most `most_files` files of this kind stay, the
    /// newest ones, each of at most `most_bytes` but for a single larger piece.
    pub fn new(
        records: Records,
        kind: RecordKind,
        key: Option<RecordKey>,
        opening: Vec<u8>,
        (most_files, most_bytes): (u8, u64),
    ) -> Self {
        Self {
            records,
            kind,
            key,
            opening,
            most_files: usize::from(most_files.max(1)),
            most_bytes,
            file: None,
        }
    }

    /// Appends a piece. Whether it began a new file.
    ///
    /// # Errors
    ///
    /// What the system says; the file then ends before the piece.
    pub fn append(&mut self, piece: &[u8]) -> io::Result<bool> {
        if piece.len() > LONGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let seal = if self.key.is_some() { LENGTH + TAG } else { 0 };
        let length = (piece.len() + seal) as u64;
        let full = self
            .file
            .as_ref()
            .is_some_and(|open| open.length + length > self.most_bytes);
        let begins = self.file.is_none() || full;
        if begins {
            self.file = None;
            let opening = self.opening.clone();
            self.file = Some(self.begin()?);
            self.put(&opening)?;
        }
        self.put(piece)?;
        Ok(begins)
    }

    /// Ends the file; the next piece begins another.
    pub fn close(&mut self) {
        self.file = None;
    }

    fn begin(&mut self) -> io::Result<Open> {
        let folder = self.records.folder();
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        builder.mode(0o700);
        match builder.create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let mut files = self.records.list(self.kind);
        while files.len() >= self.most_files {
            match fs::remove_file(files.remove(0).path) {
                // Removed by the person at the same time.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let number = files.last().map_or(1, |last| last.number.saturating_add(1));
        let ending = if self.key.is_some() {
            SEALED
        } else {
            self.kind.plain()
        };
        let path = folder.join(format!("{}-{number}.{ending}", self.kind.name()));
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        options
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
        let mut file = options.append(true).create_new(true).open(&path)?;
        let mut length = 0;
        let mut chunks = None;
        if let Some(key) = &self.key {
            let mut prefix = [0; PREFIX];
            getrandom::fill(&mut prefix).map_err(io::Error::other)?;
            chunks = Some(key.chunks(prefix));
            file.write_all(&[HEAD, &prefix].concat())?;
            length = (HEAD.len() + PREFIX) as u64;
        }
        Ok(Open {
            file,
            chunks,
            length,
        })
    }

    fn put(&mut self, piece: &[u8]) -> io::Result<()> {
        let Some(open) = self.file.as_mut().filter(|_| !piece.is_empty()) else {
            return Ok(());
        };
        let written = match &mut open.chunks {
            None => open.file.write_all(piece).map(|()| piece.len()),
            Some(chunks) => chunks.seal(piece, false).and_then(|sealed| {
                let length = u32::try_from(sealed.len())
                    .map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
                let framed = [&length.to_le_bytes(), sealed.as_slice()].concat();
                open.file.write_all(&framed).map(|()| framed.len())
            }),
        };
        match written {
            Ok(length) => {
                open.length += length as u64;
                Ok(())
            }
            Err(error) => {
                // A part of a piece would keep the file from being read to its end.
                open.file.set_len(open.length).ok();
                self.file = None;
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests;
