//! Certificates: what is read is kept to the byte and says what another reader finds in it; whatever has a path to the root is
//! the genuine certificate.

#![no_main]

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_STANDARD};
use fuzz::{
    files::{AT, CA, DOCTOR, DOCTOR_P256, PHARMACIST, ROOT, prescriber_roles},
    input::{Input, edited},
};
use hpki_agent::certificate::{Certificate, SigningCertificate, build_path, holder};
use libfuzzer_sys::fuzz_target;
use x509_cert::der::{Decode, Encode};

const GENUINE: [&[u8]; 5] = [DOCTOR, DOCTOR_P256, PHARMACIST, CA, ROOT];

static ABOVE: LazyLock<[Certificate; 2]> =
    LazyLock::new(|| [CA, ROOT].map(|der| Certificate::from_der(der).expect("a certificate")));

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let choice = usize::from(input.byte());
    let der = match GENUINE.get(choice % (GENUINE.len() + 1)) {
        Some(genuine) => edited(genuine, &mut input),
        None => input.rest().to_vec(),
    };
    let by_pem_or_der = Certificate::from_pem_or_der(&der);
    let Ok(certificate) = Certificate::from_der(&der) else {
        assert!(!GENUINE.contains(&der.as_slice()));
        return;
    };
    assert_eq!(certificate.der(), der);
    assert_eq!(by_pem_or_der.as_ref(), Ok(&certificate));
    let pem =
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64_STANDARD.encode(&der));
    assert_eq!(Certificate::from_pem_or_der(pem.as_bytes()).as_ref(), Ok(&certificate));

    if let Ok(other) = x509_cert::Certificate::from_der(&der) {
        let tbs = &other.tbs_certificate;
        assert_eq!(
            without_zeros(certificate.serial_number_octets()),
            without_zeros(tbs.serial_number.as_bytes())
        );
        assert_eq!(certificate.issuer_der(), tbs.issuer.to_der().expect("DER"));
        let validity = certificate.validity();
        let seconds = |time: x509_cert::time::Time| time.to_unix_duration().as_secs() as i64;
        assert_eq!(validity.not_before.unix_timestamp(), seconds(tbs.validity.not_before));
        assert_eq!(validity.not_after.unix_timestamp(), seconds(tbs.validity.not_after));
    }

    let _ = (certificate.subject_name(), certificate.issuer_name(), certificate.serial_number());
    let is_genuine = GENUINE.contains(&der.as_slice());
    if let Ok(path) = build_path(&certificate, &ABOVE[..1], &ABOVE[1..], AT) {
        assert!(is_genuine, "a path from a certificate that nobody has issued");
        assert_eq!(path.certificates().last(), Some(&ABOVE[1]));
    }
    if let Ok(checked) = SigningCertificate::check(certificate.clone(), &prescriber_roles(), AT) {
        let holder = checked.holder();
        assert!(holder.roles.iter().any(|role| prescriber_roles().contains(role)));
        assert!(holder.not_before <= AT && AT <= holder.not_after);
        assert_eq!(holder.serial_number, certificate.serial_number());
    }
    let _ = holder(&certificate);
});

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
