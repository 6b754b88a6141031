//! Looks for issuers from the leaf upwards, depth first, and judges each certificate on its own.

use super::{
    super::{
        extension::{EXTENDED_KEY_USAGE, KeyUsage},
        x509::Certificate,
    },
    MAX_PATH, MAX_TRIES, Path, PathError, PathOptions, PathRefusal, Purpose,
    validate::validate,
};

/// id-kp-timeStamping, 1.3.6.1.5.5.7.3.8
const TIME_STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];

/// anyExtendedKeyUsage, 2.5.29.37.0
const ANY_USAGE: &[u8] = &[0x55, 0x1d, 37, 0];

pub(super) struct Search<'a> {
    intermediates: &'a [Certificate],
    roots: &'a [Certificate],
    options: &'a PathOptions,
    /// From the leaf upwards.
    path: Vec<&'a Certificate>,
    tries: usize,
    /// The failure of the longest attempt so far, and how long that was.
    failure: Option<(usize, PathError)>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        intermediates: &'a [Certificate],
        roots: &'a [Certificate],
        options: &'a PathOptions,
    ) -> Self {
        Self { intermediates, roots, options, path: Vec::new(), tries: 0, failure: None }
    }

    pub(super) fn run(mut self, leaf: &'a Certificate) -> Result<Path, PathError> {
        self.check(leaf)
            .and_then(|()| self.check_leaf(leaf))
            .map_err(|refusal| PathError::Refused { position: 0, refusal })?;
        self.path.push(leaf);
        if let Some(policies) = self.extend(leaf) {
            return Ok(Path { certificates: self.path.into_iter().cloned().collect(), policies });
        }
        let missing = || PathError::IssuerMissing { issuer: leaf.issuer_name() };
        Err(self.failure.map_or_else(missing, |(_, error)| error))
    }

    /// Looks for an issuer of `last`, the end of the path, and so on up to a root, [`MAX_PATH`] deep. The answer is
    /// the policies of a path that is found.
    fn extend(&mut self, last: &'a Certificate) -> Option<Vec<String>> {
        let candidates = self.candidates(last);
        if candidates.is_empty() {
            self.fail(if last.is_self_issued() {
                PathError::WrongRoot { root: last.subject_name() }
            } else {
                PathError::IssuerMissing { issuer: last.issuer_name() }
            });
        }
        for (issuer, is_root) in candidates {
            if self.path.len() == MAX_PATH || self.tries == MAX_TRIES {
                self.failure = Some((usize::MAX, PathError::TooComplex));
                return None;
            }
            self.tries += 1;
            if let Err(error) = self.judge(last, issuer, is_root) {
                self.fail(error);
                continue;
            }
            self.path.push(issuer);
            if is_root {
                match validate(&self.path, self.options) {
                    Ok(policies) => return Some(policies),
                    Err(error) => self.fail(error),
                }
            } else if let Some(policies) = self.extend(issuer) {
                return Some(policies);
            }
            self.path.pop();
        }
        None
    }

    /// Certificates of the issuer's name: roots first, then those whose key identifier fits.
    fn candidates(&self, last: &Certificate) -> Vec<(&'a Certificate, bool)> {
        let roots = self.roots.iter().map(|root| (root, true));
        let others = self.intermediates.iter().map(|certificate| (certificate, false));
        let named = |(issuer, _): &(&Certificate, bool)| last.issuer().matches(issuer.subject());
        // A self-signed certificate that is no root leads nowhere.
        let leads_on = |(issuer, is_root): &(&Certificate, bool)| {
            *issuer != last && (*is_root || !self.roots.contains(issuer))
        };
        let mut candidates: Vec<_> = roots.chain(others).filter(named).filter(leads_on).collect();
        candidates.sort_by_key(|(issuer, is_root)| (!is_root, key_identifiers_differ(last, issuer)));
        candidates
    }

    fn judge(&self, last: &Certificate, issuer: &Certificate, is_root: bool) -> Result<(), PathError> {
        let position = self.path.len();
        let refused = |position, refusal| PathError::Refused { position, refusal };
        if self.path.iter().any(|earlier| earlier.is_same_entity(issuer)) {
            return Err(refused(position, PathRefusal::Loop));
        }
        if last.signature_algorithm().is_none() {
            return Err(refused(position - 1, PathRefusal::WeakSignature));
        }
        if !issuer.key().is_strong_enough() {
            return Err(refused(position, PathRefusal::KeyTooWeak(issuer.key_algorithm())));
        }
        if !last.is_signed_by(issuer) {
            return Err(if is_root && key_identifiers_differ(last, issuer) {
                PathError::WrongRoot { root: issuer.subject_name() }
            } else {
                refused(position - 1, PathRefusal::Signature)
            });
        }
        self.check(issuer)
            .and_then(|()| self.check_authority(issuer))
            .map_err(|refusal| refused(position, refusal))
    }

    /// What every certificate of a path must be.
    fn check(&self, certificate: &Certificate) -> Result<(), PathRefusal> {
        let validity = certificate.validity();
        if self.options.at < validity.not_before {
            return Err(PathRefusal::NotYetValid(validity.not_before));
        }
        if self.options.at > validity.not_after {
            return Err(PathRefusal::Expired(validity.not_after));
        }
        if !certificate.key().is_strong_enough() {
            return Err(PathRefusal::KeyTooWeak(certificate.key_algorithm()));
        }
        let applied = if self.options.purpose == Purpose::TimeStamping { EXTENDED_KEY_USAGE } else { &[] };
        match certificate.extensions().unknown_critical_besides(applied) {
            Some(oid) => Err(PathRefusal::UnknownCriticalExtension(oid)),
            None => Ok(()),
        }
    }

    /// What the leaf must be besides.
    fn check_leaf(&self, leaf: &Certificate) -> Result<(), PathRefusal> {
        let extensions = leaf.extensions();
        let purposes = extensions.extended_key_usage.as_deref();
        let is_for_time_stamping = extensions.extended_key_usage_is_critical()
            && matches!(purposes, Some([only]) if only == TIME_STAMPING);
        if self.options.purpose == Purpose::TimeStamping && !is_for_time_stamping {
            return Err(PathRefusal::ExtendedKeyUsage);
        }
        Ok(())
    }

    /// What an issuer must be besides.
    fn check_authority(&self, issuer: &Certificate) -> Result<(), PathRefusal> {
        let extensions = issuer.extensions();
        if !extensions.is_ca() {
            return Err(PathRefusal::NotAuthority);
        }
        if !extensions.allows(KeyUsage::KEY_CERT_SIGN) {
            return Err(PathRefusal::KeyUsage);
        }
        // Where an authority's own usage is restricted, it must include that of the leaf.
        let purposes = extensions.extended_key_usage.as_deref().unwrap_or_default();
        let serves = purposes.is_empty() || purposes.iter().any(|p| p == TIME_STAMPING || p == ANY_USAGE);
        if self.options.purpose == Purpose::TimeStamping && !serves {
            return Err(PathRefusal::ExtendedKeyUsage);
        }
        let following = self.path.iter().skip(1).filter(|c| !c.is_self_issued()).count();
        let allowed = extensions.basic_constraints.and_then(|constraints| constraints.path_length);
        if allowed.is_some_and(|allowed| following > allowed) {
            return Err(PathRefusal::PathLength);
        }
        Ok(())
    }

    fn fail(&mut self, error: PathError) {
        let length = self.path.len();
        if self.failure.as_ref().is_none_or(|(longest, _)| length > *longest) {
            self.failure = Some((length, error));
        }
    }
}

/// Both name a key and the keys differ: only a hint (RFC 5280 §4.2.1.1), so it orders and explains, never decides.
fn key_identifiers_differ(certificate: &Certificate, issuer: &Certificate) -> bool {
    let wanted = certificate.extensions().authority_key_identifier.as_ref();
    let found = issuer.extensions().subject_key_identifier.as_ref();
    wanted.zip(found).is_some_and(|(wanted, found)| wanted != found)
}
