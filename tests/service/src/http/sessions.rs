//! Who calls a resource: an access token that lives, of a phone that is still bound, with a proof by its device key.

use super::App;
use super::call::Call;
use super::dpop::{self, Place};
use super::refusal::Refusal;
use crate::store::Stop;
use crate::store::phones::{self, Client, Token};
use rusqlite::Transaction;

/// What the token is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Service,
    Credential,
}

/// The caller and its token (RFC 9449 7.1).
pub(super) fn caller(
    app: &App,
    tx: &Transaction<'_>,
    call: &Call,
    kind: Kind,
) -> Result<(Client, Token), Stop> {
    let invalid = |why: &str| Refusal::dpop_challenge("invalid_token", why);
    let text = call.authorization("dpop").ok_or_else(|| invalid("a DPoP-bound access token is needed"))?;
    let prover = dpop::check(app, tx, call, Place::Resource(text))?;
    let token = phones::token(tx, &app.authority.token_id(text))?;
    let token = token.ok_or_else(|| invalid("the token is unknown or spent"))?;
    if app.now() >= token.expires_at {
        return Err(invalid("the token has expired").into());
    }
    let client = phones::client(tx, &token.client)?.ok_or_else(|| invalid("the phone is no longer bound"))?;
    if prover != client.device_key.thumbprint() {
        return Err(invalid("the token is bound to another key").into());
    }
    match (kind, &token.authorized) {
        (Kind::Service, None) | (Kind::Credential, Some(_)) => Ok((client, token)),
        _ => Err(Refusal::dpop_challenge("insufficient_scope", "not with this kind of token").into()),
    }
}
