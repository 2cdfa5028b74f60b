//! `disconnect` beside a recorder, with an RRAS in memory.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::prelude::*;
use rasadmin_engine::effect::{BlockSubject, DisconnectDecided, SessionEnded};
use rasadmin_engine::event::{BeginBlock, ConnectionEvent};
use rasadmin_engine::{Effect, Event, Record, Stamp};
use rasadmin_policy::Name;
use rasadmin_recorder::Verdict;
use rasadmin_rras::{
    Connection, ConnectionHandle, Counters, Error, Failure, Instance, Operation, Port, PortHandle, PortState, Rras,
    Scripted,
};
use rasadmin_service::disconnect::{Cut, Disconnect, Disconnector, Outcome, cut};
use rasadmin_service::monitor::Seen;
use rasadmin_service::state::{DisconnectReport, Report};
use rasadmin_service::{Current, Duty, Monitor, Stop, Turn};
use std::sync::{Arc, Mutex};
use support::{Lines, Scene, With, connection, log, settings};

const GIB: u64 = 1 << 30;

const NOBODY_CUT: [u64; 0] = [];

/// `rules` and `[service.disconnect]`, with what every configuration here has.
fn with(mode: &str, rules: &str) -> String {
    format!(
        r#"
        time_zone = "UTC"
        default_domain = "CORP"
        default.action = "allow"
        addresses.pool = "staff"
        journal.durability = "process"
        [service.disconnect]
        mode = "{mode}"
        [pools.staff]
        addresses = ["10.8.0.0/16"]
        {rules}
        "#
    )
}

const LONG: &str = r#"
    [[rules]]
    name = "ten hours"
    action = "deny"
    reason = "come back tomorrow"
    session_time = "10h"
    disconnect_active = true
"#;

const QUOTA: &str = r#"
    [[rules]]
    name = "quota"
    action = "deny"
    octets = { at_least = "2 GiB", per = "day" }
    disconnect_active = true
"#;

struct Case {
    scene: Scene,
    rras: Scripted,
    clock: Arc<Mutex<Stamp>>,
    seen: Seen,
    current: Arc<Current>,
    monitor: Monitor,
    disconnector: Arc<Disconnector>,
    duty: Disconnect,
    lines: Lines,
    log: Arc<rasadmin_service::Log>,
    stop: Stop,
}

impl Case {
    /// A service that has run for long enough to trust the configuration.
    fn new(mode: &str, rules: &str) -> Self {
        let mut case = Self::fresh(mode, rules);
        case.wait(3600);
        case.step();
        case.wait(60);
        case.step();
        case
    }

    fn fresh(mode: &str, rules: &str) -> Self {
        let (scene, rras) = (Scene::new(&with(mode, rules)), Scripted::default());
        rras.change(|script| script.instance = Some(Instance { process: 700, created: 1 }));
        let clock = Arc::new(Mutex::new(scene.now().at));
        let (log, lines) = log();
        let (seen, current) = (Seen::default(), Arc::new(Current::new(scene.config.clone())));
        let at = |clock: &Arc<Mutex<Stamp>>| {
            let clock = clock.clone();
            Box::new(move || *clock.lock().unwrap())
        };
        let monitor = Monitor::new(settings(&scene), current.clone(), Arc::new(rras.clone()), None);
        let monitor = monitor.with_clock(at(&clock)).showing(seen.clone());
        let (beside, settings) = (Arc::new(rras.clone()), settings(&scene));
        let disconnector = Disconnector::new(settings, current.clone(), beside, at(&clock), seen.clone());
        let disconnector = Arc::new(disconnector);
        let duty = Disconnect::new(disconnector.clone(), None, None);
        let stop = Stop::default();
        Self { scene, rras, clock, seen, current, monitor, disconnector, duty, lines, log, stop }
    }

    /// The service ends, and starts again.
    fn restart(&mut self) {
        let (clock, beside) = (self.clock.clone(), Arc::new(self.rras.clone()));
        let (settings, clock) = (settings(&self.scene), Box::new(move || *clock.lock().unwrap()));
        let anew = Disconnector::new(settings, self.current.clone(), beside, clock, self.seen.clone());
        self.disconnector = Arc::new(anew);
        self.duty = Disconnect::new(self.disconnector.clone(), None, Some(self.duty.report()));
    }

