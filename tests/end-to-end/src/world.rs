//! A remote-signing service, the association's office behind it, and a clinic.

use std::{
    net::{SocketAddr, TcpStream},
    sync::{Arc, OnceLock},
    time::Duration as StdDuration,
};

use hpki_agent::{
    agent::Waiting,
    certificate::{Certificate, Crl},
    signature::{self, Report, Trust, Verdict},
};
use reference_service::{
    Authority, HolderSpec, IssuedTicket, Options, Recorder, ReferenceService, Requester, Running, State,
    TicketSpec,
};
use serde_json::Value;
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::{Ledger, Line, Phone, Wire, sample};

/// Files of a service's folder and the doctor's credential in it. Making RSA keys takes a second, so it is done once
/// and every world begins with a copy.
struct Founded {
    files: Vec<(String, Vec<u8>)>,
    doctor: String,
}

fn founded() -> &'static Founded {
    static FOUNDED: OnceLock<Founded> = OnceLock::new();
    FOUNDED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let office = Authority::open(folder.path(), reference_service::Clock::default()).unwrap();
        let doctor = office.issue(&World::a_doctor()).unwrap();
        drop(office);
        let entries = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
        let file = |entry: std::fs::DirEntry| {
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        };
        Founded { files: entries.filter(|e| e.path().is_file()).map(file).collect(), doctor }
    })
}

/// Who asks for signatures.
pub fn clinic() -> Requester {
    Requester { name: "検証用クリニック".into(), facility_code: "1312345".into() }
}

/// A service at work, and a doctor with a credential there.
pub struct World {
    service: Option<Running>,
    recorder: Recorder,
    address: SocketAddr,
    /// What stands between phones and the service.
    line: Option<Arc<Line>>,
    clock: reference_service::Clock,
    /// The doctor's credential.
    pub doctor: String,
    folder: TempDir,
}

