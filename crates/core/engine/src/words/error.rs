use sotto_api::{ApiError, ErrorKind, Field};
use sotto_store::StoreError;

use super::time::grouped;
use crate::networks::Network;
use crate::picture::PictureError;
use crate::text::isolate;

/// The store could not do it.
pub fn store(error: &StoreError) -> ApiError {
    let (kind, text) = match error {
        StoreError::DiskFull => (
            ErrorKind::Store,
            "The disk is full. Nothing was lost; make some room and try again.".into(),
        ),
        StoreError::ReadOnly => (
            ErrorKind::Store,
            "The profile cannot be written: its folder or its disk is read-only.".into(),
        ),
        StoreError::Damaged { .. } => (
            ErrorKind::Store,
            "A part of the profile does not read any more. The disk may be failing: copy the folder of the \
             profile to another one before you go on."
                .into(),
        ),
        StoreError::WrongKey => (ErrorKind::WrongPassphrase, WRONG_PASSPHRASE.into()),
        StoreError::NewerSchema { .. } => (
            ErrorKind::Store,
            "This profile was written by a newer Sotto. Nothing in it was changed; open it with that one."
                .into(),
        ),
        StoreError::NotAProfile => (
            ErrorKind::Store,
            "The file in this folder is not a profile of Sotto. It was not touched.".into(),
        ),
        StoreError::InUse => (ErrorKind::InUse, IN_USE.into()),
        StoreError::Unsafe { path, reason } => (
            ErrorKind::Store,
            format!(
                "{} is not safe to use: {reason}. Nothing was opened.",
                isolate(&path.to_string_lossy())
            ),
        ),
        StoreError::Io { .. } => (
            ErrorKind::Store,
            "The profile could not be read or written. Check its folder and the disk.".into(),
        ),
        StoreError::NotFound { .. } => return not_found(),
        _ => return internal(),
    };
    ApiError::new(kind, text)
}

const WRONG_PASSPHRASE: &str = "This passphrase does not open it. Try again, as often as you like.";
const IN_USE: &str = "Another Sotto is using this profile. Use its window, or close it first.";

/// The passphrase does not fit.
pub fn wrong_passphrase() -> ApiError {
    ApiError::new(ErrorKind::WrongPassphrase, WRONG_PASSPHRASE).at(Field::Passphrase)
}

/// A fault of ours.
pub fn internal() -> ApiError {
    ApiError::new(
        ErrorKind::Internal,
        "Something went wrong inside Sotto. Nothing was changed.",
    )
}

/// The id leads nowhere (any more).
pub fn not_found() -> ApiError {
    ApiError::new(ErrorKind::NotFound, "This is not there any more.")
}

/// The profile must be opened first.
pub fn locked() -> ApiError {
    ApiError::new(
        ErrorKind::Locked,
        "The profile is sealed. Open it with its passphrase first.",
    )
}

/// There is no profile yet.
pub fn no_profile() -> ApiError {
    ApiError::new(
        ErrorKind::NoProfile,
        "There is no profile yet. Make one first.",
    )
}

/// There is a profile already.
pub fn profile_exists() -> ApiError {
    ApiError::new(
        ErrorKind::ProfileExists,
        "There is a profile in this folder already. Open it, or choose another folder.",
    )
}

/// The program is about to end.
pub fn closing() -> ApiError {
    ApiError::new(ErrorKind::InUse, "Sotto is closing. Start it again.")
}

/// An address does not read.
pub fn invalid_address(example: &str) -> ApiError {
    ApiError::new(
        ErrorKind::Invalid,
        format!(
            "This is not a full address. It looks like {}.",
            isolate(example)
        ),
    )
    .at(Field::Address)
}

/// A name without a server on a network that needs one.
pub fn bare_name(example: &str) -> ApiError {
    ApiError::new(
        ErrorKind::Invalid,
        format!(
            "The server is missing: an address looks like {}.",
            isolate(example)
        ),
    )
    .at(Field::Address)
}

/// The account or the person is there already.
pub fn already_there(address: &str) -> ApiError {
    ApiError::new(
        ErrorKind::Exists,
        format!("{} is there already.", isolate(address)),
    )
    .at(Field::Address)
}

/// The own address among the contacts.
pub fn contact_itself() -> ApiError {
    ApiError::new(ErrorKind::Invalid, "This is your own address.").at(Field::Address)
}

