//! Names and extensions of the HPKI profile, each as the DER of one published certificate shows it.

use super::Ca;
use super::der;

pub(super) const COUNTRY: &str = "2.5.4.6";
pub(super) const ORGANISATION: &str = "2.5.4.10";
pub(super) const ORGANISATIONAL_UNIT: &str = "2.5.4.11";
pub(super) const COMMON_NAME: &str = "2.5.4.3";
pub(super) const SERIAL_NUMBER: &str = "2.5.4.5";

/// keyUsage bits as a BIT STRING's content: unused bits, then the bits (RFC 5280 4.2.1.3).
pub(super) const DIGITAL_SIGNATURE: [u8; 2] = [7, 0b1000_0000];
pub(super) const NON_REPUDIATION: [u8; 2] = [6, 0b0100_0000];
pub(super) const CERTIFICATE_AND_CRL_SIGN: [u8; 2] = [1, 0b0000_0110];

/// A Name of single-valued RDNs, in the order given.
pub(super) fn name(attributes: &[(&str, &str)]) -> Vec<u8> {
    let rdns: Vec<_> = attributes
        .iter()
        .map(|(kind, value)| {
            let tag = match *kind {
                COUNTRY | SERIAL_NUMBER => der::PRINTABLE_STRING,
                _ => der::UTF8_STRING,
            };
            der::set(&[der::sequence(&[der::oid(kind), der::tlv(tag, value.as_bytes())])])
        })
        .collect();
    der::sequence(&rdns)
}

/// AlgorithmIdentifier of sha256WithRSAEncryption (RFC 4055 5).
pub(super) fn sha256_with_rsa() -> Vec<u8> {
    der::sequence(&[der::oid("1.2.840.113549.1.1.11"), der::tlv(der::NULL, &[])])
}

/// The first 160 bits of SHA-256 over the SubjectPublicKeyInfo (RFC 7093 2, method 4 shortened).
pub(super) fn key_id(public_key: &[u8]) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, public_key).as_ref()[..20].to_vec()
}

fn extension(oid: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![der::oid(oid)];
    if critical {
        parts.push(der::boolean_true());
    }
    parts.push(der::tlv(der::OCTET_STRING, value));
    der::sequence(&parts)
}

pub(super) fn ca_constraints() -> Vec<u8> {
    extension("2.5.29.19", true, &der::sequence(&[der::boolean_true()]))
}

pub(super) fn key_usage(bits: [u8; 2]) -> Vec<u8> {
    extension("2.5.29.15", true, &der::tlv(der::BIT_STRING, &bits))
}

/// Critical certificatePolicies: one policy with its CPS.
pub(super) fn policy(policy: &str, cps_uri: &str) -> Vec<u8> {
    let cps = der::sequence(&[der::oid("1.3.6.1.5.5.7.2.1"), der::tlv(der::IA5_STRING, cps_uri.as_bytes())]);
    let information = der::sequence(&[der::oid(policy), der::sequence(&[cps])]);
    extension("2.5.29.32", true, &der::sequence(&[information]))
}

pub(super) fn crl_distribution_point(uri: &str) -> Vec<u8> {
    let full_name = der::of(der::context(0), &[der::tlv(der::context_primitive(6), uri.as_bytes())]);
    let point = der::sequence(&[der::of(der::context(0), &[full_name])]);
    extension("2.5.29.31", false, &der::sequence(&[point]))
}

/// subjectAltName with one directoryName.
pub(super) fn subject_alternative_name(name: &[u8]) -> Vec<u8> {
    extension("2.5.29.17", false, &der::sequence(&[der::tlv(der::context(4), name)]))
}

pub(super) fn subject_key_identifier(key_id: &[u8]) -> Vec<u8> {
    extension("2.5.29.14", false, &der::tlv(der::OCTET_STRING, key_id))
}

/// keyid, and issuer with serial of the CA's own certificate.
pub(super) fn authority_key_identifier(ca: &Ca) -> Vec<u8> {
    let value = der::sequence(&[
        der::tlv(der::context_primitive(0), &ca.key_id),
        der::of(der::context(1), &[der::tlv(der::context(4), &ca.issuer)]),
        der::tlv(der::context_primitive(2), &ca.serial),
    ]);
    extension("2.5.29.35", false, &value)
}

pub(super) fn crl_number(number: &[u8]) -> Vec<u8> {
    extension("2.5.29.20", false, &der::integer(number))
}

/// hcRole (ISO 17090) in subjectDirectoryAttributes: attribute, set of actors, actor, `[0]` coded data =
/// set { `[0]` coding scheme, `[2]` free text }.
pub(super) fn healthcare_role(role: &str) -> Vec<u8> {
    let coded = der::set(&[
        der::of(der::context(0), &[der::oid("1.2.392.100495.1.6.1.1")]),
        der::of(der::context(2), &[der::utf8(role)]),
    ]);
    let actor = der::sequence(&[der::of(der::context(0), &[coded])]);
    let attribute = der::sequence(&[der::oid("1.0.17090.0.1"), der::set(&[der::set(&[actor])])]);
    extension("2.5.29.9", false, &der::sequence(&[attribute]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_of_a_medical_doctor_is_the_published_54_bytes() {
        let published = "303430320606288185420001312831263024A0223120A00C060A2A830886910F01060101A2100C0E4D6564\
                         6963616C20446F63746F72";
        let written = healthcare_role("Medical Doctor");
        let hex: String = written[written.len() - 54..].iter().fold(String::new(), |mut text, byte| {
            use std::fmt::Write;
            let _ = write!(text, "{byte:02X}");
            text
        });
        assert_eq!(hex, published);
    }
}
