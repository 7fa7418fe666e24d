//! Saving what still reads of a damaged store (R-DATA-04).
//!
//! SQLite gives up at the first page that does not read, and SQLCipher then refuses all others. So the
//! pages are taken out one by one, the good ones only (each proves itself by its authentication code),
//! and the rows are read off them here. They go into a new file; the old one is kept beside it.

mod fill;
mod pages;

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rusqlite::serialize::Data;
use rusqlite::{Connection, MAIN_DB, OpenFlags, OptionalExtension};
use zeroize::Zeroize;

use self::pages::{PAGE, Pages, RESERVED};
use crate::error::{Result, StoreError};
use crate::key::DatabaseKey;
use crate::profile::{ProfileDir, STORE_FILE, STORE_SIDE_FILES};
use crate::store::Store;

/// A copy to work on, and the new store before it takes its place.
pub(crate) const COPY: &str = "store.db.copy";
pub(crate) const NEW: &str = "store.db.new";
/// What names of the old file and its log begin with, once they are replaced.
pub(crate) const KEPT: &str = "store.db.damaged-";
const LOG: &str = "store.db-wal";

/// What [`Store::salvage`] saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SalvageReport {
    /// Messages that are in the new store.
    pub messages: u64,
    /// Rows of all tables that are in the new store, without the index.
    pub rows: u64,
    /// Pages of the old file that did not read. Many pages hold nothing that is missed.
    pub lost_pages: u32,
    /// Pages of the old file.
    pub pages: u32,
    /// Where the old file lies now; nothing of it was deleted. It goes in time ([`Store::remains_step`]).
    pub kept: PathBuf,
}

impl Store {
    /// Saves what still reads of a damaged store into a new one, which takes its place. The old file is
    /// kept beside it as `store.db.damaged-1`, `-2` and so on. To be called while the store is closed and
    /// the profile is locked by this process. Takes some seconds and as much memory as the file is long.
    ///
    /// After a crash at any moment the old store is in its place, or the new one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] when no page reads, as with a wrong key; the old store stays then.
    pub fn salvage(profile: &ProfileDir, key: &DatabaseKey) -> Result<SalvageReport> {
        remove_with_side_files(profile, COPY)?;
        remove_with_side_files(profile, NEW)?;
        let saved = salvage_into_new(profile, key);
        remove_with_side_files(profile, COPY)?;
        let saved = saved.inspect_err(|_| {
            remove_with_side_files(profile, NEW).ok();
        })?;
        let kept = keep_old(profile)?;
        // A log of the old file must not be taken for one of the new.
        for beside in STORE_SIDE_FILES {
            profile.remove_file(beside)?;
        }
        profile.rename_file(NEW, STORE_FILE)?;
        Ok(SalvageReport { kept, ..saved })
    }
}

fn salvage_into_new(profile: &ProfileDir, key: &DatabaseKey) -> Result<SalvageReport> {
    if !profile.copy_file(STORE_FILE, COPY)? {
        return Err(StoreError::NotFound { what: "store" });
    }
    profile.copy_file(LOG, &format!("{COPY}-wal"))?;
    let path = profile.path().join(COPY);
    let first = first_page(&path, key)?;
    // The log, where there is one, is in the copy now or cannot be had.
    for beside in ["-wal", "-shm", "-journal"] {
        profile.remove_file(&format!("{COPY}{beside}"))?;
    }
    let salt = lay_bare(&path)?;
    let new = profile.prepare_file(NEW)?;
    let store = Store::open_file(&new, Some(key))?;

    let mut connection = open(&path)?;
    key.apply(&connection)?;
    // SQLCipher's recovery: the first page is in the clear, and one that does not read is zeros.
    pragma(
        &connection,
        &format!("cipher_plaintext_header_size = {}", PAGE - RESERVED),
    )?;
    pragma(&connection, &format!("cipher_salt = \"x'{salt}'\""))?;
    let Data::Owned(mut image) = connection.serialize(MAIN_DB)? else {
        return Err(damaged("its pages cannot be had"));
    };
    // Its own first page says where each table begins; without it, they begin where they do in a new one.
    let lost_first = first.is_none();
    let first = first.unwrap_or_else(|| vec![0; PAGE]);
    for (byte, own) in image.iter_mut().zip(first) {
        *byte = own;
    }
    let pages = Pages(&image);
    let lost_pages = (2..=pages.count())
        .filter(|number| pages.is_lost(*number))
        .count();
    let report = SalvageReport {
        messages: 0,
        rows: 0,
        lost_pages: u32::try_from(lost_pages).unwrap_or(u32::MAX) + u32::from(lost_first),
        pages: pages.count(),
        kept: PathBuf::new(),
    };
    let filled = if report.lost_pages >= report.pages.max(2) {
        Err(damaged("no page of it reads"))
    } else {
        fill::fill(&store, &pages)
    };
    image.zeroize();
    let (messages, rows) = filled?;
    store.check()?;
    store.close()?;
    Ok(SalvageReport {
        messages,
        rows,
        ..report
    })
}

