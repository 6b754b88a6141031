//! What goes wrong on purpose. A test plans faults for the next requests of an endpoint, and the service, which is
//! right in itself, is then reached through a bad line, a bad proxy, or speaks as another provider would. Nothing here
//! loosens a check: what a fault spoils is the answer, the connection, or how often a request arrives.

mod canned;
mod inject;
pub(crate) mod line;
mod rewrite;
mod switch;

pub use canned::Canned;
pub(crate) use inject::inject;
pub use line::Retouch;
pub use rewrite::{Rewrite, Spoilt};
pub use switch::{FaultSwitch, FaultSwitchError};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What happens to one request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It waits so long before the service hears it.
    Delay(Duration),
    /// The connection breaks and the service never hears it.
    Unheard,
    /// The service carries it out; the connection breaks after so many bytes of the answer (HTTP framing included,
    /// TLS not). An answer that is shorter arrives, and the connection breaks at the next.
    Cut(u64),
    /// The service carries it out; the answer never comes, and the connection stays.
    Silent,
    /// It arrives twice, as a proxy repeats it; the second answer is given.
    Twice,
    /// Its answer is given again to the next request of the endpoint, which the service does not hear.
    Again,
    /// The service does not hear it; this is answered.
    Instead(Canned),
    /// The service carries it out; this is answered, as by a proxy that lost the true answer.
    Behind(Canned),
    /// The body of the answer comes in pieces of so many bytes with a pause before each.
    Slow {
        /// Bytes of a piece, at least one.
        piece: usize,
        /// Before each piece.
        pause: Duration,
    },
    /// The service carries it out; the body of the answer never ends.
    Endless,
    /// The `Date` of the answer is off by so many seconds. To shift the whole service, tokens too, use its
    /// [`Clock`](crate::Clock).
    Date(i64),
    /// Members that the answer may leave out are there and `null`, as some providers write.
    Nulls,
    /// The signatures of a `signHash` or `signPolling` answer are not those that were made.
    Signatures(Spoilt),
    /// The JSON of the answer is changed.
    Rewritten(Rewrite),
    /// The service carries it out; the head of the answer is changed, framing included.
    Head(Retouch),
}

/// The version of the CSC API that the service announces and speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CscVersion {
    /// `oauth2` in `info`, the short `type` of authorization details.
    V2_0,
    /// `oauth2Issuer` in `info`, the short `type` of authorization details.
    V2_1,
    /// `oauth2Servers` in `info`, the URL as `type` of authorization details.
    #[default]
    V2_2,
}

/// The plan of faults of one service. Clones share it.
#[derive(Clone, Default)]
pub struct Faults {
    plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
struct Plan {
    entries: Vec<Entry>,
    version: CscVersion,
    signing_later: Option<u32>,
}

struct Entry {
    endpoint: String,
    left: u32,
    planned: Planned,
}

enum Planned {
    Fault(Fault),
    /// The second giving of an answer ([`Fault::Again`]).
    Kept(Canned),
}

impl Faults {
    /// The next `times` requests of `endpoint` meet `fault`. An endpoint is named as in
    /// [`requests_seen`](crate::Running::requests_seen), such as `POST /token`; `*` is any. A request meets one
    /// fault; those planned first come first.
    pub fn next(&self, times: u32, endpoint: &str, fault: Fault) {
        if times > 0 {
            let planned = Planned::Fault(fault);
            self.plan().entries.push(Entry { endpoint: endpoint.to_owned(), left: times, planned });
        }
    }

    /// How many faults are planned and have not been met.
    pub fn left(&self) -> u32 {
        self.plan().entries.iter().map(|entry| entry.left).sum()
    }

    /// Forgets what is planned; version and signing stay.
    pub fn clear(&self) {
        self.plan().entries.clear();
    }

    /// Announces and speaks another version of the CSC API; only its `type` of authorization details is then taken.
    pub fn speak(&self, version: CscVersion) {
        self.plan().version = version;
    }

    /// `signHash` answers with a `responseID`, for which `signPolling` answers so often 202 before it gives the
    /// signatures; `None`: at once, as usual.
    pub fn sign_later(&self, pending: Option<u32>) {
        self.plan().signing_later = pending;
    }

    pub(crate) fn version(&self) -> CscVersion {
        self.plan().version
    }

    pub(crate) fn signing_later(&self) -> Option<u32> {
        self.plan().signing_later
    }

    /// The next request of this endpoint gets this answer, whatever else is planned.
    fn keep(&self, endpoint: &str, answer: Canned) {
        let kept = Entry { endpoint: endpoint.to_owned(), left: 1, planned: Planned::Kept(answer) };
        self.plan().entries.insert(0, kept);
    }

    fn take(&self, endpoint: &str) -> Option<Planned> {
        let entries = &mut self.plan().entries;
        let at = entries.iter().position(|entry| entry.endpoint == endpoint || entry.endpoint == "*")?;
        entries[at].left -= 1;
        let planned = match &entries[at].planned {
            Planned::Fault(fault) => Planned::Fault(fault.clone()),
            Planned::Kept(answer) => Planned::Kept(answer.clone()),
        };
        if entries[at].left == 0 {
            entries.remove(at);
        }
        Some(planned)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_met_as_often_as_planned_and_at_its_endpoint_only() {
        let faults = Faults::default();
        faults.next(2, "POST /token", Fault::Unheard);
        faults.next(1, "*", Fault::Endless);
        assert!(matches!(faults.take("GET /prescriptions"), Some(Planned::Fault(Fault::Endless))));
        assert!(faults.take("GET /prescriptions").is_none());
        assert_eq!(faults.left(), 2);
        assert!(matches!(faults.take("POST /token"), Some(Planned::Fault(Fault::Unheard))));
        assert!(faults.take("POST /token").is_some() && faults.take("POST /token").is_none());
        faults.next(0, "*", Fault::Twice);
        assert_eq!(faults.left(), 0);
    }
}
