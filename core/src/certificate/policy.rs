//! Policy processing of RFC 5280 §6.1, by the graph of RFC 9618 in place of the tree, so that mappings cannot make
//! it grow exponentially. Of the graph only what the next certificate and the last step ask for is kept: which
//! policies the next certificate may assert and, for each, from which policies of the root's domain it comes.

use std::collections::{BTreeMap, BTreeSet};

use der::Tag;

use super::{
    extension::{ANY_POLICY, Extensions},
    tlv::{Tlv, dotted, primitive, small_integer},
};

/// Most policies, and most mappings, of one certificate. The whole of HPKI has eleven.
pub(super) const MAX_POLICIES: usize = 64;

/// Limits that a certificate sets on those below it (§4.2.1.11, §4.2.1.14): after how many certificates.
#[derive(Clone, Copy, Default)]
pub(super) struct PolicyConstraints {
    explicit: Option<usize>,
    mapping: Option<usize>,
    any: Option<usize>,
}

/// What the user asks for (§6.1.1 (c), (e) to (g)).
pub(super) struct Wanted<'o> {
    /// Dotted OIDs; none is any-policy.
    pub(super) policies: &'o [String],
    pub(super) explicit: bool,
    pub(super) no_mapping: bool,
    pub(super) no_any: bool,
}

/// Where the policies of a path are not in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PolicyFault {
    /// An explicit policy is required and there is none.
    None,
    /// A mapping from or to anyPolicy (§6.1.4 (a)).
    MapsAnyPolicy,
    /// More than [`MAX_POLICIES`].
    TooMany,
}

/// Policies of the root's domain.
type Origins<'a> = BTreeSet<&'a [u8]>;

/// The state variables of §6.1.2 that concern policies.
pub(super) struct PolicyState<'a> {
    /// Policies that the next certificate may assert, and where each comes from.
    expected: BTreeMap<&'a [u8], Origins<'a>>,
    /// anyPolicy still holds. The graph is NULL when it does not and nothing is expected.
    any: bool,
    explicit: usize,
    mapping: usize,
    inhibit_any: usize,
}

impl PolicyConstraints {
    /// PolicyConstraints: `requireExplicitPolicy [0]`, `inhibitPolicyMapping [1]`.
    pub(super) fn parse(&mut self, value: &[u8]) -> Option<()> {
        let mut fields = Tlv::only(value, Tag::Sequence)?.open()?;
        let explicit = fields.optional(primitive(0));
        let mapping = fields.optional(primitive(1));
        fields.finish()?;
        if let Some(count) = explicit {
            self.explicit = Some(small_integer(count.value)?);
        }
        if let Some(count) = mapping {
            self.mapping = Some(small_integer(count.value)?);
        }
        Some(())
    }

    /// InhibitAnyPolicy.
    pub(super) fn parse_any(&mut self, value: &[u8]) -> Option<()> {
        self.any = Some(small_integer(Tlv::only(value, Tag::Integer)?.value)?);
        Some(())
    }
}

impl<'a> PolicyState<'a> {
    /// At the root of a path with `length` certificates below it (§6.1.2). What the root itself limits counts too
    /// (RFC 5937 §3.2).
    pub(super) fn new(length: usize, wanted: &Wanted, root: &Extensions) -> Self {
        let start = |at_once| if at_once { 0 } else { length + 1 };
        let mut state = Self {
            expected: BTreeMap::new(),
            any: true,
            explicit: start(wanted.explicit),
            mapping: start(wanted.no_mapping),
            inhibit_any: start(wanted.no_any),
        };
        state.limit(root.policy_constraints);
        state
    }

    /// §6.1.3 (d) to (f): what this certificate asserts.
    pub(super) fn assert(
        &mut self,
        extensions: &'a Extensions,
        is_last: bool,
        is_self_issued: bool,
    ) -> Result<(), PolicyFault> {
        let asserted = extensions.policies.as_deref().unwrap_or_default();
        if asserted.len() > MAX_POLICIES || extensions.policy_mappings.len() > MAX_POLICIES {
            return Err(PolicyFault::TooMany);
        }
        let asserts_any = asserted.iter().any(|policy| policy == ANY_POLICY)
            && (self.inhibit_any > 0 || (!is_last && is_self_issued));
        let mut held = BTreeMap::new();
        for policy in asserted.iter().map(Vec::as_slice).filter(|policy| *policy != ANY_POLICY) {
            if let Some(origins) = self.expected.remove(policy) {
                held.insert(policy, origins);
            } else if self.any && !held.contains_key(policy) {
                held.insert(policy, Origins::from([policy]));
            }
        }
        if asserts_any {
            held.append(&mut self.expected);
        }
        self.expected = held;
        self.any &= asserts_any;
        self.is_satisfied().then_some(()).ok_or(PolicyFault::None)
    }

