//! Whether the texts of a conversation are written down at all.
//!
//! One place decides: whatever stores a text asks [`Store::keeps`]. What is not kept stays in the memory of
//! this process (`unkept.rs`).

use rusqlite::params;
use sotto_api::{AccountId, ConversationId, MessageId, Timestamp};

use crate::account::found;
use crate::error::{Result, StoreError};
use crate::import::APART;
use crate::outbox::COLUMNS as OUTBOX_COLUMNS;
use crate::row::{MessageRow, OutboxId};
use crate::store::Store;
use crate::unkept::Text;

/// Setting: conversations without a choice of their own are not kept. Absent when they are.
const NOT_KEPT: &str = "store.not_kept";
/// Setting: when that was chosen, as [`Choices`]. Absent: never.
const CHOICES: &str = "store.keep_choices";

/// What held from when on, the earliest first; times in milliseconds since 1970.
type Choices<T> = Vec<(i64, T)>;

impl Store {
    /// Whether texts of conversations without a choice of their own are kept from now on; they are, until
    /// this is called. What is here already stays; drafts go to where they belong now. `at` is now, for
    /// [`Store::kept_at`].
    pub fn keep_history_set(&self, keep: bool, at: Timestamp) -> Result<()> {
        if keep == self.setting::<bool>(NOT_KEPT)?.is_none() {
            return Ok(());
        }
        self.atomically(|| {
            if keep {
                self.setting_remove(NOT_KEPT)?;
            } else {
                self.setting_set(NOT_KEPT, &true)?;
            }
            let mut choices: Choices<bool> = self.setting(CHOICES)?.unwrap_or_default();
            choose(&mut choices, at, keep);
            self.setting_set(CHOICES, &choices)?;
            self.settle_drafts()
        })
    }

    /// Whether the texts of a conversation are kept; absent: as [`Store::keep_history_set`] said. `at` is now.
    pub fn conversation_set_keep_history(
        &self,
        conversation: ConversationId,
        keep: Option<bool>,
        at: Timestamp,
    ) -> Result<()> {
        self.atomically(|| {
            let changed = self.execute(
                "UPDATE conversation SET keep_history = ?2 WHERE id = ?1",
                params![conversation.0, keep],
            )?;
            found(changed, "conversation")?;
            let mut choices = self.choices(conversation)?;
            if choices.last().and_then(|(_, last)| *last) != keep {
                choose(&mut choices, at, keep);
                let json = serde_json::to_string(&choices).map_err(|_| StoreError::Value {
                    key: CHOICES.into(),
                })?;
                self.execute(
                    "UPDATE conversation SET keep_choices = ?2 WHERE id = ?1",
                    params![conversation.0, json],
                )?;
            }
            self.settle_drafts()
        })
    }

    /// Whether a text of this conversation that comes or is written now is kept.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when there is no such conversation.
    pub fn keeps(&self, conversation: ConversationId) -> Result<bool> {
        self.one(
            "SELECT coalesce(keep_history, NOT EXISTS (SELECT 1 FROM setting WHERE key = ?2))
             FROM conversation WHERE id = ?1",
            params![conversation.0, NOT_KEPT],
            |row| row.get(0),
        )?
        .ok_or(StoreError::NotFound {
            what: "conversation",
        })
    }

    /// Whether what was said in a conversation at some time was kept then, by what the person had chosen until then.
    /// Clocks may be apart: near a time when it was not kept, it was not.
    pub fn kept_at(&self, conversation: ConversationId, at: Timestamp) -> Result<bool> {
        let own = self.choices(conversation)?;
        let all: Choices<bool> = self.setting(CHOICES)?.unwrap_or_default();
        Ok([-APART, 0, APART].into_iter().all(|apart| {
            let at = at.0.saturating_add(apart);
            held(&own, at)
                .flatten()
                .or_else(|| held(&all, at))
                .unwrap_or(true)
        }))
    }

    fn choices(&self, conversation: ConversationId) -> Result<Choices<Option<bool>>> {
        let json: Option<String> = self
            .one(
                "SELECT keep_choices FROM conversation WHERE id = ?1",
                [conversation.0],
                |row| row.get(0),
            )?
            .flatten();
        json.map(|json| {
            serde_json::from_str(&json).map_err(|_| StoreError::Value {
                key: CHOICES.into(),
            })
        })
        .transpose()
        .map(Option::unwrap_or_default)
    }

