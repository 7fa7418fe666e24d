//! What was erased here does not come back from the archive on the server.
//!
//! Three ways lead back. Older pages are asked for from the oldest place that is known, so that place must
//! outlive its message, or nothing older is asked for at all. What was missed is asked for from the newest
//! place, and messages that came or left since it was last moved are told of once more: their ids are kept
//! until it moves. Where there is no newest place (the server lost it, the account is new here or was removed)
//! the archive's end is read: what it got before the newest erased message, and is not here, is dropped.

use rusqlite::params;
use sha2::{Digest, Sha256};
use sotto_api::{AccountId, ConversationId, MessageId, Timestamp};

use super::Older;
use crate::error::Result;
use crate::import::APART;
use crate::row::Archived;
use crate::store::Store;

/// May stand in the archive in clear: not the program's own lines, not what never left.
const ARCHIVED: &str =
    "kind <> 2 AND privacy < 2 AND NOT (direction = 1 AND delivery = 0 AND NOT EXISTS
    (SELECT 1 FROM outbox WHERE outbox.message = message.id
     AND (sequence IS NOT NULL OR ambiguous = 1)))";

impl Store {
    /// Whether older messages of a conversation partner, or of all, must not come from the archive again.
    pub fn archive_is_closed(&self, account: AccountId, peer: &str) -> Result<bool> {
        let closed = self.one(
            "SELECT 1 FROM archive_state WHERE account = ?1 AND peer IN ('', ?2, ?3) AND closed = 1",
            params![account.0, peer, forgotten(peer)],
            |_| Ok(()),
        )?;
        Ok(closed.is_some())
    }

    /// The newest known place is the end of the archive. With `all_read`, nothing before it will be told of
    /// again.
    pub fn archive_is_current(
        &self,
        account: AccountId,
        at: Timestamp,
        all_read: bool,
    ) -> Result<()> {
        if all_read {
            self.execute("DELETE FROM archive_erased WHERE account = ?1", [account.0])?;
        }
        // What still waits may come before the next place that is known.
        self.execute(
            "UPDATE archive_state SET current_at = ?2 WHERE account = ?1 AND peer = ''
             AND NOT EXISTS (SELECT 1 FROM outbox WHERE account = ?1 AND purpose <> 2)",
            params![account.0, at.0],
        )?;
        Ok(())
    }

    /// Whether what the archive tells of was erased here, or corrects what was.
    pub fn archive_has_erased(&self, account: AccountId, told: &Archived<'_>) -> Result<bool> {
        let sent = told.message_id.map(|id| erased_id(SENT, told.sender, id));
        let corrected = told
            .replaces
            .map(|id| erased_id(CORRECTED, told.sender, id));
        let known = self.one(
            "SELECT 1 FROM archive_erased WHERE account = ?1 AND id IN (?2, ?3, ?4)",
            params![account.0, told.archive_id, sent, corrected],
            |_| Ok(()),
        )?;
        Ok(known.is_some())
    }

    /// Until when the archive may have got what was erased here, or not kept; absent: nothing was.
    pub fn archive_erased_up_to(&self, account: AccountId) -> Result<Option<Timestamp>> {
        self.one(
            "SELECT erased_up_to FROM archive_state WHERE account = ?1 AND peer = ''",
            [account.0],
            |row| Ok(row.get::<_, Option<i64>>(0)?.map(Timestamp)),
        )
        .map(Option::flatten)
    }

    /// These messages of an account, a list of ids as JSON, are about to go. All that came before the archive's
    /// end was last known was read; so was what stands here with a later time. Another program's clock may have
    /// been late.
    fn archive_note_gone(&self, account: AccountId, messages: &str) -> Result<()> {
        self.execute(
            &format!(
                "INSERT INTO archive_state (account, peer, erased_up_to)
                 SELECT ?1, '', max(coalesce(current.current_at, 0),
                     max(message.at + CASE WHEN imported IS NULL THEN 0 ELSE {APART} END))
                 FROM message LEFT JOIN archive_state AS current
                     ON current.account = ?1 AND current.peer = ''
                 WHERE message.id IN (SELECT value FROM json_each(?2)) AND {ARCHIVED}
                 HAVING count(*) > 0
                 ON CONFLICT DO UPDATE SET
                 erased_up_to = max(coalesce(erased_up_to, 0), excluded.erased_up_to)"
            ),
            params![account.0, messages],
        )?;
        Ok(())
    }

