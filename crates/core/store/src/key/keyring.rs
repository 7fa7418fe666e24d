//! The system's keyring: opt-in, never waited for without end (R-SYS-02), never the only way that is tried.

use std::sync::mpsc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::KeyError;

type Secret = Zeroizing<Vec<u8>>;

/// A locked keyring asks its person; one that does not answer must not keep the program from starting.
const PATIENCE: Duration = Duration::from_secs(4);

/// Set to `off`, this environment variable makes Sotto work as where there is no keyring.
const SWITCH: &str = "SOTTO_KEYRING";

pub(super) fn read(entry: &str) -> Result<Secret, KeyError> {
    let entry = entry.to_owned();
    patiently(move || system::read(&entry))
}

/// Writes and reads back: a keyring that forgets must show now.
pub(super) fn write(entry: &str, secret: &[u8; 32]) -> Result<(), KeyError> {
    let name = entry.to_owned();
    let copy = Zeroizing::new(secret.to_vec());
    patiently(move || system::write(&name, &copy))?;
    if read(entry)?.as_slice() != secret {
        return Err(error("it gave back something else"));
    }
    Ok(())
}

pub(super) fn forget(entry: &str) -> Result<(), KeyError> {
    let entry = entry.to_owned();
    patiently(move || system::forget(&entry))
}

fn patiently<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyError> + Send + 'static,
) -> Result<T, KeyError> {
    if std::env::var_os(SWITCH).is_some_and(|value| value == "off") {
        return Err(error("it is switched off"));
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::spawn(move || sender.send(work()).ok());
    receiver
        .recv_timeout(PATIENCE)
        .unwrap_or_else(|_| Err(error("it does not answer")))
}

fn error(detail: &str) -> KeyError {
    KeyError::Keyring {
        detail: detail.into(),
    }
}

#[cfg(not(test))]
mod system {
    use keyring::{Entry, Error};
    use zeroize::Zeroizing;

    use super::{KeyError, Secret, error};

    const SERVICE: &str = "Sotto";

    pub(super) fn read(entry: &str) -> Result<Secret, KeyError> {
        let secret = open(entry)?.get_secret().map_err(|error| say(&error))?;
        Ok(Zeroizing::new(secret))
    }

    pub(super) fn write(entry: &str, secret: &[u8]) -> Result<(), KeyError> {
        open(entry)?.set_secret(secret).map_err(|error| say(&error))
    }

    pub(super) fn forget(entry: &str) -> Result<(), KeyError> {
        open(entry)?
            .delete_credential()
            .map_err(|error| say(&error))
    }

    fn open(entry: &str) -> Result<Entry, KeyError> {
        Entry::new(SERVICE, entry).map_err(|error| say(&error))
    }

    /// Words of our own: those of the keyring might hold what it was given.
    fn say(found: &Error) -> KeyError {
        error(match found {
            Error::NoEntry => "it has no such entry",
            Error::NoStorageAccess(_) => "it is locked",
            Error::NoDefaultStore => "there is none",
            _ => "it refuses",
        })
    }
}

/// Tests never touch the keyring of the person who runs them.
#[cfg(test)]
pub(super) mod system {
    use std::collections::HashMap;
    use std::sync::Mutex;

    use super::{KeyError, Secret, error};

    /// Absent: there is no keyring. Each test has a process of its own, or leaves it absent.
    pub(in super::super) static KEYRING: Mutex<Option<HashMap<String, Secret>>> = Mutex::new(None);

    fn with<T>(
        work: impl FnOnce(&mut HashMap<String, Secret>) -> Result<T, KeyError>,
    ) -> Result<T, KeyError> {
        let mut keyring = KEYRING.lock().map_err(|_| error("there is none"))?;
        work(keyring.as_mut().ok_or(error("there is none"))?)
    }

    pub(super) fn read(entry: &str) -> Result<Secret, KeyError> {
        with(|keyring| {
            keyring
                .get(entry)
                .cloned()
                .ok_or(error("it has no such entry"))
        })
    }

    pub(super) fn write(entry: &str, secret: &[u8]) -> Result<(), KeyError> {
        with(|keyring| {
            keyring.insert(entry.into(), secret.to_vec().into());
            Ok(())
        })
    }

    pub(super) fn forget(entry: &str) -> Result<(), KeyError> {
        with(|keyring| {
            keyring
                .remove(entry)
                .map(drop)
                .ok_or(error("it has no such entry"))
        })
    }
}
