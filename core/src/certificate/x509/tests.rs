use super::super::{
    Crl, CrlError,
    testing::{seq, tlv},
};
use super::*;

#[test]
fn a_certificate_has_at_most_16_kib_and_a_list_8_mib_and_pem_twice_that() {
    let bytes = vec![0xff; (16 << 20) + 1];
    let at = |length: usize| &bytes[..length];
    let malformed = CertificateError::Malformed("certificate");
    assert_eq!(Certificate::from_der(at(16 << 10)), Err(malformed));
    assert_eq!(Certificate::from_der(at((16 << 10) + 1)), Err(CertificateError::TooLong));
    assert_eq!(Certificate::from_pem_or_der(at(32 << 10)), Err(CertificateError::Pem));
    assert_eq!(Certificate::from_pem_or_der(at((32 << 10) + 1)), Err(CertificateError::TooLong));
    let malformed = CrlError::Malformed("certificateList");
    assert_eq!(Crl::from_der(at(8 << 20)).err(), Some(malformed));
    assert_eq!(Crl::from_der(at((8 << 20) + 1)).err(), Some(CrlError::TooLong));
    assert_eq!(Crl::from_pem_or_der(at(16 << 20)).err(), Some(CrlError::Pem));
    assert_eq!(Crl::from_pem_or_der(at((16 << 20) + 1)).err(), Some(CrlError::TooLong));
}

#[test]
fn a_version_is_one_of_three() {
    let read = |field: &[u8]| version(&mut Cursor::new(field).unwrap());
    assert_eq!(read(&[]), Some(0));
    for number in 0..=4 {
        let expected = (number <= 2).then_some(number);
        assert_eq!(read(&tlv(0xa0, &tlv(2, &[number]))), expected);
    }
    assert_eq!(read(&tlv(0xa0, &tlv(2, &[0, 2]))), None);
}

#[test]
fn each_version_ends_with_the_fields_that_it_has_and_in_their_order() {
    let extensions = tlv(0xa3, &seq(&[tlv(5, &[])]));
    let (issuer, subject) = (tlv(0x81, &[0]), tlv(0x82, &[0]));
    let empty: &[&[u8]] = &[];
    let read = |fields: &[&[u8]], version| {
        let bytes = fields.concat();
        tail(Cursor::new(&bytes).unwrap(), version).map(|extensions| extensions.remaining())
    };
    for version in 0..=2 {
        let has_identifiers = (version > 0).then_some(0);
        let has_extensions = (version == 2).then_some(2);
        assert_eq!(read(empty, version), Some(0));
        assert_eq!(read(&[&issuer], version), has_identifiers);
        assert_eq!(read(&[&subject], version), has_identifiers);
        assert_eq!(read(&[&issuer, &subject], version), has_identifiers);
        assert_eq!(read(&[&extensions], version), has_extensions);
        assert_eq!(read(&[&issuer, &subject, &extensions], version), has_extensions);
    }
    let inner = seq(&[]);
    for wrong in [
        &[&subject[..], &issuer][..],
        &[&issuer, &issuer],
        &[&extensions, &extensions],
        &[&extensions, &subject],
        &[&tlv(0x80, &[0])],
        &[&tlv(0x83, &inner)],
        &[&tlv(0x84, &inner)],
        &[&tlv(0xa1, &inner)],
        &[&tlv(0xa4, &inner)],
        &[&inner],
        &[&tlv(0xa3, &[])],
        &[&tlv(0xa3, &[&inner[..], &inner].concat())],
    ] {
        assert_eq!(read(wrong, 2), None, "{wrong:02x?}");
    }
}
