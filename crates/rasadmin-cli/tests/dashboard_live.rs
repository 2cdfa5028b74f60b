//! The dashboard in a browser, beside a day that goes on: pages follow what happens without being loaded again.
#![cfg(unix)] // The browser is a Linux program.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)] // This file uses a part.
#[path = "support/beside.rs"]
mod beside;
mod browser;
#[allow(dead_code)]
#[path = "support/dashboard.rs"]
mod dashboard;
mod support;

use beside::Day;
use browser::Browser;
use dashboard::Dashboard;

const CONFIG: &str =
    "time_zone = \"UTC\"\ndefault_domain = \"CORP\"\ndefault.action = \"allow\"\nserver.name = \"VPN1\"\n";

/// Four users, one after another. The day's time passes only when the test says so.
const ARRIVALS: &str = "\
server VPN1
day 2026-11-23T00:00:00Z
server-address 10.20.0.1
pool 10.20.0.2-10.20.0.254
08:00:00 connect alice user=alice tunnel=sstp from=203.0.113.1 computer=PC-1 received=1000 until=09:00:00
08:01:00 connect bob user=bob tunnel=sstp from=203.0.113.2 computer=PC-2 received=1000 until=09:00:00
08:02:00 connect carol user=carol tunnel=ikev2 from=203.0.113.3 computer=PC-3 received=1000 until=08:04:00
08:03:00 connect dave user=dave tunnel=sstp from=203.0.113.4 computer=PC-4 received=1000 until=09:00:00
";

/// The page shows who comes and goes without being loaded again, and leaves alone what a person is at.
#[test]
fn what_happens_is_seen_without_loading_the_page_again() {
    let day = Day::begin(CONFIG, ARRIVALS);
    let (mut dashboard, mut browser) = (Dashboard::of(&day.config(), &day.kept().join("clock")), Browser::launch());
    let mut page = dashboard.visit(&mut browser);
    // The service has made no ledger yet. The page is shown when it has.
    page.wait("document.body.innerText.includes('The ledger cannot be read')");
    let _service = day.service();
    page.wait_for("#live dl.figures-row");
    page.eval("window.loadedOnce = true");
    let before = page.errors();
    assert!(before.iter().all(|error| error.contains("503")), "{before:?}");
    let connected = "document.querySelector('#live dd').textContent";
    let shows = |name: &str| format!("document.getElementById('live').textContent.includes('{name}')");
    day.play("08:01:30");
    page.wait(&format!("{connected} === '2' && {} && {}", shows("ALICE"), shows("BOB")));
    // What a person is at stays as it is, and is made good when they leave.
    page.eval("document.querySelector('#live a').focus(); window.held = document.getElementById('live')");
    let asked = "performance.getEntriesByType('resource').filter(one => one.initiatorType === 'fetch').length";
    page.eval(&format!("window.asked = {asked}"));
    day.play("08:02:30");
    page.wait(&format!("{asked} > window.asked"));
    assert_eq!(page.eval("window.held.isConnected && window.held.contains(document.activeElement)"), true);
    page.eval("document.activeElement.blur()");
    page.wait(&format!("!window.held.isConnected && {connected} === '3' && {}", shows("CAROL")));
    day.play("08:04:30");
    page.wait(&format!("{connected} === '3' && {} && !{}", shows("DAVE"), shows("CAROL")));
    assert_eq!(page.eval("window.loadedOnce"), true, "it was not loaded again");
    assert_eq!(page.errors(), before);
    // Who has logged out hears nothing more, also in another tab.
    page.eval(
        "window.other = new EventSource('/events'); other.addEventListener('changed', () => { other.heard = true; })",
    );
    page.wait("other.heard");
    page.eval(
        "fetch('/logout', { method: 'POST', redirect: 'manual',
            body: new URLSearchParams({ csrf: document.querySelector('form.visitor [name=csrf]').value }) })",
    );
    page.wait("other.readyState === EventSource.CLOSED");
    // The page says that it does not follow any more.
    page.wait("document.querySelector('.stale a')?.textContent === 'load this page again'");
}

/// The list of sessions shows who comes, and the story of a session what happens to it, until it has ended.
#[test]
fn a_list_and_a_story_are_followed() {
    let day = Day::begin(CONFIG, ARRIVALS);
    let _service = day.service();
    let (mut dashboard, mut browser) = (Dashboard::of(&day.config(), &day.kept().join("clock")), Browser::launch());
    let live = ["sessions", "--live", "--json"];
    day.play("08:01:30");
    day.until(&live, |live| live.as_array().is_some_and(|all| all.len() == 2));
    let mut page = dashboard.visit(&mut browser);
    page.viewport(1440, 900);
    page.goto(&dashboard.url("/sessions"));
    page.eval("window.loadedOnce = true");
    let rows = "[...document.querySelectorAll('#live tbody tr')]";
    page.wait(&format!("{rows}.length === 2"));
    day.play("08:02:30");
    page.wait(&format!("{rows}.length === 3 && {rows}[0].innerText.includes('CAROL')"));
    assert_eq!(page.eval("window.loadedOnce"), true, "it was not loaded again");
    assert_eq!(page.errors(), <[String; 0]>::default());

    page.follows(|page| page.click("#live tbody tr:first-child a[href^='/sessions/']"));
    page.eval("window.loadedOnce = true");
    let story = "document.querySelector('#live .story').innerText";
    page.wait(&format!("{story}.includes('link up on')"));
    let before = page.shown();
    assert!(before.contains("not yet") && !before.contains("link down on"), "{before}");
    day.play("08:04:30");
    page.wait(&format!("{story}.includes('link down on') && {story}.includes('the session ended')"));
    assert!(!page.shown().contains("not yet"), "{}", page.shown());
    assert_eq!(page.text("document.querySelector('h1 .tag').innerText"), "ended");
    assert_eq!(page.eval("window.loadedOnce"), true, "it was not loaded again");
    // It changes no more, and the page does not say that it is not live.
    assert_eq!(page.eval("!!document.querySelector('[data-live], .stale')"), false);
    assert_eq!(page.errors(), <[String; 0]>::default());
}
