//! Keys, trust and instance tags of libotr's programs, from the texts of their files.

use sotto_api::view::Trust;
use sotto_api::{AccountId, ApiError, Secret};
use sotto_otr::import::{self, ImportError, ImportedKey, ImportedTag, ImportedTrust};
use sotto_xmpp::{BareJid, Jid};

use super::trust::{self, Proof};
use crate::account::Accounts;
use crate::context::Context;
use crate::error::Fault;
use crate::words::private as say;

/// What was given.
pub(super) struct Files {
    pub private_key: Option<Secret>,
    pub fingerprints: Option<String>,
    pub instance_tags: Option<String>,
}

/// Takes what is of use from the files; a file that does not read stops it before anything is written.
///
/// An own key or tag is taken only for an account that has none yet. What the person distrusts stays so.
pub(super) fn take(
    cx: &mut Context,
    accounts: &mut Accounts,
    files: Files,
) -> Result<(), ApiError> {
    if files.private_key.is_none() && files.fingerprints.is_none() && files.instance_tags.is_none()
    {
        return Err(say::import_nothing());
    }
    let keys = files
        .private_key
        .map(|text| import::private_keys(text.expose()));
    let keys = read(keys, "otr.private_key")?;
    let known = files.fingerprints.map(|text| import::fingerprints(&text));
    let known = read(known, "otr.fingerprints")?;
    let tags = files.instance_tags.map(|text| import::instance_tags(&text));
    let tags = read(tags, "otr.instance_tags")?;

    let rows = Rows {
        keys,
        tags,
        trust: known,
    };
    take_rows(cx, accounts, rows)?;
    Ok(())
}

/// What files of keys said.
pub(crate) struct Rows {
    pub keys: Vec<ImportedKey>,
    pub tags: Vec<ImportedTag>,
    pub trust: Vec<ImportedTrust>,
}

/// What became of [`Rows`].
#[derive(Default)]
pub(crate) struct Taken {
    /// Own keys that are used from now on.
    pub own_keys: u64,
    /// Keys of others that count as verified from now on.
    pub verified: u64,
    /// Something is not here: its account is missing, or has another key.
    pub left: bool,
}

/// Takes what fits the accounts that are here.
pub(crate) fn take_rows(
    cx: &mut Context,
    accounts: &mut Accounts,
    rows: Rows,
) -> Result<Taken, Fault> {
    let now = cx.timestamp();
    let mut taken = Taken::default();
    for key in rows.keys {
        let Some(account) = account_of(accounts, &key.account, &key.protocol) else {
            taken.left = true;
            continue;
        };
        let bytes = key.keypair.to_bytes();
        match cx.store.otr_key(account)? {
            None => {
                cx.store.otr_key_set(account, &bytes, now)?;
                taken.own_keys += 1;
            }
            Some(known) => taken.left |= known.bytes.as_slice() != bytes.as_slice(),
        }
    }
    for tag in rows.tags {
        let Some(account) = account_of(accounts, &tag.account, &tag.protocol) else {
            taken.left = true;
            continue;
        };
        let has = cx.store.instance_tag(account)?;
        if has.is_none() && sotto_otr::InstanceTag::new(tag.tag).is_some() {
            cx.store.instance_tag_set(account, tag.tag)?;
        }
    }
    for entry in rows.trust {
        let account = account_of(accounts, &entry.account, &entry.protocol)
            .and_then(|account| accounts.get(&account));
        let Some((account, peer)) = account.zip(bare(&entry.peer)) else {
            taken.left = true;
            continue;
        };
        let seen = trust::seen(cx, account, &peer, &entry.fingerprint)?;
        if let Some(proof) = Proof::of_import(&entry)
            && !matches!(seen.trust, Trust::Distrusted | Trust::Verified)
        {
            trust::verify(cx, seen.key, proof)?;
            taken.verified += 1;
        }
    }
    cx.changes.keys();
    cx.changes.contacts();
    for account in accounts.values_mut() {
        super::key_ready(cx, account)?;
        crate::messages::account_state_changed(cx, account)?;
    }
    Ok(taken)
}

fn read<T>(
    file: Option<Result<Vec<T>, ImportError>>,
    name: &'static str,
) -> Result<Vec<T>, ApiError> {
    match file {
        None | Some(Err(ImportError::Empty)) => Ok(Vec::new()),
        Some(Ok(rows)) => Ok(rows),
        Some(Err(error)) => {
            tracing::debug!(%error, name, "a file was not imported");
            Err(say::import_unreadable(name))
        }
    }
}

/// The account that another program means: only those of XMPP, by their bare address.
fn account_of(accounts: &Accounts, address: &str, protocol: &str) -> Option<AccountId> {
    let protocol = protocol.to_ascii_lowercase();
    if !protocol.contains("jabber") && !protocol.contains("xmpp") {
        return None;
    }
    let address = bare(address)?;
    accounts
        .values()
        .find(|account| account.address == address)
        .map(|account| account.id)
}

fn bare(address: &str) -> Option<BareJid> {
    Jid::new(address.trim()).ok().map(|jid| jid.to_bare())
}
