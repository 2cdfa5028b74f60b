//! What a session costs through the C ABI, next to the bare SQL that it runs: a report, not a test.
//!
//! The product is loaded and driven as RRAS does. Bare is the very SQL with its bound values, noted from the same engine
//! and replayed without it on a copy of the same ledger; both in alternating blocks, in one process.
//!
//!     cargo xtask bench
#![allow(clippy::unwrap_used)] // A report may stop where it is.

use mprapi::FunctionId as F;
use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::{AddressEvent, ConnectionEvent, LinkEvent, Offer, ReleaseEvent};
use rasadmin_engine::{Mono, Now, Stamp};
use rasadmin_host::session::Request;
use rasadmin_host::{Options, Service, fill, pool::Pool};
use rasadmin_ledger::sqlite::Logged;
use rasadmin_ledger::{Assigned, Engine};
use rasadmin_policy::addresses::{Address, Family};
use rasadmin_policy::{InterfaceType, Name, Quarantine, Tunnel, config};
use rasadmin_system::monotonic;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

const SESSIONS: usize = 100;
const BLOCKS: usize = 20;

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
when_ledger_unavailable = "skip"
[[rules]]
name = "staff"
action = "allow"
groups = ["staff"]
"#;

const CALLBACKS: [F; 6] = [
    F::GetIpAddressForUser,
    F::AcceptNewConnectionEx,
    F::AcceptNewLink,
    F::LinkHangupNotification,
    F::ConnectionHangupNotificationEx,
    F::ReleaseIpAddress,
];

type Times = BTreeMap<F, Vec<u64>>;

/// Through the DLL, bare, and the statements of each callback.
type Block = (Times, Times, Vec<(F, Vec<Logged>)>);

/// The system's clocks, and chance.
fn now() -> Now {
    let time = i64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    Now { at: Stamp { time, mono: Mono(monotonic::milliseconds()) }, random: rasadmin_ledger::random().unwrap() }
}

fn user(n: usize) -> String {
    format!("CORP\\user{:04}", n % 1000)
}

/// One block through the C ABI.
fn through_the_dll(service: &Service, block: usize) -> Times {
    service.take_statistics();
    for n in 0..SESSIONS {
        let session = service.connect(&Request::new(user(block * SESSIONS + n), fill::Tunnel::Sstp)).unwrap();
        service.hang_up(session);
    }
    let statistics = service.take_statistics();
    statistics.each().map(|(function, times)| (function, times.to_vec())).collect()
}

/// The same block in an engine of our own: the statements of each callback.
fn noted(engine: &Engine, block: usize, handle: &mut u64) -> Vec<(F, Vec<Logged>)> {
    let mut all = Vec::new();
    for n in 0..SESSIONS {
        *handle += 1;
        let name = Name::new(&user(block * SESSIONS + n));
        let port = Name::new("VPN0-1");
        let offer = Offer::Number(0x0a14_0002);
        let asked = AddressEvent { user: name.clone(), port: port.clone(), family: Family::Ipv4, offer };
        let mut note = |function| all.push((function, engine.logged()));
        let Assigned::Number(number) = engine.assign(&asked, now()).unwrap() else { panic!("no address") };
        let address = Address { family: Family::Ipv4, number };
        note(CALLBACKS[0]);
        let usage = Usage::default();
        let connection = ConnectionEvent {
            handle: *handle,
            guid: Some(format!("{:08x}-0000-0000-0000-000000000000", *handle)),
            user: name,
            domain: "CORP".into(),
            computer: Name::default(),
            source: "203.0.113.1".into(),
            interface: InterfaceType::Client,
            ikev2: Some(false),
            quarantine: Some(Quarantine::Normal),
            usage,
            addresses: vec![address],
            prefix: None,
        };
        let link = LinkEvent {
            handle: *handle,
            port,
            device: "WAN Miniport (SSTP)".into(),
            tunnel: Some(Tunnel::Sstp),
            usage,
        };
        engine.accept_connection(&connection, now());
        note(CALLBACKS[1]);
        engine.accept_link(&link, now());
        note(CALLBACKS[2]);
        engine.link_hangup(&link, now());
        note(CALLBACKS[3]);
        engine.hangup(&connection, now());
        note(CALLBACKS[4]);
        engine.release(&ReleaseEvent { user: asked.user, port: asked.port, address: Some(address) }, now());
        note(CALLBACKS[5]);
    }
    all
}

