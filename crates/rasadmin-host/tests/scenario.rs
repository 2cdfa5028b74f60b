//! The errors of a scenario, and the results of running one.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_host::outcome::{Answers, RunSummary};
use rasadmin_host::runner::{RunOptions, run};
use rasadmin_host::scenario::Scenario;
use rasadmin_host::{Options, Service};
use support::Dll;

const HEAD: &str = "server VPN1 # a comment\nserver-address 10.20.0.1\npool 10.20.0.2-10.20.0.9\n\n";

fn run_day(dll: &Dll, events: &str) -> RunSummary {
    let scenario = Scenario::parse("day", &format!("{HEAD}{events}")).unwrap_or_else(|e| panic!("{e}"));
    let service = Service::start(std::slice::from_ref(&dll.path), Options::new(scenario.pool.clone())).unwrap();
    let day = run(&service, &scenario, RunOptions::threads(1));
    service.stop().unwrap();
    day
}

#[test]
fn errors_name_file_line_and_what_was_expected() {
    let connect = "08:00:00 connect a user=a tunnel=sstp from=203.0.113.1";
    let cases = [
        ("nonsense", "day:5: expected a time like 08:30:00, or one of the settings"),
        ("08:00 connect a user=a tunnel=sstp from=203.0.113.1", "day:5: expected a time like 08:30:00"),
        ("08:00:00 conect a", "day:5: there is no verb `conect`: expected connect, link"),
        ("08:00:00 connect", "day:5: expected the session's label"),
        ("08:00:00 connect a user=a from=203.0.113.1", "day:5: expected `tunnel=`"),
        ("08:00:00 connect a user=a tunnel=ssh from=203.0.113.1", "day:5: there is no tunnel `ssh`: expected sstp"),
        (
            "08:00:00 connect a user=a tunnel=sstp from=home",
            "day:5: `home` is not a valid IP address: expected one like",
        ),
        ("08:00:00 connect a user=\"a tunnel=sstp", "day:5: the quote after `user=` does not end"),
        (&format!("{connect} colour=red"), "day:5: did not expect `colour=` here"),
        (&format!("{connect} until=07:00:00"), "day:5: `until=07:00:00` is not later than the connect"),
        (&format!("{connect} offer=x"), "day:5: `x` is not a valid IPv4 address"),
        (&format!("{connect} received=lots"), "day:5: `received` must be a number of bytes, like 1500000 or 20M"),
        (&format!("{connect} quarantine=ill"), "day:5: there is no quarantine state `ill`"),
        (&format!("{connect}\n{connect}"), "day:6: the session `a` has connected above"),
        (&format!("{connect}\n07:59:59 hangup a"), "day:6: 07:59:59 is earlier than the event before it"),
        (&format!("{connect}\n08:00:00 hangup a"), "day:6: `a` connects in this second: hang up later"),
        (&format!("{connect}\n08:00:01 hangup b"), "day:6: no session `b` has connected above"),
        (&format!("{connect}\n08:00:01 hangup a\n08:00:02 link a"), "day:7: the session `a` has ended before"),
        (&format!("{connect}\n08:00:01 move a to=203.0.113.2"), "day:6: only IKEv2 clients move"),
        (&format!("{connect}\nserver VPN2"), "day:6: settings must come before the first event"),
        ("", "day: the scenario has no event"),
    ];
    for (text, expected) in cases {
        let error = Scenario::parse("day", &format!("{HEAD}{text}")).unwrap_err().to_string();
        assert!(error.contains(expected), "for\n{text}\nthe error is\n{error}\nand should contain\n{expected}");
    }
    let error = Scenario::parse("day", "pool 10.0.0.9-10.0.0.1").unwrap_err().to_string();
    assert!(error.contains("day:1: the pool 10.0.0.9-10.0.0.1 is empty"), "{error}");
    let error = Scenario::parse("day", "08:00:00 connect a user=a tunnel=sstp from=203.0.113.1").unwrap_err();
    assert!(error.to_string().contains("the setting `pool` is missing"));
}

#[test]
fn a_missing_file_is_named() {
    let error = Scenario::read(std::path::Path::new("no/such.scenario")).unwrap_err().to_string();
    assert!(error.contains("such.scenario: cannot read the scenario"), "{error}");
}

#[test]
fn the_day_is_counted() {
    let dll = Dll::scripted(
        "good-rev2",
        "MprAdminAcceptNewConnectionEx reject user=mallory\nMprAdminAcceptReauthenticationEx reject user=bob",
    );
    let day = run_day(
        &dll,
        r#"08:00:00 connect a user=CORP\alice tunnel=sstp from=203.0.113.1 computer="LAPTOP 7" ipv6 until=09:00:00
08:01:00 connect m user=mallory tunnel=l2tp from=203.0.113.2
08:02:00 connect b user=bob tunnel=ikev2 from=203.0.113.3 quarantine=quarantine
08:03:00 connect c user=carol tunnel=pptp from=203.0.113.4 offer=10.20.0.2
08:04:00 link a
08:05:00 unlink a
08:05:00 link m
08:06:00 move b to=198.51.100.1
08:07:00 reauthenticate b quarantine=normal
08:30:00 reauthenticate a quarantine=normal
09:30:00 connect d user=dora tunnel=sstp from=203.0.113.5
"#,
    );
    assert_eq!(day.outcomes.len(), 5);
    assert_eq!(day.accepted(), 3);
    assert_eq!(day.links, Answers { accepted: 1, rejected: 0 }, "the rejected session's link is skipped");
    assert_eq!(day.endpoint_changes, Answers { accepted: 1, rejected: 0 });
    assert_eq!(day.reauthentications, Answers { accepted: 1, rejected: 1 });
    assert_eq!((day.ipv4_given, day.ipv6_given), (3, 1));
    assert_eq!((day.released.ipv4, day.released.ipv6), (3, 1), "dora's too, at the day's end");
    assert_eq!(day.peak, 2);
    let reasons: Vec<_> = day.refusals(&|_| "the DLL".into()).into_iter().collect();
    let reason = |text: &str, n| (text.to_owned(), n);
    assert_eq!(
        reasons,
        [
            reason("RRAS refused the address: another client holds it (735)", 1),
            reason("the DLL rejected the connection", 1),
            reason("the DLL rejected the reauthentication", 1),
        ]
    );
    assert_eq!(dll.log().last().map(|e| e.function.clone()).as_deref(), Some("MprAdminTerminateDll"));
}
