//! What runs from the root down to the leaf (RFC 5280 §6.1.2 to §6.1.5): policies and name constraints. Signatures,
//! validity and everything that concerns one certificate alone, the search has judged.

use super::{
    super::{
        extension::ANY_POLICY,
        name_constraints::{self, NameConstraints},
        policy::{PolicyFault, PolicyState, Wanted},
        profile::{AUTHENTICATION_POLICIES, SIGNING_POLICIES, is_under},
        x509::Certificate,
    },
    PathError, PathOptions, PathRefusal, Purpose,
};

/// `path` runs from the leaf to the root. The answer is the user-constrained-policy-set.
pub(super) fn validate(path: &[&Certificate], options: &PathOptions) -> Result<Vec<String>, PathError> {
    let Some(((root, below), leaf)) = path.split_last().zip(path.first()) else { return Ok(Vec::new()) };
    let wanted = Wanted {
        policies: &options.initial_policies,
        explicit: options.explicit_policy,
        no_mapping: options.inhibit_policy_mapping,
        no_any: options.inhibit_any_policy,
    };
    let mut policies = PolicyState::new(below.len(), &wanted, root.extensions());
    let mut constraints: Vec<_> = root.extensions().name_constraints.iter().collect();
    for (position, certificate) in below.iter().enumerate().rev() {
        step(certificate, position == 0, &mut policies, &mut constraints)
            .and_then(|()| match options.purpose {
                Purpose::Hpki => allow_policies(certificate, leaf),
                Purpose::TimeStamping | Purpose::Any => Ok(()),
            })
            .map_err(|refusal| PathError::Refused { position, refusal })?;
    }
    policies
        .finish(leaf.extensions(), &wanted)
        .map_err(|fault| PathError::Refused { position: 0, refusal: refusal(&fault) })
}

fn step<'a>(
    certificate: &'a Certificate,
    is_last: bool,
    policies: &mut PolicyState<'a>,
    constraints: &mut Vec<&'a NameConstraints>,
) -> Result<(), PathRefusal> {
    let extensions = certificate.extensions();
    let is_self_issued = certificate.is_self_issued();
    if is_last || !is_self_issued {
        match name_constraints::are_kept(constraints, certificate) {
            Some(true) => {}
            Some(false) => return Err(PathRefusal::NameConstraints),
            None => return Err(PathRefusal::Restriction("too many names")),
        }
    }
    policies.assert(extensions, is_last, is_self_issued).map_err(|fault| refusal(&fault))?;
    if !is_last {
        policies.prepare_next(extensions, is_self_issued).map_err(|fault| refusal(&fault))?;
        constraints.extend(&extensions.name_constraints);
    }
    Ok(())
}

fn refusal(fault: &PolicyFault) -> PathRefusal {
    match fault {
        PolicyFault::None => PathRefusal::Policy,
        PolicyFault::MapsAnyPolicy => PathRefusal::PolicyMapping,
        PolicyFault::TooMany => PathRefusal::Restriction("too many policies"),
    }
}

/// [`Purpose::Hpki`]: one of the authority's policies covers one of the leaf's.
fn allow_policies(authority: &Certificate, leaf: &Certificate) -> Result<(), PathRefusal> {
    let Some(leaf) = leaf.extensions().policies.as_deref() else { return Ok(()) };
    let covers = |authority: &[u8], leaf: &[u8]| {
        let share = |arc: &[u8]| is_under(authority, arc) && is_under(leaf, arc);
        authority == leaf
            || authority == ANY_POLICY
            || share(SIGNING_POLICIES)
            || share(AUTHENTICATION_POLICIES)
    };
    let listed = authority.extensions().policies.as_deref().unwrap_or_default();
    let is_allowed = listed.iter().any(|a| leaf.iter().any(|l| covers(a, l)));
    is_allowed.then_some(()).ok_or(PathRefusal::Policy)
}
