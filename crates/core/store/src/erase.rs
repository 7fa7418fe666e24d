//! Erasing for good: `secure_delete` overwrites what is freed, [`Store::checkpoint`] empties the log.

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};
use sotto_api::{AccountId, ConversationId, MessageId, Timestamp};

use crate::error::{Result, StoreError};
use crate::store::Store;

impl Store {
    /// Erases one message with its earlier texts, its words in the index and its place in the outbox.
    pub fn message_erase(&self, message: MessageId) -> Result<()> {
        self.atomically(|| {
            let conversation = self
                .message(message)?
                .ok_or(StoreError::NotFound { what: "message" })?
                .conversation;
            self.erase_rows(&[(message, conversation)])?;
            self.recount_unread(conversation)?;
            self.refresh_last(conversation)
        })
    }

    /// Erases all messages and the draft of a conversation; the conversation itself stays.
    ///
    /// For more than a handful of messages the index keeps their words, without the messages, until
    /// [`Store::tidy`] has run to its end.
    pub fn conversation_erase(&self, conversation: ConversationId) -> Result<()> {
        self.atomically(|| {
            self.erase_rows(&self.all(
                "SELECT id, conversation FROM message WHERE conversation = ?1 ORDER BY id",
                [conversation.0],
                read_place,
            )?)?;
            self.execute(
                "UPDATE conversation SET draft = '', unread = 0, last_message = NULL, last_at = NULL
                 WHERE id = ?1",
                [conversation.0],
            )?;
            Ok(())
        })
    }

    /// Rewrites a part of the index so that nothing of erased messages is left in it; some 10 to 50 ms.
    /// Whether there is more to do: call it again, with pauses, until there is not. What is left undone
    /// at the end of the program is there at the next start.
    pub fn tidy(&self) -> Result<bool> {
        let Some(state) = self.setting::<Untidy>(UNTIDY)? else {
            return Ok(false);
        };
        self.atomically(|| match state {
            Untidy::Erased => {
                // FTS5 leaves an index that is one segment as it is, traces included: give it a second.
                self.index_mark("INSERT INTO message_words (rowid, words) VALUES (?1, ?2)")?;
                self.setting_set(UNTIDY, &Untidy::Merging)?;
                Ok(true)
            }
            Untidy::Merging => {
                let before = self.connection.total_changes();
                // Negative: also merges what would not be merged by itself (FTS5 §6.8).
                self.execute(
                    "INSERT INTO message_words (message_words, rank) VALUES ('merge', ?1)",
                    [-TIDY_PAGES],
                )?;
                let more = self.connection.total_changes() - before >= 2;
                if !more {
                    self.index_mark(
                        "INSERT INTO message_words (message_words, rowid, words)
                         VALUES ('delete', ?1, ?2)",
                    )?;
                    self.setting_remove(UNTIDY)?;
                }
                Ok(more)
            }
        })
    }

    /// An entry that belongs to no message.
    fn index_mark(&self, sql: &str) -> Result<()> {
        self.execute(sql, params![NO_MESSAGE, "\u{e000}"])?;
        Ok(())
    }

    fn secure_index(&self, secure: bool) -> Result<()> {
        self.execute(
            "INSERT INTO message_words (message_words, rank) VALUES ('secure-delete', ?1)",
            [secure],
        )?;
        Ok(())
    }

