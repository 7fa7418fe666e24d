//! Rows of private conversations: keys, trust, policies.

use std::fmt;

use sotto_api::view::{Policy, PolicyScope, Trust};
use sotto_api::{AccountId, PeerKeyId, Timestamp};
use zeroize::Zeroizing;

/// An account's own OTR key.
#[derive(Clone, PartialEq, Eq)]
pub struct OtrKeyRow {
    /// As `sotto_otr::Keypair::to_bytes` wrote it.
    pub bytes: Zeroizing<Vec<u8>>,
    /// When it was made or read in.
    pub created: Timestamp,
}

impl fmt::Debug for OtrKeyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtrKeyRow")
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

/// A key of somebody else, as one account met it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerKeyRow {
    /// Its id; never reused.
    pub id: PeerKeyId,
    /// By which account it was met.
    pub account: AccountId,
    /// Whose; bare.
    pub jid: String,
    /// 20 bytes for OTR.
    pub fingerprint: Vec<u8>,
    /// How sure it is whose it is.
    pub trust: Trust,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last used.
    pub last_seen: Timestamp,
    /// How and when it was verified; absent unless `trust` is `Verified`.
    pub verified: Option<Verified>,
}

/// How a key came to be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// By which way.
    pub how: VerifiedHow,
    /// When.
    pub at: Timestamp,
}

/// The ways to verify a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifiedHow {
    /// A person compared the codes.
    Code,
    /// Question and answer (OTR's SMP).
    Question,
    /// A shared secret (OTR's SMP).
    Secret,
    /// Another program had verified it.
    Import,
}

/// An account or a conversation with a policy of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnPolicyRow {
    /// For whom; never `Global`.
    pub scope: PolicyScope,
    /// What.
    pub policy: Policy,
}
