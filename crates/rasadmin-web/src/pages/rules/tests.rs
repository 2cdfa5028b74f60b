//! The page over the ledger of a scene.
#![allow(clippy::unwrap_used)]

use super::Rules;
use crate::scene::{MONDAY, Scene};
use crate::{App, Events, Role, Source};
use rasadmin_ledger::sqlite::{Create, Sqlite};
use rasadmin_policy::Name;
use std::sync::Arc;
use std::time::{Duration, Instant};

const DAY: i64 = 86_400_000;

const CONFIG: &str = r#"
time_zone = "UTC"
default_domain = "CORP"
default = { action = "allow", reason = "anybody" }
addresses.pool = "staff"
journal.durability = "process"
[pools.staff]
addresses = ["10.8.0.0/24"]
[pools.office]
addresses = ["10.9.0.0/24"]
next = "staff"
[groups.office]
users = ["alice"]
pool = "office"
[[rules]]
name = "Not <b>Mallory</b>"
action = "deny"
users = ["mallory"]
reason = "this user is banned"
[[rules]]
name = "no L2TP"
action = "deny"
tunnels = ["L2TP"]
disconnect_active = true
grace = "5m"
[[rules]]
name = "one each"
action = "deny"
users = ["*"]
user_sessions = { at_least = 1 }
when_exceeded = "replace-oldest"
[[rules]]
name = "Alice"
action = "allow"
users = ["alice"]
pool = "office"
"#;

/// Alice connects, and mallory is denied twice.
fn scene() -> Scene {
    let scene = Scene::new(CONFIG);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    scene.begin(2, "mallory", "VPN0-2").unwrap_err();
    scene.wait(3600);
    scene.begin(3, "mallory", "VPN0-3").unwrap_err();
    scene
}

/// What the page says at a time: its HTML, and its text.
fn page(scene: &Scene, now: i64) -> (String, String) {
    let soon = Instant::now() + Duration::from_secs(20);
    let mut ledger = Sqlite::open(&scene.config.ledger, Create::Yes, false, soon).unwrap();
    ledger.ingest(&scene.config.journal, &Name::new("VPN1"), &mut |_| {}).unwrap();
    let source = Source::open(&scene.folder.path().join("rasadmin.toml"), &Name::new("VPN1")).unwrap();
    let (_, stop) = tokio::sync::watch::channel(false);
    let app = App { source, events: Arc::new(Events::new(stop)) };
    let html = Rules::at(&app, now).unwrap().content(Role::Viewer).into_string();
    let tags = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    let text = tags.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    (html, text)
}

#[track_caller]
fn says(text: &str, all: &[&str]) {
    for part in all {
        assert!(text.contains(part), "expected `{part}`: {text}");
    }
}

#[test]
fn the_rules_are_shown_top_down_with_what_they_have_decided() {
    let (html, text) = page(&scene(), MONDAY + 2 * 3_600_000);
    let mallory =
        "1 Not &lt;b&gt;Mallory&lt;/b&gt; denies users mallory Reason: this user is banned denied 2 last 10:00:00";
    let l2tp =
        "2 no L2TP denies tunnels L2TP It ends active sessions too, 5m 00s after it begins to hold. never matched";
    let each = "3 one each replaces users * user_sessions at least 1 It does not deny. If a rule below allows, the user's other sessions";
    let alice = "4 Alice allows users alice IPv4 address from the pool office allowed 3 last 09:00:00";
    let default = "(default) allows everybody whom no rule above matches Reason: anybody never matched";
    says(&text, &[mallory, l2tp, each, alice, default]);
    let places: Vec<_> = [mallory, l2tp, each, alice, default].map(|part| text.find(part)).into();
    assert!(places.is_sorted(), "{places:?}");
    assert!(!html.contains("<b>"), "a name is text: {html}");
    says(&html, &[r#"id="rule-no_20L2TP""#, r#"id="default""#]);
    says(&html, &["/decisions?rule=Alice&amp;outcome=any&amp;since=2026-10-24T11%3A00"]);
}

#[test]
fn a_rule_without_a_match_in_thirty_days_is_marked_and_its_last_match_is_linked() {
    let scene = scene();
    let (_, before) = page(&scene, MONDAY + 30 * DAY);
    says(&before, &["denied 2 last 2026-11-23 10:00", "allowed 3 last 2026-11-23 09:00"]);
    // Half an hour later, only the second denial is younger than thirty days.
    let (html, after) = page(&scene, MONDAY + 30 * DAY + 1_800_000);
    says(&after, &["denied 1 last 2026-11-23 10:00", "office no match in 30 days last 2026-11-23 09:00"]);
    assert!(!after.contains("allowed 3"), "{after}");
    let last = html.split("/decisions/").nth(1).unwrap().split('"').next().unwrap();
    assert!(last.parse::<i64>().is_ok(), "{last}");
}

#[test]
fn the_order_of_addresses_is_that_of_the_plan() {
    let (_, text) = page(&scene(), MONDAY + DAY);
    says(
        &text,
        &[
            "allowed by Alice : pool office member of the group office: pool office everybody else: pool staff",
            "If the pool office is exhausted, staff serves.",
        ],
    );
    let none = Scene::new("default.action = 'allow'\ndefault_domain = 'CORP'\n");
    none.begin(1, "alice", "VPN0-1").unwrap();
    assert!(!page(&none, MONDAY).1.contains("Which address"), "RRAS's own are kept");
}
