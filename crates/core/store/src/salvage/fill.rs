//! From the pages of a damaged store into a new one.

use std::collections::{HashMap, HashSet};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use sotto_api::{ConversationId, MessageId};

use super::pages::{Pages, Raw};
use crate::error::{Result, StoreError};
use crate::store::Store;

/// A table of the schema.
struct Table {
    name: String,
    columns: Vec<Column>,
    has_rowid: bool,
}

struct Column {
    name: String,
    kind: String,
    needed: bool,
    /// A row without it has a value for it.
    optional: bool,
    /// Stands for the row id, which the record leaves out.
    is_rowid: bool,
}

/// Puts everything that reads into an empty store. How many messages, and rows of all tables.
pub(super) fn fill(store: &Store, pages: &Pages<'_>) -> Result<(u64, u64)> {
    let connection = &store.connection;
    // Until everything is in, rows may lead nowhere.
    connection.execute_batch("PRAGMA foreign_keys = OFF")?;
    store.begin()?;
    let filled = (|| {
        let tables = tables(connection)?;
        copy(store, pages, &tables)?;
        mend(store, &tables)?;
        index(store)?;
        count(connection, &tables)
    })();
    match filled {
        Ok(counts) => {
            store.commit()?;
            connection.execute_batch("PRAGMA foreign_keys = ON")?;
            Ok(counts)
        }
        Err(error) => {
            store.rollback()?;
            Err(error)
        }
    }
}

fn copy(store: &Store, pages: &Pages<'_>, tables: &[Table]) -> Result<()> {
    let known = roots(pages);
    let mut seen = HashSet::from([1]);
    for table in tables {
        if let Some(root) = known.get(&table.name) {
            for page in pages.tree(*root, &mut seen) {
                for row in pages.rows(page) {
                    table.insert(store, &row)?;
                }
            }
        }
    }
    for (name, root) in &known {
        if !tables.iter().any(|table| table.name == *name) {
            pages.tree(*root, &mut seen);
        }
    }
    // Where that does not read, a table may begin where it does in a new store. In one that was brought up
    // from an older schema it does not: something else is there.
    for (name, root) in roots_of_new(&store.connection)? {
        let Some(table) = tables.iter().find(|table| table.name == name) else {
            continue;
        };
        if known.contains_key(&name) {
            continue;
        }
        let mut reached = seen.clone();
        let leaves = pages.tree(root, &mut reached);
        let first = leaves.first().map(|page| pages.rows(*page));
        if !first.is_some_and(|rows| !rows.is_empty() && rows.iter().all(|row| table.may_hold(row)))
        {
            continue;
        }
        seen = reached;
        for page in leaves {
            for row in pages.rows(page) {
                table.insert(store, &row)?;
            }
        }
    }
    // The way to these pages is lost. A row belongs where it fits, if it fits in one place only.
    for number in 2..=pages.count() {
        if seen.contains(&number) || !pages.is_table_leaf(number) {
            continue;
        }
        for row in pages.rows(number) {
            let mut fitting = tables.iter().filter(|table| table.fits(&row));
            if let (Some(table), None) = (fitting.next(), fitting.next()) {
                table.insert(store, &row)?;
            }
        }
    }
    Ok(())
}

/// On which page each table and index begins, by the damaged store, as far as it reads.
fn roots(pages: &Pages<'_>) -> HashMap<String, u32> {
    let mut roots = HashMap::new();
    for page in pages.tree(1, &mut HashSet::new()) {
        for row in pages.rows(page) {
            if let [_, Value::Text(name), _, Value::Integer(root), ..] = row.values.as_slice()
                && let Ok(root) = u32::try_from(*root)
                && root > 1
            {
                roots.insert(name.clone(), root);
            }
        }
    }
    roots
}

/// On which page each begins in a new store.
fn roots_of_new(new: &Connection) -> Result<Vec<(String, u32)>> {
    let mut schema = new
        .prepare("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 1 ORDER BY rootpage")?;
    let roots = schema.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(roots.collect::<rusqlite::Result<_>>()?)
}

