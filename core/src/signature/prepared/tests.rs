use super::{
    super::{
        Method, Verdict, canonicalize,
        test_data::{
            AT, CSV, DOCTOR, DOCTOR_KEY, DOCTOR_P256, DOCTOR_P256_KEY, FixedRandom, PHARMACIST_KEY, envelope,
            sign, signed_by, signing_certificate, verified,
        },
    },
    *,
};

fn prepared(envelope: &str) -> Prepared {
    let prescription = Prescription::parse(envelope.as_bytes()).unwrap();
    prepare(prescription, &signing_certificate(DOCTOR), AT, &FixedRandom).unwrap()
}

#[test]
fn the_digest_is_of_the_signed_info_and_the_file_verifies() {
    let prepared = prepared(&envelope(""));
    assert_eq!(prepared.digest(), &sha256(prepared.signed_info()));
    let value = sign(DOCTOR_KEY, prepared.signed_info());
    assert!(prepared.accepts(&value));
    let file = prepared.finish(&value).unwrap();
    let report = verified(file.bytes());
    assert_eq!(
        (report.verdict, report.document.as_deref()),
        (Verdict::Valid, Some(CSV)),
        "{:?}",
        report.signatures
    );
}

#[test]
fn the_document_is_hashed_in_place_with_what_its_ancestors_give_it() {
    let body = |envelope: &str| {
        let start = envelope.find("<PrescriptionDocument").unwrap();
        let end = envelope.find("</PrescriptionDocument>").unwrap() + DOCUMENT_END.len();
        document_digest(envelope.as_bytes(), start..end).unwrap()
    };
    let standard = envelope("");
    let begins = "<PrescriptionDocument xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" id=\"PrescriptionDocument\">";
    let unusual = [
        standard.clone(),
        standard
            .replace("<Prescription>", "\r\n <Prescription xmlns:b=\"u\" xmlns:a='v' xml:lang=\"ja\">\r\n"),
        standard.replace("<PrescriptionDocument id", "<PrescriptionDocument\n  id"),
        standard.replace("</PrescriptionDocument>", "\n</PrescriptionDocument>"),
        standard.replace("</PrescriptionDocument>", "&#13;\r\n</PrescriptionDocument>"),
    ];
    for envelope in &unusual {
        let id = Some("PrescriptionDocument");
        let canonical = canonicalize(envelope.as_bytes(), id, Method::Inclusive10, false, &[]).unwrap();
        assert_eq!(body(envelope), sha256(&canonical));
        assert_eq!(canonical.starts_with(begins.as_bytes()), !envelope.contains("xml:lang"));
    }
}

#[test]
fn a_body_is_hashed_as_it_stands_only_where_nothing_in_it_is_markup_escaped_or_normalised() {
    let found = |body: &str| {
        let element = format!("<PrescriptionDocument id='>'>{body}</PrescriptionDocument>");
        plain_body(element.as_bytes()).map(|range| element[range].to_owned())
    };
    for plain in ["", "QQ==", "QQ==\n\t 'é\""] {
        assert_eq!(found(plain).as_deref(), Some(plain));
    }
    for special in ["<", ">", "&", "\r", "<>", "&\r\r&", "<b/>"] {
        assert_eq!(found(&format!("QQ{special}==")), None, "{special:?}");
    }
}

#[test]
fn a_signing_time_that_no_reader_could_read_is_not_finished() {
    let prescription = Prescription::parse(envelope("").as_bytes()).unwrap();
    let at = time::macros::datetime!(-0001-01-01 00:00 UTC);
    let prepared = prepare(prescription, &signing_certificate(DOCTOR), at, &FixedRandom).unwrap();
    let value = sign(DOCTOR_KEY, prepared.signed_info());
    assert_eq!(prepared.finish(&value).err(), Some(FinishError::FileRefused("signing_time_unreadable")));
}

#[test]
fn everything_around_the_signature_keeps_its_bytes() {
    let envelope = envelope("");
    let file = signed_by(DOCTOR, DOCTOR_KEY);
    let (before, rest) = file.split_once("<PrescriptionSign>").unwrap();
    let (_, after) = rest.split_once("</PrescriptionSign>").unwrap();
    assert_eq!(format!("{before}{after}"), envelope);
}

#[test]
fn a_value_of_another_key_or_another_prescription_is_refused() {
    let value = sign(PHARMACIST_KEY, prepared(&envelope("")).signed_info());
    assert!(!prepared(&envelope("")).accepts(&value));
    assert_eq!(prepared(&envelope("")).finish(&value).err(), Some(FinishError::ValueRefused));
    let value = sign(DOCTOR_KEY, b"another");
    assert_eq!(prepared(&envelope("")).finish(&value).err(), Some(FinishError::ValueRefused));
    assert_eq!(prepared(&envelope("")).finish(&[]).err(), Some(FinishError::ValueRefused));
}

#[test]
fn an_envelope_in_which_the_signature_would_be_ambiguous_is_not_finished() {
    // Its ids are drawn at random, so this one could only be guessed.
    let prepared = prepared(&envelope("<AdditionalPrescriptionInformation id=\"ida5a5a5a5-KeyInfo\"/>"));
    let value = sign(DOCTOR_KEY, prepared.signed_info());
    assert_eq!(prepared.finish(&value).err(), Some(FinishError::FileRefused("duplicate_id")));
}

#[test]
fn a_p256_certificate_signs_with_ecdsa() {
    let file = signed_by(DOCTOR_P256, DOCTOR_P256_KEY);
    assert!(file.contains("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"));
    assert_eq!(verified(file).verdict, Verdict::Valid);
}

#[test]
fn a_crash_resumes_with_the_same_signed_info() {
    let first = prepared(&envelope(""));
    let stored = first.to_stored();
    let again = Prepared::from_stored(&stored, &signing_certificate(DOCTOR)).unwrap();
    assert_eq!(again.signed_info(), first.signed_info());
    assert_eq!(again.signing_time(), first.signing_time());
    assert_eq!(again.prescription().envelope(), first.prescription().envelope());
}

#[test]
fn stored_bytes_that_were_changed_are_refused() {
    let stored = prepared(&envelope("")).to_stored();
    let refused = |bytes: &[u8], certificate| {
        Prepared::from_stored(bytes, &signing_certificate(certificate)).err().expect("refused")
    };
    assert_eq!(refused(&stored, DOCTOR_P256), StoredError::Changed);
    assert_eq!(refused(b"", DOCTOR), StoredError::Unreadable);
    assert_eq!(refused(b"{}\n", DOCTOR), StoredError::Unreadable);
    let text = String::from_utf8(stored.clone()).unwrap();
    let time = format!("\"signing_time\":{}", AT.unix_timestamp());
    let later = format!("\"signing_time\":{}", AT.unix_timestamp() + 1);
    assert_eq!(refused(text.replacen(&time, &later, 1).as_bytes(), DOCTOR), StoredError::Changed);
    for (part, other) in [
        ("ida5", "idx\\\""),
        ("ida5", "ida"),
        ("ida5", "ida55"),
        ("ida5", "a5"),
        ("\"version\":1", "\"version\":0"),
        ("\"version\":1", "\"version\":2"),
    ] {
        let changed = text.replacen(part, other, 1);
        assert_ne!(changed, text);
        assert_eq!(refused(changed.as_bytes(), DOCTOR), StoredError::Unreadable, "{other}");
    }
    assert_eq!(refused(&stored[..stored.len() - 40], DOCTOR), StoredError::Prescription);
}
