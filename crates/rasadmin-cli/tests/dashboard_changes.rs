//! Changes in the dashboard, in a browser and by its API, beside a day that goes on and its service: what an operator orders
//! happens.
#![cfg(unix)] // The browser is a Linux program.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)] // This file uses a part.
#[path = "support/beside.rs"]
mod beside;
mod browser;
#[allow(dead_code)]
#[path = "support/dashboard.rs"]
mod dashboard;
#[allow(dead_code)]
#[path = "support/sound.rs"]
mod sound;
mod support;

use beside::Day;
use browser::{Browser, Page};
use dashboard::Dashboard;
use sound::is_sound;
use std::io::{Read, Write};
use std::net::TcpStream;

const CONFIG: &str = "\
time_zone = \"UTC\"
default_domain = \"CORP\"
default.action = \"allow\"
server.name = \"VPN1\"
[service.retention]
enabled = false
";

/// Two users. Alice comes back at 08:05, as an Always On client would.
const MORNING: &str = "\
server VPN1
day 2026-11-23T00:00:00Z
server-address 10.20.0.1
pool 10.20.0.2-10.20.0.254
08:00:00 connect alice user=alice tunnel=sstp from=203.0.113.1 computer=PC-1 received=1000 until=09:00:00
08:00:10 connect bob user=bob tunnel=ikev2 from=203.0.113.2 computer=PC-2 received=1000 until=09:00:00
08:05:00 connect alice-2 user=alice tunnel=sstp from=203.0.113.1 computer=PC-1 received=1000 until=09:00:00
08:06:00 connect carol user=carol tunnel=sstp from=203.0.113.3 computer=PC-3 received=1000 until=09:00:00
";

/// Tabs until the focus is on this element.
fn tab_to(page: &mut Page<'_>, selector: &str) {
    for _ in 0..30 {
        if page.eval(&format!("document.activeElement.matches({selector:?})")) == true {
            return;
        }
        page.press("Tab");
    }
    panic!("{selector} is not reached: {}", page.eval("document.activeElement.outerHTML"));
}