    fn wait(&self, seconds: i64) {
        self.scene.wait(seconds);
        *self.clock.lock().unwrap() = self.scene.now().at;
    }

    /// A session begins, and RRAS has it on a port.
    fn begin(&self, handle: u64, user: &str) {
        self.scene.begin(handle, user, &format!("VPN2-{handle}")).unwrap();
        self.rras.change(|script| {
            script.connections.push(listed(&connection(handle, user)));
            script.ports.push(port(handle, handle));
        });
    }

    fn received(&self, handle: u64, octets: u64) {
        self.rras.change(|script| {
            let listed = script.connections.iter_mut().find(|c| c.handle.0 == handle).unwrap();
            let octets_received = (octets & 0xffff_ffff) as u32;
            listed.counters =
                Counters { octets_received, frames_received: (octets / 1000) as u32, ..Counters::default() };
        });
    }

    fn step(&mut self) -> DisconnectReport {
        let turn = Turn { now: self.scene.now().at.time, stop: &self.stop, log: &self.log };
        self.monitor.step(&turn).unwrap();
        self.duty.step(&turn).unwrap();
        let Report::Disconnect(report) = self.duty.report() else { panic!("another duty's report") };
        report
    }

    /// The handles of the ports that were disconnected, each with the handle of its connection.
    fn cut(&self) -> Vec<u64> {
        self.rras.script().disconnected.iter().map(|port| port.0 % 1000).collect()
    }

    fn decided(&self) -> Vec<DisconnectDecided> {
        let effects = self.scene.records().into_iter().flat_map(|record| record.effects);
        effects.filter_map(|e| if let Effect::DisconnectDecided(decided) = e { Some(*decided) } else { None }).collect()
    }

    fn hangup(&self, handle: u64, user: &str) {
        self.scene.recorder.hangup(&connection(handle, user), self.scene.now());
    }

    fn ended(&self) -> Vec<SessionEnded> {
        self.scene.records().iter().flat_map(Record::ended).cloned().collect()
    }

    /// Puts another configuration in force for the service.
    fn set(&self, text: &str) {
        self.current.set(support::config(self.scene.folder.path(), text));
    }
}

fn listed(event: &ConnectionEvent) -> Connection {
    Connection {
        handle: ConnectionHandle(event.handle),
        guid: event.guid.clone(),
        interface: event.interface,
        interface_name: Name::default(),
        user: event.user.clone(),
        domain: event.domain.clone(),
        computer: event.computer.clone(),
        source: Name::new(&event.source),
        ikev2: event.ikev2 == Some(true),
        quarantine: event.quarantine,
        seconds: 60,
        counters: Counters::default(),
        projection: None,
    }
}

fn port(number: u64, connection: u64) -> Port {
    Port {
        handle: PortHandle(1000 + number),
        connection: ConnectionHandle(connection),
        name: Name::new(&format!("VPN2-{number}")),
        device: Name::new("WAN Miniport (SSTP)"),
        device_type: Name::new("vpn"),
        state: PortState::Authenticated,
    }
}

#[test]
fn a_session_that_lasts_too_long_is_disconnected_and_its_hangup_has_the_cause() {
    let mut case = Case::new("enforce", LONG);
    case.begin(1, "alice");
    case.wait(9 * 3600);
    case.begin(2, "bob");
    case.step();
    assert_eq!(case.cut(), NOBODY_CUT);
    case.wait(3600);
    let report = case.step();
    assert_eq!((case.cut(), report.enforced), (vec![1], 1));
    let decided = &case.decided()[0];
    assert_eq!((decided.why.rule(), decided.why.reason()), (Some("ten hours"), Some("come back tomorrow")));
    case.hangup(1, "alice");
    assert_eq!(case.ended()[0].terminate_cause(), Some("Session-Timeout"));
    assert_eq!(
        case.scene.ask(
            "SELECT name, disconnect, disconnect_why, disconnect_rule, disconnect_by, acct_terminate_cause, closed_by
             FROM sessions ORDER BY id"
        ),
        "ALICE enforced rule ten hours - Session-Timeout hangup; BOB - - - - - -"
    );
    // Nothing more is done or recorded.
    case.wait(60);
    case.step();
    assert_eq!((case.cut().len(), case.decided().len()), (1, 1));
}

