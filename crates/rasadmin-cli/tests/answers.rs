//! Answers that are empty, and answers that depend on what was not asked.
#![allow(clippy::unwrap_used)]

#[path = "../../rasadmin-recorder/tests/support/scene.rs"]
#[allow(dead_code)]
mod scene;
mod support;

use scene::Scene;
use serde_json::{Value, json};
use support::{Ran, rasadmin_with};

const CONFIG: &str = r#"
    time_zone = "UTC"
    default_domain = "CORP"
    default.action = "allow"
    journal.durability = "process"
    [[rules]]
    name = "no PPTP"
    action = "deny"
    tunnels = ["PPTP"]
    [[rules]]
    name = "no kiosks"
    action = "deny"
    users = ["kiosk"]
"#;

fn scene() -> Scene {
    let scene = Scene::new(CONFIG);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    scene
}

fn run(scene: &Scene, arguments: &[&str]) -> Ran {
    let config = scene.folder.path().join("rasadmin.toml");
    rasadmin_with(arguments, &[("RASADMIN_CONFIG", config.to_str().unwrap())])
}

#[test]
fn an_empty_list_is_an_answer_and_nobody_is_a_no() {
    let scene = scene();
    let lists: [(&[&str], &str); 8] = [
        (&["blocks"], "nobody is blocked on VPN1"),
        (&["sessions", "--user", "zoe"], "no sessions found"),
        (&["decisions", "--rejected"], "nobody was rejected"),
        (&["disconnect", "list"], "no session was or would be disconnected"),
        (&["users", "--user", "zoe"], "no users found"),
        (&["usage", "--user", "zoe"], "nobody has used anything"),
        (&["addresses", "--user", "zoe"], "no address is held"),
        (&["report", "--by", "user", "--month", "2020-01"], "no session and no denial"),
    ];
    let nobody: [(&[&str], &str); 3] = [
        (&["who-had", "10.9.9.9"], "nobody had 10.9.9.9 ever"),
        (&["who-had", "172.16.0.9", "--at", "2020-01-01"], "nobody had 172.16.0.9 at 2020-01-01"),
        (&["user", "zoe"], "never, as far as the ledger knows"),
    ];
    for (all, code) in [(&lists[..], 0), (&nobody[..], 1)] {
        for (arguments, says) in all {
            run(&scene, arguments).ends(code).prints(says);
            run(&scene, &[arguments, &["--json"][..]].concat()).ends(code).json();
        }
    }
    run(&scene, &["who-had", "172.16.0.9"]).ends(0);
    run(&scene, &["user", "alice"]).ends(0);
    for named in ["--session", "--decision"] {
        run(&scene, &["explain", named, "99"]).ends(2);
    }
}

#[test]
fn without_a_tunnel_explain_says_what_each_would_do() {
    let scene = scene();
    let bob = run(&scene, &["explain", "--user", "bob"]).ends(0);
    let bob = bob.prints("CORP\\BOB would be accepted on VPN1 at ");
    let bob = bob.prints("not given, so counted as absent: public address, computer, port\n");
    let bob = bob.prints(" (UTC), but not with every tunnel\n");
    let rows: Vec<_> = bob.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for row in ["SSTP accepted (default) link", "IKEv2 accepted (default) link", "PPTP denied no PPTP link"] {
        assert!(rows.iter().any(|line| line.starts_with(row)), "{row}: {rows:#?}");
    }
    let kiosk = run(&scene, &["explain", "--user", "kiosk"]).ends(1);
    let kiosk = kiosk.prints("CORP\\KIOSK would be denied on VPN1 at ");
    kiosk
        .prints("denied by the rule `no kiosks`")
        .prints(" (UTC), with every tunnel\n")
        .prints("these are the stages of SSTP; --tunnel");
    let bob = run(&scene, &["explain", "--user", "bob", "--json"]).ends(0).json();
    let allowed = |answer: &Value| -> Vec<(String, Value)> {
        let tunnels = answer["tunnels"].as_array().unwrap().iter();
        tunnels.map(|one| (one["tunnel"].as_str().unwrap().to_owned(), one["allowed"].clone())).collect()
    };
    let expected = [("SSTP", true), ("IKEv2", true), ("L2TP", true), ("PPTP", false)];
    assert_eq!(allowed(&bob), expected.map(|(tunnel, allowed)| (tunnel.to_owned(), json!(allowed))));
    assert_eq!((&bob["tunnels"][3]["rule"], &bob["tunnels"][3]["stage"]), (&json!("no PPTP"), &json!("link")));
    let pptp = run(&scene, &["explain", "--user", "bob", "--tunnel", "pptp", "--json"]).ends(1).json();
    assert_eq!(allowed(&pptp), [("PPTP".to_owned(), json!(false))]);
}

/// A rule would deny one tunnel, and a block denies all.
#[test]
fn a_block_decides_with_every_tunnel() {
    let ikev2 = CONFIG.replace("\"PPTP\"", "\"IKEv2\"").replace("no PPTP", "no IKEv2");
    let scene = Scene::new(&ikev2);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    let explain = ["explain", "--user", "bob", "--computer", "PC7"];
    run(&scene, &explain).ends(0).prints("but not with every tunnel").prints("no IKEv2");
    run(&scene, &["block", "--claimed-computer", "PC7", "--yes"]).ends(0);
    let blocked = run(&scene, &explain).ends(1).prints("with every tunnel\n").prints("denied before any rule: ");
    assert!(!blocked.stdout.contains("rule `no IKEv2`"), "{}", blocked.stdout);
    let json = run(&scene, &[&explain[..], &["--json"]].concat()).ends(1).json();
    let rules: Vec<_> = json["tunnels"].as_array().unwrap().iter().map(|tunnel| &tunnel["rule"]).collect();
    assert_eq!(rules, [&Value::Null; 4]);
    // Another computer is not concerned.
    run(&scene, &["explain", "--user", "bob", "--computer", "PC8"]).ends(0).prints("no IKEv2");
}

