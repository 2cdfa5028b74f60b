//! The API's answers, over the ledger of a day.
#![allow(clippy::unwrap_used)]

mod played;

use axum::http::StatusCode;
use played::{HOSTILE, Pages, day, visit};
use serde_json::Value;

trait Api {
    fn json(&self, path: &str) -> (StatusCode, Value);
    fn answers(&self, path: &str) -> Value;
    fn refuses_with(&self, path: &str, status: u16, says: &str);
}

impl Api for Pages {
    fn json(&self, path: &str) -> (StatusCode, Value) {
        let page = self.get(&format!("/api/v1/{path}"));
        assert_eq!(page.headers["content-type"], "application/json", "{path}: {}", page.html);
        (page.status, serde_json::from_str(&page.html).unwrap())
    }

    #[track_caller]
    fn answers(&self, path: &str) -> Value {
        let (status, json) = self.json(path);
        assert_eq!(status, StatusCode::OK, "{path}: {json}");
        json
    }

    #[track_caller]
    fn refuses_with(&self, path: &str, status: u16, says: &str) {
        let (found, json) = self.json(path);
        assert_eq!(found.as_u16(), status, "{path}: {json}");
        assert_eq!(json["error"]["status"], status);
        let text = |field: &str| json["error"][field].as_str().unwrap();
        let error = format!("{}; {}", text("message"), text("hint"));
        assert!(error.contains(says), "{path}: expected `{says}`: {error}");
    }
}

/// The values of a field, in the order of the rows.
fn all<'j>(rows: &'j Value, field: &str) -> Vec<&'j str> {
    rows.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap_or("-")).collect()
}

/// Every row of a list, with pages of so many.
#[track_caller]
fn paged(pages: &Pages, path: &str, limit: usize) -> Vec<Value> {
    let (mut rows, mut after) = (Vec::new(), String::new());
    for _ in 0..100 {
        let mark = if path.contains('?') { '&' } else { '?' };
        let page = pages.answers(&format!("{path}{mark}limit={limit}{after}"));
        let of_page = page["rows"].as_array().unwrap();
        assert!(of_page.len() <= limit, "{page}");
        rows.extend(of_page.iter().cloned());
        let Some(next) = page["next"].as_str() else { return rows };
        assert_eq!(of_page.len(), limit, "only the last page is short: {page}");
        let encoded: String = next.bytes().map(|byte| format!("%{byte:02X}")).collect();
        after = format!("&after={encoded}");
    }
    panic!("the pages of {path} do not end");
}

#[test]
fn every_list_is_the_same_in_pages_of_any_size() {
    let pages = Pages::of(day());
    for path in [
        "sessions",
        "sessions?live=true",
        "sessions?user=alice",
        "decisions",
        "decisions?outcome=deny",
        "decisions?user=alice",
        "users",
        "users?sort=sessions",
        "users?sort=denied",
        "addresses",
        "reservations",
        "who-had?address=10.8.0.1",
        "usage",
        "usage?per=day",
    ] {
        let whole = pages.answers(&format!("{path}{}limit=1000", if path.contains('?') { '&' } else { '?' }));
        let whole = whole["rows"].as_array().unwrap();
        assert!(!whole.is_empty(), "{path}");
        for limit in 1..=3 {
            assert_eq!(&paged(&pages, path, limit), whole, "{path}, {limit}");
        }
    }
}

