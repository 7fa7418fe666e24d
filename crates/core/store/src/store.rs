use std::cell::{Cell, RefCell};
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Params, Row};

use crate::error::{Result, StoreError};
use crate::frozen::Frozen;
use crate::key::DatabaseKey;
use crate::profile::ProfileDir;
use crate::schema;
use crate::unkept::{Unkept, UnkeptText};

/// An opened profile: one connection, owned by one thread.
///
/// Every write outside [`Store::begin`] … [`Store::commit`] is a transaction of its own.
pub struct Store {
    // Before the connection, which writes into the file when it is dropped.
    pub(crate) frozen: RefCell<Frozen>,
    pub(crate) connection: Connection,
    transaction: Cell<Transaction>,
    on_disk: bool,
    commits_fail: Cell<bool>,
    /// Absent for a store that is in no profile.
    pub(crate) folder: Option<ProfileDir>,
    pub(crate) put_back: Cell<bool>,
    pub(crate) unkept: RefCell<Unkept>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    Normal,
    Durable,
}

/// Kibibytes of decrypted pages that SQLite keeps. Measured in `bench/store`.
const CACHE_KIB: i64 = 8 * 1024;

impl Store {
    /// Opens the store of a profile, makes it where there is none, and brings an older schema up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::WrongKey`] for a key that does not fit, or a first page that is damaged;
    /// [`StoreError::NewerSchema`], [`StoreError::Damaged`], [`StoreError::Unsafe`] and the others as
    /// they say. In no case is the file changed.
    pub fn open(profile: &ProfileDir, key: &DatabaseKey) -> Result<Self> {
        Self::open_in(profile, key, Unkept::default())
    }

    /// Opens the store again in the process that had it open, with the texts that it had in memory only
    /// ([`Store::unkept_texts`]).
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub fn reopen(profile: &ProfileDir, key: &DatabaseKey, texts: Vec<UnkeptText>) -> Result<Self> {
        Self::open_in(profile, key, texts.into())
    }

    /// The texts that are in memory only, for [`Store::reopen`].
    pub fn unkept_texts(&self) -> Vec<UnkeptText> {
        self.unkept.borrow().to_texts()
    }

    fn open_in(profile: &ProfileDir, key: &DatabaseKey, unkept: Unkept) -> Result<Self> {
        crate::backup::finish_restore(profile)?;
        let path = profile.prepare_file(crate::profile::STORE_FILE)?;
        for beside in crate::profile::STORE_SIDE_FILES {
            profile.check_file(beside)?;
        }
        let opened = Self::open_with(&path, Some(key), unkept).map_err(|error| match error {
            // SQLite says only that it cannot make its log beside the file.
            StoreError::Io { .. } if !profile.is_writable() => StoreError::ReadOnly,
            error => error,
        });
        let store = Self {
            folder: Some(profile.clone()),
            ..opened?
        };
        match store.know_file(&path) {
            // Nothing leaves where nothing can be written; the next start makes up for it.
            Err(error) if error.is_passing() => {}
            done => done?,
        }
        Ok(store)
    }

    /// A store in memory only, with the same schema and code: for tests.
    pub fn in_memory() -> Result<Self> {
        crate::wipe::install();
        Self::finish(Connection::open_in_memory()?, false, Unkept::default())
    }

    /// A store in memory as the next process would find it, if it were on a medium: for tests.
    #[doc(hidden)]
    pub fn as_after_a_restart(self) -> Result<Self> {
        self.unkept.replace(Unkept::default());
        self.forget_unkept()?;
        Ok(self)
    }

    /// From now on [`Store::commit`] fails as on a full disk, or no longer: for tests.
    #[doc(hidden)]
    pub fn let_commits_fail(&self, on: bool) {
        self.commits_fail.set(on);
    }

    /// Opens a database file. Without a key it is plain SQLite: only for benchmarks beside the sealed one.
    #[doc(hidden)]
    pub fn open_file(path: &Path, key: Option<&DatabaseKey>) -> Result<Self> {
        Self::open_with(path, key, Unkept::default())
    }

