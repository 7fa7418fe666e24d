//! Erasing for good: `secure_delete` overwrites what is freed, [`Store::checkpoint`] empties the log.
//!
//! What is large is erased in slices, so that the caller is never held up: [`Store::erase_begin`] writes down
//! what is to go, [`Store::erase_step`] takes some of it, until nothing is left. What the program's end
//! interrupts goes on at the next start.

mod archive;
mod index;

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};
use sotto_api::{AccountId, ConversationId, MessageId};

use crate::error::{Result, StoreError};
use crate::row::{ErasedCount, Erasure};
use crate::store::Store;

/// Messages of one slice.
const SLICE: u32 = 200;
/// Setting: what is still to be erased. Absent when nothing is.
const ERASING: &str = "store.erasing";

/// Setting: an account, everything, or what was said with a stranger was erased since the start. Absent when not.
const ERASED: &str = "store.erased";

/// An erasure that was begun.
#[derive(Clone, Serialize, Deserialize)]
struct Job {
    what: Erasure,
    /// What came after the erasure was asked for has a larger id, and stays.
    up_to: MessageId,
}

/// What becomes of the place in the archive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Older {
    /// It can still be had, up to what was erased.
    Stays,
    /// Nothing older is to come from the archive.
    Closes,
}

impl Store {
    // ---- what a person asks for --------------------------------------------------------------

    /// How much an erasure would take.
    pub fn erasure_count(&self, what: &Erasure) -> Result<ErasedCount> {
        let messages = match what {
            Erasure::Message(message) => self.one(
                "SELECT count(*) FROM message WHERE id = ?1",
                [message.0],
                read_count,
            ),
            Erasure::Conversation(conversation) => self.one(
                "SELECT count(*) FROM message WHERE conversation = ?1 AND kind <> 2",
                [conversation.0],
                read_count,
            ),
            Erasure::Between {
                conversation: Some(conversation),
                from,
                to,
            } => self.one(
                "SELECT count(*) FROM message
                 WHERE conversation = ?1 AND at >= ?2 AND at < ?3 AND kind <> 2",
                params![conversation.0, from.0, to.0],
                read_count,
            ),
            Erasure::Between {
                conversation: None,
                from,
                to,
            } => self.one(
                "SELECT count(*) FROM message WHERE at >= ?1 AND at < ?2 AND kind <> 2",
                params![from.0, to.0],
                read_count,
            ),
            Erasure::Account(account) | Erasure::Removed(account) => self.one(
                "SELECT count(*) FROM conversation
                 JOIN message ON message.conversation = conversation.id
                 WHERE account = ?1 AND kind <> 2",
                [account.0],
                read_count,
            ),
            Erasure::All => self.one(
                "SELECT count(*) FROM message INDEXED BY message_at WHERE kind <> 2",
                [],
                read_count,
            ),
        }?;
        let calls = match what.calls() {
            Some(calls) => self.one(
                &format!("SELECT count(*) FROM call WHERE {CALLS}"),
                calls,
                read_count,
            )?,
            None => None,
        };
        Ok(ErasedCount {
            messages: messages.unwrap_or(0),
            calls: calls.unwrap_or(0),
            remains: self.remains()?,
            records: self.recorded(),
        })
    }

    /// Writes down what is to be erased; calls and drafts go at once, messages with [`Store::erase_step`]. How
    /// much it is. Own messages that still wait go too, and are not sent.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] for a message or a conversation that is not there.
    pub fn erase_begin(&self, what: &Erasure) -> Result<ErasedCount> {
        self.atomically(|| {
            let count = self.erasure_count(what)?;
            match what {
                Erasure::Message(message) => {
                    self.message_erase(*message)?;
                    return Ok(count);
                }
                Erasure::Conversation(conversation)
                | Erasure::Between {
                    conversation: Some(conversation),
                    ..
                } => {
                    self.keeps(*conversation)?;
                }
                Erasure::Between { .. }
                | Erasure::Account(_)
                | Erasure::Removed(_)
                | Erasure::All => {}
            }
            if let Some(calls) = what.calls() {
                self.execute(&format!("DELETE FROM call WHERE {CALLS}"), calls)?;
            }
            self.leave_conversations(what)?;
            let up_to = self
                .one("SELECT coalesce(max(id), 0) FROM message", [], |row| {
                    row.get(0).map(MessageId)
                })?
                .unwrap_or(MessageId(0));
            let mut jobs = self.jobs()?;
            jobs.push(Job {
                what: what.clone(),
                up_to,
            });
            self.setting_set(ERASING, &jobs)?;
            Ok(count)
        })
    }

