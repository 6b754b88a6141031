//! CRLs by other keys than that which issued the certificate, and by other issuers (RFC 5280 §6.3.3 (f), §5.2.5).

use super::*;
use crate::certificate::Certificate;

/// Serial number of the CRL signer's certificate.
const SIGNER: u8 = 0x51;
const CA_NAME: &str = "HPKI-01-TestSignCA-forNonRepudiation";

/// keyUsage cRLSign, no CA.
fn crl_signer() -> Template {
    Template::ca(SIGNER)
        .with("2.5.29.19", Some(basic_constraints(false, None)))
        .with("2.5.29.15", Some(key_usage(true, 1, 0x02)))
}

fn judge(case: &Case, crls: &[Crl], certificates: &[Certificate]) -> Revocation {
    revocation_with(&case.path, crls, &RevocationOptions { at: NOW, now: NOW, certificates })
}

#[test]
fn a_list_by_another_key_of_the_ca_counts_when_the_root_vouches_for_it() {
    let (case, signer) = (Case::new(), Authority::new(CA_NAME));
    let crls = [signer.crl(&CrlTemplate::fresh()), case.arl()];
    let certificate = signer.certificate(&case.chain.root, &crl_signer());
    assert!(matches!(judge(&case, &crls, std::slice::from_ref(&certificate)), Revocation::Good { .. }));
    assert!(matches!(unknown(judge(&case, &crls, &[])), RevocationUnknown::Signature { .. }));

    let revoking = [signer.crl(&revoking(LEAF, NOW, 1)), case.arl()];
    assert!(matches!(judge(&case, &revoking, &[certificate]), Revocation::Revoked { position: 0, .. }));
}

#[test]
fn a_signer_that_is_revoked_or_not_vouched_for_or_may_not_sign_lists_is_not_trusted() {
    let (case, signer) = (Case::new(), Authority::new(CA_NAME));
    let list = signer.crl(&CrlTemplate::fresh());
    let by_root = |template: &Template| [signer.certificate(&case.chain.root, template)];

    let revoked = [list.clone(), case.chain.root.crl(&revoking(SIGNER, NOW, 1))];
    let why = unknown(judge(&case, &revoked, &by_root(&crl_signer())));
    assert!(matches!(why, RevocationUnknown::Signer { .. }), "{why:?}");

    let forged = [Authority::new(CA_NAME).crl(&CrlTemplate::fresh()), case.arl()];
    let why = unknown(judge(&case, &forged, &by_root(&crl_signer())));
    assert!(matches!(why, RevocationUnknown::Signature { .. }), "{why:?}");

    let crls = [list, case.arl()];
    let elsewhere = Authority::new("Other Root");
    let stranger =
        [signer.certificate(&elsewhere, &crl_signer()), elsewhere.certificate(&elsewhere, &Template::ca(1))];
    assert!(matches!(unknown(judge(&case, &crls, &stranger)), RevocationUnknown::Signer { .. }));

    let no_usage = crl_signer().with("2.5.29.15", Some(key_usage(true, 7, 0x80)));
    assert!(matches!(unknown(judge(&case, &crls, &by_root(&no_usage))), RevocationUnknown::Signature { .. }));
    let expired = Template { not_after: NOW - Duration::SECOND, ..crl_signer() };
    assert!(matches!(unknown(judge(&case, &crls, &by_root(&expired))), RevocationUnknown::Signer { .. }));
}

#[test]
fn a_signer_does_not_vouch_for_itself() {
    // Issued by the CA, so that only lists of the CA's name, which it signs itself, speak for it.
    let (case, signer) = (Case::new(), Authority::new(CA_NAME));
    let certificates = [signer.certificate(&case.chain.ca, &crl_signer())];
    let crls = [signer.crl(&CrlTemplate::fresh()), case.arl()];
    let why = unknown(judge(&case, &crls, &certificates));
    assert!(matches!(why, RevocationUnknown::Signer { .. }), "{why:?}");

    let by_ca = CrlTemplate { this_update: NOW - Duration::days(2), ..CrlTemplate::fresh() };
    let crls = [signer.crl(&CrlTemplate::fresh()), case.chain.ca.crl(&by_ca), case.arl()];
    assert!(matches!(judge(&case, &crls, &certificates), Revocation::Good { .. }));
}

/// A leaf whose distribution point names `publisher` as cRLIssuer.
fn pointing_to(publisher: &Authority) -> Case {
    let issuer = tlv(0xa2, &tlv(0xa4, &publisher.name));
    let points = extension("2.5.29.31", false, &seq(&[seq(&[point("http://i"), issuer])]));
    Case::with_leaf(&Template::signer(&[]).with("2.5.29.31", Some(points)))
}

/// An indirect list, revoking [`LEAF`] of each of these issuers.
fn indirect(place: &str, of: &[&Authority]) -> CrlTemplate {
    let entry = |issuer: &&Authority| {
        let name = extension("2.5.29.29", true, &seq(&[tlv(0xa4, &issuer.name)]));
        seq(&[tlv(2, &[LEAF]), time(NOW), seq(&[name])])
    };
    let own = seq(&[tlv(2, &[LEAF]), time(NOW)]);
    let mut template = with_idp(&[point(place), tlv(0x84, &[0xff])]);
    template.more_entries = std::iter::once(own).chain(of.iter().map(entry)).collect();
    template
}

#[test]
fn an_indirect_list_counts_when_the_certificate_names_its_issuer() {
    let publisher = Authority::new("Publisher");
    let case = pointing_to(&publisher);
    let certificates = [publisher.certificate(&case.chain.root, &crl_signer())];
    let other = Authority::new("Other CA");
    let judge = |template: &CrlTemplate, certificates: &[Certificate]| {
        judge(&case, &[publisher.crl(template), case.arl()], certificates)
    };
    // The first entry is the publisher's own certificate of that number, the second the other CA's.
    assert!(matches!(judge(&indirect("http://i", &[&other]), &certificates), Revocation::Good { .. }));
    let revoking = indirect("http://i", &[&other, &case.chain.ca]);
    assert!(matches!(judge(&revoking, &certificates), Revocation::Revoked { .. }));
    let why = unknown(judge(&indirect("http://i", &[]), &[]));
    assert!(matches!(why, RevocationUnknown::Signer { .. }), "{why:?}");
    let why = unknown(judge(&indirect("http://j", &[]), &certificates));
    assert!(matches!(why, RevocationUnknown::Missing { .. }), "{why:?}");
    let direct = with_idp(&[point("http://i")]);
    assert!(matches!(unknown(judge(&direct, &certificates)), RevocationUnknown::Missing { .. }));
}

#[test]
fn an_indirect_list_of_somebody_whom_the_certificate_does_not_name_is_passed_over() {
    let (case, publisher) = (Case::new(), Authority::new("Publisher"));
    let certificates = [publisher.certificate(&case.chain.root, &crl_signer())];
    let crls = [publisher.crl(&indirect("http://i", &[])), case.arl()];
    assert!(matches!(unknown(judge(&case, &crls, &certificates)), RevocationUnknown::Missing { .. }));
}

#[test]
fn an_entry_of_another_issuer_in_a_direct_list_is_refused() {
    let ca = Authority::new("CA");
    let mut template = indirect("http://i", &[&Authority::new("Other CA")]);
    template.extensions.clear();
    let refused = Crl::from_der(&ca.crl_der(&template)).err();
    assert_eq!(refused, Some(CrlError::Unsupported("entry of another issuer")));
}
