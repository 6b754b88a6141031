//! Credentials, registration tickets and the letters that carry them.

use super::{Authority, AuthorityError, random};
use crate::jose::JoseError;
use crate::letter::{self, Rendered};
use crate::pki::{self, IssuedBy, Subject};
use crate::store::credentials::{self, Credential};
use crate::store::phones::{self, Ticket};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64URL};
use ring::pbkdf2;
use serde_json::json;
use std::num::NonZeroU32;
use time::{Duration, OffsetDateTime, UtcOffset};

/// Names in a certificate, in characters (RFC 5280 appendix A, `ub-common-name`).
const MAX_NAME_CHARS: usize = 64;
/// HPKI certificates live five years.
const CERTIFICATE_LIFE: Duration = Duration::days(5 * 365 + 1);
/// A code has eight digits: guessing it from its hash is made slow, though never impossible.
const CODE_ITERATIONS: NonZeroU32 = NonZeroU32::new(10_000).expect("not zero");
/// Characters of the thumbprint that name the ticket key.
const KEY_ID_CHARS: usize = 8;
/// Japan's time.
const JST: UtcOffset = time::macros::offset!(+9);

/// Whose credential, and what is unusual about it.
#[derive(Debug, Clone)]
pub struct HolderSpec {
    /// Kanji, family name first; a space becomes the full-width space that certificates carry.
    pub name_kanji: String,
    /// Romaji, given name first.
    pub name_romaji: String,
    /// hcRole; `None` for a certificate without one.
    pub role: Option<String>,
    /// Serial number in the holder's name; a random one when `None`.
    pub holder_serial: Option<String>,
    /// Which CA issues.
    pub issued_by: IssuedBy,
    /// First and last second of validity; five years from now when `None`.
    pub validity: Option<(OffsetDateTime, OffsetDateTime)>,
    /// Whether the key may be used.
    pub key_enabled: bool,
    /// `"2"` where the signer has sole control, else `"1"`.
    pub scal: String,
    /// The most signatures that one authorisation may cover.
    pub multisign: u32,
}

impl HolderSpec {
    /// A credential as a prescriber of `role` would have it.
    pub fn new(name_kanji: &str, name_romaji: &str, role: &str) -> Self {
        Self {
            name_kanji: name_kanji.to_owned(),
            name_romaji: name_romaji.to_owned(),
            role: Some(role.to_owned()),
            holder_serial: None,
            issued_by: IssuedBy::SigningCa,
            validity: None,
            key_enabled: true,
            scal: "2".to_owned(),
            multisign: 200,
        }
    }

    /// The name in kanji as the certificate carries it.
    pub(super) fn check_names(&self) -> Result<String, AuthorityError> {
        let romaji_fits = self.name_romaji.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        if !romaji_fits || !(1..=MAX_NAME_CHARS).contains(&self.name_romaji.len()) {
            return Err(AuthorityError::Name("name_romaji"));
        }
        let name_kanji = self.name_kanji.trim().replace(' ', "\u{3000}");
        if name_kanji.is_empty() || name_kanji.chars().count() > MAX_NAME_CHARS {
            return Err(AuthorityError::Name("name_kanji"));
        }
        Ok(name_kanji)
    }
}

/// How a ticket reaches the doctor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Mailed; needs an activation code.
    Letter,
    /// Shown on screen after the card was read; needs none.
    Card,
}

/// What ticket to issue.
#[derive(Debug, Clone, Copy)]
pub struct TicketSpec {
    /// How it travels.
    pub route: Route,
    /// How long it can be used.
    pub valid_for: Duration,
}

impl TicketSpec {
    /// As mailed: thirty days, with an activation code.
    pub const fn letter() -> Self {
        Self { route: Route::Letter, valid_for: Duration::days(30) }
    }

    /// As shown on screen: ten minutes, without a code.
    pub const fn card() -> Self {
        Self { route: Route::Card, valid_for: Duration::minutes(10) }
    }
}

/// A ticket, told once: the service keeps only the hash of the code.
#[derive(Clone)]
pub struct IssuedTicket {
    /// Text of the QR.
    pub qr_text: String,
    /// Eight digits, on the letter route.
    pub activation_code: Option<String>,
    /// Number printed on the letter and on the code sheet, so that they can be told to belong together.
    pub letter_no: String,
    /// When it can no longer be used.
    pub expires_at: OffsetDateTime,
}

/// A ticket as drawn.
pub struct LetterFiles {
    /// The ticket in it.
    pub ticket: IssuedTicket,
    /// The letter with the QR.
    pub letter: Rendered,
    /// The sheet with the activation code, on the letter route.
    pub code_sheet: Option<Rendered>,
}

