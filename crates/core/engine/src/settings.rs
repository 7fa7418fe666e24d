//! What a setting may be.

use sotto_api::ApiError;
use sotto_api::view::Settings;

use crate::words;

/// Refuses settings that are out of range; nothing of them is taken then.
pub(crate) fn check(settings: &Settings) -> Result<(), ApiError> {
    if !(100..=200).contains(&settings.scale) {
        return Err(words::scale_out_of_range());
    }
    if settings.language.len() > 35 {
        return Err(words::too_long("letters", 35, sotto_api::Field::Name));
    }
    let ranges = [
        (
            "The number of messages shown",
            i64::from(settings.history_shown),
            0,
            140,
        ),
        (
            "Minutes until it locks",
            i64::from(settings.lock_after),
            0,
            1440,
        ),
        (
            "The number of files",
            i64::from(settings.record_files),
            1,
            20,
        ),
        (
            "The size of a file in kilobytes",
            i64::from(settings.record_size),
            100,
            100_000,
        ),
    ];
    for (what, value, least, most) in ranges {
        if !(least..=most).contains(&value) {
            return Err(words::out_of_range(what, least, most));
        }
    }
    Ok(())
}
