//! Several processes with one journal, killed at any moment and stopped.
#![allow(clippy::unwrap_used)]

use rasadmin_journal::{Error, Follower, Item, Journal, Options};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const ROLE: &str = "RASADMIN_JOURNAL_ROLE";
const FOLDER: &str = "RASADMIN_JOURNAL_FOLDER";

/// Small enough that a round rolls several times.
const OPTIONS: Options = Options { segment: 16 * 1024, portion: 1024, durable: true };

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(120)
}

/// The role of a process that a test has started. Without a role this test does nothing.
#[test]
fn child() {
    let (Ok(role), Some(folder)) = (std::env::var(ROLE), std::env::var_os(FOLDER)) else { return };
    let journal = Journal::open(Path::new(&folder), OPTIONS, soon()).unwrap();
    match role.split_once(' ') {
        Some(("append", name)) => append(&journal, name),
        Some(("hold", _)) => {
            let _guard = journal.lock(soon()).unwrap();
            say("held");
            wait_for_the_end();
        }
        Some(("join", token)) => {
            let instance = journal.lock(soon()).unwrap().join_instance(token, "1").unwrap();
            say(&format!("{} {}", instance.is_first(), instance.token()));
            wait_for_the_end();
        }
        _ => panic!("{role}"),
    }
}

/// Appends until it is killed, and prints each of its numbers once it is recorded. Every third one is synced first.
fn append(journal: &Journal, name: &str) {
    for own in 1_u64.. {
        let mut guard = journal.lock(soon()).unwrap();
        guard.catch_up(|item| assert!(matches!(item, Item::Record(_)), "{item:?}")).unwrap();
        let more = "z".repeat(usize::try_from(own * 131 % 700).unwrap());
        let last = guard.append(&[format!("{name} {own} {more}").as_bytes()]).unwrap().last;
        drop(guard);
        if own % 3 == 0 {
            journal.sync(&last).unwrap();
        }
        say(&own.to_string());
        journal.upkeep(Duration::from_millis(own)).unwrap();
    }
}

