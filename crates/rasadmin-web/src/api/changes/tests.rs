//! Programs that change something, beside a service that answers over its pipe.
#![allow(clippy::unwrap_used)]

mod refused;
#[cfg(unix)]
mod service_only;
mod twice;

use super::*;
use crate::changes::tests::dashboard::{Dashboard, Page};
use crate::token;
use axum::body::Body;
use axum::http::Request;
use rasadmin_engine::Event;
use serde_json::{Value, json};

impl Dashboard {
    /// Sends a request with a key, as a program whose token is `helpdesk`.
    fn orders(&self, change: &str, key: &str, body: &Value) -> Page {
        self.send_with_token("helpdesk", Role::Operator, ordered(change, key, body))
    }

    /// The same, with a key that no other request has.
    fn order(&self, change: &str, body: &Value) -> Page {
        self.orders(change, &token::new().unwrap(), body)
    }

    fn key_of(&self, handle: u64) -> String {
        self.scene.present().by_handle(handle).unwrap().id.to_string()
    }

    fn address_of(&self, handle: u64) -> String {
        let state = self.scene.present();
        let session = state.by_handle(handle).unwrap().id;
        let number = state.leases_of(session).next().unwrap().address.number;
        std::net::Ipv4Addr::from_bits(u32::try_from(number).unwrap()).to_string()
    }

    fn by() -> Option<String> {
        Some(format!("helpdesk, API token (dashboard, {})", rasadmin_rights::account_name().unwrap()))
    }
}

impl Page {
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json", "{}", self.html);
        serde_json::from_str(&self.html).unwrap()
    }

    /// The error's message and hint.
    #[track_caller]
    pub fn refuses(&self, status: u16, says: &str) {
        let json = self.json();
        assert_eq!((self.status.as_u16(), &json["error"]["status"]), (status, &status.into()), "{json}");
        let text = |field: &str| json["error"][field].as_str().unwrap();
        let error = format!("{}; {}", text("message"), text("hint"));
        assert!(error.contains(says) && !text("hint").is_empty(), "expected `{says}`: {error}");
    }

    /// Done, and these are the sentences.
    #[track_caller]
    fn done(self, says: &str) -> Value {
        let json = self.json();
        assert_eq!(
            (self.status, &json["done"], &json["changed"]),
            (StatusCode::OK, &true.into(), &true.into()),
            "{json}"
        );
        assert!(json["text"].to_string().contains(says), "expected `{says}`: {json}");
        json
    }
}

fn ordered(change: &str, key: &str, body: &Value) -> Request<Body> {
    let request = Request::post(format!("/api/v1/{change}"));
    let request = request.header("content-type", "application/json; charset=utf-8").header(HEADER, key);
    request.body(Body::from(body.to_string())).unwrap()
}

fn tomorrow() -> String {
    let now = rasadmin_system::clock::Clock::new(true).now().0;
    timestamp(now + 86_400_000).to_string()
}

#[test]
fn a_program_blocks_a_user_and_lifts_the_block() {
    let dashboard = Dashboard::new();
    let until = tomorrow();
    let seen = json!({"sessions": [dashboard.key_of(2), dashboard.key_of(1)], "block_since": null});
    let body = json!({"user": "alice", "until": until, "reason": " stolen <laptop> ", "seen": seen});
    let answer = dashboard.order("block", &body);
    // Without an RRAS, nobody is disconnected: a part is done.
    let json = answer.json();
    assert_eq!(
        (answer.status, &json["done"], &json["changed"]),
        (StatusCode::OK, &false.into(), &true.into()),
        "{json}"
    );
    assert!(json["text"][0].as_str().unwrap().starts_with(r"CORP\ALICE is blocked on VPN1 until "), "{json}");
    assert!(json["text"][1].as_str().unwrap().contains("their sessions stay connected"), "{json}");
    let Event::BeginBlock(begun) = dashboard.last().event else { panic!("{:?}", dashboard.last()) };
    assert_eq!((begun.reason.as_deref(), begun.by), (Some("stolen <laptop>"), Dashboard::by()));
    assert_eq!(begun.until.map(|until| timestamp(until).to_string()), Some(until));
    dashboard.has_told(
        r"change by `helpdesk, API token` from 203.0.113.77: block CORP\ALICE, reason: `stolen <laptop>`: CORP\ALICE is blocked",
    );
    let since = dashboard.get("/api/v1/blocks").json()[0]["since"].clone();
    let lift = json!({"user": r"CORP\ALICE", "reason": "found again", "seen": {"block_since": since}});
    dashboard.order("unblock", &lift).done(r"CORP\\ALICE is no longer blocked on VPN1");
    assert!(
        matches!(dashboard.last().event, Event::EndBlock { by, reason, .. } if by == Dashboard::by() && reason.as_deref() == Some("found again"))
    );
    dashboard.has_told(r"lift the block of CORP\ALICE, reason: `found again`");
    dashboard.order("unblock", &lift).refuses(409, r"CORP\ALICE is not blocked: nothing was done; GET /api/v1/blocks");
}

#[test]
fn a_claimed_computer_is_blocked_until_it_is_lifted() {
    let dashboard = Dashboard::new();
    let body = json!({"claimed_computer": "laptop-7", "until": null, "reason": "stolen"});
    dashboard.order("block", &body).done("the claimed computer name LAPTOP-7 is blocked on VPN1 until it is lifted");
    assert!(matches!(dashboard.last().event, Event::BeginBlock(begun) if begun.until.is_none()));
    let body = json!({"claimed_computer": "LAPTOP-7", "reason": "found"});
    dashboard.order("unblock", &body).done("is no longer blocked");
}

