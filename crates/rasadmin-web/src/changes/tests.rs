//! Operators and viewers at the pages of changes, beside a service that answers over its pipe.
#![allow(clippy::unwrap_used)]

mod confirmed;
pub mod dashboard;

use super::*;
use crate::visitor::Role;
use axum::body::Body;
use axum::http::Request;
use dashboard::{Dashboard, With as _, connection, posted};
use rasadmin_engine::Event;
use rasadmin_engine::effect::BlockSubject;
use rasadmin_engine::event::ConnectionEvent;

/// Every address of a change, with something that it could be about.
fn addresses() -> Vec<String> {
    let about = |kind: Kind| match kind {
        Kind::Disconnect | Kind::Close => "session=1",
        Kind::Block | Kind::Unblock => "user=alice",
        Kind::Release => "address=10.8.0.1",
    };
    Kind::ALL.into_iter().map(|kind| format!("/change/{}?{}", kind.name(), about(kind))).collect()
}

#[test]
fn a_viewer_gets_to_no_change_and_sees_no_link_to_one() {
    let dashboard = Dashboard::new();
    let before = dashboard.scene.records().len();
    let viewer = |request| dashboard.send("viktor", Role::Viewer, request);
    for address in addresses().iter().map(String::as_str).chain(["/change/result/0", "/change/nothing"]) {
        let get = viewer(Request::get(address).body(Body::empty()).unwrap());
        get.is(StatusCode::FORBIDDEN)
            .says("You may look, but change nothing: your role is viewer")
            .says("--role operator");
        let fields = [("session", "1"), ("user", "alice"), ("address", "10.8.0.1"), ("length", "8h"), ("once", "0")];
        viewer(posted(address, &fields)).is(StatusCode::FORBIDDEN);
    }
    assert_eq!(dashboard.scene.records().len(), before);
    for page in ["/sessions/1", "/users/CORP%5CALICE", "/addresses", "/blocks"] {
        let of = viewer(Request::get(page).body(Body::empty()).unwrap()).is(StatusCode::OK);
        assert!(!of.html.contains("/change/"), "{page}: {}", of.html);
        assert!(dashboard.get(page).is(StatusCode::OK).html.contains("/change/"), "{page}: an operator sees links");
    }
}

#[test]
fn an_operator_blocks_a_user_and_lifts_the_block() {
    let dashboard = Dashboard::new();
    let (asked, result, _) =
        dashboard.changes("/change/block?user=CORP%5CALICE", &[("length", "8h"), ("reason", " stolen <laptop> ")]);
    asked.says(r"Block CORP\ALICE?").says("VPN1 refuses").says("2 live sessions are disconnected").says("203.0.113.9");
    result.says(r"CORP\ALICE is blocked on VPN1 until").says("new connections are refused");
    let records = dashboard.scene.records();
    let begun = records.iter().rev().find_map(|record| match &record.event {
        Event::BeginBlock(begun) => Some(begun),
        _ => None,
    });
    let begun = begun.unwrap();
    assert_eq!((begun.reason.as_deref(), begun.by.clone()), (Some("stolen <laptop>"), Dashboard::anna()));
    assert!(matches!(&begun.subject, BlockSubject::User(user) if user.to_string() == r"CORP\ALICE"));
    let until = begun.until.unwrap() - rasadmin_system::clock::Clock::new(true).now().0;
    assert!(until > 7 * 3_600_000 && until <= 8 * 3_600_000, "{until}");
    // Without an RRAS, nobody is disconnected, and the page says so.
    result.says("Their sessions stay connected").says("disconnecting is switched off");
    dashboard.has_told(
        r"change by `anna` from 203.0.113.77: block CORP\ALICE, reason: `stolen <laptop>`: CORP\ALICE is blocked",
    );
    assert!(dashboard.scene.connect(&connection(9, "alice")) != rasadmin_recorder::Verdict::Accept);

    dashboard.get("/blocks").says(r"CORP\ALICE").says("anna (dashboard, ").says("stolen &lt;laptop&gt;");
    dashboard.get("/blocks?q=bob").says("No block has this in the name");
    dashboard.get("/users/CORP%5CALICE").says("Lift the block…");
    for (name, says) in
        [("mallory", "not even a refused one: check the name"), ("PARTNER%5Calice", r"but of CORP\ALICE")]
    {
        dashboard.get(&format!("/change/block?user={name}")).says(says);
    }
    let (asked, result, _) = dashboard.changes("/change/unblock?user=CORP%5CALICE", &[("reason", "fo`und")]);
    asked.says(r"Lift the block of CORP\ALICE?").says("by anna (dashboard, ");
    result.says(r"CORP\ALICE is no longer blocked on VPN1: the rules decide again");
    assert!(
        matches!(dashboard.last().event, Event::EndBlock { by, reason: Some(found), .. } if by == Dashboard::anna() && found == "fo`und")
    );
    dashboard.has_told(r"lift the block of CORP\ALICE, reason: `fo\u{60}und`: ");
    dashboard.get("/blocks").says("Nobody is blocked");
    dashboard.get("/change/unblock?user=CORP%5CALICE").is(StatusCode::CONFLICT).says("is not blocked");
}