#[test]
fn what_the_dll_itself_refuses_is_not_called_allowed() {
    let pool = "addresses.pool = \"one\"\n[pools.one]\naddresses = [\"10.8.0.1-10.8.0.1\"]\n";
    let scene = Scene::new(&format!("default.action = \"allow\"\njournal.durability = \"process\"\n{pool}"));
    scene.begin(1, "alice", "VPN0-1").unwrap();
    scene.begin(2, "bob", "VPN0-2").unwrap_err();
    let heading = "IPv4 address (MprAdminGetIpAddressForUser): denied by the DLL itself (allowed by the default)\n";
    let why = "the pool `one` is exhausted";
    run(&scene, &["explain", "--user", "bob", "--tunnel", "SSTP"]).ends(1).prints(heading).prints(why);
    let denied = run(&scene, &["decisions", "--rejected", "--json"]).ends(0).json()[0]["id"].to_string();
    run(&scene, &["explain", "--decision", &denied]).ends(0).prints(heading).prints(why);
}

#[test]
fn a_report_is_by_user_unless_you_say_otherwise() {
    let scene = scene();
    let period = ["report", "--since", "2020-01-01", "--until", "2030-01-01", "--json"];
    // Alice is connected, so her time grows from one answer to the next.
    let key = |more: &[&str]| run(&scene, &[&period, more].concat()).ends(0).json()[0]["key"].clone();
    assert_eq!((key(&[]), key(&["--by", "user"])), (r"CORP\ALICE".into(), r"CORP\ALICE".into()));
    assert_ne!(key(&["--by", "tunnel"]), r"CORP\ALICE");
    run(&scene, &["report", "--since", "2020-01-01", "--until", "2030-01-01"]).ends(0).prints("CORP\\ALICE");
}

#[test]
fn an_export_into_no_folder_names_no_temporary_file() {
    let scene = scene();
    let file = scene.folder.path().join("no/such/x.csv");
    let ran = run(&scene, &["export", "--format", "csv", "--output", file.to_str().unwrap()]).ends(2);
    let ran = ran.complains("x.csv: it cannot be written: the folder does not exist: create it, or check the path");
    assert!(!ran.stderr.contains(".rasadmin-export-"), "{}", ran.stderr);
}

#[test]
fn without_a_configuration_the_remedy_can_be_typed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.toml");
    let at = |arguments: &[&str]| rasadmin_with(arguments, &[("RASADMIN_CONFIG", "")]);
    at(&["sessions"]).ends(2).complains("create one with `rasadmin config new`");
    at(&["config", "new", "--no-questions", "--output", file.to_str().unwrap()]).ends(0);
    at(&["config", "show", "--config", file.to_str().unwrap()]).ends(0);
}

#[test]
fn sessions_can_be_watched() {
    let scene = scene();
    let after_the_clock = |ran: Ran| ran.stdout.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let watched = after_the_clock(run(&scene, &["sessions", "--watch"]).ends(0));
    assert!(watched.iter().any(|line| line.contains("Connected now")), "{watched:#?}");
    let json = run(&scene, &["sessions", "--live", "--watch", "--every", "5", "--json"]).ends(0).json();
    assert_eq!((&json["live_sessions"], &json["live"][0]["name"]), (&json!(1), &json!("ALICE")));
    run(&scene, &["sessions", "--watch", "--user", "alice"]).ends(2).complains("cannot be used with");
    run(&scene, &["sessions", "--every", "5"]).ends(2).complains("--watch");
}

#[cfg(unix)]
const DAY: &str = "server-address 10.20.0.1\npool 10.20.0.2-10.20.0.9\n";

/// A downloaded scenario, for example, has the name that a stranger gave it.
#[cfg(unix)] // Windows allows no such names.
#[test]
fn a_hostile_path_reaches_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let (config, scenario) = (folder.path().join("c\u{1b}[2J.toml"), folder.path().join("s\u{1b}[2J.scenario"));
    std::fs::write(&config, CONFIG).unwrap();
    std::fs::write(&scenario, format!("{DAY}08:00:00 connect a user=a tunnel=sstp from=203.0.113.5\n")).unwrap();
    let (config, scenario) = (config.to_str().unwrap(), scenario.to_str().unwrap());
    let (product, keep) = (support::product(), folder.path().join("k\u{1b}[2J"));
    let (product, keep) = (product.to_str().unwrap(), keep.to_str().unwrap());
    let all = [
        &["config", "check", config][..],
        &["config", "show", "--config", config],
        &["host", "run", "--config", config, "--dll", product, "--keep", keep, scenario],
    ];
    for arguments in all {
        let ran = support::rasadmin(arguments).ends(0).prints("\\u{1b}[2J");
        assert!(!ran.stdout.contains('\u{1b}'), "{:?}", ran.stdout);
    }
}

/// `script` is a terminal whose input has ended.
#[cfg(unix)]
#[test]
fn an_input_that_ends_is_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.toml");
    let command = format!("'{}' config new --output '{}'", env!("CARGO_BIN_EXE_rasadmin"), file.display());
    let mut script = std::process::Command::new("timeout");
    // Without an answer, another question would wait for ever.
    script.args(["60", "script", "-qec", &command, "/dev/null"]).stdin(std::process::Stdio::null());
    let ended = script.output().unwrap();
    let told = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains("nothing was changed: the question was not answered") && !file.exists(), "{told}");
}
