//! Rows of tickets, of the phones (clients) that they bound, of tokens, and of the signatures made for them.

use crate::jose::PublicKey;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde_json::Value;

/// A registration ticket as issued.
pub(crate) struct Ticket {
    pub(crate) jti: String,
    pub(crate) credential: String,
    pub(crate) expires_at: i64,
    /// Salt and hash of the activation code, where one is needed.
    pub(crate) code: Option<(Vec<u8>, Vec<u8>)>,
    pub(crate) wrong_codes: u8,
    /// The client that it bound.
    pub(crate) client: Option<String>,
}

pub(crate) fn insert_ticket(tx: &Transaction<'_>, ticket: &Ticket) -> rusqlite::Result<()> {
    let (salt, hash) = ticket.code.as_ref().map(|(salt, hash)| (salt, hash)).unzip();
    tx.execute(
        "INSERT INTO tickets (jti, credential, expires_at, code_salt, code_hash) VALUES (?, ?, ?, ?, ?)",
        params![ticket.jti, ticket.credential, ticket.expires_at, salt, hash],
    )?;
    Ok(())
}

pub(crate) fn ticket(tx: &Transaction<'_>, jti: &str) -> rusqlite::Result<Option<Ticket>> {
    tx.query_row("SELECT * FROM tickets WHERE jti = ?", [jti], |row| {
        let salt: Option<Vec<u8>> = row.get("code_salt")?;
        Ok(Ticket {
            jti: row.get("jti")?,
            credential: row.get("credential")?,
            expires_at: row.get("expires_at")?,
            code: salt.zip(row.get("code_hash")?),
            wrong_codes: row.get("wrong_codes")?,
            client: row.get("client")?,
        })
    })
    .optional()
}

pub(crate) fn count_wrong_code(tx: &Transaction<'_>, jti: &str) -> rusqlite::Result<()> {
    tx.execute("UPDATE tickets SET wrong_codes = wrong_codes + 1 WHERE jti = ?", [jti])?;
    Ok(())
}

/// A bound phone.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) credential: String,
    pub(crate) device_key: PublicKey,
    pub(crate) approval_key: PublicKey,
    pub(crate) metadata: Value,
    /// SHA-256 of the registration access token.
    pub(crate) registration_token: Vec<u8>,
    /// Seconds since 1970.
    pub(crate) registered_at: i64,
    /// Whether it unbound another phone.
    pub(crate) replaced: bool,
}

impl Client {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let json = |column: &str| -> rusqlite::Result<Value> {
            let text: String = row.get(column)?;
            serde_json::from_str(&text).map_err(|_| rusqlite::Error::InvalidQuery)
        };
        let key = |column| PublicKey::from_jwk(&json(column)?).map_err(|_| rusqlite::Error::InvalidQuery);
        Ok(Self {
            id: row.get("id")?,
            credential: row.get("credential")?,
            device_key: key("device_key")?,
            approval_key: key("approval_key")?,
            metadata: json("metadata")?,
            registration_token: row.get("registration_token")?,
            registered_at: row.get("registered_at")?,
            replaced: row.get("replaced")?,
        })
    }
}

/// A client that is still bound.
pub(crate) fn client(tx: &Transaction<'_>, id: &str) -> rusqlite::Result<Option<Client>> {
    tx.query_row("SELECT * FROM clients WHERE id = ? AND ended_at IS NULL", [id], Client::from_row).optional()
}

/// Binds `client` by `ticket`, unbinding the phone bound before; `client.replaced` then says that there was one.
pub(crate) fn bind(tx: &Transaction<'_>, client: &mut Client, ticket: &Ticket) -> rusqlite::Result<()> {
    client.replaced = unbind_phone_of(tx, &client.credential, client.registered_at)?;
    tx.execute(
        "INSERT INTO clients VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        params![
            client.id,
            client.credential,
            client.device_key.to_jwk().to_string(),
            client.approval_key.to_jwk().to_string(),
            client.metadata.to_string(),
            client.registration_token,
            client.registered_at,
            client.replaced,
        ],
    )?;
    tx.execute("UPDATE tickets SET client = ? WHERE jti = ?", params![client.id, ticket.jti])?;
    Ok(())
}

/// Unbinds the phone of a credential; says whether there was one.
pub(crate) fn unbind_phone_of(tx: &Transaction<'_>, credential: &str, now: i64) -> rusqlite::Result<bool> {
    let ended = tx.execute(
        "UPDATE clients SET ended_at = ? WHERE credential = ? AND ended_at IS NULL",
        params![now, credential],
    )?;
    Ok(ended > 0)
}

