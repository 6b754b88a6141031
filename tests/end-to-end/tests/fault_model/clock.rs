//! The phone's clock, which jumps ten years, either way, at any moment at which it is read.

use std::collections::BTreeMap;

use end_to_end::World;
use hpki_agent::agent::{Code, Kind};
use time::Duration;

use crate::{
    cases::{Case, cases, spread},
    journey::{Journey, STEPS, assert_told},
};

/// Jumps in CI; the clock is read about twice as often.
const MOMENTS: usize = 24;
/// Ten years.
const JUMP: Duration = Duration::days(3653);

#[tokio::test]
async fn a_clock_that_jumps_ten_years_at_any_moment_leaves_the_journey_whole() {
    let world = World::new().await;
    let readings = {
        let mut journey = Journey::new(&world);
        journey.go_on(STEPS[0]).await.unwrap();
        let readings = journey.phone.clock.readings();
        journey.finish(STEPS[4]).await;
        readings
    };
    let moments: Vec<_> = spread(readings).flat_map(|reading| [(reading, JUMP), (reading, -JUMP)]).collect();
    let mut told = BTreeMap::<_, usize>::new();
    let asked = cases(MOMENTS, moments.len());
    println!("the clock was read {readings} times; cases {asked:?} of {}", moments.len());
    for number in asked {
        let (reading, jump) = moments[number];
        let _case = Case { number, what: format!("{jump} at reading {reading}") };
        let mut journey = Journey::new(&world);
        journey.phone.clock.will_be_off_by(jump, journey.phone.clock.readings() + reading);
        let refused = journey.go_on(STEPS[0]).await.err();
        if let Some((_, error)) = &refused {
            assert_told(error);
            assert!(matches!(error.code(), Code::ClockWrong | Code::SessionEnded), "{error}");
            *told.entry(error.code().as_str()).or_default() += 1;
            if error.kind() == Kind::FixPhone {
                journey.phone.clock.is_off_by(Duration::ZERO);
            }
        }
        for code in journey.do_as_told(refused.map_or(STEPS[4], |(step, _)| step)).await {
            assert_eq!(code, Code::ClockWrong);
        }
        journey.assert_over().await;
    }
    println!("told: {told:?}");
}
