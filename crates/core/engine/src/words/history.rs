//! What is kept, for how long, and what goes.

use sotto_api::view::{EraseScope, Expiry};
use sotto_api::{ApiError, ErrorKind};
use sotto_store::REMAINS_DAYS;
use sotto_store::row::ErasedCount;

use super::time::count;
use crate::text::{clean_line, isolate};

/// Whether a conversation is kept, and for how long, in a line.
pub fn history(keep: bool, expiry: Expiry) -> &'static str {
    match (keep, expiry) {
        (false, _) => "Not kept",
        (true, Expiry::Never) => "Kept",
        (true, Expiry::Year) => "Kept for a year",
        (true, Expiry::Month) => "Kept for a month",
        (true, Expiry::Week) => "Kept for a week",
        (true, Expiry::Day) => "Kept for a day",
    }
}

/// Asked before an erasure. `name` is the other person; absent where it is about more than one.
pub fn history_to_erase(what: ErasedCount, name: Option<&str>, scope: &EraseScope) -> String {
    let all = *scope == EraseScope::All;
    let text = match amount(what) {
        None => "There is nothing to erase.".into(),
        Some(amount) => {
            let everything = all || matches!(scope, EraseScope::Account { .. });
            let keys = if everything { KEYS } else { "" };
            format!(
                "{amount} will be gone from this computer. {}{keys}",
                untouched(name)
            )
        }
    };
    let old = match old_stores(what.remains) {
        Some((1, files)) if all => format!(" {files} goes too."),
        Some((_, files)) if all => format!(" {files} go too."),
        other => stays(other),
    };
    text + &old + &recorded(what, all)
}

/// What becomes of keys when everything is erased.
const KEYS: &str = " Keys of people in your contact list stay, so whom you verified stays verified; those of others are \
                    forgotten when Sotto starts again.";

/// Asked before the program ends. Empty where nothing would be lost.
pub fn lost_at_end(what: ErasedCount) -> String {
    let (was, is, it) = if what.messages == 1 {
        ("was", "is", "It is")
    } else {
        ("were", "are", "They are")
    };
    amount(what).map_or_else(String::new, |amount| {
        format!(
            "{amount} {was} not sent yet and {is} not kept on this computer. {it} lost if Sotto ends now."
        )
    })
}

/// Said after it.
pub fn history_erased(what: ErasedCount, name: Option<&str>, scope: &EraseScope) -> String {
    let all = *scope == EraseScope::All;
    let text = match amount(what) {
        None => "There was nothing to erase.".into(),
        Some(amount) => {
            let verb = if what.messages + what.calls == 1 {
                "is"
            } else {
                "are"
            };
            format!(
                "{amount} {verb} gone from this computer. {}",
                untouched(name)
            )
        }
    };
    let old = match old_stores(what.remains) {
        Some((1, files)) if all => format!(" {files} is gone too."),
        Some((_, files)) if all => format!(" {files} are gone too."),
        other => stays(other),
    };
    text + &old + &recorded(what, all)
}

fn old_stores(files: usize) -> Option<(i64, String)> {
    let files = i64::try_from(files).unwrap_or(i64::MAX);
    (files > 0).then(|| {
        (
            files,
            format!("{} of a damaged store", count(files, "file")),
        )
    })
}

/// What an erasure does not reach.
fn stays(files: Option<(i64, String)>) -> String {
    let Some((number, files)) = files else {
        return String::new();
    };
    let (lies, goes) = if number == 1 {
        ("lies", "It goes")
    } else {
        ("lie", "They go")
    };
    format!(
        " {files} still {lies} in the profile and may hold older messages, these too. {goes} when you erase \
         everything, or after {REMAINS_DAYS} days."
    )
}

fn recorded(what: ErasedCount, all: bool) -> String {
    let files = i64::try_from(what.records).unwrap_or(i64::MAX);
    if !all || files == 0 {
        return String::new();
    }
    let keep = if files == 1 { "keeps" } else { "keep" };
    format!(
        " What was recorded for finding faults is not history: {} {keep} messages as they came and went. Remove what \
         was recorded in the settings, or with sotto-cli records remove stanzas.",
        count(files, "file")
    )
}

fn amount(what: ErasedCount) -> Option<String> {
    let number = |number: u64, noun| count(i64::try_from(number).unwrap_or(i64::MAX), noun);
    match (what.messages, what.calls) {
        (0, 0) => None,
        (messages, 0) => Some(number(messages, "message")),
        (0, calls) => Some(number(calls, "call")),
        (messages, calls) => Some(format!(
            "{} and {}",
            number(messages, "message"),
            number(calls, "call")
        )),
    }
}

fn untouched(name: Option<&str>) -> String {
    let name = name.map_or_else(|| "others".to_owned(), isolate);
    let keeps = if name == "others" { "keep" } else { "keeps" };
    format!("What {name} {keeps}, and what the servers keep, is not touched.")
}

/// The line of a conversation that is not kept, while its account is not online.
pub fn notice_not_kept() -> &'static str {
    "What you write here waits, and is not kept: it is lost if Sotto ends before it is sent."
}

// ---- read out ---------------------------------------------------------------------------------

/// The beginning of a file.
pub fn export_heading(name: &str, address: &str, own: &str, zone: &str) -> String {
    let mut heading = format!(
        "Conversation with {} ({})\nAccount: {}\n",
        export_name(name),
        export_name(address),
        export_name(own)
    );
    if !zone.is_empty() {
        heading.push_str("Time zone: ");
        heading.push_str(&clean_line(zone));
        heading.push('\n');
    }
    heading.push('\n');
    heading
}

/// A name in a file: isolated whatever its script, since a file is read with any program.
pub fn export_name(name: &str) -> String {
    format!("\u{2068}{}\u{2069}", clean_line(name))
}

/// Marks of a message in a file.
pub const EDITED: &str = "edited";
pub const TAKEN_BACK: &str = "taken back";
pub const NOT_ENCRYPTED: &str = "came unencrypted";
pub const NOT_SENT: &str = "not sent";

// ---- refusals ---------------------------------------------------------------------------------

pub fn unknown_zone() -> ApiError {
    ApiError::new(
        ErrorKind::Invalid,
        "This time zone is not known here. Write it like Europe/Berlin, or leave it empty for the one of this computer.",
    )
}

pub fn not_a_day() -> ApiError {
    ApiError::new(
        ErrorKind::Invalid,
        "This is not a day. Write it like 2026-11-26.",
    )
}

/// A password is shown only to who knows the passphrase.
pub fn no_passphrase_to_ask() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "Passwords are shown only where the profile has a passphrase, which is asked for. Set one first.",
    )
}

pub fn no_saved_password() -> ApiError {
    ApiError::new(ErrorKind::NotFound, "No password is kept for this account.")
}
