//! Measures how many sessions per second are ingested into a ledger: `cargo run --release -p rasadmin-ledger --example
//! ingest_cost`, followed by the number of sessions if you want another one. It uses one thread, so the result is per
//! core.
#![allow(clippy::unwrap_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use rasadmin_ledger::sqlite::{Create, Sqlite};
use std::time::Instant;
use support::{Scene, soon};

const CONFIG: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.0.0.0/12"]
    [[rules]]
    name = "nobody from there"
    action = "deny"
    source_networks = ["192.0.2.0/24"]
"#;

/// The processor time that this process has used, in seconds, so that other programs do not matter. (Linux counts
/// hundredths.)
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// The number of sessions that are live at any time.
const LIVE: u64 = 100;

fn main() {
    let sessions: u64 = std::env::args().nth(1).map_or(20_000, |count| count.parse().unwrap());
    let scene = Scene::new(CONFIG);
    let who = |handle: u64| (format!("user{}", handle % 5_000), format!("VPN0-{}", handle % LIVE));
    let mut given = Vec::<String>::new();
    for handle in 0..sessions {
        if handle >= LIVE {
            let (user, port) = who(handle - LIVE);
            scene.end(handle - LIVE, &user, &port, &given[usize::try_from(handle - LIVE).unwrap()]);
        }
        let (user, port) = who(handle);
        given.push(scene.begin(handle, &user, &port).unwrap());
        scene.wait(1);
    }
    let server = "VPN1".into();
    for durable in [true, false] {
        let path = scene.folder.path().join(format!("{durable}.db"));
        let mut ledger = Sqlite::open(&path, Create::Yes, durable, soon()).unwrap();
        let (began, used) = (Instant::now(), processor());
        let brought = ledger.ingest(&scene.config.journal, &server, &mut |_| {}).unwrap();
        let (seconds, busy) = (began.elapsed().as_secs_f64(), processor() - used);
        let records = brought.records;
        println!(
            "{sessions} sessions, {records} records, durable {durable}: {seconds:.2} s, {busy:.2} s of processor time; \
             {:.0} sessions a second, {:.0} a second of processor time",
            sessions as f64 / seconds,
            sessions as f64 / busy
        );
    }
}
