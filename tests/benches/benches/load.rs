//! Inboxes of up to ten thousand requests, read and signed to their end by a phone in a process of its own: requests over the wire,
//! memory and time, which grow with the number or not at all. Counts and memory are judged; times are printed.
//!
//! `cargo bench -p benches --bench load`; `HPKI_AGENT_LOAD="1000 10000"` chooses the sizes.

use std::{
    env,
    io::Write as _,
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use benches::memory::peak;
use end_to_end::{Phone, World, sample};
use hpki_agent::{agent::Delivery, service::MAX_REQUESTS};

/// Says to this very program that it is the phone.
const CHILD: &str = "HPKI_AGENT_LOAD_PHONE";
/// Chooses the sizes.
const SIZES: &str = "HPKI_AGENT_LOAD";
const USUAL: &str = "1000 2500 5000 10000";

/// Requests of a reading besides the deliveries: the inbox, the credential, a token, `signHash`.
const OF_A_READING: usize = 4;
/// Registering, the last reading, and service tokens, of which one lasts ten minutes.
const BESIDES: usize = 30;
/// More resident memory for each request beyond the smallest inbox, in bytes: its identifier, and what the allocator rounds up. A
/// prescription of the samples has 1 KB, signed 9 KB.
const MEMORY_OF_ONE: u64 = 1024;
/// What a process may need more at one time than at another, in bytes.
const MEMORY_BESIDES: u64 = 4 << 20;

/// What a phone took to come to the end of its inbox.
struct Drained {
    readings: usize,
    delivered: usize,
    seconds: f64,
    /// Resident at most, in bytes.
    memory: u64,
}

/// Trust configuration and ticket stand on two lines; the figures on one.
async fn be_the_phone() {
    let lines: Vec<String> = std::io::stdin().lines().map(Result::unwrap).collect();
    let phone = Phone::trusting(&lines[0]);
    phone.confirm(phone.register(&lines[1], None).await.unwrap()).await.unwrap();
    let (mut readings, mut delivered) = (0, 0);
    let began = Instant::now();
    loop {
        let waiting = phone.waiting().await;
        if waiting.is_empty() {
            break;
        }
        readings += 1;
        let approved = phone.approve(phone.prepare(waiting).await.unwrap()).await.unwrap();
        delivered += approved.iter().filter(|one| matches!(one.delivery, Delivery::Delivered)).count();
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{readings} {delivered} {seconds} {}", peak().expect("the system tells") << 10);
}

fn drain(world: &World) -> Drained {
    let mut child = Command::new(env::current_exe().unwrap())
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (trust, qr_text) = (world.trust(), world.card().qr_text);
    write!(child.stdin.take().unwrap(), "{trust}\n{qr_text}\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    let [readings, delivered, seconds, memory] = said.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("{said}")
    };
    Drained {
        readings: readings.parse().unwrap(),
        delivered: delivered.parse().unwrap(),
        seconds: seconds.parse().unwrap(),
        memory: memory.parse().unwrap(),
    }
}

async fn measure(size: usize) -> (Drained, usize) {
    let world = World::new().await;
    let requests: Vec<_> = (0..size).map(|number| world.submit(&sample::csv(number))).collect();
    let (drained, world) = tokio::task::spawn_blocking(move || (drain(&world), world)).await.unwrap();
    let asked = world.wire().0.len();
    assert_eq!(drained.delivered, size, "delivered");
    assert_eq!(drained.readings, size.div_ceil(MAX_REQUESTS), "readings");
    assert_eq!(world.ledger().assert_each_signed_once(&requests), 0, "nothing is signed again");
    let expected = size + OF_A_READING * drained.readings;
    assert!((expected..=expected + BESIDES).contains(&asked), "{asked} requests, not {expected}");
    (drained, asked)
}

#[expect(clippy::cast_precision_loss, reason = "figures to look at")]
async fn load() {
    let sizes = env::var(SIZES).unwrap_or_else(|_| USUAL.to_owned());
    let mut smallest: Option<(usize, u64)> = None;
    println!("inbox    readings  requests  per item   seconds  ms per item   peak MiB");
    for size in sizes.split_whitespace().map(|size| size.parse::<usize>().expect("sizes are numbers")) {
        let (drained, asked) = measure(size).await;
        let Drained { readings, seconds, memory, .. } = drained;
        let (items, mib) = (size as f64, memory as f64 / f64::from(1 << 20));
        println!(
            "{size:5}  {readings:10}  {asked:8}  {:8.2}  {seconds:8.1}  {:11.2}  {mib:9.1}",
            asked as f64 / items,
            seconds * 1000.0 / items,
        );
        let (first, least) = *smallest.get_or_insert((size, memory));
        let room = MEMORY_BESIDES + size.saturating_sub(first) as u64 * MEMORY_OF_ONE;
        assert!(memory <= least + room, "{memory} bytes for {size}, {least} for {first}");
    }
    println!("load: each was signed once and delivered; requests and memory grow no faster than the inbox");
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if env::var_os(CHILD).is_some() {
        runtime.block_on(be_the_phone());
    } else {
        runtime.block_on(load());
    }
    ExitCode::SUCCESS
}
