use super::*;
use crate::signer::SoftwareSigner;
use std::path::Path;
use std::process::Command;

fn openssl(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("openssl").current_dir(folder).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

fn crl_pem(der: &[u8]) -> String {
    certificate_pem(der).replace("CERTIFICATE", "X509 CRL")
}

#[test]
fn openssl_reads_the_hpki_profile_and_verifies_the_path_until_the_certificate_is_revoked() {
    let now = OffsetDateTime::now_utc();
    let root = root(&SoftwareSigner, "hpki-agent test HPKI Root CA", now).unwrap();
    let ca = intermediate(&SoftwareSigner, &root, IssuedBy::SigningCa, now).unwrap();
    let key = SoftwareSigner.generate().unwrap();
    let subject = Subject {
        name_romaji: "HANAKO TESUTO",
        name_kanji: "手須戸　花子",
        organisation: "hpki-agent test",
        serial_number: "T000001",
        role: Some("Medical Doctor"),
        not_before: now - Duration::DAY,
        not_after: end_of_jst_day(now + Duration::days(1826)),
    };
    let issued = end_entity(&SoftwareSigner, &ca, IssuedBy::SigningCa, &subject, &key.public_key).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    write("root.pem", certificate_pem(&root.certificate));
    write("ca.pem", certificate_pem(&ca.certificate));
    write("leaf.pem", certificate_pem(&issued.certificate));
    let root_crl = crl(&SoftwareSigner, &root, &[], now).unwrap();
    let empty = crl(&SoftwareSigner, &ca, &[], now).unwrap();
    let revoked = crl(&SoftwareSigner, &ca, &[(issued.serial, now)], now).unwrap();
    write("good.pem", crl_pem(&root_crl) + &crl_pem(&empty));
    write("revoked.pem", crl_pem(&root_crl) + &crl_pem(&revoked));

    let (_, text) =
        openssl(folder.path(), &["x509", "-in", "leaf.pem", "-noout", "-text", "-nameopt", "utf8"]);
    for expected in [
        "X509v3 Key Usage: critical\n                Non Repudiation\n",
        "X509v3 Certificate Policies: critical\n                Policy: 1.2.392.100495.1.5.1.1.0.1\n",
        "sha256WithRSAEncryption",
        "14:59:59",
        "C=JP, O=hpki-agent test, CN=HANAKO TESUTO, serialNumber=T000001",
        "URI:http://hpki-agent-test.invalid/sign.crl",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let verify = |crls: &str| {
        let arguments = ["verify", "-x509_strict", "-crl_check_all", "-CRLfile", crls, "-CAfile", "root.pem"];
        openssl(folder.path(), &[&arguments[..], &["-untrusted", "ca.pem", "leaf.pem"]].concat())
    };
    let (accepted, text) = verify("good.pem");
    assert!(accepted, "{text}");
    let (accepted, text) = verify("revoked.pem");
    assert!(!accepted && text.contains("certificate revoked"), "{text}");
}
