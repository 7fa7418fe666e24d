//! Messages that wait for a private conversation: no other way may take them.

use std::collections::BTreeMap;

use rusqlite::params;
use sotto_api::view::Privacy;
use sotto_api::{AccountId, ConversationId, MessageId, Timestamp};

use crate::code::Code;
use crate::error::{Result, StoreError};
use crate::message::MESSAGE_COLUMNS;
use crate::outbox::COLUMNS as OUTBOX_COLUMNS;
use crate::row::{MessageRow, OutboxId, OutboxRow};
use crate::store::Store;

impl Store {
    /// An own message waits for a private conversation. What stood for it in the outbox is removed. Of one
    /// that is not kept, the text is written down until it leaves: if the program ends before, it comes back as
    /// the draft of its conversation. Not in a conversation that is not kept at all.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when there is no own message with this id that waits to be sent.
    pub fn private_wait(&self, message: MessageId) -> Result<()> {
        self.atomically(|| {
            let row = self
                .message(message)?
                .ok_or(StoreError::NotFound { what: "message" })?;
            let changed = self.execute(
                "UPDATE message SET waits_private = 1
                 WHERE id = ?1 AND direction = 1 AND delivery = 0 AND deleted = 0",
                [message.0],
            )?;
            crate::account::found(changed, "message")?;
            self.forget_stanzas(message)?;
            if !row.kept && self.keeps(row.conversation)? {
                self.execute(
                    "INSERT INTO private_waiting (message, body) VALUES (?1, ?2)
                     ON CONFLICT DO UPDATE SET body = excluded.body",
                    params![message.0, row.body],
                )?;
            }
            Ok(())
        })
    }

    /// A message that waited leaves now: to be called in the transaction that puts it, encrypted, into the
    /// outbox. Whether it waited.
    pub fn private_leave(&self, message: MessageId) -> Result<bool> {
        self.atomically(|| {
            let changed = self.execute(
                "UPDATE message SET waits_private = 0 WHERE id = ?1 AND waits_private = 1",
                [message.0],
            )?;
            self.forget_waiting_text(message)?;
            Ok(changed > 0)
        })
    }

    /// Who will be able to read an own message on its way: known when it leaves.
    pub fn message_set_privacy(&self, message: MessageId, privacy: Privacy) -> Result<()> {
        self.execute(
            "UPDATE message SET privacy = ?2 WHERE id = ?1",
            params![message.0, privacy.code()],
        )?;
        Ok(())
    }

