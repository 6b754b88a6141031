//! From the letter or the card to a phone that is bound, and back.

use end_to_end::{NO_WAIT, Phone, World, code, interrupted_at, json, sample};
use hpki_agent::{
    agent::{Code, Status},
    device::Prompt,
    scan::{Frame, Outcome, Scanner},
};
use reference_service::TicketSpec;

/// What the phone's camera makes of a printed page.
fn scan(png: &[u8]) -> String {
    let picture = image::load_from_memory(png).unwrap().into_luma8();
    let [width, height] = [picture.width(), picture.height()].map(|side| side as usize);
    match Scanner::new().scan(&Frame::new(&picture, width, height, width).unwrap()) {
        Outcome::Read(symbol) => symbol.text,
        Outcome::Nothing(why) => panic!("nothing was read: {why:?}"),
    }
}

async fn is_unregistered(phone: &Phone) -> bool {
    phone.status().await.unwrap() == Status::Unregistered && phone.secrets.keys() == 0
}

#[tokio::test]
async fn a_letters_qr_becomes_a_signed_prescription_that_a_stranger_accepts() {
    let world = World::new().await;
    let letter = world.office().letter(&world.doctor, TicketSpec::letter()).unwrap();
    let phone = world.phone();

    let text = scan(&letter.letter.png);
    assert_eq!(text, letter.ticket.qr_text);
    let candidate = phone.use_ticket(&letter.ticket).await.unwrap();
    assert_eq!(candidate.holder().name_kanji.as_deref(), Some(sample::PRESCRIBER));
    assert_eq!(candidate.holder().roles, ["Medical Doctor"]);
    assert!(!candidate.replaced());
    assert_eq!(phone.status().await.unwrap(), Status::AwaitingConfirmation);
    phone.confirm(candidate).await.unwrap();
    let Status::Registered { issuer, holder, undelivered } = phone.status().await.unwrap() else {
        panic!("not registered")
    };
    assert_eq!((issuer.as_str(), undelivered), (world.service().issuer(), 0));
    assert_eq!(holder.name_romaji, sample::PRESCRIBER_ROMAJI);

    let request = world.submit(&sample::csv(1));
    let waiting = phone.inbox(NO_WAIT).await.unwrap();
    let preview = waiting[0].prescription().unwrap().preview();
    assert_eq!(preview.patient.name, "電処　太郎");
    let batch = phone.prepare(waiting).await.unwrap();
    let approved = phone.approve(batch).await.unwrap();
    assert_eq!(approved[0].signed.bytes(), world.collected(&request));
    world.assert_signed(&request, &sample::csv(1));

    let prompts = phone.user.asked();
    assert!(matches!(&prompts[..], [Prompt::Register { .. }, Prompt::Approve { count: 1 }]), "{prompts:?}");
}

#[tokio::test]
async fn the_card_route_needs_no_activation_code() {
    let world = World::new().await;
    let phone = world.phone();
    let ticket = world.card();
    assert_eq!(ticket.activation_code, None);
    phone.confirm(phone.register(&ticket.qr_text, None).await.unwrap()).await.unwrap();
    assert!(matches!(phone.status().await.unwrap(), Status::Registered { .. }));
    assert_eq!(phone.secrets.keys(), 2);
}