#[test]
fn sessions_are_found_by_what_is_asked_for() {
    let pages = Pages::of(day());
    let names = |path: &str| {
        let page = pages.answers(path);
        all(&page["rows"], "name").iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("sessions?user=alice"), ["ALICE", "ALICE"]);
    assert_eq!(names("sessions?user=alice&live=true"), ["ALICE"]);
    assert_eq!(names("sessions?user=CORP%5Cbob"), ["BOB"]);
    assert_eq!(names("sessions?until=1999-01-01T00:00:00Z"), [""; 0]);
    assert_eq!(names("sessions?tunnel=IKEv2"), [""; 0]);
    let rows = pages.answers("sessions?user=alice&limit=1");
    let session = &rows["rows"][0];
    let (id, key) = (session["id"].as_i64().unwrap(), session["acct_session_id"].as_str().unwrap());
    assert_eq!(&pages.answers(&format!("sessions/{id}")), session);
    assert_eq!(&pages.answers(&format!("sessions/{key}")), session);
    let address = session["framed_ip_address"].as_str().unwrap();
    assert_eq!(all(&pages.answers(&format!("sessions/{id}/addresses")), "address"), [address]);
    assert_eq!(all(&pages.answers(&format!("sessions/{id}/links")), "nas_port_id").len(), 1);
    let decisions = pages.answers(&format!("sessions/{id}/decisions"));
    let explained = pages.answers(&format!("sessions/{id}/explanation"));
    assert_eq!(decisions.as_array().unwrap().len(), explained.as_array().unwrap().len());
    assert_eq!(explained[0]["recorded"], decisions[0]);
    assert_eq!(explained[0]["agrees"], true);
}

#[test]
fn a_denial_is_explained() {
    let pages = Pages::of(day());
    let denials = pages.answers("decisions?outcome=deny&rule=not%20mallory");
    let denial = &denials["rows"][0];
    assert_eq!((denial["name"].as_str(), denial["reason"].as_str()), (Some("MALLORY"), Some("this user is banned")));
    let path = format!("decisions/{}", denial["id"]);
    assert_eq!(&pages.answers(&path), denial);
    assert_eq!(pages.answers(&format!("{path}/explanation"))[0]["rule"], "Not Mallory");
    assert_eq!(pages.answers("explain?user=mallory")["allowed"], false);
    let alice = pages.answers("explain?user=alice&tunnel=SSTP&from=203.0.113.9");
    assert_eq!(alice["tunnels"].as_array().unwrap().len(), 1);
    assert_eq!(pages.answers("explain?user=carol")["allowed"], true);
}

#[test]
fn reservations_have_the_users_by_name_with_their_addresses() {
    let more = "[[reservations]]\nuser = 'CORP\\bob'\naddress = '10.8.0.98'\nidentifier = '::b:1'\nserver = 'VPN2'\n";
    let pages = Pages::of(played::Scene::new(&format!("{}{more}", played::CONFIG)));
    let rows = paged(&pages, "reservations", 1);
    let of = |name: &str, server: Option<&str>, ipv4: &str, ipv6: Option<&str>| {
        let addresses = serde_json::json!([{"server": server, "ipv4": ipv4, "ipv6": ipv6}]);
        serde_json::json!({"domain": "CORP", "name": name, "addresses": addresses})
    };
    assert_eq!(rows, [of("BOB", Some("VPN2"), "10.8.0.98", Some("::b:1")), of("CAROL", None, "10.8.0.99", None)]);
    pages.refuses_with("reservations?user=bob", 400, "there is no parameter `user`; use `limit`, `after`");
    pages.refuses_with("reservations?after=bob", 400, "`next` of the page before");
}