    /// Whether something that was begun is not erased yet.
    pub fn is_erasing(&self) -> Result<bool> {
        Ok(!self.jobs()?.is_empty())
    }

    /// Erases some of what was begun: some 10 to 50 ms. Whether there is more to do: call it again, with
    /// pauses, until there is not, then [`Store::tidy`] until there is nothing left in the index.
    pub fn erase_step(&self) -> Result<bool> {
        self.atomically(|| {
            let mut jobs = self.jobs()?;
            let Some(job) = jobs.first() else {
                return Ok(false);
            };
            let batch = self.batch(job)?;
            if !batch.is_empty() {
                let older = match job.what {
                    Erasure::Message(_) | Erasure::Between { .. } => Older::Stays,
                    Erasure::Conversation(_)
                    | Erasure::Account(_)
                    | Erasure::Removed(_)
                    | Erasure::All => Older::Closes,
                };
                // At the end of an erasure of everything, the index is made anew.
                self.erase_rows(&batch, older, job.what != Erasure::All)?;
                return Ok(true);
            }
            match job.what {
                Erasure::All => self.index_anew()?,
                Erasure::Removed(account) => self.account_forget(account)?,
                _ => {}
            }
            jobs.remove(0);
            if jobs.is_empty() {
                self.setting_remove(ERASING)?;
            } else {
                self.setting_set(ERASING, &jobs)?;
            }
            Ok(!jobs.is_empty())
        })
    }

    /// Erases at once, however long it takes; [`Store::tidy`] is left to the caller.
    pub fn erase(&self, what: &Erasure) -> Result<ErasedCount> {
        self.atomically(|| {
            let count = self.erase_begin(what)?;
            while self.erase_step()? {}
            Ok(count)
        })
    }

    /// Erases one message with its earlier texts, its words in the index and its place in the outbox.
    pub fn message_erase(&self, message: MessageId) -> Result<()> {
        self.atomically(|| {
            let conversation = self
                .message(message)?
                .ok_or(StoreError::NotFound { what: "message" })?
                .conversation;
            self.erase_rows(&[(message, conversation)], Older::Stays, true)
        })
    }

    /// Erases all messages, calls and the draft of a conversation, however long it takes; the conversation
    /// itself stays.
    ///
    /// For more than a handful of messages the index keeps their words, without the messages, until
    /// [`Store::tidy`] has run to its end.
    pub fn conversation_erase(&self, conversation: ConversationId) -> Result<()> {
        self.erase(&Erasure::Conversation(conversation)).map(drop)
    }

    // ---- how ---------------------------------------------------------------------------------

    fn jobs(&self) -> Result<Vec<Job>> {
        Ok(self.setting(ERASING)?.unwrap_or_default())
    }

    /// Some of what a job is about.
    fn batch(&self, job: &Job) -> Result<Vec<(MessageId, ConversationId)>> {
        let up_to = job.up_to.0;
        let mut batch = match &job.what {
            Erasure::Message(_) => Vec::new(),
            Erasure::Conversation(conversation) => self.all(
                "SELECT id, conversation FROM message WHERE conversation = ?1 AND id <= ?2
                 ORDER BY ord LIMIT ?3",
                params![conversation.0, up_to, SLICE],
                read_place,
            )?,
            Erasure::Between {
                conversation: Some(conversation),
                from,
                to,
            } => self.all(
                "SELECT id, conversation FROM message
                 WHERE conversation = ?1 AND at >= ?2 AND at < ?3 AND id <= ?4 LIMIT ?5",
                params![conversation.0, from.0, to.0, up_to, SLICE],
                read_place,
            )?,
            Erasure::Between {
                conversation: None,
                from,
                to,
            } => self.all(
                "SELECT id, conversation FROM message
                 WHERE at >= ?1 AND at < ?2 AND id <= ?3 LIMIT ?4",
                params![from.0, to.0, up_to, SLICE],
                read_place,
            )?,
            Erasure::Account(account) | Erasure::Removed(account) => self.all(
                "SELECT message.id, conversation FROM conversation
                 CROSS JOIN message ON message.conversation = conversation.id
                 WHERE account = ?1 AND message.id <= ?2 LIMIT ?3",
                params![account.0, up_to, SLICE],
                read_place,
            )?,
            Erasure::All => self.all(
                "SELECT id, conversation FROM message WHERE id <= ?1 ORDER BY id LIMIT ?2",
                params![up_to, SLICE],
                read_place,
            )?,
        };
        batch.sort_unstable();
        Ok(batch)
    }