    /// Messages of a conversation that were not kept are about to go.
    pub(crate) fn archive_note_unkept(
        &self,
        conversation: ConversationId,
        messages: &[MessageId],
    ) -> Result<()> {
        let account = self.one(
            "SELECT account FROM conversation WHERE id = ?1",
            [conversation.0],
            |row| row.get(0).map(AccountId),
        )?;
        match account {
            Some(account) => self.archive_note_gone(account, &list(messages.iter().copied())),
            None => Ok(()),
        }
    }

    /// Nothing older of one account, or of all, is to come from the archive.
    pub(super) fn archive_close_account(&self, account: Option<AccountId>) -> Result<()> {
        self.execute(
            "INSERT INTO archive_state (account, peer, closed)
             SELECT id, '', 1 FROM account WHERE ?1 IS NULL OR id = ?1
             ON CONFLICT DO UPDATE SET closed = 1",
            [account.map(|account| account.0)],
        )?;
        // Closed as a whole: with whom there was a conversation need not be known for it.
        self.execute(
            "DELETE FROM archive_state WHERE peer <> '' AND (?1 IS NULL OR account = ?1)",
            [account.map(|account| account.0)],
        )?;
        Ok(())
    }

    /// Who is neither in the contact list nor has a conversation is not named any more: nothing older of theirs comes
    /// again, and a hash of the address is enough for that.
    pub(super) fn archive_forget_peers(&self) -> Result<()> {
        let peers = self.all(
            "SELECT account, peer FROM archive_state WHERE peer <> '' AND substr(peer, 1, 1) <> ?1
             AND NOT EXISTS (SELECT 1 FROM address AS known
                 WHERE known.account = archive_state.account AND known.jid = archive_state.peer)
             AND NOT EXISTS (SELECT 1 FROM conversation AS known
                 WHERE known.account = archive_state.account AND known.jid = archive_state.peer)",
            [FORGOTTEN],
            |row| Ok((AccountId(row.get(0)?), row.get::<_, String>(1)?)),
        )?;
        for (account, peer) in peers {
            self.execute(
                "INSERT INTO archive_state (account, peer, closed) VALUES (?1, ?2, 1)
                 ON CONFLICT DO UPDATE SET closed = 1",
                params![account.0, forgotten(&peer)],
            )?;
            self.execute(
                "DELETE FROM archive_state WHERE account = ?1 AND peer = ?2",
                params![account.0, peer],
            )?;
        }
        Ok(())
    }

    /// Some messages of a conversation are about to be erased.
    pub(super) fn archive_note_erased(
        &self,
        conversation: ConversationId,
        messages: &[(MessageId, ConversationId)],
        older: Older,
    ) -> Result<()> {
        let Some((account, peer)) = self.one(
            "SELECT account, jid FROM conversation WHERE id = ?1",
            [conversation.0],
            |row| Ok((AccountId(row.get(0)?), row.get::<_, String>(1)?)),
        )?
        else {
            return Ok(());
        };
        let ids = list(
            messages
                .iter()
                .filter(|(_, of)| *of == conversation)
                .map(|(message, _)| *message),
        );
        self.keep_erased_ids(account, &ids)?;
        self.archive_note_gone(account, &ids)?;
        if self.archive_is_closed(account, &peer)? {
            return Ok(());
        }
        let place = match older {
            Older::Closes => Place::Unknown,
            Older::Stays => self.oldest_place(account, &peer, conversation, &ids)?,
        };
        match place {
            Place::Stays => {}
            Place::Known(archive_id) => {
                self.execute(
                    "INSERT INTO archive_state (account, peer, oldest) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET oldest = excluded.oldest",
                    params![account.0, peer, archive_id],
                )?;
            }
            Place::Unknown => {
                self.execute(
                    "INSERT INTO archive_state (account, peer, closed) VALUES (?1, ?2, 1)
                     ON CONFLICT DO UPDATE SET closed = 1",
                    params![account.0, peer],
                )?;
            }
        }
        Ok(())
    }