#[test]
fn a_user_and_the_server_are_as_the_commands_have_them() {
    let pages = Pages::of(day());
    let alice = pages.answers("users/alice");
    assert_eq!((alice["domain"].as_str(), alice["groups"][0].as_str()), (Some("CORP"), Some("office")));
    assert_eq!(alice["live"].as_array().unwrap().len(), 1);
    // Time goes on, and with it the limits.
    assert_eq!(pages.answers("users/CORP%5CALICE")["known"], alice["known"]);
    assert!(all(&pages.answers("pools"), "name").contains(&"staff"));
    assert_eq!(pages.answers("configuration")["rules"][0], "Not Mallory");
    assert_eq!(pages.answers("overview")["live_sessions"], 3);
    assert_eq!(pages.answers("blocks"), Value::Array(Vec::new()));
    let status = pages.answers("status");
    assert_eq!((&status["service_answers"], &status["all_well"]), (&Value::Bool(false), &Value::Bool(false)));
    assert!(status["attention"][0]["remedy"].as_str().unwrap().contains("start the service"), "{status}");
    let (health, null) = (&status["health"], &Value::Null);
    assert_eq!((&health["dll"]["well"], &health["dll"]["events_lost"]), (null, &0.into()), "{health}");
    assert!(health["dll"]["last_event"].is_string() && health["ledger"]["brought_at"].is_string(), "{health}");
    assert_eq!((&health["service"]["well"], &health["journal"]["behind"]), (&Value::Bool(false), null), "{health}");
    assert_eq!((&health["ledger"]["well"], &health["configuration"]["rules"]), (null, &3.into()), "{health}");
    let rules = pages.answers("rules");
    let counts = |at: usize| (rules[at]["allowed"].as_u64().unwrap(), rules[at]["denied"].as_u64().unwrap());
    assert_eq!((rules[0]["rule"].as_str(), counts(0).0, counts(0).1 > 0), (Some("Not Mallory"), 0, true), "{rules}");
    assert_eq!(rules[0]["conditions"][0]["field"], "users");
    assert_eq!((&rules[3]["rule"], rules[3]["action"].as_str()), (&Value::Null, Some("allow")), "the default");
    assert!(counts(3).0 > 0 && rules[3]["last"].is_string(), "{rules}");
    let by_rule = pages.answers("report/rule?month=2026-11");
    assert!(all(&by_rule, "key").contains(&"Not Mallory"), "{by_rule}");
    assert_eq!(pages.answers("report/user?sort=sessions&limit=1").as_array().unwrap().len(), 1);
    assert_eq!(pages.answers("openapi.json")["openapi"], "3.1.0");
    let metrics = pages.get("/metrics");
    assert_eq!(metrics.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(metrics.html.contains("\"kind\":\"unavailable\""), "{}", metrics.html);
}

/// The clock is that of the computer, so the ledger's rows are moved to its day.
#[test]
fn the_day_has_who_was_connected_by_tunnel_and_who_was_refused() {
    let pages = Pages::of(day());
    let midnight = pages.answers("today")["since"].as_str().unwrap().to_owned();
    let at = format!("strftime('%s', '{midnight}') * 1000");
    let moved = format!(
        "UPDATE sessions SET acct_stop_time = {at} + 1 WHERE acct_stop_time IS NOT NULL AND name = 'ALICE';
         UPDATE sessions SET acct_start_time = {at} WHERE name = 'BOB';
         UPDATE sessions SET tunnel_type = 'IKEv2' WHERE name = 'BOB';
         UPDATE decisions SET time = {at} WHERE name = 'MALLORY'"
    );
    rusqlite::Connection::open(&pages.scene.config.ledger).unwrap().execute_batch(&moved).unwrap();
    let today = pages.answers("today");
    assert_eq!((today["since"].as_str(), today["time_zone"].as_str()), (Some(&*midnight), Some("UTC")), "{today}");
    assert_eq!((&today["live_sessions"], &today["most_live_sessions"]), (&3.into(), &4.into()), "{today}");
    assert_eq!((&today["began"], &today["ended"]), (&1.into(), &1.into()), "{today}");
    let times = today["times"].as_array().unwrap();
    assert_eq!(times[0], midnight, "{today}");
    let tunnels = today["tunnels"].as_array().unwrap();
    assert_eq!(all(&today["tunnels"], "tunnel"), ["IKEv2", "SSTP"], "{today}");
    for (tunnel, first, later) in [(0, 1, 1), (1, 3, 2)] {
        let counts = tunnels[tunnel]["live_sessions"].as_array().unwrap();
        assert_eq!((counts.len(), &counts[0]), (times.len(), &first.into()), "{today}");
        assert!(counts[1..].iter().all(|count| *count == later), "{today}");
    }
    let refused = &today["refused"][0];
    assert_eq!(
        (refused["rule"].as_str(), refused["last"].as_str()),
        (Some("Not Mallory"), Some(&*midnight)),
        "{today}"
    );
}

/// The scene is of the morning of 2026-11-23.
#[test]
fn a_report_is_of_the_time_that_is_asked_for() {
    let pages = Pages::of(day());
    for (asked, rows) in [
        ("month=2026-11", true),
        ("month=2026-10", false),
        ("since=2026-11-23T00:00:00Z", true),
        ("until=2026-11-23T00:00:00Z", false),
        ("until=2026-11-24T00:00:00Z", true),
        ("month=2026-11&until=2026-11-23T00:00:00Z", false),
        ("month=2026-11&since=2026-10-01T00:00:00Z", true),
        ("month=2026-10&since=2026-10-01T00:00:00Z&until=2026-12-01T00:00:00Z", false),
        ("since=2026-11-24T00:00:00Z&until=2026-11-23T00:00:00Z", false),
    ] {
        let report = pages.answers(&format!("report/tunnel?{asked}"));
        assert_eq!(!report.as_array().unwrap().is_empty(), rows, "{asked}: {report}");
    }
}

#[test]
fn hostile_names_reach_no_terminal() {
    let scene = day();
    visit(&scene, 9, HOSTILE, 1);
    let pages = Pages::of(scene);
    for path in ["sessions", "users", "decisions", "overview", "report/user"] {
        let page = pages.get(&format!("/api/v1/{path}"));
        assert!(page.html.to_ascii_lowercase().contains("<script>"), "{path}: {}", page.html);
        assert!(!page.html.contains(['\u{1b}', '\u{202e}']), "{path}: {}", page.html);
    }
    let user = pages.answers("users?name=%3Cscript")["rows"][0]["name"].as_str().unwrap().to_owned();
    assert!(user.contains('\u{1b}'), "it is in the value: {user:?}");
}

#[test]
fn what_is_not_valid_is_refused_with_a_remedy() {
    let pages = Pages::of(day());
    for (path, status, says) in [
        ("sessions?usr=alice", 400, "there is no parameter `usr`; use `live`"),
        ("sessions?limit=5000", 400, "write a number from 1 to 1000"),
        ("sessions?live=1", 400, "write true or false"),
        ("sessions?after=x", 400, "`next` of the page before"),
        ("sessions?since=yesterday", 400, "RFC 3339"),
        ("sessions?user=%5C", 404, "no user can have the name"),
        ("sessions/999999", 404, "there is no session 999999"),
        ("sessions/%ff", 400, "the path is not valid UTF-8"),
        ("decisions/0", 404, "not a valid `number`"),
        ("decisions/999999", 404, "there is no decision 999999"),
        ("decisions/999999/explanation", 404, "there is no decision 999999"),
        ("users/nobody", 404, "neither the ledger nor the configuration knows the user"),
        ("users/%5C", 404, "is not a valid user name"),
        ("addresses?pool=none", 404, "the configuration has no pool `none`"),
        ("who-had", 400, "the parameter `address` is missing"),
        ("who-had?address=10.8.0", 400, "write an IP address"),
        ("report/colour", 404, "write one of user, group"),
        ("report/user?month=0000-00", 400, "write a month, such as 2026-11"),
        ("explain", 400, "the parameter `user` is missing"),
        ("nothing", 404, "no such path"),
    ] {
        pages.refuses_with(path, status, says);
    }
}

/// Without the journal nothing is known of sessions, use and blocks: no answer is better than a wrong one.
#[test]
fn without_the_journal_no_limit_is_made_up() {
    let scene = day();
    let pages = Pages::of(scene);
    let journal = pages.scene.path();
    std::fs::rename(&journal, journal.with_extension("away")).unwrap();
    pages.refuses_with("users/alice", 503, "blocks and limits are not known here");
    pages.refuses_with("explain?user=alice", 503, "service");
    std::fs::rename(journal.with_extension("away"), &journal).unwrap();
    pages.answers("users/alice");
}

#[test]
fn a_list_that_has_lost_its_place_does_not_end() {
    let pages = Pages::of(day());
    let lost = "the list has no row with the place that `after` names";
    pages.refuses_with("who-had?address=10.8.0.1&after=999999", 400, lost);
    pages.refuses_with("usage?after=2026-11-01:CORP%5CNOBODY", 400, lost);
}

#[test]
fn the_overview_has_as_many_rows_as_the_command_shows() {
    let scene = played::Scene::new(played::CONFIG);
    for handle in 1..=23 {
        scene.begin(handle, &format!("user{handle}"), &format!("VPN0-{handle}")).unwrap();
    }
    let pages = Pages::of(scene);
    let live = |path: &str| pages.answers(path)["live"].as_array().unwrap().len();
    assert_eq!((live("overview"), live("overview?limit=22")), (20, 22));
}
