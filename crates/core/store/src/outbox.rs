//! Stanzas that the server has not confirmed: stored before they leave, removed when it has them.

use rusqlite::{Params, Row, params};
use sotto_api::{AccountId, MessageId, Timestamp};

use crate::code::Code;
use crate::error::Result;
use crate::row::{NewOutbox, OutboxId, OutboxPurpose, OutboxRow};
use crate::store::Store;

pub(crate) const COLUMNS: &str =
    "id, account, message, purpose, stanza_id, xml, sequence, ambiguous, attempts, created, kept";

impl Store {
    /// Adds a stanza at the end. Commit it, durably, before it is handed to a stream. One in clear of a message
    /// that is not kept stands in memory only, and is gone when the program ends.
    pub fn outbox_add(&self, new: &NewOutbox<'_>) -> Result<OutboxId> {
        self.atomically(|| {
            let kept = match new.message {
                Some(message) => self.keeps_stanza_of(message)?,
                None => true,
            };
            self.execute(
                "INSERT INTO outbox (account, message, purpose, stanza_id, xml, created, kept)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    new.account.0,
                    new.message.map(|message| message.0),
                    new.purpose.code(),
                    new.stanza_id,
                    if kept { new.xml } else { "" },
                    new.created.0,
                    kept
                ],
            )?;
            let id = OutboxId(self.connection.last_insert_rowid());
            if !kept {
                self.unkept.borrow_mut().stanza_put(id, new.xml);
            }
            Ok(id)
        })
    }

    /// Everything that an account has to send or to see confirmed, in order.
    pub fn outbox(&self, account: AccountId) -> Result<Vec<OutboxRow>> {
        self.all(
            &format!("SELECT {COLUMNS} FROM outbox WHERE account = ?1 ORDER BY id"),
            [account.0],
            |row| self.read_outbox(row),
        )
    }

    /// What was not handed to the stream in force yet and is not in doubt, in order; at most so many.
    pub fn outbox_unsent(&self, account: AccountId, limit: u32) -> Result<Vec<OutboxRow>> {
        self.all(
            &format!(
                "SELECT {COLUMNS} FROM outbox WHERE account = ?1 AND sequence IS NULL
                 AND ambiguous = 0 ORDER BY id LIMIT ?2"
            ),
            params![account.0, limit],
            |row| self.read_outbox(row),
        )
    }

    /// What is in doubt, in order.
    pub fn outbox_ambiguous(&self, account: AccountId) -> Result<Vec<OutboxRow>> {
        self.all(
            &format!(
                "SELECT {COLUMNS} FROM outbox WHERE account = ?1 AND ambiguous = 1 ORDER BY id"
            ),
            [account.0],
            |row| self.read_outbox(row),
        )
    }

    /// The stanzas of one message, in order.
    pub fn outbox_of(&self, message: MessageId) -> Result<Vec<OutboxRow>> {
        self.all(
            &format!("SELECT {COLUMNS} FROM outbox WHERE message = ?1 ORDER BY id"),
            [message.0],
            |row| self.read_outbox(row),
        )
    }

    /// By the stanza's `id`.
    pub fn outbox_by_stanza_id(
        &self,
        account: AccountId,
        stanza_id: &str,
    ) -> Result<Option<OutboxRow>> {
        self.one(
            &format!("SELECT {COLUMNS} FROM outbox WHERE account = ?1 AND stanza_id = ?2 LIMIT 1"),
            params![account.0, stanza_id],
            |row| self.read_outbox(row),
        )
    }

    /// It was handed to a stream as the stanza with this outbound sequence number.
    pub fn outbox_set_sequence(&self, id: OutboxId, sequence: u32) -> Result<()> {
        self.execute(
            "UPDATE outbox SET sequence = ?2, ambiguous = 0, attempts = attempts + 1 WHERE id = ?1",
            params![id.0, sequence],
        )?;
        Ok(())
    }

    /// Whether a stanza was handed to a stream, this one or one that is gone, and is not confirmed.
    pub fn outbox_in_flight(&self, account: AccountId) -> Result<bool> {
        let found = self.one(
            "SELECT 1 FROM outbox WHERE account = ?1 AND purpose <> 2
             AND (sequence IS NOT NULL OR ambiguous = 1) ORDER BY id LIMIT 1",
            [account.0],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// The server has every stanza up to this sequence number (modulo 2³², XEP-0198 §4): removes them
    /// and returns them in order.
    pub fn outbox_settle(&self, account: AccountId, up_to: u32) -> Result<Vec<OutboxRow>> {
        let mut settled = self.outbox_take(
            &format!(
                "DELETE FROM outbox WHERE account = ?1 AND sequence IS NOT NULL
                 AND ((?2 - sequence) & 4294967295) < 2147483648 RETURNING {COLUMNS}"
            ),
            params![account.0, up_to],
        )?;
        settled.sort_unstable_by_key(|row| row.id);
        Ok(settled)
    }

    /// The stream is gone for good (a fresh bind): what was handed to it is in doubt now. How many are.
    pub fn outbox_doubt(&self, account: AccountId) -> Result<usize> {
        self.execute(
            "UPDATE outbox SET ambiguous = 1, sequence = NULL
             WHERE account = ?1 AND sequence IS NOT NULL",
            [account.0],
        )
    }

    /// The server does not have it: it is to be sent (again), with the same id and in its old place.
    pub fn outbox_clear(&self, id: OutboxId) -> Result<()> {
        self.execute(
            "UPDATE outbox SET ambiguous = 0, sequence = NULL WHERE id = ?1",
            [id.0],
        )?;
        Ok(())
    }

    /// It is done with: found in the archive, refused, withdrawn. Whether it was there.
    pub fn outbox_remove(&self, id: OutboxId) -> Result<bool> {
        self.unkept.borrow_mut().stanza_remove(id);
        Ok(self.execute("DELETE FROM outbox WHERE id = ?1", [id.0])? > 0)
    }

    /// Runs a statement that removes rows and returns them.
    pub(crate) fn outbox_take(&self, sql: &str, params: impl Params) -> Result<Vec<OutboxRow>> {
        let rows = self.all(sql, params, |row| self.read_outbox(row))?;
        let mut unkept = self.unkept.borrow_mut();
        for row in &rows {
            unkept.stanza_remove(row.id);
        }
        Ok(rows)
    }

    fn read_outbox(&self, row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
        let id = OutboxId(row.get(0)?);
        let xml = if row.get(10)? {
            row.get(5)?
        } else {
            self.unkept.borrow().stanza(id).to_owned()
        };
        Ok(OutboxRow {
            id,
            account: AccountId(row.get(1)?),
            message: row.get::<_, Option<i64>>(2)?.map(MessageId),
            purpose: OutboxPurpose::decode(row.get(3)?),
            stanza_id: row.get(4)?,
            xml,
            sequence: row.get(6)?,
            ambiguous: row.get(7)?,
            attempts: row.get(8)?,
            created: Timestamp(row.get(9)?),
        })
    }
}
