use sotto_api::ApiError;
use sotto_store::StoreError;

/// Why handling one input could not be finished. What it had written is rolled back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Fault {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A fault of ours came to light.
    #[error("a panic was contained")]
    Panicked,
}

impl Fault {
    /// Whether the fault lies with the one stanza at hand, so that the others can go on. A store that
    /// is full or gone fails for all of them: then the stream must wait.
    pub fn is_of_this_stanza(&self) -> bool {
        match self {
            Self::Panicked => true,
            Self::Store(error) => matches!(
                error,
                StoreError::NotFound { .. } | StoreError::Value { .. } | StoreError::Sql { .. }
            ),
        }
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(StoreError::NotFound { .. }) => crate::words::not_found(),
            Fault::Store(error) => {
                tracing::warn!(%error, "the store failed");
                crate::words::store(&error)
            }
            Fault::Panicked => crate::words::internal(),
        }
    }
}
