use sotto_api::{ApiError, ErrorKind};
use sotto_store::StoreError;

/// Why handling one input could not be finished. What it had written is rolled back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Fault {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(error) => store_error(&error),
        }
    }
}

/// What a shell hears when the store failed.
pub(crate) fn store_error(error: &StoreError) -> ApiError {
    tracing::warn!(%error, "the store failed");
    ApiError::new(ErrorKind::Store, crate::words::store_failed(error))
}
