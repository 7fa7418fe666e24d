//! Contacts, presence, requests, blocks, pictures.

use std::collections::{HashMap, HashSet};

use rusqlite::{Row, params};
use sotto_api::view::{Availability, Subscription};
use sotto_api::{AccountId, ContactId, ConversationId, Timestamp};

use crate::account::found;
use crate::code::Code;
use crate::conversation::LAST_COLUMNS;
use crate::error::Result;
use crate::row::{AvatarRow, BlockedRow, ContactListRow, PresenceRow, RosterItem, SubscriptionRow};
use crate::store::Store;

impl Store {
    // ---- roster ------------------------------------------------------------------------------

    /// Makes the contacts of an account exactly these (RFC 6121 §2.2), in one transaction. Ids,
    /// pictures and conversations of those that stay are kept.
    pub fn roster_replace(
        &self,
        account: AccountId,
        items: &[RosterItem],
        version: Option<&str>,
    ) -> Result<()> {
        self.atomically(|| {
            let known: Vec<String> = self.all(
                "SELECT jid FROM address WHERE account = ?1",
                [account.0],
                |row| row.get(0),
            )?;
            let wanted: HashSet<&str> = items.iter().map(|item| item.jid.as_str()).collect();
            for jid in known.iter().filter(|jid| !wanted.contains(jid.as_str())) {
                self.execute(
                    "DELETE FROM address WHERE account = ?1 AND jid = ?2",
                    params![account.0, jid],
                )?;
            }
            for item in items {
                self.roster_put(account, item)?;
            }
            self.remove_loose_contacts()?;
            self.roster_version_set(account, version)
        })
    }

    /// Adds or replaces one contact (a roster push).
    pub fn roster_set(
        &self,
        account: AccountId,
        item: &RosterItem,
        version: Option<&str>,
    ) -> Result<ContactId> {
        self.atomically(|| {
            let contact = self.roster_put(account, item)?;
            self.roster_version_set(account, version)?;
            Ok(contact)
        })
    }

    /// Removes one contact (a roster push with `subscription='remove'`). The history stays.
    pub fn roster_remove(
        &self,
        account: AccountId,
        jid: &str,
        version: Option<&str>,
    ) -> Result<()> {
        self.atomically(|| {
            self.execute(
                "DELETE FROM address WHERE account = ?1 AND jid = ?2",
                params![account.0, jid],
            )?;
            self.execute(
                "DELETE FROM presence WHERE account = ?1 AND jid = ?2",
                params![account.0, jid],
            )?;
            self.remove_loose_contacts()?;
            self.roster_version_set(account, version)
        })
    }

    /// The version of the stored roster (RFC 6121 §2.6).
    pub fn roster_version(&self, account: AccountId) -> Result<Option<String>> {
        let version = self.one(
            "SELECT version FROM roster_meta WHERE account = ?1",
            [account.0],
            |row| row.get(0),
        )?;
        Ok(version.flatten())
    }

    /// The stored roster of an account.
    pub fn roster(&self, account: AccountId) -> Result<Vec<RosterItem>> {
        let mut groups = self.groups()?;
        self.all(
            "SELECT jid, name, subscription, ask, contact FROM address
             JOIN contact ON contact.id = address.contact WHERE account = ?1 ORDER BY jid",
            [account.0],
            |row| {
                Ok(RosterItem {
                    jid: row.get(0)?,
                    name: row.get(1)?,
                    subscription: Subscription::decode(row.get(2)?),
                    ask: row.get(3)?,
                    groups: groups.remove(&row.get(4)?).unwrap_or_default(),
                })
            },
        )
    }

    fn roster_version_set(&self, account: AccountId, version: Option<&str>) -> Result<()> {
        self.execute(
            "INSERT INTO roster_meta (account, version) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET version = excluded.version",
            params![account.0, version],
        )?;
        Ok(())
    }

