//! The same request, sent twice.

use super::*;

const KEY: &str = "7f6f7c56-93c5-4f39-8d67-6a3c8e6f9f10";

#[test]
fn a_retry_sees_what_came_of_the_first_and_changes_nothing() {
    let dashboard = Dashboard::new();
    let body = json!({"claimed_computer": "PC-7", "until": null, "reason": "stolen"});
    let first = dashboard.orders("block", KEY, &body);
    assert!(!first.headers.contains_key(keys::REPLAYED));
    let first = first.done("is blocked");
    dashboard.order("unblock", &json!({"claimed_computer": "PC-7", "reason": "found"})).done("no longer");
    let before = dashboard.scene.records().len();
    // Spelled otherwise, it is the same request.
    let again: Value =
        serde_json::from_str(r#"{ "reason": "stolen", "until": null, "claimed_computer": "PC-7" }"#).unwrap();
    for body in [&body, &again] {
        let again = dashboard.orders("block", KEY, body);
        assert_eq!(again.headers[keys::REPLAYED], "true");
        assert_eq!(again.done("is blocked"), first);
    }
    let other = json!({"claimed_computer": "PC-8", "until": null, "reason": "stolen"});
    dashboard.orders("block", KEY, &other).refuses(422, "sent with another request: nothing was done");
    let other = json!({"claimed_computer": "PC-7", "reason": "stolen"});
    dashboard.orders("unblock", KEY, &other).refuses(422, "make up a new key for each change");
    assert_eq!(dashboard.scene.records().len(), before);
    assert_eq!(dashboard.get("/api/v1/blocks").json(), json!([]));
}

/// The session that was closed has a successor: a retry does not touch it.
#[test]
fn a_retry_does_not_reach_a_newer_session() {
    let dashboard = Dashboard::new();
    let key = dashboard.key_of(3);
    let body = json!({"session": key, "reason": "gone"});
    let first = dashboard.orders("close", KEY, &body).done("is closed");
    dashboard.scene.begin(7, "bob", "VPN0-7").unwrap();
    dashboard.catch_up();
    let before = dashboard.scene.records().len();
    assert_eq!(dashboard.orders("close", KEY, &body).done("is closed"), first);
    // Also if the key is not known any more.
    dashboard.order("close", &body).refuses(409, "has ended already");
    let seen = json!({"sessions": [key]});
    let body = json!({"user": "bob", "reason": "gone", "seen": seen});
    dashboard.order("disconnect", &body).refuses(409, "`seen` lacks sessions that are concerned now");
    assert_eq!(dashboard.scene.records().len(), before);
}

#[test]
fn what_was_not_done_can_be_tried_again_with_the_same_key() {
    let mut dashboard = Dashboard::without_service();
    let body = json!({"user": "bob", "until": null, "reason": "left"});
    for _ in 0..2 {
        let answer = dashboard.orders("block", KEY, &body);
        answer.refuses(503, "nobody was blocked: ");
        answer.refuses(503, "start the service");
    }
    dashboard.start_service();
    dashboard.orders("block", KEY, &body);
    assert!(matches!(dashboard.last().event, Event::BeginBlock(begun) if begun.by == Dashboard::by()));
}

#[test]
fn requests_at_the_same_moment_make_one_change() {
    let dashboard = Dashboard::new();
    let before = dashboard.scene.records().len();
    let body = json!({"claimed_computer": "PC-7", "until": null, "reason": "stolen"});
    let requests = (0..4).map(|_| ordered("block", KEY, &body)).collect();
    let answers = dashboard.send_at_once("helpdesk", Role::Operator, requests);
    let answers: Vec<_> = answers.into_iter().map(|answer| answer.done("is blocked")).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(dashboard.scene.records().len(), before + 1);
}
