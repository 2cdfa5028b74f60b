//! The list of decisions, and what leads to it.
#![allow(clippy::unwrap_used)]

mod played;

use played::{CONFIG, Pages, Scene, day, visit};

#[test]
fn denials_come_first_and_lead_to_their_explanation() {
    let pages = Pages::of(day());
    let page = pages.shows("/decisions");
    page.says(r"CORP\MALLORY Not Mallory").says("IPv4 address").does_not_say("ALICE").does_not_say("MprAdmin");
    let number = page.html.split(r#"<a href="/decisions/"#).nth(1).unwrap().split('"').next().unwrap();
    let explained = pages.shows(&format!("/decisions/{number}"));
    explained.says("Decision about the IPv4 address denied").says("RRAS called MprAdminGetIpAddressForUser");
    // What is below the rule that denied is folded, and does not read as if it had been evaluated.
    explained.says("denies: users: wanted mallory, found").says("2 later rules and the default, not evaluated");
    explained.says("Two eachnot evaluated: user_sessions: wanted at least 2, it was not counted");
    explained.says("Enough for a daynot evaluated: connect_time").says("(default)would allow");
}

#[test]
fn decisions_are_found_by_user_outcome_stage_rule_and_time() {
    let pages = Pages::of(day());
    let finds = |query: &str, says: &str| {
        pages.shows(&format!("/decisions?{query}")).says(says);
    };
    finds("user=alice", "No decisions match.");
    finds("user=alice&outcome=allowed", r"CORP\ALICE (default) link");
    finds("user=CORP%5Cmallory&outcome=any", r"CORP\MALLORY denied Not Mallory");
    finds("outcome=any&stage=link", r"CORP\BOB allowed (default) link");
    finds("rule=not+mallory", r"CORP\MALLORY");
    finds("rule=Two+each", "No decisions match.");
    finds("since=2026-11-23T00:00", r"CORP\MALLORY");
    finds("until=2026-11-23T00:00", "No decisions match.");
    let link = pages.shows("/decisions?outcome=any&stage=link&user=alice");
    assert!(link.html.contains(r#"<option value="link" selected"#), "the form has what was asked for: {}", link.html);
}

#[test]
fn a_long_list_has_pages() {
    let scene = Scene::new(CONFIG);
    for handle in 1..=20 {
        visit(&scene, handle, "alice", 60);
    }
    let pages = Pages::of(scene);
    let first = pages.shows("/decisions?outcome=any");
    let second = pages.shows(&first.link("Earlier decisions"));
    let rows = |page: &played::Page| page.html.matches(r#"<a href="/decisions/"#).count();
    assert_eq!((rows(&first), rows(&second)), (50, 10));
    assert_eq!(second.link("The latest"), "/decisions?outcome=any");
    second.does_not_say("Earlier decisions");
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let pages = Pages::of(day());
    pages.refuses("/decisions?outcome=maybe", "there is no outcome maybe. choose one of denied");
    pages.refuses("/decisions?stage=lunch", "there is no stage lunch");
    pages.refuses("/decisions?since=yesterday", "yesterday is not a time");
    pages.refuses("/decisions?after=7", "the address does not say where the page begins");
    pages.refuses("/decisions?user=%5C", "this is not a user's name");
}