/// The same statements without us.
fn bare(ledger: &Connection, callbacks: &[(F, Vec<Logged>)]) -> Times {
    let mut times = Times::new();
    for (function, statements) in callbacks {
        let started = Instant::now();
        for logged in statements {
            let mut statement = ledger.prepare_cached(&logged.sql).unwrap();
            for (at, (name, value)) in logged.values.iter().enumerate() {
                let index = name.as_ref().map_or(at + 1, |name| statement.parameter_index(name).unwrap().unwrap());
                statement.raw_bind_parameter(index, value).unwrap();
            }
            let mut rows = statement.raw_query();
            while rows.next().unwrap().is_some() {}
        }
        times.entry(*function).or_default().push(u64::try_from(started.elapsed().as_nanos()).unwrap());
    }
    times
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values[values.len() / 2]
}

fn config_in(folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join("rasadmin.toml");
    std::fs::write(&path, CONFIG).unwrap();
    path
}

fn main() {
    let dll = PathBuf::from(std::env::args_os().nth(1).expect("usage: session_cost DLL"));
    let Some(folder) = std::env::var_os("SESSION_COST").map(PathBuf::from) else {
        // The DLL looks for its configuration in the environment, which a process can only give to another.
        let folder = tempfile::tempdir().unwrap();
        let config = config_in(&folder.path().join("dll"));
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        again.arg(std::path::absolute(&dll).unwrap()).env("SESSION_COST", folder.path()).env("RASADMIN_CONFIG", config);
        again.env("RASADMIN_LOG", folder.path().join("log")).env("RASADMIN_SYSTEM_LOG", "off");
        assert!(again.status().unwrap().success());
        return;
    };
    let own = config::load(&config_in(&folder.join("own"))).unwrap();
    let ledger = own.ledger.clone();
    let engine = Engine::start(Arc::new(own), &Name::new("VPN1"), now());
    engine.logged();
    let copy = folder.join("bare.db");
    Connection::open(&ledger).unwrap().execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    let copy = Connection::open(&copy).unwrap();
    copy.set_prepared_statement_cache_capacity(128);
    copy.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8192; PRAGMA journal_size_limit = 67108864",
    )
    .unwrap();
    let pool = Pool::new([10, 20, 0, 1].into(), [10, 20, 0, 2].into(), [10, 20, 0, 254].into(), [0; 8]);
    let service = Service::start(&[dll], Options::new(pool)).unwrap();
    let (mut handle, mut blocks) = (0, Vec::new());
    for block in 0..=BLOCKS {
        let statements = noted(&engine, block, &mut handle);
        let (ours, theirs) = (through_the_dll(&service, block), bare(&copy, &statements));
        // The first block warms both up.
        if block > 0 {
            blocks.push((ours, theirs, statements));
        }
    }
    let sum = |times: &Times| times.values().flatten().sum::<u64>();
    let of = |which: fn(&Block) -> &Times| {
        Duration::from_nanos(median(blocks.iter().map(|block| sum(which(block)) / SESSIONS as u64).collect()))
    };
    let (dll, bare) = (of(|block| &block.0), of(|block| &block.1));
    println!("{BLOCKS} blocks of {SESSIONS} sessions, medians\n");
    println!("  {:40} {:>11} {:>11} {:>7} {:>11}", "callback", "through DLL", "bare SQL", "ratio", "statements");
    for callback in CALLBACKS {
        let median_of = |which: fn(&Block) -> &Times| {
            median(blocks.iter().flat_map(|block| which(block)[&callback].iter().copied()).collect())
        };
        let (ours, theirs) = (median_of(|block| &block.0), median_of(|block| &block.1));
        let count = |statements: &[(F, Vec<Logged>)]| {
            median(statements.iter().filter(|(f, _)| *f == callback).map(|(_, all)| all.len() as u64).collect())
        };
        println!(
            "  {:40} {:>8.1} us {:>8.1} us {:>7.2} {:>11}",
            callback.name(),
            ours as f64 / 1e3,
            theirs as f64 / 1e3,
            ours as f64 / theirs as f64,
            count(&blocks[0].2)
        );
    }
    println!(
        "  {:40} {:>8.1} us {:>8.1} us {:>7.2}",
        "a whole session",
        dll.as_secs_f64() * 1e6,
        bare.as_secs_f64() * 1e6,
        dll.as_secs_f64() / bare.as_secs_f64()
    );
    println!("\n  one after the other, as RRAS serialises its calls: {:.0} sessions a second", 1.0 / dll.as_secs_f64());
    service.stop().unwrap();
}
