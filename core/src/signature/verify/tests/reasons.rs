//! Which reason a refusal of the modules below becomes, all of them.

use super::super::{super::XmlError, reasons as r};
use crate::certificate::{
    KeyAlgorithm, PathError, PathRefusal, ProfileError, RevocationUnknown, testing::NOW,
};

#[test]
fn a_file_that_is_not_read_is_over_the_limits_or_no_xml() {
    for (error, reason) in [
        (XmlError::TooLarge, r::OVER_LIMITS),
        (XmlError::TooDeep, r::OVER_LIMITS),
        (XmlError::TooManyAttributes, r::OVER_LIMITS),
        (XmlError::TooManyNodes, r::OVER_LIMITS),
        (XmlError::TooManyNamespaces, r::OVER_LIMITS),
        (XmlError::NotUtf8, r::NOT_XML),
        (XmlError::Declaration, r::NOT_XML),
        (XmlError::Dtd, r::NOT_XML),
        (XmlError::NotWellFormed { line: 1 }, r::NOT_XML),
    ] {
        assert_eq!(r::of_xml(error), reason, "{error}");
    }
}

#[test]
fn a_certificate_that_may_not_sign_is_told_by_what_it_lacks() {
    for (error, reason) in [
        (ProfileError::AuthenticationCertificate, r::AUTHENTICATION_CERTIFICATE),
        (ProfileError::WeakSignature, r::WEAK_CERTIFICATE),
        (ProfileError::KeyTooWeak(KeyAlgorithm::Rsa { bits: 1024 }), r::WEAK_CERTIFICATE),
        (ProfileError::NoRole, r::ROLE_MISSING),
        (ProfileError::Pharmacist { roles: Vec::new() }, r::ROLE_NOT_PRESCRIBER),
        (ProfileError::NotPrescriber { roles: Vec::new() }, r::ROLE_NOT_PRESCRIBER),
        (ProfileError::NotYetValid { not_before: NOW }, r::SIGNED_OUTSIDE_VALIDITY),
        (ProfileError::Expired { not_after: NOW }, r::SIGNED_OUTSIDE_VALIDITY),
        (ProfileError::CertificationAuthority, r::CERTIFICATE_PROFILE),
        (ProfileError::KeyUsage, r::CERTIFICATE_PROFILE),
        (ProfileError::Policy, r::CERTIFICATE_PROFILE),
        (ProfileError::UnknownCriticalExtension("1.2".into()), r::CERTIFICATE_PROFILE),
        (ProfileError::Version, r::CERTIFICATE_PROFILE),
        (ProfileError::MalformedName, r::CERTIFICATE_PROFILE),
        (ProfileError::MalformedAlternativeName, r::CERTIFICATE_PROFILE),
        (ProfileError::MalformedRole, r::CERTIFICATE_PROFILE),
    ] {
        assert_eq!(r::of_profile(&error), reason, "{error}");
    }
}

#[test]
fn a_path_that_fails_is_forged_constrained_or_open() {
    let refused = |position, refusal| PathError::Refused { position, refusal };
    for (error, reason) in [
        (refused(0, PathRefusal::Signature), r::CERTIFICATE_TAMPERED),
        (refused(1, PathRefusal::Signature), r::PATH_CONSTRAINTS),
        (refused(0, PathRefusal::NotYetValid(NOW)), r::PATH_OPEN),
        (refused(1, PathRefusal::Expired(NOW)), r::PATH_OPEN),
        (refused(0, PathRefusal::WeakSignature), r::PATH_CONSTRAINTS),
        (refused(1, PathRefusal::NotAuthority), r::PATH_CONSTRAINTS),
        (refused(2, PathRefusal::PathLength), r::PATH_CONSTRAINTS),
        (PathError::WrongRoot { root: "CN=root".into() }, r::PATH_OPEN),
        (PathError::IssuerMissing { issuer: "CN=issuer".into() }, r::PATH_OPEN),
        (PathError::TooComplex, r::PATH_OPEN),
    ] {
        assert_eq!(r::of_path(&error), reason, "{error}");
    }
}

#[test]
fn revocation_that_is_not_established_is_out_of_date_or_open() {
    let issuer = || "CN=issuer".to_owned();
    for (why, reason) in [
        (RevocationUnknown::Stale { issuer: issuer(), next_update: NOW }, r::REVOCATION_STALE),
        (RevocationUnknown::NotYetValid { issuer: issuer(), this_update: NOW }, r::REVOCATION_STALE),
        (RevocationUnknown::Missing { issuer: issuer() }, r::REVOCATION_OPEN),
        (RevocationUnknown::Signature { issuer: issuer() }, r::REVOCATION_OPEN),
        (RevocationUnknown::KeyUsage { issuer: issuer() }, r::REVOCATION_OPEN),
        (RevocationUnknown::SomeReasons { issuer: issuer() }, r::REVOCATION_OPEN),
        (RevocationUnknown::Signer { issuer: issuer() }, r::REVOCATION_OPEN),
        (RevocationUnknown::TooComplex, r::REVOCATION_OPEN),
    ] {
        assert_eq!(r::of_revocation(&why), reason, "{why}");
    }
}
