//! The journey, step by step as an app does it, and what must be true when it is over.

use std::collections::{BTreeMap, BTreeSet};

use end_to_end::{NO_WAIT, Phone, World, json, sample, take};
use hpki_agent::{
    agent::{AgentError, Code, Delivery, Kind, Status},
    journal::verify_export,
};
use reference_service::{Canned, Fault, IssuedTicket, State};
use time::Duration;

/// Where answers go.
pub(crate) const DELIVER: &str = "POST /prescriptions/{id}";
/// The doctor's words to the clinic.
const REASON: &str = "用量を確認してください";
/// A doctor who was told something so often has not been told what helps.
const MOST_TOLD: usize = 5;

/// What the doctor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Register,
    Approve,
    Decline,
    Deliver,
    Unregister,
}

/// In order.
pub(crate) const STEPS: [Step; 5] =
    [Step::Register, Step::Approve, Step::Decline, Step::Deliver, Step::Unregister];

/// A phone, from its ticket to the end of its registration.
pub(crate) struct Journey<'w> {
    pub(crate) world: &'w World,
    pub(crate) phone: Phone,
    pub(crate) ticket: IssuedTicket,
    pub(crate) to_sign: [String; 3],
    pub(crate) to_decline: String,
    is_told_to_register: bool,
}

impl<'w> Journey<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let to_sign = [
            world.submit(&sample::csv(1)),
            world.submit(&sample::envelope(2)),
            world.submit(&sample::csv(3)),
        ];
        let to_decline = world.submit(&sample::csv(4));
        // The service is busy for one of the deliveries, so that there is something left to deliver.
        world.service().faults().clear();
        world.service().faults().next(1, DELIVER, Fault::Instead(Canned::empty(503)));
        let (phone, ticket) = (world.phone(), world.card());
        Self { world, phone, ticket, to_sign, to_decline, is_told_to_register: false }
    }

    /// One step; what an earlier try of it left is continued.
    pub(crate) async fn step(&self, step: Step) -> Result<(), AgentError> {
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
                    match approved.delivery {
                        Delivery::Pending(error) => assert_told(&error),
                        other => assert!(matches!(other, Delivery::Delivered), "{other:?}"),
                    }
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
            Status::AwaitingConfirmation if !self.is_told_to_register => self.phone.candidate().await?,
            Status::AwaitingConfirmation | Status::Unregistered => None,
        };
        let candidate = match candidate {
            Some(candidate) => candidate,
            None => self.phone.use_ticket(&self.ticket).await?,
        };
        self.phone.confirm(candidate).await
    }

    /// Steps from this one on until one is refused.
    pub(crate) async fn go_on(&self, from: Step) -> Result<(), (Step, AgentError)> {
        for step in STEPS.into_iter().filter(|step| *step >= from) {
            self.step(step).await.map_err(|error| (step, error))?;
        }
        Ok(())
    }

    /// The app starts anew and comes to the end of the journey, with nothing in its way.
    pub(crate) async fn finish(&mut self, from: Step) {
        let told = self.do_as_told(from).await;
        assert!(told.is_empty(), "{told:?}");
    }

    /// The app starts anew and comes to the end of the journey; the doctor does what they are told. Gives what that was.
    pub(crate) async fn do_as_told(&mut self, mut from: Step) -> Vec<Code> {
        self.world.service().faults().clear();
        let mut told = Vec::new();
        while let Err((step, error)) = self.start_and_go_on(from).await {
            assert_told(&error);
            told.push(error.code());
            assert!(told.len() < MOST_TOLD, "{told:?} {:?}", cause(&error));
            from = step;
            match (error.code(), error.kind()) {
                (Code::StateDamaged | Code::JournalTampered, _) => {
                    self.phone.start_over().await.unwrap();
                    self.register_anew();
                    from = Step::Register;
                }
                (Code::TicketUsed, _) | (_, Kind::RegisterAgain) => {
                    self.register_anew();
                    from = Step::Register;
                }
                (_, Kind::FixPhone) => {
                    self.phone.clock.is_off_by(Duration::ZERO);
                    self.phone.secrets.unlock();
                }
                (_, Kind::Retry) => {}
                (code, _) => panic!("{code:?} in {step:?} {:?}", cause(&error)),
            }
        }
        told
    }

    async fn start_and_go_on(&mut self, from: Step) -> Result<(), (Step, AgentError)> {
        self.phone.restart().await.map_err(|error| (from, error))?;
        let is_bound = matches!(self.phone.status().await, Ok(Status::Registered { .. }));
        if is_bound && from != Step::Unregister {
            self.step(Step::Deliver).await.map_err(|error| (from, error))?;
        }
        self.go_on(from).await
    }

    fn register_anew(&mut self) {
        self.ticket = self.world.card();
        self.is_told_to_register = true;
    }

    /// Everything is as it is to be at the end, and nothing is kept.
    pub(crate) async fn assert_over(&self) {
        self.assert_answered();
        assert_eq!(self.phone.secrets.names(), ["journal-anchor", "state-key"]);
        let events = self.events().await;
        let times = |kind: &str| events.get(kind).map_or(0, Vec::len);
        let different = |kind: &str| events.get(kind).into_iter().flatten().collect::<BTreeSet<_>>().len();
        for (kind, expected) in [("registered", 1), ("signed", 3), ("delivered", 3), ("declined", 1)] {
            assert_eq!((times(kind), different(kind)), (expected, expected), "{kind}: {events:?}");
        }
        assert_eq!((times("not_delivered"), times("unregistered") + times("wiped")), (0, 1), "{events:?}");
    }

    /// Each clinic has its answer, and the phone nothing of a patient.
    pub(crate) fn assert_answered(&self) {
        for (number, request) in (1..).zip(&self.to_sign) {
            self.world.assert_signed(request, &sample::csv(number));
        }
        let declined = self.world.state_of(&self.to_decline);
        let words = matches!(&declined, State::Declined { description: Some(words), .. } if words == REASON);
        assert!(words, "{declined:?}");
        let state = self.phone.data_dir().join("state");
        let left: Vec<_> =
            std::fs::read_dir(state).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// What the record says, by kind, without number, time and hashes.
    pub(crate) async fn events(&self) -> BTreeMap<String, Vec<String>> {
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
pub(crate) fn cause(error: &AgentError) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}

/// The doctor is told what to do, in both languages.
#[track_caller]
pub(crate) fn assert_told(error: &AgentError) {
    for text in [error.text_ja(), error.text_en()] {
        assert!(!text.is_empty() && !text.contains('{'), "{text}");
    }
}
