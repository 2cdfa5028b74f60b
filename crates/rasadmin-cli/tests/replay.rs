//! `rasadmin replay`: a candidate against the ledger, a trace and logs.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use std::path::Path;
use std::sync::OnceLock;
use support::{Ran, office_day, product, rasadmin_with, root, words};

/// The office day: its ledger, and its trace.
fn day() -> &'static Path {
    static DAY: OnceLock<tempfile::TempDir> = OnceLock::new();
    DAY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let config = root().join("examples/office-day.toml");
        let trace = folder.path().join("day.trace");
        let run = [
            &"host" as &dyn AsRef<_>,
            &"run",
            &"--json",
            &"--config",
            &config,
            &"--keep",
            &folder.path(),
            &"--trace",
            &trace,
            &"--dll",
            &product(),
            &office_day(),
        ];
        support::rasadmin(words(run)).ends(0);
        folder
    })
    .path()
}

/// A candidate made of the day's configuration.
fn candidate(change: impl FnOnce(String) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root().join("examples/office-day.toml")).unwrap();
    std::fs::write(folder.path().join("candidate.toml"), change(text)).unwrap();
    folder
}

fn replay(candidate: &Path, more: &[&str]) -> Ran {
    let (file, config) = (candidate.join("candidate.toml"), day().join("rasadmin.toml"));
    let arguments = [&["replay", "--config", file.to_str().unwrap()], more].concat();
    rasadmin_with(arguments, &[("RASADMIN_CONFIG", config.to_str().unwrap())])
}

fn number(value: &Value, field: &str) -> u64 {
    value["report"][field].as_u64().unwrap_or_else(|| panic!("{field}: {value:#}"))
}

#[test]
fn the_configuration_of_the_day_changes_nothing_of_it() {
    let same = candidate(|text| text);
    let config = day().join("rasadmin.toml");
    let journal = || support::rasadmin(words([&"journal", &"show", &"--json", &"--config", &config])).ends(0).stdout;
    let before = journal();
    let told = replay(same.path(), &["--json"]).ends(0).json();
    assert_eq!((number(&told, "accepted_then"), number(&told, "refused_then")), (231, 25));
    assert_eq!((number(&told, "newly_refused"), number(&told, "newly_accepted")), (0, 0));
    // The pools were as full as they were that day: no pool in the ledger's own leases was fuller.
    let staff = told["report"]["pools"].as_array().unwrap().iter().find(|pool| pool["pool"] == "staff").unwrap();
    assert_eq!((&staff["size"], &staff["exhausted_times"]), (&json!(253), &json!(0)));
    let text = replay(same.path(), &[]).ends(0).stdout;
    assert!(text.contains("of 231 sessions that were accepted, 0 would be refused."), "{text}");
    assert!(text.contains("Of 25 attempts that were refused, 0 would be accepted."), "{text}");
    assert!(journal() == before, "nothing was recorded");
}

#[test]
fn a_change_is_told_by_rule_by_user_and_one_by_one() {
    let no_l2tp = candidate(|text| text.replace("tunnels = [\"PPTP\"]", "tunnels = [\"PPTP\", \"L2TP\"]"));
    let told = replay(no_l2tp.path(), &["--json", "--each"]).ends(1).json();
    // 49 came through L2TP that day; a router has a rule before this one.
    assert_eq!(number(&told, "newly_refused"), 48);
    assert_eq!(told["report"]["by_rule"][0]["because"], json!({ "rule": "no PPTP" }));
    assert_eq!(told["report"]["by_rule"][0]["refused"], 48);
    let each = told["each"].as_array().unwrap();
    assert_eq!(each.iter().filter(|row| row["would_be"] == "refused" && row["by"] == "no PPTP").count(), 48);
    let text = replay(no_l2tp.path(), &["--each"]).ends(1).stdout;
    assert!(text.contains("of 231 sessions that were accepted, 48 would be refused."), "{text}");
    assert!(
        text.contains("What would change, by rule:") && text.contains("Users who would be affected most:"),
        "{text}"
    );
    assert!(!text.contains("--limit"), "{text}");
    let text = replay(no_l2tp.path(), &["--each", "--limit", "5"]).ends(1).stdout;
    assert!(text.contains("the first 5 of ") && text.contains("--limit 0 shows all"), "{text}");
    replay(no_l2tp.path(), &["--limit", "5"]).ends(2).complains("--each");
    // A rule that comes after one for everybody decides nothing, and that is said.
    let rule = "\n[[rules]]\nname = \"no L2TP\"\naction = \"deny\"\ntunnels = [\"L2TP\"]\n";
    let late = candidate(|text| text + rule);
    let told = replay(late.path(), &["--json"]).ends(0).json();
    assert_eq!(told["report"]["unused_rules"], json!(["no L2TP"]), "{told:#}");
    replay(late.path(), &[]).ends(0).prints("Rules that decide nothing: `no L2TP`.");
    // One that replaces sessions decides nothing, but does something.
    let limit = "user_sessions = { at_least = 1 }";
    let replaces = candidate(|text| text.replace(limit, &format!("{limit}\nwhen_exceeded = \"replace-oldest\"")));
    let told = replay(replaces.path(), &["--json"]).ends(1).json();
    assert_eq!(told["report"]["unused_rules"], json!([]), "{told:#}");
    // What was refused because of a rule that is gone would be accepted.
    let free = candidate(|text| text.replace("user_sessions = { at_least = 1 }", "user_sessions = { at_least = 9 }"));
    let told = replay(free.path(), &["--json"]).ends(1).json();
    assert_eq!((number(&told, "newly_refused"), number(&told, "newly_accepted")), (0, 10));
    let part = replay(no_l2tp.path(), &["--json", "--until", "2026-11-23 07:30"]).ends(1).json();
    // What was before is not reported, and counts all the same: nobody has a second session by it, nor loses his ten hours.
    let same = candidate(|text| text);
    let late = replay(same.path(), &["--json", "--since", "2026-11-23 12:00"]).ends(0).json();
    assert!(number(&late, "attempts") < 120 && number(&late, "refused_then") > 8, "{late:#}");
    assert!(number(&part, "attempts") < 60 && number(&part, "newly_refused") < 48);
}