#[test]
fn the_first_mode_only_reports_and_says_so_once() {
    let mut case = Case::new("report", LONG);
    case.begin(1, "alice");
    case.wait(10 * 3600);
    for _ in 0..3 {
        case.wait(5);
        case.step();
    }
    assert_eq!((case.cut(), case.decided().len()), (vec![], 1));
    assert_eq!(case.scene.ask("SELECT disconnect, disconnect_rule FROM sessions"), "reported ten hours");
    case.hangup(1, "alice");
    assert_eq!(case.ended()[0].terminate_cause(), None);
}

#[test]
fn a_quota_is_decided_by_what_looks_have_seen_and_that_is_recorded_first() {
    let mut case = Case::new("enforce", QUOTA);
    case.begin(1, "alice");
    case.step();
    // Less than what the monitor records by itself.
    for part in 1..=4 {
        case.received(1, part * GIB * 6 / 10);
        case.wait(5);
        case.step();
        if part < 4 {
            assert_eq!(case.cut(), NOBODY_CUT, "{part}");
        }
    }
    assert_eq!(case.cut(), [1]);
    let octets = case.scene.ask("SELECT sum(input_octets) FROM use");
    assert!(octets.parse::<u64>().unwrap() >= 2 * GIB, "{octets}");
    // Whoever comes back is refused by the same rule.
    case.hangup(1, "alice");
    assert!(matches!(case.scene.connect(&connection(9, "alice")), Verdict::Reject(by) if by.contains("quota")));
}

#[test]
fn a_grace_gives_time_and_begins_anew_if_the_rule_no_longer_holds() {
    let hours = r#"
        [[rules]]
        name = "night"
        action = "deny"
        hours = ["mon-sun 20:00-24:00", "mon-sun 00:00-06:00"]
        disconnect_active = true
        grace = "5m"
    "#;
    let mut case = Case::new("enforce", hours);
    case.begin(1, "alice");
    // The scene begins on a Monday at nine o'clock.
    let to = |case: &Case, hour: i64, minute: i64| {
        let now = (case.scene.now().at.time / 1000) % 86_400;
        case.wait(hour * 3600 + minute * 60 - now);
    };
    to(&case, 20, 1);
    case.step();
    to(&case, 20, 5);
    case.step();
    assert_eq!(case.cut(), NOBODY_CUT);
    to(&case, 20, 6);
    case.step();
    assert_eq!(case.cut(), [1]);
}

#[test]
fn a_rule_disconnects_ten_a_minute_and_the_rest_waits() {
    let mut case = Case::new("enforce", LONG);
    for handle in 1..=25 {
        case.begin(handle, &format!("u{handle}"));
        case.wait(1);
    }
    case.wait(10 * 3600);
    assert_eq!((case.step().waiting, case.cut().len()), (15, 10));
    case.wait(30);
    assert_eq!((case.step().waiting, case.cut().len()), (15, 10));
    case.wait(30);
    assert_eq!((case.step().waiting, case.cut().len()), (5, 20));
    case.wait(60);
    case.step();
    // Those that began first went first.
    assert_eq!(case.cut(), (1..=25).collect::<Vec<u64>>());
}

const NOBODY: &str = r#"
    [[rules]]
    name = "everybody"
    action = "deny"
    users = ["*"]
    disconnect_active = true
"#;

#[test]
fn a_changed_file_must_stand_for_a_minute_and_ends_no_more_than_half_unasked() {
    let mut case = Case::new("enforce", "");
    (1..=12).for_each(|handle| case.begin(handle, &format!("u{handle}")));
    case.step();
    case.set(&with("enforce", NOBODY));
    assert_eq!((case.step().waiting, case.cut().len()), (12, 0));
    case.wait(59);
    assert_eq!((case.step().waiting, case.cut().len()), (12, 0));
    case.wait(1);
    let report = case.step();
    assert_eq!((report.stopped.len(), report.stopped[0].sessions, case.cut().len()), (1, 12, 0));
    let line = case.lines.lock().unwrap().last().unwrap().clone();
    assert!(line.contains("the rule everybody would disconnect 12 of the 12 live sessions"), "{line}");
    // It stays so, also if the service starts again.
    case.restart();
    case.wait(600);
    assert_eq!((case.step().stopped.len(), case.cut().len()), (1, 0));
    assert_eq!(case.disconnector.resume("nobody"), Some(false));
    assert_eq!(case.disconnector.resume("everybody"), Some(true));
    // After a start, too, the file must have stood for a minute.
    assert_eq!((case.step().stopped.len(), case.cut().len()), (0, 0));
    case.wait(60);
    case.step();
    assert_eq!(case.cut().len(), 10);
}

