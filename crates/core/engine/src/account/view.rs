use sotto_api::Timestamp;
use sotto_api::view::AccountState;

use super::{Account, State};

impl Account {
    /// Where the account stands, for a shell.
    pub fn api_state(&self) -> AccountState {
        match self.state {
            State::Disabled => AccountState::Disabled,
            State::Connecting => AccountState::Connecting,
            State::Online => AccountState::Online,
            State::Waiting { retry_unix_ms, .. } => AccountState::Waiting {
                retry_at: Timestamp(retry_unix_ms),
            },
            State::NeedsPassword => AccountState::NeedsPassword,
            State::NeedsAnswer(_) => AccountState::NeedsAnswer,
            State::Stopped => AccountState::Stopped,
        }
    }

    /// `TLS 1.3, SCRAM-SHA-256`; empty when offline.
    pub fn connection_text(&self) -> String {
        self.connection
            .as_ref()
            .filter(|connection| connection.bound.is_some())
            .map(|connection| connection.label.clone())
            .unwrap_or_default()
    }
}
