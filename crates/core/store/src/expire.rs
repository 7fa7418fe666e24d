//! Messages and calls that have been kept for long enough.
//!
//! Their time counts from when they came to this computer, so that what was missed for a week is not gone
//! before anybody has read it.

use rusqlite::params;
use sotto_api::{ConversationId, MessageId, Timestamp};

use crate::erase::Older;
use crate::error::Result;
use crate::store::Store;

const DAY_MS: i64 = 86_400_000;

/// Kept long enough: `?1` days for everyone, now `?2`. Not what still waits to be sent.
///
/// A message is never written after it came, so the index on `at` finds all of them.
const TOO_OLD: &str = "message.at < ?2 - coalesce(expire_days, ?1) * 86400000
    AND received_at < ?2 - coalesce(expire_days, ?1) * 86400000
    AND NOT (direction = 1 AND delivery = 0)";

impl Store {
    /// After how many days messages of a conversation expire; 0: never; absent: as for everyone.
    pub fn conversation_set_expiry(
        &self,
        conversation: ConversationId,
        days: Option<u32>,
    ) -> Result<()> {
        let changed = self.execute(
            "UPDATE conversation SET expire_days = ?2 WHERE id = ?1",
            params![conversation.0, days],
        )?;
        crate::account::found(changed, "conversation")
    }

    /// Erases what is too old in one conversation, the oldest first, and calls that are. `days` holds for
    /// conversations without a choice of their own; 0: never. How much was erased: call again, with pauses,
    /// until it is nothing.
    pub fn expire(&self, days: u32, now: Timestamp, limit: u32) -> Result<usize> {
        self.atomically(|| {
            let calls = self.execute(
                "DELETE FROM call WHERE id IN (SELECT call.id FROM call
                 LEFT JOIN conversation ON conversation.account = call.account AND jid = peer
                 WHERE coalesce(expire_days, ?1) > 0
                 AND started_at < ?2 - coalesce(expire_days, ?1) * 86400000 LIMIT ?3)",
                params![days, now.0, limit],
            )?;
            let conversation = self.one(
                &format!(
                    "SELECT id FROM conversation WHERE coalesce(expire_days, ?1) > 0 AND EXISTS
                     (SELECT 1 FROM message WHERE conversation = conversation.id AND {TOO_OLD})
                     LIMIT 1"
                ),
                params![days, now.0],
                |row| row.get(0).map(ConversationId),
            )?;
            let Some(conversation) = conversation else {
                return Ok(calls);
            };
            let mut batch = self.all(
                &format!(
                    "SELECT message.id FROM conversation
                     JOIN message ON message.conversation = conversation.id
                     WHERE conversation.id = ?3 AND {TOO_OLD} ORDER BY message.at LIMIT ?4"
                ),
                params![days, now.0, conversation.0, limit],
                |row| Ok((MessageId(row.get(0)?), conversation)),
            )?;
            batch.sort_unstable();
            self.erase_rows(&batch, Older::Closes, true)?;
            Ok(batch.len() + calls)
        })
    }

    /// Whether anything can expire at all.
    pub fn can_expire(&self, days: u32) -> Result<bool> {
        let own = self.one(
            "SELECT 1 FROM conversation WHERE expire_days > 0 LIMIT 1",
            [],
            |_| Ok(()),
        )?;
        Ok(days > 0 || own.is_some())
    }

    /// When the next message or call expires, at the earliest; absent: none is here that does.
    pub fn expires_next(&self, days: u32) -> Result<Option<Timestamp>> {
        self.one(
            "SELECT min(due) FROM (
                 SELECT (SELECT min(at) FROM message WHERE conversation = conversation.id)
                     + coalesce(expire_days, ?1) * 86400000 AS due
                 FROM conversation WHERE coalesce(expire_days, ?1) > 0
                 UNION ALL SELECT min(started_at) + ?1 * 86400000 FROM call WHERE ?1 > 0)",
            [days],
            |row| Ok(row.get::<_, Option<i64>>(0)?.map(Timestamp)),
        )
        .map(Option::flatten)
    }

    /// What was written before then does not belong into a conversation any more; absent: it all does.
    pub fn expired_before(
        &self,
        conversation: ConversationId,
        days: u32,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let days = self.one(
            "SELECT coalesce(expire_days, ?2) FROM conversation WHERE id = ?1",
            params![conversation.0, days],
            |row| row.get::<_, i64>(0),
        )?;
        Ok(days
            .filter(|days| *days > 0)
            .map(|days| Timestamp(now.0.saturating_sub(days.saturating_mul(DAY_MS)))))
    }
}
