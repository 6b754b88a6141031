//! The journey, step by step as an app does it, and what must be true when it is over.

use std::collections::{BTreeMap, BTreeSet};

use end_to_end::{NO_WAIT, Phone, World, json, sample, take};
use hpki_agent::{
    agent::{AgentError, Delivery, Status},
    journal::verify_export,
};
use reference_service::{Canned, Fault, IssuedTicket, State};

/// Where answers go.
pub const DELIVER: &str = "POST /prescriptions/{id}";
/// The doctor's words to the clinic.
const REASON: &str = "用量を確認してください";

/// What the doctor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Register,
    Approve,
    Decline,
    Deliver,
    Unregister,
}

/// In order.
pub const STEPS: [Step; 5] = [Step::Register, Step::Approve, Step::Decline, Step::Deliver, Step::Unregister];

/// A phone, from its ticket to the end of its registration.
pub struct Journey<'w> {
    pub world: &'w World,
    pub phone: Phone,
    pub ticket: IssuedTicket,
    pub to_sign: [String; 3],
    pub to_decline: String,
}

impl<'w> Journey<'w> {
    pub fn new(world: &'w World) -> Self {
        let to_sign =
            [world.submit(&sample::csv(1)), world.submit(&sample::envelope(2)), world.submit(&sample::csv(3))];
        let to_decline = world.submit(&sample::csv(4));
        // The service is busy for one of the deliveries, so that there is something left to deliver.
        world.service().faults().clear();
        world.service().faults().next(1, DELIVER, Fault::Instead(Canned::empty(503)));
        Self { world, phone: world.phone(), ticket: world.card(), to_sign, to_decline }
    }

    /// One step; what an earlier try of it left is continued.
    pub async fn step(&self, step: Step) -> Result<(), AgentError> {
        let phone = &self.phone;
        match step {
            Step::Register => self.register().await,
            Step::Approve => {
                let mut waiting = phone.inbox(NO_WAIT).await?;
                waiting.retain(|one| one.id() != self.to_decline);
                if waiting.is_empty() {
                    return Ok(());
                }
                for approved in phone.approve(phone.prepare(waiting).await?).await? {
                    let is_kept = matches!(approved.delivery, Delivery::Delivered | Delivery::Pending(_));
                    assert!(is_kept, "{:?}", approved.delivery);
                }
                Ok(())
            }
            Step::Decline => {
                let mut waiting = phone.inbox(NO_WAIT).await?;
                if waiting.iter().any(|one| one.id() == self.to_decline) {
                    return phone.decline(take(&mut waiting, &self.to_decline), REASON).await;
                }
                Ok(())
            }
            Step::Deliver => {
                for tried in phone.deliver_pending().await? {
                    match tried.delivery {
                        Delivery::Pending(error) | Delivery::Refused(error) => return Err(error),
                        Delivery::Delivered | Delivery::Returned => {}
                    }
                }
                Ok(())
            }
            Step::Unregister => match phone.status().await? {
                Status::Registered { .. } => phone.unregister().await,
                Status::AwaitingConfirmation | Status::Unregistered => Ok(()),
            },
        }
    }

    async fn register(&self) -> Result<(), AgentError> {
        let candidate = match self.phone.status().await? {
            Status::Registered { .. } => return Ok(()),
            Status::AwaitingConfirmation => self.phone.candidate().await?,
            Status::Unregistered => None,
        };
        let candidate = match candidate {
            Some(candidate) => candidate,
            None => self.phone.use_ticket(&self.ticket).await?,
        };
        self.phone.confirm(candidate).await
    }

    /// Steps from this one on until one is refused.
    pub async fn go_on(&self, from: Step) -> Result<(), (Step, AgentError)> {
        for step in STEPS.into_iter().filter(|step| *step >= from) {
            self.step(step).await.map_err(|error| (step, error))?;
        }
        Ok(())
    }

    /// The app starts anew and comes to the end of the journey, with nothing in its way.
    pub async fn finish(&mut self, from: Step) {
        self.world.service().faults().clear();
        self.phone.restart().await.unwrap_or_else(|error| panic!("does not start: {error}"));
        if matches!(self.phone.status().await, Ok(Status::Registered { .. })) {
            let delivered = self.step(Step::Deliver).await;
            assert!(delivered.is_ok() || from == Step::Unregister, "at the start: {delivered:?}");
        }
        self.go_on(from).await.unwrap_or_else(|(step, error)| panic!("{step:?}, repeated: {error} {:?}", cause(&error)));
    }

    /// Everything is as it is to be at the end, and nothing is kept.
    pub async fn assert_over(&self) {
        for (number, request) in (1..).zip(&self.to_sign) {
            self.world.assert_signed(request, &sample::csv(number));
        }
        let declined = self.world.state_of(&self.to_decline);
        let words = matches!(&declined, State::Declined { description: Some(words), .. } if words == REASON);
        assert!(words, "{declined:?}");
        self.assert_nothing_kept();
        let events = self.events().await;
        let times = |kind: &str| events.get(kind).map_or(0, Vec::len);
        let different = |kind: &str| events.get(kind).into_iter().flatten().collect::<BTreeSet<_>>().len();
        for (kind, expected) in [("registered", 1), ("signed", 3), ("delivered", 3), ("declined", 1)] {
            assert_eq!((times(kind), different(kind)), (expected, expected), "{kind}: {events:?}");
        }
        assert_eq!((times("not_delivered"), times("unregistered") + times("wiped")), (0, 1), "{events:?}");
    }

    /// Neither keys, nor a registration, nor a prescription.
    pub fn assert_nothing_kept(&self) {
        assert_eq!(self.phone.secrets.names(), ["journal-anchor", "state-key"]);
        let state = self.phone.data_dir().join("state");
        let left: Vec<_> = std::fs::read_dir(state).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// What the record says, by kind, without number, time and hashes.
    pub async fn events(&self) -> BTreeMap<String, Vec<String>> {
        let export = self.phone.export_journal().await.unwrap();
        verify_export(&export).unwrap();
        let mut events = BTreeMap::<_, Vec<_>>::new();
        for line in export.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let event = json(line)["event"].clone();
            if let Some(kind) = event["type"].as_str() {
                events.entry(kind.to_owned()).or_default().push(event.to_string());
            }
        }
        events
    }
}

/// What is behind an error.
pub fn cause(error: &AgentError) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}

/// The doctor is told what to do, in both languages.
#[track_caller]
pub fn assert_told(error: &AgentError) {
    for text in [error.text_ja(), error.text_en()] {
        assert!(!text.is_empty() && !text.contains('{'), "{text}");
    }
}