#[test]
fn it_is_told_which_pool_would_be_exhausted_and_when() {
    let small = candidate(|text| text.replace("10.20.16.0/24", "10.20.16.0/26").replace("next = \"rest\"", ""));
    let told = replay(small.path(), &["--json"]).ends(1).json();
    let staff = told["report"]["pools"].as_array().unwrap().iter().find(|pool| pool["pool"] == "staff").unwrap();
    assert_eq!((&staff["size"], &staff["peak"]), (&json!(62), &json!(62)));
    assert_eq!(staff["exhausted_first"], "2026-11-23T07:12:47Z");
    let rule = &told["report"]["by_rule"][0];
    assert_eq!(rule["because"], json!({ "pool-exhausted": "staff" }));
    let text = replay(small.path(), &[]).ends(1).stdout;
    assert!(text.contains("(the pool staff is exhausted)"), "{text}");
}

/// The trace's calls, put together, are the day; its clock is that of the run, so rules without hours tell.
#[test]
fn a_trace_tells_the_same() {
    let trace = day().join("day.trace");
    let no_hours =
        candidate(|text| text.replace("hours = [{ days = [\"mon-fri\"], from = \"09:00\", to = \"18:00\" }]", ""));
    let told = replay(no_hours.path(), &["--json", "--trace", trace.to_str().unwrap(), "--began", "2026-11-23"]);
    let told = told.ends(0).json();
    assert_eq!((number(&told, "accepted_then"), number(&told, "refused_then")), (231, 25));
    assert_eq!((number(&told, "newly_refused"), number(&told, "newly_accepted")), (0, 0));
    // Four partners outside office hours, and whoever had used up his ten hours, were refused at the address: nobody knows
    // their tunnels, and PPTP is denied.
    assert_eq!(told["report"]["lacking"], json!({ "tunnels": 5 }));
    let none = replay(no_hours.path(), &["--trace", trace.to_str().unwrap(), "--of", "7"]).ends(2).stderr;
    assert!(none.contains("it has 1 DLL"), "{none}");
}

#[test]
fn logs_tell_what_they_admitted_and_what_they_lack() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("dts.log");
    let log = log.to_str().unwrap();
    let config = day().join("rasadmin.toml");
    let environment = [("RASADMIN_CONFIG", config.to_str().unwrap())];
    let export = ["export", "--format", "nps-dts", "--output", log];
    rasadmin_with(export, &environment).ends(0);
    let mut text = std::fs::read_to_string(log).unwrap();
    text.push_str("<Event>nonsense</Event>\n");
    std::fs::write(log, text).unwrap();
    let same = candidate(|text| text);
    let ran = replay(same.path(), &["--json", "--log", log]).ends(0);
    assert!(ran.stderr.contains("dts.log"), "the malformed line is told: {}", ran.stderr);
    let told = ran.json();
    assert_eq!((number(&told, "accepted_then"), number(&told, "refused_then")), (231, 0));
    assert_eq!((number(&told, "newly_refused"), &told["malformed_lines"]), (0, &json!(1)));
    let quarantine = candidate(|text| {
        text.replace(
            "[default]",
            "[[rules]]\nname = \"q\"\naction = \"deny\"\nquarantine = [\"quarantine\"]\n[default]",
        )
        .replace(
            "name = \"staff\"\naction = \"allow\"",
            "name = \"staff\"\naction = \"allow\"\nquarantine = [\"normal\"]",
        )
    });
    let told = replay(quarantine.path(), &["--json", "--log", log]).ends(1).json();
    let lacking = told["report"]["lacking"]["quarantine"].as_u64().unwrap();
    assert!(lacking > 100 && number(&told, "rest_on_lacking") == lacking, "{:#}", told["report"]["lacking"]);
    let text = replay(quarantine.path(), &["--log", log]).ends(1).stdout;
    assert!(text.contains("depend on facts that are missing here: quarantine ("), "{text}");
    assert!(text.contains("(These logs contain only users who were let in.)"), "{text}");
}

#[test]
fn what_cannot_be_replayed_is_said() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("candidate.toml"), "default.action = \"alow\"\n").unwrap();
    let wrong = replay(folder.path(), &[]).ends(2).stderr;
    assert!(wrong.contains("the candidate is not valid:") && wrong.contains("did you mean `allow`?"), "{wrong}");
    let same = candidate(|text| text);
    let none = replay(same.path(), &["--ledger", "/nowhere/l.db"]).ends(2).stderr;
    assert!(none.contains("the ledger does not exist yet"), "{none}");
    let never = replay(same.path(), &["--since", "2031-01-01"]).ends(2).stderr;
    assert!(never.contains("there is nothing to replay in that time"), "{never}");
}
