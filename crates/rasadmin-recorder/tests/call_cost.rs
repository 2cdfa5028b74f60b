//! What a call costs in SQLite, by its own counters, not by time: a few statements, whatever there is.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::config::Config;
use rasadmin_engine::{Answer, Event, Here, Id, Journal, Name, Process, Stamp, State, Tunnel, decide};
use rasadmin_ledger::sqlite::{Create, Records, Sqlite, Work};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{With, address, connection, link, release};

const CONFIG: &str = r#"
    time_zone = "UTC"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "p"
    [pools.p]
    addresses = ["10.0.0.0/8"]
    [groups.staff]
    users = ['CORP\*']
    [[rules]]
    name = "limits"
    action = "deny"
    group_sessions = { group = "staff", at_least = 1000000 }
    user_sessions = { at_least = 1000000 }
    connect_time = { per = "month", at_least = "1000h" }
    when_ledger_unavailable = "skip"
"#;

fn far() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

struct Calls {
    _folder: tempfile::TempDir,
    config: Arc<Config>,
    server: Name,
    records: Records,
    state: State,
    at: Stamp,
}

impl Calls {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = support::config(folder.path(), CONFIG);
        let ledger = Sqlite::open(&config.ledger, Create::Yes, true, far()).unwrap();
        let server = Name::new("VPN1");
        let (records, state) = Records::of(ledger, &server, &config, far()).unwrap();
        let mut calls = Self { _folder: folder, config, server, records, state, at: Stamp::default() };
        calls.tell(&Event::InstanceStarted { instance: Id(1) });
        calls.records.ledger().work();
        calls
    }

    /// A call, a millisecond after the last: its answer, and what it cost.
    fn tell(&mut self, event: &Event) -> (Answer, Work) {
        self.at = Stamp { time: self.at.time + 1, mono: self.at.mono.after(1) };
        let (now, process) = (support::now(self.at), Process(1));
        let here = Here::new(&self.config, &self.server, Id(1), process);
        let decide = &mut |state: &State| Some(decide(state, &here, event, &now));
        let record = self.records.call(&mut self.state, far(), decide).unwrap().unwrap();
        (record.answer, self.records.ledger().work())
    }

    /// A session's begin: address, connection, link.
    fn begin(&mut self, handle: u64, user: &str) -> [Work; 3] {
        let port = format!("VPN0-{handle}");
        let (answer, assigned) = self.tell(&Event::Address(address(user, &port, "")));
        let Answer::Address(given) = answer else { panic!("{answer:?}") };
        let number = support::ipv4(Ok(rasadmin_ledger::Assigned::Number(given.number))).unwrap();
        let event = connection(handle, user).with(|e| e.addresses = vec![support::number(&number)]);
        let (answer, connected) = self.tell(&Event::Connection(event));
        assert_eq!(answer, Answer::Accept);
        let (answer, linked) = self.tell(&Event::Link(link(handle, &port, Tunnel::Sstp)));
        assert_eq!(answer, Answer::Accept);
        [assigned, connected, linked]
    }

    fn end(&mut self, handle: u64, user: &str) -> [Work; 3] {
        let port = format!("VPN0-{handle}");
        let lease = self.state.leases_on(&port.as_str().into()).next().unwrap().address.number;
        let given = support::ipv4(Ok(rasadmin_ledger::Assigned::Number(lease))).unwrap();
        [
            self.tell(&Event::LinkHangup(link(handle, &port, Tunnel::Sstp))).1,
            self.tell(&Event::Hangup(connection(handle, user))).1,
            self.tell(&Event::Release(release(user, &port, &given))).1,
        ]
    }

    fn session(&mut self, handle: u64, user: &str) -> [Work; 6] {
        let ([a, b, c], [d, e, f]) = (self.begin(handle, user), self.end(handle, user));
        [a, b, c, d, e, f]
    }
}

#[test]
fn a_call_is_a_few_statements_whatever_lives_and_whatever_was() {
    let mut calls = Calls::new();
    // The very first call also notes that the instance lives, which is done once a second.
    calls.session(2000, "nobody");
    let first = calls.session(1, "alice");
    let statements = |works: [Work; 6]| works.map(|work| work.statements);
    // Address: begin, whether others have written, record, decision, lease, commit.
    assert_eq!(statements(first), [6, 8, 8, 5, 6, 5]);
    for handle in 2..150 {
        calls.begin(handle, &format!("user{handle}"));
    }
    for handle in 150..300 {
        calls.session(handle, &format!("user{}", handle % 50));
    }
    let last = calls.session(1000, "alice");
    assert_eq!(statements(last), statements(first));
    for (nth, work) in last.iter().enumerate() {
        assert_eq!((work.scanned, work.sorts), (0, 0), "of call {nth} no table is walked through, nothing sorted");
    }
    let steps = |works: [Work; 6]| works.map(|work| work.steps);
    let (first, last) = (steps(first), steps(last));
    for (nth, (first, last)) in first.into_iter().zip(last).enumerate() {
        assert!(last <= first + first / 10, "call {nth}: {first} steps at first, {last} at last");
    }
}
