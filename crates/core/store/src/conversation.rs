//! Conversations: what is shown of them in lists, drafts, what was read.

use rusqlite::{Row, params};
use sotto_api::view::{Delivery, Direction, MessageKind, Policy};
use sotto_api::{AccountId, ConversationId, MessageId, Timestamp};

use crate::account::found;
use crate::code::Code;
use crate::error::Result;
use crate::row::{ConversationRow, LastMessage};
use crate::store::Store;

/// Of the joined table `message`, for [`Store::read_last`].
pub(crate) const LAST_COLUMNS: &str = "message.id, message.direction, message.kind,
    substr(message.body, 1, 200), message.at, message.delivery, message.kept";

/// Characters of a text that a list shows.
const PREVIEW: usize = 200;

impl Store {
    pub(crate) fn read_last(
        &self,
        row: &Row<'_>,
        first: usize,
    ) -> rusqlite::Result<Option<LastMessage>> {
        let Some(id) = row.get::<_, Option<i64>>(first)?.map(MessageId) else {
            return Ok(None);
        };
        let preview = if row.get(first + 6)? {
            row.get(first + 3)?
        } else {
            let unkept = self.unkept.borrow();
            unkept.body(id).chars().take(PREVIEW).collect()
        };
        Ok(Some(LastMessage {
            id,
            direction: Direction::decode(row.get(first + 1)?),
            kind: MessageKind::decode(row.get(first + 2)?),
            preview,
            at: Timestamp(row.get(first + 4)?),
            delivery: row.get::<_, Option<i64>>(first + 5)?.map(Delivery::decode),
        }))
    }

    fn read_conversation(&self, row: &Row<'_>) -> rusqlite::Result<ConversationRow> {
        Ok(ConversationRow {
            id: ConversationId(row.get(0)?),
            account: AccountId(row.get(1)?),
            jid: row.get(2)?,
            draft: self.read_draft(ConversationId(row.get(0)?), row.get(3)?),
            unread: row.get(4)?,
            keep_history: row.get(5)?,
            expire_days: row.get(6)?,
            policy: row.get::<_, Option<i64>>(7)?.map(Policy::decode),
            private_device: row.get(8)?,
            last: self.read_last(row, 9)?,
        })
    }

    /// The draft: what the row has, or what stands in memory.
    pub(crate) fn read_draft(&self, conversation: ConversationId, row: String) -> String {
        match self.unkept.borrow().draft(conversation) {
            Some(draft) => draft.to_owned(),
            None => row,
        }
    }

    /// The conversations with a draft in memory, as JSON.
    fn drafts_in_memory(&self) -> String {
        let ids: Vec<String> = self
            .unkept
            .borrow()
            .drafts()
            .map(|conversation| conversation.0.to_string())
            .collect();
        format!("[{}]", ids.join(","))
    }

    /// The conversation with an address, if there is one.
    pub fn conversation_find(
        &self,
        account: AccountId,
        jid: &str,
    ) -> Result<Option<ConversationId>> {
        self.one(
            "SELECT id FROM conversation WHERE account = ?1 AND jid = ?2",
            params![account.0, jid],
            |row| row.get(0).map(ConversationId),
        )
    }

    /// The conversation with an address, made when there is none.
    pub fn conversation_open(&self, account: AccountId, jid: &str) -> Result<ConversationId> {
        if let Some(known) = self.conversation_find(account, jid)? {
            return Ok(known);
        }
        self.execute(
            "INSERT INTO conversation (account, jid) VALUES (?1, ?2)",
            params![account.0, jid],
        )?;
        Ok(ConversationId(self.connection.last_insert_rowid()))
    }

    /// One conversation.
    pub fn conversation(&self, conversation: ConversationId) -> Result<Option<ConversationRow>> {
        self.one(
            &format!("{} WHERE conversation.id = ?1", sql()),
            [conversation.0],
            |row| self.read_conversation(row),
        )
    }

    /// Conversations with a message or a draft, the newest first; at most so many. Those of removed
    /// accounts as well.
    pub fn conversations(&self, limit: u32) -> Result<Vec<ConversationRow>> {
        self.all(
            &format!(
                "{} WHERE conversation.last_at IS NOT NULL OR conversation.draft <> ''
                 OR conversation.id IN (SELECT value FROM json_each(?2))
                 ORDER BY conversation.last_at DESC, conversation.id DESC LIMIT ?1",
                sql()
            ),
            params![limit, self.drafts_in_memory()],
            |row| self.read_conversation(row),
        )
    }

    /// The person has seen everything up to a message, or everything. Whether the unread count changed.
    /// What was read does not become unread again.
    pub fn conversation_read(
        &self,
        conversation: ConversationId,
        up_to: Option<MessageId>,
    ) -> Result<bool> {
        self.atomically(|| {
            let ord: Option<i64> = match up_to {
                Some(message) => self.one(
                    "SELECT ord FROM message WHERE id = ?1 AND conversation = ?2",
                    params![message.0, conversation.0],
                    |row| row.get(0),
                )?,
                None => self.one(
                    "SELECT tail FROM conversation WHERE id = ?1",
                    [conversation.0],
                    |row| row.get(0),
                )?,
            };
            let Some(ord) = ord else {
                return found(0, "message").map(|()| false);
            };
            let moved = self.execute(
                "UPDATE conversation SET read_ord = ?2 WHERE id = ?1 AND read_ord < ?2",
                params![conversation.0, ord],
            )?;
            if moved == 0 {
                return Ok(false);
            }
            self.recount_unread(conversation)
        })
    }

    /// Counts the unread messages anew. Whether the count changed.
    pub(crate) fn recount_unread(&self, conversation: ConversationId) -> Result<bool> {
        let changed = self.execute(
            "UPDATE conversation SET unread = fresh.count FROM
             (SELECT count(*) AS count FROM message, conversation AS own
              WHERE own.id = ?1 AND message.conversation = own.id AND message.ord > own.read_ord
              AND message.direction = 0 AND message.kind <> 2 AND message.deleted = 0) AS fresh
             WHERE conversation.id = ?1 AND unread <> fresh.count",
            [conversation.0],
        )?;
        Ok(changed > 0)
    }

    /// The first message not yet seen.
    pub fn first_unread(&self, conversation: ConversationId) -> Result<Option<MessageId>> {
        self.one(
            "SELECT message.id FROM conversation
             JOIN message ON message.conversation = conversation.id AND message.ord > read_ord
             WHERE conversation.id = ?1 AND unread > 0
             AND direction = 0 AND kind <> 2 AND deleted = 0
             ORDER BY message.ord LIMIT 1",
            [conversation.0],
            |row| row.get(0).map(MessageId),
        )
    }

    /// Finds the last message anew, after one was added at the end or erased.
    pub(crate) fn refresh_last(&self, conversation: ConversationId) -> Result<()> {
        self.execute(
            "UPDATE conversation SET (last_message, last_at) =
             (SELECT id, at FROM message WHERE conversation = ?1 ORDER BY ord DESC LIMIT 1)
             WHERE id = ?1",
            [conversation.0],
        )?;
        Ok(())
    }
}

fn sql() -> String {
    format!(
        "SELECT conversation.id, conversation.account, conversation.jid, conversation.draft,
         conversation.unread, conversation.keep_history, conversation.expire_days,
         conversation.policy, conversation.private_device, {LAST_COLUMNS}
         FROM conversation LEFT JOIN message ON message.id = conversation.last_message"
    )
}
