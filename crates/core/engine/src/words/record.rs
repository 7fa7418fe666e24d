//! What is recorded for finding faults.

use std::io;

use sotto_api::view::Recording;
use sotto_api::{ApiError, ErrorKind};

use crate::text::isolate;

/// What the window says while something is recorded; empty otherwise.
pub fn records_warning(stanzas: Recording, log: bool, folder: &str) -> String {
    let stanzas = match stanzas {
        Recording::Off => String::new(),
        Recording::Sealed => "Everything that your accounts send and receive is being recorded, sealed, also what is not \
             kept in the history. Switch it off when you have what you need."
            .to_owned(),
        Recording::Plain => format!(
            "Everything that your accounts send and receive is being recorded in plain files in {}. Whoever gets at \
             them can read your messages.",
            isolate(folder)
        ),
    };
    let log = if log {
        "The log of the program is being kept, sealed."
    } else {
        ""
    };
    [stanzas.as_str(), log]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Why recording stopped by itself.
pub fn record_failed(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "Recording stopped: the disk is full. Your messages are not affected. Make some room and switch it on again."
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            "Recording stopped: its folder cannot be written. Your messages are not affected."
        }
        _ => {
            "Recording stopped: its file could not be written. Your messages are not affected. Check the disk and switch \
             it on again."
        }
    }
}

/// There is nothing to write out.
pub fn nothing_recorded() -> ApiError {
    ApiError::new(ErrorKind::NotFound, "Nothing of this kind was recorded.")
}

/// A record could not be removed or written out.
pub fn record_not_done(error: &io::Error) -> ApiError {
    match error.kind() {
        io::ErrorKind::AlreadyExists => ApiError::new(
            ErrorKind::Exists,
            "There is something with this name already. Nothing was written; choose another name.",
        ),
        io::ErrorKind::InvalidData => ApiError::new(
            ErrorKind::Store,
            "A part of the record does not read: the file was changed. Nothing was written.",
        ),
        _ => ApiError::new(ErrorKind::Store, super::profile::file(error)),
    }
}
