//! The schema, and the way from every older one to it.

use rusqlite::Connection;

use crate::error::{Result, StoreError};

/// Marks a SQLite file as Sotto's: "Sott".
const APPLICATION_ID: i64 = 0x536f_7474;

/// One script a version; the first makes schema 1. Scripts that were released never change.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/001.sql"),
    include_str!("schema/002.sql"),
    include_str!("schema/003.sql"),
    include_str!("schema/004.sql"),
];

/// The schema that this program writes.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Brings an opened database to [`SCHEMA_VERSION`], in one transaction.
///
/// A database of another program or of a later version is refused before anything is written.
pub(crate) fn migrate(connection: &Connection) -> Result<()> {
    migrate_with(connection, MIGRATIONS)
}

/// Refuses a database of another program or of a later version. Writes nothing.
pub(crate) fn check(connection: &Connection) -> Result<()> {
    check_with(connection, SCHEMA_VERSION).map(drop)
}

fn check_with(connection: &Connection, supported: i64) -> Result<i64> {
    let application = pragma(connection, "application_id")?;
    let version = pragma(connection, "user_version")?;
    if application == 0 && version == 0 {
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables != 0 {
            return Err(StoreError::NotAProfile);
        }
    } else if application != APPLICATION_ID {
        return Err(StoreError::NotAProfile);
    }
    if version > supported {
        return Err(StoreError::NewerSchema {
            found: version,
            supported,
        });
    }
    if version < 0 {
        return Err(StoreError::NotAProfile);
    }
    Ok(version)
}

pub(crate) fn migrate_with(connection: &Connection, migrations: &[&str]) -> Result<()> {
    let supported = migrations.len() as i64;
    let version = check_with(connection, supported)?;
    if version == supported {
        return Ok(());
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let done = (|| -> Result<()> {
        let pending = usize::try_from(version).map_err(|_| StoreError::NotAProfile)?;
        for script in migrations.iter().skip(pending) {
            connection.execute_batch(script)?;
        }
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", supported)?;
        connection.execute_batch("COMMIT")?;
        Ok(())
    })();
    if done.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    done
}

fn pragma(connection: &Connection, name: &str) -> Result<i64> {
    Ok(connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?)
}