/// Everything from the keyboard: an operator disconnects alice and keeps this user away. The session ends, its story says why
/// and who asked, and alice is refused later.
#[test]
fn an_operator_disconnects_a_live_session() {
    let day = Day::begin(CONFIG, MORNING);
    let _service = day.service();
    let (mut dashboard, mut browser) = (Dashboard::of(&day.config(), &day.kept().join("clock")), Browser::launch());
    day.play("08:00:30");
    let live = ["sessions", "--live", "--json"];
    let listed =
        |live: &serde_json::Value| live.as_array().is_some_and(|all| all.iter().all(|one| one["listed"] == true));
    let sessions = day.until(&live, |live| live.as_array().is_some_and(|all| all.len() == 2) && listed(live));
    let alice = sessions.as_array().unwrap().iter().find(|one| one["name"] == "ALICE").unwrap()["id"].clone();

    let mut page = dashboard.visit(&mut browser);
    page.viewport(1440, 900);
    page.goto(&dashboard.url(&format!("/sessions/{alice}")));
    page.wait_for("a[href^='/change/disconnect']");
    is_sound(&mut page);
    tab_to(&mut page, "a[href^='/change/disconnect']");
    page.follows(|page| page.press("Enter"));
    // It is read first. The browser moves the focus there after the page has loaded.
    page.wait("document.activeElement.matches('h1')");
    let shown = page.shown();
    for part in [r"CORP\ALICE?", "Always On", "203.0.113.1", "PC-1"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    is_sound(&mut page);
    tab_to(&mut page, "#keep-away");
    page.press(" ");
    assert_eq!(page.eval("document.getElementById('keep-away').checked"), true);
    tab_to(&mut page, "#reason");
    page.type_text("lost <laptop>");
    tab_to(&mut page, "button.danger");
    page.follows(|page| page.press("Enter"));
    page.wait(r"document.body.textContent.includes('is blocked on VPN1 until')");
    let result = page.shown();
    assert!(result.contains(&format!(r"Session {alice} of CORP\ALICE")), "{result}");
    assert!(page.text("location.pathname").starts_with("/change/result/"));
    is_sound(&mut page);
    // A reload shows the same, and does nothing again.
    let url = page.text("location.href");
    page.goto(&url);
    assert_eq!(page.shown(), result);

    let sessions = day.until(&["sessions", "--json"], |all| {
        all.as_array().into_iter().flatten().any(|one| one["id"] == alice && one["acct_stop_time"].is_string())
    });
    let ended = sessions.as_array().unwrap().iter().find(|one| one["id"] == alice).unwrap().clone();
    assert_eq!((&ended["acct_terminate_cause"], &ended["closed_by"]), (&"Admin-Reset".into(), &"hangup".into()));
    let me = rasadmin_rights::account_name().unwrap();
    page.goto(&dashboard.url(&format!("/sessions/{alice}")));
    page.wait("document.body.textContent.includes('Admin-Reset')");
    let story = page.shown();
    if ended["disconnect_why"] == "asked" {
        // The link's visitor has the name of the account.
        assert!(story.contains(&format!("asked by {me} (dashboard, {me}): lost <laptop>")), "{story}");
    } else {
        // The block was faster than the order.
        assert!(story.contains("because the user is blocked"), "{story}");
    }
    // Alice comes back, and is refused; carol is not.
    day.play("08:06:30");
    let live = day.until(&live, |live| live.as_array().into_iter().flatten().any(|one| one["name"] == "CAROL"));
    assert!(live.as_array().unwrap().iter().all(|one| one["name"] != "ALICE"), "{live:#}");

    page.goto(&dashboard.url("/users"));
    page.wait("document.querySelector('tbody tr')");
    let blocked = page.text("[...document.querySelectorAll('tbody tr')].filter(row => row.textContent.includes('blocked')).map(row => row.querySelector('th').innerText).join()");
    assert_eq!(blocked, r"CORP\ALICE blocked");
    page.goto(&dashboard.url("/blocks"));
    let blocks = page.shown();
    assert!(blocks.contains(r"CORP\ALICE") && blocks.contains("lost <laptop>"), "{blocks}");
    assert!(blocks.contains(&format!("{me} (dashboard, {me})")), "{blocks}");
    is_sound(&mut page);
    page.follows(|page| page.click("a[href^='/change/unblock']"));
    is_sound(&mut page);
    page.eval("document.querySelector('#reason').value = 'found'");
    page.follows(|page| page.click("form[action='/change/unblock'] button"));
    page.wait("document.body.textContent.includes('is no longer blocked on VPN1')");
    assert_eq!(day.run(&["blocks", "--json"]).ends(0).json(), serde_json::json!([]));
}

/// Every other page of a change over live sessions, and an order without keeping anybody away.
#[test]
fn each_change_has_a_sound_page() {
    let day = Day::begin(CONFIG, MORNING);
    let _service = day.service();
    let (mut dashboard, mut browser) = (Dashboard::of(&day.config(), &day.kept().join("clock")), Browser::launch());
    day.play("08:00:30");
    let live = ["sessions", "--live", "--json"];
    let sessions = day.until(&live, |live| {
        live.as_array().is_some_and(|all| all.len() == 2 && all.iter().all(|one| one["listed"] == true))
    });
    let bob = sessions.as_array().unwrap().iter().find(|one| one["name"] == "BOB").unwrap().clone();
    let mut page = dashboard.visit(&mut browser);
    page.viewport(1440, 900);
    let (number, address) = (&bob["id"], bob["framed_ip_address"].as_str().unwrap());
    for path in [
        "/change/block?user=CORP%5CBOB".to_owned(),
        "/change/block?computer=PC-2".to_owned(),
        format!("/change/release?address={address}"),
        format!("/change/close?session={number}"),
        "/users/CORP%5CBOB".to_owned(),
        "/addresses".to_owned(),
    ] {
        page.goto(&dashboard.url(&path));
        page.wait_for("main");
        is_sound(&mut page);
    }
    page.goto(&dashboard.url("/users/CORP%5CBOB"));
    page.follows(|page| page.click("a[href^='/change/disconnect']"));
    // A second click, before the answer to the first has come.
    page.eval("document.querySelector('#reason').value = 'maintenance'");
    page.eval("document.querySelector('button.danger').click()");
    page.wait(
        "location.pathname.startsWith('/change/result/') && document.body.textContent.includes('is disconnected')",
    );
    let order = day.until(&["disconnect", "list", "--json"], |all| all.as_array().is_some_and(|all| all.len() == 1));
    assert_eq!((&order[0]["name"], &order[0]["disconnect_why"]), (&"BOB".into(), &"asked".into()), "{order:#}");
    let me = rasadmin_rights::account_name().unwrap();
    assert_eq!(order[0]["disconnect_by"], format!("{me} (dashboard, {me})"));
}

/// A program with a token, which asks the API of a dashboard.
struct Program<'d> {
    dashboard: &'d Dashboard,
    token: String,
}

