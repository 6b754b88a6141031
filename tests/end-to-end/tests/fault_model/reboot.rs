//! A phone that goes off while it waits for the doctor's finger, and starts again.

use end_to_end::{PhoneProcess, World, sample};
use hpki_agent::journal::verify_export;
use reference_service::State;

/// The program that is the phone.
pub(crate) const PHONE: &str = env!("CARGO_BIN_EXE_phone");

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_rebooted_in_the_middle_of_an_approval_has_approved_nothing_and_asks_again() {
    let world = World::new().await;
    let phone = PhoneProcess::trusting(PHONE, &world.trust().to_string());
    let ticket = world.card();
    tokio::task::block_in_place(|| {
        let register = ["register", ticket.qr_text.as_str()];
        assert_eq!(phone.killed_at_the_prompt(&register).code, None);
        assert_eq!(world.wire().of("POST /register").count(), 0, "nobody has said yes");
        phone.run(&register).well();

        let requests = [world.submit(&sample::csv(1)), world.submit(&sample::envelope(2))];
        for reboot in 1..=3 {
            let seen = world.wire().0.len();
            assert_eq!(phone.killed_at_the_prompt(&["sign"]).code, None);
            let after = world.wire().after(seen);
            assert!(after.hashes_by_request().is_empty(), "reboot {reboot}: {:?}", after.lines());
            assert!(requests.iter().all(|request| world.state_of(request) == State::Waiting));
        }
        assert_eq!(world.signatures_made(), 0);
        phone.run(&["sign"]).well();
        world.assert_signed(&requests[0], &sample::csv(1));
        world.assert_signed(&requests[1], &sample::csv(2));
        assert_eq!(world.ledger().assert_each_signed_once(&requests), 0);
        let record = phone.run(&["journal"]).well();
        verify_export(record.as_bytes()).unwrap();
        assert_eq!(record.matches("\"approved\"").count(), 1, "{record}");
    });
}
