//! The registration ticket and its activation code.

use super::App;
use super::call::Call;
use super::refusal::Refusal;
use crate::jose::Jws;
use crate::store::Stop;
use crate::store::phones::{self, Ticket};
use rusqlite::Transaction;
use serde_json::Value;

/// The fifth wrong code locks the ticket.
const MAX_WRONG_CODES: u8 = 5;

/// The ticket in `Authorization: Bearer`, as this service issued it.
pub(super) fn presented(app: &App, tx: &Transaction<'_>, call: &Call) -> Result<Ticket, Stop> {
    let unknown = || Refusal::unauthorized("invalid_token", "not a ticket of this service");
    let jws = Jws::parse(call.authorization("bearer").ok_or_else(unknown)?).map_err(|_| unknown())?;
    let key = app.authority.ticket_key().public_key().map_err(|_| Refusal::server_error())?;
    let key_id = app.authority.ticket_key_id().map_err(|_| Refusal::server_error())?;
    let genuine = jws.verify(&key).is_ok()
        && jws.header("typ") == Some("ticket+jwt")
        && jws.header("kid") == Some(key_id.as_str())
        && jws.text("iss") == Some(app.issuer.as_str());
    let jti = jws.text("jti").filter(|_| genuine).ok_or_else(unknown)?;
    Ok(phones::ticket(tx, jti)?.ok_or_else(unknown)?)
}

/// Refuses a ticket that is locked, or expired before it bound anything.
pub(super) fn check_usable(app: &App, ticket: &Ticket) -> Result<(), Refusal> {
    if ticket.wrong_codes >= MAX_WRONG_CODES {
        return Err(locked());
    }
    if ticket.client.is_none() && app.now() >= ticket.expires_at {
        return Err(Refusal::unauthorized("ticket_expired", "the ticket has expired"));
    }
    Ok(())
}

/// Compares the activation code, where the ticket needs one; a wrong one is counted.
pub(super) fn check_code(
    app: &App,
    tx: &Transaction<'_>,
    ticket: &Ticket,
    code: Option<&Value>,
) -> Result<(), Stop> {
    let Some((salt, hash)) = &ticket.code else { return Ok(()) };
    let required =
        || Refusal::bad_request("activation_code_required", "this ticket needs its activation code");
    let code = code.and_then(Value::as_str).ok_or_else(required)?;
    if app.authority.code_matches(code, salt, hash) {
        return Ok(());
    }
    phones::count_wrong_code(tx, &ticket.jti)?;
    Err(match MAX_WRONG_CODES.saturating_sub(ticket.wrong_codes + 1) {
        0 => locked(),
        left => Refusal::bad_request("invalid_activation_code", "the activation code is wrong")
            .with_tries_left(left),
    }
    .into())
}

fn locked() -> Refusal {
    Refusal::forbidden("ticket_locked", "too many wrong activation codes")
}
