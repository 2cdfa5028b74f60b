//! The example DLLs: each is checked, and does what its documentation says.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use std::path::Path;
use support::{built, office_day, rasadmin, rasadmin_with, words};

fn day(dll: &str, environment: &[(&str, &str)]) -> Value {
    let run = words([&"host", &"run", &"--json", &"--dll", &built(dll), &office_day()]);
    rasadmin_with(run, environment).ends(0).json()
}

fn path(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).to_string_lossy().into_owned()
}

#[test]
fn every_example_passes_the_checker() {
    let folder = tempfile::tempdir().unwrap();
    let config = path(&folder, "static.toml");
    std::fs::write(&config, "[users]\n").unwrap();
    let (audit, trace) = (path(&folder, "audit.csv"), path(&folder, "x.trace"));
    let environment =
        [("RASADMIN_STATIC_ADDRESSES", &*config), ("RASADMIN_AUDIT_LOG", &audit), ("RASADMIN_TRACE", &trace)];
    for example in ["audit_log", "static_address", "recorder", "reject"] {
        let check = words([&"check", &"--profile", &"documented", &"--cycles", &"20", &built(example)]);
        rasadmin_with(check, &environment).ends(0).prints("RRAS would start with it");
    }
}

#[test]
fn audit_log_writes_a_line_for_every_event() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(&folder, "audit.csv");
    day("audit_log", &[("RASADMIN_AUDIT_LOG", &file)]);
    let text = std::fs::read_to_string(&file).unwrap();
    let count = |event: &str| text.lines().filter(|line| line.split(',').nth(1) == Some(event)).count();
    let events = ["connect", "hangup", "link", "link-hangup", "reauthentication"].map(count);
    assert_eq!(events, [253, 253, 257, 257, 1]);
    assert_eq!(text.lines().count(), events.iter().sum::<usize>());
    assert!(text.contains(r#","CORP\alice","#) || text.contains(r#","alice@corp.example","#));
}

#[test]
fn audit_log_guards_a_spreadsheet_and_quotes() {
    let folder = tempfile::tempdir().unwrap();
    let (file, scenario) = (path(&folder, "audit.csv"), path(&folder, "hostile.scenario"));
    let text = "server-address 10.0.0.1\npool 10.0.0.2-10.0.0.9\n\
                08:00:00 connect a user==cmd|calc tunnel=sstp from=203.0.113.1\n";
    std::fs::write(&scenario, text).unwrap();
    let run = words([&"host", &"run", &"--dll", &built("audit_log"), &scenario]);
    rasadmin_with(run, &[("RASADMIN_AUDIT_LOG", &file)]).ends(0);
    assert!(std::fs::read_to_string(&file).unwrap().contains("connect,\"'=cmd|calc\","));
}

#[test]
fn static_address_gives_the_mapped_users_theirs_and_a_second_device_rrass() {
    let folder = tempfile::tempdir().unwrap();
    let (config, scenario) = (path(&folder, "static.toml"), path(&folder, "day.scenario"));
    std::fs::write(&config, "[users]\n'corp\\ALICE' = \"10.99.0.7\"\n").unwrap();
    let text = "server-address 10.0.0.1\npool 10.0.0.2-10.0.0.9\n\
                08:00:00 connect a user=CORP\\alice tunnel=sstp from=203.0.113.1\n\
                08:00:01 connect b user=bob tunnel=sstp from=203.0.113.2\n\
                08:00:02 connect a2 user=CORP\\alice tunnel=ikev2 from=203.0.113.1\n\
                08:00:03 hangup a\n\
                08:00:04 connect a3 user=CORP\\Alice tunnel=sstp from=203.0.113.1\n";
    std::fs::write(&scenario, text).unwrap();
    let run = words([&"host", &"run", &"--json", &"--dll", &built("static_address"), &scenario]);
    let day = rasadmin_with(run, &[("RASADMIN_STATIC_ADDRESSES", &config)]).ends(0).json();
    let given: Vec<_> = day["outcomes"].as_array().unwrap().iter().map(|o| o["ipv4"].as_str().unwrap()).collect();
    assert_eq!(given, ["10.99.0.7", "10.0.0.2", "10.0.0.3", "10.99.0.7"]);
}

#[test]
fn static_address_refuses_a_bad_file_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let (config, kept) = (path(&folder, "static.toml"), path(&folder, "kept"));
    std::fs::write(&config, "[users]\nalice = \"10.99.0\"\n").unwrap();
    let run = words([&"host", &"run", &"--keep", &kept, &"--dll", &built("static_address"), &office_day()]);
    let ran = rasadmin_with(run, &[("RASADMIN_STATIC_ADDRESSES", &config)]).ends(1);
    ran.complains("its initialise function answered 1610");
    let log = std::fs::read_to_string(Path::new(&kept).join("rasadmin.log")).unwrap();
    assert!(log.contains("static.toml") && log.contains("line 2, column 9"), "{log}");
}

#[test]
fn static_address_refuses_one_user_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (config, kept) = (path(&folder, "static.toml"), path(&folder, "kept"));
    std::fs::write(&config, "[users]\n'CORP\\al' = \"10.9.0.7\"\n'corp\\AL' = \"10.9.0.8\"\n").unwrap();
    let run = words([&"host", &"run", &"--keep", &kept, &"--dll", &built("static_address"), &office_day()]);
    let ran = rasadmin_with(run, &[("RASADMIN_STATIC_ADDRESSES", &config)]).ends(1);
    ran.complains("its initialise function answered 1610");
    assert!(std::fs::read_to_string(Path::new(&kept).join("rasadmin.log")).unwrap().contains("is listed twice"));
}

#[test]
fn reject_rejects_whom_it_is_told() {
    let refusals = |how| day("reject", &[("RASADMIN_REJECT", how)])["reasons"].clone();
    let refused = "the DLL rejected the first link";
    assert_eq!(refusals("links")[refused], 256);
    let user = refusals("user:corp\\TAMARA");
    assert_eq!(user["the DLL rejected the connection"], 1, "{user}");
    let run = words([&"host", &"run", &"--dll", &built("reject"), &office_day()]);
    rasadmin_with(run, &[("RASADMIN_REJECT", "everything")]).ends(1).complains("answered 87");
    rasadmin(words([&"check", &built("reject")])).ends(0);
}
