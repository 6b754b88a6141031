use super::super::{
    Certificate,
    testing::{Authority, CrlTemplate, NOW, Template, extension, seq, time, tlv},
};
use super::*;

const AUTHORITY: &[u8] = include_bytes!("../fixtures/authority.der");
const AUTHORITY_CRL: &[u8] = include_bytes!("../fixtures/authority.crl.der");

#[test]
fn a_list_says_by_whom_and_when_it_was_issued() {
    let crl = Crl::from_der(AUTHORITY_CRL).unwrap();
    assert_eq!(crl.issuer_name(), Certificate::from_der(AUTHORITY).unwrap().subject_name());
    assert_eq!((crl.next_update() - crl.this_update()).whole_days(), 9000);
    let made = Authority::new("CA").crl(&CrlTemplate::fresh());
    assert_eq!(Some(made.next_update()), CrlTemplate::fresh().next_update);
    assert_eq!(made.this_update(), CrlTemplate::fresh().this_update);
}

#[test]
fn an_entry_may_say_more_as_long_as_that_is_not_critical() {
    let ca = Authority::new("CA");
    let leaf = Authority::new("leaf").certificate(&ca, &Template::signer(&[]));
    // invalidityDate (§5.3.2)
    let with = |critical| {
        let more = extension("2.5.29.24", critical, &time(NOW));
        let reason = extension("2.5.29.21", false, &tlv(0x0a, &[4]));
        let entry = seq(&[tlv(2, leaf.serial_number_octets()), time(NOW), seq(&[more, reason])]);
        Crl::from_der(&ca.crl_der(&CrlTemplate { more_entries: vec![entry], ..CrlTemplate::fresh() }))
    };
    let reason = with(false).unwrap().entry(&leaf).map(|entry| entry.reason);
    assert_eq!(reason, Some(RevocationReason::Superseded));
    assert_eq!(with(true).err(), Some(CrlError::UnknownCriticalExtension("2.5.29.24".to_owned())));
}