impl Table {
    /// A row that the schema does not take is left out.
    fn insert(&self, store: &Store, row: &Raw) -> Result<()> {
        if row.values.len() > self.columns.len() || row.rowid.is_some() != self.has_rowid {
            return Ok(());
        }
        let columns: Vec<&str> = self
            .columns
            .iter()
            .take(row.values.len())
            .map(|column| column.name.as_str())
            .collect();
        let places = vec!["?"; columns.len()].join(", ");
        let sql = format!(
            "INSERT OR IGNORE INTO {} ({}) VALUES ({places})",
            self.name,
            columns.join(", ")
        );
        let values = self.columns.iter().zip(&row.values).map(|(column, value)| {
            match (column.is_rowid, row.rowid) {
                (true, Some(rowid)) => Value::Integer(rowid),
                _ => value.clone(),
            }
        });
        match store.execute(&sql, params_from_iter(values)) {
            Err(
                error @ (StoreError::DiskFull | StoreError::RolledBack | StoreError::Io { .. }),
            ) => Err(error),
            _ => Ok(()),
        }
    }

    /// Whether a row of which nothing else is known fits.
    fn fits(&self, row: &Raw) -> bool {
        self.has_rowid && self.may_hold(row)
    }

    /// Whether the values are of the kinds that stand here. Columns that a later schema added may be missing.
    fn may_hold(&self, row: &Raw) -> bool {
        let missing = self.columns.get(row.values.len()..);
        self.has_rowid == row.rowid.is_some()
            && missing.is_some_and(|missing| missing.iter().all(|column| column.optional))
            && self.columns.iter().zip(&row.values).all(|(column, value)| {
                match (value, column.kind.as_str()) {
                    (Value::Null, _) => column.is_rowid || !column.needed,
                    (Value::Integer(_), kind) => kind == "INTEGER" && !column.is_rowid,
                    (Value::Text(_), kind) => kind == "TEXT",
                    (Value::Blob(_), kind) => kind == "BLOB",
                    (Value::Real(_), _) => false,
                }
            })
    }
}

