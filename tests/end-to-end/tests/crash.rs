//! An app that is ended anywhere in an approval: the next start finishes it, signs the same bytes, and each clinic gets
//! one file.

use std::{collections::BTreeSet, time::Duration as StdDuration};

use end_to_end::{World, interrupted_at, sample};
use hpki_agent::agent::Delivery;

#[tokio::test]
async fn an_approval_interrupted_anywhere_is_finished_with_the_same_bytes_and_one_file_each() {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    let mut finished = 0;
    for at in 0.. {
        let seen = world.wire().0.len();
        let requests = [world.submit(&sample::csv(1)), world.submit(&sample::envelope(2))];
        let batch = phone.prepare(phone.inbox(StdDuration::ZERO).await.unwrap()).await.unwrap();
        let before = world.wire().0.len();
        let whole = interrupted_at(at, phone.approve(batch)).await.map(Result::unwrap).is_some();
        let exchanges = world.wire().0.len() - before;

        phone.restart().await.unwrap();
        let tried = phone.deliver_pending().await.unwrap();
        assert!(tried.iter().all(|one| matches!(one.delivery, Delivery::Delivered)), "{at}: {tried:?}");
        let left = phone.inbox(StdDuration::ZERO).await.unwrap();
        if !left.is_empty() {
            let batch = phone.prepare(left).await.unwrap();
            phone.approve(batch).await.unwrap();
        }
        assert!(phone.inbox(StdDuration::ZERO).await.unwrap().is_empty(), "interrupted at {at}");
        world.assert_signed(&requests[0], &sample::csv(1));
        world.assert_signed(&requests[1], &sample::csv(2));

        let wire = world.wire().after(seen);
        for (request, hashes) in wire.hashes_by_request() {
            assert_eq!(hashes.len(), 1, "{request} was to be signed as different bytes, interrupted at {at}");
        }
        for request in &requests {
            let all = wire.of("POST /prescriptions/{id}");
            let deliveries: Vec<_> = all.filter(|e| e.target.ends_with(request.as_str())).collect();
            let files: BTreeSet<_> = deliveries.iter().map(|e| &e.body).collect();
            assert_eq!(files.len(), 1, "{request} was delivered as different files, interrupted at {at}");
            let taken = deliveries.iter().filter(|e| e.status == Some(200)).count();
            assert!(taken <= 1, "{request} was taken {taken} times, interrupted at {at}");
        }
        hpki_agent::journal::verify_export(&phone.export_journal().await.unwrap()).unwrap();
        // How often a step waits differs a little from one time to the next.
        finished += usize::from(whole);
        if finished == 3 {
            assert!(exchanges > 3 && at >= exchanges, "{at} waits for {exchanges} answers were interrupted");
            break;
        }
    }
}