    /// §6.1.4 (a), (b), (h) to (j): what this CA changes for the next certificate.
    pub(super) fn prepare_next(
        &mut self,
        extensions: &'a Extensions,
        is_self_issued: bool,
    ) -> Result<(), PolicyFault> {
        self.map(&extensions.policy_mappings)?;
        if !is_self_issued {
            self.explicit = self.explicit.saturating_sub(1);
            self.mapping = self.mapping.saturating_sub(1);
            self.inhibit_any = self.inhibit_any.saturating_sub(1);
        }
        self.limit(extensions.policy_constraints);
        Ok(())
    }

    /// §6.1.5 (a), (b), (g): the last certificate has been asserted. A requireExplicitPolicy of the last certificate
    /// counts when it is 0. The answer is the user-constrained-policy-set, dotted and in order.
    pub(super) fn finish(mut self, last: &Extensions, wanted: &Wanted) -> Result<Vec<String>, PolicyFault> {
        self.explicit = self.explicit.saturating_sub(1);
        if last.policy_constraints.explicit == Some(0) {
            self.explicit = 0;
        }
        let mut policies: BTreeSet<_> =
            self.expected.values().flatten().map(|origin| dotted(origin)).collect();
        if wanted.policies.is_empty() {
            policies.extend(self.any.then(|| dotted(ANY_POLICY)));
        } else if self.any {
            policies = wanted.policies.iter().cloned().collect();
        } else {
            policies.retain(|policy| wanted.policies.contains(policy));
        }
        if self.explicit == 0 && policies.is_empty() {
            return Err(PolicyFault::None);
        }
        Ok(policies.into_iter().collect())
    }

    fn map(&mut self, mappings: &'a [(Vec<u8>, Vec<u8>)]) -> Result<(), PolicyFault> {
        if mappings.iter().any(|(from, to)| from == ANY_POLICY || to == ANY_POLICY) {
            return Err(PolicyFault::MapsAnyPolicy);
        }
        let mut mapped: BTreeMap<&'a [u8], Origins> = BTreeMap::new();
        for (from, to) in mappings {
            let origins = match self.expected.get(from.as_slice()) {
                Some(origins) => origins.clone(),
                None if self.any => Origins::from([from.as_slice()]),
                None => continue,
            };
            // (b)(2): where mapping is inhibited, the policy only ends.
            if self.mapping > 0 {
                mapped.entry(to).or_default().extend(origins);
            }
        }
        for (from, _) in mappings {
            self.expected.remove(from.as_slice());
        }
        for (policy, origins) in mapped {
            self.expected.entry(policy).or_default().extend(origins);
        }
        Ok(())
    }

    fn limit(&mut self, constraints: PolicyConstraints) {
        let lower =
            |counter: &mut usize, limit: Option<usize>| *counter = limit.unwrap_or(*counter).min(*counter);
        lower(&mut self.explicit, constraints.explicit);
        lower(&mut self.mapping, constraints.mapping);
        lower(&mut self.inhibit_any, constraints.any);
    }

    fn is_null(&self) -> bool {
        !self.any && self.expected.is_empty()
    }

    fn is_satisfied(&self) -> bool {
        self.explicit > 0 || !self.is_null()
    }
}

/// PolicyMappings (§4.2.1.5): issuerDomainPolicy and subjectDomainPolicy, at least one pair.
pub(super) fn mappings(value: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let pairs = Tlv::only(value, Tag::Sequence)?.each(Tag::Sequence);
    let pair = |pair: Option<Tlv>| {
        let mut fields = pair?.open()?;
        let (from, to) = (fields.any()?.oid()?.to_vec(), fields.any()?.oid()?.to_vec());
        fields.finish()?;
        Some((from, to))
    };
    let pairs: Vec<_> = pairs.map(pair).collect::<Option<_>>()?;
    (!pairs.is_empty()).then_some(pairs)
}

#[cfg(test)]
mod tests;