#[test]
fn ten_sessions_are_few_enough_and_another_change_is_judged_anew() {
    let mut case = Case::new("enforce", "");
    (1..=12).for_each(|handle| case.begin(handle, &format!("u{handle}")));
    case.set(&with("enforce", NOBODY));
    case.step();
    case.wait(60);
    assert_eq!(case.step().stopped.len(), 1);
    let ten = (1..=10).map(|user| format!("\"u{user}\"")).collect::<Vec<_>>().join(", ");
    case.set(&with("enforce", &NOBODY.replace("\"*\"", &ten)));
    assert_eq!(case.step().stopped.len(), 0);
    case.wait(60);
    case.step();
    assert_eq!(case.cut().len(), 10);
}

#[test]
fn a_blocked_user_is_disconnected_at_once_also_in_the_first_mode() {
    let mut case = Case::fresh("report", "");
    case.begin(1, "alice");
    case.begin(2, "bob");
    let user = case.scene.config.domains.identity(&"alice".into(), &"".into()).unwrap();
    let block = BeginBlock { subject: BlockSubject::User(user), until: None, reason: None, by: None };
    case.scene.record(Event::BeginBlock(block));
    case.step();
    assert_eq!(case.cut(), [1]);
    case.hangup(1, "alice");
    assert_eq!(case.ended()[0].terminate_cause(), Some("Admin-Reset"));
}

#[test]
fn the_session_that_a_newcomer_replaces_is_disconnected() {
    let one = r#"
        [[rules]]
        name = "one"
        action = "deny"
        max_user_sessions = 1
        when_exceeded = "replace-oldest"
    "#;
    for (mode, expected) in [("enforce", vec![1]), ("report", vec![])] {
        let mut case = Case::new(mode, one);
        case.begin(1, "alice");
        case.wait(60);
        case.scene.address("alice", "VPN2-2", "").unwrap();
        let second = connection(2, "alice").with(|e| e.computer = "OTHER".into());
        assert_eq!(case.scene.connect(&second), Verdict::Accept);
        assert_eq!(case.scene.link(2, "VPN2-2", rasadmin_engine::Tunnel::Sstp), Verdict::Accept);
        case.step();
        assert_eq!(case.cut(), expected, "{mode}");
        let how: Vec<&str> = case.decided().iter().map(|decided| decided.how.name()).collect();
        assert_eq!(how, ["marked", if mode == "enforce" { "enforced" } else { "reported" }]);
    }
}

#[test]
fn what_an_administrator_names_is_disconnected_and_the_account_is_recorded() {
    let case = Case::fresh("report", "");
    case.begin(1, "alice");
    case.begin(2, "bob");
    let id = |handle| case.scene.present().by_handle(handle).unwrap().id;
    let ids = [id(1), rasadmin_engine::Id(7)];
    let outcomes = case.disconnector.order(&ids, Some("stolen"), r"CORP\admin").unwrap();
    assert_eq!((outcomes, case.cut()), (vec![Outcome::Asked, Outcome::NotLive], vec![1]));
    assert_eq!(
        case.scene.ask(
            "SELECT disconnect, disconnect_why, disconnect_reason, disconnect_by FROM sessions WHERE name = 'ALICE'"
        ),
        r"enforced asked stolen CORP\admin"
    );
}

