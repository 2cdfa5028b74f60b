//! Requests that are refused before anything is asked.

use super::*;
use crate::changes::{Fields, Kind};

const KEY: &str = "3b241101-e2bb-4255-8caf-4136c566a962";

/// A request of which one part is another.
fn request(method: &str, path: &str, kind: &str, key: Option<&str>, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("content-type", kind);
    let request = key.into_iter().fold(request, |request, key| request.header(HEADER, key));
    request.body(body.into()).unwrap()
}

fn valid() -> String {
    json!({"user": "bob", "until": null, "reason": "left"}).to_string()
}

const PATH: &str = "/api/v1/block";
const JSON: &str = "application/json";

#[test]
fn only_an_operators_token_changes_anything() {
    let dashboard = Dashboard::new();
    let before = dashboard.scene.records().len();
    let send =
        |name: &str, role| dashboard.send_with_token(name, role, request("POST", PATH, JSON, Some(KEY), valid()));
    let says =
        "the token `watch` may look, but change nothing: its role is viewer; use a token of `rasadmin dashboard token";
    send("watch", Role::Viewer).refuses(403, says);
    // A visit alone is not enough, whatever its role is.
    let of_anna = dashboard.send("anna", Role::Operator, request("POST", PATH, JSON, Some(KEY), valid()));
    of_anna.refuses(403, "the API takes a change only with a token");
    assert_eq!(dashboard.scene.records().len(), before);
}

#[test]
fn a_request_that_is_not_as_the_document_says_is_refused() {
    let dashboard = Dashboard::new();
    let before = dashboard.scene.records().len();
    let send = |request| dashboard.send_with_token("helpdesk", Role::Operator, request);
    send(request("POST", PATH, JSON, None, valid())).refuses(400, "has no header `Idempotency-Key`");
    send(request("POST", PATH, JSON, Some("1"), valid())).refuses(400, "a short key is soon used again");
    let with_query = send(request("POST", "/api/v1/block?user=bob", JSON, Some(KEY), valid()));
    with_query.refuses(400, "there is no parameter `user`");
    for kind in ["application/x-www-form-urlencoded", "text/plain", "", "application/jsonp"] {
        send(request("POST", PATH, kind, Some(KEY), valid())).refuses(415, "Content-Type: application/json");
    }
    let long = format!("{}{}", valid(), " ".repeat(LARGEST));
    send(request("POST", PATH, JSON, Some(KEY), long)).refuses(413, "larger than 64 KiB");
    for change in CHANGES {
        for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
            let answer = send(request(method, change.path, JSON, Some(KEY), valid()));
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {}", change.path);
            assert_eq!(answer.headers["allow"], "POST", "{method} {}", change.path);
        }
    }
    assert_eq!(dashboard.scene.records().len(), before);
}

