//! CRL validation (RFC 5280 §6.3.3) for one certificate after another.

use std::cmp::{Ordering, Reverse};

use time::OffsetDateTime;

use super::{
    super::{
        crl::{Crl, Entry},
        distribution_point::Reasons,
        extension::KeyUsage,
        path::{PathOptions, Purpose, build_path_with},
        x509::Certificate,
    },
    Revocation, RevocationOptions, RevocationReason, RevocationUnknown,
};

/// Most signatures of CRLs tried for one path: many lists of one name must not buy unlimited work.
const MAX_TRIES: usize = 64;
/// Most CRL signers outside the path that vouch for each other.
const MAX_DEPTH: usize = 2;

pub(super) struct Judge<'a> {
    crls: &'a [Crl],
    options: &'a RevocationOptions<'a>,
    tries: usize,
    /// CRL signers outside the path whose status is being judged: none may vouch for itself.
    signers: Vec<Certificate>,
}

enum Status {
    Good {
        until: OffsetDateTime,
    },
    Revoked {
        at: OffsetDateTime,
        reason: RevocationReason,
    },
    Unknown(RevocationUnknown),
    /// [`RevocationUnknown::Missing`], the issuer still to be named.
    Missing,
}

/// A certificate whose key has signed a CRL, and until when its own status holds.
struct Signer {
    certificate: Certificate,
    until: OffsetDateTime,
}

impl<'a> Judge<'a> {
    pub(super) fn new(crls: &'a [Crl], options: &'a RevocationOptions<'a>) -> Self {
        Self { crls, options, tries: 0, signers: Vec::new() }
    }

    /// From the leaf to the root.
    pub(super) fn path(&mut self, path: &[Certificate]) -> Revocation {
        let mut checked_until = FOREVER;
        let mut unknown = None;
        let mut rest = path;
        while let [certificate, authorities @ ..] = rest {
            rest = authorities;
            if authorities.is_empty() {
                break;
            }
            match self.certificate(certificate, authorities) {
                Status::Good { until } => checked_until = checked_until.min(until),
                Status::Revoked { at, reason } => {
                    let position = path.len() - authorities.len() - 1;
                    return Revocation::Revoked { at, reason, serial: certificate.serial_number(), position };
                }
                Status::Unknown(why) => unknown = unknown.or(Some(why)),
                Status::Missing => {
                    let missing = || RevocationUnknown::Missing { issuer: certificate.issuer_name() };
                    unknown = unknown.or_else(|| Some(missing()));
                }
            }
        }
        match unknown {
            Some(why) => Revocation::Unknown { why },
            None => Revocation::Good { checked_until },
        }
    }

    /// `authorities` are those above the certificate, up to the root.
    fn certificate(&mut self, certificate: &Certificate, authorities: &[Certificate]) -> Status {
        let complete = self.crls.iter().filter(|crl| !crl.is_delta());
        let covering = complete.map(|crl| (crl, crl.covers(certificate)));
        let mut covering: Vec<_> = covering.filter(|(_, reasons)| *reasons != Reasons::NONE).collect();
        covering.sort_by_cached_key(|(crl, _)| self.rank(crl, certificate));

        let (mut spoken, mut fresh, mut until) = (Reasons::NONE, Reasons::NONE, FOREVER);
        let (mut newest, mut failure) = (None, None);
        for (crl, reasons) in covering {
            if reasons.are_within(fresh) {
                continue;
            }
            let signer = match self.signer(crl, authorities) {
                Ok(signer) => signer,
                Err(why) => {
                    failure = failure.or(Some(why));
                    continue;
                }
            };
            let delta = self.delta(crl, certificate, &signer.certificate);
            let current = delta.unwrap_or(crl);
            let is_fresh = delta.is_some() || self.is_fresh(crl, certificate);
            let speaks = is_fresh || !reasons.are_within(spoken);
            let entry = speaks.then(|| self.revoking_entry(certificate, crl, delta)).flatten();
            if let Some(entry) = entry {
                return Status::Revoked { at: entry.at, reason: entry.reason };
            }
            spoken = spoken.and(reasons);
            newest = newest.or(Some(current));
            if is_fresh {
                fresh = fresh.and(reasons);
                until = until.min(current.next_update()).min(signer.until);
            }
        }
        if Reasons::ALL.are_within(fresh) {
            return Status::Good { until };
        }
        let issuer = || certificate.issuer_name();
        Status::Unknown(match (newest, failure) {
            _ if self.tries > MAX_TRIES => RevocationUnknown::TooComplex,
            (None, None) => return Status::Missing,
            (None, Some(why)) => why,
            (Some(_), _) if fresh != Reasons::NONE => RevocationUnknown::SomeReasons { issuer: issuer() },
            (Some(crl), _) if self.options.at < crl.this_update() => {
                RevocationUnknown::NotYetValid { issuer: issuer(), this_update: crl.this_update() }
            }
            (Some(crl), _) => RevocationUnknown::Stale { issuer: issuer(), next_update: crl.next_update() },
        })
    }