#[test]
fn an_order_that_rras_cannot_hear_is_recorded_and_carried_out_later() {
    let mut case = Case::fresh("report", "");
    case.begin(1, "alice");
    let id = case.scene.present().by_handle(1).unwrap().id;
    case.rras.change(|script| script.failing = vec![(Operation::Ports, Failure::AccessDenied)]);
    let outcomes = case.disconnector.order(&[id], None, "root").unwrap();
    assert!(matches!(&outcomes[..], [Outcome::Failed(why)] if why.contains("access")), "{outcomes:?}");
    case.rras.change(|script| script.failing.clear());
    // A service that was killed in between knows it from the journal.
    case.restart();
    case.step();
    assert_eq!((case.cut(), case.decided().len()), (vec![1], 1));
}

#[test]
fn a_session_that_stays_is_tried_again_and_reported() {
    let mut case = Case::fresh("report", "");
    case.begin(1, "alice");
    case.rras.change(|script| script.ports.clear());
    let id = case.scene.present().by_handle(1).unwrap().id;
    case.disconnector.order(&[id], None, "root").unwrap();
    case.wait(5);
    assert_eq!(case.step().failing, []);
    case.wait(10);
    case.step();
    case.wait(20);
    let failing = case.step().failing;
    assert_eq!((failing.len(), failing[0].session, failing[0].tries), (1, id, 3));
    case.rras.change(|script| script.ports.push(port(1, 1)));
    case.wait(30);
    case.step();
    assert_eq!(case.cut(), [1]);
    case.hangup(1, "alice");
    assert_eq!(case.step().failing, []);
}

#[test]
fn another_users_connection_is_never_hit_even_with_the_same_guid() {
    let case = Case::fresh("report", "");
    case.begin(1, "alice");
    case.rras.change(|script| script.connections[0].user = "bob".into());
    let id = case.scene.present().by_handle(1).unwrap().id;
    let outcomes = case.disconnector.order(&[id], None, "root").unwrap();
    assert!(matches!(&outcomes[..], [Outcome::Failed(why)] if why.contains("another user, bob")), "{outcomes:?}");
    assert_eq!(case.cut(), NOBODY_CUT);
}

#[test]
fn a_connection_without_a_guid_is_left_alone() {
    let listed = Connection { guid: None, ..listed(&connection(1, "alice")) };
    assert_eq!(cut(&Scripted::default(), &listed), Ok(Cut::NoGuid));
}

const NEWEST: &str = r#"
    [[rules]]
    name = "one"
    action = "deny"
    max_user_sessions = 1
    when_exceeded = "replace-oldest"
"#;

impl Case {
    /// The user comes a second time, from another computer, and RRAS has that connection too.
    fn second(&self, handle: u64, user: &str) {
        let port_name = format!("VPN2-{handle}");
        self.scene.address(user, &port_name, "").unwrap();
        let event = connection(handle, user).with(|e| e.computer = "OTHER".into());
        assert_eq!(self.scene.connect(&event), Verdict::Accept);
        assert_eq!(self.scene.link(handle, &port_name, rasadmin_engine::Tunnel::Sstp), Verdict::Accept);
        self.rras.change(|script| {
            script.connections.push(listed(&event));
            script.ports.push(port(handle, handle));
        });
    }
}

#[test]
fn a_mark_that_no_longer_holds_ends_nobody() {
    let mut case = Case::new("report", NEWEST);
    case.begin(1, "alice");
    case.second(2, "alice");
    case.step();
    // The newer session has gone before the mode is another one.
    case.hangup(2, "alice");
    case.rras.change(|script| script.connections.retain(|listed| listed.handle.0 == 1));
    case.set(&with("enforce", NEWEST));
    case.step();
    case.wait(60);
    case.step();
    assert_eq!(case.cut(), NOBODY_CUT);
}

#[test]
fn what_was_marked_for_days_is_judged_and_limited_like_a_rule() {
    let mut case = Case::new("report", NEWEST);
    for number in 0..12 {
        case.begin(100 + number, &format!("u{number}"));
    }
    case.wait(60);
    for number in 0..12 {
        case.second(200 + number, &format!("u{number}"));
    }
    case.step();
    case.set(&with("enforce", NEWEST));
    assert_eq!((case.step().waiting, case.cut().len()), (12, 0));
    case.wait(60);
    // They are no more than half.
    assert_eq!((case.step().waiting, case.cut().len()), (2, 10));
    case.wait(60);
    case.step();
    assert_eq!((case.cut().len(), case.cut().iter().filter(|handle| **handle >= 200).count()), (12, 0));
}

