//! Programs that try other rules, beside a service that answers over its pipe.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::changes::tests::dashboard::{Dashboard, Page};
use axum::body::Body;
use axum::http::Request as Sent;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Alice and bob would be denied.
const NOBODY: &str = "default_domain = 'CORP'\ndefault.action = 'deny'\n";

impl Dashboard {
    fn with_role(&self, role: Role, request: Sent<Body>) -> Page {
        self.send_with_token("helpdesk", role, request)
    }

    fn tries(&self, body: &Value) -> Page {
        let request = Sent::post(BEGIN).header("content-type", "application/json");
        self.with_role(Role::Operator, request.body(Body::from(body.to_string())).unwrap())
    }

    fn looks(&self, address: &str) -> Page {
        self.with_role(Role::Operator, Sent::get(address).body(Body::empty()).unwrap())
    }

    fn stops(&self, address: &str) -> Page {
        self.with_role(Role::Operator, Sent::post(format!("{address}/stop")).body(Body::empty()).unwrap())
    }

    /// What came of it, once it has ended.
    fn ended(&self, address: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let json = self.looks(address).json();
            if json["state"] != "running" {
                return json;
            }
            assert!(Instant::now() < deadline, "{json}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_program_tries_a_candidate_on_the_past() {
    let dashboard = Dashboard::new();
    let begun = dashboard.tries(&json!({"configuration": NOBODY, "since": null}));
    let number = begun.json()["number"].as_u64().unwrap();
    assert_eq!((begun.status, &begun.location), (StatusCode::ACCEPTED, &format!("{BEGIN}/{number}")));
    let json = dashboard.ended(&begun.location);
    assert_eq!((json["number"].as_u64(), &json["state"]), (Some(number), &"finished".into()), "{json}");
    let report = &json["result"]["report"];
    assert_eq!((&report["attempts"], &report["newly_refused"]), (&3.into(), &3.into()), "{json}");
    assert_eq!((&report["by_user"][0]["user"], &json["more_users"]), (&r"CORP\ALICE".into(), &0.into()), "{json}");
    assert_eq!((&json["done"], &json["why"]), (&Value::Null, &Value::Null), "{json}");
    // It has ended already.
    assert_eq!(dashboard.stops(&begun.location).json(), json!({"number": number, "was_running": false}));
    // The next one makes room for itself.
    let next = dashboard.tries(&json!({"configuration": NOBODY}));
    assert_eq!(dashboard.ended(&next.location)["state"], "finished");
    let gone = "is not kept any more, or there was none";
    dashboard.looks(&begun.location).refuses(404, gone);
    dashboard.stops(&begun.location).refuses(404, &format!("POST {BEGIN} begins another one"));
}

/// So many attempts, and rules, that it is still in the middle when it is stopped.
#[test]
fn one_is_simulated_at_a_time_and_is_stopped() {
    let dashboard = Dashboard::new();
    let ledger = rusqlite::Connection::open(&dashboard.scene.config.ledger).unwrap();
    let columns: String = ledger
        .query_row(
            "SELECT group_concat(name, ', ') FROM pragma_table_info('sessions') WHERE name NOT IN ('id', 'acct_session_id')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    ledger
        .execute_batch(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
             INSERT INTO sessions (acct_session_id, {columns}) SELECT printf('%032x', i), {columns} FROM sessions, n WHERE sessions.id = 1"
        ))
        .unwrap();
    drop(ledger);
    let rules: String = (0..800).map(|n| format!("[[rules]]\nname='{n}'\naction='allow'\nusers=['x{n}']\n")).collect();
    let begun = dashboard.tries(&json!({"configuration": format!("{NOBODY}{rules}"), "since": null}));
    let number = begun.json()["number"].as_u64().unwrap();
    let json = dashboard.looks(&begun.location).json();
    assert!(json["state"] == "running" && json["done"].is_u64() && json["all"].is_u64(), "{json}");
    let other = dashboard.tries(&json!({"configuration": NOBODY}));
    other.refuses(409, &format!("a simulation runs already, with number {number}"));
    other.refuses(409, "POST /api/v1/simulations/NUMBER/stop stops it");
    // Mistakes are reported even so.
    dashboard.tries(&json!({"configuration": "rules = 7"})).refuses(422, "the candidate is not valid");
    assert_eq!(dashboard.stops(&begun.location).json(), json!({"number": number, "was_running": true}));
    let json = dashboard.ended(&begun.location);
    assert_eq!(json["state"], "stopped", "{json}");
    assert!(json["why"].as_str().unwrap().contains("has stopped it"), "{json}");
}

/// The scene is of the morning of 2026-11-23, and the clock is that of the computer.
#[test]
fn only_the_attempts_of_the_time_that_is_asked_for_are_tried() {
    let dashboard = Dashboard::new();
    for (more, attempts) in [
        (json!({"since": "2026-11-23T00:00:00Z", "until": null}), Some(3)),
        (json!({"since": "2026-11-23T00:00:00Z", "until": "2026-11-24T00:00:00Z"}), Some(3)),
        (json!({"since": "2026-11-24T00:00:00Z"}), None),
        (json!({"since": null, "until": "2026-11-23T00:00:00Z"}), None),
    ] {
        let mut body = json!({"configuration": NOBODY});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let begun = dashboard.tries(&body);
        let json = dashboard.ended(&begun.location);
        assert_eq!(json["result"]["report"]["attempts"].as_u64(), attempts, "{body}: {json}");
        let why = json["why"].as_str().map(|why| why.contains("there is nothing to simulate in that time"));
        assert_eq!(why, attempts.is_none().then_some(true), "{body}: {json}");
    }
    let request = |body: Value| serde_json::from_value::<Candidate>(body).unwrap().request(MONTH + 7);
    let of = |since| Request::Simulate { configuration: "a\nb".to_owned(), since, until: None };
    assert_eq!(request(json!({"configuration": "a\r\nb"})), of(Some(7)), "the last thirty days");
    assert_eq!(request(json!({"configuration": "a\nb", "since": null, "until": null})), of(None));
}

#[test]
fn a_candidates_mistakes_are_listed_with_their_lines() {
    let dashboard = Dashboard::new();
    let answer = dashboard.tries(&json!({"configuration": "default.action = 'deny'\nrules = 7\ncolour = 1\n"}));
    answer.refuses(422, "the candidate is not valid");
    let json = answer.json();
    let lines: Vec<_> = json["mistakes"].as_array().unwrap().iter().map(|of| of["line"].as_u64().unwrap()).collect();
    assert!(lines.contains(&2) && lines.contains(&3), "{json}");
    assert_eq!((&json["error"]["kind"], &json["more_mistakes"]), (&"usage".into(), &0.into()), "{json}");
}

#[test]
fn what_is_not_valid_is_refused_with_a_remedy() {
    let dashboard = Dashboard::new();
    for (body, says) in [
        (json!({"configuration": " \n"}), "is the text of a configuration, and is not empty"),
        (json!({"configuration": 7}), "is the text of a configuration, and is not empty"),
        (json!({"since": null}), "missing field `configuration`"),
        (json!({"configuration": NOBODY, "days": 7}), "unknown field `days`"),
        (json!({"configuration": NOBODY, "until": "soon"}), "write a time of RFC 3339"),
        (json!([NOBODY]), "it is an object"),
        (
            json!({"configuration": NOBODY, "since": "2026-11-24T00:00:00Z", "until": "2026-11-23T00:00:00Z"}),
            "the time ends before it begins",
        ),
    ] {
        dashboard.tries(&body).refuses(400, says);
    }
    let post = |path: &str, kind: &str, body: Body| Sent::post(path).header("content-type", kind).body(body).unwrap();
    let sent = |request| dashboard.with_role(Role::Operator, request);
    sent(post(BEGIN, "text/plain", Body::from("{}"))).refuses(415, "Content-Type: application/json");
    let long = json!({"configuration": "#".repeat(LARGEST)}).to_string();
    sent(post(BEGIN, "application/json", Body::from(long))).refuses(413, "rasadmin replay --config FILE");
    // It fits into the request, but not into that of the pipe.
    let nearly = LARGEST - r#"{"configuration":""}"#.len();
    dashboard.tries(&json!({"configuration": "#".repeat(nearly)})).refuses(413, "rasadmin replay --config FILE");
    sent(post(&format!("{BEGIN}?days=7"), "application/json", Body::from("{}"))).refuses(400, "no parameter `days`");
    dashboard.looks(&format!("{BEGIN}/x")).refuses(404, "is not a valid `number`");
    dashboard.looks(&format!("{BEGIN}/1?days=7")).refuses(400, "no parameter `days`");
    dashboard.looks(BEGIN).refuses(405, "use POST");
    dashboard.looks(&format!("{BEGIN}/1/stop")).refuses(405, "use POST");
    sent(post(&format!("{BEGIN}/1"), "application/json", Body::empty())).refuses(405, "use GET");
}

#[test]
fn only_operators_try_other_rules_and_see_what_came_of_it() {
    let dashboard = Dashboard::new();
    let begun = dashboard.tries(&json!({"configuration": NOBODY})).location;
    let post = |path: &str| {
        let request = Sent::post(path).header("content-type", "application/json");
        request.body(Body::from(json!({"configuration": NOBODY}).to_string())).unwrap()
    };
    let get = || Sent::get(&begun).body(Body::empty()).unwrap();
    let says = "--role operator";
    for request in [post(BEGIN), post(&format!("{begun}/stop")), get()] {
        dashboard.with_role(Role::Viewer, request).refuses(403, says);
    }
    // The cookie of an operator is enough to look.
    dashboard.send("anna", Role::Operator, post(BEGIN)).refuses(403, "only with a token");
    dashboard.send("anna", Role::Operator, post(&format!("{begun}/stop"))).refuses(403, "only with a token");
    assert_eq!(dashboard.send("anna", Role::Operator, get()).status, StatusCode::OK);
    dashboard.send("anna", Role::Viewer, get()).refuses(403, says);
}

#[test]
fn without_the_service_nothing_is_tried() {
    let dashboard = Dashboard::without_service();
    let says = if cfg!(windows) { "Start-Service rasadmin" } else { "rasadmin service run" };
    dashboard.tries(&json!({"configuration": NOBODY})).refuses(503, says);
    dashboard.looks(&format!("{BEGIN}/1")).refuses(503, says);
    dashboard.stops(&format!("{BEGIN}/1")).refuses(503, says);
}

#[test]
fn what_came_of_it_is_said_by_its_state() {
    let of = |simulation| serde_json::to_value(SimulationAnswer::new(7, simulation).unwrap()).unwrap();
    let whole = |more: Value| {
        let mut all = json!({"number": 7, "done": null, "all": null, "result": null, "more_users": null, "why": null});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let why = || "root has stopped it".to_owned();
    assert_eq!(of(Simulation::Running { done: 1, all: 2 }), whole(json!({"state": "running", "done": 1, "all": 2})));
    assert_eq!(of(Simulation::Failed { why: why() }), whole(json!({"state": "failed", "why": why()})));
    assert_eq!(of(Simulation::Stopped { why: why() }), whole(json!({"state": "stopped", "why": why()})));
    let foreign = Simulation::Finished { answer: Value::Null, more_users: 0 };
    assert_eq!(SimulationAnswer::new(7, foreign).err().unwrap().status, StatusCode::SERVICE_UNAVAILABLE);
}