    /// The newest delta CRL that continues `base` and is fresh, signed by the same key (§6.3.3 (c), (h)).
    fn delta(&mut self, base: &Crl, certificate: &Certificate, signer: &Certificate) -> Option<&'a Crl> {
        let deltas = self.crls.iter().filter(|crl| {
            crl.is_delta() && crl.continues(base) && self.is_fresh(crl, certificate) && self.is_past(base)
        });
        let mut deltas: Vec<_> = deltas.collect();
        deltas.sort_by_cached_key(|delta| self.rank(delta, certificate));
        deltas.into_iter().find(|delta| self.verifies(delta, signer))
    }

    /// Who has signed `crl`: a key of its issuer's name, of an authority or of one that the same root vouches for.
    fn signer(&mut self, crl: &Crl, authorities: &[Certificate]) -> Result<Signer, RevocationUnknown> {
        let is_named = |certificate: &&Certificate| certificate.subject().matches(crl.issuer());
        let may_sign = |certificate: &&Certificate| certificate.extensions().allows(KeyUsage::CRL_SIGN);
        for authority in authorities.iter().filter(is_named).filter(may_sign) {
            if self.verifies(crl, authority) {
                return Ok(Signer { certificate: authority.clone(), until: FOREVER });
            }
        }
        let certificates = self.options.certificates;
        let issuer = crl.issuer_name();
        let mut is_trusted = Err(match authorities.iter().find(is_named) {
            Some(authority) if may_sign(&authority) => RevocationUnknown::Signature { issuer },
            Some(_) => RevocationUnknown::KeyUsage { issuer },
            None => RevocationUnknown::Signer { issuer },
        });
        for candidate in certificates.iter().filter(is_named).filter(may_sign) {
            let is_tried = authorities.contains(candidate) || self.signers.contains(candidate);
            if is_tried || !self.verifies(crl, candidate) {
                continue;
            }
            match self.vouched_for(candidate, crl, authorities) {
                Some(until) => return Ok(Signer { certificate: candidate.clone(), until }),
                None => is_trusted = Err(RevocationUnknown::Signer { issuer: crl.issuer_name() }),
            }
        }
        is_trusted
    }

    /// Until when a CRL signer outside the path holds, by a path of its own to the same root (§6.3.3 (f)).
    fn vouched_for(
        &mut self,
        signer: &Certificate,
        crl: &Crl,
        authorities: &[Certificate],
    ) -> Option<OffsetDateTime> {
        let (root, between) = authorities.split_last()?;
        if self.signers.len() == MAX_DEPTH {
            return None;
        }
        let intermediates: Vec<_> = between.iter().chain(self.options.certificates).cloned().collect();
        let at = crl.this_update().clamp(self.options.at, self.options.now.max(self.options.at));
        let options = PathOptions::new(Purpose::Any, at);
        let path = build_path_with(signer, &intermediates, std::slice::from_ref(root), &options).ok()?;
        self.signers.push(signer.clone());
        let answer = self.path(path.certificates());
        self.signers.pop();
        match answer {
            Revocation::Good { checked_until } => Some(checked_until),
            _ => None,
        }
    }

    fn verifies(&mut self, crl: &Crl, signer: &Certificate) -> bool {
        self.tries += 1;
        self.tries <= MAX_TRIES && crl.is_signed_by(signer)
    }

    fn is_past(&self, crl: &Crl) -> bool {
        crl.this_update() <= self.options.now.max(self.options.at)
    }

    /// In force at the time in question, or issued since, while the certificate had not expired.
    fn is_fresh(&self, crl: &Crl, certificate: &Certificate) -> bool {
        let at = self.options.at;
        self.is_past(crl)
            && at <= crl.next_update()
            && (crl.this_update() <= at || crl.this_update() <= certificate.validity().not_after)
    }

    /// The newest first; of those of one moment first what revokes the certificate, last what takes that back: whichever
    /// lists it wins over one that does not know of it.
    fn rank(&self, crl: &Crl, certificate: &Certificate) -> (Reverse<OffsetDateTime>, Ordering) {
        let standing = match crl.entry(certificate) {
            Some(entry) if self.revokes(entry) => Ordering::Less,
            None => Ordering::Equal,
            Some(_) => Ordering::Greater,
        };
        (Reverse(crl.this_update()), standing)
    }

    fn revokes(&self, entry: &Entry) -> bool {
        entry.at <= self.options.at && entry.reason != RevocationReason::RemoveFromCrl
    }

    /// §6.3.3 (i) to (l): removeFromCRL in the delta CRL takes back what the complete CRL says.
    fn revoking_entry<'c>(
        &self,
        certificate: &Certificate,
        complete: &'c Crl,
        delta: Option<&'c Crl>,
    ) -> Option<&'c Entry> {
        let changed = delta.and_then(|delta| delta.entry(certificate));
        let revokes = |entry: &&Entry| self.revokes(entry);
        match changed {
            Some(entry) if entry.reason == RevocationReason::RemoveFromCrl => None,
            entry => entry.filter(revokes).or_else(|| complete.entry(certificate).filter(revokes)),
        }
    }
}

/// No limit of its own.
const FOREVER: OffsetDateTime = time::Date::MAX.with_time(time::Time::MIDNIGHT).assume_utc();
