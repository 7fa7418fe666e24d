//! Days on which something was said, and what was said on them. What a day is, the caller knows: here are
//! spans of time. Only what is kept counts.

use rusqlite::{Row, params};
use sotto_api::{ConversationId, MessageId, Timestamp};

use crate::error::{Result, StoreError};
use crate::message::MESSAGE_COLUMNS;
use crate::row::{DayRow, MessageRow};
use crate::store::Store;

impl Store {
    /// When the last message before a time was written, in one conversation or in all.
    pub fn last_before(
        &self,
        conversation: Option<ConversationId>,
        before: Timestamp,
    ) -> Result<Option<Timestamp>> {
        match conversation {
            Some(conversation) => self.one(
                "SELECT at FROM message WHERE conversation = ?1 AND at < ?2 AND kind <> 2 AND kept = 1
                 ORDER BY at DESC LIMIT 1",
                params![conversation.0, before.0],
                read_time,
            ),
            None => self.one(
                "SELECT at FROM message WHERE at < ?1 AND kind <> 2 AND kept = 1
                 ORDER BY at DESC LIMIT 1",
                [before.0],
                read_time,
            ),
        }
    }

    /// What was said from one time on, before another; absent: nothing.
    pub fn day(
        &self,
        conversation: Option<ConversationId>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Option<DayRow>> {
        let (messages, first) = match conversation {
            Some(conversation) => {
                let span = params![conversation.0, from.0, to.0];
                let messages = self.one(
                    "SELECT count(*) FROM message
                     WHERE conversation = ?1 AND at >= ?2 AND at < ?3 AND kind <> 2 AND kept = 1",
                    span,
                    read_count,
                )?;
                // The first of a conversation was written among the first.
                let first = self.one(
                    "SELECT id FROM (SELECT id, ord FROM message
                     WHERE conversation = ?1 AND at >= ?2 AND at < ?3 AND kind <> 2 AND kept = 1
                     ORDER BY at LIMIT 50) ORDER BY ord LIMIT 1",
                    span,
                    read_id,
                )?;
                (messages, first)
            }
            None => {
                let span = params![from.0, to.0];
                let messages = self.one(
                    "SELECT count(*) FROM message
                     WHERE at >= ?1 AND at < ?2 AND kind <> 2 AND kept = 1",
                    span,
                    read_count,
                )?;
                let first = self.one(
                    "SELECT id FROM message
                     WHERE at >= ?1 AND at < ?2 AND kind <> 2 AND kept = 1 ORDER BY at LIMIT 1",
                    span,
                    read_id,
                )?;
                (messages, first)
            }
        };
        Ok(first.map(|first| DayRow {
            first,
            messages: messages.unwrap_or(0),
        }))
    }

    /// What was said in all conversations from one time on, before another, in the order of time: at most so many,
    /// after a message of that span or from its beginning.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when `after` is not there any more.
    pub fn said_between(
        &self,
        from: Timestamp,
        to: Timestamp,
        after: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<MessageRow>> {
        // The place after which it goes on; message numbers begin at 1.
        let (at, id) = match after {
            Some(after) => self
                .one("SELECT at FROM message WHERE id = ?1", [after.0], read_time)?
                .map(|at| (at.0, after.0))
                .ok_or(StoreError::NotFound { what: "message" })?,
            None => (from.0, 0),
        };
        self.all(
            &format!(
                "SELECT {MESSAGE_COLUMNS} FROM message
                 WHERE at >= ?1 AND at < ?2 AND kind <> 2 AND kept = 1 AND (at, id) > (?3, ?4)
                 ORDER BY at, id LIMIT ?5"
            ),
            params![from.0, to.0, at, id, limit],
            |row| self.read_message(row),
        )
    }

    /// Messages of a conversation that are kept, after one or from the beginning, in order; at most so many.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when `after` is not in the conversation any more.
    pub fn kept_after(
        &self,
        conversation: ConversationId,
        after: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<MessageRow>> {
        let ord = match after {
            Some(after) => self.one(
                "SELECT ord FROM message WHERE id = ?1 AND conversation = ?2",
                params![after.0, conversation.0],
                |row| row.get(0),
            )?,
            None => Some(i64::MIN),
        };
        let ord: i64 = ord.ok_or(StoreError::NotFound { what: "message" })?;
        self.all(
            &format!(
                "SELECT {MESSAGE_COLUMNS} FROM message
                 WHERE conversation = ?1 AND ord > ?2 AND kept = 1 ORDER BY ord LIMIT ?3"
            ),
            params![conversation.0, ord, limit],
            |row| self.read_message(row),
        )
    }
}

fn read_time(row: &Row<'_>) -> rusqlite::Result<Timestamp> {
    row.get(0).map(Timestamp)
}

fn read_count(row: &Row<'_>) -> rusqlite::Result<u32> {
    row.get(0)
}

fn read_id(row: &Row<'_>) -> rusqlite::Result<MessageId> {
    row.get(0).map(MessageId)
}
