//! Transforms, algorithms, keys and certificates that do not count, in files that are signed as well as they can be.

use attacks::files::{
    AT, DOCTOR, DOCTOR_512, DOCTOR_1024, DOCTOR_MD5, DOCTOR_SHA1, EXCLUSIVE, GENUINE, ID, IMPOSTOR,
    IMPOSTOR_CHAIN, RSA_SHA_256, SHA_256, Signer, assert_refused, base64, codes, completed, completed_by,
    document, forged, form_b, judged, template, template_of,
};
use hpki_agent::{
    certificate::{Certificate, SigningCertificate, build_path},
    signature::Verdict,
};

#[test]
fn a_transform_off_the_list_is_refused_though_the_doctor_signed_it() {
    let known = format!("<ds:Transform Algorithm=\"{EXCLUSIVE}\"/>");
    for name in [
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/2002/06/xmldsig-filter2",
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/2000/09/xmldsig#base64",
        "http://www.w3.org/2002/07/decrypt#XML",
        "http://www.w3.org/2001/04/xmldsig-more#xptr",
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform",
        "http://www.w3.org/2001/10/xml-exc-c14n",
        "",
    ] {
        let other = format!("<ds:Transform Algorithm=\"{name}\"/>");
        for transforms in [other.clone(), format!("{known}{other}"), format!("{other}{known}")] {
            assert_refused(completed(&template().replacen(&known, &transforms, 1)), &["transform_refused"]);
        }
    }
    let xpath = "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath>\
                 not(ancestor-or-self::PrescriptionDocument)</ds:XPath></ds:Transform>";
    assert_refused(completed(&template().replacen(&known, xpath, 1)), &["transform_refused"]);
    assert_refused(completed(&template().replacen(&known, &known.repeat(2), 1)), &["transform_refused"]);
    let bare = completed(&template().replacen(&known, "<ds:Transform/>", 1));
    assert_refused(bare, &["transform_refused"]);
    // Allowed at the right place alone: the signature does not lie in what it covers.
    let enveloped = "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>";
    assert_refused(
        completed(&template().replacen(&known, &format!("{enveloped}{known}"), 1)),
        &["document_changed"],
    );
}

#[test]
fn a_canonicalisation_off_the_list_is_refused_though_the_doctor_signed_it() {
    let known = format!("<ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/>");
    for name in
        ["http://www.w3.org/2010/xml-c14n2", "http://www.w3.org/TR/1999/REC-xslt-19991116", "urn:none", ""]
    {
        let other = format!("<ds:CanonicalizationMethod Algorithm=\"{name}\"/>");
        assert_refused(completed(&template().replacen(&known, &other, 1)), &["algorithm_refused"]);
    }
    // Parameters that no reader may follow
    let inside = known.replace("/>", "><ds:XPath>1=1</ds:XPath></ds:CanonicalizationMethod>");
    assert_refused(completed(&template().replacen(&known, &inside, 1)), &["signature_structure"]);
}

#[test]
fn a_digest_of_sha_1_or_md5_or_unknown_is_refused_wherever_it_stands() {
    let template = template();
    assert_eq!(template.matches(SHA_256).count(), 4, "three References and the certificate's digest");
    for name in [
        "http://www.w3.org/2000/09/xmldsig#sha1",
        "http://www.w3.org/2001/04/xmldsig-more#md5",
        "http://www.w3.org/2001/04/xmldsig-more#sha224",
        "http://www.w3.org/2001/04/xmlenc#ripemd160",
        "http://www.w3.org/2001/04/xmlenc#sha256 ",
        "",
    ] {
        for (at, _) in template.match_indices(SHA_256) {
            let changed = [&template[..at], name, &template[at + SHA_256.len()..]].concat();
            assert_refused(completed(&changed), &["digest_method_refused"]);
        }
    }
}

#[test]
fn a_signature_method_of_sha_1_md5_hmac_or_unknown_is_refused_whatever_its_value() {
    for name in [
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-ripemd160",
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
        "none",
        "",
    ] {
        let changed = template().replace(RSA_SHA_256, name);
        assert_refused(completed(&changed), &["signature_method_refused"]);
        for value in ["", "AA=="] {
            assert_refused(
                completed(&changed.replace("[[sign si]]", value)),
                &["signature_method_refused", "signature_structure"],
            );
        }
    }
}

