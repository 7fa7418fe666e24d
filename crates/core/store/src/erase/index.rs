//! Words of erased messages leave the index.

use rusqlite::params;
use serde::{Deserialize, Serialize};
use sotto_api::{ConversationId, MessageId};

use crate::error::Result;
use crate::store::Store;

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

impl Store {
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

    pub(super) fn secure_index(&self, secure: bool) -> Result<()> {
        self.execute(
            "INSERT INTO message_words (message_words, rank) VALUES ('secure-delete', ?1)",
            [secure],
        )?;
        Ok(())
    }

    /// Whether [`Store::tidy`] has something to do.
    pub fn is_untidy(&self) -> Result<bool> {
        Ok(self.setting::<Untidy>(UNTIDY)?.is_some())
    }

    /// Some words of erased messages are left.
    pub(super) fn index_has_traces(&self) -> Result<()> {
        // Merging that is under way goes over the new traces as well.
        if self.setting::<Untidy>(UNTIDY)?.is_none() {
            self.setting_set(UNTIDY, &Untidy::Erased)?;
        }
        Ok(())
    }

    /// Forgets the index and makes it of what is left: after an erasure of everything, next to nothing.
    pub(super) fn index_anew(&self) -> Result<()> {
        self.execute(
            "INSERT INTO message_words (message_words) VALUES ('delete-all')",
            [],
        )?;
        self.setting_remove(UNTIDY)?;
        let left = self.all(
            "SELECT id, conversation, body FROM message WHERE kept = 1",
            [],
            |row| {
                Ok((
                    MessageId(row.get(0)?),
                    ConversationId(row.get(1)?),
                    row.get::<_, String>(2)?,
                ))
            },
        )?;
        for (message, conversation, body) in left {
            self.index_words(message, conversation, &body)?;
        }
        Ok(())
    }
}