    /// Erases the messages of a conversation that were written or came before a time, the oldest first and
    /// at most so many; an expiry. How many were erased: fewer than `limit` when it is through.
    pub fn conversation_expire(
        &self,
        conversation: ConversationId,
        before: Timestamp,
        limit: u32,
    ) -> Result<usize> {
        self.atomically(|| {
            // Old messages lie at the front. Looking no further keeps the usual case, that nothing is to
            // be done, from reading the whole conversation.
            let batch = self.all(
                "SELECT id, conversation FROM (SELECT * FROM message WHERE conversation = ?1
                 ORDER BY ord LIMIT max(?3, ?4)) WHERE min(at, received_at) < ?2 LIMIT ?3",
                params![conversation.0, before.0, limit, FRONT],
                read_place,
            )?;
            let count = batch.len();
            if count > 0 {
                self.erase_rows(&batch)?;
                self.recount_unread(conversation)?;
                self.refresh_last(conversation)?;
            }
            Ok(count)
        })
    }

    /// Erases every conversation of an account. Privacy policies of single conversations stay.
    pub fn erase_account_history(&self, account: AccountId) -> Result<()> {
        self.atomically(|| {
            self.erase_rows(&self.all(
                "SELECT message.id, conversation FROM message
                 JOIN conversation ON conversation.id = message.conversation
                 WHERE account = ?1 ORDER BY message.id",
                [account.0],
                read_place,
            )?)?;
            self.forget_conversations(Some(account))?;
            self.execute("DELETE FROM archive_state WHERE account = ?1", [account.0])?;
            Ok(())
        })
    }

    /// Erases every conversation of every account, and the index as a whole. Privacy policies of single
    /// conversations stay.
    pub fn erase_history(&self) -> Result<()> {
        self.atomically(|| {
            for sql in [
                "DELETE FROM outbox WHERE message IS NOT NULL",
                "DELETE FROM message_previous",
                "DELETE FROM message",
                "DELETE FROM archive_state",
                "INSERT INTO message_words (message_words) VALUES ('delete-all')",
                "DELETE FROM setting WHERE key = 'store.untidy'",
            ] {
                self.execute(sql, [])?;
            }
            self.unkept.borrow_mut().clear();
            self.forget_conversations(None)
        })
    }

    /// Removes conversations of one account, or of all, whose messages are erased. One with a privacy policy
    /// of its own stays, empty and in no list: nothing may leave there tomorrow that could not today.
    fn forget_conversations(&self, account: Option<AccountId>) -> Result<()> {
        let account = account.map(|account| account.0);
        for sql in [
            "DELETE FROM conversation WHERE policy IS NULL AND (?1 IS NULL OR account = ?1)",
            "UPDATE conversation SET draft = '', unread = 0, last_message = NULL, last_at = NULL,
             private_device = NULL WHERE ?1 IS NULL OR account = ?1",
        ] {
            self.execute(sql, [account])?;
        }
        Ok(())
    }

    /// Erases messages; quickest with ascending ids, as long as which FTS5 gathers deletions.
    fn erase_rows(&self, messages: &[(MessageId, ConversationId)]) -> Result<()> {
        let many = messages.len() > ONE_BY_ONE;
        if many {
            self.secure_index(false)?;
        }
        for (message, conversation) in messages {
            let body: Option<String> = self.one(
                "SELECT body FROM message WHERE id = ?1 AND kept = 1",
                [message.0],
                |row| row.get(0),
            )?;
            if let Some(body) = body {
                self.unindex_words(*message, *conversation, &body)?;
            }
            self.unkept.borrow_mut().remove(*message);
            // Earlier texts and outbox entries go with it.
            self.execute("DELETE FROM message WHERE id = ?1", [message.0])?;
        }
        if many {
            self.secure_index(true)?;
            // Merging that is under way goes over the new traces as well.
            if self.setting::<Untidy>(UNTIDY)?.is_none() {
                self.setting_set(UNTIDY, &Untidy::Erased)?;
            }
        }
        Ok(())
    }
}

fn read_place(row: &Row<'_>) -> rusqlite::Result<(MessageId, ConversationId)> {
    Ok((MessageId(row.get(0)?), ConversationId(row.get(1)?)))
}

/// Up to so many messages are taken out of the index at once and for good, at about 1 ms each.
const ONE_BY_ONE: usize = 100;
/// How many of the oldest messages an expiry looks at.
const FRONT: u32 = 500;
/// Pages of the index that one call of [`Store::tidy`] rewrites.
const TIDY_PAGES: i64 = 100;
/// Setting: the index holds words of erased messages. Absent when it does not.
const UNTIDY: &str = "store.untidy";
const NO_MESSAGE: i64 = -1;

/// How far [`Store::tidy`] is.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum Untidy {
    Erased,
    Merging,
}
