//! Certificates that sign no prescription: each refused by its own name, and the phone unregistered again.

use end_to_end::{NO_WAIT, World, code, refused, sample};
use hpki_agent::agent::{Code, Kind};
use reference_service::{HolderSpec, IssuedBy, TicketSpec};
use serde_json::json;
use time::{Duration, OffsetDateTime};

/// Registers with this credential, which must be refused, and the phone unregistered again.
async fn refused_at_registration(world: &World, credential: &str) -> (Code, Kind) {
    let mut phone = world.phone();
    let ticket = world.office().ticket(credential, TicketSpec::letter()).unwrap();
    let error = refused(phone.use_ticket(&ticket).await);
    let wire = world.wire();
    assert_eq!(wire.statuses("POST /register"), [Some(201)]);
    assert_eq!(wire.statuses("DELETE /register/{id}"), [Some(204)], "the client is gone");
    phone.assert_unregistered().await;
    assert!(phone.candidate().await.unwrap().is_none());
    (error.code(), error.kind())
}

async fn refused_certificate(change: impl FnOnce(&mut HolderSpec)) -> Code {
    let world = World::new().await;
    let mut holder = World::a_doctor();
    change(&mut holder);
    let credential = world.office().issue(&holder).unwrap();
    refused_at_registration(&world, &credential).await.0
}

#[tokio::test]
async fn a_pharmacists_certificate_is_refused_and_the_role_is_named() {
    let world = World::new().await;
    let credential =
        world.office().issue(&HolderSpec { role: Some("Pharmacist".into()), ..World::a_doctor() }).unwrap();
    let ticket = world.office().ticket(&credential, TicketSpec::card()).unwrap();
    let error = refused(world.phone().use_ticket(&ticket).await);
    assert_eq!(error.code(), Code::CertificateNotPrescriber);
    assert!(error.text_ja().contains("Pharmacist"), "{}", error.text_ja());
    assert_eq!(world.wire().statuses("DELETE /register/{id}"), [Some(204)]);
}

#[tokio::test]
async fn a_certificate_without_role_is_refused() {
    assert_eq!(refused_certificate(|holder| holder.role = None).await, Code::CertificateWithoutRole);
}

#[tokio::test]
async fn a_certificate_for_authentication_is_refused() {
    let refusal = refused_certificate(|holder| holder.issued_by = IssuedBy::AuthenticationCa).await;
    assert_eq!(refusal, Code::CertificateForAuthentication);
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let now = OffsetDateTime::now_utc();
    let past = Some((now - Duration::days(30), now - Duration::days(1)));
    assert_eq!(refused_certificate(|holder| holder.validity = past).await, Code::CertificateExpired);
}

#[tokio::test]
async fn a_certificate_under_a_foreign_root_is_refused() {
    let refusal = refused_certificate(|holder| holder.issued_by = IssuedBy::ForeignRoot).await;
    assert_eq!(refusal, Code::CertificateUntrusted);
}

#[tokio::test]
async fn a_service_without_sole_control_is_refused() {
    assert_eq!(refused_certificate(|holder| holder.scal = "1".into()).await, Code::SoleControlMissing);
}

#[tokio::test]
async fn a_disabled_key_is_refused() {
    assert_eq!(refused_certificate(|holder| holder.key_enabled = false).await, Code::CredentialDisabled);
}

#[tokio::test]
async fn a_revoked_certificate_is_refused_at_registration() {
    let world = World::new().await;
    world.office().revoke(&world.doctor).unwrap();
    let refusal = refused_at_registration(&world, &world.doctor).await;
    assert_eq!(refusal, (Code::CertificateRevoked, Kind::AskOffice));
}

#[tokio::test]
async fn a_certificate_revoked_later_signs_nothing_more() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    world.submit(&sample::csv(1));
    let early = phone.prepare(phone.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    let late = phone.inbox(NO_WAIT).await.unwrap();
    world.office().revoke(&world.doctor).unwrap();
    assert_eq!(code(phone.prepare(late).await), Code::CertificateRevoked);
    let refusal = refused(phone.approve(early).await);
    assert_eq!(refusal.code(), Code::CredentialDisabled);
    assert_eq!(world.signatures_made(), 0);
}

#[tokio::test]
async fn a_signature_of_a_certificate_revoked_later_is_found_by_a_stranger() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    let batch = phone.prepare(phone.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    phone.approve(batch).await.unwrap();
    world.assert_signed(&request, &sample::csv(1));
    world.office().revoke(&world.doctor).unwrap();
    let report = world.judge(&world.collected(&request));
    assert_eq!(json!(report.verdict), "invalid", "{report:?}");
}
