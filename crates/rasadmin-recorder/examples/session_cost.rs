//! The cost of a session through the C ABI, compared with the minimum cost of its guarantees: a report, not a test.
//!
//! The product is loaded and driven as RRAS does. The floor is six appends of the same bytes under the same kind of
//! lock, two of them synced, to a file whose space was written before. Both alternate in one process, with and without
//! syncs.
//!
//!     cargo xtask bench
#![allow(clippy::unwrap_used)] // A report may stop where it is.

#[path = "../../rasadmin-journal/examples/bare/mod.rs"]
mod bare;

use bare::Bare;
use mprapi::FunctionId as F;
use rasadmin_host::dll::AdminDll;
use rasadmin_host::fill::{self, ConnectionFacts, LinkFacts, Tunnel};
use rasadmin_host::invoke::Arg;
use rasadmin_journal::{Follower, Item};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const CONFIG: &str = r#"
default_domain = "CORP"
default.action = "deny"
addresses.pool = "staff"
[groups.staff]
users = ['CORP\*']
[pools.staff]
addresses = ["10.64.0.0/16"]
[[rules]]
name = "one session per user"
action = "deny"
user_sessions = { at_least = 1 }
[[rules]]
name = "staff"
action = "allow"
groups = ["staff"]
"#;

/// The calls of a session, and whether each is synced.
const CALLS: [(F, bool); 6] = [
    (F::GetIpAddressForUser, false),
    (F::AcceptNewConnectionEx, true),
    (F::AcceptNewLink, false),
    (F::LinkHangupNotification, false),
    (F::ConnectionHangupNotificationEx, true),
    (F::ReleaseIpAddress, false),
];

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap()
}

/// A percentile (per mille) of values in nanoseconds, in microseconds.
fn at(values: &[u64], share: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted[(sorted.len() - 1) * share / 1000] as f64 / 1e3
}

/// The lengths of a session's records: the last six of the journal.
fn lengths(journal: &Path) -> Vec<usize> {
    let mut all = Vec::new();
    let mut follower = Follower::open(journal).unwrap().unwrap();
    follower
        .read(|item| all.extend(if let Item::Record(record) = item { Some(record.payload.len()) } else { None }))
        .unwrap();
    all.split_off(all.len() - CALLS.len())
}

/// The times of our calls and of the floor, for each session.
#[derive(Default)]
struct Times {
    ours: [Vec<u64>; 6],
    floor: [Vec<u64>; 6],
}

/// A whole session. Returns the time of each call. The arguments are prepared before, as in RRAS: mapping guard pages
/// between the calls would empty the processor's caches.
fn session(dll: &AdminDll, n: usize) -> [u64; 6] {
    let handle = n as u64 + 2;
    let call = |at: usize, arguments: &mut [Arg]| nanos(dll.call(CALLS[at].0, arguments).unwrap().took);
    let user = format!("CORP\\user{:04}", n % 1000);
    let names = || [&user[..], "VPN0-1"].map(Arg::text);
    let [name, port] = names();
    let mut asked = [name, port, Arg::bytes(&[10, 20, 0, 2]), Arg::bytes(&[0; 4])];
    let address = call(0, &mut asked);
    let given: [u8; 4] = asked[2].memory().unwrap().try_into().unwrap();
    let connection = ConnectionFacts {
        handle,
        user: user.clone(),
        tunnel: Tunnel::Sstp,
        guid: (handle as u128).to_le_bytes(),
        remote_endpoint: "203.0.113.1".into(),
        local_endpoint: "192.0.2.1".into(),
        ipv4: Some(given.into()),
        server_ipv4: Some([10, 20, 0, 1].into()),
        ..ConnectionFacts::default()
    };
    let link = LinkFacts {
        port_handle: 1,
        connection_handle: handle,
        port: "VPN0-1".into(),
        device: "WAN Miniport (SSTP)".into(),
        duration: 0,
        received: 0,
        sent: 0,
    };
    let of_connection = || [Arg::bytes(&fill::connection_ex(&connection))];
    let of_link = || [Arg::bytes(&fill::port_0(&link)), Arg::bytes(&fill::port_1(&link))];
    let [name, port] = names();
    let (mut accept, mut hangup) = (of_connection(), of_connection());
    let (mut link, mut unlink) = (of_link(), of_link());
    let mut release = [name, port, Arg::bytes(&given)];
    [
        address,
        call(1, &mut accept),
        call(2, &mut link),
        call(3, &mut unlink),
        call(4, &mut hangup),
        call(5, &mut release),
    ]
}

