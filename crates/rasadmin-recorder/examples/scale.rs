//! The cost of a call, a start and memory with many users and many live sessions: a report, not a test.
//!
//!     cargo xtask bench
#![allow(clippy::unwrap_used)] // A report may stop where it is.

#[path = "../tests/support/mod.rs"]
mod support;

use rasadmin_engine::{Name, Tunnel::Sstp};
use rasadmin_recorder::{Recorder, Verdict};
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use support::With;

/// Calls, with the time that each took in microseconds.
struct Play<'r> {
    recorder: &'r Recorder,
    took: Vec<f64>,
}

impl Play<'_> {
    fn call<T>(&mut self, call: impl FnOnce(&Recorder) -> T) -> T {
        let began = Instant::now();
        let answer = call(self.recorder);
        self.took.push(began.elapsed().as_secs_f64() * 1e6);
        answer
    }

    fn begin(&mut self, n: u64) -> String {
        let (user, port) = (format!("user{n}"), format!("VPN2-{n}"));
        let now = support::system();
        let asked = support::address(&user, &port, "");
        let given = support::ipv4(self.call(|r| r.assign(&asked, now))).unwrap();
        let event = support::connection(n, &user)
            .with(|e| e.addresses = vec![support::number("10.255.255.254"), support::number(&given)]);
        assert_eq!(self.call(|r| r.accept_connection(&event, support::system())), Verdict::Accept);
        let link = support::link(n, &port, Sstp);
        assert_eq!(self.call(|r| r.accept_link(&link, support::system())), Verdict::Accept);
        given
    }

    fn end(&mut self, n: u64, given: &str) {
        let (user, port) = (format!("user{n}"), format!("VPN2-{n}"));
        self.call(|r| r.link_hangup(&support::link(n, &port, Sstp), support::system()));
        self.call(|r| r.hangup(&support::connection(n, &user), support::system()));
        self.call(|r| r.release(&support::release(&user, &port, given), support::system()));
    }

    /// Sessions connect and disconnect. Returns the times of their calls.
    fn come_and_go(&mut self, from: u64, sessions: u64) -> String {
        self.took.clear();
        for n in from..from + sessions {
            let given = self.begin(n);
            self.end(n, &given);
        }
        self.took.sort_by(f64::total_cmp);
        let at = |share: usize| self.took[(self.took.len() - 1) * share / 10_000];
        format!(
            "a call {:.1} us at the median, {:.1} at p99, {:.1} at p99.9, {:.0} at most",
            at(5000),
            at(9900),
            at(9990),
            at(10_000)
        )
    }
}

fn started(folder: &Path) -> Recorder {
    let text = format!("journal.durability = \"process\"\n{}", support::COUNTING);
    Recorder::start(support::config(folder, &text), &Name::new("VPN1"), support::system())
}

/// The memory of this process, in MiB: now, and the peak so far.
fn memory() -> Option<[f64; 2]> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let of = |field: &str| {
        let line = status.lines().find(|line| line.starts_with(field))?;
        line.split_ascii_whitespace().nth(1)?.parse::<f64>().ok().map(|kibibytes| kibibytes / 1024.0)
    };
    Some([of("VmRSS:")?, of("VmHWM:")?])
}

fn print_memory() {
    if let Some([now, most]) = memory() {
        println!("  memory {now:.0} MiB, {most:.0} at most");
    }
}

/// Measures what was requested, in a process of its own.
fn child(what: &str, folder: &Path) {
    let began = Instant::now();
    let recorder = started(folder);
    let took = began.elapsed().as_secs_f64() * 1e3;
    let mut play = Play { recorder: &recorder, took: Vec::new() };
    let (kind, count) = what.split_once(' ').unwrap();
    let count: u64 = count.parse().unwrap();
    match kind {
        // Ends as a crash does.
        "live" => {
            (0..count).for_each(|n| drop(play.begin(n)));
            println!("{count} live sessions: {}", play.come_and_go(count, 5000));
            print_memory();
        }
        "known" => {
            for n in 0..count {
                let given = play.begin(n);
                play.end(n, &given);
            }
            println!("{count} users known: {}", play.come_and_go(count, 5000));
            print_memory();
            recorder.stop(support::system());
        }
        _ => {
            println!("{what}: started in {took:.0} ms");
            print_memory();
        }
    }
    std::process::exit(0);
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [what, folder] = &words[..] {
        child(what, Path::new(folder));
    }
    let run = |what: &str, folder: &Path| {
        let status = Command::new(std::env::current_exe().unwrap()).arg(what).arg(folder).status().unwrap();
        assert!(status.success());
    };
    for count in [1_000, 100_000] {
        let folder = tempfile::tempdir().unwrap();
        run(&format!("live {count}"), folder.path());
        run(&format!("crashed {count}"), folder.path());
    }
    let folder = tempfile::tempdir().unwrap();
    run("known 100000", folder.path());
    run("stopped 100000", folder.path());
}