impl World {
    /// A new one, which nobody has asked for anything.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn new() -> Self {
        Self::reached(None).await
    }

    /// The same, which phones reach over this line alone.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn behind(line: Arc<Line>) -> Self {
        Self::reached(Some(line)).await
    }

    async fn reached(line: Option<Arc<Line>>) -> Self {
        let founded = tokio::task::spawn_blocking(founded).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in &founded.files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let mut world = Self {
            service: None,
            recorder: Recorder::default(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            line,
            clock: reference_service::Clock::default(),
            doctor: founded.doctor.clone(),
            folder,
        };
        world.start().await;
        world
    }

    /// The prescriber of the samples.
    pub fn a_doctor() -> HolderSpec {
        HolderSpec::new(sample::PRESCRIBER, sample::PRESCRIBER_ROMAJI, "Medical Doctor")
    }

    /// The service goes down: nobody listens any more.
    pub async fn stop(&mut self) {
        self.service = None;
        while TcpStream::connect(self.address).is_ok() {
            tokio::time::sleep(StdDuration::from_millis(5)).await;
        }
    }

    /// The service comes up, where it was before.
    ///
    /// # Panics
    /// When it does not.
    pub async fn start(&mut self) {
        let options = Options {
            listen: self.address,
            issuer: self.line.as_ref().map(|line| format!("https://{}", line.address())),
            clock: self.clock.clone(),
            recorder: Some(self.recorder.clone()),
            ..Options::new(self.folder.path())
        };
        let service = ReferenceService::start(options).await.unwrap();
        self.address = service.address();
        if let Some(line) = &self.line {
            line.leads_to(self.address);
        }
        self.service = Some(service);
    }

    /// The service at work.
    ///
    /// # Panics
    /// While it is down.
    pub fn service(&self) -> &Running {
        self.service.as_ref().expect("the service is up")
    }

    /// The association's office.
    pub fn office(&self) -> &Authority {
        self.service().authority()
    }

    /// Everything that went over the wire so far.
    pub fn wire(&self) -> Wire {
        Wire(self.recorder.exchanges())
    }

    /// The trust configuration of an app for this service.
    ///
    /// # Panics
    /// When the service has none.
    pub fn trust(&self) -> Value {
        serde_json::from_str(&self.service().trust_json().unwrap()).unwrap()
    }

    /// A new phone with an app for this service.
    pub fn phone(&self) -> Phone {
        Phone::trusting(&self.trust().to_string())
    }

    /// A phone whose doctor has confirmed the registration.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn bound_phone(&self) -> Phone {
        let phone = self.phone();
        phone.confirm(phone.use_ticket(&self.card()).await.unwrap()).await.unwrap();
        phone
    }

    /// Issues a ticket that is mailed, with an activation code.
    ///
    /// # Panics
    /// When the office fails.
    pub fn letter(&self) -> IssuedTicket {
        self.office().ticket(&self.doctor, TicketSpec::letter()).unwrap()
    }

    /// Issues a ticket that is shown at a PC after the card was read.
    ///
    /// # Panics
    /// When the office fails.
    pub fn card(&self) -> IssuedTicket {
        self.office().ticket(&self.doctor, TicketSpec::card()).unwrap()
    }

    /// The clinic sends this document to the doctor, and gets the request's identifier.
    ///
    /// # Panics
    /// When the service does not take it.
    pub fn submit(&self, document: &[u8]) -> String {
        self.office().submit(&self.doctor, &clinic(), document).unwrap()
    }

    /// What became of a request.
    ///
    /// # Panics
    /// When there is no such request.
    pub fn state_of(&self, request: &str) -> State {
        self.office().collect(request).unwrap()
    }

    /// The signed file that the clinic has got.
    ///
    /// # Panics
    /// When there is none.
    pub fn collected(&self, request: &str) -> Vec<u8> {
        match self.state_of(request) {
            State::Signed(file) => file,
            other => panic!("not signed: {other:?}"),
        }
    }

    /// What the service's database says that was signed and delivered.
    pub fn ledger(&self) -> Ledger {
        Ledger::of(self.folder.path())
    }

    /// How many signatures the doctor's key has ever made.
    ///
    /// # Panics
    /// When the service cannot say.
    pub fn signatures_made(&self) -> u64 {
        self.office().signatures_made(&self.doctor).unwrap()
    }

    /// What a stranger says of a file, who has the root, the CA's certificate and today's revocation lists.
    ///
    /// # Panics
    /// When these cannot be read.
    pub fn judge(&self, file: &[u8]) -> Report {
        let roots = [Certificate::from_der(self.office().root_der()).unwrap()];
        let intermediates = [Certificate::from_der(self.office().ca_der()).unwrap()];
        let crls: Vec<_> =
            self.office().crls().unwrap().iter().map(|crl| Crl::from_der(&crl.der).unwrap()).collect();
        let prescriber_roles = ["Medical Doctor".to_owned(), "Dentist".to_owned()];
        let at = OffsetDateTime::now_utc();
        let trust = Trust {
            roots: &roots,
            timestamp_roots: &[],
            intermediates: &intermediates,
            crls: &crls,
            prescriber_roles: &prescriber_roles,
            at,
        };
        signature::verify(file, &trust)
    }

    /// The clinic's file is valid before a stranger and says what was sent.
    ///
    /// # Panics
    /// When not.
    #[track_caller]
    pub fn assert_signed(&self, request: &str, csv: &[u8]) {
        let report = self.judge(&self.collected(request));
        assert_eq!(report.verdict, Verdict::Valid, "{report:?}");
        assert_eq!(report.document.as_deref().map(str::as_bytes), Some(csv));
    }
}

/// One of the waiting prescriptions, by its request's identifier.
///
/// # Panics
/// When it does not wait.
#[track_caller]
pub fn take(waiting: &mut Vec<Waiting>, request: &str) -> Waiting {
    let at = waiting.iter().position(|one| one.id() == request).expect("it waits");
    waiting.swap_remove(at)
}
