//! The main job: a working day of about 200 users, counted.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use std::ffi::OsString;
use support::{office_day, product, rasadmin, reject, words};

fn calls(day: &Value, function: &str) -> u64 {
    let all = day["functions"].as_array().unwrap();
    all.iter().find(|f| f["function"] == function).map_or(0, |f| f["calls"].as_u64().unwrap())
}

fn run(dll: &dyn AsRef<std::ffi::OsStr>, more: &[&str]) -> Value {
    let mut arguments = words([&"host", &"run", &"--json", &"--dll", dll, &office_day()]);
    arguments.extend(more.iter().map(OsString::from));
    rasadmin(arguments).ends(0).json()
}

/// Without a configuration of its own the product allows everyone, and records. Three offers of RRAS are addresses that
/// other clients hold: the product leaves that to RRAS, which owns them, and refuses them.
fn assert_everyone_was_accepted(day: &Value) {
    assert_eq!((&day["connects"], &day["accepted"], &day["refused"]), (&json!(256), &json!(253), &json!(3)));
    assert_eq!(day["reasons"], json!({ "RRAS refused the address: another client holds it (735)": 3 }));
    assert_eq!(day["links"], json!({ "accepted": 4, "rejected": 0 }));
    assert_eq!(day["reauthentications"], json!({ "accepted": 1, "rejected": 0 }));
    assert_eq!(day["endpoint_changes"], json!({ "accepted": 2, "rejected": 0 }));
    let addresses = json!({ "ipv4_given": 253, "ipv6_given": 83, "ipv4_released": 253, "ipv6_released": 83,
        "ipv4_released_after_refusal": 3, "ipv6_released_after_refusal": 0 });
    assert_eq!(day["addresses"], addresses);
    let expected = [
        ("MprAdminInitializeDllEx", 1),
        ("MprAdminInitializeDll", 0),
        ("MprAdminGetIpAddressForUser", 256),
        ("MprAdminReleaseIpAddress", 256),
        ("MprAdminGetIpv6AddressForUser", 83),
        ("MprAdminReleaseIpv6AddressForUser", 83),
        ("MprAdminAcceptNewConnectionEx", 253),
        ("MprAdminConnectionHangupNotificationEx", 253),
        ("MprAdminAcceptNewLink", 257),
        ("MprAdminLinkHangupNotification", 257),
        ("MprAdminAcceptReauthenticationEx", 1),
        ("MprAdminAcceptTunnelEndpointChangeEx", 2),
        ("MprAdminTerminateDll", 1),
    ];
    for (function, times) in expected {
        assert_eq!(calls(day, function), times, "{function}");
    }
}

#[test]
fn the_product_accepts_everyone() {
    let day = run(&product(), &[]);
    assert_everyone_was_accepted(&day);
    assert_eq!(day["peak"], 188);
    let tunnel = |name: &str| {
        let all = day["outcomes"].as_array().unwrap().iter().filter(|o| o["tunnel"] == name);
        let (yes, no): (Vec<_>, Vec<_>) = all.partition(|o| o["accepted"] == true);
        (yes.len(), no.len())
    };
    assert_eq!(["SSTP", "IKEv2", "L2TP", "PPTP"].map(tunnel), [(99, 1), (95, 1), (49, 1), (10, 0)]);
}

#[test]
fn with_overlapping_calls_too() {
    assert_everyone_was_accepted(&run(&product(), &["--threads", "8"]));
    assert_everyone_was_accepted(&run(&product(), &["--threads", "8", "--serialise", "all"]));
}

#[test]
fn a_dll_that_rejects_everyone_leaves_none() {
    let day = run(&reject(), &[]);
    assert_eq!((&day["accepted"], &day["refused"]), (&json!(0), &json!(256)));
    assert_eq!(day["reasons"], json!({ "the DLL rejected the connection": 256 }));
    assert_eq!(calls(&day, "MprAdminAcceptNewLink"), 0);
    let table = rasadmin(words([&"host", &"run", &"--dll", &reject(), &office_day()])).ends(0);
    let all = table.stdout.lines().find(|line| line.trim_start().starts_with("all ")).unwrap();
    assert_eq!(all.split_whitespace().collect::<Vec<_>>(), ["all", "256", "0", "256", "0.0", "%"]);
}

#[test]
fn the_table_fits_a_terminal_and_says_what_matters() {
    let ran = rasadmin(words([&"host", &"run", &"--each", &"--dll", &product(), &office_day()])).ends(0);
    let ran = ran.prints("253").prints("another client holds it (735)").prints("MprAdminAcceptNewConnectionEx");
    let ran = ran.prints("refused: RRAS refused the address: another client holds it (735)");
    let totals = ran.stdout.split("session ").next().unwrap();
    for line in totals.lines().skip(2) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

/// The configuration of the day.
fn rules() -> std::path::PathBuf {
    support::root().join("examples/office-day.toml")
}

fn outcome<'a>(day: &'a Value, session: &str) -> &'a Value {
    let all = day["outcomes"].as_array().unwrap();
    all.iter().find(|o| o["session"] == session).unwrap_or_else(|| panic!("{session}"))
}

