use serde::{Deserialize, Serialize};
use sotto_api::AccountId;
use sotto_store::Store;
use sotto_xmpp::disco::Info;

use crate::error::Fault;

/// What the server and the own account offer (XEP-0030).
///
/// Kept in the store as well: a stream that is resumed after a restart must read messages as before,
/// at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Features {
    /// The account has told what it can do.
    pub known: bool,
    /// The account has an archive (XEP-0313).
    pub archive: bool,
    /// The account's stanza ids can be trusted (XEP-0359 §4).
    pub stable_ids: bool,
    /// The server copies messages to all devices (XEP-0280).
    pub carbons: bool,
    /// The server blocks addresses (XEP-0191).
    pub blocking: bool,
    /// The account keeps items for itself (XEP-0163).
    pub pep: bool,
    /// The server's own picture conversion (XEP-0398).
    pub avatar_conversion: bool,
    /// The password can be changed there (XEP-0077).
    pub register: bool,
    /// The server has told what it can do.
    pub server_known: bool,
}

impl Features {
    /// Takes in what the own account says of itself.
    pub fn learn_account(&mut self, info: &Info) {
        self.known = true;
        self.archive = info.has("urn:xmpp:mam:2");
        self.stable_ids = info.has("urn:xmpp:sid:0");
        self.pep = info.is("pubsub", "pep");
        self.avatar_conversion = info.has("urn:xmpp:pep-vcard-conversion:0");
    }

    /// Takes in what the server says of itself.
    pub fn learn_server(&mut self, info: &Info) {
        self.carbons = info.has("urn:xmpp:carbons:2");
        self.blocking = info.has("urn:xmpp:blocking");
        self.register = info.has("jabber:iq:register");
        self.server_known = true;
    }

    pub fn load(store: &Store, account: AccountId) -> Result<Self, Fault> {
        Ok(store.setting(&key(account))?.unwrap_or_default())
    }

    pub fn save(&self, store: &Store, account: AccountId) -> Result<(), Fault> {
        Ok(store.setting_set(&key(account), self)?)
    }

    pub fn forget(store: &Store, account: AccountId) -> Result<(), Fault> {
        Ok(store.setting_remove(&key(account))?)
    }
}

fn key(account: AccountId) -> String {
    format!("features/{}", account.0)
}
