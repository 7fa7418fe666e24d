//! Calls: who called whom, and how it came out.

use rusqlite::params;
use sotto_api::view::Direction;
use sotto_api::{AccountId, Timestamp};

use crate::code::Code;
use crate::error::{Result, StoreError};
use crate::row::{CallOutcome, CallRow, NewCall};
use crate::store::Store;

impl Store {
    /// Keeps a call. Whether it is new: one of another program that is here already is not stored again.
    pub fn call_add(&self, call: &NewCall<'_>) -> Result<bool> {
        let participants =
            serde_json::to_string(call.participants).map_err(|_| StoreError::Value {
                key: "participants of a call".into(),
            })?;
        let changed = self.execute(
            "INSERT INTO call (account, peer, direction, outcome, started_at, ended_at, end_reason,
             participants, imported) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (imported) WHERE imported IS NOT NULL DO NOTHING",
            params![
                call.account.map(|account| account.0),
                call.peer,
                call.direction.code(),
                call.outcome.code(),
                call.started_at.0,
                call.ended_at.0,
                call.end_reason,
                participants,
                call.imported
            ],
        )?;
        Ok(changed > 0)
    }

    /// Calls that began before a time, or all, the newest first; at most so many.
    pub fn calls(&self, before: Option<Timestamp>, limit: u32) -> Result<Vec<CallRow>> {
        self.all(
            "SELECT id, account, peer, direction, outcome, started_at, ended_at, end_reason,
             participants FROM call WHERE started_at < ?1
             ORDER BY started_at DESC, id DESC LIMIT ?2",
            params![before.map_or(i64::MAX, |before| before.0), limit],
            |row| {
                let participants: String = row.get(8)?;
                Ok(CallRow {
                    id: row.get(0)?,
                    account: row.get::<_, Option<i64>>(1)?.map(AccountId),
                    peer: row.get(2)?,
                    direction: Direction::decode(row.get(3)?),
                    outcome: CallOutcome::decode(row.get(4)?),
                    started_at: Timestamp(row.get(5)?),
                    ended_at: Timestamp(row.get(6)?),
                    end_reason: row.get(7)?,
                    participants: serde_json::from_str(&participants).unwrap_or_default(),
                })
            },
        )
    }
}
