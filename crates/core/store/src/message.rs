//! Messages: inserting, looking up, delivery, corrections, pages.

use rusqlite::{Row, params};
use sotto_api::view::{Delivery, Direction, MessageKind, Privacy};
use sotto_api::{ConversationId, MessageId, Timestamp};

use crate::account::found;
use crate::code::{Code, notice_code, notice_decode};
use crate::error::{Result, StoreError};
use crate::row::{Inserted, MessageRow, MessageRows, NewMessage, Page, Place};
use crate::store::Store;
use crate::unkept::Text;

/// Of the table `message`, for [`Store::read_message`].
pub(crate) const MESSAGE_COLUMNS: &str = "message.id, message.conversation, message.ord,
    message.direction, message.kind, message.body, message.at, message.received_at,
    message.delivery, message.failure, message.privacy, message.origin_id, message.message_id,
    message.archive_id, message.sender, message.edited, message.deleted, message.kept, message.notice,
    message.waits_private";

/// How far back a displayed marker reaches.
const SEEN_REACH: u32 = 1000;

impl Store {
    /// Stores a message at one end of its conversation; where that is not kept, its text in memory only.
    ///
    /// One whose `archive_id` the conversation holds already is not stored again, nor one of the archive that stands
    /// here from another program's history; nothing else makes it a double (S-XMPP-10).
    pub fn message_insert(&self, new: &NewMessage<'_>, place: Place) -> Result<Inserted> {
        self.atomically(|| {
            if let Some(archive_id) = new.archive_id
                && let Some(known) = self.message_by_archive_id(new.conversation, archive_id)?
            {
                return Ok(Inserted::Known(known));
            }
            if let Some(archive_id) = new.archive_id
                && let Some(known) = self.message_imported_like(new, archive_id)?
            {
                return Ok(Inserted::Known(known));
            }
            let ord: Option<i64> = self.one(
                match place {
                    Place::Newest => {
                        "UPDATE conversation SET tail = tail + 1 WHERE id = ?1 RETURNING tail"
                    }
                    Place::Oldest => {
                        "UPDATE conversation SET head = head - 1 WHERE id = ?1 RETURNING head"
                    }
                    Place::At(_) => "SELECT head FROM conversation WHERE id = ?1",
                },
                [new.conversation.0],
                |row| row.get(0),
            )?;
            let ord = match place {
                Place::At(reserved) => ord.map(|_| reserved),
                Place::Newest | Place::Oldest => ord,
            };
            let ord = ord.ok_or(StoreError::NotFound {
                what: "conversation",
            })?;
            let kept = new.kept && self.keeps(new.conversation)?;
            self.execute(
                "INSERT INTO message (conversation, ord, direction, kind, body, at, received_at,
                 delivery, privacy, origin_id, message_id, archive_id, sender, kept, notice)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
                params![
                    new.conversation.0,
                    ord,
                    new.direction.code(),
                    new.kind.code(),
                    if kept { new.body } else { "" },
                    new.at.0,
                    new.received_at.0,
                    new.delivery.map(|delivery| delivery.code()),
                    new.privacy.code(),
                    new.origin_id,
                    new.message_id,
                    new.archive_id,
                    new.sender,
                    kept,
                    new.notice.and_then(notice_code)
                ],
            )?;
            let id = MessageId(self.connection.last_insert_rowid());
            if kept {
                self.index_words(id, new.conversation, new.body)?;
            } else {
                self.unkept.borrow_mut().put(id, Text::new(new.body));
            }
            match place {
                Place::Newest => self.message_appended(new, id, ord)?,
                Place::Oldest | Place::At(_) => self.message_prepended(new, id)?,
            }
            Ok(Inserted::New(id))
        })
    }

    /// Stores a message of another program's history, which `key` names. One with this key that is here
    /// already is not stored again.
    pub fn message_import(
        &self,
        new: &NewMessage<'_>,
        place: Place,
        key: &str,
    ) -> Result<Inserted> {
        self.atomically(|| {
            let known = self.one("SELECT id FROM message WHERE imported = ?1", [key], |row| {
                row.get(0).map(MessageId)
            })?;
            if let Some(known) = known {
                return Ok(Inserted::Known(known));
            }
            let inserted = self.message_insert(new, place)?;
            if let Inserted::New(id) = inserted {
                self.execute(
                    "UPDATE message SET imported = ?2 WHERE id = ?1",
                    params![id.0, key],
                )?;
            }
            Ok(inserted)
        })
    }

    fn message_appended(&self, new: &NewMessage<'_>, id: MessageId, ord: i64) -> Result<()> {
        let counts = new.direction == Direction::Incoming && new.kind != MessageKind::System;
        if counts && !new.unread {
            // Nothing before it can still be unread without a hole, so the mark moves over it only
            // when it follows what was read.
            self.execute(
                "UPDATE conversation SET read_ord = ?2 WHERE id = ?1 AND unread = 0",
                params![new.conversation.0, ord],
            )?;
        }
        self.execute(
            "UPDATE conversation SET last_message = ?2, last_at = ?3, unread = unread + ?4
             WHERE id = ?1",
            params![
                new.conversation.0,
                id.0,
                new.at.0,
                i64::from(counts && new.unread)
            ],
        )?;
        Ok(())
    }

    fn message_prepended(&self, new: &NewMessage<'_>, id: MessageId) -> Result<()> {
        self.execute(
            "UPDATE conversation SET last_message = ?2, last_at = ?3
             WHERE id = ?1 AND last_message IS NULL",
            params![new.conversation.0, id.0, new.at.0],
        )?;
        Ok(())
    }

    // ---- looking up --------------------------------------------------------------------------

    /// One message.
    pub fn message(&self, message: MessageId) -> Result<Option<MessageRow>> {
        self.one(
            &format!("SELECT {MESSAGE_COLUMNS} FROM message WHERE id = ?1"),
            [message.0],
            |row| self.read_message(row),
        )
    }

    /// By the id in the own archive.
    pub fn message_by_archive_id(
        &self,
        conversation: ConversationId,
        archive_id: &str,
    ) -> Result<Option<MessageId>> {
        self.one(
            "SELECT id FROM message WHERE conversation = ?1 AND archive_id = ?2",
            params![conversation.0, archive_id],
            |row| row.get(0).map(MessageId),
        )
    }

    /// The newest message of one side with this stanza id.
    pub fn message_by_message_id(
        &self,
        conversation: ConversationId,
        direction: Direction,
        message_id: &str,
    ) -> Result<Option<MessageRow>> {
        self.one(
            &format!(
                "SELECT {MESSAGE_COLUMNS} FROM message
                 WHERE conversation = ?1 AND message_id = ?2 AND direction = ?3
                 ORDER BY ord DESC LIMIT 1"
            ),
            params![conversation.0, message_id, direction.code()],
            |row| self.read_message(row),
        )
    }

    /// The newest message of one side with this `origin-id`. Only for own messages is it a proof of anything.
    pub fn message_by_origin_id(
        &self,
        conversation: ConversationId,
        direction: Direction,
        origin_id: &str,
    ) -> Result<Option<MessageRow>> {
        self.one(
            &format!(
                "SELECT {MESSAGE_COLUMNS} FROM message
                 WHERE conversation = ?1 AND origin_id = ?2 AND direction = ?3
                 ORDER BY ord DESC LIMIT 1"
            ),
            params![conversation.0, origin_id, direction.code()],
            |row| self.read_message(row),
        )
    }

    /// The last message of the person's own in a conversation, passing over the program's own lines and
    /// what was taken back.
    pub fn message_last_own(&self, conversation: ConversationId) -> Result<Option<MessageRow>> {
        self.message_last_of(conversation, Direction::Outgoing)
    }

    /// The last message that came from the other side.
    pub fn message_last_incoming(
        &self,
        conversation: ConversationId,
    ) -> Result<Option<MessageRow>> {
        self.message_last_of(conversation, Direction::Incoming)
    }

    fn message_last_of(
        &self,
        conversation: ConversationId,
        direction: Direction,
    ) -> Result<Option<MessageRow>> {
        self.one(
            &format!(
                "SELECT {MESSAGE_COLUMNS} FROM message WHERE conversation = ?1
                 AND direction = ?2 AND kind <> 2 AND deleted = 0 ORDER BY ord DESC LIMIT 1"
            ),
            params![conversation.0, direction.code()],
            |row| self.read_message(row),
        )
    }

    /// One page of a conversation, the oldest message first.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when the message that the page hangs on is not in the conversation.
    pub fn message_page(
        &self,
        conversation: ConversationId,
        page: Page,
        limit: u32,
    ) -> Result<MessageRows> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        match page {
            Page::Newest => self.page_back(conversation, i64::MAX, false, limit),
            Page::Before(message) => {
                let ord = self.ord(conversation, message)?;
                self.page_back(conversation, ord, true, limit)
            }
            Page::After(message) => {
                let ord = self.ord(conversation, message)?;
                self.page_on(conversation, ord, true, limit)
            }
            Page::Around(message) => {
                let ord = self.ord(conversation, message)?;
                let half = limit / 2;
                let before = self.page_back(conversation, ord, true, half)?;
                let after =
                    self.page_on(conversation, ord.saturating_sub(1), false, limit - half)?;
                let mut messages = before.messages;
                messages.extend(after.messages);
                Ok(MessageRows {
                    messages,
                    older: before.older,
                    newer: after.newer,
                })
            }
        }
    }

    fn page_back(
        &self,
        conversation: ConversationId,
        before: i64,
        newer: bool,
        limit: usize,
    ) -> Result<MessageRows> {
        let mut messages = self.all(
            &format!(
                "SELECT {MESSAGE_COLUMNS} FROM message WHERE conversation = ?1 AND ord < ?2
                 ORDER BY ord DESC LIMIT ?3"
            ),
            params![conversation.0, before, one_more(limit)],
            |row| self.read_message(row),
        )?;
        let older = messages.len() > limit;
        messages.truncate(limit);
        messages.reverse();
        Ok(MessageRows {
            messages,
            older,
            newer,
        })
    }

    fn page_on(
        &self,
        conversation: ConversationId,
        after: i64,
        older: bool,
        limit: usize,
    ) -> Result<MessageRows> {
        let mut messages = self.all(
            &format!(
                "SELECT {MESSAGE_COLUMNS} FROM message WHERE conversation = ?1 AND ord > ?2
                 ORDER BY ord LIMIT ?3"
            ),
            params![conversation.0, after, one_more(limit)],
            |row| self.read_message(row),
        )?;
        let newer = messages.len() > limit;
        messages.truncate(limit);
        Ok(MessageRows {
            messages,
            older,
            newer,
        })
    }

    fn ord(&self, conversation: ConversationId, message: MessageId) -> Result<i64> {
        self.one(
            "SELECT ord FROM message WHERE id = ?1 AND conversation = ?2",
            params![message.0, conversation.0],
            |row| row.get(0),
        )?
        .ok_or(StoreError::NotFound { what: "message" })
    }

    // ---- delivery ----------------------------------------------------------------------------

    /// An own message got further. Whether that is news: it never goes back, a failure ends only what
    /// nobody confirmed, and a proof of arrival ends a failure.
    pub fn message_set_delivery(
        &self,
        message: MessageId,
        delivery: Delivery,
        failure: &str,
    ) -> Result<bool> {
        let from = match delivery {
            Delivery::Waiting => return Ok(false),
            Delivery::Sent => "(0)",
            Delivery::Delivered => "(0, 1, 9)",
            Delivery::Seen => "(0, 1, 2, 9)",
            Delivery::Failed => "(0, 1)",
        };
        let failure = Some(failure).filter(|_| delivery == Delivery::Failed);
        let changed = self.execute(
            &format!(
                "UPDATE message SET delivery = ?2, failure = ?3, waits_private = 0
                 WHERE id = ?1 AND direction = 1 AND delivery IN {from}"
            ),
            params![message.0, delivery.code(), failure],
        )?;
        if changed > 0 && delivery != Delivery::Failed {
            self.forget_waiting_text(message)?;
        }
        Ok(changed > 0)
    }

    /// The person tries a failed message again: it waits. Whether it had failed.
    ///
    /// From now on it goes by another id: the archive may have the failed try by the old one.
    pub fn message_retry(&self, message: MessageId, id: &str) -> Result<bool> {
        let changed = self.execute(
            "UPDATE message SET delivery = 0, failure = NULL, message_id = ?2, origin_id = ?2, archive_id = NULL
             WHERE id = ?1 AND delivery = 9",
            params![message.0, id],
        )?;
        Ok(changed > 0)
    }

    /// A displayed marker (XEP-0333): this own message and those before it that reached somebody were
    /// seen. Which of them that is news for, ascending.
    pub fn messages_seen_up_to(&self, message: MessageId) -> Result<Vec<MessageId>> {
        let mut seen = self.all(
            "UPDATE message SET delivery = 3, failure = NULL WHERE id IN
             (SELECT earlier.id FROM message AS marked JOIN message AS earlier
              ON earlier.conversation = marked.conversation AND earlier.ord <= marked.ord
              WHERE marked.id = ?1 AND earlier.ord > marked.ord - ?2
              AND earlier.direction = 1 AND earlier.delivery IN (1, 2))
             RETURNING id",
            params![message.0, SEEN_REACH],
            |row| row.get(0).map(MessageId),
        )?;
        seen.sort_unstable();
        Ok(seen)
    }

    /// The archive has an own message, or a copy that came without an archive id turned out to be this one.
    /// Whether that is news; a message keeps its first archive id.
    pub fn message_set_archive_id(&self, message: MessageId, archive_id: &str) -> Result<bool> {
        let changed = self.execute(
            "UPDATE OR IGNORE message SET archive_id = ?2 WHERE id = ?1 AND archive_id IS NULL",
            params![message.0, archive_id],
        )?;
        Ok(changed > 0)
    }

    // ---- corrections and removal -------------------------------------------------------------

    /// Replaces the text of a message and keeps the one before (XEP-0308). Whether anything changed:
    /// not for the same text again, nor for a message that was taken back. Where the conversation is not kept
    /// any more, neither is the message from now on.
    pub fn message_correct(
        &self,
        message: MessageId,
        kind: MessageKind,
        body: &str,
        at: Timestamp,
    ) -> Result<bool> {
        self.atomically(|| {
            let old = self.message(message)?.ok_or(StoreError::NotFound { what: "message" })?;
            if old.deleted || (old.body == body && old.kind == kind) {
                return Ok(false);
            }
            let keeps = self.keeps(old.conversation)?;
            if old.kept && !keeps {
                self.unkeep(&old)?;
            }
            if !old.kept || !keeps {
                self.execute(
                    "UPDATE message SET kind = ?2, edited = 1 WHERE id = ?1",
                    params![message.0, kind.code()],
                )?;
                self.execute(
                    "UPDATE private_waiting SET body = ?2 WHERE message = ?1",
                    params![message.0, body],
                )?;
                self.unkept.borrow_mut().correct(message, body);
                return Ok(true);
            }
            self.execute(
                "INSERT INTO message_previous (message, n, body, at)
                 SELECT ?1, 1 + coalesce(max(n), 0), ?2, ?3 FROM message_previous WHERE message = ?1",
                params![message.0, old.body, at.0],
            )?;
            self.unindex_words(message, old.conversation, &old.body)?;
            self.execute(
                "UPDATE message SET body = ?2, kind = ?3, edited = 1 WHERE id = ?1",
                params![message.0, body, kind.code()],
            )?;
            self.index_words(message, old.conversation, body)?;
            Ok(true)
        })
    }

    /// What a message said before each correction, the oldest first.
    pub fn message_previous(&self, message: MessageId) -> Result<Vec<String>> {
        if let Some(text) = self.unkept.borrow().get(message) {
            return Ok(text.previous.iter().map(|body| body.to_string()).collect());
        }
        self.all(
            "SELECT body FROM message_previous WHERE message = ?1 ORDER BY n",
            [message.0],
            |row| row.get(0),
        )
    }

    /// Takes a message back: its text and what it said before are erased, the line stays (XEP-0424).
    pub fn message_mark_deleted(&self, message: MessageId) -> Result<()> {
        self.atomically(|| {
            let old = self
                .message(message)?
                .ok_or(StoreError::NotFound { what: "message" })?;
            if old.kept {
                self.unindex_words(message, old.conversation, &old.body)?;
            }
            self.unkept.borrow_mut().remove(message);
            self.forget_waiting_text(message)?;
            self.execute(
                "DELETE FROM message_previous WHERE message = ?1",
                [message.0],
            )?;
            self.forget_stanzas(message)?;
            let changed = self.execute(
                "UPDATE message SET body = '', deleted = 1, waits_private = 0 WHERE id = ?1",
                [message.0],
            )?;
            self.recount_unread(old.conversation)?;
            found(changed, "message")
        })
    }

    pub(crate) fn read_message(&self, row: &Row<'_>) -> rusqlite::Result<MessageRow> {
        let id = MessageId(row.get(0)?);
        let kept = row.get(17)?;
        let body = if kept {
            row.get(5)?
        } else {
            self.unkept.borrow().body(id).to_owned()
        };
        Ok(MessageRow {
            id,
            conversation: ConversationId(row.get(1)?),
            ord: row.get(2)?,
            direction: Direction::decode(row.get(3)?),
            kind: MessageKind::decode(row.get(4)?),
            body,
            at: Timestamp(row.get(6)?),
            received_at: Timestamp(row.get(7)?),
            delivery: row.get::<_, Option<i64>>(8)?.map(Delivery::decode),
            failure: row.get::<_, Option<String>>(9)?.unwrap_or_default(),
            privacy: Privacy::decode(row.get(10)?),
            origin_id: row.get(11)?,
            message_id: row.get(12)?,
            archive_id: row.get(13)?,
            sender: row.get(14)?,
            edited: row.get(15)?,
            deleted: row.get(16)?,
            kept,
            notice: row.get::<_, Option<i64>>(18)?.and_then(notice_decode),
            waits_private: row.get(19)?,
        })
    }
}

/// One row beyond the page tells whether there are more.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}
