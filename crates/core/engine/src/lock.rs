//! What a locked profile keeps in memory, sealed, so that opening it again restores everything.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sotto_api::view::Settings;
use sotto_store::{DatabaseKey, UnkeptText};
use zeroize::Zeroizing;

use crate::account::HeldAccount;

/// What the store does not have. Never written down.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Held {
    /// Texts of messages that are not kept.
    pub texts: Vec<UnkeptText>,
    pub accounts: Vec<HeldAccount>,
}

const PURPOSE: &str = "sotto: memory of a locked profile";

impl Held {
    /// Absent when the system gives no random bytes: what is not kept is forgotten then.
    pub fn seal(&self, key: &DatabaseKey) -> Option<Vec<u8>> {
        let plain = Zeroizing::new(serde_json::to_vec(self).ok()?);
        match key.seal(PURPOSE, &plain) {
            Ok(sealed) => Some(sealed),
            Err(error) => {
                tracing::error!(%error, "what is not kept was forgotten by locking");
                None
            }
        }
    }

    pub fn unseal(sealed: &[u8], key: &DatabaseKey) -> Option<Self> {
        serde_json::from_slice(&key.unseal(PURPOSE, sealed)?).ok()
    }
}

/// How long the key of a profile whose store does not open stays in memory, so that the store can be salvaged.
pub(crate) const SALVAGE_WAIT: Duration = Duration::from_secs(5 * 60);

/// When a profile locks by itself, if the person did nothing since `active`.
pub(crate) fn due(settings: &Settings, active: Instant) -> Option<Instant> {
    let minutes = u64::from(settings.lock_after);
    (minutes > 0).then(|| active + Duration::from_secs(60 * minutes))
}
