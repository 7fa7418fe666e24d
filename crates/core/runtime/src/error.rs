use sotto_store::StoreError;
use thiserror::Error;

/// Why a profile could not be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The folder cannot be used: not ours, a link, full, read-only.
    #[error(transparent)]
    Profile(#[from] StoreError),
    /// Another program owns the profile and does not answer.
    #[error("another program has this profile open and does not answer ({cause})")]
    OwnerSilent {
        /// What happened at the last try.
        cause: String,
    },
    /// The system refused a thread, a socket or a clock.
    #[error("the system refused {what}: {cause}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// Its answer.
        cause: std::io::Error,
    },
}