/// The tables of our schema, without those of the index, which is made anew.
fn tables(connection: &Connection) -> Result<Vec<Table>> {
    let mut list = connection.prepare(
        "SELECT name, wr FROM pragma_table_list
         WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         ORDER BY name",
    )?;
    let names = list
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(String, bool)>>>()?;
    let mut tables = Vec::new();
    for (name, without_rowid) in names {
        let mut info = connection.prepare(
            "SELECT name, type, \"notnull\", pk, dflt_value IS NOT NULL FROM pragma_table_info(?1) ORDER BY cid",
        )?;
        let columns = info
            .query_map([&name], |row| {
                let kind: String = row.get(1)?;
                let key: i64 = row.get(3)?;
                let needed = row.get(2)?;
                Ok(Column {
                    name: row.get(0)?,
                    needed,
                    optional: key == 0 && (!needed || row.get(4)?),
                    is_rowid: key == 1 && kind == "INTEGER" && !without_rowid,
                    kind,
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
        tables.push(Table {
            name,
            columns,
            has_rowid: !without_rowid,
        });
    }
    Ok(tables)
}

/// Makes a whole of the parts: nothing leads nowhere, nothing waits for what is gone.
fn mend(store: &Store, tables: &[Table]) -> Result<()> {
    store.take_as_copy()?;
    store.forget_file()?;
    for sql in [
        // Messages whose conversation is lost: with whom it was, they say themselves.
        "INSERT OR IGNORE INTO conversation (id, account, jid)
         SELECT conversation, coalesce((SELECT min(id) FROM account), 1),
             coalesce(max(CASE WHEN direction = 0 THEN
                 substr(sender, 1, instr(sender || '/', '/') - 1) END), 'conversation-' || conversation || '@lost.invalid')
         FROM message WHERE conversation NOT IN (SELECT id FROM conversation) GROUP BY conversation",
        "INSERT OR IGNORE INTO conversation (id, account, jid)
         SELECT DISTINCT conversation, coalesce((SELECT min(id) FROM account), 1),
             'conversation-' || conversation || '@lost.invalid'
         FROM message WHERE conversation NOT IN (SELECT id FROM conversation)",
        // A lost account counts as removed: added again, it has its history back.
        "INSERT OR IGNORE INTO account (id, network, address, enabled, removed, settings, agent_id)
         SELECT account, 'xmpp', coalesce(max(CASE WHEN direction = 1 THEN
             substr(sender, 1, instr(sender || '/', '/') - 1) END), 'account-' || account || '@lost.invalid'),
             0, 1, '{}', ''
         FROM conversation LEFT JOIN message ON message.conversation = conversation.id
         WHERE account NOT IN (SELECT id FROM account) GROUP BY account",
        "INSERT OR IGNORE INTO account (id, network, address, enabled, removed, settings, agent_id)
         SELECT DISTINCT account, 'xmpp', 'account-' || account || '@lost.invalid', 0, 1, '{}', ''
         FROM (SELECT account FROM conversation UNION SELECT account FROM call WHERE account IS NOT NULL)
         WHERE account NOT IN (SELECT id FROM account)",
        // The contact list on the server brings the names back.
        "INSERT OR IGNORE INTO contact (id, name)
         SELECT contact, min(jid) FROM address
         WHERE contact NOT IN (SELECT id FROM contact) GROUP BY contact",
    ] {
        store.execute(sql, [])?;
    }
    for table in tables {
        remove_loose(store, table)?;
    }
    for sql in [
        "UPDATE message SET delivery = 9, failure = 'undefined-condition'
         WHERE delivery = 0 AND waits_private = 0
         AND id NOT IN (SELECT message FROM outbox WHERE message IS NOT NULL)",
        // The contact list may be short.
        "DELETE FROM roster_meta",
        "UPDATE conversation SET
             head = min(head, coalesce((SELECT min(ord) FROM message WHERE conversation = conversation.id), head)),
             tail = max(tail, coalesce((SELECT max(ord) FROM message WHERE conversation = conversation.id), tail))",
        "DELETE FROM setting WHERE key = 'store.untidy'",
    ] {
        store.execute(sql, [])?;
    }
    let loose: i64 =
        store
            .connection
            .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
                row.get(0)
            })?;
    if loose > 0 {
        return Err(super::damaged("what was saved does not fit together"));
    }
    let ids = store.all("SELECT id FROM conversation", [], |row| {
        Ok(ConversationId(row.get(0)?))
    })?;
    for id in ids {
        store.recount_unread(id)?;
        store.refresh_last(id)?;
    }
    Ok(())
}

/// Removes the rows of a table that belong to what is lost. Every row that is referred to has its row id as its key.
fn remove_loose(store: &Store, table: &Table) -> Result<()> {
    let references = store.all(
        "SELECT \"from\", \"table\" FROM pragma_foreign_key_list(?1)",
        [&table.name],
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
    )?;
    for (column, parent) in references {
        let sql = format!(
            "DELETE FROM {} WHERE {column} NOT IN (SELECT rowid FROM {parent})",
            table.name
        );
        store.execute(&sql, [])?;
    }
    Ok(())
}

fn index(store: &Store) -> Result<()> {
    let mut statement = store.connection.prepare(
        "SELECT id, conversation, body FROM message WHERE deleted = 0 AND kept = 1 ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, conversation) = (MessageId(row.get(0)?), ConversationId(row.get(1)?));
        store.index_words(id, conversation, &row.get::<_, String>(2)?)?;
    }
    Ok(())
}

fn count(connection: &Connection, tables: &[Table]) -> Result<(u64, u64)> {
    let (mut messages, mut rows) = (0, 0);
    for table in tables {
        let sql = format!("SELECT count(*) FROM {}", table.name);
        let count: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        let count = u64::try_from(count).unwrap_or(0);
        rows += count;
        if table.name == "message" {
            messages = count;
        }
    }
    Ok((messages, rows))
}
