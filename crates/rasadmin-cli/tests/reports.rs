//! `rasadmin report` over sessions of which something is not known.
#![allow(clippy::unwrap_used)]

mod support;

use support::{Ran, rasadmin, words};

/// A record of a session; its user has its name.
fn record(status: &str, session: &str, second: i64, used: [&str; 3]) -> String {
    let [input, output, seconds] = used;
    format!(
        "\"VPN1\",\"RAS\",06/18/2024,14:45:48,4,\"CORP\\{session}\",,,,,,\"VPN1\",,,,,,{},,5,,,,,,,\"{session}\",,,,,{status},,\
         {input},{output},\"{session}\",,{seconds}\r\n",
        1_718_718_348 + second
    )
}

/// The whole is known of one session, the octets of another are not, and the end of a third is not. A fourth has some, and
/// so has a fifth, whose frames show that its counter did not wrap.
fn log() -> String {
    let start = |session| record("1", session, 0, [""; 3]);
    [
        start("whole") + &record("2", "whole", 60, ["0", "0", "60"]),
        start("uncounted") + &record("2", "uncounted", 60, ["", "", "60"]),
        start("endless") + &record("3", "endless", 60, ["7", "8", "60"]),
        start("half") + &record("2", "half", 60, ["7", "", "60"]),
        start("sent") + &record("2", "sent", 60, ["", "7", "60"]).replace("\r\n", ",,1\r\n"),
        // Two sessions of one user, of which one is counted.
        start("mixed") + &record("2", "mixed", 60, ["0", "0", "60"]),
        record("1", "mixed", 100, [""; 3]).replace("\"mixed\"", "\"mixed 2\"")
            + &record("2", "mixed", 160, ["", "", "60"]).replace("\"mixed\"", "\"mixed 2\""),
    ]
    .concat()
}

#[test]
fn what_is_not_known_is_not_zero() {
    let folder = tempfile::tempdir().unwrap();
    let (log_file, ledger) = (folder.path().join("IN.log"), folder.path().join("a.db"));
    std::fs::write(&log_file, log()).unwrap();
    rasadmin(words([&"import", &"--create", &"--ledger", &ledger, &log_file])).ends(0).prints("7 sessions:");
    let report = |more: &[&str]| -> Ran {
        let mut all = words([&"report", &"--by", &"user", &"--month", &"2024-06", &"--ledger", &ledger]);
        all.extend(more.iter().map(Into::into));
        rasadmin(all).ends(0)
    };
    let table = report(&[]).stdout;
    let row = |user: &str| {
        let line = table.lines().find(|line| line.contains(user)).unwrap();
        line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect::<Vec<_>>().join("|")
    };
    assert_eq!(row("WHOLE"), r"CORP\WHOLE|1|1|1m 00s|0 B|0 B|0");
    assert_eq!(row("UNCOUNTED"), r"CORP\UNCOUNTED|1|1|1m 00s|not known|not known|0");
    assert_eq!(row("ENDLESS"), r"CORP\ENDLESS|1|1|>= 1m 00s|>= 7 B|>= 8 B|1|0");
    assert_eq!(row("HALF"), r"CORP\HALF|1|1|1m 00s|>= 7 B|not known|0");
    assert_eq!(row("SENT"), r"CORP\SENT|1|1|1m 00s|not known|7 B|0");
    assert_eq!(row("MIXED"), r"CORP\MIXED|2|1|2m 00s|>= 0 B|>= 0 B|0");
    assert!(table.contains("\n  connected, >=: a session without an end counts until it was last seen\n"), "{table}");
    assert!(table.contains("\n  received and sent, >=: a session without octets counts as 0,"), "{table}");

    let json = report(&["--json"]).json();
    let of = |user: &str| {
        let row = json.as_array().unwrap().iter().find(|row| row["key"] == format!(r"CORP\{user}")).unwrap();
        let of = |field: &str| row[field].as_u64().unwrap();
        (of("without_end"), of("without_octets"), row["octets_are_lower_bound"].as_bool().unwrap())
    };
    assert_eq!((of("WHOLE"), of("UNCOUNTED"), of("ENDLESS")), ((0, 0, false), (0, 1, true), (1, 0, true)));
    assert_eq!((of("HALF"), of("MIXED")), ((0, 1, true), (0, 1, true)));

    let csv = report(&["--format", "csv"]).stdout;
    let lines: Vec<_> = csv.lines().collect();
    assert!(lines[0].ends_with(",octets_are,estimated,denied,without_end,without_octets"), "{csv}");
    let ends = |user: &str, end: &str| lines.iter().any(|line| line.contains(user) && line.ends_with(end));
    assert!(ends("WHOLE", ",60,0,0,exact,0,0,0,0") && ends("UNCOUNTED", ",60,0,0,unknown,0,0,0,1"), "{csv}");
    assert!(ends("ENDLESS", ",60,7,8,lower bound,1,0,1,0") && ends("HALF", ",7,0,lower bound,0,0,0,1"), "{csv}");

    // A row without any of these says nothing about them.
    let only = report(&["--sort", "sessions", "--top", "1"]).stdout;
    assert!(only.contains("MIXED") && !only.contains("connected, >="), "{only}");
}

#[test]
fn a_day_has_unknown_octets_if_a_session_without_octets_was_connected() {
    let folder = tempfile::tempdir().unwrap();
    let (log_file, ledger) = (folder.path().join("IN.log"), folder.path().join("a.db"));
    let day = 86_400;
    // From the 18th to the 20th; on the 19th there is a session that is counted.
    let log = record("1", "uncounted", 0, [""; 3])
        + &record("2", "uncounted", 2 * day, ["", "", "172800"])
        + &record("1", "whole", day, [""; 3])
        + &record("2", "whole", day + 60, ["7", "8", "60"]);
    std::fs::write(&log_file, log).unwrap();
    rasadmin(words([&"import", &"--create", &"--ledger", &ledger, &log_file])).ends(0).prints("2 sessions:");
    let report = |more: &[&str]| -> Ran {
        let mut all = words([&"report", &"--ledger", &ledger, &"--time-zone", &"UTC"]);
        all.extend(more.iter().map(Into::into));
        rasadmin(all).ends(0)
    };
    let by_day = ["--by", "day", "--month", "2024-06"];
    report(&by_day)
        .prints("2024-06-18         1      1    10h 14m  not known  not known       0")
        .prints("2024-06-19         2      2     1d 00h     >= 7 B     >= 8 B       0")
        .prints("2024-06-20         1      1    13h 45m  not known  not known       0");
    let json = report(&[&by_day[..], &["--json"]].concat()).json();
    let days = json.as_array().unwrap().iter().map(|day| (&day["without_octets"], &day["octets_are_lower_bound"]));
    assert!(days.clone().count() == 3 && days.clone().all(|day| *day.0 == 1 && *day.1 == true), "{json:#}");
    // It ends after this report, whose `>=` no row has.
    let first = report(&["--by", "user", "--since", "2024-06-18", "--until", "2024-06-19"]);
    let first = first.prints("not known  not known").stdout;
    assert!(!first.contains(">="), "{first}");
}
