//! Rows of credentials and of the two authorities.

use crate::pki::Ca;
use crate::signer::KeyHandle;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use std::collections::HashSet;
use time::OffsetDateTime;

/// A signer's key and certificate.
pub(crate) struct Credential {
    pub(crate) id: String,
    pub(crate) name_kanji: String,
    pub(crate) name_romaji: String,
    pub(crate) role: Option<String>,
    pub(crate) holder_serial: String,
    /// Base64 DER, leaf first.
    pub(crate) chain: Vec<String>,
    pub(crate) certificate_serial: Vec<u8>,
    pub(crate) issued_by_signing_ca: bool,
    pub(crate) key: KeyHandle,
    pub(crate) key_enabled: bool,
    pub(crate) scal: String,
    pub(crate) multisign: u32,
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
    pub(crate) revoked_at: Option<i64>,
}

impl Credential {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let chain: String = row.get("chain")?;
        Ok(Self {
            id: row.get("id")?,
            name_kanji: row.get("name_kanji")?,
            name_romaji: row.get("name_romaji")?,
            role: row.get("role")?,
            holder_serial: row.get("holder_serial")?,
            chain: serde_json::from_str(&chain).unwrap_or_default(),
            certificate_serial: row.get("certificate_serial")?,
            issued_by_signing_ca: row.get("issued_by_signing_ca")?,
            key: KeyHandle(row.get("key")?),
            key_enabled: row.get("key_enabled")?,
            scal: row.get("scal")?,
            multisign: row.get("multisign")?,
            not_before: row.get("not_before")?,
            not_after: row.get("not_after")?,
            revoked_at: row.get("revoked_at")?,
        })
    }

    /// `valid`, `expired` or `revoked` (CSC 11.5, `cert/status`).
    pub(crate) fn certificate_status(&self, now: i64) -> &'static str {
        match () {
            () if self.revoked_at.is_some() => "revoked",
            () if now > self.not_after => "expired",
            () => "valid",
        }
    }
}

pub(crate) fn insert(tx: &Transaction<'_>, credential: &Credential) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO credentials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            credential.id,
            credential.name_kanji,
            credential.name_romaji,
            credential.role,
            credential.holder_serial,
            serde_json::json!(credential.chain).to_string(),
            credential.certificate_serial,
            credential.issued_by_signing_ca,
            credential.key.0,
            credential.key_enabled,
            credential.scal,
            credential.multisign,
            credential.not_before,
            credential.not_after,
            credential.revoked_at,
        ],
    )?;
    Ok(())
}

/// By its id, or by the serial number in its holder's name.
pub(crate) fn find(tx: &Transaction<'_>, id: &str) -> rusqlite::Result<Option<Credential>> {
    tx.query_row("SELECT * FROM credentials WHERE id = ?1 OR holder_serial = ?1", [id], Credential::from_row)
        .optional()
}

/// Every serial number in a holder's name.
pub(crate) fn holder_serials(tx: &Transaction<'_>) -> rusqlite::Result<HashSet<String>> {
    tx.prepare("SELECT holder_serial FROM credentials")?.query_map([], |row| row.get(0))?.collect()
}

/// True when the credential exists and was not revoked before.
pub(crate) fn revoke(tx: &Transaction<'_>, id: &str, now: i64) -> rusqlite::Result<bool> {
    let changed = tx.execute(
        "UPDATE credentials SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
        params![now, id],
    )?;
    Ok(changed == 1)
}

/// Certificate serials that the signing CA revoked, and when.
pub(crate) fn revoked(tx: &Transaction<'_>) -> rusqlite::Result<Vec<(Vec<u8>, OffsetDateTime)>> {
    let mut query = tx.prepare(
        "SELECT certificate_serial, revoked_at FROM credentials
         WHERE revoked_at IS NOT NULL AND issued_by_signing_ca ORDER BY revoked_at",
    )?;
    let rows = query.query_map([], |row| {
        let at = OffsetDateTime::from_unix_timestamp(row.get(1)?).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Ok((row.get(0)?, at))
    })?;
    rows.collect()
}

pub(crate) fn insert_authority(tx: &Transaction<'_>, role: &str, ca: &Ca) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO authorities VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![role, ca.certificate, ca.name, ca.issuer, ca.serial, ca.key_id, ca.key.0],
    )?;
    Ok(())
}

/// The `root` or the `sign` authority.
pub(crate) fn authority(tx: &Transaction<'_>, role: &str) -> rusqlite::Result<Ca> {
    tx.query_row("SELECT * FROM authorities WHERE role = ?", [role], |row| {
        Ok(Ca {
            certificate: row.get("certificate")?,
            name: row.get("name")?,
            issuer: row.get("issuer")?,
            serial: row.get("serial")?,
            key_id: row.get("key_id")?,
            key: KeyHandle(row.get("key")?),
            crl_file: if role == "root" { "root.crl" } else { "sign.crl" },
        })
    })
}
