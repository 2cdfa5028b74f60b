//! The dashboard in a browser over a ledger of 50,000 sessions: its lists are turned, sorted and searched as a person does it.
#![cfg(unix)] // The browser is a Linux program.
#![allow(clippy::unwrap_used)]

mod browser;
#[allow(dead_code)] // This file uses a part.
#[path = "support/dashboard.rs"]
mod dashboard;
#[path = "support/forms.rs"]
mod forms;
#[path = "support/many_sessions.rs"]
mod many_sessions;
#[allow(dead_code)]
#[path = "support/sound.rs"]
mod sound;
mod support;
#[path = "support/visit.rs"]
mod visit;

use browser::{Browser, Page};
use dashboard::{Dashboard, Played};
use forms::{choose, fill, fill_month, fill_time};
use serde_json::json;
use std::collections::BTreeSet;
use std::iter::zip;
use support::{office_day, rasadmin, root, words};
use visit::Visit;

/// The table of most lists.
const LIST: &str = "#live";

/// The office day, with many sessions before it.
fn many() -> (Played, Dashboard) {
    let config = std::fs::read_to_string(root().join("examples/office-day.toml")).unwrap();
    let day = Played::until("13:30:00", &config, &std::fs::read_to_string(office_day()).unwrap());
    many_sessions::add(&day.config().with_file_name("rasadmin.db"));
    let dashboard = day.serve();
    (day, dashboard)
}

#[test]
fn pages_over_many_sessions_are_sound() {
    let ((day, mut dashboard), mut browser) = (many(), Browser::launch());
    let mut visit = Visit::begin(&mut dashboard, &mut browser);
    for (path, shown) in [
        ("/", "10.20.16"),
        ("/sessions", "Earlier sessions"),
        ("/sessions?sort=duration", "More than 20,000 sessions match"),
        ("/sessions?q=busy", r"CORP\BUSY"),
        ("/decisions", "no PPTP"),
        ("/decisions?outcome=any", "allowed"),
        ("/users", r"CORP\BUSY"),
        ("/users/CORP%5Cbusy", "these are the latest 25"),
        ("/reports?month=2026-10", r"CORP\BUSY"),
        ("/reports?month=2026-10&by=day", "2026-10-31"),
        ("/addresses", "10.20.16"),
        ("/addresses?address=10.20.16.77", "These are the latest 100"),
    ] {
        for (scheme, width) in [("light", 1440), ("dark", 360)] {
            visit.page.viewport(width, 900);
            visit.page.scheme(scheme);
            visit.open(path);
            visit.is_sound();
        }
        assert!(visit.page.shown().contains(shown), "{path}: {shown}: {}", visit.page.shown());
    }
    let live = words([&"sessions", &"--live", &"--json", &"--limit", &"0", &"--config", &day.config()]);
    let live = rasadmin(live).ends(0).json().as_array().unwrap().len();
    visit.open("/");
    assert_eq!(visit.page.text("document.querySelector('#live .figures-row dd').innerText"), live.to_string());
}