/// Brings the log into the file and gives the first page, in the clear; absent when it does not read.
fn first_page(path: &Path, key: &DatabaseKey) -> Result<Option<Vec<u8>>> {
    let mut connection = open(path)?;
    key.apply(&connection)?;
    // Another page of the schema may be damaged: that is no reason to give up this one.
    pragma(&connection, "writable_schema = ON")?;
    if pragma(&connection, "wal_checkpoint(TRUNCATE)").is_err() {
        return Ok(None);
    }
    let Ok(Data::Owned(mut image)) = connection.serialize(MAIN_DB) else {
        return Ok(None);
    };
    let first = image
        .get(..PAGE)
        .filter(|page| page.starts_with(b"SQLite format 3\0"))
        .map(<[u8]>::to_vec);
    image.zeroize();
    Ok(first)
}

/// Puts an empty first page into the file, in the clear, so that nothing damaged is read to open it.
/// Gives the file's salt.
fn lay_bare(path: &Path) -> Result<String> {
    let written = (|| -> io::Result<String> {
        let mut file: File = OpenOptions::new().read(true).write(true).open(path)?;
        let mut salt = [0; 16];
        file.read_exact(&mut salt)?;
        // A cut file ends with a whole page.
        let pages = u32::try_from(file.metadata()?.len() / PAGE as u64).unwrap_or(u32::MAX);
        file.set_len(u64::from(pages) * PAGE as u64)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&empty_page(pages))?;
        Ok(salt.iter().map(|byte| format!("{byte:02x}")).collect())
    })();
    written.map_err(StoreError::io("reading the damaged store"))
}

/// The first page of a database of so many pages without any table (SQLite's file format §1.3, §1.6).
fn empty_page(pages: u32) -> Vec<u8> {
    let usable = u16::try_from(PAGE - RESERVED).unwrap_or(u16::MAX);
    let mut page = b"SQLite format 3\0".to_vec();
    // Page size, no log, reserved bytes, payload fractions.
    page.extend_from_slice(&u16::try_from(PAGE).unwrap_or(1).to_be_bytes());
    page.extend_from_slice(&[1, 1, u8::try_from(RESERVED).unwrap_or(0), 64, 32, 32]);
    // Change counter, pages; no free ones.
    page.extend_from_slice(&1_u32.to_be_bytes());
    page.extend_from_slice(&pages.to_be_bytes());
    page.resize(40, 0);
    // Schema cookie and format, UTF-8.
    page.extend_from_slice(&1_u32.to_be_bytes());
    page.extend_from_slice(&4_u32.to_be_bytes());
    page.resize(56, 0);
    page.extend_from_slice(&1_u32.to_be_bytes());
    page.resize(92, 0);
    page.extend_from_slice(&1_u32.to_be_bytes());
    page.resize(100, 0);
    page.extend_from_slice(&[0x0d, 0, 0, 0, 0]);
    page.extend_from_slice(&usable.to_be_bytes());
    page.resize(PAGE, 0);
    page
}

fn keep_old(profile: &ProfileDir) -> Result<PathBuf> {
    let taken = |name: &str| profile.path().join(name).symlink_metadata().is_ok();
    let name = (1_u32..)
        .map(|n| format!("{KEPT}{n}"))
        .find(|name| !taken(name) && !taken(&format!("{name}-wal")))
        .ok_or_else(|| damaged("there is no name left for it"))?;
    profile.copy_file(LOG, &format!("{name}-wal"))?;
    profile.copy_file(STORE_FILE, &name)?;
    Ok(profile.path().join(name))
}

fn remove_with_side_files(profile: &ProfileDir, name: &str) -> Result<()> {
    for beside in ["", "-wal", "-shm", "-journal"] {
        profile.remove_file(&format!("{name}{beside}"))?;
    }
    Ok(())
}

fn open(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    crate::wipe::install();
    let connection = Connection::open_with_flags(path, flags)?;
    pragma(&connection, "cipher_log_level = NONE")?;
    pragma(&connection, "locking_mode = EXCLUSIVE")?;
    Ok(connection)
}

fn pragma(connection: &Connection, text: &str) -> Result<()> {
    connection
        .query_row(&format!("PRAGMA {text}"), [], |_| Ok(()))
        .optional()?;
    Ok(())
}

fn damaged(detail: &str) -> StoreError {
    StoreError::Damaged {
        detail: detail.to_owned(),
    }
}