fn measure(dll: &AdminDll, folder: &Path, synced: bool, sessions: usize) -> Times {
    let mut times = Times::default();
    // Warm: the segments' space is written, and users are known.
    for n in 0..1500 {
        session(dll, n);
    }
    let frames: Vec<Vec<u8>> =
        lengths(&folder.join("journal")).iter().map(|length| vec![b'x'; (24 + length).next_multiple_of(8)]).collect();
    println!("  records of {:?} bytes", frames.iter().map(Vec::len).collect::<Vec<_>>());
    let mut bare = Bare::new(folder);
    for n in 0..sessions {
        let mut floor = || {
            for (call, (frame, (_, sync))) in frames.iter().zip(CALLS).enumerate() {
                let began = Instant::now();
                bare.append(frame, synced && sync);
                times.floor[call].push(nanos(began.elapsed()));
            }
        };
        if n % 2 == 0 {
            floor();
        }
        let ours = session(dll, n);
        if n % 2 == 1 {
            floor();
        }
        ours.into_iter().enumerate().for_each(|(call, took)| times.ours[call].push(took));
    }
    times
}

/// Prints the table. Returns the number of sessions per second.
fn report(times: &Times) -> f64 {
    println!("  {:40} {:>9} {:>9} {:>9} {:>9}", "microseconds", "median", "p99", "floor", "floor p99");
    for (call, (function, _)) in CALLS.iter().enumerate() {
        let (ours, floor) = (&times.ours[call], &times.floor[call]);
        let name = function.name();
        let numbers = [at(ours, 500), at(ours, 990), at(floor, 500), at(floor, 990)].map(|n| format!("{n:>9.1}"));
        println!("  {name:40} {}", numbers.join(" "));
    }
    let whole =
        |all: &[Vec<u64>; 6]| -> Vec<u64> { (0..all[0].len()).map(|n| all.iter().map(|call| call[n]).sum()).collect() };
    let (ours, floor) = (whole(&times.ours), whole(&times.floor));
    let mean = |all: &[u64]| all.iter().sum::<u64>() as f64 / all.len() as f64 / 1e3;
    let numbers = [at(&ours, 500), at(&ours, 990), at(&floor, 500), at(&floor, 990)].map(|n| format!("{n:>9.1}"));
    println!("  {:40} {}", "a whole session", numbers.join(" "));
    println!(
        "  ratio to the floor: {:.2} at the median, {:.2} of the means; one after the other {:.0} sessions a second, the \
         floor {:.0}",
        at(&ours, 500) / at(&floor, 500),
        mean(&ours) / mean(&floor),
        1e6 / mean(&ours),
        1e6 / mean(&floor)
    );
    1e6 / mean(&ours)
}

/// A callback's own work: what it takes beyond its append.
fn own_work(times: &Times) {
    let own = times.ours.iter().zip(&times.floor).flat_map(|(ours, floor)| {
        let append = (at(floor, 500) * 1e3) as u64;
        ours.iter().map(move |took| took.saturating_sub(append))
    });
    let own: Vec<u64> = own.collect();
    println!(
        "  a callback's own work (boundary, state, rules, encoding, log; its append taken off): {:.1} us at the median, {:.1} \
         us at p99",
        at(&own, 500),
        at(&own, 990)
    );
}

fn main() {
    let dll = PathBuf::from(std::env::args_os().nth(1).expect("usage: session_cost DLL [FOLDER]"));
    let Some(folder) = std::env::var_os("SESSION_COST").map(PathBuf::from) else {
        // The DLL looks for its configuration in the environment, which a process can only give to another.
        for (what, durability) in [("two syncs a session", "fsync"), ("no sync", "process")] {
            println!("{what}\n");
            let base = std::env::args_os().nth(2).map_or_else(std::env::temp_dir, Into::into);
            let folder = tempfile::tempdir_in(base).unwrap();
            let config = folder.path().join("rasadmin.toml");
            std::fs::write(&config, format!("journal.durability = \"{durability}\"\n{CONFIG}")).unwrap();
            let mut again = std::process::Command::new(std::env::current_exe().unwrap());
            again.arg(std::path::absolute(&dll).unwrap()).env("SESSION_COST", folder.path());
            again.env("SESSION_COST_SYNCS", durability).env("RASADMIN_CONFIG", config);
            again.env("RASADMIN_LOG", folder.path().join("log")).env("RASADMIN_SYSTEM_LOG", "off");
            assert!(again.status().unwrap().success());
            println!();
        }
        return;
    };
    let synced = std::env::var("SESSION_COST_SYNCS").unwrap() == "fsync";
    let mut dll = AdminDll::load(&dll, 0).unwrap();
    assert_eq!(dll.initialize(), 0);
    let times = measure(&dll, &folder, synced, if synced { 3000 } else { 15_000 });
    let rate = report(&times);
    if let Some(file) = std::env::var_os("SESSION_COST_RATES") {
        // For who compares: a line a run.
        let mut file = std::fs::File::options().create(true).append(true).open(file).unwrap();
        writeln!(file, "{rate:.1}").unwrap();
    }
    if !synced {
        own_work(&times);
    }
    dll.call(F::TerminateDll, &mut []);
}
