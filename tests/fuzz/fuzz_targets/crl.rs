//! Revocation lists: only one that the CA has signed says anything about a certificate, and it says the same however much
//! nonsense lies beside it.

#![no_main]

use std::sync::LazyLock;

use fuzz::{
    files::{AT, CA, CA_CRL, CA_CRL_REVOKED, DOCTOR, ROOT, ROOT_CRL},
    input::{Input, edited},
};
use hpki_agent::certificate::{Certificate, Crl, Path, Revocation, build_path, revocation};
use libfuzzer_sys::fuzz_target;
use x509_cert::{crl::CertificateList, der::Decode};

const GENUINE: [&[u8]; 3] = [CA_CRL, CA_CRL_REVOKED, ROOT_CRL];

static PATH: LazyLock<Path> = LazyLock::new(|| {
    let [doctor, ca, root] = [DOCTOR, CA, ROOT].map(|der| Certificate::from_der(der).expect("a certificate"));
    build_path(&doctor, &[ca], &[root], AT).expect("a path")
});
static LISTS: LazyLock<[Crl; 3]> = LazyLock::new(|| GENUINE.map(|der| Crl::from_der(der).expect("a CRL")));

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let choice = usize::from(input.byte());
    let der = match GENUINE.get(choice % (GENUINE.len() + 1)) {
        Some(genuine) => edited(genuine, &mut input),
        None => input.rest().to_vec(),
    };
    let Ok(crl) = Crl::from_der(&der) else {
        assert!(!GENUINE.contains(&der.as_slice()));
        return;
    };
    let _ = (crl.issuer_name(), Crl::from_pem_or_der(&der));
    if let Ok(other) = CertificateList::from_der(&der) {
        let list = &other.tbs_cert_list;
        assert_eq!(crl.this_update().unix_timestamp(), list.this_update.to_unix_duration().as_secs() as i64);
    }

    let [good, revoked, root] = &*LISTS;
    // Beside what is genuine a list that nobody has signed changes nothing; in its place it says nothing.
    let is_genuine = GENUINE.contains(&der.as_slice());
    let alone = revocation(&PATH, &[crl.clone(), root.clone()], AT);
    let beside_good = revocation(&PATH, &[crl.clone(), good.clone(), root.clone()], AT);
    let beside_revoked = revocation(&PATH, &[crl, revoked.clone(), root.clone()], AT);
    if is_genuine {
        return;
    }
    assert!(matches!(alone, Revocation::Unknown { .. }), "{alone:?}");
    assert!(matches!(beside_good, Revocation::Good { .. }), "{beside_good:?}");
    assert!(matches!(beside_revoked, Revocation::Revoked { position: 0, .. }), "{beside_revoked:?}");
});