    fn roster_put(&self, account: AccountId, item: &RosterItem) -> Result<ContactId> {
        let known: Option<i64> = self.one(
            "SELECT contact FROM address WHERE account = ?1 AND jid = ?2",
            params![account.0, item.jid],
            |row| row.get(0),
        )?;
        let contact = match known {
            Some(contact) => {
                self.execute(
                    "UPDATE contact SET name = ?2 WHERE id = ?1 AND name <> ?2",
                    params![contact, item.name],
                )?;
                self.execute(
                    "UPDATE address SET subscription = ?3, ask = ?4 WHERE account = ?1 AND jid = ?2",
                    params![account.0, item.jid, item.subscription.code(), item.ask],
                )?;
                self.execute("DELETE FROM contact_group WHERE contact = ?1", [contact])?;
                contact
            }
            None => {
                self.execute("INSERT INTO contact (name) VALUES (?1)", [&item.name])?;
                let contact = self.connection.last_insert_rowid();
                self.execute(
                    "INSERT INTO address (account, contact, jid, subscription, ask)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![
                        account.0,
                        contact,
                        item.jid,
                        item.subscription.code(),
                        item.ask
                    ],
                )?;
                contact
            }
        };
        for group in &item.groups {
            self.execute(
                "INSERT OR IGNORE INTO contact_group (contact, name) VALUES (?1, ?2)",
                params![contact, group],
            )?;
        }
        Ok(ContactId(contact))
    }

    pub(crate) fn remove_loose_contacts(&self) -> Result<()> {
        self.execute(
            "DELETE FROM contact WHERE NOT EXISTS
             (SELECT 1 FROM address WHERE address.contact = contact.id)",
            [],
        )?;
        Ok(())
    }

    // ---- the contact list --------------------------------------------------------------------

    /// Everything that the contact list shows, in two statements; ordered by contact.
    pub fn contact_list(&self) -> Result<Vec<ContactListRow>> {
        let mut groups = self.groups()?;
        let mut rows = self.all(
            &format!("{} ORDER BY address.contact, address.id", contact_sql()),
            [],
            |row| self.read_contact(row),
        )?;
        let mut last: Option<usize> = None;
        for at in 0..rows.len() {
            let contact = rows[at].contact;
            rows[at].groups = match last.filter(|last| rows[*last].contact == contact) {
                Some(last) => rows[last].groups.clone(),
                None => groups.remove(&contact.0).unwrap_or_default(),
            };
            last = Some(at);
        }
        Ok(rows)
    }

    /// The rows of one contact; empty when it is not known.
    pub fn contact(&self, contact: ContactId) -> Result<Vec<ContactListRow>> {
        let groups: Vec<String> = self.all(
            "SELECT name FROM contact_group WHERE contact = ?1 ORDER BY name",
            [contact.0],
            |row| row.get(0),
        )?;
        let mut rows = self.all(
            &format!(
                "{} WHERE address.contact = ?1 ORDER BY address.id",
                contact_sql()
            ),
            [contact.0],
            |row| self.read_contact(row),
        )?;
        for row in &mut rows {
            row.groups.clone_from(&groups);
        }
        Ok(rows)
    }

    /// Whether an address is in the contact list, and as whom.
    pub fn contact_find(&self, account: AccountId, jid: &str) -> Result<Option<ContactId>> {
        self.one(
            "SELECT contact FROM address WHERE account = ?1 AND jid = ?2",
            params![account.0, jid],
            |row| row.get(0).map(ContactId),
        )
    }

    /// What the roster says of one address.
    pub fn roster_item(&self, account: AccountId, jid: &str) -> Result<Option<RosterItem>> {
        let Some(contact) = self.contact_find(account, jid)? else {
            return Ok(None);
        };
        let rows = self.contact(contact)?;
        Ok(rows
            .into_iter()
            .find(|row| row.account == account && row.jid == jid)
            .map(|row| RosterItem {
                jid: row.jid,
                name: row.name,
                subscription: row.subscription,
                ask: row.ask,
                groups: row.groups,
            }))
    }

    /// Every group in use, sorted.
    pub fn group_names(&self) -> Result<Vec<String>> {
        self.all(
            "SELECT DISTINCT name FROM contact_group ORDER BY name",
            [],
            |row| row.get(0),
        )
    }

    fn groups(&self) -> Result<HashMap<i64, Vec<String>>> {
        let mut groups: HashMap<i64, Vec<String>> = HashMap::new();
        let rows = self.all(
            "SELECT contact, name FROM contact_group ORDER BY contact, name",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        for (contact, name) in rows {
            groups.entry(contact).or_default().push(name);
        }
        Ok(groups)
    }

    // ---- presence ----------------------------------------------------------------------------

    /// Keeps the presence of one program of a person.
    pub fn presence_set(&self, account: AccountId, presence: &PresenceRow) -> Result<()> {
        self.execute(
            "INSERT INTO presence (account, jid, resource, availability, status, priority, caps, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET availability = excluded.availability, status = excluded.status,
             priority = excluded.priority, caps = excluded.caps, at = excluded.at",
            params![
                account.0,
                presence.jid,
                presence.resource,
                presence.availability.code(),
                presence.status,
                presence.priority,
                presence.caps,
                presence.at.0
            ],
        )?;
        Ok(())
    }

    /// One program of a person went offline. Whether it was known.
    pub fn presence_remove(&self, account: AccountId, jid: &str, resource: &str) -> Result<bool> {
        let removed = self.execute(
            "DELETE FROM presence WHERE account = ?1 AND jid = ?2 AND resource = ?3",
            params![account.0, jid, resource],
        )?;
        Ok(removed > 0)
    }

    /// All programs of a person went offline, or may no longer be seen. Whether one was known.
    pub fn presence_remove_all(&self, account: AccountId, jid: &str) -> Result<bool> {
        let removed = self.execute(
            "DELETE FROM presence WHERE account = ?1 AND jid = ?2",
            params![account.0, jid],
        )?;
        Ok(removed > 0)
    }

    /// Nothing is known of anybody any more: a fresh bind, or the account went offline.
    pub fn presence_clear(&self, account: AccountId) -> Result<()> {
        self.execute("DELETE FROM presence WHERE account = ?1", [account.0])?;
        Ok(())
    }

    /// The programs of everybody on an account.
    pub fn presence_all(&self, account: AccountId) -> Result<Vec<PresenceRow>> {
        self.all(
            "SELECT jid, resource, availability, status, priority, caps, at FROM presence
             WHERE account = ?1",
            [account.0],
            read_presence,
        )
    }

    /// The programs of a person, the best first.
    pub fn presences(&self, account: AccountId, jid: &str) -> Result<Vec<PresenceRow>> {
        self.all(
            "SELECT jid, resource, availability, status, priority, caps, at FROM presence
             WHERE account = ?1 AND jid = ?2 ORDER BY priority DESC, availability, at DESC",
            params![account.0, jid],
            read_presence,
        )
    }

    // ---- requests to see my presence ---------------------------------------------------------

    /// Keeps a request; repeated by the same address it stays one, with its first time. Whether it is new.
    pub fn subscription_request_set(&self, request: &SubscriptionRow) -> Result<bool> {
        self.atomically(|| {
            let changed = self.execute(
                "UPDATE subscription_request SET nickname = ?3, text = ?4
                 WHERE account = ?1 AND jid = ?2",
                params![
                    request.account.0,
                    request.jid,
                    request.nickname,
                    request.text
                ],
            )?;
            if changed > 0 {
                return Ok(false);
            }
            self.execute(
                "INSERT INTO subscription_request (account, jid, nickname, text, at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    request.account.0,
                    request.jid,
                    request.nickname,
                    request.text,
                    request.at.0
                ],
            )?;
            Ok(true)
        })
    }

    /// It was answered or withdrawn. Whether it was there.
    pub fn subscription_request_remove(&self, account: AccountId, jid: &str) -> Result<bool> {
        let removed = self.execute(
            "DELETE FROM subscription_request WHERE account = ?1 AND jid = ?2",
            params![account.0, jid],
        )?;
        Ok(removed > 0)
    }

    /// The requests that wait, the oldest first; at most so many.
    pub fn subscription_requests(&self, limit: u32) -> Result<Vec<SubscriptionRow>> {
        self.all(
            "SELECT account, jid, nickname, text, at FROM subscription_request
             ORDER BY at, account, jid LIMIT ?1",
            [limit],
            |row| {
                Ok(SubscriptionRow {
                    account: AccountId(row.get(0)?),
                    jid: row.get(1)?,
                    nickname: row.get(2)?,
                    text: row.get(3)?,
                    at: Timestamp(row.get(4)?),
                })
            },
        )
    }

    /// How many requests wait on an account: to bound floods (S-XMPP-18).
    pub fn subscription_request_count(&self, account: AccountId) -> Result<u32> {
        let count = self.one(
            "SELECT count(*) FROM subscription_request WHERE account = ?1",
            [account.0],
            |row| row.get(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    // ---- blocks ------------------------------------------------------------------------------

    /// Makes the blocked addresses of an account exactly these.
    pub fn blocked_replace(&self, account: AccountId, jids: &[String]) -> Result<()> {
        self.atomically(|| {
            self.execute("DELETE FROM blocked WHERE account = ?1", [account.0])?;
            for jid in jids {
                self.blocked_set(account, jid, true)?;
            }
            Ok(())
        })
    }

    /// Blocks or unblocks one address.
    pub fn blocked_set(&self, account: AccountId, jid: &str, blocked: bool) -> Result<()> {
        let sql = if blocked {
            "INSERT OR IGNORE INTO blocked (account, jid) VALUES (?1, ?2)"
        } else {
            "DELETE FROM blocked WHERE account = ?1 AND jid = ?2"
        };
        self.execute(sql, params![account.0, jid])?;
        Ok(())
    }

    /// Whether exactly this address is blocked.
    pub fn is_blocked(&self, account: AccountId, jid: &str) -> Result<bool> {
        let row = self.one(
            "SELECT 1 FROM blocked WHERE account = ?1 AND jid = ?2",
            params![account.0, jid],
            |_| Ok(()),
        )?;
        Ok(row.is_some())
    }

    /// The blocked addresses of an account, sorted.
    pub fn blocked(&self, account: AccountId) -> Result<Vec<BlockedRow>> {
        self.all(
            "SELECT jid FROM blocked WHERE account = ?1 ORDER BY jid",
            [account.0],
            |row| {
                Ok(BlockedRow {
                    account,
                    jid: row.get(0)?,
                })
            },
        )
    }

    // ---- pictures ----------------------------------------------------------------------------

    /// Keeps a picture. Say first whose it is ([`Store::avatar_of_set`]): one that is nobody's is erased
    /// when an account is removed.
    pub fn avatar_put(&self, avatar: &AvatarRow) -> Result<()> {
        self.execute(
            "INSERT INTO avatar (hash, mime, bytes) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            params![avatar.hash, avatar.mime, avatar.bytes],
        )?;
        Ok(())
    }

    /// A picture by its hash.
    pub fn avatar(&self, hash: &str) -> Result<Option<AvatarRow>> {
        self.one(
            "SELECT hash, mime, bytes FROM avatar WHERE hash = ?1",
            [hash],
            |row| {
                Ok(AvatarRow {
                    hash: row.get(0)?,
                    mime: row.get(1)?,
                    bytes: row.get(2)?,
                })
            },
        )
    }

    /// Says whose picture it is; absent: they have none. The picture itself may follow later. A picture
    /// that is nobody's any more is erased.
    pub fn avatar_of_set(&self, account: AccountId, jid: &str, hash: Option<&str>) -> Result<()> {
        self.atomically(|| {
            let before = self.avatar_of(account, jid)?;
            match hash {
                Some(hash) => self.execute(
                    "INSERT INTO avatar_of (account, jid, hash) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET hash = excluded.hash",
                    params![account.0, jid, hash],
                )?,
                None => self.execute(
                    "DELETE FROM avatar_of WHERE account = ?1 AND jid = ?2",
                    params![account.0, jid],
                )?,
            };
            if let Some(before) = before {
                self.execute(
                    "DELETE FROM avatar WHERE hash = ?1
                     AND NOT EXISTS (SELECT 1 FROM avatar_of WHERE avatar_of.hash = ?1)",
                    [before],
                )?;
            }
            Ok(())
        })
    }

    /// The hash of somebody's picture; the account's own address for my own.
    pub fn avatar_of(&self, account: AccountId, jid: &str) -> Result<Option<String>> {
        self.one(
            "SELECT hash FROM avatar_of WHERE account = ?1 AND jid = ?2",
            params![account.0, jid],
            |row| row.get(0),
        )
    }

    pub(crate) fn remove_loose_avatars(&self) -> Result<()> {
        self.execute(
            "DELETE FROM avatar WHERE NOT EXISTS
             (SELECT 1 FROM avatar_of WHERE avatar_of.hash = avatar.hash)",
            [],
        )?;
        Ok(())
    }

    // ---- merging -----------------------------------------------------------------------------

    /// Makes two contacts one person: the addresses of `other` become addresses of `contact`.
    pub fn contact_merge(&self, contact: ContactId, other: ContactId) -> Result<()> {
        self.atomically(|| {
            let changed = self.execute(
                "UPDATE address SET contact = ?1 WHERE contact = ?2",
                params![contact.0, other.0],
            )?;
            found(changed, "contact")?;
            self.remove_loose_contacts()
        })
    }
}

fn contact_sql() -> String {
    // The subquery runs on the primary key of `presence`: a handful of rows for each address.
    format!(
        "SELECT address.contact, contact.name, address.account, address.jid, address.subscription,
         address.ask, presence.resource, presence.availability, presence.status, presence.priority,
         presence.caps, presence.at, avatar_of.hash, blocked.jid IS NOT NULL,
         conversation.id, conversation.unread, conversation.draft, {LAST_COLUMNS}
         FROM address JOIN contact ON contact.id = address.contact
         LEFT JOIN presence ON presence.account = address.account AND presence.jid = address.jid
         AND presence.resource = (SELECT resource FROM presence AS best
             WHERE best.account = address.account AND best.jid = address.jid
             ORDER BY best.priority DESC, best.availability, best.at DESC, best.resource LIMIT 1)
         LEFT JOIN avatar_of ON avatar_of.account = address.account AND avatar_of.jid = address.jid
         LEFT JOIN blocked ON blocked.account = address.account AND blocked.jid = address.jid
         LEFT JOIN conversation
         ON conversation.account = address.account AND conversation.jid = address.jid
         LEFT JOIN message ON message.id = conversation.last_message"
    )
}

fn read_presence(row: &Row<'_>) -> rusqlite::Result<PresenceRow> {
    Ok(PresenceRow {
        jid: row.get(0)?,
        resource: row.get(1)?,
        availability: Availability::decode(row.get(2)?),
        status: row.get(3)?,
        priority: row.get(4)?,
        caps: row.get(5)?,
        at: Timestamp(row.get(6)?),
    })
}

impl Store {
    fn read_contact(&self, row: &Row<'_>) -> rusqlite::Result<ContactListRow> {
        let jid: String = row.get(3)?;
        let presence = match row.get::<_, Option<String>>(6)? {
            Some(resource) => Some(PresenceRow {
                jid: jid.clone(),
                resource,
                availability: Availability::decode(row.get(7)?),
                status: row.get(8)?,
                priority: row.get(9)?,
                caps: row.get(10)?,
                at: Timestamp(row.get(11)?),
            }),
            None => None,
        };
        let conversation = row.get::<_, Option<i64>>(14)?.map(ConversationId);
        let draft = row.get::<_, Option<String>>(16)?.unwrap_or_default();
        let draft = match conversation {
            Some(conversation) => self.read_draft(conversation, draft),
            None => draft,
        };
        Ok(ContactListRow {
            contact: ContactId(row.get(0)?),
            name: row.get(1)?,
            account: AccountId(row.get(2)?),
            jid,
            subscription: Subscription::decode(row.get(4)?),
            ask: row.get(5)?,
            groups: Vec::new(),
            presence,
            avatar: row.get(12)?,
            blocked: row.get(13)?,
            conversation,
            unread: row.get::<_, Option<u32>>(15)?.unwrap_or(0),
            draft,
            last: self.read_last(row, 17)?,
        })
    }
}