    fn open_with(path: &Path, key: Option<&DatabaseKey>, unkept: Unkept) -> Result<Self> {
        crate::wipe::install();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let connection = Connection::open_with_flags(path, flags)?;
        if let Some(key) = key {
            // `cipher_memory_security` stays off: locking every page in memory costs five times on insertion and
            // takes search beyond its budget (13 to 38 ms). What SQLite frees is wiped without it ([`crate::wipe`]),
            // and so are SQLCipher's copies of the key; `tests/memory.rs` looks.
            // Otherwise SQLCipher writes to standard error when a key does not fit.
            connection
                .query_row("PRAGMA cipher_log_level = NONE", [], |_| Ok(()))
                .optional()?;
            key.apply(&connection)?;
        }
        Self::finish(connection, true, unkept)
    }

    fn finish(connection: Connection, on_disk: bool, unkept: Unkept) -> Result<Self> {
        // A hostile file must not run anything: no tricks with shadow tables, no code in the schema.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_prepared_statement_cache_capacity(128);
        if on_disk {
            // One owner: the index of the WAL stays in memory and no `-shm` file appears.
            set(&connection, "locking_mode", "EXCLUSIVE")?;
        }
        set(&connection, "temp_store", "MEMORY")?;
        set(&connection, "foreign_keys", "ON")?;
        set(&connection, "secure_delete", "ON")?;
        set(&connection, "cache_size", &format!("-{CACHE_KIB}"))?;
        // The first read of the file: a wrong key, a foreign file, a cut file show here.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
            row.get::<_, i64>(0)
        })?;
        schema::check(&connection)?;
        if on_disk {
            set(&connection, "journal_mode", "WAL")?;
            set(&connection, "synchronous", "NORMAL")?;
            set(&connection, "journal_size_limit", "4194304")?;
        }
        schema::migrate(&connection)?;
        let store = Self {
            frozen: RefCell::default(),
            connection,
            transaction: Cell::new(Transaction::None),
            on_disk,
            commits_fail: Cell::new(false),
            folder: None,
            put_back: Cell::new(false),
            unkept: RefCell::new(unkept),
        };
        match store.forget_unkept() {
            // Reading works on a full disk; the next start makes up for it.
            Err(error) if error.is_passing() => {}
            done => done?,
        }
        Ok(store)
    }

    // ---- transactions ------------------------------------------------------------------------

    /// Starts a transaction that survives a crash of the program; after a power cut the last
    /// moments may be missing, never a part of them.
    pub fn begin(&self) -> Result<()> {
        self.begin_as(Transaction::Normal)
    }

    /// Starts a transaction that is on the medium when [`Store::commit`] returns: before anything
    /// leaves the machine that must not be forgotten (outbox, stream position).
    pub fn begin_durable(&self) -> Result<()> {
        self.begin_as(Transaction::Durable)
    }

    fn begin_as(&self, kind: Transaction) -> Result<()> {
        if self.transaction.get() != Transaction::None {
            return Err(StoreError::Transaction);
        }
        if kind == Transaction::Durable {
            self.synchronous("FULL")?;
        }
        let begun = self.connection.execute_batch("BEGIN IMMEDIATE");
        if let Err(error) = begun {
            self.synchronous("NORMAL")?;
            return Err(error.into());
        }
        self.transaction.set(kind);
        Ok(())
    }

    /// Keeps everything since `begin`. After an error nothing of it is kept.
    pub fn commit(&self) -> Result<()> {
        let kind = self.transaction.replace(Transaction::None);
        if kind == Transaction::None {
            return Err(StoreError::Transaction);
        }
        let done = if self.connection.is_autocommit() {
            Err(StoreError::RolledBack)
        } else if self.commits_fail.get() {
            Err(StoreError::DiskFull)
        } else {
            self.connection
                .execute_batch("COMMIT")
                .map_err(StoreError::from)
        };
        if done.is_err() && !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        match &done {
            Ok(()) => self.unkept.borrow_mut().settle(),
            Err(_) => self.unkept.borrow_mut().undo_to(0),
        }
        if kind == Transaction::Durable {
            self.synchronous("NORMAL")?;
        }
        done
    }

    /// Forgets everything since `begin`.
    pub fn rollback(&self) -> Result<()> {
        let kind = self.transaction.replace(Transaction::None);
        if kind == Transaction::None {
            return Err(StoreError::Transaction);
        }
        self.unkept.borrow_mut().undo_to(0);
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        if kind == Transaction::Durable {
            self.synchronous("NORMAL")?;
        }
        Ok(())
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        self.transaction.get() != Transaction::None
    }

    fn synchronous(&self, level: &str) -> Result<()> {
        if self.on_disk {
            set(&self.connection, "synchronous", level)?;
        }
        Ok(())
    }

    /// Runs several statements as one: all or none, inside a transaction or not.
    pub(crate) fn atomically<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.check_alive()?;
        let mark = self.unkept.borrow().mark();
        self.run("SAVEPOINT one")?;
        match work() {
            Ok(value) => {
                if let Err(error) = self.run("RELEASE one") {
                    self.undo(mark);
                    return Err(error);
                }
                if self.connection.is_autocommit() {
                    self.unkept.borrow_mut().settle();
                }
                Ok(value)
            }
            Err(error) => {
                self.undo(mark);
                Err(error)
            }
        }
    }

    fn undo(&self, unkept: usize) {
        self.unkept.borrow_mut().undo_to(unkept);
        // SQLite may have rolled back all by itself (disk full); then there is nothing to undo.
        if !self.connection.is_autocommit() {
            self.run("ROLLBACK TO one").ok();
            self.run("RELEASE one").ok();
        }
    }

    fn run(&self, sql: &str) -> Result<()> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// After SQLite gave up a transaction by itself, nothing may be written as if it still held.
    fn check_alive(&self) -> Result<()> {
        if self.in_transaction() && self.connection.is_autocommit() {
            return Err(StoreError::RolledBack);
        }
        Ok(())
    }

    // ---- care --------------------------------------------------------------------------------

    /// Moves everything from the write-ahead log into the file and empties the log. Of a frozen store
    /// ([`Store::freeze`]) that is done when it is thawed.
    pub fn checkpoint(&self) -> Result<()> {
        if self.in_transaction() {
            return Err(StoreError::Transaction);
        }
        if self.on_disk && !self.frozen.borrow().is_on() {
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(())
    }

    /// Reads the whole file and checks every page and index. Slow: seconds for a large history.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] with the first finding.
    pub fn check(&self) -> Result<()> {
        let finding: String =
            self.connection
                .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if finding != "ok" {
            return Err(StoreError::Damaged { detail: finding });
        }
        if self.on_disk {
            let page: Option<String> = self
                .connection
                .query_row("PRAGMA cipher_integrity_check", [], |row| row.get(0))
                .optional()?;
            if let Some(detail) = page {
                return Err(StoreError::Damaged { detail });
            }
        }
        Ok(())
    }

    /// Closes the store with an empty write-ahead log.
    pub fn close(self) -> Result<()> {
        if self.in_transaction() {
            self.rollback()?;
        }
        self.frozen.borrow_mut().end();
        self.checkpoint()?;
        self.connection.close().map_err(|(_, error)| error.into())
    }

    // ---- helpers of the query modules --------------------------------------------------------

    pub(crate) fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.check_alive()?;
        Ok(self.connection.prepare_cached(sql)?.execute(params)?)
    }

    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        self.check_alive()?;
        Ok(self
            .connection
            .prepare_cached(sql)?
            .query_row(params, read)
            .optional()?)
    }

    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        self.check_alive()?;
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params, read)?;
        Ok(rows.collect::<rusqlite::Result<Vec<T>>>()?)
    }
}

fn set(connection: &Connection, name: &str, value: &str) -> Result<()> {
    // Some pragmas answer with a row, some do not.
    connection
        .query_row(&format!("PRAGMA {name} = {value}"), [], |_| Ok(()))
        .optional()?;
    Ok(())
}

#[cfg(test)]
mod tests;
