//! What the service says would happen, on a journal that a recorder writes. Each request goes over the pipe.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_answers::explain::{Answer, with_tunnels};
use rasadmin_engine::explain::Question;
use rasadmin_engine::{Mono, Stamp};
use rasadmin_pipe::{Connecting, Request, Why};
use rasadmin_policy::{InterfaceType, Quarantine, Tunnel};
use serde_json::Value;
use support::{Running, Scene};

/// A limit that counts live sessions.
const LIMIT: &str = r#"
    time_zone = "UTC"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    journal.durability = "process"
    [pools.staff]
    addresses = ["10.8.0.0/16"]
    [[rules]]
    name = "one session"
    action = "deny"
    reason = "connected already"
    user_sessions = { at_least = 1 }
    [[rules]]
    name = "no PPTP"
    action = "deny"
    tunnels = ["PPTP"]
"#;

fn alice() -> Connecting {
    Connecting { user: "alice".to_owned(), ..Connecting::default() }
}

fn reason(answer: &Value) -> Option<&str> {
    answer["tunnels"][0]["reason"].as_str()
}

#[test]
fn a_live_limit_counts_the_sessions_of_this_moment() {
    let running = Running::beside(Scene::new(LIMIT));
    let ask = |connecting| running.ask::<Value>(&Request::Explain(connecting));
    let before = ask(alice());
    assert_eq!((&before["allowed"], before["tunnels"].as_array().unwrap().len()), (&Value::Bool(true), 4));
    let denied: Vec<_> = before["tunnels"].as_array().unwrap().iter().filter(|with| with["allowed"] == false).collect();
    assert_eq!((denied.len(), &denied[0]["rule"]), (1, &Value::from("no PPTP")));
    let given = running.scene.begin(1, "alice", "VPN2-1").unwrap();
    let records = running.scene.records().len();
    let during = ask(alice());
    assert_eq!((&during["allowed"], reason(&during)), (&Value::Bool(false), Some("connected already")));
    assert_eq!(ask(Connecting { user: "bob".to_owned(), ..alice() })["allowed"], true);
    assert_eq!(running.scene.records().len(), records, "a question records nothing");
    running.scene.end(1, "alice", "VPN2-1", &given);
    assert_eq!(ask(alice())["allowed"], true);
}

/// As `rasadmin explain` makes it from the same journal.
#[test]
fn the_answer_is_that_of_the_command() {
    let running = Running::beside(Scene::new(LIMIT));
    running.scene.begin(1, "alice", "VPN2-1").unwrap();
    let at = running.scene.now().at;
    for tunnel in [None, Some(Tunnel::Ikev2)] {
        let asked = Connecting {
            domain: Some("CORP".to_owned()),
            tunnel: tunnel.map(|tunnel| tunnel.name().to_lowercase()),
            source: Some([203, 0, 113, 9].into()),
            computer: Some("PC7".to_owned()),
            port: Some("VPN2-9".to_owned()),
            at: Some(at.time),
            quarantine: Some("probation".to_owned()),
            interface: Some("dedicated".to_owned()),
            offer: Some([172, 16, 0, 9].into()),
            ipv6: true,
            ..alice()
        };
        let question = Question {
            user: "alice".into(),
            domain: "CORP".into(),
            at: Stamp { time: at.time, mono: Mono(0) },
            server: "VPN1".into(),
            port: Some("VPN2-9".into()),
            tunnel,
            source: asked.source,
            computer: Some("PC7".into()),
            quarantine: Some(Quarantine::Probation),
            interface: Some(InterfaceType::Dedicated),
            offer: asked.offer,
            ipv6: true,
        };
        let (config, state) = (&running.scene.config, running.scene.present());
        let all = with_tunnels(config, &state, &question);
        let expected = serde_json::to_value(Answer::new(&config.hash, &all)).unwrap();
        assert_eq!(running.ask::<Value>(&Request::Explain(asked)), expected);
        assert_eq!(expected["tunnels"].as_array().unwrap().len(), if tunnel.is_some() { 1 } else { 4 });
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let running = Running::beside(Scene::new(LIMIT));
    let some = |text: &str| Some(text.to_owned());
    for (asked, what) in [
        (Connecting::default(), "the user's name is empty"),
        (Connecting { user: "x".repeat(601), ..alice() }, "the user's name has"),
        (Connecting { user: "al\u{1b}ice".to_owned(), ..alice() }, "the user's name has"),
        (Connecting { domain: some("a\0"), ..alice() }, "the domain has"),
        (Connecting { computer: some(" PC7"), ..alice() }, "the computer has"),
        (Connecting { port: Some("x".repeat(601)), ..alice() }, "the port has"),
        (Connecting { tunnel: some("OpenVPN"), ..alice() }, "unknown tunnel"),
        (Connecting { quarantine: some("maybe"), ..alice() }, "unknown quarantine state"),
        (Connecting { interface: some("wifi"), ..alice() }, "unknown interface type"),
        (Connecting { at: Some(-1), ..alice() }, "the time is not between"),
        (Connecting { at: Some(i64::MAX), ..alice() }, "the time is not between"),
    ] {
        let refusal = running.refuses(&Request::Explain(asked));
        assert!(refusal.why == Why::Invalid && refusal.text.contains(what), "{what}: {}", refusal.text);
    }
}
