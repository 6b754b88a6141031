//! Rows of prescriptions between a clinic and a doctor.

use rusqlite::{OptionalExtension, Row, Transaction, params};

/// Who asks for a signature.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Requester {
    /// Name of the institution.
    pub name: String,
    /// Its ten-digit code.
    pub facility_code: String,
}

/// What became of a prescription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The doctor has not answered.
    Waiting,
    /// The doctor signed: the signed document.
    Signed(Vec<u8>),
    /// The doctor declined: `error` and `error_description` as the phone sent them.
    Declined {
        /// `access_denied`, as a rule.
        error: String,
        /// The doctor's words.
        description: Option<String>,
    },
}

/// A prescription to be signed.
pub(crate) struct Prescription {
    pub(crate) id: String,
    pub(crate) credential: String,
    pub(crate) requester: Requester,
    pub(crate) document: Vec<u8>,
    pub(crate) received_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) state: State,
}

impl Prescription {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let state: String = row.get("state")?;
        Ok(Self {
            id: row.get("id")?,
            credential: row.get("credential")?,
            requester: Requester {
                name: row.get("requester_name")?,
                facility_code: row.get("facility_code")?,
            },
            document: row.get("document")?,
            received_at: row.get("received_at")?,
            expires_at: row.get("expires_at")?,
            state: match state.as_str() {
                "signed" => State::Signed(row.get("answer")?),
                "declined" => {
                    State::Declined { error: row.get("error")?, description: row.get("error_description")? }
                }
                _ => State::Waiting,
            },
        })
    }
}

pub(crate) fn insert(tx: &Transaction<'_>, prescription: &Prescription) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO prescriptions (id, credential, requester_name, facility_code, document, received_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![
            prescription.id,
            prescription.credential,
            prescription.requester.name,
            prescription.requester.facility_code,
            prescription.document,
            prescription.received_at,
            prescription.expires_at,
        ],
    )?;
    Ok(())
}

pub(crate) fn find(tx: &Transaction<'_>, id: &str) -> rusqlite::Result<Option<Prescription>> {
    tx.query_row("SELECT * FROM prescriptions WHERE id = ?", [id], Prescription::from_row).optional()
}

/// What waits for this credential, oldest first, at most `limit`.
pub(crate) fn waiting(
    tx: &Transaction<'_>,
    credential: &str,
    now: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Prescription>> {
    let mut query = tx.prepare(
        "SELECT * FROM prescriptions WHERE credential = ? AND state = 'waiting' AND expires_at > ?
         ORDER BY received_at, rowid LIMIT ?",
    )?;
    query.query_map(params![credential, now, limit], Prescription::from_row)?.collect()
}

/// Takes the signed document; false when this signature value was delivered before.
pub(crate) fn sign(
    tx: &Transaction<'_>,
    id: &str,
    document: &[u8],
    signature: &[u8],
) -> rusqlite::Result<bool> {
    let changed = tx.execute(
        "UPDATE OR IGNORE prescriptions SET state = 'signed', answer = ?, signature = ? WHERE id = ?",
        params![document, signature, id],
    )?;
    Ok(changed == 1)
}

pub(crate) fn decline(
    tx: &Transaction<'_>,
    id: &str,
    error: &str,
    description: Option<&str>,
) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE prescriptions SET state = 'declined', error = ?, error_description = ? WHERE id = ?",
        params![error, description, id],
    )?;
    Ok(())
}