fn say(what: &str) {
    // In one write, so that a kill does not cut it: the parent reads whole lines only.
    let mut out = std::io::stdout();
    out.write_all(format!("\nsaid {what}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Waits until the test kills this process, or dies itself.
fn wait_for_the_end() {
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// A child process, killed at the latest at the end of the test.
struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Running {
    fn start(folder: &Path, role: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child", "--nocapture"]).env(ROLE, role).env(FOLDER, folder);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// The next line of its output; None once it is dead.
    fn said(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.out.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
                return None;
            }
            if let Some(said) = line.trim_end().strip_prefix("said ") {
                return Some(said.to_owned());
            }
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Stops the follower, even if the test fails, because it would never end otherwise.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Reads meanwhile until it is stopped; returns what it read.
fn follow(folder: &Path, stop: &AtomicBool) -> Vec<String> {
    let mut all = Vec::new();
    let mut follower = None;
    loop {
        let last = stop.load(Ordering::SeqCst);
        if follower.is_none() {
            follower = Follower::open(folder).unwrap();
        }
        if let Some(follower) = &mut follower {
            follower.read(|item| read_one(&mut all, &item)).unwrap();
        }
        if last {
            return all;
        }
        std::thread::yield_now();
    }
}

/// Each number follows the one before, and each record is whole.
fn read_one(all: &mut Vec<String>, item: &Item<'_>) {
    let Item::Record(record) = item else { panic!("{item:?}") };
    assert_eq!(record.number, all.len() as u64 + 1);
    let text = String::from_utf8(record.payload.to_vec()).unwrap();
    let parts: Vec<_> = text.split(' ').collect();
    let own: usize = parts[1].parse().unwrap();
    assert!(parts.len() == 3 && parts[2].len() == own * 131 % 700, "{text}");
    all.push(text);
}

/// Rounds of several processes, each killed after it has printed some numbers. Afterwards the journal must have every
/// printed number once and in order, and at most one more of each process.
fn rounds(processes: usize, rounds: usize) {
    let folder = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let mut said = BTreeMap::new();
    let followed = std::thread::scope(|scope| {
        let follower = scope.spawn(|| follow(folder.path(), &stop));
        let end = Stop(&stop);
        for round in 0..rounds {
            let names: Vec<_> = (0..processes).map(|process| format!("{round}.{process}")).collect();
            let kill = |(index, name): (usize, &String)| {
                let mut running = Running::start(folder.path(), &format!("append {name}"));
                let enough = 1 + (round * 7 + index * 13) % 40;
                let mut last = 0;
                while last < enough as u64 {
                    last = running.said().expect("it lives").parse().unwrap();
                }
                running.kill();
                // What it said before it died.
                while let Some(more) = running.said() {
                    last = more.parse().unwrap();
                }
                (name.clone(), last)
            };
            let round: Vec<_> = std::thread::scope(|scope| {
                let kill = &kill;
                let threads: Vec<_> =
                    names.iter().enumerate().map(|(index, name)| scope.spawn(move || kill((index, name)))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            said.extend(round);
        }
        // The next process that appends erases what the last one left.
        let journal = Journal::open(folder.path(), OPTIONS, soon()).unwrap();
        let mut all = Vec::new();
        journal.lock(soon()).unwrap().catch_up(|item| read_one(&mut all, &item)).unwrap();
        drop(end);
        assert_eq!(follower.join().unwrap(), all, "the follower read the same");
        all
    });
    let mut found = BTreeMap::<String, u64>::new();
    for text in &followed {
        let mut parts = text.split(' ');
        let last = found.entry(parts.next().unwrap().to_owned()).or_default();
        assert_eq!(parts.next().unwrap().parse(), Ok(*last + 1), "{text}");
        *last += 1;
    }
    assert_eq!(said.len(), processes * rounds);
    for (name, said) in said {
        let found = found.get(&name).copied().unwrap_or_default();
        assert!(found == said || found == said + 1, "{name} said {said} and {found} are there");
    }
    assert!(std::fs::read_dir(folder.path()).unwrap().count() > 4, "several segments");
}

/// How many times as many rounds to play as by default: RASADMIN_ROUNDS.
fn times() -> usize {
    std::env::var("RASADMIN_ROUNDS").map_or(1, |times| times.parse().unwrap())
}

#[test]
fn one_process_killed_again_and_again() {
    rounds(1, 12 * times());
}

#[test]
fn two_processes_killed_again_and_again() {
    rounds(2, 8 * times());
}

#[test]
fn four_processes_killed_again_and_again() {
    rounds(4, 5 * times());
}

#[test]
fn a_holder_that_is_killed_frees_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), OPTIONS, soon()).unwrap();
    let mut holder = Running::start(folder.path(), "hold -");
    assert_eq!(holder.said().as_deref(), Some("held"));
    assert!(matches!(journal.lock(Instant::now() + Duration::from_millis(50)), Err(Error::Locked)));
    holder.kill();
    journal.lock(soon()).unwrap().catch_up(|_| ()).unwrap();
}

#[cfg(unix)]
#[test]
fn a_holder_that_is_stopped_costs_the_deadline_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), OPTIONS, soon()).unwrap();
    let mut holder = Running::start(folder.path(), "hold -");
    assert_eq!(holder.said().as_deref(), Some("held"));
    let id = holder.child.id().to_string();
    assert!(Command::new("kill").args(["-STOP", &id]).status().unwrap().success());
    let early = Instant::now();
    assert!(matches!(journal.lock(early + Duration::from_millis(200)), Err(Error::Locked)));
    assert!(early.elapsed() >= Duration::from_millis(200));
    // Who only reads does not wait.
    Follower::open(folder.path()).unwrap().unwrap().read(|_| ()).unwrap();
    holder.kill();
    journal.lock(soon()).unwrap();
}

#[test]
fn an_instance_is_the_processes_that_live() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), OPTIONS, soon()).unwrap();
    let lives = || journal.lock(soon()).unwrap().instance_lives().unwrap();
    let mut one = Running::start(folder.path(), "join one");
    assert_eq!(one.said().as_deref(), Some("true one"));
    let mut two = Running::start(folder.path(), "join two");
    assert_eq!(two.said().as_deref(), Some("false one"));
    one.kill();
    assert!(lives());
    let joined = journal.lock(soon()).unwrap().join_instance("three", "1").unwrap();
    assert_eq!((joined.is_first(), joined.token()), (false, "one"));
    drop(joined);
    two.kill();
    assert!(!lives());
    assert!(journal.lock(soon()).unwrap().join_instance("four", "1").unwrap().is_first());
}
