//! What an administrator looks at: `status`, `user`, `report` and the live screen, of a server whose day we know.
#![allow(clippy::unwrap_used)]

#[path = "../../rasadmin-recorder/tests/support/scene.rs"]
#[allow(dead_code)]
mod scene;
mod support;

use scene::{MONDAY, Scene};
use support::{Ran, rasadmin_with};

const CONFIG: &str = r#"
    time_zone = "UTC"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "small"
    journal.durability = "process"
    [pools.small]
    addresses = ["10.8.0.1-10.8.0.2"]
    [[rules]]
    name = "no kiosks"
    action = "deny"
    users = ["kiosk"]
    reason = "kiosks stay in the house"
    [[rules]]
    name = "nobody matches this"
    action = "deny"
    users = ["nobody"]
"#;

/// Alice and bob are connected and have all addresses; the kiosk and carol were refused.
fn scene() -> Scene {
    let scene = Scene::new(CONFIG);
    // Whatever day it is when the test ends, these are not before it.
    let now = jiff::Timestamp::now().as_millisecond();
    scene.wait((now - MONDAY) / 1000 + 12 * 3600);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    scene.begin(2, "bob", "VPN0-2").unwrap();
    scene.begin(3, "kiosk", "VPN0-3").unwrap_err();
    scene.begin(4, "carol", "VPN0-4").unwrap_err();
    scene
}

fn run(scene: &Scene, arguments: &[&str]) -> Ran {
    let config = scene.folder.path().join("rasadmin.toml");
    rasadmin_with(arguments, &[("RASADMIN_CONFIG", config.to_str().unwrap())])
}

fn facts(scene: &Scene) -> Vec<String> {
    let ran = run(scene, &["status", "--json"]);
    let facts = ran.json()["facts"].as_array().unwrap().clone();
    let text = |fact: &serde_json::Value, name: &str| fact[name].as_str().unwrap().to_owned();
    facts.iter().map(|fact| format!("{} {}: {}", text(fact, "mark"), text(fact, "about"), text(fact, "text"))).collect()
}

#[track_caller]
fn has(facts: &[String], start: &str) {
    assert!(facts.iter().any(|fact| fact.starts_with(start)), "expected `{start}`: {facts:#?}");
}

#[test]
fn status_is_loud_about_a_full_pool_refusals_and_sessions_without_a_service() {
    let scene = scene();
    // Before the ledger has the records, and after.
    for _ in 0..2 {
        let now = facts(&scene);
        has(&now, "attention pool: small (IPv4), 2 of 2 held (100.0 %): nobody else gets an address of it");
        has(&now, "attention refused: 1 refusal today by the DLL itself: 1 pool exhausted");
        has(&now, "notice refused: 1 refusal today by the rules: 1 `no kiosks`; see `rasadmin decisions");
        has(&now, "ok service: VPN1: running");
        run(&scene, &["ledger", "update"]).ends(0);
    }
    let answer = run(&scene, &["status", "--json"]).ends(1).json();
    assert_eq!(answer["refused_today"].as_array().unwrap().len(), 2, "{answer:#}");
    assert_eq!(answer["pools"][0]["held"], 2);
    let Scene { folder, recorder, .. } = scene;
    drop(recorder);
    // A child that another test starts just now has our handles, its lock too, until it is another program.
    let config = folder.path().join("rasadmin.toml");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let ran = rasadmin_with(["status"], &[("RASADMIN_CONFIG", config.to_str().unwrap())]);
        if ran.stdout.contains("running since") && std::time::Instant::now() < deadline {
            continue;
        }
        let ran = ran.ends(1).prints("VPN1: not running, but 2 open sessions");
        assert!(ran.stdout.starts_with("attention: "), "{}", ran.stdout);
        break;
    }
}