#[test]
fn one_connection_that_rras_refuses_does_not_keep_the_others() {
    let mut case = Case::fresh("report", "");
    (1..=3).for_each(|handle| case.begin(handle, &format!("u{handle}")));
    let ids: Vec<_> = (1..=3).map(|handle| case.scene.present().by_handle(handle).unwrap().id).collect();
    case.rras.change(|script| script.refused = vec![PortHandle(1001)]);
    let outcomes = case.disconnector.order(&ids, None, "root").unwrap();
    assert!(matches!(&outcomes[0], Outcome::Failed(why) if why.contains("31")), "{outcomes:?}");
    assert_eq!((&outcomes[1..], case.cut().len()), (&[Outcome::Asked, Outcome::Asked][..], 2));
    case.rras.change(|script| script.refused.clear());
    case.wait(10);
    case.step();
    assert_eq!((case.cut().len(), case.cut()[2]), (3, 1));
}

#[test]
fn an_order_is_not_carried_out_when_its_reason_is_gone() {
    let mut case = Case::fresh("report", "");
    case.begin(1, "alice");
    let user = case.scene.config.domains.identity(&"alice".into(), &"".into()).unwrap();
    let subject = BlockSubject::User(user);
    let block = BeginBlock { subject: subject.clone(), until: None, reason: None, by: None };
    case.scene.record(Event::BeginBlock(block));
    // RRAS has no port for it yet.
    case.rras.change(|script| script.ports.clear());
    case.step();
    assert_eq!(case.decided().len(), 1);
    case.scene.record(Event::EndBlock { subject, by: None });
    case.rras.change(|script| script.ports.push(port(1, 1)));
    case.wait(60);
    case.step();
    assert_eq!(case.cut(), NOBODY_CUT);
}

#[test]
fn while_rras_does_not_answer_no_more_than_a_minutes_orders_wait() {
    let mut case = Case::new("enforce", LONG);
    (1..=25).for_each(|handle| case.begin(handle, &format!("u{handle}")));
    case.wait(10 * 3600);
    case.rras.change(|script| script.failing = vec![(Operation::Ports, Failure::NotRunning)]);
    for _ in 0..10 {
        case.wait(60);
        let turn = Turn { now: case.scene.now().at.time, stop: &case.stop, log: &case.log };
        case.duty.step(&turn).unwrap_err();
    }
    assert_eq!(case.decided().len(), 10);
    case.rras.change(|script| script.failing.clear());
    case.wait(600);
    case.step();
    assert_eq!(case.cut().len(), 10);
}

#[test]
fn a_router_is_not_disconnected_on_request() {
    let case = Case::fresh("report", "");
    let event = connection(1, "branch").with(|e| e.interface = rasadmin_engine::InterfaceType::FullRouter);
    case.scene.connect(&event);
    case.scene.link(1, "VPN2-1", rasadmin_engine::Tunnel::Sstp);
    case.rras.change(|script| {
        script.connections.push(listed(&event));
        script.ports.push(port(1, 1));
    });
    let id = case.scene.present().by_handle(1).unwrap().id;
    let outcomes = case.disconnector.order(&[id], None, "root").unwrap();
    assert!(matches!(&outcomes[..], [Outcome::Refused(why)] if why.contains("router")), "{outcomes:?}");
    assert_eq!((case.cut(), case.decided().len()), (vec![], 0));
}

#[test]
fn two_rules_that_together_end_most_sessions_are_both_stopped() {
    let mut case = Case::new("enforce", "");
    (1..=20).for_each(|handle| case.begin(handle, &format!("u{handle}")));
    let of = |name: &str, range: std::ops::RangeInclusive<u32>| {
        let users: Vec<String> = range.map(|user| format!("\"u{user}\"")).collect();
        NOBODY.replace("everybody", name).replace("\"*\"", &users.join(", "))
    };
    case.set(&with("enforce", &format!("{}{}", of("a", 1..=9), of("b", 10..=18))));
    case.step();
    case.wait(60);
    let stopped: Vec<_> = case.step().stopped.iter().map(|stopped| (stopped.rule.clone(), stopped.sessions)).collect();
    assert_eq!((stopped, case.cut()), (vec![("a".to_owned(), 9), ("b".to_owned(), 9)], vec![]));
}

