//! Private conversations: own keys and sessions, keys of others and trust in them, policies.

use rusqlite::{Row, params};
use sotto_api::view::{Policy, PolicyScope, Trust};
use sotto_api::{AccountId, ConversationId, PeerKeyId, Timestamp};
use zeroize::Zeroizing;

use crate::account::found;
use crate::code::Code;
use crate::error::{Result, StoreError};
use crate::row::{OtrKeyRow, OwnPolicyRow, PeerKeyRow, Verified, VerifiedHow};
use crate::store::Store;

/// The one protocol so far; others add theirs.
const OTR: &str = "otr";
/// Setting: what holds for everyone who has no policy of their own.
const POLICY: &str = "policy";

const PEER_KEY: &str = "SELECT id, account, jid, fingerprint, trust, first_seen, last_seen,
    verified_at, verified_how FROM peer_key WHERE protocol = 'otr'";

/// Setting: this store is a copy, and the sessions in it have not been ended.
const COPY: &str = "store.copy";

impl Store {
    // ---- own keys and sessions ---------------------------------------------------------------

    /// The own OTR key of an account, if there is one.
    pub fn otr_key(&self, account: AccountId) -> Result<Option<OtrKeyRow>> {
        self.one(
            "SELECT bytes, created FROM otr_key WHERE account = ?1",
            [account.0],
            |row| {
                Ok(OtrKeyRow {
                    bytes: Zeroizing::new(row.get(0)?),
                    created: Timestamp(row.get(1)?),
                })
            },
        )
    }

    /// Replaces the own OTR key of an account; the old one is erased.
    pub fn otr_key_set(&self, account: AccountId, bytes: &[u8], created: Timestamp) -> Result<()> {
        self.execute(
            "INSERT INTO otr_key (account, bytes, created) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET bytes = excluded.bytes, created = excluded.created",
            params![account.0, bytes, created.0],
        )?;
        Ok(())
    }

    /// Erases the own OTR key of an account.
    pub fn otr_key_remove(&self, account: AccountId) -> Result<()> {
        self.execute("DELETE FROM otr_key WHERE account = ?1", [account.0])?;
        Ok(())
    }

    /// By which number this installation's sessions are told from those of others (OTR v3, *Instance Tags*).
    pub fn instance_tag(&self, account: AccountId) -> Result<Option<u32>> {
        self.one(
            "SELECT tag FROM instance_tag WHERE account = ?1",
            [account.0],
            |row| row.get(0),
        )
    }

    /// Replaces the instance tag of an account.
    pub fn instance_tag_set(&self, account: AccountId, tag: u32) -> Result<()> {
        self.execute(
            "INSERT INTO instance_tag (account, tag) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET tag = excluded.tag",
            params![account.0, tag],
        )?;
        Ok(())
    }

    /// How the sessions with an address stand, as `sotto_otr::Conversation::to_bytes` wrote it.
    pub fn otr_state(&self, account: AccountId, peer: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
        self.one(
            "SELECT bytes FROM otr_state WHERE account = ?1 AND peer = ?2",
            params![account.0, peer],
            |row| row.get(0).map(Zeroizing::new),
        )
    }

    /// Replaces how the sessions with an address stand. To be written in the transaction that writes what
    /// goes out: else a counter might be used twice (S-OTR-12).
    pub fn otr_state_set(&self, account: AccountId, peer: &str, bytes: &[u8]) -> Result<()> {
        self.execute(
            "INSERT INTO otr_state (account, peer, bytes) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET bytes = excluded.bytes",
            params![account.0, peer, bytes],
        )?;
        Ok(())
    }

    /// What is here is a copy that may be older than what went out from it, on this computer or another. Sessions
    /// must not go on, since a counter would be used twice ([`Store::is_copy`], S-OTR-12); what they made goes, as
    /// does the stream's position; and of what was to be sent it is asked first whether the server has it.
    #[doc(hidden)]
    pub fn take_as_copy(&self) -> Result<()> {
        self.atomically(|| {
            for sql in [
                "DELETE FROM outbox WHERE purpose = 3",
                "UPDATE outbox SET sequence = NULL, ambiguous = 1",
                "UPDATE message SET delivery = 9, failure = 'undefined-condition'
                 WHERE delivery = 0 AND waits_private = 0
                 AND id NOT IN (SELECT message FROM outbox WHERE message IS NOT NULL)",
                "DELETE FROM sm_state",
            ] {
                self.execute(sql, [])?;
            }
            self.setting_set(COPY, &true)
        })
    }

    /// Whether the sessions in it have still to be ended, before anything else happens: it is a restored or a
    /// salvaged store, or one whose file was put there from elsewhere.
    pub fn is_copy(&self) -> Result<bool> {
        Ok(self.setting(COPY)?.unwrap_or(false))
    }

