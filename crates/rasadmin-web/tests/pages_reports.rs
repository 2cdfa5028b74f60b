//! The page of reports, and their files.
#![allow(clippy::unwrap_used)]

mod played;

use played::{CONFIG, Pages, Scene, day, visit};

#[test]
fn a_month_is_summed_up_by_user_and_sorted() {
    let pages = Pages::of(day());
    let page = pages.shows("/reports?month=2026-11");
    page.says("Report of November 2026 by user").says("2026-11-01 00:00:00 to 2026-12-01 00:00:00, UTC, as of ");
    page.says(r"CORP\<SCRIPT>ALERT'").says(r"CORP\MALLORY 0 0s 0 B 0 B 1");
    assert_eq!(page.link(r"CORP\ALICE"), "/users/CORP%5CALICE");
    assert_eq!(page.link("denied"), "/reports?month=2026-11&sort=denied");
    let sorted = pages.shows(&page.link("denied")).text();
    assert!(sorted.find("MALLORY") < sorted.find("ALICE"), "{sorted}");
    assert_eq!(page.link("← October 2026"), "/reports?month=2026-10");
}

#[test]
fn every_report_of_the_command_is_there() {
    let pages = Pages::of(day());
    let row = |by: &str, says: &str| {
        pages.shows(&format!("/reports?month=2026-11&by={by}")).says(says);
    };
    row("group", "office 3 2 ");
    row("group", "(no group) 1 2 ");
    row("tunnel", "SSTP 4 3 ");
    row("rule", "Not Mallory 0 1 0s 0 B 0 B 1");
    row("rule", "Two each 0 0 0s 0 B 0 B");
    row("rule", "(default) 4 3 ");
    row("day", "2026-11-23 4 4 ");
}

#[test]
fn a_report_by_day_has_a_bar_for_each_day_with_its_value() {
    let scene = Scene::new(CONFIG);
    visit(&scene, 1, "alice", 7200);
    let pages = Pages::of(scene);
    let page = pages.shows("/reports?month=2026-11&by=day");
    assert!(page.html.contains("<title>2026-11-23: 2h 00m, 1 session</title>"), "{}", page.html);
    assert!(page.html.contains("<title>2026-11-22: nobody</title>"), "{}", page.html);
    assert!(page.html.contains(r#"aria-label="Connected, by day: the table below has the figures">"#), "{}", page.html);
    page.says("2026-11-23 1 1 2h 00m");
}

#[test]
fn sums_that_are_not_exact_are_marked_as_by_the_command() {
    let scene = Scene::new(CONFIG);
    visit(&scene, 1, "alice", 3600);
    let pages = Pages::of(scene);
    let change = |sql: &str| rusqlite::Connection::open(&pages.scene.config.ledger).unwrap().execute(sql, []).unwrap();
    change("UPDATE sessions SET acct_input_octets = NULL, acct_output_octets = 7, octets_are = 'lower bound'");
    let page = pages.shows("/reports?month=2026-11");
    page.says("1h 00m not known >= 7 B").says("received and sent, >=: a session without octets counts as 0");
    change("UPDATE sessions SET closed_by = 'end not in the log', imported = 'odbc', acct_start_time = acct_start_time - 86400000,
            acct_stop_time = acct_stop_time - 86400000");
    // The report of before is kept for a while; that of another order is made anew.
    pages
        .shows("/reports?month=2026-11&by=tunnel")
        .says(">= 1h 00m")
        .says("connected, >=: a session without an end counts until");
}

#[test]
fn the_file_has_all_rows_and_no_formulas() {
    let scene = Scene::new(&CONFIG.replace("default_domain = \"CORP\"\n", ""));
    visit(&scene, 1, "=cmd|' /C calc'!A0", 60);
    let pages = Pages::of(scene);
    let page = pages.shows("/reports?month=2026-11");
    let file = pages.get(&page.link("CSV"));
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"rasadmin-2026-11-by-user.csv\"");
    let lines: Vec<_> = file.html.split("\r\n").collect();
    assert!(lines[0].starts_with("user,sessions,users,connected_seconds,"), "{lines:?}");
    assert!(lines[1].starts_with("\"'=CMD|' \\C CALC'!A0\",1,1,60,"), "{lines:?}");
}

#[test]
fn what_is_no_month_is_refused_and_an_empty_one_says_so() {
    let pages = Pages::of(day());
    for path in ["/reports", "/reports.csv"] {
        pages.refuses(&format!("{path}?month=2026-13"), "2026-13 is not a month. write one like 2026-11");
        pages.refuses(&format!("{path}?by=colour"), "there is no report by colour. choose one of user, group");
        pages.refuses(&format!("{path}?sort=up"), "there is no order up");
    }
    pages.shows("/reports?month=2020-01").says("The ledger has no session and no denial of this month.");
    pages.shows("/reports?month=9000-01").says("This month is still to come");
}