#[test]
fn a_block_until_it_is_lifted_replaces_one_and_concerns_a_claimed_computer_too() {
    let dashboard = Dashboard::new();
    dashboard.changes("/change/block?computer=laptop-7", &[("length", "15m")]).1.says("until 20");
    let (asked, result, _) = dashboard.changes("/change/block?computer=LAPTOP-7", &[("length", "lifted")]);
    asked.says("A client chooses the name that it claims").says("This replaces the block since");
    result
        .says("The claimed computer name LAPTOP-7 is blocked on VPN1 until it is lifted")
        .says("This replaces the block");
    let event = connection(9, "carol").with(|e: &mut ConnectionEvent| e.computer = "Laptop-7".into());
    assert!(dashboard.scene.connect(&event) != rasadmin_recorder::Verdict::Accept);
    dashboard.changes("/change/unblock?computer=LAPTOP-7", &[]).1.says("is no longer blocked");
}

#[test]
fn a_form_is_sent_once() {
    let dashboard = Dashboard::new();
    let (_, result, fields) = dashboard.changes("/change/block?user=bob", &[("length", "8h")]);
    result.says("is blocked");
    dashboard.changes("/change/unblock?user=bob", &[]);
    let before = dashboard.scene.records().len();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for _ in 0..2 {
        let again = dashboard.post("/change/block", &fields).is(StatusCode::SEE_OTHER);
        assert_eq!(dashboard.get(&again.location).html, result.html, "it shows what came of the first");
    }
    // Another visit can neither send the form nor see what came of it.
    let others = |request| dashboard.send("otto", Role::Operator, request);
    others(posted("/change/block", &fields)).is(StatusCode::CONFLICT).says("this request changed nothing");
    let again = dashboard.post("/change/block", &fields);
    others(Request::get(&again.location).body(Body::empty()).unwrap()).is(StatusCode::NOT_FOUND);
    // And a form that no page has made is refused.
    for once in ["", "0", &"0".repeat(64)] {
        let fields = [("user", "bob"), ("length", "8h"), ("once", once)];
        dashboard.post("/change/block", &fields).is(StatusCode::CONFLICT);
    }
    assert_eq!(dashboard.scene.records().len(), before);
    dashboard.get("/blocks").says("Nobody is blocked");
}

#[test]
fn a_session_is_closed_and_an_address_released() {
    let dashboard = Dashboard::new();
    let state = dashboard.scene.present();
    let (bob, address) = {
        let bob = state.by_handle(3).unwrap().id;
        let address = state.leases_of(bob).next().unwrap().address.number;
        (bob, std::net::Ipv4Addr::from_bits(u32::try_from(address).unwrap()))
    };
    let page = format!("/change/release?address={address}");
    let (asked, result, _) = dashboard.changes(&page, &[]);
    asked.says(&format!(r"Release {address}, held by CORP\BOB?")).says("has the address: disconnect it first");
    result.says("is not released: disconnect the session first");
    dashboard
        .changes(&page, &[("force", "yes"), ("reason", "stuck")])
        .1
        .says(&format!(r"{address} is free: it was held by CORP\BOB"));
    assert!(
        matches!(dashboard.last().event, Event::ReleaseAddress { force: true, by, reason: Some(stuck), .. } if by == Dashboard::anna() && stuck == "stuck")
    );
    let number = dashboard.get("/users/CORP%5CBOB").html;
    let number = number.split("/change/disconnect?user").count();
    assert_eq!(number, 2, "the user's page can disconnect");
    let (asked, result, _) = dashboard.changes("/change/close?session=3", &[("reason", "gone")]);
    asked.says(r"Close session 3 of CORP\BOB?").says("Nobody is disconnected");
    result.says(r"Session 3 of CORP\BOB is closed, and its addresses are free");
    assert!(
        matches!(dashboard.last().event, Event::CloseSession { session, by, reason: Some(gone) } if session == bob && by == Dashboard::anna() && gone == "gone")
    );
    dashboard.has_told(r"close session 3 of CORP\BOB");
}

