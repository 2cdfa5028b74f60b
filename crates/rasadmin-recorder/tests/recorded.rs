//! What explains a decision later is recorded with it: the configuration's texts, and what the ledger had said.
#![allow(clippy::unwrap_used)]

mod support;

use support::{Scene, config};

const CONFIG: &str = r#"
    time_zone = "Europe/Berlin"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "all"
    [pools.all]
    addresses = ["10.8.0.0/24"]
    [groups.staff]
    users = ["alice", "bob"]
    [[rules]]
    name = "one session per user"
    action = "deny"
    user_sessions = { at_least = 2 }
    when_ledger_unavailable = "skip"
    [[rules]]
    name = "two of the staff"
    action = "deny"
    users = ["alice"]
    group_sessions = { group = "staff", at_least = 3 }
    when_ledger_unavailable = "skip"
    [[rules]]
    name = "quota"
    action = "deny"
    users = ["alice"]
    connect_time = { per = "day", at_least = "8h" }
    when_ledger_unavailable = "skip"
"#;

#[test]
fn what_the_ledger_had_said_is_kept_with_the_decision() {
    let scene = Scene::new(CONFIG);
    let bobs = scene.begin(1, "bob", "VPN0-1").unwrap();
    scene.begin(2, "alice", "VPN0-2").unwrap();
    scene.wait(60);
    scene.begin(3, "alice", "VPN0-3").unwrap();
    let last = "SELECT counted FROM decisions WHERE stage = 'ipv4-address' ORDER BY id DESC LIMIT 1";
    assert_eq!(
        scene.ask(last),
        r#"{"user_sessions":{"min":0,"max":1},"group_sessions":{"staff":{"min":1,"max":2}},"used":{"day":{"seconds":60,"octets":0}}}"#
    );
    scene.end(1, "bob", "VPN0-1", &bobs);
    scene.begin(4, "carol", "VPN0-1").unwrap();
    assert_eq!(scene.ask(last), r#"{"user_sessions":{"min":0,"max":0}}"#, "only what was asked for");
}

#[test]
fn every_configuration_that_was_in_force_is_kept_and_every_load_told() {
    let scene = Scene::new(CONFIG);
    let changed = format!("{CONFIG}\n# changed\n");
    let second = config(scene.folder.path(), &changed);
    scene.engine.set_config(second.clone(), scene.now());
    scene.engine.config_is_broken("line 3: nonsense", scene.now());
    scene.engine.set_config(config(scene.folder.path(), CONFIG), scene.now());
    let (first, other) = (&scene.config.hash, &second.hash);
    let loads = format!("{first}; {other}; {other}; {first}");
    assert_eq!(scene.ask("SELECT config FROM loads ORDER BY id"), loads);
    assert_eq!(scene.ask("SELECT fault FROM loads WHERE fault IS NOT NULL"), "line 3: nonsense");
    assert_eq!(scene.ask("SELECT count(*) FROM configs"), "2");
    let texts = format!("SELECT texts FROM configs WHERE hash = '{}'", second.hash);
    let kept: rasadmin_engine::config::Bundle = serde_json::from_str(&scene.ask(&texts)).unwrap();
    assert_eq!(kept.text, changed);
    assert_eq!(kept.compile().unwrap().hash, second.hash);
    assert_eq!(scene.ask("SELECT DISTINCT version FROM loads"), env!("CARGO_PKG_VERSION"));
}