    /// Drafts go, and everything counts as read, so that nothing is counted over and over meanwhile.
    fn leave_conversations(&self, what: &Erasure) -> Result<()> {
        let (conversation, account) = match what {
            Erasure::Message(_) | Erasure::Between { .. } => return Ok(()),
            Erasure::Conversation(conversation) => (Some(conversation.0), None),
            Erasure::Account(account) | Erasure::Removed(account) => (None, Some(account.0)),
            Erasure::All => (None, None),
        };
        let conversations = self.all(
            "UPDATE conversation SET draft = '', unread = 0, read_ord = tail,
             private_device = CASE WHEN ?1 IS NULL THEN NULL ELSE private_device END
             WHERE (?1 IS NULL OR id = ?1) AND (?2 IS NULL OR account = ?2) RETURNING id",
            params![conversation, account],
            |row| row.get(0).map(ConversationId),
        )?;
        let mut unkept = self.unkept.borrow_mut();
        for conversation in conversations {
            unkept.draft_set(conversation, "");
        }
        drop(unkept);
        match what {
            Erasure::Account(account) | Erasure::Removed(account) => {
                self.archive_close_account(Some(*account))?;
            }
            Erasure::All => {
                self.archive_close_account(None)?;
                self.remains_erase()?;
            }
            Erasure::Conversation(conversation) if self.is_with_a_stranger(*conversation)? => {}
            _ => return Ok(()),
        }
        self.setting_set(ERASED, &true)
    }

    /// Whether a conversation is with somebody who is not in the contact list.
    fn is_with_a_stranger(&self, conversation: ConversationId) -> Result<bool> {
        let known = self.one(
            "SELECT 1 FROM conversation JOIN address USING (account, jid) WHERE conversation.id = ?1",
            [conversation.0],
            |_| Ok(()),
        )?;
        Ok(known.is_none())
    }

    /// Erases messages; quickest with ascending ids, as long as which FTS5 gathers deletions.
    pub(crate) fn erase_rows(
        &self,
        messages: &[(MessageId, ConversationId)],
        older: Older,
        indexed: bool,
    ) -> Result<()> {
        let mut conversations: Vec<ConversationId> = messages
            .iter()
            .map(|(_, conversation)| *conversation)
            .collect();
        conversations.sort_unstable();
        conversations.dedup();
        for conversation in &conversations {
            self.archive_note_erased(*conversation, messages, older)?;
        }
        let many = indexed && messages.len() > ONE_BY_ONE;
        if many {
            self.secure_index(false)?;
        }
        for (message, conversation) in messages {
            if indexed {
                let body: Option<String> = self.one(
                    "SELECT body FROM message WHERE id = ?1 AND kept = 1",
                    [message.0],
                    |row| row.get(0),
                )?;
                if let Some(body) = body {
                    self.unindex_words(*message, *conversation, &body)?;
                }
            }
            self.unkept.borrow_mut().remove(*message);
            self.forget_stanzas(*message)?;
            // Earlier texts go with it.
            self.execute("DELETE FROM message WHERE id = ?1", [message.0])?;
        }
        if many {
            self.secure_index(true)?;
            self.index_has_traces()?;
        }
        for conversation in conversations {
            self.recount_unread(conversation)?;
            self.refresh_last(conversation)?;
        }
        Ok(())
    }