    /// Of those that came or left since the newest place was last the end of the archive.
    fn keep_erased_ids(&self, account: AccountId, messages: &str) -> Result<()> {
        let recent = self.all(
            &format!(
                "SELECT archive_id, sender, message_id FROM message
                 WHERE id IN (SELECT value FROM json_each(?2)) AND {ARCHIVED}
                 AND EXISTS (SELECT 1 FROM archive_state WHERE account = ?1 AND peer = ''
                     AND (newest IS NOT NULL OR complete = 1 OR current_at IS NOT NULL)
                     AND (current_at IS NULL OR received_at >= current_at))"
            ),
            params![account.0, messages],
            |row| {
                Ok((
                    row.get::<_, Option<String>>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, Option<String>>(2)?,
                ))
            },
        )?;
        for (archive_id, sender, message_id) in recent {
            let bare = sender
                .split_once('/')
                .map_or(sender.as_str(), |(bare, _)| bare);
            let corrected = message_id.as_ref().map(|id| erased_id(CORRECTED, bare, id));
            // Programs may give an id twice: it counts only where there is nothing better.
            let own = archive_id.or_else(|| message_id.map(|id| erased_id(SENT, bare, &id)));
            for id in own.into_iter().chain(corrected) {
                self.execute(
                    "INSERT OR IGNORE INTO archive_erased (account, id) VALUES (?1, ?2)",
                    params![account.0, id],
                )?;
            }
        }
        Ok(())
    }

    /// What becomes of the place from which older messages of a conversation are asked for, when these are
    /// erased.
    fn oldest_place(
        &self,
        account: AccountId,
        peer: &str,
        conversation: ConversationId,
        messages: &str,
    ) -> Result<Place> {
        let known = self.archive_state(account, Some(peer))?;
        if let Some(place) = &known.oldest {
            let comes_again =
                !known.complete && self.is_before_place(conversation, place, messages)?;
            return Ok(if comes_again {
                Place::Unknown
            } else {
                Place::Stays
            });
        }
        let first = self.one(
            "SELECT ord, archive_id FROM message
             WHERE conversation = ?1 AND archive_id IS NOT NULL ORDER BY ord LIMIT 1",
            [conversation.0],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)),
        )?;
        let ord = first.as_ref().map_or(i64::MAX, |(ord, _)| *ord);
        let touched = self.one(
            &format!(
                "SELECT 1 FROM message WHERE id IN (SELECT value FROM json_each(?1))
                 AND ord <= ?2 AND {ARCHIVED} LIMIT 1"
            ),
            params![messages, ord],
            |_| Ok(()),
        )?;
        if touched.is_none() {
            return Ok(Place::Stays);
        }
        let unknown_before = self.one(
            &format!(
                "SELECT 1 FROM message WHERE conversation = ?1 AND ord < ?2 AND {ARCHIVED} LIMIT 1"
            ),
            params![conversation.0, ord],
            |_| Ok(()),
        )?;
        Ok(match first {
            Some((_, archive_id)) if unknown_before.is_none() => Place::Known(archive_id),
            _ => Place::Unknown,
        })
    }

    /// Whether some of these messages may stand in the archive before a place in it: those that another program
    /// had, and the archive was not read up to.
    fn is_before_place(
        &self,
        conversation: ConversationId,
        place: &str,
        messages: &str,
    ) -> Result<bool> {
        let before = self.one(
            &format!(
                "SELECT 1 FROM message WHERE id IN (SELECT value FROM json_each(?1))
                 AND archive_id IS NULL AND imported IS NOT NULL AND {ARCHIVED}
                 AND at <= {APART} + coalesce((SELECT at FROM message
                     WHERE conversation = ?2 AND archive_id = ?3), 9223372036854775807 - {APART})
                 LIMIT 1"
            ),
            params![messages, conversation.0, place],
            |_| Ok(()),
        )?;
        Ok(before.is_some())
    }
}

/// Ids as JSON.
fn list(messages: impl Iterator<Item = MessageId>) -> String {
    let ids: Vec<String> = messages.map(|message| message.0.to_string()).collect();
    format!("[{}]", ids.join(","))
}

/// From where older messages are asked for after an erasure.
enum Place {
    /// From where they were.
    Stays,
    /// From a place that was that of an erased message.
    Known(String),
    /// From nowhere: what was erased would come too.
    Unknown,
}

/// For the message itself; for what corrects it.
const SENT: &str = "sent";
const CORRECTED: &str = "corrected";

/// Marks the hash of an address where addresses stand; no address begins with it and goes on in hexadecimal.
const FORGOTTEN: &str = "#";

/// Under which name it is kept that nothing older of somebody's is to come.
fn forgotten(peer: &str) -> String {
    format!("{FORGOTTEN}{}", hex(&Sha256::digest(peer)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Only the server can vouch for an archive id; a stanza id counts with who sent it, who need not be known.
fn erased_id(what: &str, sender: &str, message_id: &str) -> String {
    let hash = Sha256::new()
        .chain_update(what)
        .chain_update([0])
        .chain_update(sender)
        .chain_update([0])
        .chain_update(message_id)
        .finalize();
    hex(&hash)
}