#[test]
fn long_lists_are_turned_and_sorted() {
    let ((_day, mut dashboard), mut browser) = (many(), Browser::launch());
    let mut visit = Visit::begin(&mut dashboard, &mut browser);
    visit.open("/sessions");
    let mut pages = vec![visit.column(LIST, "session")];
    for _ in 0..6 {
        visit.follow("a[rel=next]");
        pages.push(visit.column(LIST, "session"));
    }
    visit.is_sound();
    let all: BTreeSet<&String> = pages.iter().flatten().collect();
    assert_eq!(all.len(), 7 * 50, "no session is on two pages: {pages:?}");
    // The browser goes back to the page before, and a link to the first.
    visit.page.eval("history.back()");
    let first = json!(pages[5][0]);
    visit.page.wait(&format!("document.querySelector('tbody td').innerText === {first}"));
    assert_eq!(visit.column(LIST, "session"), pages[5]);
    visit.follow("nav.pages a:not([rel])");
    assert_eq!(visit.column(LIST, "session"), pages[0]);

    // By the name of the user, and turned round.
    visit.follow("thead a[href='/sessions?sort=user']");
    let mut names = visit.column(LIST, "user");
    assert_eq!(visit.page.text("document.querySelector('th[aria-sort]').ariaSort"), "ascending");
    visit.follow("a[rel=next]");
    names.extend(visit.column(LIST, "user"));
    assert!(names.is_sorted() && names.len() == 100 && names[0] < names[99], "{names:?}");
    visit.follow("thead a[href='/sessions?sort=-user']");
    let names = visit.column(LIST, "user");
    assert!(names.iter().rev().is_sorted(), "{names:?}");
    visit.is_sound();
    // Too many for another order. The page offers a shorter time.
    visit.follow("thead a[href='/sessions?sort=duration']");
    visit.follow("a.tag[href*='since=']");
    assert_eq!(visit.page.text("document.querySelector('th[aria-sort]').innerText"), "connected for");
    assert!(visit.page.shown().contains("sessions in all"), "{}", visit.page.shown());
    visit.is_sound();

    visit.open("/decisions");
    let denied = visit.column("main", "user");
    visit.follow("a[rel=next]");
    visit.follow("a[rel=next]");
    assert_ne!(visit.column("main", "user"), denied);
    visit.all_are("main", "by", "no PPTP");
    visit.follow("nav.pages a:not([rel])");
    assert_eq!(visit.column("main", "user"), denied);

    visit.open("/users");
    visit.follow("thead a[href='/users?sort=sessions']");
    assert_eq!(visit.column(LIST, "user")[0], r"CORP\BUSY");
    assert_eq!(visit.column(LIST, "sessions")[..2], ["5,000", "100"]);
    let first = visit.column(LIST, "user");
    visit.follow("a[rel=next]");
    let next = visit.column(LIST, "user");
    assert!(next.len() == 100 && next.iter().all(|user| !first.contains(user)), "{next:?}");
    visit.is_sound();
    visit.follow("nav.pages a:not([rel])");
    assert_eq!(visit.column(LIST, "user"), first);

    visit.open("/users/CORP%5Cbusy");
    visit.follow("h2 a.more[href^='/sessions?user=']");
    visit.all_are(LIST, "user", r"CORP\BUSY");
    visit.follow("a[rel=next]");
    visit.all_are(LIST, "user", r"CORP\BUSY");

    visit.open("/reports?month=2026-10");
    visit.follow("thead a[href*='sort=sessions']");
    assert_eq!(visit.column(LIST, "user")[0], r"CORP\BUSY");
}

/// A filter of the sessions: the field, what is typed into it, and the column that must have `shown` in each row.
struct Filter(&'static str, &'static str, &'static str, &'static str, usize);

#[test]
fn each_filter_of_the_sessions_shows_what_was_asked_for() {
    let ((_day, mut dashboard), mut browser) = (many(), Browser::launch());
    let mut visit = Visit::begin(&mut dashboard, &mut browser);
    for Filter(field, typed, head, shown, rows) in [
        Filter("[name=q]", r"corp\user007", "user", r"CORP\USER007", 50),
        Filter("[name=q]", "pc-0123", "computer", "PC-0123", 20),
        Filter("[name=user]", "user007", "user", r"CORP\USER007", 50),
        Filter("[name=address]", "192.0.2.7", "from", "192.0.2.7", 50),
        Filter("[name=computer]", "PC-0124", "computer", "PC-0124", 20),
    ] {
        visit.open("/sessions");
        open_more(&mut visit.page);
        fill(&mut visit.page, &format!("form.filter {field}"), typed);
        visit.send("form.filter");
        visit.all_are(LIST, head, shown);
        assert_eq!(visit.column(LIST, head).len(), rows, "{typed}");
        assert_eq!(visit.page.text(&format!("document.querySelector('form.filter {field}').value")), typed);
    }
    // A user has a hundred: two pages.
    visit.open("/sessions?user=user007");
    visit.follow("a[rel=next]");
    visit.all_are(LIST, "user", r"CORP\USER007");
    assert_eq!(visit.page.eval("!!document.querySelector('a[rel=next]')"), false);

    // Two at once: a list, and a time of which the parts are typed.
    visit.open("/sessions");
    open_more(&mut visit.page);
    choose(&mut visit.page, "[name=tunnel]", "IKEv2");
    fill_time(&mut visit.page, "[name=since]", "2026-10-01T08:00");
    fill_time(&mut visit.page, "[name=until]", "2026-10-01T09:00");
    visit.send("form.filter");
    visit.all_are(LIST, "tunnel", "IKEv2");
    let began = visit.column(LIST, "began");
    assert!(began.len() == 12 && began.iter().all(|time| time.starts_with("2026-10-01 08:")), "{began:?}");

    visit.open("/sessions");
    open_more(&mut visit.page);
    choose(&mut visit.page, "[name=rule]", "device tunnels");
    visit.send("form.filter");
    // Those of the office day are on the first page, and no other computer has such a number.
    visit.follow("a[rel=next]");
    let computers = visit.column(LIST, "computer");
    assert!(computers.len() == 50 && computers.iter().all(|name| name.ends_with("01")), "{computers:?}");

    visit.open("/sessions");
    visit.page.click("[name=live]");
    visit.send("form.filter");
    // Some are marked as replaced too.
    let is_connected = |state: &String| state.starts_with("connected");
    assert!(visit.column(LIST, "state").iter().all(is_connected), "{}", visit.page.shown());
    visit.follow("a[rel=next]");
    assert!(visit.column(LIST, "state").iter().all(is_connected), "{}", visit.page.shown());
    visit.follow("a.button[href='/sessions']");
    assert_eq!(visit.page.text("location.search"), "");

    // A column more.
    open_more(&mut visit.page);
    visit.follow(".choose a[href*='%2Cport']");
    assert!(!visit.column(LIST, "port").is_empty());
}

