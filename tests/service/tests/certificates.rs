//! The certificates that a test can ask for, read by a parser that did not write them.

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use common::{World, doctor};
use der::Decode;
use reference_service::{HolderSpec, IssuedBy};
use reqwest::Method;
use serde_json::json;
use x509_cert::Certificate;

/// What an agent looks at: the role, the bits of keyUsage, whether the chain ends at the service's root.
type Seen = (bool, u8, bool);

fn extension(certificate: &Certificate, oid: &str) -> Option<Vec<u8>> {
    let extensions = certificate.tbs_certificate.extensions.as_deref().unwrap_or_default();
    let found = extensions.iter().find(|extension| extension.extn_id.to_string() == oid)?;
    Some(found.extn_value.as_bytes().to_vec())
}

#[tokio::test]
async fn a_holder_gets_exactly_the_certificate_that_was_asked_for() {
    const NON_REPUDIATION: u8 = 0x40;
    const DIGITAL_SIGNATURE: u8 = 0x80;
    let rows: [(HolderSpec, &str, Seen); 5] = [
        (doctor(), "Medical Doctor", (true, NON_REPUDIATION, true)),
        (HolderSpec::new("薬 師", "SHI KUSURI", "Pharmacist"), "Pharmacist", (true, NON_REPUDIATION, true)),
        (HolderSpec { role: None, ..doctor() }, "", (false, NON_REPUDIATION, true)),
        (
            HolderSpec { issued_by: IssuedBy::AuthenticationCa, ..doctor() },
            "Medical Doctor",
            (true, DIGITAL_SIGNATURE, true),
        ),
        (
            HolderSpec { issued_by: IssuedBy::ForeignRoot, scal: "1".into(), ..doctor() },
            "Medical Doctor",
            (true, NON_REPUDIATION, false),
        ),
    ];
    for (number, (holder, role, seen)) in rows.into_iter().enumerate() {
        let world = World::with(&holder).await;
        let phone = world.bound_phone().await;
        let body = json!({"credentialID": phone.credential, "certificates": "chain", "certInfo": true});
        let info = phone.ask(Method::POST, "/csc/v2/credentials/info", Some(body)).await;
        assert_eq!(info.text("SCAL"), holder.scal, "row {number}");
        let chain: Vec<Vec<u8>> = info.body["cert"]["certificates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|text| BASE64.decode(text.as_str().unwrap()).unwrap())
            .collect();
        let leaf = Certificate::from_der(&chain[0]).unwrap();
        let usage = extension(&leaf, "2.5.29.15").unwrap();
        let directory = extension(&leaf, "2.5.29.9");
        let found = (directory.is_some(), usage[usage.len() - 1], chain[2] == world.office().root_der());
        assert_eq!(found, seen, "row {number}");
        assert!(directory.is_none_or(|value| value.ends_with(role.as_bytes())), "row {number}");
        let names = extension(&leaf, "2.5.29.17").unwrap();
        let kanji = holder.name_kanji.replace(' ', "\u{3000}");
        assert!(names.windows(kanji.len()).any(|window| window == kanji.as_bytes()), "row {number}");
    }
}
