//! Trust in the keys of others: the one place where it changes.
//!
//! A key becomes verified by a [`Proof`] alone, and a proof comes from a comparison or from OTR's own check
//! of a secret; nothing else makes one. What a key was trusted with is never passed on to another (S-OTR-16).

use sotto_api::PeerKeyId;
use sotto_api::view::Trust;
use sotto_otr::import::ImportedTrust;
use sotto_otr::{Fingerprint, SmpEvent};
use sotto_store::row::{PeerKeyRow, Verified, VerifiedHow};
use sotto_xmpp::BareJid;

use super::verify::Begun;
use crate::account::Account;
use crate::context::Context;
use crate::error::Fault;

/// That a key is whose it says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    how: VerifiedHow,
}

impl Proof {
    /// A person compared the code of `shown` and says that it matches; `stands` is the key that is used now.
    pub fn of_comparison(shown: PeerKeyId, stands: PeerKeyId) -> Option<Self> {
        (shown == stands).then_some(Self {
            how: VerifiedHow::Code,
        })
    }

    /// Both sides said the same secret (OTR v3, *Socialist Millionaires' Protocol*). An answer of ours to a
    /// question of theirs proves us to them, not them to us.
    pub fn of_check(event: &SmpEvent, begun: Begun) -> Option<Self> {
        if *event != SmpEvent::Succeeded {
            return None;
        }
        let how = match begun {
            Begun::Question { ours: true } => VerifiedHow::Question,
            Begun::Question { ours: false } => return None,
            Begun::Secret => VerifiedHow::Secret,
        };
        Some(Self { how })
    }

    /// Another program of the person's had verified it, and the person handed over its file.
    pub fn of_import(trust: &ImportedTrust) -> Option<Self> {
        (!trust.trust.is_empty()).then_some(Self {
            how: VerifiedHow::Import,
        })
    }
}

/// A key that a private conversation was begun with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub key: PeerKeyId,
    pub trust: Trust,
    /// It was never met before.
    pub fresh: bool,
    /// The key that stood there before: the verified one if there is one, else the last that was used.
    pub previous: Option<Fingerprint>,
}

/// A key is in use from now on. One that was never met is new, or, where another one was verified, changed.
pub(crate) fn seen(
    cx: &mut Context,
    account: &Account,
    peer: &BareJid,
    fingerprint: &Fingerprint,
) -> Result<Seen, Fault> {
    let others: Vec<PeerKeyRow> = cx
        .store
        .peer_keys_of(account.id, peer.as_str())?
        .into_iter()
        .filter(|row| row.fingerprint != fingerprint.as_bytes())
        .collect();
    let trust = if others.iter().any(|row| row.trust == Trust::Verified) {
        Trust::Changed
    } else {
        Trust::New
    };
    let previous = others
        .iter()
        .max_by_key(|row| (row.trust == Trust::Verified, row.last_seen, row.id))
        .and_then(code_of);
    let now = cx.timestamp();
    let (row, fresh) = cx.store.peer_key_seen(
        account.id,
        peer.as_str(),
        fingerprint.as_bytes(),
        trust,
        now,
    )?;
    cx.changes.keys();
    Ok(Seen {
        key: row.id,
        trust: row.trust,
        fresh,
        previous,
    })
}

/// The fingerprint of a stored key.
pub(crate) fn code_of(row: &PeerKeyRow) -> Option<Fingerprint> {
    let bytes = row.fingerprint.as_slice().try_into().ok()?;
    Some(Fingerprint::from_bytes(bytes))
}

fn find(
    cx: &Context,
    account: &Account,
    peer: &BareJid,
    fingerprint: &Fingerprint,
) -> Result<Option<PeerKeyRow>, Fault> {
    Ok(cx
        .store
        .peer_key_find(account.id, peer.as_str(), fingerprint.as_bytes())?)
}

/// Trust in a key; absent for one that was never met.
pub(crate) fn of(
    cx: &Context,
    account: &Account,
    peer: &BareJid,
    fingerprint: &Fingerprint,
) -> Result<Option<Trust>, Fault> {
    Ok(find(cx, account, peer, fingerprint)?.map(|row| row.trust))
}

/// The id of a key; absent for one that was never met.
pub(crate) fn key_of(
    cx: &Context,
    account: &Account,
    peer: &BareJid,
    fingerprint: &Fingerprint,
) -> Result<Option<PeerKeyId>, Fault> {
    Ok(find(cx, account, peer, fingerprint)?.map(|row| row.id))
}

/// A key is verified. Others of the same address that nobody checked stand beside a verified one now: what is
/// encrypted to them stops until the person chooses.
pub(crate) fn verify(cx: &mut Context, key: PeerKeyId, proof: Proof) -> Result<(), Fault> {
    let verified = Verified {
        how: proof.how,
        at: cx.timestamp(),
    };
    cx.store
        .peer_key_set_trust(key, Trust::Verified, Some(verified))?;
    if let Some(row) = cx.store.peer_key(key)? {
        for other in cx.store.peer_keys_of(row.account, &row.jid)? {
            if other.id != key && other.trust == Trust::New {
                cx.store
                    .peer_key_set_trust(other.id, Trust::Changed, None)?;
            }
        }
    }
    cx.changes.keys();
    Ok(())
}

/// The person says that a key is not theirs.
pub(crate) fn distrust(cx: &mut Context, key: PeerKeyId) -> Result<(), Fault> {
    lower(cx, key, Trust::Distrusted)
}

/// A key counts as not checked.
pub(crate) fn uncheck(cx: &mut Context, key: PeerKeyId) -> Result<(), Fault> {
    lower(cx, key, Trust::New)
}

fn lower(cx: &mut Context, key: PeerKeyId, trust: Trust) -> Result<(), Fault> {
    cx.store.peer_key_set_trust(key, trust, None)?;
    cx.changes.keys();
    Ok(())
}

/// The person goes on with a changed key and knows that it is not verified. Other trust stays as it is.
pub(crate) fn go_on_unverified(
    cx: &mut Context,
    account: &Account,
    peer: &BareJid,
    fingerprint: &Fingerprint,
) -> Result<(), Fault> {
    match find(cx, account, peer, fingerprint)? {
        Some(row) if row.trust == Trust::Changed => lower(cx, row.id, Trust::New),
        _ => Ok(()),
    }
}

/// Forgets a key with what it was trusted with.
pub(crate) fn forget(cx: &mut Context, key: PeerKeyId) -> Result<(), Fault> {
    cx.store.peer_key_forget(key)?;
    cx.changes.keys();
    Ok(())
}

#[cfg(test)]
mod tests;
