//! What is remembered about servers: accepted keys, mechanisms, stream and archive positions, capabilities.

use rusqlite::params;
use sotto_api::{AccountId, Timestamp};

use crate::error::Result;
use crate::row::{ArchiveState, CertPinRow, CertSeenRow};
use crate::store::Store;

/// Most entries of the capabilities cache (S-XMPP-15).
pub const CAPS_LIMIT: u32 = 2000;

impl Store {
    // ---- certificates ------------------------------------------------------------------------

    /// Accepts exactly this key for this account and domain (S-TLS-05).
    pub fn cert_pin_add(
        &self,
        account: AccountId,
        domain: &str,
        spki: &[u8; 32],
        at: Timestamp,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO cert_pin (account, domain, spki, at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
            params![account.0, domain, spki.as_slice(), at.0],
        )?;
        Ok(())
    }

    /// The keys accepted for this account and domain.
    pub fn cert_pins(&self, account: AccountId, domain: &str) -> Result<Vec<[u8; 32]>> {
        self.all(
            "SELECT spki FROM cert_pin WHERE account = ?1 AND domain = ?2 ORDER BY at",
            params![account.0, domain],
            |row| row.get(0),
        )
    }

    /// Every accepted key, for the list in the settings.
    pub fn cert_pins_all(&self) -> Result<Vec<CertPinRow>> {
        self.all(
            "SELECT account, domain, spki, at FROM cert_pin ORDER BY account, domain, at",
            [],
            |row| {
                Ok(CertPinRow {
                    account: AccountId(row.get(0)?),
                    domain: row.get(1)?,
                    spki: row.get(2)?,
                    at: Timestamp(row.get(3)?),
                })
            },
        )
    }

    /// Takes the acceptance back.
    pub fn cert_pin_remove(&self, account: AccountId, domain: &str, spki: &[u8; 32]) -> Result<()> {
        self.execute(
            "DELETE FROM cert_pin WHERE account = ?1 AND domain = ?2 AND spki = ?3",
            params![account.0, domain, spki.as_slice()],
        )?;
        Ok(())
    }

    /// Remembers the certificate that a log-in went through with.
    pub fn cert_seen_set(
        &self,
        account: AccountId,
        domain: &str,
        seen: &CertSeenRow,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO cert_seen (account, domain, spki, json, at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET spki = excluded.spki, json = excluded.json, at = excluded.at",
            params![account.0, domain, seen.spki.as_slice(), seen.json, seen.at.0],
        )?;
        Ok(())
    }

    /// The certificate that the last log-in went through with.
    pub fn cert_seen(&self, account: AccountId, domain: &str) -> Result<Option<CertSeenRow>> {
        self.one(
            "SELECT spki, json, at FROM cert_seen WHERE account = ?1 AND domain = ?2",
            params![account.0, domain],
            |row| {
                Ok(CertSeenRow {
                    spki: row.get(0)?,
                    json: row.get(1)?,
                    at: Timestamp(row.get(2)?),
                })
            },
        )
    }

    // ---- log-in and stream -------------------------------------------------------------------

    /// The best log-in mechanism seen, as JSON (S-TLS-06, S-TLS-07).
    pub fn mechanism_memory(&self, account: AccountId) -> Result<Option<String>> {
        self.one(
            "SELECT json FROM mechanism_memory WHERE account = ?1",
            [account.0],
            |row| row.get(0),
        )
    }

    /// Replaces the memory of mechanisms; absent forgets it.
    pub fn mechanism_memory_set(&self, account: AccountId, json: Option<&str>) -> Result<()> {
        self.json_set(
            account,
            json,
            "INSERT INTO mechanism_memory (account, json) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET json = excluded.json",
            "DELETE FROM mechanism_memory WHERE account = ?1",
        )
    }

    /// The position of the stream that can be resumed (XEP-0198), as JSON.
    pub fn sm_state(&self, account: AccountId) -> Result<Option<String>> {
        self.one(
            "SELECT json FROM sm_state WHERE account = ?1",
            [account.0],
            |row| row.get(0),
        )
    }

    /// Replaces the position of the stream; absent forgets it. Commit it together with the effects of
    /// the stanzas that it counts.
    pub fn sm_state_set(&self, account: AccountId, json: Option<&str>) -> Result<()> {
        self.json_set(
            account,
            json,
            "INSERT INTO sm_state (account, json) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET json = excluded.json",
            "DELETE FROM sm_state WHERE account = ?1",
        )
    }

    fn json_set(
        &self,
        account: AccountId,
        json: Option<&str>,
        set: &str,
        remove: &str,
    ) -> Result<()> {
        match json {
            Some(json) => self.execute(set, params![account.0, json])?,
            None => self.execute(remove, [account.0])?,
        };
        Ok(())
    }

    // ---- archive -----------------------------------------------------------------------------

    /// How far the archive is known: as a whole, or of one conversation partner.
    pub fn archive_state(&self, account: AccountId, peer: Option<&str>) -> Result<ArchiveState> {
        let state = self.one(
            "SELECT newest, oldest, complete FROM archive_state WHERE account = ?1 AND peer = ?2",
            params![account.0, peer.unwrap_or_default()],
            |row| {
                Ok(ArchiveState {
                    newest: row.get(0)?,
                    oldest: row.get(1)?,
                    complete: row.get(2)?,
                })
            },
        )?;
        Ok(state.unwrap_or_default())
    }

    /// Replaces it.
    pub fn archive_state_set(
        &self,
        account: AccountId,
        peer: Option<&str>,
        state: &ArchiveState,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO archive_state (account, peer, newest, oldest, complete)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET
             newest = excluded.newest, oldest = excluded.oldest, complete = excluded.complete",
            params![
                account.0,
                peer.unwrap_or_default(),
                state.newest,
                state.oldest,
                state.complete
            ],
        )?;
        Ok(())
    }

    /// Forgets from where the archive of an account is read on: the server does not know the place, or the
    /// account is removed. What keeps erased messages from coming back stays: the places of the conversations,
    /// what was closed, and until when.
    pub fn archive_state_clear(&self, account: AccountId) -> Result<()> {
        self.execute(
            "UPDATE archive_state SET newest = NULL, oldest = NULL, complete = 0
             WHERE account = ?1 AND peer = ''",
            [account.0],
        )?;
        Ok(())
    }

    // ---- capabilities ------------------------------------------------------------------------

    /// What was learnt under a verified capabilities hash, as JSON. The key names algorithm and hash.
    pub fn caps(&self, key: &str) -> Result<Option<String>> {
        self.one("SELECT json FROM caps_cache WHERE key = ?1", [key], |row| {
            row.get(0)
        })
    }

    /// Keeps it; the oldest beyond [`CAPS_LIMIT`] go.
    pub fn caps_set(&self, key: &str, json: &str) -> Result<()> {
        self.atomically(|| {
            self.execute(
                "INSERT OR REPLACE INTO caps_cache (key, json) VALUES (?1, ?2)",
                params![key, json],
            )?;
            self.execute(
                "DELETE FROM caps_cache WHERE id <=
                 (SELECT id FROM caps_cache ORDER BY id DESC LIMIT 1 OFFSET ?1)",
                [CAPS_LIMIT],
            )?;
            Ok(())
        })
    }
}