    /// They are.
    pub fn copy_settled(&self) -> Result<()> {
        self.setting_remove(COPY)
    }

    /// Erases the sessions with an address.
    pub fn otr_state_remove(&self, account: AccountId, peer: &str) -> Result<()> {
        self.execute(
            "DELETE FROM otr_state WHERE account = ?1 AND peer = ?2",
            params![account.0, peer],
        )?;
        Ok(())
    }

    /// Erases all sessions of an account.
    pub fn otr_state_remove_all(&self, account: AccountId) -> Result<()> {
        self.execute("DELETE FROM otr_state WHERE account = ?1", [account.0])?;
        Ok(())
    }

    /// With whom an account has sessions; bare addresses, ascending.
    pub fn otr_state_peers(&self, account: AccountId) -> Result<Vec<String>> {
        self.all(
            "SELECT peer FROM otr_state WHERE account = ?1 ORDER BY peer",
            [account.0],
            |row| row.get(0),
        )
    }

    /// Which device of the other side is written to; absent: the program chooses.
    pub fn private_device_set(
        &self,
        conversation: ConversationId,
        device: Option<&str>,
    ) -> Result<()> {
        let changed = self.execute(
            "UPDATE conversation SET private_device = ?2 WHERE id = ?1",
            params![conversation.0, device],
        )?;
        found(changed, "conversation")
    }

    // ---- keys of others ----------------------------------------------------------------------

    /// Keys of others that one account met, or all of them; by account, address and age.
    pub fn peer_keys(&self, account: Option<AccountId>) -> Result<Vec<PeerKeyRow>> {
        self.all(
            &format!(
                "{PEER_KEY} AND (?1 IS NULL OR account = ?1) ORDER BY account, jid, first_seen, id"
            ),
            [account.map(|account| account.0)],
            read_peer_key,
        )
    }

    /// The keys that an address was met with, the oldest first.
    pub fn peer_keys_of(&self, account: AccountId, jid: &str) -> Result<Vec<PeerKeyRow>> {
        self.all(
            &format!("{PEER_KEY} AND account = ?1 AND jid = ?2 ORDER BY first_seen, id"),
            params![account.0, jid],
            read_peer_key,
        )
    }

    /// One key.
    pub fn peer_key(&self, key: PeerKeyId) -> Result<Option<PeerKeyRow>> {
        self.one(&format!("{PEER_KEY} AND id = ?1"), [key.0], read_peer_key)
    }

    /// The key of an address with this fingerprint, if it was ever met.
    pub fn peer_key_find(
        &self,
        account: AccountId,
        jid: &str,
        fingerprint: &[u8],
    ) -> Result<Option<PeerKeyRow>> {
        self.one(
            &format!("{PEER_KEY} AND account = ?1 AND jid = ?2 AND fingerprint = ?3"),
            params![account.0, jid, fingerprint],
            read_peer_key,
        )
    }

    /// A key is in use. One that is new is stored with `trust`, of one that is known only the time changes.
    /// The key as it stands now, and whether it is new.
    pub fn peer_key_seen(
        &self,
        account: AccountId,
        jid: &str,
        fingerprint: &[u8],
        trust: Trust,
        at: Timestamp,
    ) -> Result<(PeerKeyRow, bool)> {
        self.atomically(|| {
            let known = self.execute(
                "UPDATE peer_key SET last_seen = max(last_seen, ?4)
                 WHERE account = ?1 AND jid = ?2 AND protocol = ?5 AND fingerprint = ?3",
                params![account.0, jid, fingerprint, at.0, OTR],
            )?;
            if known == 0 {
                self.execute(
                    "INSERT INTO peer_key (account, jid, protocol, fingerprint, trust, first_seen,
                     last_seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
                    params![account.0, jid, OTR, fingerprint, trust.code(), at.0],
                )?;
            }
            let row = self
                .peer_key_find(account, jid, fingerprint)?
                .ok_or(StoreError::NotFound { what: "key" })?;
            Ok((row, known == 0))
        })
    }

    /// Changes the trust in a key. `verified` is kept for [`Trust::Verified`] only, where it is needed.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] for a key that is not there, and for `Verified` without saying how.
    pub fn peer_key_set_trust(
        &self,
        key: PeerKeyId,
        trust: Trust,
        verified: Option<Verified>,
    ) -> Result<()> {
        let verified = verified.filter(|_| trust == Trust::Verified);
        if trust == Trust::Verified && verified.is_none() {
            return Err(StoreError::NotFound { what: "proof" });
        }
        let changed = self.execute(
            "UPDATE peer_key SET trust = ?2, verified_at = ?3, verified_how = ?4 WHERE id = ?1",
            params![
                key.0,
                trust.code(),
                verified.map(|verified| verified.at.0),
                verified.map(|verified| verified.how.code())
            ],
        )?;
        found(changed, "key")
    }