#[test]
fn a_user_who_is_kept_away_keeps_a_longer_block() {
    let dashboard = Dashboard::new();
    let (asked, result, _) = dashboard.changes("/change/disconnect?session=1", &[("keep_away", "15m")]);
    asked.says(r"Disconnect session 1 of CORP\ALICE?").says(r"Keep CORP\ALICE away for 15 minutes");
    asked.says("1 other session of the user is disconnected too");
    result.says(r"CORP\ALICE is blocked on VPN1 until").says("Nobody was disconnected, but the block holds");
    dashboard.changes("/change/block?user=alice", &[("length", "lifted")]);
    let before = dashboard.scene.records().len();
    let (_, result, _) = dashboard.changes("/change/disconnect?user=alice", &[("keep_away", "15m")]);
    result.says("is blocked on VPN1 already, until it is lifted: that block stays");
    assert_eq!(dashboard.scene.records().len(), before);
}

#[test]
fn without_a_service_the_page_says_what_holds() {
    let dashboard = Dashboard::without_service();
    for (address, more, holds) in [
        ("/change/block?user=alice", &[("length", "8h")][..], "Nobody was blocked: "),
        ("/change/disconnect?session=1", &[], "Nobody was disconnected: "),
        ("/change/disconnect?session=1", &[("keep_away", "15m")], "Nobody was disconnected or blocked: "),
        ("/change/close?session=1", &[], "The session still counts: "),
    ] {
        let (_, result, _) = dashboard.changes(address, more);
        result.says(holds).says("no rasadmin service answers").says("Start the service").says("not done");
    }
    dashboard.has_told("no rasadmin service answers");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_asked() {
    let dashboard = Dashboard::new();
    let before = dashboard.scene.records().len();
    for (address, status, says) in [
        ("/change/nothing", StatusCode::NOT_FOUND, "There is no such page"),
        ("/change/disconnect", StatusCode::BAD_REQUEST, "names no session and no user"),
        ("/change/disconnect?session=99", StatusCode::NOT_FOUND, "There is no session 99"),
        ("/change/disconnect?user=carol", StatusCode::CONFLICT, r"CORP\CAROL is not connected"),
        ("/change/block", StatusCode::BAD_REQUEST, "names nobody"),
        ("/change/block?user=a*", StatusCode::BAD_REQUEST, "cannot be named"),
        ("/change/block?computer=ABCDEFGHIJKLMNOPQ", StatusCode::BAD_REQUEST, "No client claims the computer name"),
        ("/change/release?address=7", StatusCode::BAD_REQUEST, "7 is not an address"),
        ("/change/release?address=10.8.0.200", StatusCode::CONFLICT, "Nobody holds 10.8.0.200"),
        ("/change/close?session=99", StatusCode::NOT_FOUND, "There is no session"),
    ] {
        dashboard.get(address).is(status).says(says);
    }
    for (field, value, says) in [
        ("length", "", "how long the block lasts"),
        ("length", "9y", "There is no length of a block 9y"),
        ("reason", "two\nlines", "must be one line"),
        ("reason", &"x".repeat(201), "The reason has 201 characters, and can have 200"),
    ] {
        let (action, fields) = dashboard.get("/change/block?user=alice").form();
        let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        if field != "length" {
            fields.push(("length", "8h"));
        }
        dashboard.post(&action, &fields).is(StatusCode::BAD_REQUEST).says(says);
    }
    assert_eq!(dashboard.scene.records().len(), before);
}