#[test]
fn a_certificates_public_key_is_never_taken_for_an_hmac_key() {
    let hmac = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
    let length = "<ds:HMACOutputLength>0</ds:HMACOutputLength>";
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, DOCTOR.certificate);
    let unsigned = template().replace(RSA_SHA_256, hmac);
    for inside in ["", length] {
        let method = format!("{hmac}\">{inside}</ds:SignatureMethod>");
        let unsigned = unsigned.replace(&format!("{hmac}\"/>"), &method);
        let value = base64(ring::hmac::sign(&key, unsigned.as_bytes()));
        assert_refused(completed(&unsigned.replace("[[sign si]]", &value)), &["signature_method_refused"]);
    }
}

#[test]
fn a_key_of_512_or_1024_bits_signs_nothing_that_counts() {
    for weak in [DOCTOR_512, DOCTOR_1024] {
        let file = completed_by(&template_of(weak), weak);
        assert_refused(&file, &["certificate_weak"]);
        assert_no_signer(weak);
    }
}

#[test]
fn a_certificate_signed_with_sha_1_or_md5_counts_for_nothing() {
    for weak in [DOCTOR_SHA1, DOCTOR_MD5] {
        let file = completed_by(&template_of(weak), weak);
        assert_refused(&file, &["certificate_weak"]);
        assert_no_signer(weak);
    }
}

/// Nothing can be prepared with this certificate.
#[track_caller]
fn assert_no_signer(signer: Signer) {
    let certificate = Certificate::from_der(signer.certificate).unwrap();
    assert!(SigningCertificate::check(certificate, &["Medical Doctor".to_owned()], AT).is_err());
}

#[test]
fn a_doctor_of_the_same_name_under_other_keys_is_not_the_doctor() {
    let file = completed_by(&template_of(IMPOSTOR), IMPOSTOR);
    let report = judged(&file);
    assert_ne!(report.verdict, Verdict::Valid, "{:?}", codes(&report));
    // With the impostor's chain brought along in the file
    let x509 = IMPOSTOR_CHAIN.map(|der| format!("<ds:X509Certificate>{}</ds:X509Certificate>", base64(der)));
    let with_chain = template_of(IMPOSTOR).replace("</ds:X509Data>", &(x509.concat() + "</ds:X509Data>"));
    let report = judged(completed_by(&with_chain, IMPOSTOR));
    assert_ne!(report.verdict, Verdict::Valid, "{:?}", codes(&report));
    assert!(!codes(&report).is_empty());

    let [ca, root] = IMPOSTOR_CHAIN.map(|der| Certificate::from_der(der).unwrap());
    let leaf = Certificate::from_der(IMPOSTOR.certificate).unwrap();
    let genuine_root = Certificate::from_der(include_bytes!("../fixtures/root.der")).unwrap();
    assert!(build_path(&leaf, std::slice::from_ref(&ca), std::slice::from_ref(&root), AT).is_ok());
    assert!(build_path(&leaf, &[ca, root], &[genuine_root], AT).is_err());
}

#[test]
fn a_certificate_that_is_swapped_added_or_not_the_one_named_is_refused() {
    let file = form_b();
    let (doctors, others) = (base64(DOCTOR.certificate), base64(IMPOSTOR.certificate));
    assert_refused(file.replace(&doctors, &others), &["certificate_mismatch"]);
    // Signed by the impostor, who names the doctor's certificate
    assert_refused(completed_by(&template(), IMPOSTOR), &["signature_value_wrong"]);
    let both =
        template().replace(&doctors, &format!("{others}</ds:X509Certificate><ds:X509Certificate>{doctors}"));
    assert_refused(completed_by(&both, IMPOSTOR), &["signature_value_wrong"]);
    let named = base64(attacks::files::sha256(DOCTOR.certificate));
    let renamed = template().replace(&named, &base64(attacks::files::sha256(IMPOSTOR.certificate)));
    assert_refused(completed(&renamed), &["certificate_mismatch"]);
}

#[test]
fn a_changed_digest_or_value_or_document_is_refused_in_every_byte() {
    let file = form_b();
    assert_refused(file.replace(&document(GENUINE, ID), &document(&forged(), ID)), &["document_changed"]);
    let value = file.split_once("<ds:SignatureValue>").unwrap().1.split_once('<').unwrap().0;
    for at in (0..value.len() - 2).step_by(7) {
        let mut changed = value.to_owned().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_refused(file.replace(value, &changed), &["signature_value_wrong"]);
    }
}
