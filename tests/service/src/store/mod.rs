//! The state of the service: one SQLite file in WAL mode, which a server and a command may have open together.
//!
//! Every request is one immediate transaction, written through to the disk before it is answered. A refusal commits
//! too, so that what was counted against the caller (a wrong code, a proof's `jti`, a spent token) stays counted;
//! handlers therefore check before they change anything else. Only a failure of the database rolls back.

pub(crate) mod credentials;
pub(crate) mod phones;
pub(crate) mod prescriptions;

use crate::http::refusal::Refusal;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Another process (a command beside the server) may hold the file this long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a transaction stopped.
pub(crate) enum Stop {
    /// The caller is refused; what was counted stays.
    Refused(Refusal),
    /// The database failed; nothing stays.
    Failed(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The open database.
pub(crate) struct Store(Mutex<Connection>);

impl Store {
    pub(crate) fn open(file: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(file)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.execute_batch(include_str!("schema.sql"))?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Runs `work` in one transaction. Commits what it did unless it fails with an error of its own.
    pub(crate) fn write<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    /// Runs the `work` of one request in one transaction, which a refusal commits and a failure rolls back.
    pub(crate) fn answer<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Stop>,
    ) -> Result<T, Refusal> {
        let outcome = self.write(|transaction| match work(transaction) {
            Ok(value) => Ok(Ok(value)),
            Err(Stop::Refused(refusal)) => Ok(Err(refusal)),
            Err(Stop::Failed(error)) => Err(error),
        });
        outcome.unwrap_or_else(|error| {
            tracing::error!(%error, "the database failed");
            Err(Refusal::server_error())
        })
    }
}

/// A value of the service itself.
pub(crate) fn setting(tx: &Transaction<'_>, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    tx.query_row("SELECT value FROM settings WHERE name = ?", [name], |row| row.get(0)).optional()
}

pub(crate) fn set_setting(tx: &Transaction<'_>, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    tx.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", params![name, value])?;
    Ok(())
}

/// Takes note of an identifier that may be used once before `expires_at`; false when it was seen before.
pub(crate) fn first_use(tx: &Transaction<'_>, id: &str, expires_at: i64, now: i64) -> rusqlite::Result<bool> {
    tx.execute("DELETE FROM seen WHERE expires_at < ?", [now])?;
    let added =
        tx.execute("INSERT OR IGNORE INTO seen (id, expires_at) VALUES (?, ?)", params![id, expires_at])?;
    Ok(added == 1)
}
