//! Which sessions `disconnect` ends, and when: rules, blocks, marks, and the limits.
#![allow(clippy::unwrap_used)]

#[path = "support/disconnecting.rs"]
mod disconnecting;
mod support;

use disconnecting::{Case, LONG, NOBODY_CUT, with};
use rasadmin_engine::Event;
use rasadmin_engine::effect::BlockSubject;
use rasadmin_engine::event::BeginBlock;
use rasadmin_recorder::Verdict;
use support::{With, connection};

const GIB: u64 = 1 << 30;

const QUOTA: &str = r#"
    [[rules]]
    name = "quota"
    action = "deny"
    octets = { at_least = "2 GiB", per = "day" }
    disconnect_active = true
"#;

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

#[test]
fn a_rule_disconnects_one_in_twenty_a_minute_if_that_is_more_than_ten() {
    let mut case = Case::new("enforce", LONG);
    for handle in 1..=400 {
        case.begin(handle, &format!("u{handle}"));
    }
    case.wait(10 * 3600);
    assert_eq!((case.step().waiting, case.cut().len()), (380, 20));
    case.wait(30);
    assert_eq!((case.step().waiting, case.cut().len()), (380, 20));
    case.wait(30);
    // RRAS does not list the twenty any more, and 5 % of the others are nineteen.
    assert_eq!((case.step().waiting, case.cut().len()), (361, 39));
}

/// The rule looks at where the client is now, even if it refused the new endpoint.
#[test]
fn a_session_is_disconnected_if_it_roams_to_where_a_rule_denies_it() {
    let rule = r#"
        [[rules]]
        name = "not from there"
        action = "deny"
        source_networks = ["198.51.100.0/24"]
        not_users = ['CORP\carol']
        disconnect_active = true
    "#;
    let mut case = Case::new("enforce", rule);
    let users = [(1, "alice"), (2, "bob"), (3, "carol")];
    users.iter().for_each(|(handle, user)| case.begin(*handle, user));
    case.step();
    assert_eq!(case.cut(), NOBODY_CUT);
    for ((handle, user), source) in users.into_iter().zip(["198.51.100.7", "192.0.2.7", "198.51.100.7"]) {
        let event = connection(handle, user).with(|e| e.source = source.into());
        case.scene.recorder.endpoint_change(&event, case.scene.now());
    }
    case.step();
    assert_eq!(case.cut(), [1]);
    assert_eq!(case.decided()[0].why.rule(), Some("not from there"));
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

const NEWEST: &str = r#"
    [[rules]]
    name = "one"
    action = "deny"
    max_user_sessions = 1
    when_exceeded = "replace-oldest"
"#;

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