#[test]
fn what_a_rule_denied_before_the_file_changed_does_not_count_as_the_changes_doing() {
    let graceful = LONG.replace("disconnect_active = true", "disconnect_active = true\n    grace = \"1h\"");
    let mut case = Case::new("enforce", &graceful);
    (1..=12).for_each(|handle| case.begin(handle, &format!("u{handle}")));
    case.wait(10 * 3600);
    case.step();
    case.wait(5);
    case.set(&with("enforce", &format!("# another line\n{graceful}")));
    case.step();
    case.wait(3600);
    assert_eq!((case.step().stopped.len(), case.cut().len()), (0, 10));
}

#[test]
fn orders_do_not_wait_for_reports() {
    let mut case = Case::new("report", LONG);
    (1..=60).for_each(|handle| case.begin(handle, &format!("u{handle}")));
    case.wait(10 * 3600);
    let user = case.scene.config.domains.identity(&"u60".into(), &"".into()).unwrap();
    let block = BeginBlock { subject: BlockSubject::User(user), until: None, reason: None, by: None };
    case.scene.record(Event::BeginBlock(block));
    let report = case.step();
    assert_eq!((report.enforced, report.reported, case.cut()), (1, 50, vec![60]));
    assert_eq!(case.decided()[0].why.name(), "blocked");
    assert_eq!(case.step().reported, 59);
}

/// An RRAS in which a connection ends before some call, and another user gets what it had.
#[derive(Debug)]
struct Shifting {
    rras: Scripted,
    /// Before which call, and what the newcomer gets.
    before: usize,
    same_handle: bool,
    calls: Mutex<usize>,
}

impl Shifting {
    fn call(&self) {
        let mut calls = self.calls.lock().unwrap();
        if *calls == self.before {
            self.rras.change(|script| {
                script.connections.clear();
                let handle = if self.same_handle { 1 } else { 2 };
                script.connections.push(listed(&connection(handle, "bob").with(|e| e.guid = Some("b".into()))));
                script.ports.iter_mut().for_each(|port| port.connection = ConnectionHandle(handle));
            });
        }
        *calls += 1;
    }
}

impl Rras for Shifting {
    fn instance(&self) -> Result<Option<Instance>, Error> {
        self.rras.instance()
    }
    fn connections(&self) -> Result<Vec<Connection>, Error> {
        self.rras.connections()
    }
    fn connection(&self, handle: ConnectionHandle) -> Result<Connection, Error> {
        self.call();
        self.rras.connection(handle)
    }
    fn ports(&self, connection: ConnectionHandle) -> Result<Vec<Port>, Error> {
        self.call();
        self.rras.ports(connection)
    }
    fn port(&self, handle: PortHandle) -> Result<Port, Error> {
        self.call();
        self.rras.port(handle)
    }
    fn disconnect(&self, port: PortHandle) -> Result<(), Error> {
        // Nothing can be done about what happens between the last question and this.
        let bob = self.rras.script().connections.iter().any(|listed| listed.user == Name::new("bob"));
        assert!(!bob, "{port} is another user's now");
        self.rras.disconnect(port)
    }
}

proptest! {
    #[test]
    fn a_user_who_gets_a_port_is_never_hit(before in 0..12_usize, same_handle: bool, ports in 1..4_u64) {
        let rras = Scripted::default();
        let alice = listed(&connection(1, "alice"));
        rras.change(|script| {
            script.instance = Some(Instance { process: 1, created: 1 });
            script.connections.push(alice.clone());
            script.ports = (1..=ports).map(|number| port(number, 1)).collect();
        });
        let calls = Mutex::default();
        let shifting = Shifting { rras, before, same_handle, calls };
        let outcome = cut(&shifting, &alice).unwrap();
        let cut_ports = shifting.rras.script().disconnected.len() as u64;
        prop_assert_eq!(outcome, if cut_ports == 0 { Cut::Gone } else { Cut::Asked });
        if *shifting.calls.lock().unwrap() <= before {
            prop_assert_eq!(cut_ports, ports);
        }
    }
}