#[test]
fn a_program_closes_a_session_and_releases_an_address() {
    let dashboard = Dashboard::new();
    let (key, address) = (dashboard.key_of(3), dashboard.address_of(3));
    let began = dashboard.get("/api/v1/addresses").json()["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|row| (row["address"] == *address).then(|| row["began"].clone()));
    let body = |force: bool| json!({"address": address, "force": force, "reason": "gone", "seen": {"began": began}});
    dashboard
        .order("release", &body(false))
        .refuses(409, r"belongs to a live session of CORP\BOB, and is not released");
    dashboard.order("release", &body(true)).done(r"is free: it was held by CORP\\BOB");
    assert!(
        matches!(dashboard.last().event, Event::ReleaseAddress { force: true, by, reason: Some(_), .. } if by == Dashboard::by())
    );
    let close = json!({"session": key.to_ascii_uppercase(), "reason": "gone", "seen": {"sessions": [key]}});
    dashboard.order("close", &close).done(r"session 3 of CORP\\BOB is closed");
    assert!(matches!(dashboard.last().event, Event::CloseSession { by, reason: Some(_), .. } if by == Dashboard::by()));
    dashboard.catch_up();
    dashboard.order("close", &close).refuses(409, "has ended already");
    // By its number.
    dashboard.order("close", &json!({"session": 1, "reason": "gone"})).done(r"session 1 of CORP\\ALICE is closed");
}

#[test]
fn a_user_is_kept_away_and_a_longer_block_stays() {
    let dashboard = Dashboard::new();
    let body = json!({"session": 1, "reason": "maintenance", "block_until": tomorrow()});
    let json = dashboard.order("disconnect", &body).json();
    assert_eq!((&json["done"], &json["changed"]), (&false.into(), &true.into()), "{json}");
    assert!(json["text"][1].as_str().unwrap().contains("nobody was disconnected, but the block holds"), "{json}");
    dashboard.order("block", &json!({"user": "alice", "until": null, "reason": "left"}));
    let before = dashboard.scene.records().len();
    // Nothing is changed, and the service says why nobody is disconnected.
    dashboard.order("disconnect", &body).refuses(503, "nobody was disconnected");
    assert_eq!(dashboard.scene.records().len(), before);
}

#[test]
fn only_what_the_program_has_seen_is_changed() {
    let dashboard = Dashboard::new();
    let (alice, bob) = (dashboard.key_of(1), dashboard.key_of(3));
    let before = dashboard.scene.records().len();
    let changed = "something has changed since you looked";
    // A number that is another session's now.
    let seen = json!({"sessions": [bob]});
    for change in ["disconnect", "close"] {
        let answer = dashboard.order(change, &json!({"session": 1, "reason": "gone", "seen": seen}));
        answer.refuses(409, &format!("{changed}: `seen` has sessions that are not concerned any more: {bob}"));
        answer.refuses(409, &format!("`seen` lacks sessions that are concerned now: {alice}: nothing was done"));
    }
    // Not all of them.
    let seen = json!({"sessions": [alice]});
    let body = json!({"user": "alice", "reason": "gone", "seen": seen});
    dashboard.order("disconnect", &body).refuses(409, "`seen` lacks sessions that are concerned now");
    let body = json!({"session": 1, "reason": "gone", "block_until": tomorrow(), "seen": seen});
    dashboard.order("disconnect", &body).refuses(409, "`seen` lacks sessions that are concerned now");
    let body = json!({"user": "alice", "until": null, "reason": "gone", "seen": seen});
    dashboard.order("block", &body).refuses(409, "`seen` lacks sessions that are concerned now");
    // Without the user's other sessions, they do not matter: the service is asked.
    let body = json!({"session": 1, "reason": "gone", "seen": seen});
    dashboard.order("disconnect", &body).refuses(503, "disconnecting is switched off");
    let then = "2026-01-01T00:00:00Z";
    let body = json!({"address": dashboard.address_of(3), "force": true, "reason": "gone", "seen": {"began": then}});
    dashboard.order("release", &body).refuses(409, r"is held by CORP\BOB since 20");
    let body = json!({"user": "bob", "until": null, "reason": "left", "seen": {"block_since": then}});
    dashboard.order("block", &body).refuses(409, "the block since 2026-01-01T00:00:00Z is not in force");
    assert_eq!(dashboard.scene.records().len(), before);
    let body = json!({"user": "bob", "until": null, "reason": "left", "seen": {"block_since": null}});
    dashboard.order("block", &body);
    dashboard.order("block", &body).refuses(409, "there is a block, since 20");
    let body = json!({"user": "bob", "reason": "left", "seen": {"block_since": then}});
    dashboard.order("unblock", &body).refuses(409, "the block in force is one since 20");
    assert_eq!(dashboard.scene.records().len(), before + 1);
}

/// A process that may not read the journal does not guess.
#[test]
fn what_was_seen_is_not_compared_with_what_is_not_known() {
    let dashboard = Dashboard::without_service();
    let journal = dashboard.scene.path();
    std::fs::rename(&journal, journal.with_extension("away")).unwrap();
    let seen = json!({"block_since": "2026-01-01T00:00:00Z"});
    let lift = json!({"user": "bob", "reason": "found", "seen": seen});
    dashboard.order("unblock", &lift).refuses(503, "`seen` cannot be compared, because the journal");
    let block = json!({"user": "bob", "until": null, "reason": "left", "seen": {"sessions": []}});
    dashboard.order("block", &block).refuses(503, "let this process read the journal, or leave `seen` out");
    std::fs::rename(journal.with_extension("away"), &journal).unwrap();
}
