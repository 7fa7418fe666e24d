use std::io;

use sotto_api::view::ProtectionKind;
use sotto_api::{ApiError, ErrorKind, Field};
use sotto_store::{BackupError, SalvageReport, StoreError};

use super::time::count;
use crate::text::isolate;

/// What a profile without a passphrase means; empty where there is one.
pub fn profile_warning(protection: ProtectionKind) -> &'static str {
    match protection {
        ProtectionKind::Passphrase => "",
        ProtectionKind::Keyring => {
            "This profile has no passphrase. Its key lies in the keyring of this computer, so whoever can use \
             your session can read everything in it. Set a passphrase to seal it."
        }
        ProtectionKind::KeyFile => {
            "This profile has no passphrase. Its key lies in a file beside it, so whoever can read your files \
             can read everything in it. Set a passphrase to seal it."
        }
    }
}

/// Locking makes no sense where nobody is asked for anything.
pub fn lock_needs_passphrase() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "The profile has no passphrase, so locking it would keep nobody out. Set a passphrase first.",
    )
}

/// A profile could not be put into a file, or made of one.
pub fn backup(error: &BackupError) -> ApiError {
    let (kind, text) = match error {
        BackupError::WrongPassphrase => {
            return ApiError::new(
                ErrorKind::WrongPassphrase,
                "This passphrase does not open the backup. It is the one that was chosen when the backup was made.",
            )
            .at(Field::Passphrase);
        }
        BackupError::NotABackup => (
            ErrorKind::Invalid,
            "This file is not a backup of a Sotto profile.",
        ),
        BackupError::Damaged => (
            ErrorKind::Invalid,
            "This backup is damaged or not whole. Nothing was restored; try another copy of it.",
        ),
        BackupError::Newer { .. } => (
            ErrorKind::Invalid,
            "This backup was made by a newer Sotto. Restore it with that one.",
        ),
        BackupError::Exists => (
            ErrorKind::Exists,
            "There is something with this name already. Nothing was written; choose another name.",
        ),
        BackupError::Closed => (
            ErrorKind::Refused,
            "The profile was closed, or something in it was erased, before the backup was whole, so no file was left. Make it again.",
        ),
        BackupError::MayVanish { .. } => (
            ErrorKind::Store,
            "The backup is written and whole, but the disk did not confirm that it keeps it: a power cut may take it. Look after the disk, and make another backup elsewhere.",
        ),
        BackupError::File { source, .. } => (ErrorKind::Store, file(source)),
        BackupError::Key(error) => return super::key(error),
        _ => return super::internal(),
    };
    ApiError::new(kind, text)
}

/// A file outside the profile could not be read or written.
pub(super) fn file(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "There is no such file or folder.",
        io::ErrorKind::PermissionDenied => "You may not read or write there. Choose another place.",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "There is not enough room. Nothing was left there; make some room or choose another place."
        }
        io::ErrorKind::ReadOnlyFilesystem => "Nothing can be written there: the disk is read-only.",
        _ => "The file could not be read or written. Check the disk.",
    }
}

/// One backup at a time.
pub fn backup_under_way() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "A backup is being written already. Wait until it is done.",
    )
}

/// A file must be named so that everybody knows which.
pub fn full_path() -> ApiError {
    ApiError::new(
        ErrorKind::Invalid,
        "Say where with a full path, from the root of the disk on.",
    )
}

/// The word beside the meter; `steps` is 1–5.
pub fn strength(steps: u8) -> &'static str {
    match steps {
        0 => "",
        1 => "Too easy",
        2 => "Weak",
        3 => "Fair",
        4 => "Good",
        _ => "Strong",
    }
}

/// What a strength means, as the time that guessing takes.
pub fn strength_meaning(seconds: f64) -> String {
    const DAY: f64 = 86_400.0;
    const YEAR: f64 = 365.25 * DAY;
    let time = if seconds < 1.0 {
        "less than a second".into()
    } else if seconds < 100.0 {
        count(seconds as i64, "second")
    } else if seconds < 5_400.0 {
        count((seconds / 60.0) as i64, "minute")
    } else if seconds < 2.0 * DAY {
        count((seconds / 3_600.0) as i64, "hour")
    } else if seconds < YEAR {
        count((seconds / DAY) as i64, "day")
    } else if seconds < 1_000.0 * YEAR {
        count((seconds / YEAR) as i64, "year")
    } else {
        return "At ten thousand guesses a second, finding it takes more than a thousand years."
            .into();
    };
    format!("At ten thousand guesses a second, finding it takes {time}.")
}

/// The store does not open, and the key is right.
pub fn damaged_store() -> ApiError {
    ApiError::new(
        ErrorKind::Store,
        "The store of this profile is damaged, so it was not opened. Nothing was deleted or changed. Most of it \
         can usually be saved: copy the profile's folder to another disk, then run sotto-cli profile salvage. \
         It puts all that still reads into a new store and keeps the old one beside it.",
    )
}

/// What was saved of a damaged store.
pub fn salvaged(report: &SalvageReport) -> String {
    let kept = report.kept.display().to_string();
    let kept = isolate(&kept);
    let messages = count(
        i64::try_from(report.messages).unwrap_or(i64::MAX),
        "message",
    );
    if report.lost_pages == 0 {
        return format!(
            "The store read without a gap: {messages}. The old file is kept as {kept}."
        );
    }
    let lost = count(i64::from(report.lost_pages), "page");
    format!(
        "The store was damaged ({lost} of {}). What still read was saved: {messages}. The old file is kept as {kept}.",
        report.pages
    )
}

/// The store's file is not the one that was written last (S-STORE-12).
pub fn put_back() -> &'static str {
    "The file of this profile is not the one that Sotto wrote last: it was copied here, or an older one was put back. If you did that, all is well, and private conversations begin anew. If not, somebody had your files in hand, and what was written, erased or verified since may be undone."
}

/// Nothing could be saved.
pub fn salvage_failed(error: &StoreError) -> ApiError {
    match error {
        StoreError::Damaged { .. } => ApiError::new(
            ErrorKind::Store,
            "Nothing in the store of this profile reads any more. It was left as it is; put it back from a copy, \
             if you have one.",
        ),
        error => super::store(error),
    }
}