    /// Keeps what is being written, for this run of the program only where the conversation is not kept. Empty
    /// text forgets it.
    pub fn draft_set(&self, conversation: ConversationId, text: &str) -> Result<()> {
        self.atomically(|| {
            let kept = self.keeps(conversation)?;
            self.unkept
                .borrow_mut()
                .draft_set(conversation, if kept { "" } else { text });
            self.execute(
                "UPDATE conversation SET draft = ?2 WHERE id = ?1",
                params![conversation.0, if kept { text } else { "" }],
            )?;
            Ok(())
        })
    }

    /// Moves each draft, and each text that waits for a private conversation, to where it belongs.
    fn settle_drafts(&self) -> Result<()> {
        let written = self.all(
            "SELECT id, draft FROM conversation WHERE draft <> ''",
            [],
            |row| Ok((ConversationId(row.get(0)?), row.get::<_, String>(1)?)),
        )?;
        for (conversation, draft) in written {
            if !self.keeps(conversation)? {
                self.draft_set(conversation, &draft)?;
            }
        }
        let in_memory: Vec<_> = self.unkept.borrow().drafts().collect();
        for conversation in in_memory {
            if self.keeps(conversation)? {
                let draft = self.unkept.borrow().draft(conversation).map(str::to_owned);
                self.draft_set(conversation, &draft.unwrap_or_default())?;
            }
        }
        self.execute(
            "DELETE FROM private_waiting WHERE message IN
             (SELECT message.id FROM private_waiting JOIN message ON message.id = message
              JOIN conversation ON conversation.id = conversation
              WHERE NOT coalesce(keep_history, NOT EXISTS (SELECT 1 FROM setting WHERE key = ?1)))",
            [NOT_KEPT],
        )?;
        Ok(())
    }

    /// A message that was kept is not any more: its texts leave the database for memory.
    pub(crate) fn unkeep(&self, row: &MessageRow) -> Result<()> {
        let mut text = Text::new(&row.body);
        text.previous = self
            .message_previous(row.id)?
            .into_iter()
            .map(zeroize::Zeroizing::new)
            .collect();
        self.unindex_words(row.id, row.conversation, &row.body)?;
        self.execute(
            "DELETE FROM message_previous WHERE message = ?1",
            [row.id.0],
        )?;
        self.execute(
            "UPDATE message SET kept = 0, body = '' WHERE id = ?1",
            [row.id.0],
        )?;
        self.unkept.borrow_mut().put(row.id, text);
        Ok(())
    }

    /// Whether a stanza with the text of this message is written down: not the text in clear of one that is
    /// not kept. What OTR made of it tells nothing.
    pub(crate) fn keeps_stanza_of(&self, message: MessageId) -> Result<bool> {
        let kept = self.one(
            "SELECT kept OR privacy >= 2 FROM message WHERE id = ?1",
            [message.0],
            |row| row.get(0),
        )?;
        Ok(kept.unwrap_or(true))
    }

    /// Everything that an account has to send is forgotten, and what was being written.
    pub(crate) fn forget_unsent(&self, account: AccountId) -> Result<()> {
        self.outbox_take(
            &format!("DELETE FROM outbox WHERE account = ?1 RETURNING {OUTBOX_COLUMNS}"),
            [account.0],
        )?;
        let conversations = self.all(
            "SELECT id FROM conversation WHERE account = ?1",
            [account.0],
            |row| row.get(0).map(ConversationId),
        )?;
        let mut unkept = self.unkept.borrow_mut();
        for conversation in conversations {
            unkept.draft_set(conversation, "");
        }
        Ok(())
    }

    /// Stanzas of a message that stand in memory are forgotten with their rows.
    pub(crate) fn forget_stanzas(&self, message: MessageId) -> Result<()> {
        let gone = self.all(
            "DELETE FROM outbox WHERE message = ?1 RETURNING id, kept",
            [message.0],
            |row| Ok((OutboxId(row.get(0)?), row.get::<_, bool>(1)?)),
        )?;
        let mut unkept = self.unkept.borrow_mut();
        for (id, kept) in gone {
            if !kept {
                unkept.stanza_remove(id);
            }
        }
        Ok(())
    }
}

/// What had been chosen by then.
fn held<T: Copy>(choices: &Choices<T>, at: i64) -> Option<T> {
    let last = choices.iter().rev().find(|(from, _)| *from <= at);
    last.map(|(_, choice)| *choice)
}

/// What a clock that was set ahead made of the future goes.
fn choose<T>(choices: &mut Choices<T>, at: Timestamp, choice: T) {
    choices.retain(|(from, _)| *from <= at.0);
    choices.push((at.0, choice));
}
