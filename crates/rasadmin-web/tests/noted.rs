//! What visitors let the service do, in the log.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_journal::{ServiceLock, Taken};
use rasadmin_policy::Name;
use rasadmin_service::{Current, Log, Service, Settings, duties};
use rasadmin_web::accounts::tokens;
use rasadmin_web::{Role, Source};
use std::sync::Arc;
use std::time::Instant;
use support::{Answer, PASSWORD, PATIENCE, Server};

/// The service beside a dashboard.
fn beside(server: &Server) -> Service {
    let config = Source::open(&server.folder.path().join("rasadmin.toml"), &Name::new("VPN1")).unwrap().config();
    let settings = Arc::new(Settings::of(&config, &Name::new("VPN1")));
    let Taken::Ours(lock, _) = ServiceLock::take(&settings.journal).unwrap() else { panic!("another service") };
    let all = duties(&settings, &Arc::new(Current::new(config)), None);
    Service::start(&settings, lock, all, 1, &Arc::new(Log::new(None, |_: &str| ()))).unwrap()
}

#[test]
fn the_log_has_who_tries_other_rules() {
    let server = Server::new();
    let mut browser = server.opened();
    let csrf = browser.get("/rules/what-if").is(200).csrf();
    let candidate = [("csrf", csrf.as_str()), ("configuration", "default.action = \"deny\"")];
    browser.post("/rules/what-if", &candidate).is(503);
    server.has_told("what-if by `CORP\\admin` from 127.0.0.1: no simulation has begun: ");
    let service = beside(&server);
    let deadline = Instant::now() + PATIENCE;
    let begun = loop {
        let answer = browser.post("/rules/what-if", &candidate);
        if answer.status == 303 {
            break answer;
        }
        assert!(Instant::now() < deadline, "{answer:#?}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    let address = begun.header("location").unwrap();
    let simulation = address.replace("/rules/what-if/", "simulation ") + " ";
    server.has_told(&format!("what-if by `CORP\\admin` from 127.0.0.1: {simulation}has begun"));
    browser.post("/rules/what-if", &[("csrf", &csrf), ("configuration", "rules = 7")]).is(422);
    server.has_told("what-if by `CORP\\admin` from 127.0.0.1: no simulation has begun: the candidate has mistakes");
    browser.post(&format!("{address}/stop"), &[("csrf", &csrf)]).is(303);
    // The ledger is empty: it may have ended by itself.
    assert_eq!(server.told().iter().filter(|line| line.contains(&simulation)).count(), 2, "{:?}", server.told());
    service.stop();
}

#[test]
fn the_log_has_which_program_tries_other_rules() {
    let server = Server::new();
    let token = tokens::add(&server.users(), "nightly", Role::Operator).unwrap();
    let send = |method: &str, path: &str, body: &str| -> Answer {
        let (host, length) = (server.host(), body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n"
        );
        let kind = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
        server.raw(format!("{head}{kind}{body}").as_bytes())
    };
    let path = "/api/v1/simulations";
    let candidate = r#"{"configuration": "default.action = \"deny\""}"#;
    let by = "what-if by `nightly, API token` from 127.0.0.1: ";
    send("POST", path, candidate).is(503);
    server.has_told(&format!("{by}no simulation has begun: "));
    let service = beside(&server);
    let deadline = Instant::now() + PATIENCE;
    let begun = loop {
        let answer = send("POST", path, candidate);
        if answer.status == 202 {
            break answer;
        }
        assert!(Instant::now() < deadline, "{answer:#?}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    let address = begun.header("location").unwrap();
    let simulation = address.replace("/api/v1/simulations/", "simulation ") + " ";
    server.has_told(&format!("{by}{simulation}has begun"));
    send("POST", path, r#"{"configuration": "rules = 7"}"#).is(422).shows("\"line\":1");
    server.has_told(&format!("{by}no simulation has begun: the candidate has mistakes"));
    send("GET", address, "").is(200);
    send("POST", &format!("{address}/stop"), "").is(200);
    // The ledger is empty: it may have ended by itself. To look has no line.
    assert_eq!(server.told().iter().filter(|line| line.contains(&simulation)).count(), 2, "{:?}", server.told());
    // The declared length is enough to refuse it.
    let long = format!(r#"{{"configuration": "{}"}}"#, "#".repeat(64 << 10));
    send("POST", path, &long).is(413).shows("rasadmin replay --config FILE");
    service.stop();
}

#[test]
fn looking_has_no_line_in_the_log() {
    let server = Server::new();
    server.user("alice", Role::Viewer);
    let mut alice = server.browser();
    alice.log_in("alice", PASSWORD, "/").is(303);
    let before = server.told();
    let csrf = alice.get("/").csrf();
    for path in ["/rules", "/sessions", "/rules/explain"] {
        alice.get(path).is(200);
    }
    alice.post("/rules/what-if", &[("csrf", &csrf), ("configuration", "")]).is(403);
    assert_eq!(server.told(), before);
}