#[tokio::test]
async fn the_same_ticket_on_the_same_phone_continues_the_same_registration() {
    let world = World::new().await;
    let phone = world.phone();
    let ticket = world.letter();
    drop(phone.use_ticket(&ticket).await.unwrap());
    let again = phone.use_ticket(&ticket).await.unwrap();
    assert!(!again.replaced());
    let clients: Vec<_> =
        world.wire().of("POST /register").map(|e| json(&e.answer)["client_id"].clone()).collect();
    assert_eq!(clients.len(), 2);
    assert_eq!(clients[0], clients[1]);
    phone.confirm(again).await.unwrap();
    assert!(phone.inbox(NO_WAIT).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_registered_phone_takes_no_second_ticket_until_it_is_unregistered() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let seen = world.wire().0.len();
    assert_eq!(code(phone.use_ticket(&world.card()).await), Code::AlreadyRegistered);
    assert_eq!(world.wire().after(seen).lines(), [""; 0]);
}

#[tokio::test]
async fn an_app_ended_before_the_doctor_confirmed_shows_the_candidate_again() {
    let world = World::new().await;
    let mut phone = world.phone();
    assert!(phone.candidate().await.unwrap().is_none());
    drop(phone.use_ticket(&world.letter()).await.unwrap());
    phone.restart().await.unwrap();

    assert_eq!(phone.status().await.unwrap(), Status::AwaitingConfirmation);
    assert_eq!(code(phone.inbox(NO_WAIT).await), Code::NotRegistered);
    let candidate = phone.candidate().await.unwrap().expect("a candidate");
    assert_eq!(candidate.holder().name_kanji.as_deref(), Some(sample::PRESCRIBER));
    phone.confirm(candidate).await.unwrap();
    assert!(phone.inbox(NO_WAIT).await.unwrap().is_empty());
    assert_eq!(world.wire().of("POST /register").count(), 1);
    assert!(phone.candidate().await.unwrap().is_none());
}

#[tokio::test]
async fn a_doctor_who_says_this_is_not_me_undoes_the_registration() {
    let world = World::new().await;
    let phone = world.phone();
    let candidate = phone.use_ticket(&world.letter()).await.unwrap();
    phone.reject(candidate).await.unwrap();
    assert!(is_unregistered(&phone).await);
    assert_eq!(world.wire().statuses("DELETE /register/{id}"), [Some(204)]);
    assert!(phone.candidate().await.unwrap().is_none());
    phone.confirm(phone.use_ticket(&world.letter()).await.unwrap()).await.unwrap();
}

#[tokio::test]
async fn the_binding_outlives_the_app() {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    let before = phone.status().await.unwrap();
    phone.restart().await.unwrap();
    assert_eq!(phone.status().await.unwrap(), before);
    let request = world.submit(&sample::csv(1));
    let batch = phone.prepare(phone.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    phone.approve(batch).await.unwrap();
    world.assert_signed(&request, &sample::csv(1));
    assert_eq!(world.wire().of("POST /register").count(), 1);
}

#[tokio::test]
async fn one_folder_has_one_agent_at_a_time() {
    let world = World::new().await;
    let phone = world.phone();
    assert_eq!(code(phone.open()), Code::StateBusy);
}

#[tokio::test]
async fn unregistering_leaves_nothing_that_works_and_no_key() {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    world.submit(&sample::csv(1));
    let waiting = phone.inbox(NO_WAIT).await.unwrap();
    let batch = phone.prepare(phone.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    phone.unregister().await.unwrap();

    assert!(is_unregistered(&phone).await);
    assert_eq!(phone.secrets.names(), ["journal-anchor", "state-key"]);
    assert_eq!(world.wire().statuses("DELETE /register/{id}"), [Some(204)]);
    assert_eq!(code(phone.inbox(NO_WAIT).await), Code::NotRegistered);
    assert_eq!(code(phone.prepare(waiting).await), Code::NotRegistered);
    assert_eq!(code(phone.approve(batch).await), Code::NotRegistered);
    assert_eq!(code(phone.open_document(&sample::csv(1), "x").await), Code::NotRegistered);
    assert_eq!(code(phone.unregister().await), Code::NotRegistered);
    assert_eq!(world.signatures_made(), 0);
    phone.restart().await.unwrap();
    assert!(is_unregistered(&phone).await);
    phone.confirm(phone.use_ticket(&world.card()).await.unwrap()).await.unwrap();
    assert_eq!(phone.inbox(NO_WAIT).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_replaced_phone_learns_it_and_is_wiped_while_the_new_one_works() {
    let world = World::new().await;
    let mut old = world.bound_phone().await;
    let new = world.phone();
    let candidate = new.use_ticket(&world.letter()).await.unwrap();
    assert!(candidate.replaced());
    new.confirm(candidate).await.unwrap();

    assert_eq!(code(old.inbox(NO_WAIT).await), Code::PhoneUnbound);
    assert!(is_unregistered(&old).await);
    old.restart().await.unwrap();
    assert!(is_unregistered(&old).await);
    let request = world.submit(&sample::csv(1));
    let batch = new.prepare(new.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    new.approve(batch).await.unwrap();
    world.assert_signed(&request, &sample::csv(1));
}

#[tokio::test]
async fn a_phone_that_lost_its_keys_can_be_registered_again() {
    let world = World::new().await;
    for lost in ["-approval", "-device", "key-"] {
        let phone = world.bound_phone().await;
        phone.secrets.lose(lost);
        phone.unregister().await.unwrap();
        assert!(is_unregistered(&phone).await, "{lost}");
        phone.confirm(phone.use_ticket(&world.card()).await.unwrap()).await.unwrap();
        assert!(phone.inbox(NO_WAIT).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn registering_interrupted_anywhere_is_continued_as_one_registration() {
    let world = World::new().await;
    for at in 0.. {
        let mut phone = world.phone();
        let ticket = world.card();
        let seen = world.wire().0.len();
        let whole = interrupted_at(at, phone.use_ticket(&ticket)).await.map(Result::unwrap).is_some();
        let exchanges = world.wire().0.len() - seen;
        phone.restart().await.unwrap();
        let candidate = match phone.candidate().await.unwrap() {
            Some(candidate) => candidate,
            None => phone.use_ticket(&ticket).await.unwrap(),
        };
        phone.confirm(candidate).await.unwrap();
        assert_eq!(phone.secrets.keys(), 2, "interrupted at {at}");
        assert!(phone.inbox(NO_WAIT).await.unwrap().is_empty());
        let mut clients: Vec<_> = world
            .wire()
            .after(seen)
            .of("POST /register")
            .filter(|exchange| exchange.status.is_some())
            .map(|exchange| json(&exchange.answer)["client_id"].as_str().unwrap().to_owned())
            .collect();
        clients.dedup();
        assert_eq!(clients.len(), 1, "interrupted at {at}");
        if whole {
            assert!(exchanges > 3 && at >= exchanges, "{at} waits for {exchanges} answers were interrupted");
            break;
        }
    }
}

#[tokio::test]
async fn unregistering_interrupted_anywhere_can_be_repeated() {
    let world = World::new().await;
    for at in 0.. {
        let mut phone = world.bound_phone().await;
        let seen = world.wire().0.len();
        let whole = interrupted_at(at, phone.unregister()).await.map(Result::unwrap).is_some();
        let exchanges = world.wire().0.len() - seen;
        phone.restart().await.unwrap();
        if !is_unregistered(&phone).await {
            assert!(matches!(phone.status().await.unwrap(), Status::Registered { .. }));
            phone.unregister().await.unwrap_or_else(|error| panic!("interrupted at {at}: {error}"));
        }
        assert!(is_unregistered(&phone).await, "interrupted at {at}");
        if whole {
            assert!(exchanges > 0 && at >= exchanges, "{at} waits for {exchanges} answers were interrupted");
            break;
        }
    }
}