impl Program<'_> {
    /// The status, the head of the answer, and its JSON.
    fn ask(&self, method: &str, path: &str, more: &str, body: &str) -> (u16, String, serde_json::Value) {
        let host = self.dashboard.address.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(support::PATIENCE)).unwrap();
        let (token, length) = (&self.token, body.len());
        let head = format!(
            "{method} /api/v1/{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n"
        );
        write!(stream, "{head}{more}Content-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), head.to_ascii_lowercase(), serde_json::from_str(body).unwrap())
    }

    fn get(&self, path: &str) -> serde_json::Value {
        self.ask("GET", path, "", "").2
    }

    fn change(&self, change: &str, key: &str, body: &serde_json::Value) -> (u16, String, serde_json::Value) {
        let headers = format!("Content-Type: application/json\r\nIdempotency-Key: {key}\r\n");
        self.ask("POST", change, &headers, &body.to_string())
    }
}

/// Without a browser: a program disconnects a user and keeps them away. RRAS ends the session, a retry does nothing more, and the
/// user is refused until the program lifts the block.
#[test]
fn a_program_disconnects_a_user() {
    let day = Day::begin(CONFIG, MORNING);
    let _service = day.service();
    let token = day.run(&["dashboard", "token", "add", "helpdesk", "--role", "operator"]).ends(0).stdout;
    let dashboard = Dashboard::of(&day.config(), &day.kept().join("clock"));
    let program = Program { dashboard: &dashboard, token: token.trim().to_owned() };
    day.play("08:00:30");
    day.until(&["sessions", "--live", "--json"], |live| {
        live.as_array().is_some_and(|all| all.len() == 2 && all.iter().all(|one| one["listed"] == true))
    });
    let live = program.get("sessions?live=true&user=alice");
    let key = live["rows"][0]["acct_session_id"].clone();
    let order = serde_json::json!({
        "user": "alice",
        "block_until": "2026-11-23T08:30:00Z",
        "reason": "lost <laptop>",
        "seen": {"sessions": [key]},
    });
    let (status, head, done) = program.change("disconnect", "the-first-change", &order);
    assert_eq!((status, &done["done"], &done["changed"]), (200, &true.into(), &true.into()), "{done}");
    assert!(done["text"][0].as_str().unwrap().contains(r"CORP\ALICE is blocked on VPN1 until"), "{done}");
    assert_eq!(done["sessions"][0]["session"], key, "{done}");
    assert!(!head.contains("idempotency-replayed"), "{head}");
    let again = program.change("disconnect", "the-first-change", &order);
    assert_eq!((again.0, &again.2), (200, &done));
    assert!(again.1.contains("idempotency-replayed: true"), "{}", again.1);

    let path = format!("sessions/{}", key.as_str().unwrap());
    day.until(&["sessions", "--json"], |all| {
        all.as_array()
            .into_iter()
            .flatten()
            .any(|one| one["acct_session_id"] == key && one["acct_stop_time"].is_string())
    });
    let ended = program.get(&path);
    assert_eq!((&ended["acct_terminate_cause"], &ended["closed_by"]), (&"Admin-Reset".into(), &"hangup".into()));
    // Alice comes back, and is refused.
    day.play("08:06:30");
    day.until(&["sessions", "--live", "--json"], |live| {
        live.as_array().into_iter().flatten().any(|one| one["name"] == "CAROL")
    });
    assert_eq!(program.get("sessions?live=true&user=alice")["rows"], serde_json::json!([]));
    let (status, _, refused) = program.change("disconnect", "another-key-of-it", &order);
    assert_eq!((status, &refused["error"]["kind"]), (409, &"refused".into()), "{refused}");

    let block = program.get("blocks")[0].clone();
    let by = format!("helpdesk, API token (dashboard, {})", rasadmin_rights::account_name().unwrap());
    assert_eq!(
        (&block["name"], &block["by"], &block["reason"]),
        (&"ALICE".into(), &by.into(), &"lost <laptop>".into())
    );
    let lift = serde_json::json!({"user": "alice", "reason": "found", "seen": {"block_since": block["since"]}});
    let (status, _, lifted) = program.change("unblock", "the-second-change", &lift);
    assert_eq!((status, &lifted["changed"]), (200, &true.into()), "{lifted}");
    assert_eq!(day.run(&["blocks", "--json"]).ends(0).json(), serde_json::json!([]));
}
