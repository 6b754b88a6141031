//! Something exchanged behind the doctor's back: the certificate after it was confirmed, the document after it was
//! displayed, the phone's keys or files.

use base64::{Engine, prelude::BASE64_STANDARD};
use end_to_end::{Phone, World, interrupted_at, json, refused, sample};
use hpki_agent::agent::{Code, Kind};
use reference_service::{Fault, HolderSpec, Rewrite, State};
use serde_json::{Value, json};

const INBOX: &str = "GET /prescriptions";
const CREDENTIAL: &str = "POST /csc/v2/credentials/info";

/// The certificates of another credential at the same service.
async fn certificates_of(world: &World, holder: &HolderSpec) -> Value {
    let credential = world.office().issue(holder).unwrap();
    let ticket = world.office().ticket(&credential, reference_service::TicketSpec::card()).unwrap();
    let phone = world.phone();
    phone.use_ticket(&ticket).await.unwrap();
    json(&world.wire().of(CREDENTIAL).last().unwrap().answer)["cert"]["certificates"].clone()
}

#[tokio::test]
async fn a_certificate_exchanged_after_it_was_confirmed_signs_nothing() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    let others = [
        certificates_of(&world, &HolderSpec::new("別人　太郎", "TARO BETSUJIN", "Medical Doctor")).await,
        certificates_of(&world, &World::a_doctor()).await,
        certificates_of(&world, &HolderSpec { role: Some("Dentist".into()), ..World::a_doctor() }).await,
    ];
    for other in others {
        let exchanged = Rewrite::new(move |_, answer| answer["cert"]["certificates"] = other.clone());
        world.service().faults().next(1, CREDENTIAL, Fault::Rewritten(exchanged));
        let error = refused(phone.prepare(phone.waiting().await).await);
        assert_eq!((error.code(), error.kind()), (Code::CertificateChanged, Kind::RegisterAgain));
    }
    assert_eq!(world.signatures_made(), 0);
    let batch = phone.prepare(phone.waiting().await).await.unwrap();
    phone.approve(batch).await.unwrap();
    world.assert_signed(&request, &sample::csv(1));
}

/// The inbox says that this is what the first request is about.
fn with_document(csv: Vec<u8>) -> Fault {
    Fault::Rewritten(Rewrite::new(move |_, answer| {
        let Some(document) = answer.pointer_mut("/requests/0/signatureRequests/0") else { return };
        document["href"] = json!(format!("data:application/xml;base64,{}", BASE64_STANDARD.encode(&csv)));
        let checksum = BASE64_STANDARD.encode(attacks::files::sha256(&csv));
        document["checksum"]["value"] = json!(checksum);
    }))
}

#[tokio::test]
async fn a_document_exchanged_between_display_and_signing_is_not_signed() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    let displayed = phone.waiting().await;
    world.service().faults().next(u32::MAX, INBOX, with_document(sample::csv(66)));
    let batch = phone.prepare(displayed).await.unwrap();
    assert_eq!(phone.waiting().await.len(), 1, "the phone sees the other one in between");
    assert_eq!(batch.prescriptions().next().unwrap().csv().as_bytes(), sample::csv(1));
    phone.approve(batch).await.unwrap();
    world.assert_signed(&request, &sample::csv(1));
    assert_eq!(world.signatures_made(), 1);
}

#[tokio::test]
async fn a_document_exchanged_after_a_crash_is_not_signed_beside_the_first() {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    // Approved and interrupted: the phone keeps what it had prepared for this request.
    for awaits in 0.. {
        let batch = phone.prepare(phone.waiting().await).await.unwrap();
        assert!(
            interrupted_at(awaits, phone.approve(batch)).await.is_none(),
            "was never interrupted in time"
        );
        let kept = phone.files().iter().any(|(name, _)| name.to_string_lossy().contains("outbox"));
        if kept {
            break;
        }
    }
    phone.restart().await.unwrap();
    world.service().faults().next(u32::MAX, INBOX, with_document(sample::csv(66)));
    let waiting = phone.waiting().await;
    assert_eq!(waiting[0].prescription().unwrap().csv().as_bytes(), sample::csv(66));
    // The first may have been signed already, so the second is not, whatever the doctor says to it.
    let made = world.signatures_made();
    let batch = phone.prepare(waiting).await.unwrap();
    assert_eq!(refused(phone.approve(batch).await).code(), Code::BatchStale);
    assert_eq!(world.signatures_made(), made);
    assert_eq!(world.state_of(&request), State::Waiting);
    world.service().faults().clear();
    let batch = phone.prepare(phone.waiting().await).await.unwrap();
    phone.approve(batch).await.unwrap();
    world.assert_signed(&request, &sample::csv(1));
}

#[tokio::test]
async fn a_document_that_is_not_what_its_checksum_says_is_not_displayed() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    world.submit(&sample::csv(1));
    let changed = Rewrite::new(|_, answer| {
        let href = &mut answer["requests"][0]["signatureRequests"][0]["href"];
        *href = json!(format!("data:application/xml;base64,{}", BASE64_STANDARD.encode(sample::csv(66))));
    });
    world.service().faults().next(1, INBOX, Fault::Rewritten(changed));
    let waiting = phone.waiting().await;
    let Err(error) = waiting[0].prescription() else { panic!("displayed") };
    assert_eq!((error.code(), error.kind()), (Code::RequestDamaged, Kind::Refuse));
    assert_eq!(refused(phone.prepare(waiting).await).code(), Code::RequestDamaged);
}

#[tokio::test]
async fn files_of_the_phone_that_are_exchanged_for_each_other_are_found_out() {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    let other = world.bound_phone().await;
    phone.end();
    let entry = |phone: &Phone, name: &str| {
        let files = phone.files();
        files.into_iter().find(|(path, _)| path.to_string_lossy().contains(name)).expect("such a file")
    };
    let (path, whole) = entry(&phone, "state/binding");
    let foreign = entry(&other, "state/binding").1;
    for bytes in [foreign, whole[..whole.len() - 1].to_vec(), Vec::new(), vec![0; whole.len()]] {
        std::fs::write(&path, bytes).unwrap();
        let Err(error) = phone.open() else { panic!("opened") };
        assert_eq!(error.code(), Code::StateDamaged);
    }
    // Under another name of the phone's own
    std::fs::write(&path, &whole).unwrap();
    let renamed = path.with_file_name(format!("outbox-{:032x}.sealed", 7));
    std::fs::write(&renamed, &whole).unwrap();
    let error = match phone.restart().await {
        Err(error) => error,
        Ok(()) => refused(phone.status().await),
    };
    assert_eq!(error.code(), Code::StateDamaged);
    phone.end();
    std::fs::remove_file(renamed).unwrap();
    phone.restart().await.unwrap();
    assert!(phone.status().await.is_ok());
}
