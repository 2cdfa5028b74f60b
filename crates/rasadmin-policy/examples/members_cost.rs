//! What a line of a members file costs, good ones and bad ones, and what folding a name costs. A report: nothing is
//! asserted. `cargo run --release -p rasadmin-policy --example members_cost`
#![allow(clippy::unwrap_used)]

use rasadmin_policy::config::parse;
use rasadmin_policy::{Domains, Name};
use std::hint::black_box;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

const TEXT: &str = "default.action = \"deny\"\ndefault_domain = \"CORP\"\ndomains.CORP = [\"corp.example\"]\n\
                    groups.g.members_file = \"g.txt\"\n";

/// How many lines are measured at a time: on some systems the clock advances in steps of milliseconds.
const LINES: u32 = 500_000;

fn main() {
    for (what, line) in [
        ("CORP\\user77", &|n| format!("CORP\\user{n}\n")),
        ("user77", &|n| format!("user{n}\n")),
        ("user77@corp.example", &|n| format!("user{n}@corp.example\n")),
        ("CORP\\josé77", &|n| format!("CORP\\josé{n}\n")),
        ("CORP\\dev77*", &|n| format!("CORP\\dev{n}*\n")),
        ("a@b@c (bad)", &|n| format!("a@b@c{n}\n")),
        ("@ (bad)", &|_| "@\n".to_owned()),
    ] as [(&str, &dyn Fn(u32) -> String); 7]
    {
        for lines in [10_000, LINES] {
            let text: String = (0..lines).map(line).collect();
            let mut size = 0;
            let times = (0..3).map(|_| {
                let started = on_cpu();
                for _ in 0..LINES / lines {
                    let parsed = parse("cost", TEXT, Path::new("/cost"), &mut |_| Ok(text.clone()));
                    size = parsed.as_ref().map_or_else(|errors| errors.to_string().len(), |_| 0);
                }
                on_cpu() - started
            });
            let best = times.min().unwrap_or_default().as_secs_f64() * 1e6 / f64::from(LINES);
            println!("{what:20} {lines:7} lines: {best:.2} µs per line, {size} octets of errors");
        }
    }
    let corp = ["corp.example".to_owned()];
    let domains = Domains::new([("CORP", &corp[..])], Some("CORP"));
    for user in ["alice", "CORP\\alice", "alice@corp.example", "CORP\\josé", "host/pc7.corp.example"] {
        let (name, nobody) = (Name::new(user), Name::default());
        let started = on_cpu();
        for _ in 0..100_000 {
            black_box(domains.identity(black_box(&name), &nobody));
        }
        println!("who is {user}: {:.3} µs", (on_cpu() - started).as_secs_f64() * 1e6 / 1e5);
    }
}

/// How long this thread has run, if the system reports it. The time of other threads does not count.
fn on_cpu() -> Duration {
    static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = text.and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| STARTED.elapsed(), Duration::from_nanos)
}