/// Each of these decided, or did not, and has a row of its own.
#[test]
fn a_report_by_rule_shows_what_decided() {
    let scene = scene();
    let report = run(&scene, &["report", "--by", "rule", "--since", "2020-01-01", "--until", "2100-01-01", "--json"]);
    let rows = report.ends(0).json();
    let row =
        |row: &serde_json::Value| format!("{} {} {} {}", row["decided_by"], row["key"], row["sessions"], row["denied"]);
    let rows: Vec<_> = rows.as_array().unwrap().iter().map(row).collect();
    assert_eq!(
        rows,
        [
            r#""rule" "no kiosks" 0 1"#,
            r#""rule" "nobody matches this" 0 0"#,
            r#""default" null 2 0"#,
            r#""dll" "exhausted" 0 1"#,
        ]
    );
    let text = run(&scene, &["report", "--by", "rule", "--since", "2020-01-01", "--until", "2100-01-01", "--top", "2"]);
    let text = text.ends(0).prints("(default)").prints("the first 2 of 4 rows; --top 0 shows all");
    assert!(!text.stdout.contains("nobody matches"), "{}", text.stdout);
    let sorted =
        run(&scene, &["report", "--by", "rule", "--since", "2020-01-01", "--until", "2100-01-01", "--sort", "denied"]);
    let first = sorted.ends(0).prints("(pool exhausted)").stdout.lines().nth(1).unwrap().to_owned();
    assert!(first.contains("no kiosks"), "{first}");
}

#[test]
fn nobody_is_connected_in_a_month_that_is_still_to_come() {
    let scene = scene();
    let ran = run(&scene, &["report", "--by", "user", "--month", "2199-01"]).ends(0);
    ran.complains("this period is still to come").prints("no session and no denial between 2199-01-01 00:00:00");
}

#[test]
fn a_user_is_on_one_screen() {
    let scene = scene();
    scene.end(2, "bob", "VPN0-2", "10.8.0.2");
    for again in 5..8 {
        scene.begin(again, "bob", "VPN0-2").unwrap();
        scene.wait(60);
        scene.end(again, "bob", "VPN0-2", "10.8.0.2");
    }
    let alice = run(&scene, &["user", "alice"]).ends(0);
    let alice = alice
        .prints("user         CORP\\ALICE")
        .prints("connected    1 session now; 1 in all")
        .prints("holds        10.8.0.1");
    assert!(!alice.stdout.contains("Denied") && !alice.stdout.contains("Past"), "{}", alice.stdout);
    let carol = run(&scene, &["user", "CORP\\carol"]).ends(0);
    carol.prints("connected    never\n").prints("(pool exhausted)").prints("the pool `small` is exhausted");
    run(&scene, &["decisions", "--rejected", "--user", "carol"]).ends(0).prints("(pool exhausted)");
    let kiosk = run(&scene, &["user", "kiosk"]).ends(0);
    kiosk.prints("named by     `no kiosks`").prints("kiosks stay in the house");
    let bob = run(&scene, &["user", "bob", "--limit", "2"]).ends(0);
    bob.prints("not now; 4 sessions")
        .prints("Past sessions (the latest 2; --limit 0 or `rasadmin sessions --user` shows all)");
    let bob = run(&scene, &["user", "bob", "--limit", "2", "--json"]).ends(0).json();
    assert_eq!((bob["past"].as_array().unwrap().len(), &bob["more_past"]), (2, &true.into()), "{bob:#}");
    assert_eq!(bob["more_denials"], false);
    run(&scene, &["user", "alise"]).ends(1).prints("never, as far as the ledger knows");
}

