//! A process that may not read the journal: it knows the blocks from the service, and the live sessions from the ledger.

use super::*;
use crate::scene::{With as _, connection};
use rasadmin_engine::Name;
use rasadmin_pipe::Subject;

fn is_blocked(page: &Page) -> bool {
    page.html.contains("<h2>Blocked</h2>")
}

#[test]
fn a_block_that_the_service_lists_is_shown_compared_and_lifted() {
    let dashboard = Dashboard::that_may_not_read_the_journal();
    dashboard.order("unblock", &json!({"user": "bob", "reason": "x"})).refuses(409, r"CORP\BOB is not blocked");
    let body = |seen: &Value| json!({"user": "bob", "until": null, "reason": "left", "seen": seen});
    let lacks = "`seen` lacks sessions that are concerned now";
    dashboard.order("block", &body(&json!({"sessions": []}))).refuses(409, lacks);
    let seen = json!({"sessions": [dashboard.key_of(3)], "block_since": null});
    let text = dashboard.order("block", &body(&seen)).json()["text"].to_string();
    assert!(text.contains(r"CORP\\BOB is blocked on VPN1 until it is lifted"), "{text}");
    dashboard.order("block", &body(&seen)).refuses(409, "there is a block, since 20");
    let page = dashboard.get("/users/bob");
    page.says("until it is lifted: left");
    assert!(is_blocked(&page) && !page.text().contains("Blockednot known here"), "{}", page.text());
    dashboard.get("/change/unblock?user=bob").says("The block: since");
    let since = dashboard.get("/api/v1/blocks").json()[0]["since"].clone();
    let lift = |since: &Value| json!({"user": "bob", "reason": "back", "seen": {"block_since": since}});
    let then = json!("2026-01-01T00:00:00Z");
    dashboard.order("unblock", &lift(&then)).refuses(409, "the block in force is one since 20");
    dashboard.order("unblock", &lift(&since)).done(r"CORP\\BOB is no longer blocked on VPN1");
    assert!(!is_blocked(&dashboard.get("/users/bob")));
    dashboard.get("/change/block?user=bob").says("1 live session is disconnected");
}

/// Only the journal knows what counts towards a limit: the service is asked.
#[test]
fn how_much_of_a_limit_is_used_is_known_from_the_service() {
    let dashboard = Dashboard::that_may_not_read_the_journal();
    for (user, used) in [("alice", 2), ("bob", 1)] {
        let page = dashboard.get(&format!("/users/{user}"));
        // The last one depends on whether the client that connects replaces a session.
        page.says(&format!("nine eachsessions of the userat least 9{} to {used}not reached", used - 1));
        assert!(!page.text().contains("not known here"), "{}", page.text());
        let limit = dashboard.get(&format!("/api/v1/users/{user}")).json()["limits"][0].clone();
        let expected = json!({"rule": "nine each", "field": "user_sessions", "used_number": used, "limit_number": 9});
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(limit[key], *value, "{key}: {limit}");
        }
    }
    // Names of strangers arrive as they are.
    let hostile = "z\u{202e}o\\u{e";
    dashboard.scene.begin(8, hostile, "VPN0-8").unwrap();
    dashboard.catch_up();
    let address = format!("/api/v1/users/{}", crate::parts::encoded(hostile));
    assert_eq!(dashboard.get(&address).json()["limits"][0]["used_number"], 1);
    // A change counts at once, although the ledger does not have it yet.
    dashboard.scene.begin(9, "bob", "VPN0-9").unwrap();
    assert_eq!(dashboard.get("/api/v1/users/bob").json()["limits"][0]["used_number"], 2);
}

#[test]
fn the_sessions_of_a_claimed_computer_are_those_of_the_ledger() {
    let dashboard = Dashboard::that_may_not_read_the_journal();
    let event = connection(9, "dave").with(|event| event.computer = Name::new("Laptop-7"));
    assert_eq!(dashboard.scene.connect(&event), rasadmin_recorder::Verdict::Accept);
    dashboard.catch_up();
    let body = |sessions: &[String]| {
        let seen = json!({"sessions": sessions});
        json!({"claimed_computer": "laptop-7", "until": null, "reason": "stolen", "seen": seen})
    };
    dashboard.order("block", &body(&[])).refuses(409, &format!("concerned now: {}", dashboard.key_of(9)));
    let text = dashboard.order("block", &body(&[dashboard.key_of(9)])).json()["text"].to_string();
    assert!(text.contains("the claimed computer name LAPTOP-7 is blocked on VPN1"), "{text}");
}

#[test]
fn a_user_is_kept_away_and_a_longer_block_stays() {
    let dashboard = Dashboard::that_may_not_read_the_journal();
    let body = json!({"session": 1, "reason": "maintenance", "block_until": tomorrow()});
    let text = dashboard.order("disconnect", &body).json()["text"].to_string();
    assert!(text.contains(r"CORP\\ALICE is blocked on VPN1 until"), "{text}");
    dashboard.order("block", &json!({"user": "alice", "until": null, "reason": "left"}));
    let before = dashboard.scene.records().len();
    let text = dashboard.order("disconnect", &body).html;
    assert!(text.contains("nobody was disconnected"), "{text}");
    assert_eq!(dashboard.scene.records().len(), before, "the longer block is not replaced");
}

#[test]
fn every_block_is_known_however_many_there_are() {
    let dashboard = Dashboard::that_may_not_read_the_journal();
    let block = |subject| {
        let request = rasadmin_pipe::Request::Block { subject, until: None, reason: None };
        dashboard.app.source.service::<rasadmin_pipe::Blocked>(&request).unwrap();
    };
    block(Subject::ClaimedComputer("LAPTOP-7".to_owned()));
    block(Subject::User(r"CORP\bob".to_owned()));
    std::thread::sleep(std::time::Duration::from_millis(5));
    for number in 0..200 {
        block(Subject::User(format!(r"CORP\user{number}")));
    }
    let seen =
        |who: &str, name: &str| json!({who: name, "reason": "back", "seen": {"block_since": "2026-01-01T00:00:00Z"}});
    let claimed = dashboard.order("unblock", &seen("claimed_computer", "laptop-7"));
    claimed.refuses(409, "the block in force is one since 20");
    dashboard.order("unblock", &seen("user", "bob")).refuses(409, "the block in force is one since 20");
    // The page asks for one user.
    assert!(is_blocked(&dashboard.get("/users/bob")) && is_blocked(&dashboard.get("/users/user199")));
    let lift = json!({"user": r"CORP\bob", "reason": "back"});
    dashboard.order("unblock", &lift).done("is no longer blocked");
}
