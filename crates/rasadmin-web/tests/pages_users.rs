//! The pages of all users, and of one.
#![allow(clippy::unwrap_used)]

mod played;

use axum::http::StatusCode;
use played::{CONFIG, Pages, Scene, With as _, connection, day, visit};
use rasadmin_engine::effect::Usage;

#[test]
fn users_are_listed_with_their_sessions_and_refusals() {
    let pages = Pages::of(day());
    let page = pages.shows("/users");
    page.says(r"CORP\ALICE office 1 2 2026-11-23 10:00:00 –")
        .says(r"CORP\BOB office 1 1 2026-11-23 10:00:00 –")
        .says(r"CORP\MALLORY – 0 0 – 2026-11-23 10:00:00")
        .does_not_say("Next page");
    assert_eq!(page.link(r"CORP\ALICE"), "/users/CORP%5CALICE");
    assert!(page.html.contains(r#"datetime="2026-11-23T10:00:00Z" title="2026-11-23T10:00:00Z""#), "UTC on hover");
    // The heads sort, and keep the search.
    let page = pages.shows("/users?q=a");
    assert_eq!(page.link("last denied"), "/users?q=a&sort=denied");
    let page = pages.shows(&page.link("last denied"));
    assert!(
        page.html.contains(r#"aria-sort="descending"><a href="/users?q=a&amp;sort=denied">last denied"#),
        "{}",
        page.html
    );
    let text = page.text();
    assert!(text.find("MALLORY") < text.find("ALICE"), "{text}");
    page.does_not_say("BOB");
}

#[test]
fn the_use_of_a_month_is_shown_by_day_as_quotas_count_it() {
    let scene = Scene::new(CONFIG);
    let given = scene.begin(1, "alice", "VPN0-1").unwrap();
    scene.wait(7_200);
    let usage = Usage { seconds: 7_200, input_octets: 1 << 30, output_octets: 1 << 31, ..Usage::default() };
    scene.recorder.hangup(&connection(1, "alice").with(|event| event.usage = usage), scene.now());
    scene.release("alice", "VPN0-1", &given);
    let page = Pages::of(scene).shows("/users/CORP%5CALICE");
    page.says("Connected, by day").says("Received and sent, by day, in GiB");
    for bar in ["2026-11-23: 2h 00m", "2026-11-23: 3.0 GiB", "2026-11-22: 0 B"] {
        assert!(page.html.contains(&format!("<title>{bar}</title>")), "{bar}: {}", page.html);
    }
}

#[test]
fn a_long_list_has_pages_in_every_order() {
    let scene = Scene::new(CONFIG);
    for number in 0..=150 {
        visit(&scene, number, &format!("user{number:03}"), 1);
    }
    let pages = Pages::of(scene);
    for sort in ["", "?sort=sessions", "?sort=last"] {
        let first = pages.shows(&format!("/users{sort}"));
        let second = pages.shows(&first.link("Next page"));
        let count = |page: &played::Page| page.html.matches(r#"<th scope="row">"#).count();
        assert_eq!((count(&first), count(&second)), (100, 51), "{sort}");
        second.does_not_say("Next page");
        assert_eq!(second.link("First page"), format!("/users{sort}"));
    }
}

#[test]
fn what_nobody_can_ask_is_refused_with_a_remedy() {
    let pages = Pages::of(day());
    pages.refuses("/users?sort=size", "there is no order size. choose one of user, live, sessions");
    pages.refuses("/users?after=x", "the address does not say where the page begins");
    pages.refuses("/users?q=a&q=b", "the address of this page is not valid");
    pages.refuses("/users/%FF", "the address has no valid user name");
    let page = pages.get("/users/nobody");
    assert_eq!(page.status, 404);
    page.says("Neither the ledger nor the configuration knows the user nobody. Check the spelling");
}

#[test]
fn an_empty_ledger_says_what_to_do() {
    let pages = Pages::of(Scene::new(CONFIG));
    pages.shows("/users").says("The ledger knows no users yet. A user who connects, or is denied, appears here");
    pages.shows("/users?q=%3Cscript%3E").says("No user of the ledger has “<script>” in the name.");
}

#[test]
fn a_user_has_limits_sessions_refusals_and_facts() {
    let pages = Pages::of(day());
    let page = pages.shows("/users/CORP%5CALICE");
    page.says("1 session now; 2 in all")
        .says("Groups office")
        .says("Two each sessions of the user at least 2 0 to 1 not reached")
        .says("Enough for a day connect time at least 10h per day")
        .says("1 2026-11-23 09:00:00 SSTP 10.8.0.1 203.0.113.9")
        .says("The user was never denied");
    assert!(page.html.contains(r#"aria-label="50 % of the limit""#), "{}", page.html);
    assert_eq!((page.link("1"), page.link("2")), ("/sessions/1".to_owned(), "/sessions/2".to_owned()));
    let page = pages.shows("/users/CORP%5CMALLORY");
    page.says("The ledger has no past session of this user.").says("Not Mallory this user is banned – – IPv4 address");
    assert!(page.html.contains("<a href=\"/decisions/"), "{}", page.html);
    page.says("Named in rules Not Mallory");
    assert!(page.html.contains(r#"<span class="tag"><a href="/rules#rule-Not_20Mallory">"#), "{}", page.html);
    // The configuration alone knows her.
    pages.shows("/users/carol").says("never, as far as the ledger knows").says("Reserved 10.8.0.99");
    pages.shows("/users/carol").says("The ledger does not know this user");
    pages.shows("/users/alice").does_not_say("does not know this user");
    // As people type it.
    pages.shows("/users/alice%40corp").says(r"CORP\ALICE");
}

#[test]
fn long_histories_say_where_the_rest_is() {
    let scene = Scene::new(CONFIG);
    for handle in 1..=26 {
        visit(&scene, handle, "alice", 1);
        scene.begin(100 + handle, "mallory", "VPN0-9").unwrap_err();
        scene.wait(120);
    }
    let pages = Pages::of(scene);
    let page = pages.shows("/users/CORP%5CALICE");
    assert_eq!(page.link("all; these are the latest 25"), "/sessions?user=CORP%5CALICE");
    pages.shows("/users/CORP%5CMALLORY").says("all; these are the latest 25");
}

#[test]
fn a_bare_name_of_several_users_asks_which() {
    let scene = day();
    visit(&scene, 9, r"PARTNER\alice", 1);
    let page = Pages::of(scene).get("/users/alice");
    page.says(r"Several users have the name alice").says(r"CORP\ALICE PARTNER\ALICE");
}

#[test]
fn a_stranger_with_a_hostile_name_is_text_on_every_page() {
    let pages = Pages::of(day());
    let users = pages.shows("/users");
    users.says(r"CORP\<SCRIPT>ALERT'");
    let address = users.link(r"CORP\&lt;SCRIPT&gt;ALERT'&quot;&amp;\u{1b}[31M");
    pages.shows(&address).says(r"CORP\<SCRIPT>ALERT'").says("1 session now; 1 in all");
    pages.shows("/users?q=%3Cscript%3E").says(r"CORP\<SCRIPT>ALERT'").does_not_say("ALICE");
}

#[test]
fn without_the_journal_limits_are_not_known_and_that_is_said() {
    // The journal is elsewhere: nothing is there, or it cannot be read as a folder.
    for (journal, why) in [("empty", "has no records"), ("rasadmin.toml", "the journal cannot be read")] {
        let scene = day();
        std::fs::create_dir(scene.folder.path().join("empty")).unwrap();
        let elsewhere = format!("journal.folder = \"{journal}\"\njournal.durability");
        let text = CONFIG.replace("journal.durability", &elsewhere);
        std::fs::write(scene.folder.path().join("rasadmin.toml"), text).unwrap();
        let page = Pages::of(scene).shows("/users/CORP%5CALICE");
        page.says("How much of them is used is not known here: the journal")
            .says(why)
            .says("Two each sessions of the user at least 2")
            .says("Blocked not known here")
            .does_not_say("not reached");
    }
}

/// The ledger comes later, for example. A file, and an answer for programs, are not asked for again.
#[test]
fn a_page_that_cannot_be_shown_yet_looks_again() {
    let pages = Pages::of(day());
    std::fs::remove_file(&pages.scene.config.ledger).unwrap();
    let unavailable = |address: &str| {
        let page = pages.get(address);
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{address}: {}", page.html);
        page
    };
    let page = unavailable("/sessions?live=1");
    page.says("The ledger cannot be read").says("This page looks again by itself.");
    let again = r#"data-live="/sessions?live=1" data-every="3000" data-awaited"#;
    let section = r#"<a href="/sessions" aria-current="page">"#;
    for part in [again, section, r#"<noscript><meta http-equiv="refresh" content="5"></noscript>"#] {
        assert!(page.html.contains(part), "{part}: {}", page.html);
    }
    page.is_sound();
    let file = unavailable("/reports.csv?month=2026-11");
    file.says("The ledger cannot be read").does_not_say("looks again");
    assert!(!file.html.contains("data-awaited") && !file.html.contains("refresh"), "{}", file.html);
    assert!(unavailable("/api/v1/sessions").html.starts_with("{\"error\""));
}

/// A list without marks would say that nobody is blocked.
#[test]
fn a_list_says_if_it_is_not_known_who_is_blocked() {
    let pages = Pages::of(day());
    pages.shows("/users").does_not_say("who is blocked is not known");
    // A segment in a version of the format that no program knows yet.
    let unreadable = b"rasjrnl\n\x02\0\0\0\x14\0\0\0\xf4\x2a\xea\x70";
    std::fs::write(pages.scene.path().join("0000000002.segment"), unreadable).unwrap();
    pages.shows("/users").says("who is blocked is not known at the moment").says(r"CORP\ALICE");
}
