//! Text that a QR gave: of a letter's link only the one that the office has signed is taken, to the byte; and what a person
//! types as an activation code is one if and only if it has eight digits.

#![no_main]

use std::sync::LazyLock;

use fuzz::{
    input::{Input, edited},
    office::{ISSUER, NOW, claims, header, signed, trust},
};
use hpki_agent::{
    registration::{ActivationCode, ActivationCodeError, CODE_DIGITS, MAX_QR_TEXT, Ticket, TicketError},
    trust::TrustConfiguration,
};
use libfuzzer_sys::fuzz_target;

static TRUST: LazyLock<TrustConfiguration> = LazyLock::new(trust);
static GENUINE: LazyLock<String> =
    LazyLock::new(|| signed(ISSUER, header().to_string().as_bytes(), claims().to_string().as_bytes()));

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let text = match input.byte() & 1 {
        0 => edited(GENUINE.as_bytes(), &mut input),
        _ => input.rest().to_vec(),
    };
    let Ok(text) = str::from_utf8(&text) else { return };
    match Ticket::parse(text, &TRUST, NOW) {
        Ok(ticket) => {
            assert_eq!(text.trim(), GENUINE.as_str());
            assert_eq!((ticket.issuer(), ticket.qr_text()), (ISSUER, GENUINE.as_str()));
            assert!(!format!("{ticket:?}").contains(ticket.jti()));
        }
        Err(TicketError::UnknownIssuer { issuer }) => {
            assert_ne!(issuer, ISSUER);
            assert!(issuer.len() <= 100 && issuer.bytes().all(|byte| byte.is_ascii_graphic()));
        }
        Err(TicketError::NotATicket) => {
            let link = text.trim().starts_with(&format!("{ISSUER}/r#"));
            let parts = text.trim().split('#').nth(1).map_or(0, |jws| jws.split('.').count());
            assert!(
                !link
                    || parts != 3
                    || text.trim().len() > MAX_QR_TEXT
                    || text.trim().matches('#').count() > 1
            );
        }
        Err(_) => assert_ne!(text.trim(), GENUINE.as_str()),
    }

    let digits = text.chars().filter(|c| c.is_ascii_digit() || ('０'..='９').contains(c)).count();
    match ActivationCode::parse(text) {
        Ok(_) => assert_eq!(digits, CODE_DIGITS),
        Err(ActivationCodeError::Length { digits: told }) => assert!(told == digits && told != CODE_DIGITS),
        Err(ActivationCodeError::NotADigit) => assert!(text.chars().any(|c| c != '-' && !c.is_ascii_digit())),
    }
});
