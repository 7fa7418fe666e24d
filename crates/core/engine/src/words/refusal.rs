use sotto_api::{ApiError, ErrorKind, Field};
use sotto_store::KeyError;

/// The profile's key could not be had.
pub fn key(error: &KeyError) -> ApiError {
    let text = match error {
        KeyError::WrongPassphrase => return super::wrong_passphrase(),
        KeyError::Exists => return super::profile_exists(),
        KeyError::Store(error) => return super::store(error),
        KeyError::PassphraseNeeded => {
            return ApiError::new(
                ErrorKind::WrongPassphrase,
                "This profile has a passphrase. Enter it to go on.",
            )
            .at(Field::Passphrase);
        }
        KeyError::Empty => {
            return ApiError::new(
                ErrorKind::Invalid,
                "An empty passphrase protects nothing. Write at least one character, or choose to go without.",
            )
            .at(Field::Passphrase);
        }
        KeyError::Keyring { .. } => {
            "The keyring of this computer does not give the key of the profile. Unlock the keyring and try again."
        }
        KeyError::SecretMissing { .. } => {
            "The file with the key of this profile is missing. Without it nobody can open the profile; put it back from a copy."
        }
        KeyError::Damaged { .. } => {
            "The key file of this profile is damaged, and so is its copy. Put one back from a copy of the profile's folder."
        }
        KeyError::Newer { .. } => {
            "This profile was written by a newer Sotto. Nothing was changed; use the newer one."
        }
        KeyError::Memory => {
            "There is not enough free memory to open the profile: it takes 64 MiB for a moment. Close something and try again."
        }
        _ => "This computer gives no random numbers at the moment. Try again.",
    };
    ApiError::new(ErrorKind::Store, text)
}

/// Too many wrong passphrases at once.
pub fn wait_with_passphrase(milliseconds: i64) -> ApiError {
    ApiError::new(
        ErrorKind::WrongPassphrase,
        format!(
            "This passphrase does not open it. The next try counts in {}.",
            super::span(milliseconds)
        ),
    )
    .at(Field::Passphrase)
}

/// The profile is being opened, made or sealed at this moment.
pub fn busy_with_key() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "The passphrase is being worked on. Try again in a moment.",
    )
}

/// A message cannot be taken back any more.
pub fn already_sent() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "This message has left, or may have left, so it cannot be taken back.",
    )
}

/// A page cannot be before one message and after another.
pub fn before_and_after() -> ApiError {
    ApiError::new(
        ErrorKind::Invalid,
        "A page is before a message or after one, not both.",
    )
}

/// A server or proxy needs a name.
pub fn empty_host(field: Field) -> ApiError {
    ApiError::new(
        ErrorKind::Invalid,
        "Write the name or the IP address of the server, at most 255 characters.",
    )
    .at(field)
}

/// A resource cannot be used.
pub fn bad_resource() -> ApiError {
    ApiError::new(
        ErrorKind::Invalid,
        "This name of the program cannot be used: at most 1023 bytes, without control characters.",
    )
    .at(Field::Resource)
}

/// A setting is out of its range, a list too long, and so on.
pub fn scale_out_of_range() -> ApiError {
    super::out_of_range("The size", 100, 200)
}