#[test]
fn a_body_is_read_strictly() {
    let dashboard = Dashboard::new();
    let before = dashboard.scene.records().len();
    for (change, body, says) in [
        ("block", "", "EOF while parsing"),
        ("block", "[]", "it is an object"),
        ("block", r#"["bob", null, null, "left"]"#, "it is an object"),
        ("block", r#"{"user":"bob","reason":"left"}"#, "missing field `until`"),
        ("block", r#"{"user":"bob","until":null}"#, "missing field `reason`"),
        ("block", r#"{"user":"bob","until":null,"reason":" "}"#, "the reason is a text that is not empty"),
        ("block", r#"{"user":"bob","until":null,"reason":"two\nlines"}"#, "must be one line"),
        ("block", r#"{"user":"bob","until":null,"reason":null}"#, "the reason is a text"),
        ("block", r#"{"until":null,"reason":"left"}"#, "both `user` and `claimed_computer`, or neither"),
        ("block", r#"{"user":"bob","claimed_computer":"PC","until":null,"reason":"left"}"#, "name exactly what"),
        ("block", r#"{"user":"bob","user":"alice","until":null,"reason":"left"}"#, "duplicate field `user`"),
        ("block", r#"{"user":null,"until":null,"reason":"left"}"#, "write a text"),
        ("block", r#"{"user":"bob","until":"8h","reason":"left"}"#, "write a time of RFC 3339"),
        ("block", r#"{"user":"bob","until":null,"reason":"left","lenght":1}"#, "unknown field `lenght`"),
        ("block", r#"{"user":"bob","until":null,"reason":"left","seen":[]}"#, "so is its `seen`"),
        ("block", r#"{"user":"bob","until":null,"reason":"left","seen":null}"#, "so is its `seen`"),
        ("block", r#"{"user":"bob","until":null,"reason":"left","seen":{"session":[]}}"#, "unknown field `session`"),
        ("block", r#"{"user":"bob","until":null,"reason":"left"}{}"#, "trailing characters"),
        ("disconnect", r#"{"user":"bob","reason":"left"}"#, "and `seen` is missing; send their keys"),
        (
            "disconnect",
            r#"{"session":0,"reason":"left"}"#,
            "neither the number of a session, without quotes, nor its whole key",
        ),
        ("disconnect", r#"{"session":"018f5a2b","reason":"left","force":true}"#, "its whole key"),
        ("disconnect", r#"{"session":1.5,"reason":"left"}"#, "neither the number of a session"),
        ("close", r#"{"session":1,"reason":"gone","seen":{"sessions":["1"]}}"#, "not the whole key of a session"),
        ("release", r#"{"address":"10.8.0","reason":"gone"}"#, "write an IP address"),
        ("release", r#"{"address":"10.8.0.1","force":"yes","reason":"gone"}"#, "expected a boolean"),
        ("release", r#"{"address":"10.8.0.1","force":null,"reason":"gone"}"#, "expected a boolean"),
    ] {
        let request = request("POST", &format!("/api/v1/{change}"), JSON, Some(KEY), body.to_owned());
        let answer = dashboard.send_with_token("helpdesk", Role::Operator, request);
        answer.refuses(400, says);
    }
    let long = json!({"user": "bob", "until": null, "reason": "x".repeat(201)});
    dashboard.order("block", &long).refuses(400, "the reason has 201 characters, and can have 200");
    assert_eq!(dashboard.scene.records().len(), before);
}

#[test]
fn what_does_not_exist_is_not_changed() {
    let dashboard = Dashboard::new();
    let before = dashboard.scene.records().len();
    for (change, body, status, says) in [
        (
            "disconnect",
            json!({"session": 99, "reason": "x"}),
            404,
            "there is no session `99`: nothing was done; GET /api/v1/sessions",
        ),
        ("close", json!({"session": 99, "reason": "x"}), 404, "there is no session"),
        (
            "disconnect",
            json!({"user": "carol", "reason": "x", "seen": {"sessions": []}}),
            409,
            r"CORP\CAROL is not connected",
        ),
        ("block", json!({"user": "a*", "until": null, "reason": "x"}), 404, "cannot be named"),
        ("block", json!({"claimed_computer": "A*", "until": null, "reason": "x"}), 404, "no client claims"),
        (
            "block",
            json!({"user": "bob", "until": "2026-01-01T00:00:00Z", "reason": "x"}),
            409,
            "would have ended already",
        ),
        ("unblock", json!({"user": "bob", "reason": "x"}), 409, r"CORP\BOB is not blocked"),
        ("release", json!({"address": "10.8.0.200", "reason": "x"}), 409, "nobody holds 10.8.0.200"),
    ] {
        dashboard.order(change, &body).refuses(status, says);
    }
    assert_eq!(dashboard.scene.records().len(), before);
    dashboard.scene.begin(8, r"PARTNER\alice", "VPN0-8").unwrap();
    dashboard.catch_up();
    let body = json!({"user": "alice", "until": null, "reason": "x"});
    dashboard.order("block", &body).refuses(409, r"several users have this name: `CORP\ALICE`, `PARTNER\ALICE`");
}

/// The ledger also finds a session by the first characters of its key, and these can be digits.
#[test]
fn a_number_is_no_part_of_a_key() {
    let dashboard = Dashboard::new();
    let found = || Proposal::read(&dashboard.app, Kind::Close, &Fields::naming("session", "1")).unwrap();
    assert!(exactly(found(), "1").is_ok() && exactly(found(), "001").is_ok());
    assert!(exactly(found(), &dashboard.key_of(1)).is_ok());
    assert_eq!(exactly(found(), "12345678").err().unwrap().status, StatusCode::NOT_FOUND);
}
