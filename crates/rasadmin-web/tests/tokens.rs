//! Programs with a token: who gets in, over real connections.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_web::Role;
use rasadmin_web::accounts::tokens;
use support::{Answer, Server};

const PATH: &str = "/api/v1/configuration";

fn with(server: &Server, method: &str, path: &str, token: &str) -> Answer {
    server.send(method, path, &[("Authorization", &format!("Bearer {token}"))], "")
}

/// The error's kind, and what it says. It must be JSON.
#[track_caller]
fn error(answer: &Answer) -> (String, String) {
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:#?}");
    let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let error = &json["error"];
    assert_eq!(error["status"], answer.status, "{json}");
    assert!(error["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{json}");
    (error["kind"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
}

#[test]
fn a_token_lets_a_program_in_until_it_is_removed() {
    let server = Server::new();
    let token = tokens::add(&server.users(), "backup", Role::Viewer).unwrap();
    let answer = with(&server, "GET", PATH, &token).is(200).shows("\"hash\":");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.set_cookies().is_empty());
    tokens::remove(&server.users(), "backup").unwrap();
    let refused = with(&server, "GET", PATH, &token).is(401);
    assert_eq!(error(&refused).0, "not-logged-in");
    assert_eq!(refused.header("www-authenticate"), Some("Bearer realm=\"rasadmin\""));
    server.has_told("a wrong token from 127.0.0.1");
    assert!(!server.told().iter().any(|line| line.contains(&token)), "{:?}", server.told());
}

#[test]
fn the_log_has_a_token_once_and_not_each_request() {
    let server = Server::new();
    let token = tokens::add(&server.users(), "prometheus", Role::Operator).unwrap();
    for _ in 0..3 {
        with(&server, "GET", PATH, &token).is(200);
    }
    let lines = server.told().into_iter().filter(|line| line.contains("the token `prometheus` (operator) is in use"));
    assert_eq!(lines.count(), 1, "{:?}", server.told());
}

#[test]
fn without_a_token_a_program_gets_401_and_a_visits_cookie_is_enough_to_read() {
    let server = Server::new();
    for path in [PATH, "/api", "/api/", "/api/v2/none", "/metrics"] {
        assert_eq!(error(&server.get(path).is(401)).0, "not-logged-in", "{path}");
    }
    let mut browser = server.opened();
    browser.get(PATH).is(200);
    // A token that is wrong is not made good by a cookie.
    let wrong = [("Authorization", "Bearer rasadmin_wrong")];
    browser.send("GET", PATH, &wrong, "").is(401);
    // A proxy in front may have a password of its own.
    browser.send("GET", PATH, &[("Authorization", "Basic YTpi")], "").is(200);
    // Another site's page can send the cookie along, but not the token of a form.
    assert_eq!(error(&browser.send("POST", PATH, &[], "").is(403)).0, "refused");
}

#[test]
fn a_token_opens_the_api_and_no_page() {
    let server = Server::new();
    let token = tokens::add(&server.users(), "backup", Role::Operator).unwrap();
    for path in ["/", "/sessions", "/events", "/apian"] {
        let answer = with(&server, "GET", path, &token);
        assert!([303, 401].contains(&answer.status), "{path}: {answer:#?}");
    }
}

#[test]
fn wrong_tokens_fill_no_log_and_stop_nobody() {
    let server = Server::new();
    let token = tokens::add(&server.users(), "backup", Role::Viewer).unwrap();
    for _ in 0..60 {
        with(&server, "GET", PATH, "rasadmin_old").is(401);
    }
    let lines = server.told().iter().filter(|line| line.contains("a wrong token")).count();
    assert!((5..30).contains(&lines), "{lines}");
    with(&server, "GET", PATH, &token).is(200);
    server.user("alice", Role::Viewer);
    server.browser().log_in("alice", support::PASSWORD, "/").is(303);
}

#[test]
fn a_token_does_not_make_another_name_ours() {
    let server = Server::new();
    let token = tokens::add(&server.users(), "backup", Role::Viewer).unwrap();
    let bearer = format!("Bearer {token}");
    let bytes = support::request("evil.example", "GET", PATH, &[("Authorization", &bearer)], "");
    let answer = server.raw(bytes.as_bytes()).is(421);
    assert_eq!(error(&answer).0, "usage");
}

#[test]
fn a_method_that_a_path_does_not_have_is_405() {
    let server = Server::new();
    let token = tokens::add(&server.users(), "backup", Role::Operator).unwrap();
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let answer = with(&server, method, PATH, &token).is(405);
        assert_eq!((error(&answer).0.as_str(), answer.header("allow")), ("usage", Some("GET, HEAD")), "{method}");
    }
    with(&server, "HEAD", PATH, &token).is(200);
}

#[test]
fn a_broken_users_file_lets_nobody_in_and_says_nothing_of_the_server() {
    let server = Server::new();
    let token = tokens::add(&server.users(), "backup", Role::Viewer).unwrap();
    std::fs::write(server.users(), "users = 7").unwrap();
    for _ in 0..3 {
        let answer = with(&server, "GET", PATH, &token).is(503);
        assert_eq!(error(&answer).0, "unavailable");
        assert!(!answer.body.contains("dashboard-users"), "{answer:#?}");
    }
    let lines = server.told().into_iter().filter(|line| line.contains("the dashboard's users are not valid"));
    assert_eq!(lines.count(), 1, "{:?}", server.told());
}

#[test]
fn a_change_needs_the_token_of_an_operator() {
    const CHANGE: &str = "/api/v1/close";
    let server = Server::new();
    let send = |token: &str, more: &[(&str, &str)]| {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("Content-Type", "application/json"), ("Idempotency-Key", "a-key-of-this-test")];
        if !token.is_empty() {
            headers.push(("Authorization", &bearer));
        }
        headers.extend(more);
        server.send("POST", CHANGE, &headers, r#"{"session": 241, "reason": "gone"}"#)
    };
    assert_eq!(error(&send("", &[]).is(401)).0, "not-logged-in");
    // The cookie of a visit is not enough, not even together with the token of its forms.
    let mut browser = server.opened();
    let of_visit = browser.send("POST", CHANGE, &[("Content-Type", "application/json")], "{}").is(403);
    assert!(error(&of_visit).1.contains("only with a token, and not with the cookie of a visit"), "{of_visit:#?}");
    let page = browser.get("/").is(200).body;
    let csrf = page.split(r#"name="csrf" value=""#).nth(1).unwrap().split('"').next().unwrap().to_owned();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    browser.send("POST", CHANGE, &form, &support::form(&[("csrf", &csrf)])).is(403);
    let viewer = tokens::add(&server.users(), "watch", Role::Viewer).unwrap();
    let refused = send(&viewer, &[]).is(403);
    assert_eq!(error(&refused).0, "refused");
    assert!(error(&refused).1.contains("`watch` may look, but change nothing"), "{refused:#?}");
    let operator = tokens::add(&server.users(), "helpdesk", Role::Operator).unwrap();
    let missing = send(&operator, &[]).is(404);
    assert!(error(&missing).1.contains("there is no session `241`: nothing was done"), "{missing:#?}");
    // Nor does the page of another site get through with a token.
    send(&operator, &[("Origin", "https://evil.example")]).is(403);
    let get = with(&server, "GET", CHANGE, &operator).is(405);
    assert_eq!(get.header("allow"), Some("POST"));
}