impl Authority {
    /// Makes a key and a certificate; gives the credential's id. Takes some tenths of a second.
    ///
    /// # Errors
    /// [`AuthorityError::Name`] for names that a certificate cannot carry.
    pub fn issue(&self, holder: &HolderSpec) -> Result<String, AuthorityError> {
        let name_kanji = holder.check_names()?;
        let now = self.clock().now();
        let (not_before, not_after) =
            holder.validity.unwrap_or((now - Duration::MINUTE, pki::end_of_jst_day(now + CERTIFICATE_LIFE)));
        let random_serial = format!("T{:08}", u32::from_be_bytes(random()) % 100_000_000);
        let holder_serial = holder.holder_serial.clone().unwrap_or(random_serial);

        let (root, sign) = self.store().write(|tx| {
            Ok::<_, rusqlite::Error>((
                credentials::authority(tx, "root")?,
                credentials::authority(tx, "sign")?,
            ))
        })?;
        let (root, ca) = match holder.issued_by {
            IssuedBy::SigningCa => (root, sign),
            IssuedBy::AuthenticationCa => {
                let ca = pki::intermediate(self.signer(), &root, holder.issued_by, now)?;
                (root, ca)
            }
            IssuedBy::ForeignRoot => {
                let root = pki::root(self.signer(), "hpki-agent test foreign Root CA", now)?;
                let ca = pki::intermediate(self.signer(), &root, holder.issued_by, now)?;
                (root, ca)
            }
        };
        let key = self.signer().generate()?;
        let subject = Subject {
            name_romaji: &holder.name_romaji,
            name_kanji: &name_kanji,
            organisation: pki::ORGANISATION,
            serial_number: &holder_serial,
            role: holder.role.as_deref(),
            not_before,
            not_after,
        };
        let issued = pki::end_entity(self.signer(), &ca, holder.issued_by, &subject, &key.public_key)?;
        let credential = Credential {
            id: self.new_id(),
            name_kanji,
            name_romaji: holder.name_romaji.clone(),
            role: holder.role.clone(),
            holder_serial,
            chain: [&issued.certificate, &ca.certificate, &root.certificate]
                .map(|der| BASE64.encode(der))
                .into(),
            certificate_serial: issued.serial,
            issued_by_signing_ca: holder.issued_by == IssuedBy::SigningCa,
            key: key.handle,
            key_enabled: holder.key_enabled,
            scal: holder.scal.clone(),
            multisign: holder.multisign,
            not_before: not_before.unix_timestamp(),
            not_after: not_after.unix_timestamp(),
            revoked_at: None,
        };
        self.store().write(|tx| credentials::insert(tx, &credential))?;
        Ok(credential.id)
    }

    /// Issues a registration ticket for a credential.
    ///
    /// # Errors
    /// [`AuthorityError::Unknown`] when there is no such credential.
    pub fn ticket(&self, credential: &str, spec: TicketSpec) -> Result<IssuedTicket, AuthorityError> {
        let credential = self.credential(credential)?;
        let (jti, expires_at) = (BASE64URL.encode(random::<16>()), self.clock().now() + spec.valid_for);
        let activation_code = match spec.route {
            Route::Letter => Some(format!("{:08}", u64::from_be_bytes(random()) % 100_000_000)),
            Route::Card => None,
        };
        let code = activation_code.as_ref().map(|code| {
            let salt = random::<16>().to_vec();
            let hash = code_hash(code, &salt).to_vec();
            (salt, hash)
        });
        let issuer = self.issuer()?;
        let jws = self.ticket_key().sign(
            json!({"typ": "ticket+jwt", "kid": self.ticket_key_id()?}),
            &json!({
                "iss": issuer,
                "jti": jti,
                "exp": expires_at.unix_timestamp(),
                "route": match spec.route { Route::Letter => "letter", Route::Card => "card" },
                "code": activation_code.is_some(),
            }),
        )?;
        let letter_no = jti.chars().filter(char::is_ascii_alphanumeric).take(8).collect::<String>();
        let ticket = Ticket {
            jti,
            credential: credential.id,
            expires_at: expires_at.unix_timestamp(),
            code,
            wrong_codes: 0,
            client: None,
        };
        self.store().write(|tx| phones::insert_ticket(tx, &ticket))?;
        Ok(IssuedTicket {
            qr_text: format!("{issuer}/r#{jws}"),
            activation_code,
            letter_no: letter_no.to_ascii_uppercase(),
            expires_at,
        })
    }

    /// Issues a ticket and draws its letter, and the sheet with its code.
    ///
    /// # Errors
    /// [`AuthorityError::Unknown`], [`AuthorityError::Letter`].
    pub fn letter(&self, credential: &str, spec: TicketSpec) -> Result<LetterFiles, AuthorityError> {
        let holder = self.credential(credential)?;
        let ticket = self.ticket(credential, spec)?;
        let issued = self.clock().now().to_offset(JST).date();
        let letter = letter::render(&letter::Letter {
            doctor_name: &holder.name_kanji,
            role_ja: role_ja(holder.role.as_deref()),
            service_name: crate::SERVICE_NAME_JA,
            qr_text: &ticket.qr_text,
            issued,
            expires: ticket.expires_at.to_offset(JST).date(),
            letter_no: &ticket.letter_no,
        })?;
        let code_sheet = ticket.activation_code.as_deref().map(|activation_code| {
            letter::render_code_sheet(&letter::CodeSheet {
                doctor_name: &holder.name_kanji,
                activation_code,
                issued,
                letter_no: &ticket.letter_no,
            })
        });
        Ok(LetterFiles { letter, code_sheet: code_sheet.transpose()?, ticket })
    }

    /// Short, because the whole ticket has to fit QR version 14-M.
    pub(crate) fn ticket_key_id(&self) -> Result<String, JoseError> {
        let thumbprint = self.ticket_key().public_key()?.thumbprint();
        Ok(thumbprint.chars().take(KEY_ID_CHARS).collect())
    }

    fn credential(&self, id: &str) -> Result<Credential, AuthorityError> {
        let found = self.store().write(|tx| credentials::find(tx, id))?;
        found.ok_or(AuthorityError::Unknown("credential"))
    }

    #[allow(clippy::unused_self)]
    pub(crate) fn code_matches(&self, code: &str, salt: &[u8], hash: &[u8]) -> bool {
        pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, CODE_ITERATIONS, salt, code.as_bytes(), hash).is_ok()
    }
}

fn code_hash(code: &str, salt: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, CODE_ITERATIONS, salt, code.as_bytes(), &mut hash);
    hash
}

fn role_ja(role: Option<&str>) -> &'static str {
    match role {
        Some("Medical Doctor") => "医師",
        Some("Dentist") => "歯科医師",
        Some("Pharmacist") => "薬剤師",
        _ => "",
    }
}