pub(crate) fn set_registration_token(
    tx: &Transaction<'_>,
    client: &str,
    token: &[u8],
) -> rusqlite::Result<()> {
    tx.execute("UPDATE clients SET registration_token = ? WHERE id = ?", params![token, client])?;
    Ok(())
}

pub(crate) fn unbind(tx: &Transaction<'_>, client: &str, now: i64) -> rusqlite::Result<()> {
    tx.execute("UPDATE clients SET ended_at = ? WHERE id = ?", params![now, client])?;
    Ok(())
}

/// An access token, by its SHA-256.
pub(crate) struct Token {
    pub(crate) id: Vec<u8>,
    pub(crate) client: String,
    /// The hashes that it may sign, standard base64; `None` in a service token.
    pub(crate) authorized: Option<Vec<String>>,
    pub(crate) expires_at: i64,
}

pub(crate) fn insert_token(tx: &Transaction<'_>, token: &Token, now: i64) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM tokens WHERE expires_at < ?", [now])?;
    tx.execute(
        "INSERT INTO tokens (id, client, authorized, expires_at) VALUES (?, ?, ?, ?)",
        params![
            token.id,
            token.client,
            token.authorized.as_ref().map(|hashes| serde_json::json!(hashes).to_string()),
            token.expires_at
        ],
    )?;
    Ok(())
}

/// A token that is not spent.
pub(crate) fn token(tx: &Transaction<'_>, id: &[u8]) -> rusqlite::Result<Option<Token>> {
    tx.query_row("SELECT * FROM tokens WHERE id = ? AND spent_at IS NULL", [id], |row| {
        let authorized: Option<String> = row.get("authorized")?;
        Ok(Token {
            id: row.get("id")?,
            client: row.get("client")?,
            authorized: authorized.map(|text| serde_json::from_str(&text).unwrap_or_default()),
            expires_at: row.get("expires_at")?,
        })
    })
    .optional()
}

pub(crate) fn spend(tx: &Transaction<'_>, token: &[u8], now: i64) -> rusqlite::Result<()> {
    tx.execute("UPDATE tokens SET spent_at = ? WHERE id = ?", params![now, token])?;
    Ok(())
}

/// Notes the signatures made with one token.
pub(crate) fn record_signatures(
    tx: &Transaction<'_>,
    client: &Client,
    token: &[u8],
    signatures: &[([u8; 32], Vec<u8>)],
    now: i64,
) -> rusqlite::Result<()> {
    let mut insert = tx.prepare(
        "INSERT INTO ledger (credential, client, token, hash, signature, signed_at) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    for (hash, signature) in signatures {
        insert.execute(params![client.credential, client.id, token, hash, signature, now])?;
    }
    Ok(())
}

/// Whether this value was made for this client.
pub(crate) fn signature_is_known(
    tx: &Transaction<'_>,
    client: &str,
    signature: &[u8],
) -> rusqlite::Result<bool> {
    tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM ledger WHERE client = ? AND signature = ?)",
        params![client, signature],
        |row| row.get(0),
    )
}

/// Keeps signatures until they are asked for.
pub(crate) fn defer_signatures(
    tx: &Transaction<'_>,
    id: &str,
    client: &str,
    signatures: &[String],
    pending: u32,
    expires_at: i64,
) -> rusqlite::Result<()> {
    let signatures = serde_json::json!(signatures).to_string();
    tx.execute(
        "INSERT INTO deferred VALUES (?, ?, ?, ?, ?)",
        params![id, client, signatures, pending, expires_at],
    )?;
    Ok(())
}

/// Kept signatures.
pub(crate) enum Deferred {
    /// Not to be had yet.
    Pending,
    /// JSON array of base64.
    Ready(Value),
}

/// What is kept for this client under this id; that it was pending is counted down.
pub(crate) fn deferred(
    tx: &Transaction<'_>,
    id: &str,
    client: &str,
    now: i64,
) -> rusqlite::Result<Option<Deferred>> {
    tx.execute("DELETE FROM deferred WHERE expires_at < ?", [now])?;
    let found: Option<(String, u32)> = tx
        .query_row(
            "SELECT signatures, pending FROM deferred WHERE id = ? AND client = ?",
            params![id, client],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((signatures, pending)) = found else { return Ok(None) };
    if pending == 0 {
        return Ok(Some(Deferred::Ready(serde_json::from_str(&signatures).unwrap_or_default())));
    }
    tx.execute("UPDATE deferred SET pending = pending - 1 WHERE id = ?", [id])?;
    Ok(Some(Deferred::Pending))
}