    /// After a start: such an erasure leaves no addresses of those with whom nothing is left, nor of
    /// accounts that were removed. While the program runs, a shell may have such a conversation open.
    ///
    /// Keys of people in the contact list stay, with the trust in them: who was verified should not have to be
    /// verified anew. Sessions and keys of others go with their conversations.
    pub(crate) fn forget_empty(&self) -> Result<()> {
        if self.setting::<bool>(ERASED)?.is_none() {
            return Ok(());
        }
        self.setting_remove(ERASED)?;
        self.execute(
            "DELETE FROM conversation WHERE draft = '' AND policy IS NULL AND keep_history IS NULL
             AND expire_days IS NULL
             AND NOT EXISTS (SELECT 1 FROM message WHERE conversation = conversation.id)",
            [],
        )?;
        for (table, peer) in [
            ("peer_key", "jid"),
            ("otr_state", "peer"),
            ("avatar_of", "jid"),
        ] {
            self.execute(
                &format!(
                    "DELETE FROM {table} WHERE NOT EXISTS (SELECT 1 FROM address AS known
                         WHERE known.account = {table}.account AND known.jid = {table}.{peer})
                     AND NOT EXISTS (SELECT 1 FROM conversation AS known
                         WHERE known.account = {table}.account AND known.jid = {table}.{peer})
                     AND NOT EXISTS (SELECT 1 FROM account AS own
                         WHERE own.id = {table}.account AND own.address = {table}.{peer})"
                ),
                [],
            )?;
        }
        self.remove_loose_avatars()?;
        self.archive_forget_peers()?;
        self.execute(
            "DELETE FROM account WHERE removed = 1
             AND NOT EXISTS (SELECT 1 FROM conversation WHERE account = account.id)
             AND NOT EXISTS (SELECT 1 FROM call WHERE account = account.id)",
            [],
        )?;
        Ok(())
    }

    /// The messages of a removed account are erased: its conversations go, and its row, unless it was added again and
    /// something was said since.
    fn account_forget(&self, account: AccountId) -> Result<()> {
        self.execute(
            "DELETE FROM conversation WHERE account = ?1
             AND (SELECT removed FROM account WHERE id = ?1) = 1
             AND NOT EXISTS (SELECT 1 FROM message WHERE conversation = conversation.id)",
            [account.0],
        )?;
        // Everything else goes with the row.
        self.execute(
            "DELETE FROM account WHERE id = ?1 AND removed = 1
             AND NOT EXISTS (SELECT 1 FROM conversation WHERE account = ?1)",
            [account.0],
        )?;
        Ok(())
    }
}

/// The calls of an erasure: with whom, of which account, from when, before when.
const CALLS: &str =
    "(?1 IS NULL OR (account, peer) = (SELECT account, jid FROM conversation WHERE id = ?1))
    AND (?2 IS NULL OR account = ?2) AND started_at >= ?3 AND started_at < ?4";

impl Erasure {
    /// For [`CALLS`]; absent: none.
    fn calls(&self) -> Option<(Option<i64>, Option<i64>, i64, i64)> {
        let (conversation, account, from, to) = match self {
            Self::Message(_) => return None,
            Self::Conversation(conversation) => (Some(*conversation), None, None, None),
            Self::Between {
                conversation,
                from,
                to,
            } => (*conversation, None, Some(*from), Some(*to)),
            Self::Account(account) | Self::Removed(account) => (None, Some(*account), None, None),
            Self::All => (None, None, None, None),
        };
        Some((
            conversation.map(|conversation| conversation.0),
            account.map(|account| account.0),
            from.map_or(i64::MIN, |from| from.0),
            to.map_or(i64::MAX, |to| to.0),
        ))
    }
}

/// Up to so many messages are taken out of the index at once and for good, at about 1 ms each.
const ONE_BY_ONE: usize = 100;

fn read_place(row: &Row<'_>) -> rusqlite::Result<(MessageId, ConversationId)> {
    Ok((MessageId(row.get(0)?), ConversationId(row.get(1)?)))
}

fn read_count(row: &Row<'_>) -> rusqlite::Result<u64> {
    row.get::<_, i64>(0)
        .map(|count| u64::try_from(count).unwrap_or(0))
}
