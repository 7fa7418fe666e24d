//! Histories of other programs: where their messages go among those that are here.

use rusqlite::params;
use sotto_api::{ConversationId, MessageId};

use crate::error::{Result, StoreError};
use crate::row::{Inserted, NewMessage, Place};
use crate::store::Store;

/// How far two clocks may be apart that saw the same message, in milliseconds.
pub(crate) const APART: i64 = 90_000;

impl Store {
    /// Whether a conversation has no message at all.
    pub fn conversation_is_empty(&self, conversation: ConversationId) -> Result<bool> {
        let any = self.one(
            "SELECT 1 FROM message WHERE conversation = ?1 LIMIT 1",
            [conversation.0],
            |_| Ok(()),
        )?;
        Ok(any.is_none())
    }

    /// Reserves so many places in a row before everything in a conversation, for [`Place::At`]. The first of them.
    pub fn places_before(&self, conversation: ConversationId, count: u64) -> Result<i64> {
        let count = i64::try_from(count).unwrap_or(i64::MAX / 2);
        self.one(
            "UPDATE conversation SET head = head - ?2 WHERE id = ?1 RETURNING head",
            params![conversation.0, count],
            |row| row.get(0),
        )?
        .ok_or(StoreError::NotFound {
            what: "conversation",
        })
    }

    /// Stores a message of another program's history, which `key` names, at the given place.
    ///
    /// One with this key is not stored again, nor one that came here by itself: the same words of the same side at
    /// about the same time. That one gets the key, so that it stands for one message only.
    pub fn message_take_over(
        &self,
        new: &NewMessage<'_>,
        place: Place,
        key: &str,
    ) -> Result<Inserted> {
        self.atomically(|| {
            let double: Option<MessageId> = self.one(
                "UPDATE message SET imported = ?6 WHERE id =
                 (SELECT id FROM message WHERE conversation = ?1 AND at BETWEEN ?2 - ?5 AND ?2 + ?5
                  AND direction = ?3 AND body = ?4 AND kept = 1 AND imported IS NULL
                  AND NOT EXISTS (SELECT 1 FROM message WHERE imported = ?6)
                  ORDER BY abs(at - ?2) LIMIT 1)
                 RETURNING id",
                params![
                    new.conversation.0,
                    new.at.0,
                    crate::code::Code::code(&new.direction),
                    new.body,
                    APART,
                    key
                ],
                |row| row.get(0).map(MessageId),
            )?;
            match double {
                Some(double) => Ok(Inserted::Known(double)),
                None => self.message_import(new, place, key),
            }
        })
    }

    /// The message of another program's history that the archive tells of now: the same words of the same side at
    /// about the same time, and not told of before. It gets the archive's id. What comes at this moment is never one.
    pub(crate) fn message_imported_like(
        &self,
        new: &NewMessage<'_>,
        archive_id: &str,
    ) -> Result<Option<MessageId>> {
        if new.received_at.0.saturating_sub(new.at.0) <= APART {
            return Ok(None);
        }
        self.one(
            "UPDATE message SET archive_id = ?6 WHERE id =
             (SELECT id FROM message WHERE conversation = ?1 AND at BETWEEN ?2 - ?5 AND ?2 + ?5
              AND direction = ?3 AND body = ?4 AND imported IS NOT NULL AND archive_id IS NULL
              ORDER BY abs(at - ?2) LIMIT 1)
             RETURNING id",
            params![
                new.conversation.0,
                new.at.0,
                crate::code::Code::code(&new.direction),
                new.body,
                APART,
                archive_id
            ],
            |row| row.get(0).map(MessageId),
        )
    }

    /// The messages of a conversation in the order of time, if they stand in another one after messages came before
    /// and between them; none if they stand as they should. What was not read yet, and what came after it, stays.
    pub fn order_by_time(&self, conversation: ConversationId) -> Result<Vec<MessageId>> {
        let mut latest = i64::MIN;
        let rows = self.all(
            "SELECT message.id, message.at, message.imported IS NOT NULL FROM message
             WHERE conversation = ?1 AND ord < coalesce(
                 (SELECT min(fresh.ord) FROM message AS fresh JOIN conversation AS own
                  ON own.id = fresh.conversation WHERE own.id = ?1 AND fresh.ord > own.read_ord
                  AND fresh.direction = 0 AND fresh.kind <> 2 AND fresh.deleted = 0),
                 9223372036854775807)
             ORDER BY ord",
            [conversation.0],
            |row| {
                let (id, at) = (row.get::<_, i64>(0)?, row.get::<_, i64>(1)?);
                let imported: bool = row.get(2)?;
                // Those that were here keep their order among themselves, whatever their clocks said.
                let at = if imported {
                    at
                } else {
                    latest = latest.max(at);
                    latest
                };
                Ok((at, MessageId(id)))
            },
        )?;
        if rows.is_sorted_by_key(|(at, _)| *at) {
            return Ok(Vec::new());
        }
        let mut rows = rows;
        rows.sort_by_key(|(at, _)| *at);
        Ok(rows.into_iter().map(|(_, id)| id).collect())
    }

    /// Gives messages places in a row, from `first` on, which [`Store::places_before`] reserved.
    pub fn messages_place(&self, messages: &[MessageId], first: i64) -> Result<()> {
        self.atomically(|| {
            for (ord, message) in (first..).zip(messages) {
                self.execute(
                    "UPDATE message SET ord = ?2 WHERE id = ?1",
                    params![message.0, ord],
                )?;
            }
            Ok(())
        })
    }

    /// The last message of a conversation, found anew.
    pub fn conversation_settle(&self, conversation: ConversationId) -> Result<()> {
        self.refresh_last(conversation)
    }
}
