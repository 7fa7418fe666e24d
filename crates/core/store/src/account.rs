//! Accounts, their stored passwords, and settings.

use rusqlite::{Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sotto_api::view::Availability;
use sotto_api::{AccountId, AccountSettings, Secret, Timestamp};
use zeroize::Zeroizing;

use crate::code::Code;
use crate::error::{Result, StoreError};
use crate::row::{AccountRow, CredentialRow, Erasure, NewAccount};
use crate::store::Store;

/// The one purpose so far; SIP and others add theirs.
const PASSWORD: &str = "password";

const ACCOUNT: &str =
    "SELECT account.id, network, address, enabled, settings, availability, status_text, agent_id,
    EXISTS (SELECT 1 FROM credential WHERE credential.account = account.id AND purpose = 'password')
    FROM account WHERE removed = 0";

impl Store {
    /// Adds an account. One that was removed while its history stayed comes back with its old id.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] when the address is there on this network.
    pub fn account_add(&self, account: &NewAccount<'_>) -> Result<AccountId> {
        let settings = settings_json(account.settings)?;
        self.atomically(|| {
            let known = self.one(
                "SELECT id, removed FROM account WHERE network = ?1 AND address = ?2",
                params![account.network, account.address],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?)),
            )?;
            match known {
                Some((_, false)) => Err(StoreError::Exists { what: "account" }),
                Some((id, true)) => {
                    self.execute(
                        "UPDATE account SET enabled = ?2, removed = 0, settings = ?3, agent_id = ?4,
                         availability = 1, status_text = '' WHERE id = ?1",
                        params![id, account.enabled, settings.as_str(), account.agent_id],
                    )?;
                    Ok(AccountId(id))
                }
                None => {
                    self.execute(
                        "INSERT INTO account (network, address, enabled, settings, agent_id)
                         VALUES (?1, ?2, ?3, ?4, ?5)",
                        params![
                            account.network,
                            account.address,
                            account.enabled,
                            settings.as_str(),
                            account.agent_id
                        ],
                    )?;
                    Ok(AccountId(self.connection.last_insert_rowid()))
                }
            }
        })
    }

    /// All accounts, in the order in which they were added.
    pub fn accounts(&self) -> Result<Vec<AccountRow>> {
        self.all(&format!("{ACCOUNT} ORDER BY id"), [], read_account)
    }

    /// One account.
    pub fn account(&self, account: AccountId) -> Result<Option<AccountRow>> {
        self.one(&format!("{ACCOUNT} AND id = ?1"), [account.0], read_account)
    }

    /// Whether it should be online.
    pub fn account_set_enabled(&self, account: AccountId, enabled: bool) -> Result<()> {
        let changed = self.execute(
            "UPDATE account SET enabled = ?2 WHERE id = ?1 AND removed = 0",
            params![account.0, enabled],
        )?;
        found(changed, "account")
    }

    /// Replaces the advanced page.
    pub fn account_set_settings(
        &self,
        account: AccountId,
        settings: &AccountSettings,
    ) -> Result<()> {
        let json = settings_json(settings)?;
        let changed = self.execute(
            "UPDATE account SET settings = ?2 WHERE id = ?1 AND removed = 0",
            params![account.0, json.as_str()],
        )?;
        found(changed, "account")
    }

    /// Replaces the person's own status.
    pub fn account_set_status(
        &self,
        account: AccountId,
        availability: Availability,
        text: &str,
    ) -> Result<()> {
        let changed = self.execute(
            "UPDATE account SET availability = ?2, status_text = ?3 WHERE id = ?1 AND removed = 0",
            params![account.0, availability.code(), text],
        )?;
        found(changed, "account")
    }

    /// Removes an account with its password, keys, trust, roster, stream state and outbox. Its conversations stay, with
    /// their own policies; with `erase_history` [`Store::erase_step`] erases them, and then what is left of the account.
    pub fn account_remove(&self, account: AccountId, erase_history: bool) -> Result<()> {
        self.atomically(|| {
            let conversations: i64 = self
                .one(
                    "SELECT count(*) FROM conversation WHERE account = ?1",
                    [account.0],
                    |row| row.get(0),
                )?
                .unwrap_or(0);
            self.forget_unsent(account)?;
            let changed = self.execute(
                "UPDATE account SET removed = 1, enabled = 0, settings = '{}', agent_id = '',
                 policy = NULL
                 WHERE id = ?1 AND removed = 0",
                [account.0],
            )?;
            found(changed, "account")?;
            for sql in [
                "DELETE FROM credential WHERE account = ?1",
                "DELETE FROM cert_pin WHERE account = ?1",
                "DELETE FROM cert_seen WHERE account = ?1",
                "DELETE FROM mechanism_memory WHERE account = ?1",
                "DELETE FROM sm_state WHERE account = ?1",
                "DELETE FROM roster_meta WHERE account = ?1",
                "DELETE FROM address WHERE account = ?1",
                "DELETE FROM presence WHERE account = ?1",
                "DELETE FROM subscription_request WHERE account = ?1",
                "DELETE FROM blocked WHERE account = ?1",
                "DELETE FROM avatar_of WHERE account = ?1",
                "DELETE FROM outbox WHERE account = ?1",
                "DELETE FROM otr_key WHERE account = ?1",
                "DELETE FROM instance_tag WHERE account = ?1",
                "DELETE FROM otr_state WHERE account = ?1",
                "DELETE FROM peer_key WHERE account = ?1",
                "DELETE FROM private_waiting WHERE message IN (SELECT message.id FROM message
                 JOIN conversation ON conversation.id = conversation WHERE account = ?1)",
                // Nothing sends them any more, and what waits would never expire.
                "UPDATE message SET waits_private = 0, delivery = 9
                 WHERE (waits_private = 1 OR (direction = 1 AND delivery = 0))
                 AND conversation IN (SELECT id FROM conversation WHERE account = ?1)",
                "UPDATE conversation SET draft = '', private_device = NULL WHERE account = ?1",
            ] {
                self.execute(sql, [account.0])?;
            }
            // Added again, it must not bring back what was erased.
            self.archive_state_clear(account)?;
            if erase_history {
                self.erase_begin(&Erasure::Removed(account))?;
            } else if conversations == 0 {
                self.execute("DELETE FROM account WHERE id = ?1", [account.0])?;
            }
            self.remove_loose_contacts()?;
            self.remove_loose_avatars()
        })
    }

    // ---- passwords ---------------------------------------------------------------------------

    /// Keeps the password of an account.
    pub fn credential_set(
        &self,
        account: AccountId,
        password: &Secret,
        at: Timestamp,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO credential (account, purpose, secret, stored_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET secret = excluded.secret, stored_at = excluded.stored_at",
            params![account.0, PASSWORD, password.expose(), at.0],
        )?;
        Ok(())
    }

    /// The password of an account, if it is kept.
    pub fn credential(&self, account: AccountId) -> Result<Option<Secret>> {
        self.one(
            "SELECT secret FROM credential WHERE account = ?1 AND purpose = ?2",
            params![account.0, PASSWORD],
            |row| row.get(0).map(Secret::new),
        )
    }

    /// Forgets the password of an account.
    pub fn credential_remove(&self, account: AccountId) -> Result<()> {
        self.execute("DELETE FROM credential WHERE account = ?1", [account.0])?;
        Ok(())
    }

    /// Which passwords are kept.
    pub fn credentials(&self) -> Result<Vec<CredentialRow>> {
        self.all(
            "SELECT account, stored_at FROM credential WHERE purpose = ?1 ORDER BY account",
            [PASSWORD],
            |row| {
                Ok(CredentialRow {
                    account: AccountId(row.get(0)?),
                    stored_at: Timestamp(row.get(1)?),
                })
            },
        )
    }

    // ---- settings ----------------------------------------------------------------------------

    /// A setting of the program.
    ///
    /// # Errors
    ///
    /// [`StoreError::Value`] when what is stored does not read as `T`.
    pub fn setting<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let json = self.one("SELECT json FROM setting WHERE key = ?1", [key], |row| {
            row.get::<_, String>(0)
        })?;
        json.map(|json| serde_json::from_str(&json).map_err(|_| value_error(key)))
            .transpose()
    }

    /// Replaces a setting of the program.
    pub fn setting_set<T: Serialize>(&self, key: &str, value: &T) -> Result<()> {
        let json = serde_json::to_string(value).map_err(|_| value_error(key))?;
        self.execute(
            "INSERT INTO setting (key, json) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET json = excluded.json",
            params![key, json],
        )?;
        Ok(())
    }

    /// Forgets a setting of the program.
    pub fn setting_remove(&self, key: &str) -> Result<()> {
        self.execute("DELETE FROM setting WHERE key = ?1", [key])?;
        Ok(())
    }
}

/// That an update met its row.
pub(crate) fn found(changed: usize, what: &'static str) -> Result<()> {
    if changed == 0 {
        return Err(StoreError::NotFound { what });
    }
    Ok(())
}

fn value_error(key: &str) -> StoreError {
    StoreError::Value { key: key.into() }
}

fn settings_json(settings: &AccountSettings) -> Result<Zeroizing<String>> {
    serde_json::to_string(settings)
        .map(Zeroizing::new)
        .map_err(|_| value_error("account settings"))
}

fn read_account(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    let settings = Zeroizing::new(row.get::<_, String>(4)?);
    Ok(AccountRow {
        id: AccountId(row.get(0)?),
        network: row.get(1)?,
        address: row.get(2)?,
        enabled: row.get(3)?,
        // A page that a later version wrote, or that is broken, must not keep the list from opening.
        settings: serde_json::from_str(&settings).unwrap_or_default(),
        availability: Availability::decode(row.get(5)?),
        status_text: row.get(6)?,
        agent_id: row.get(7)?,
        remembered: row.get(8)?,
    })
}