    /// Whether the other side confirmed an own encrypted message that was written since then (XEP-0184, 0333).
    pub fn private_confirmed_since(
        &self,
        conversation: ConversationId,
        since: Timestamp,
    ) -> Result<bool> {
        let found = self.one(
            "SELECT 1 FROM message WHERE conversation = ?1 AND direction = 1 AND privacy >= 2
             AND delivery IN (2, 3) AND at >= ?2 LIMIT 1",
            params![conversation.0, since.0],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// The messages of a conversation that wait for it to become private, in order.
    pub fn private_waiting(&self, conversation: ConversationId) -> Result<Vec<MessageRow>> {
        self.all(
            &format!(
                "SELECT {MESSAGE_COLUMNS} FROM message
                 WHERE conversation = ?1 AND waits_private = 1 ORDER BY ord"
            ),
            [conversation.0],
            |row| self.read_message(row),
        )
    }

    /// The conversations of an account in which messages wait, ascending.
    pub fn private_waiting_conversations(&self, account: AccountId) -> Result<Vec<ConversationId>> {
        self.all(
            "SELECT DISTINCT conversation.id FROM message
             JOIN conversation ON conversation.id = message.conversation
             WHERE waits_private = 1 AND conversation.account = ?1 ORDER BY conversation.id",
            [account.0],
            |row| row.get(0).map(ConversationId),
        )
    }

    /// It did not come about: takes the waiting messages back, puts their texts into the draft, before what
    /// stands there, and erases them. Which they were, in order.
    pub fn private_withdraw(&self, conversation: ConversationId) -> Result<Vec<MessageId>> {
        self.atomically(|| {
            let waiting = self.private_waiting(conversation)?;
            let texts = waiting.iter().map(|row| row.body.clone()).collect();
            self.draft_prepend(conversation, texts)?;
            for row in &waiting {
                self.message_erase(row.id)?;
            }
            Ok(waiting.into_iter().map(|row| row.id).collect())
        })
    }

    /// Nothing may leave a conversation in clear any more: takes back what stands for its messages in the
    /// outbox and was never encrypted, as far as no stream in force has it; what is in doubt as well, since it
    /// would be sent again. Returns the removed rows in order; the caller makes their messages wait
    /// ([`Store::private_wait`]).
    pub fn private_pull_back(&self, conversation: ConversationId) -> Result<Vec<OutboxRow>> {
        let mut rows = self.outbox_take(
            &format!(
                "DELETE FROM outbox WHERE sequence IS NULL AND message IN
                 (SELECT id FROM message WHERE conversation = ?1 AND direction = 1 AND privacy < 2)
                 RETURNING {OUTBOX_COLUMNS}"
            ),
            [conversation.0],
        )?;
        rows.sort_unstable_by_key(|row| row.id);
        Ok(rows)
    }

    /// How many own messages the end of the program would lose: they did not leave, and neither the text nor an
    /// encrypted stanza of them is written down.
    pub fn lost_at_end(&self) -> Result<u64> {
        let count = self.one(
            "SELECT count(*) FROM message
             WHERE kept = 0 AND direction = 1 AND deleted = 0 AND delivery IN (0, 9)
             AND NOT EXISTS (SELECT 1 FROM private_waiting WHERE private_waiting.message = message.id)
             AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.message = message.id AND outbox.kept = 1)",
            [],
            |row| row.get::<_, i64>(0),
        )?;
        Ok(count
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or_default())
    }

    /// Puts texts before what is being written, a line each.
    fn draft_prepend(&self, conversation: ConversationId, mut texts: Vec<String>) -> Result<()> {
        let Some(row) = self.conversation(conversation)? else {
            return Ok(());
        };
        texts.push(row.draft);
        texts.retain(|text| !text.is_empty());
        self.draft_set(conversation, &texts.join("\n"))
    }

    pub(crate) fn forget_waiting_text(&self, message: MessageId) -> Result<()> {
        self.execute(
            "DELETE FROM private_waiting WHERE message = ?1",
            [message.0],
        )?;
        Ok(())
    }

    /// After a start: what was not kept goes, unless it is in memory still. Texts that still waited go back into
    /// the drafts; encrypted stanzas that wait to be sent are sent, for nobody to see their fate.
    pub(crate) fn forget_unkept(&self) -> Result<()> {
        let mut gone: BTreeMap<ConversationId, Vec<MessageId>> = BTreeMap::new();
        let rows = self.all(
            "SELECT id, conversation FROM message WHERE kept = 0 ORDER BY ord",
            [],
            |row| Ok((MessageId(row.get(0)?), ConversationId(row.get(1)?))),
        )?;
        for (message, conversation) in rows {
            if !self.unkept.borrow().is_here(message) {
                gone.entry(conversation).or_default().push(message);
            }
        }
        let stanzas = self.all("SELECT id FROM outbox WHERE kept = 0", [], |row| {
            row.get(0).map(OutboxId)
        })?;
        self.atomically(|| {
            for id in stanzas {
                if !self.unkept.borrow().has_stanza(id) {
                    self.outbox_remove(id)?;
                }
            }
            for (conversation, messages) in gone {
                let mut texts = Vec::new();
                for message in &messages {
                    texts.extend(self.one(
                        "SELECT private_waiting.body FROM private_waiting
                         JOIN message ON message.id = private_waiting.message
                         WHERE message.id = ?1 AND message.deleted = 0",
                        [message.0],
                        |row| row.get::<_, String>(0),
                    )?);
                }
                self.draft_prepend(conversation, texts)?;
                self.archive_note_unkept(conversation, &messages)?;
                for message in &messages {
                    self.execute(
                        "UPDATE outbox SET message = NULL, purpose = 3 WHERE message = ?1",
                        [message.0],
                    )?;
                    self.execute("DELETE FROM message WHERE id = ?1", [message.0])?;
                }
                self.recount_unread(conversation)?;
                self.refresh_last(conversation)?;
            }
            self.forget_empty()
        })
    }
}
