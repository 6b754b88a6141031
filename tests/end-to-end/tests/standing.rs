//! What a doctor sets, and is warned of, while everything works: a clock that goes wrong, a certificate that ends soon,
//! batch signing, and what was shown too long ago.

use end_to_end::{NO_WAIT, World, code, sample};
use hpki_agent::agent::{Code, SESSION_LIFETIME, Warning};
use time::{Duration, OffsetDateTime};

#[tokio::test]
async fn a_phone_whose_clock_goes_wrong_signs_with_the_services_time_and_says_so() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    for hours in [-3, 3] {
        phone.clock.is_off_by(Duration::hours(hours));
        let request = world.submit(&sample::csv(1));
        let waiting = phone.inbox(NO_WAIT).await.unwrap();
        let minutes = -hours * 60;
        let told = phone.warnings().await;
        assert!(
            matches!(told[..], [Warning::ClockWrong { minutes: m }] if (m - minutes).abs() <= 1),
            "{told:?}"
        );
        assert!(told[0].text_ja().contains("時計") && told[0].text_en().contains("clock"));
        phone.approve(phone.prepare(waiting).await.unwrap()).await.unwrap();
        let report = world.judge(&world.collected(&request));
        let signed_at = report.signatures[0].signed_at.unwrap();
        assert!((OffsetDateTime::now_utc() - signed_at).abs() < Duration::minutes(2), "{signed_at}");
    }
    phone.clock.is_off_by(Duration::ZERO);
    phone.inbox(NO_WAIT).await.unwrap();
    assert_eq!(phone.warnings().await, []);
}

#[tokio::test]
async fn a_certificate_that_ends_within_sixty_days_is_warned_of() {
    for (days, expected) in [(59, Some(58..=59)), (61, None)] {
        let now = OffsetDateTime::now_utc();
        let mut doctor = World::a_doctor();
        doctor.validity = Some((now - Duration::days(1), now + Duration::days(days)));
        let world = World::new().await;
        let phone = world.phone();
        let credential = world.office().issue(&doctor).unwrap();
        let ticket = world.office().ticket(&credential, reference_service::TicketSpec::card()).unwrap();
        phone.confirm(phone.use_ticket(&ticket).await.unwrap()).await.unwrap();
        let told = phone.warnings().await;
        match (expected, &told[..]) {
            (Some(range), [Warning::CertificateExpires { days }]) => assert!(range.contains(days), "{days}"),
            (None, []) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_doctor_who_switched_batch_signing_off_approves_one_by_one() {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    let requests = [world.submit(&sample::csv(1)), world.submit(&sample::csv(2))];
    phone.set_batch_signing(false).await.unwrap();
    phone.restart().await.unwrap();
    assert!(!phone.batch_signing().await.unwrap());
    let both = phone.inbox(NO_WAIT).await.unwrap();
    assert_eq!(code(phone.prepare(both).await), Code::BatchSigningOff);
    for one in phone.inbox(NO_WAIT).await.unwrap() {
        phone.approve(phone.prepare(vec![one]).await.unwrap()).await.unwrap();
    }
    world.assert_signed(&requests[0], &sample::csv(1));
    world.assert_signed(&requests[1], &sample::csv(2));
    phone.set_batch_signing(true).await.unwrap();
    assert!(phone.batch_signing().await.unwrap());
}

#[tokio::test]
async fn what_was_shown_half_an_hour_ago_cannot_be_approved_unseen() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    world.submit(&sample::csv(1));
    let stale = phone.prepare(phone.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    let later = SESSION_LIFETIME + Duration::minutes(1);
    phone.clock.is_off_by(later);
    world.office().clock().shift(later);
    let asked = phone.user.asked().len();
    assert_eq!(code(phone.approve(stale).await), Code::SessionEnded);
    assert_eq!((phone.user.asked().len(), world.signatures_made()), (asked, 0));
    let batch = phone.prepare(phone.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    phone.approve(batch).await.unwrap();
    assert_eq!(world.signatures_made(), 1);
}