/// A group needs a name.
pub fn empty_group() -> ApiError {
    ApiError::new(ErrorKind::Invalid, "A group needs a name.").at(Field::Groups)
}

/// A text is too long; `limit` is in the unit of `what`.
pub fn too_long(what: &str, limit: usize, field: Field) -> ApiError {
    ApiError::new(
        ErrorKind::Invalid,
        format!(
            "This is too long: at most {} {what}.",
            grouped(limit as i64)
        ),
    )
    .at(field)
}

/// A figure is out of range.
pub fn out_of_range(what: &str, least: i64, most: i64) -> ApiError {
    ApiError::new(
        ErrorKind::Invalid,
        format!(
            "{what} must be from {} to {}.",
            grouped(least),
            grouped(most)
        ),
    )
}

/// There is nothing to send.
pub fn no_message_text() -> ApiError {
    ApiError::new(ErrorKind::Invalid, "There is nothing written yet.").at(Field::Body)
}

/// Only the last own message can be corrected.
pub fn not_correctable() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "Only the last message that you wrote here can be corrected.",
    )
}

/// The account must be online.
pub fn offline(address: &str) -> ApiError {
    ApiError::new(
        ErrorKind::Offline,
        format!(
            "{} is not signed in. Sign in and try again.",
            isolate(address)
        ),
    )
}

/// The server lacks a feature.
pub fn server_without(server: &str, what: &str) -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        format!("{} does not offer {what}.", isolate(server)),
    )
}

/// The server refused; `condition` as RFC 6120 §8.3.3 names it, `theirs` its own words, untrusted.
pub fn server_refused(server: &str, condition: &str, theirs: &str) -> ApiError {
    let server = isolate(server);
    let text = match condition {
        "timeout" => {
            format!("{server} did not answer. It may have done it or not; look again in a while.")
        }
        "item-not-found" | "remote-server-not-found" => {
            format!("{server} does not know this address.")
        }
        "forbidden" | "not-allowed" | "not-authorized" => format!("{server} does not allow this."),
        "resource-constraint" | "policy-violation" => {
            format!("{server} does not take this now. Try again later.")
        }
        "not-acceptable" | "bad-request" | "jid-malformed" => {
            format!("{server} does not accept this.")
        }
        "feature-not-implemented" | "service-unavailable" => {
            format!("{server} does not offer this.")
        }
        _ => format!("{server} refused."),
    };
    let theirs = isolate(theirs);
    ApiError::new(
        ErrorKind::Refused,
        if theirs.is_empty() {
            text
        } else {
            format!("{text} It said: {theirs}")
        },
    )
}

/// A network whose owner closed it.
pub fn withdrawn(network: &Network) -> ApiError {
    let text = match network.withdrawal() {
        Some(gone) => format!("{} {}", gone.reason, gone.instead),
        None => format!("{} cannot be used any more.", network.name()),
    };
    ApiError::new(ErrorKind::Withdrawn, text)
}

/// A network that this version does not speak yet.
pub fn not_yet(network: &Network) -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        format!(
            "{} does not work in this version of Sotto yet.",
            network.name()
        ),
    )
}

/// A picture that cannot be taken.
pub fn picture(error: &PictureError) -> ApiError {
    let text = match error {
        PictureError::TooLarge { limit, .. } => format!(
            "This picture is too large: at most {} KiB.",
            grouped((*limit / 1024) as i64)
        ),
        PictureError::TooManyPixels { limit, .. } => {
            format!("This picture is too large: at most {limit} × {limit} pixels.")
        }
        PictureError::UnknownFormat => {
            "This is not a picture that Sotto can read. Take a PNG.".into()
        }
        PictureError::Damaged => {
            "This picture does not read. Save it again as PNG and try that.".into()
        }
        PictureError::NoDecoder => {
            "Sotto could not start the part of it that reads pictures. Start Sotto again.".into()
        }
    };
    ApiError::new(ErrorKind::Invalid, text).at(Field::Picture)
}

/// More groups than a roster keeps of one person.
pub fn too_many_groups(limit: usize) -> String {
    format!("A person can be in at most {limit} groups.")
}

/// A status that nobody can choose.
pub fn no_such_status() -> &'static str {
    "This status cannot be chosen."
}
