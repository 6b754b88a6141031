//! The signature as the management service's own samples have it (form A): prefixes, ids, order and algorithms to the
//! byte. Every part is written twice from the same lines, once in exclusive canonical form, to be hashed, and once as
//! it stands in the file, where `xs` and `xa` are declared on the elements above it.

use ring::digest::{SHA256, digest};
use time::{OffsetDateTime, UtcOffset};

use super::{
    base64::encode,
    uri::{DSIG, EXCLUSIVE_C14N, SHA_256, SIGNED_PROPERTIES_TYPE, XADES},
};

/// What one signature is made of.
pub(super) struct Form {
    /// `id` and 8 hexadecimal digits: what every Id of the signature begins with.
    pub(super) id: String,
    /// In UTC, whole seconds.
    pub(super) signing_time: OffsetDateTime,
    /// URI of the SignatureMethod.
    pub(super) signature_method: &'static str,
    /// SHA-256 of PrescriptionDocument in its inclusive canonical form.
    pub(super) document_digest: [u8; 32],
    /// DER of the signing certificate.
    pub(super) certificate: Vec<u8>,
}

/// Where a part is written: which namespace declarations it carries itself.
#[derive(Clone, Copy)]
struct Place {
    xs: &'static str,
    xa: &'static str,
}

const IN_FILE: Place = Place { xs: "", xa: "" };
const CANONICAL: Place = Place {
    xs: " xmlns:xs=\"http://www.w3.org/2000/09/xmldsig#\"",
    xa: " xmlns:xa=\"http://uri.etsi.org/01903/v1.3.2#\"",
};

impl Form {
    /// SignedInfo in exclusive canonical form: the bytes that are signed.
    pub(super) fn signed_info(&self) -> String {
        self.write_signed_info(CANONICAL)
    }

    /// `<PrescriptionSign>` with the whole signature.
    pub(super) fn prescription_sign(&self, value: &[u8]) -> String {
        let Self { id, .. } = self;
        let signed_info = self.write_signed_info(IN_FILE);
        let value = encode(value);
        let key_info = self.write_key_info(IN_FILE);
        let signed_properties = self.write_signed_properties(IN_FILE);
        [
            &format!("<PrescriptionSign><xs:Signature xmlns:xs=\"{DSIG}\" Id=\"PrescriptionSign\">"),
            signed_info.as_str(),
            &format!("<xs:SignatureValue Id=\"{id}-SignatureValue\">{value}</xs:SignatureValue>"),
            &key_info,
            &format!(
                "<xs:Object><xa:QualifyingProperties xmlns:xa=\"{XADES}\" Id=\"{id}-QualifyingProperties\""
            ),
            " Target=\"#PrescriptionSign\">",
            &signed_properties,
            "</xa:QualifyingProperties></xs:Object></xs:Signature></PrescriptionSign>",
        ]
        .concat()
    }

    fn write_signed_info(&self, place: Place) -> String {
        let Self { id, signature_method, .. } = self;
        let xs = place.xs;
        let document = encode(self.document_digest);
        let key_info = digest_value(self.write_key_info(CANONICAL).as_bytes());
        let signed_properties = digest_value(self.write_signed_properties(CANONICAL).as_bytes());
        let exclusive = format!(
            "<xs:Transforms><xs:Transform Algorithm=\"{EXCLUSIVE_C14N}\"></xs:Transform></xs:Transforms>"
        );
        let reference = |attributes: &str, transforms: &str, value: &str| {
            format!(
                "<xs:Reference {attributes}>{transforms}<xs:DigestMethod Algorithm=\"{SHA_256}\"></xs:DigestMethod>\
                 <xs:DigestValue>{value}</xs:DigestValue></xs:Reference>"
            )
        };
        [
            &format!("<xs:SignedInfo{xs} Id=\"{id}-SignedInfo\">"),
            &format!(
                "<xs:CanonicalizationMethod Algorithm=\"{EXCLUSIVE_C14N}\"></xs:CanonicalizationMethod>"
            ),
            &format!("<xs:SignatureMethod Algorithm=\"{signature_method}\"></xs:SignatureMethod>"),
            reference(
                &format!("Id=\"{id}-Reference1-Detached\" URI=\"#PrescriptionDocument\""),
                "",
                &document,
            )
            .as_str(),
            &reference(&format!("URI=\"#{id}-KeyInfo\""), &exclusive, &key_info),
            &reference(
                &format!("Type=\"{SIGNED_PROPERTIES_TYPE}\" URI=\"#{id}-SignedProperties\""),
                &exclusive,
                &signed_properties,
            ),
            "</xs:SignedInfo>",
        ]
        .concat()
    }

    fn write_key_info(&self, place: Place) -> String {
        let Self { id, certificate, .. } = self;
        let xs = place.xs;
        let certificate = encode(certificate);
        format!(
            "<xs:KeyInfo{xs} Id=\"{id}-KeyInfo\"><xs:X509Data><xs:X509Certificate>{certificate}\
             </xs:X509Certificate></xs:X509Data></xs:KeyInfo>"
        )
    }

    fn write_signed_properties(&self, place: Place) -> String {
        let Self { id, certificate, .. } = self;
        let Place { xs, xa } = place;
        let time = signing_time_text(self.signing_time);
        let certificate = digest_value(certificate);
        format!(
            "<xa:SignedProperties{xa} Id=\"{id}-SignedProperties\"><xa:SignedSignatureProperties>\
             <xa:SigningTime>{time}</xa:SigningTime><xa:SigningCertificateV2><xa:Cert><xa:CertDigest>\
             <xs:DigestMethod{xs} Algorithm=\"{SHA_256}\"></xs:DigestMethod>\
             <xs:DigestValue{xs}>{certificate}</xs:DigestValue></xa:CertDigest></xa:Cert></xa:SigningCertificateV2>\
             </xa:SignedSignatureProperties></xa:SignedProperties>"
        )
    }
}

fn digest_value(bytes: &[u8]) -> String {
    encode(digest(&SHA256, bytes))
}

/// UTC, written as `+00:00`.
fn signing_time_text(time: OffsetDateTime) -> String {
    let utc = time.to_offset(UtcOffset::UTC);
    let (year, month, day) = utc.to_calendar_date();
    let (hour, minute, second) = utc.to_hms();
    let month = u8::from(month);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}+00:00")
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn form() -> Form {
        Form {
            id: "id0123abcd".into(),
            signing_time: datetime!(2026-06-02 09:00:00 +9),
            signature_method: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            document_digest: [7; 32],
            certificate: b"certificate".to_vec(),
        }
    }

    #[test]
    fn the_signature_is_form_a_to_the_byte() {
        assert_eq!(form().prescription_sign(b"value"), include_str!("fixtures/form-a.xml").trim_end());
    }

    #[test]
    fn what_is_hashed_is_the_canonical_form_of_what_is_written() {
        use super::super::{Method, canonicalize};
        let (form, written) = (form(), form().prescription_sign(b"value"));
        for (id, hashed) in [
            ("id0123abcd-SignedInfo", form.write_signed_info(CANONICAL)),
            ("id0123abcd-KeyInfo", form.write_key_info(CANONICAL)),
            ("id0123abcd-SignedProperties", form.write_signed_properties(CANONICAL)),
        ] {
            let canonical =
                canonicalize(written.as_bytes(), Some(id), Method::Exclusive, false, &[]).unwrap();
            assert_eq!(String::from_utf8(canonical).unwrap(), hashed);
        }
    }
}