    /// Forgets a key and the trust in it.
    pub fn peer_key_forget(&self, key: PeerKeyId) -> Result<()> {
        let changed = self.execute("DELETE FROM peer_key WHERE id = ?1", [key.0])?;
        found(changed, "key")
    }

    // ---- policies ----------------------------------------------------------------------------

    /// What holds for everyone who has no setting of their own.
    pub fn policy_global(&self) -> Result<Policy> {
        Ok(self.setting(POLICY)?.unwrap_or_default())
    }

    /// Replaces what holds for everyone who has no setting of their own.
    pub fn policy_global_set(&self, policy: Policy) -> Result<()> {
        self.setting_set(POLICY, &policy)
    }

    /// What holds for one account; absent: as for everyone.
    pub fn policy_of_account(&self, account: AccountId) -> Result<Option<Policy>> {
        Ok(self
            .one(
                "SELECT policy FROM account WHERE id = ?1",
                [account.0],
                |row| row.get::<_, Option<i64>>(0),
            )?
            .flatten()
            .map(Policy::decode))
    }

    /// Replaces what holds for one account.
    pub fn policy_of_account_set(&self, account: AccountId, policy: Option<Policy>) -> Result<()> {
        let changed = self.execute(
            "UPDATE account SET policy = ?2 WHERE id = ?1 AND removed = 0",
            params![account.0, policy.map(|policy| policy.code())],
        )?;
        found(changed, "account")
    }

    /// What holds for one conversation; absent: as the account or the global setting says.
    pub fn policy_of_conversation(&self, conversation: ConversationId) -> Result<Option<Policy>> {
        Ok(self
            .one(
                "SELECT policy FROM conversation WHERE id = ?1",
                [conversation.0],
                |row| row.get::<_, Option<i64>>(0),
            )?
            .flatten()
            .map(Policy::decode))
    }

    /// Replaces what holds for one conversation.
    pub fn policy_of_conversation_set(
        &self,
        conversation: ConversationId,
        policy: Option<Policy>,
    ) -> Result<()> {
        let changed = self.execute(
            "UPDATE conversation SET policy = ?2 WHERE id = ?1",
            params![conversation.0, policy.map(|policy| policy.code())],
        )?;
        found(changed, "conversation")
    }

    /// Accounts, then conversations, with a policy of their own.
    pub fn policies_own(&self) -> Result<Vec<OwnPolicyRow>> {
        let mut own = self.all(
            "SELECT id, policy FROM account WHERE policy IS NOT NULL AND removed = 0 ORDER BY id",
            [],
            |row| {
                Ok(OwnPolicyRow {
                    scope: PolicyScope::Account {
                        account: AccountId(row.get(0)?),
                    },
                    policy: Policy::decode(row.get(1)?),
                })
            },
        )?;
        own.extend(self.all(
            "SELECT conversation.id, conversation.policy FROM conversation
             JOIN account ON account.id = conversation.account AND account.removed = 0
             WHERE conversation.policy IS NOT NULL ORDER BY conversation.id",
            [],
            |row| {
                Ok(OwnPolicyRow {
                    scope: PolicyScope::Conversation {
                        conversation: ConversationId(row.get(0)?),
                    },
                    policy: Policy::decode(row.get(1)?),
                })
            },
        )?);
        Ok(own)
    }

    /// Everybody follows the global policy: removes those of accounts and conversations.
    pub fn policies_clear(&self) -> Result<()> {
        self.atomically(|| {
            self.execute(
                "UPDATE account SET policy = NULL WHERE policy IS NOT NULL",
                [],
            )?;
            self.execute(
                "UPDATE conversation SET policy = NULL WHERE policy IS NOT NULL",
                [],
            )?;
            Ok(())
        })
    }
}

fn read_peer_key(row: &Row<'_>) -> rusqlite::Result<PeerKeyRow> {
    let at: Option<i64> = row.get(7)?;
    let how: Option<i64> = row.get(8)?;
    Ok(PeerKeyRow {
        id: PeerKeyId(row.get(0)?),
        account: AccountId(row.get(1)?),
        jid: row.get(2)?,
        fingerprint: row.get(3)?,
        trust: Trust::decode(row.get(4)?),
        first_seen: Timestamp(row.get(5)?),
        last_seen: Timestamp(row.get(6)?),
        verified: at.zip(how).map(|(at, how)| Verified {
            how: VerifiedHow::decode(how),
            at: Timestamp(at),
        }),
    })
}