/// Opens the part of the form that is closed until it is needed.
fn open_more(page: &mut Page<'_>) {
    page.click("form.filter summary");
    page.wait("document.querySelector('form.filter details').open");
}

#[test]
fn each_filter_of_other_lists_shows_what_was_asked_for() {
    let ((_day, mut dashboard), mut browser) = (many(), Browser::launch());
    let mut visit = Visit::begin(&mut dashboard, &mut browser);
    visit.open("/decisions");
    fill(&mut visit.page, "[name=user]", "user501");
    visit.send("form.filter");
    assert!(visit.page.shown().contains("No decisions match."), "{}", visit.page.shown());
    visit.open("/decisions");
    fill(&mut visit.page, "[name=user]", "user006");
    choose(&mut visit.page, "[name=outcome]", "any");
    visit.send("form.filter");
    visit.all_are("main", "user", r"CORP\USER006");
    let outcomes = visit.column("main", "outcome");
    assert!(outcomes.iter().any(|one| one == "denied") && outcomes.iter().any(|one| one == "allowed"), "{outcomes:?}");
    visit.open("/decisions");
    fill(&mut visit.page, "[name=rule]", "device tunnels");
    choose(&mut visit.page, "[name=outcome]", "allowed");
    choose(&mut visit.page, "[name=stage]", "connection");
    fill_time(&mut visit.page, "[name=since]", "2026-11-01T00:00");
    fill_time(&mut visit.page, "[name=until]", "2026-11-02T00:00");
    visit.send("form.filter");
    visit.all_are("main", "by", "device tunnels");
    let times = visit.column("main", "time");
    assert!(times.len() > 5 && times.iter().all(|time| time.starts_with("2026-11-01")), "{times:?}");

    visit.open("/users");
    fill(&mut visit.page, "[name=q]", "ser49");
    visit.send("form.filter");
    let users = visit.column(LIST, "user");
    assert_eq!(users.len(), 9, "{users:?}");
    assert!(users.iter().all(|user| user.starts_with(r"CORP\USER49")), "{users:?}");

    visit.open("/reports");
    fill_month(&mut visit.page, "[name=month]", ("O", "2026"), "2026-10");
    choose(&mut visit.page, "[name=by]", "tunnel");
    visit.send("form.filter");
    assert_eq!(visit.page.text("document.querySelector('h1').innerText"), "Report of October 2026 by tunnel");
    let mut tunnels: Vec<_> = zip(visit.column(LIST, "tunnel"), visit.column(LIST, "sessions")).collect();
    tunnels.sort();
    // Also those that had begun in September and went on. With PPTP there were only denials.
    let expected = [("IKEv2", "8,949"), ("L2TP", "8,949"), ("PPTP", "0"), ("SSTP", "8,948")];
    assert_eq!(tunnels, expected.map(|(tunnel, sessions)| (tunnel.to_owned(), sessions.to_owned())));
    visit.follow("a[rel=prev]");
    assert_eq!(visit.page.text("document.querySelector('h1').innerText"), "Report of September 2026 by tunnel");

    visit.open("/addresses");
    choose(&mut visit.page, "#held [name=pool]", "partners");
    visit.send("#held form");
    let held = visit.column("#held", "address");
    assert!(held.len() > 5 && held.iter().all(|address| address.starts_with("10.20.32.")), "{held:?}");
    fill(&mut visit.page, "#who-had [name=address]", "10.20.16.77");
    fill_time(&mut visit.page, "#who-had [name=at]", "2026-11-11T08:20");
    visit.send("#who-had form");
    assert_eq!(visit.column("#who-had", "user"), [r"CORP\USER076"]);
    assert_eq!(visit.column("#who-had", "since"), ["2026-11-11 08:06:40"]);
}
