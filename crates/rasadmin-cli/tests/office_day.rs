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

/// The product of this issue accepts everyone; RRAS itself refuses three addresses that other clients hold.
fn assert_everyone_was_accepted(day: &Value) {
    assert_eq!((&day["connects"], &day["accepted"], &day["refused"]), (&json!(256), &json!(253), &json!(3)));
    assert_eq!(day["reasons"], json!({ "RRAS refused the address: another client holds it (735)": 3 }));
    assert_eq!(day["links"], json!({ "accepted": 4, "rejected": 0 }));
    assert_eq!(day["reauthentications"], json!({ "accepted": 1, "rejected": 0 }));
    assert_eq!(day["endpoint_changes"], json!({ "accepted": 2, "rejected": 0 }));
    let addresses = json!({ "ipv4_given": 253, "ipv6_given": 83, "ipv4_released": 253, "ipv6_released": 83 });
    assert_eq!(day["addresses"], addresses);
    let expected = [
        ("MprAdminInitializeDllEx", 1),
        ("MprAdminInitializeDll", 0),
        ("MprAdminGetIpAddressForUser", 256),
        // The product asks for the release of every address, so the three refused ones are released too.
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
    let ran = ran.prints("253").prints("RRAS refused the address").prints("MprAdminAcceptNewConnectionEx");
    let ran = ran.prints("refused: RRAS refused the address: another client holds it (735)");
    let totals = ran.stdout.split("session ").next().unwrap();
    for line in totals.lines().skip(2) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}
