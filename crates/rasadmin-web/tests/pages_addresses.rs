//! The page of addresses.
#![allow(clippy::unwrap_used)]

mod played;

use played::{CONFIG, Pages, Scene, day};

#[test]
fn pools_leases_and_reservations_are_there() {
    let pages = Pages::of(day());
    let page = pages.shows("/addresses");
    page.says("staff (IPv4) 3 of 253 held, 250 free, 1.2 % full")
        .says("guests (IPv4) 0 of 2 held, 2 free, 0.0 % full")
        .says(r"CORP\ALICE 2026-11-23 10:00:00 held staff (again) VPN0-2 VPN1 2")
        .says(r"CORP\<SCRIPT>ALERT'")
        .says(r"CORP\CAROL 10.8.0.99");
    assert_eq!(page.link("staff"), "/addresses?pool=staff");
    let text = page.text();
    assert!(text.find("staff (IPv4)").unwrap() < text.find("guests (IPv4)").unwrap(), "the fullest first: {text}");
    pages.shows("/addresses?pool=guests").says("No address is held of the pool guests.").does_not_say("VPN0-2");
}

#[test]
fn who_had_an_address_is_answered_in_a_sentence() {
    let pages = Pages::of(day());
    pages
        .shows("/addresses?address=10.8.0.1&at=2026-11-23T09:30")
        .says(r"10.8.0.1 was held by CORP\ALICE from 2026-11-23 09:00:00 to 2026-11-23 10:00:00 on VPN1.");
    pages
        .shows("/addresses?address=10.8.0.1&at=2026-11-23T10:00:30")
        .says(r"10.8.0.1 is held by CORP\ALICE since 2026-11-23 10:00:00 on VPN1.");
    pages
        .shows("/addresses?address=10.8.0.77&at=2026-11-23T09:30")
        .says("Nobody had 10.8.0.77 at 2026-11-23 09:30:00, as far as the ledger knows.");
    let page = pages.shows("/addresses?address=10.8.0.1&at=");
    let all = page.text();
    assert!(all.find("is held by").unwrap() < all.find("was held by").unwrap(), "the latest first: {all}");
    // What was asked stays in the form.
    assert!(page.html.contains(r#"name="address" value="10.8.0.1""#), "{}", page.html);
}

#[test]
fn what_is_no_address_time_or_pool_is_refused_with_a_remedy() {
    let pages = Pages::of(day());
    pages.refuses("/addresses?address=10.8", "10.8 is not an address. write one like 10.20.16.9");
    pages.refuses("/addresses?address=10.8.0.1&at=noon", "noon is not a time. write one like 2026-11-23T14:30");
    pages.refuses("/addresses?pool=%3Cscript%3E", "the configuration has no pool <script>");
    pages.refuses("/addresses?after=x", "does not say where the page begins");
}

#[test]
fn leases_have_pages() {
    let scene = Scene::new(CONFIG);
    for handle in 1..=130 {
        scene.begin(handle, &format!("user{handle:03}"), &format!("VPN0-{handle}")).unwrap();
    }
    let pages = Pages::of(scene);
    let first = pages.shows("/addresses?pool=staff");
    let second = pages.shows(first.link("Next page").trim_end_matches("#held"));
    let count = |page: &played::Page| page.html.matches(r#"<th class="code" scope="row">"#).count();
    assert_eq!((count(&first), count(&second)), (100, 30));
    assert_eq!(second.link("First page"), "/addresses?pool=staff#held");
    second.does_not_say("Next page");
}

#[test]
fn without_pools_and_leases_it_says_what_to_do() {
    let pages = Pages::of(Scene::new("default.action = \"allow\"\njournal.durability = \"process\"\n"));
    pages
        .shows("/addresses")
        .says("The configuration has no pools: RRAS's own addresses are kept.")
        .says("No address is held.")
        .says("The configuration reserves no addresses.");
}