fn assert_the_rules_decided(day: &Value) {
    assert_eq!((&day["connects"], &day["accepted"], &day["refused"]), (&json!(256), &json!(231), &json!(25)));
    let denied = day["denied"].as_array().unwrap();
    let who = |rule: Value| {
        let found = denied.iter().find(|d| d["rule"] == rule).unwrap_or_else(|| panic!("{rule}: {denied:?}"));
        let mut users: Vec<_> = found["users"].as_array().unwrap().iter().map(|u| u.as_str().unwrap()).collect();
        users.sort_unstable();
        users.join(" ")
    };
    assert_eq!(denied.len(), 4);
    assert_eq!(
        who(json!("no PPTP")),
        // A link carries no user's name: it is the connection's.
        r"CORP\amir CORP\amir CORP\ben CORP\farah CORP\fiona CORP\hugo CORP\olga CORP\sabine CORP\samir ingrid@corp.example"
    );
    assert_eq!(
        who(json!("one session per user")),
        r"CORP\bianca CORP\frida CORP\ilse CORP\marta CORP\tobias felix@corp.example harald@corp.example lara@corp.example oscar@corp.example wanda@corp.example"
    );
    assert_eq!(who(json!("ten hours a day")), r"CORP\philip");
    assert_eq!(who(Value::Null), r"PARTNER\d.okafor PARTNER\h.tanaka PARTNER\o.haddad PARTNER\t.eriksen");
    // Dropped clients that come back before RRAS has noticed, from the same computer.
    for session in ["leo-2", "harald-2"] {
        assert_eq!(outcome(day, session)["accepted"], true, "{session}");
    }
    // Reservations; and the partner's Alice has none of ours.
    assert_eq!(outcome(day, "alice")["ipv4"], "10.20.16.200");
    assert_eq!(outcome(day, "branch-harbour")["ipv4"], "10.20.64.1");
    assert_eq!(outcome(day, "branch-mill")["ipv4"], "10.20.64.2");
    let mut from = std::collections::BTreeMap::<(&str, &str), usize>::new();
    for o in day["outcomes"].as_array().unwrap().iter().filter(|o| o["accepted"] == true) {
        let (user, address) = (o["user"].as_str().unwrap(), o["ipv4"].as_str().unwrap());
        let kind = if user.starts_with("PARTNER") { "partner" } else { "ours" };
        *from.entry((kind, address.rsplit_once('.').unwrap().0)).or_default() += 1;
    }
    let from: Vec<_> = from.into_iter().collect();
    assert_eq!(from, [(("ours", "10.20.16"), 213), (("ours", "10.20.64"), 2), (("partner", "10.20.32"), 16)]);
    assert_eq!(day["addresses"]["ipv4_released"], json!(231));
    assert_eq!(day["addresses"]["ipv6_given"], day["addresses"]["ipv6_released"]);
}

#[test]
fn rules_decide_and_pools_give() {
    for more in [&[][..], &["--two-processes"]] {
        let mut arguments =
            words([&"host", &"run", &"--json", &"--config", &rules(), &"--dll", &product(), &office_day()]);
        arguments.extend(more.iter().map(OsString::from));
        let day = rasadmin(arguments).ends(0).json();
        assert_the_rules_decided(&day);
    }
}

#[test]
fn the_ledger_has_the_whole_day() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = words([&"host", &"run", &"--config", &rules(), &"--dll", &product(), &office_day()]);
    run.extend(words([&"--keep", &folder.path()]));
    rasadmin(run).ends(0);
    let ledger = rusqlite::Connection::open(folder.path().join("rasadmin.db")).unwrap();
    let ask = |sql: &str| ledger.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(ask("SELECT count(*) FROM sessions"), 241, "231 and the ten whose first link was rejected");
    assert_eq!(ask("SELECT count(*) FROM sessions WHERE closed_by = 'hangup' AND billed = 1"), 231);
    assert_eq!(ask("SELECT count(*) FROM sessions WHERE closed_by = 'first link rejected' AND billed = 0"), 10);
    assert_eq!(ask("SELECT count(*) FROM leases WHERE ended IS NULL"), 0);
    assert_eq!(ask("SELECT count(*) FROM leases WHERE ended_by <> 'release'"), 0);
    assert_eq!(ask("SELECT count(*) FROM links WHERE stop IS NULL"), 0);
    // RRAS tells of the end of a connection whose first link was rejected, too: recorded, and nothing changed.
    assert_eq!(ask("SELECT count(*) FROM anomalies WHERE what = 'hangup of an unknown connection'"), 10);
    assert_eq!(ask("SELECT count(*) FROM anomalies"), 10);
    // What clients left behind when they came back counts until then.
    let left =
        "SELECT sum(max(0, acct_session_time - (replaced - acct_start_time) / 1000)) FROM sessions WHERE billed = 1";
    assert_eq!(ask("SELECT count(*) FROM sessions WHERE billed = 1 AND replaced < acct_stop_time"), 4);
    assert_eq!(
        ask("SELECT sum(seconds) FROM use") + ask(left),
        ask("SELECT sum(acct_session_time) FROM sessions WHERE billed = 1")
    );
    assert!(ask("SELECT count(*) FROM sessions WHERE octets_are = 'exact'") > 200);
}

#[test]
fn the_table_tells_which_rule_decided() {
    let ran = rasadmin(words([&"host", &"run", &"--each", &"--config", &rules(), &"--dll", &product(), &office_day()]));
    let ran = ran.ends(0).prints("one session per user  10     there is another session of this user");
    let line = |session: &str| {
        let found = ran.stdout.lines().find(|line| line.trim_start().starts_with(&format!("{session} ")));
        found.unwrap_or_else(|| panic!("{session}")).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(line("leo-2").ends_with("accepted staff"), "{}", line("leo-2"));
    assert!(line("bianca-phone").ends_with("the DLL rejected the connection one session per user"));
    assert!(line("partner-cohen").ends_with("accepted partners in office hours"));
    assert!(line("olga").ends_with("the DLL rejected the first link no PPTP"));
    let totals = ran.stdout.split("session ").next().unwrap();
    for line in totals.lines().skip(2) {
        assert!(line.chars().count() <= 90, "{line}");
    }
}