/// A user with a reservation and two limits, one of them reached.
#[test]
fn a_users_limits_show_what_is_used_of_them() {
    let scene = Scene::new(&format!(
        "{CONFIG}
        [groups.staff]
        users = ['dave', 'erin']
        [[reservations]]
        user = 'dave'
        address = '10.8.0.200'
        [[rules]]
        name = 'one each'
        action = 'deny'
        groups = ['staff']
        user_sessions = {{ at_least = 1 }}
        [[rules]]
        name = 'a gigabyte'
        action = 'deny'
        octets = {{ at_least = '1 GB', per = 'month' }}
        "
    ));
    scene.begin(1, "dave", "VPN0-1").unwrap();
    let dave = run(&scene, &["user", "dave", "--json"]).ends(0).json();
    assert_eq!(
        (&dave["groups"][0], &dave["reservations"][0]["ipv4"]),
        (&"staff".into(), &"10.8.0.200".into()),
        "{dave:#}"
    );
    let limits = dave["limits"].as_array().unwrap().iter();
    let limits: Vec<_> = limits.map(|of| format!("{} {} {}", of["rule"], of["used"], of["reached"])).collect();
    assert_eq!(limits, [r#""one each" "0 to 1" null"#, r#""a gigabyte" "0 octets this month" false"#], "{dave:#}");
    assert_eq!(dave["rules"], serde_json::json!(["one each"]));
    // The limit of a group is not for others.
    let alice = run(&scene, &["user", "alice", "--json"]).json();
    assert_eq!(alice["limits"].as_array().unwrap().len(), 1, "{alice:#}");
}

#[test]
fn a_name_of_several_domains_must_have_its_domain() {
    let scene = scene();
    scene.end(1, "alice", "VPN0-1", "10.8.0.1");
    scene.begin(9, "PARTNER\\alice", "VPN0-9").unwrap();
    run(&scene, &["user", "alice"])
        .ends(2)
        .complains("several users have the name `alice`: CORP\\ALICE, PARTNER\\ALICE");
    run(&scene, &["user", "PARTNER\\alice"]).ends(0).prints("1 session now");
}

/// Every list has an end, and says how to see the rest.
#[test]
fn every_list_is_cut_and_says_so() {
    let scene = scene();
    scene.end(2, "bob", "VPN0-2", "10.8.0.2");
    scene.begin(5, "dave", "VPN0-2").unwrap();
    let all = ["--since", "2020-01-01", "--until", "2100-01-01"];
    for (list, told) in [
        (vec!["users"], "the first 1 of 5; --limit 0 shows all"),
        (vec!["usage", all[0], all[1], all[2], all[3], "--per", "day"], ""),
        (vec!["addresses"], "the first 1 of 2; --limit 0 shows all"),
        (vec!["who-had", "10.8.0.2"], "the latest 1; --limit 0 shows all"),
        (vec!["sessions"], "the latest 1; --limit 0 shows all"),
        (vec!["decisions"], "the latest 1; --limit 0 shows all"),
    ] {
        run(&scene, &[&list[..], &["--limit", "1"]].concat()).ends(0).prints(told);
        let whole = run(&scene, &[&list[..], &["--limit", "0"]].concat()).ends(0);
        assert!(!whole.stdout.contains("--limit"), "{}", whole.stdout);
    }
    // Totals in JSON are complete; lists warn if they are cut.
    let users = run(&scene, &["users", "--json"]).ends(0).json();
    assert_eq!(users.as_array().unwrap().len(), 5);
    run(&scene, &["sessions", "--limit", "1", "--json"])
        .ends(0)
        .complains("these are the latest 1; --limit 0 shows all");
}

/// Without a terminal it prints once.
#[test]
fn top_shows_what_happens_now() {
    let scene = scene();
    scene.end(2, "bob", "VPN0-2", "10.8.0.2");
    let top = run(&scene, &["top"]).ends(0);
    let top = top.prints("1 connected").prints("2 sessions began, 1 ended, 2 denied").prints("small 1 of 2 (50 %)");
    let top = top.prints("CORP\\ALICE").prints("no kiosks").prints("(pool exhausted)");
    assert!(!top.stdout.contains('\u{1b}'), "{}", top.stdout);
    let json = run(&scene, &["top", "--json"]).ends(0).json();
    let numbers: Vec<_> = ["live_sessions", "began", "ended", "denied"].map(|of| json[of].as_u64().unwrap()).into();
    assert_eq!(numbers, [1, 2, 1, 2], "{json:#}");
    assert_eq!(json["live"][0]["name"], "ALICE");
    run(&scene, &["top", "--every", "0"]).ends(2);
}

/// An option that changes nothing is refused.
#[test]
fn a_past_decision_is_explained_from_its_own_facts() {
    let scene = scene();
    run(&scene, &["explain", "--decision", "1"]).ends(0);
    for option in [["--tunnel", "SSTP"], ["--at", "today"], ["--quarantine", "normal"], ["--from", "192.0.2.1"]] {
        let ran = run(&scene, &[&["explain", "--decision", "1"], &option[..]].concat()).ends(2);
        ran.complains("cannot be used with").complains(option[0]);
    }
}

#[test]
fn options_that_would_change_nothing_are_refused() {
    let scene = scene();
    for (line, told) in [
        ("export --format csv --sql mysql", "are for --format radacct"),
        ("export --format jsonl --nas-ip-address 10.0.0.1", "are for --format radacct"),
        ("check --static-only --cycles 7 x.dll", "cannot be used with"),
        ("check --seed 7 --static-only x.dll", "cannot be used with"),
        ("install --config-only --wake", "cannot be used with"),
        ("journal show --all --last 7", "cannot be used with"),
    ] {
        run(&scene, &line.split(' ').collect::<Vec<_>>()).ends(2).complains(told);
    }
}

#[test]
fn a_configuration_that_does_not_exist_is_said_to_be_missing() {
    let scene = scene();
    for command in ["sessions", "top", "report --by user"] {
        let words: Vec<_> = command.split(' ').chain(["--config", "no/such.toml"]).collect();
        let ran = run(&scene, &words).ends(2).complains("such.toml: the configuration does not exist: check the path");
        assert!(!ran.stderr.contains("not valid"), "{}", ran.stderr);
    }
}

/// That it is damaged is an answer, and its exit code is 1.
#[test]
fn a_damaged_ledger_is_a_fault() {
    let scene = scene();
    run(&scene, &["ledger", "check"]).ends(0).prints("no fault found: 2 sessions (2 live, 0 imported)");
    let ledger = scene.config.ledger.clone();
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", ledger.display()));
    }
    std::fs::write(&ledger, "this is no database, and never was one".repeat(40)).unwrap();
    run(&scene, &["ledger", "check"]).ends(1).prints("it is damaged, or not a ledger").prints("restore a backup");
    let json = run(&scene, &["ledger", "check", "--json"]).ends(1).json();
    assert_eq!((json["faults"].as_array().unwrap().len(), &json["counts"]), (1, &serde_json::Value::Null));
    run(&scene, &["ledger", "check", "--ledger", "no/such.db"]).ends(2).complains("does not exist");
}

/// The first rows of a report are the same in every format.
#[test]
fn the_top_of_a_report_is_the_top_for_programs_too() {
    let scene = scene();
    // On the last day of a month, the scene is in the next one.
    let time = jiff::Timestamp::from_millisecond(scene.now().at.time).unwrap();
    let month = time.strftime("%Y-%m").to_string();
    let report = ["report", "--by", "user", "--top", "1", "--month", &month];
    let by = |more: &[&str]| run(&scene, &[&report, more].concat()).ends(0);
    let first = by(&["--json"]).json()[0]["key"].as_str().unwrap().to_owned();
    by(&[]).prints(&first);
    assert!(by(&["--format", "csv"]).stdout.lines().nth(1).unwrap().contains(&first));
    let denied = by(&["--sort", "denied", "--json"]).json();
    by(&["--sort", "denied"]).prints(denied[0]["key"].as_str().unwrap());
    run(&scene, &["report", "--by", "user", "--since", "2026-11-24", "--until", "2026-11-23"])
        .ends(2)
        .complains("--until is before --since");
    let future = run(&scene, &["report", "--by", "user", "--since", "2999-01-01"]).ends(2);
    assert!(
        future.stderr.contains("--since is in the future") && !future.stderr.contains("exchange"),
        "{}",
        future.stderr
    );
}

/// Without a terminal nobody is asked, and the options are named.
#[test]
fn config_new_names_the_options_that_it_cannot_ask_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    let new = |more: &[&str]| rasadmin_with([&["config", "new", "-o", file.to_str().unwrap()], more].concat(), &[]);
    let ran = new(&["--time-zone", "Berlin", "--pool", "10.20.16"]).ends(2);
    ran.complains("--time-zone: there is no time zone `Berlin`")
        .complains("--pool: `10.20.16` is not a valid IPv4 address");
    assert!(!file.exists());
    let ran = new(&["--time-zone", "Europe/Berlin"]).ends(2);
    ran.complains("nothing was written: there is no terminal to ask on").complains(
        "add what you want of --domain, --only-domain, --no-pptp, --one-session, --pool; --no-questions leaves",
    );
    assert!(!file.exists());
    // Everybody would be denied whose name arrives without a domain.
    new(&["--no-questions", "--domain", "CORP", "--only-domain", "corp.example"]).ends(2).complains(
        "--only-domain: `corp.example` is not the domain of users without one, `CORP`; give both options the same",
    );
    assert!(!file.exists());
    let quiet = new(&["--no-questions"]).ends(0);
    assert_eq!(quiet.stderr, "");
}
