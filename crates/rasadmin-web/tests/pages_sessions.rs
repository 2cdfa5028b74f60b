//! The list of sessions.
#![allow(clippy::unwrap_used)]

mod played;

use played::{CONFIG, Pages, Scene, With as _, connection, day, number, visit};
use rasadmin_engine::Tunnel;
use rasadmin_recorder::Verdict;

#[test]
fn one_field_finds_a_user_an_address_or_a_computer() {
    let pages = Pages::of(day());
    let all = pages.shows("/sessions");
    all.says(r"CORP\ALICE").says(r"CORP\BOB");
    pages.shows("/sessions?q=BOB").says(r"CORP\BOB").does_not_say(r"CORP\ALICE");
    pages.shows(r"/sessions?q=corp%5Calice").says(r"CORP\ALICE").does_not_say(r"CORP\BOB");
    pages.shows("/sessions?q=203.0.113.9").says(r"CORP\ALICE").says(r"CORP\BOB");
    pages.shows("/sessions?q=192.0.2.1").says("No sessions match.");
    pages.refuses("/sessions?q=192.0.2.1&address=192.0.2.2", "leave one of them out");
}

#[test]
fn a_session_with_a_denied_first_link_does_not_say_that_it_has_ended() {
    let rule = "[[rules]]\nname = 'no L2TP'\naction = 'deny'\ntunnels = ['L2TP']\n";
    let scene = Scene::new(&format!("{CONFIG}{rule}"));
    let given = scene.address("bob", "VPN1-1", "172.16.0.9").unwrap();
    let event = connection(1, "bob").with(|e| e.addresses = vec![number(&given)]);
    assert_eq!(scene.connect(&event), Verdict::Accept);
    assert_ne!(scene.link(1, "VPN1-1", Tunnel::L2tp), Verdict::Accept);
    let pages = Pages::of(scene);
    let page = pages.shows("/sessions/1");
    let tag = r#"title="Its first link was denied, so the user was never connected.">denied<"#;
    assert!(page.html.contains(tag) && !page.html.contains("tag\">ended"), "{}", page.html);
}

#[test]
fn sessions_are_found_by_the_rule_that_let_them_in() {
    let pages = Pages::of(day());
    pages.shows("/sessions?rule=Two+each").says("No sessions match.");
    let page = pages.shows("/sessions?rule=a+rule+of+before");
    assert!(page.html.contains(r#"<option value="a rule of before" selected"#), "{}", page.html);
}

#[test]
fn columns_are_chosen_and_empty_ones_are_left_out() {
    let pages = Pages::of(day());
    let usual = pages.shows("/sessions?live=1");
    let heads = |page: &played::Page| {
        let head = page.html.split("<thead>").nth(1).unwrap().split("</thead>").next().unwrap();
        head.matches("<th").count()
    };
    let shown = |title: &str| usual.html.contains(&format!("<th scope=\"col\">{title}</th>"));
    assert!(!shown("last heard") && !shown("computer"), "nothing is in them: {}", usual.html);
    let with_port = pages.shows("/sessions?live=1&columns=began,port");
    assert_eq!(heads(&with_port), 4);
    with_port.says("VPN0-2");
    assert!(
        with_port.html.contains(r#"href="/sessions?live=1&amp;columns=began""#),
        "a link hides it: {}",
        with_port.html
    );
    assert!(with_port.html.contains("columns=began%2Cport%2Cserver"), "a link shows another: {}", with_port.html);
    let without = pages.shows("/sessions?columns=address");
    assert_eq!(heads(&without), 3, "the user, the session and the address");
    pages.refuses("/sessions?columns=shoe", "there is no column shoe");
}

/// The numbers of the sessions of a page, in their order.
fn numbers(page: &played::Page) -> String {
    let cells = page.html.split("<a href=\"/sessions/").skip(1);
    cells.map(|cell| cell.split('"').next().unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn sessions_of_now_are_sorted() {
    let pages = Pages::of(day());
    let sorted = pages.shows("/sessions?live=1&sort=user").text();
    let at = |name: &str| sorted.find(name).unwrap();
    assert!(at(r"CORP\<SCRIPT>") < at(r"CORP\ALICE") && at(r"CORP\ALICE") < at(r"CORP\BOB"), "{sorted}");
    let usual = pages.shows("/sessions?live=1");
    assert_eq!(usual.link("user"), "/sessions?live=1&sort=user");
    assert_eq!(usual.link("connected for"), "/sessions?live=1&sort=duration");
    assert!(!usual.html.contains("sort=ended"), "none of them has ended");
    assert!(usual.html.contains(r#"data-live="/sessions?live=1""#), "{}", usual.html);
    pages.refuses("/sessions?live=1&sort=colour", "there is no order colour");
}

#[test]
fn past_sessions_are_sorted_in_both_directions() {
    let pages = Pages::of(day());
    let usual = pages.shows("/sessions?tunnel=SSTP&columns=began,state,duration");
    assert_eq!(numbers(&usual), "4 3 2 1");
    assert!(usual.html.contains("<th scope=\"col\" aria-sort=\"descending\"><a"), "{}", usual.html);
    // A link in the head sorts and keeps the search and the columns; the same one again turns the order round.
    let by_user = pages.shows(&usual.link("user"));
    assert_eq!(numbers(&by_user), "4 1 2 3");
    assert!(
        by_user
            .html
            .contains(r#"aria-sort="ascending"><a href="/sessions?tunnel=SSTP&amp;sort=-user&amp;columns=began"#)
    );
    assert!(by_user.html.contains(r#"<input type="hidden" name="sort" value="user">"#), "the form keeps it");
    assert_eq!(numbers(&pages.shows(&by_user.link("user"))), "3 2 1 4");
    for (order, expected) in [
        ("-began", "1 2 3 4"),
        ("ended", "4 3 2 1"),
        ("-ended", "1 2 3 4"),
        ("duration", "4 3 2 1"),
        ("-duration", "1 2 3 4"),
        ("user", "4 1 2 3"),
    ] {
        assert_eq!(numbers(&pages.shows(&format!("/sessions?sort={order}"))), expected, "{order}");
        assert_eq!(numbers(&pages.shows(&format!("/sessions?q=203.0.113.9&sort={order}"))), expected, "{order}");
    }
    let sorted = pages.shows("/sessions?sort=duration");
    assert!(!sorted.html.contains("data-live"), "it does not follow what happens");
    sorted.says("4 sessions in all");
    assert_eq!(numbers(&pages.shows("/sessions?sort=heard")), "4 3 2 1", "the form was sent without live");
    pages.refuses("/sessions?sort=shoes", "there is no order shoes");
}

#[test]
fn a_sorted_list_has_pages_that_begin_after_a_session() {
    let scene = Scene::new(CONFIG);
    for number in 1..=120 {
        visit(&scene, number, &format!("user{:03}", number * 7 % 120), 60 + i64::try_from(number * 11 % 120).unwrap());
    }
    let pages = Pages::of(scene);
    let all = |address: &str| {
        let mut page = pages.shows(address);
        let mut found = numbers(&page);
        let mut count = 1;
        while page.html.contains("Next page") {
            page = pages.shows(&page.link("Next page"));
            assert_eq!(page.link("First page"), address);
            found = format!("{found} {}", numbers(&page));
            count += 1;
        }
        assert_eq!(count, 3, "{address}");
        found.split(' ').map(|number| number.parse::<u64>().unwrap()).collect::<Vec<_>>()
    };
    let mut by_duration: Vec<u64> = (1..=120).collect();
    by_duration.sort_by_key(|number| number * 11 % 120);
    assert_eq!(all("/sessions?sort=-duration"), by_duration);
    by_duration.reverse();
    assert_eq!(all("/sessions?sort=duration"), by_duration);
    let mut by_user: Vec<u64> = (1..=120).collect();
    by_user.sort_by_key(|number| number * 7 % 120);
    // By the index, and sorted by the dashboard itself.
    assert_eq!(all("/sessions?sort=user"), by_user);
    assert_eq!(all("/sessions?tunnel=SSTP&sort=user"), by_user);
    by_user.reverse();
    assert_eq!(all("/sessions?sort=-user"), by_user);
    assert_eq!(all("/sessions?sort=-began"), (1..=120).collect::<Vec<_>>());
    // A session that was deleted meanwhile: its end says where the next page begins.
    let next = pages.shows("/sessions?sort=ended").link("Next page");
    let gone = next.rsplit('-').next().unwrap().to_owned();
    let expected = numbers(&pages.shows(&next));
    let ledger = rusqlite::Connection::open(&pages.scene.config.ledger).unwrap();
    ledger.execute("DELETE FROM sessions WHERE id = ?1", [&gone]).unwrap();
    assert_eq!(numbers(&pages.shows(&next)), expected);
    let next = next.replace("sort=ended", "sort=user");
    pages.refuses(&next, "the ledger no longer has the session");
    pages.refuses(&next.replace("sort=user", "tunnel=SSTP&sort=user"), "the ledger no longer has the session");
}

#[test]
fn too_many_sessions_are_not_sorted_and_the_page_says_what_to_do() {
    let scene = Scene::new(CONFIG);
    visit(&scene, 1, "alice", 60);
    let pages = Pages::of(scene);
    let ledger = rusqlite::Connection::open(&pages.scene.config.ledger).unwrap();
    let columns: Vec<String> = ledger
        .prepare("SELECT name FROM pragma_table_info('sessions') WHERE name NOT IN ('id', 'acct_session_id', 'acct_start_time')")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let columns = columns.join(", ");
    let many = format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000)
         INSERT INTO sessions (acct_session_id, acct_start_time, {columns})
         SELECT 'key' || n, acct_start_time - n * 60000, {columns} FROM sessions, n WHERE id = 1"
    );
    assert_eq!(ledger.execute(&many, []).unwrap(), 20_000);
    let page = pages.shows("/sessions?sort=duration");
    page.says("More than 20,000 sessions match").does_not_say("No sessions match");
    assert_eq!(page.link("In the order of their begin"), "/sessions");
    assert!(page.link("the last 7 days").starts_with("/sessions?since="), "{}", page.html);
    // Their indexes serve these; a shorter time leaves few enough.
    for address in [
        "/sessions?sort=user",
        "/sessions?sort=-began",
        "/sessions?tunnel=SSTP&sort=user",
        "/sessions?user=alice&sort=-began",
    ] {
        pages.shows(address).says(r"CORP\ALICE").does_not_say("sessions in all");
    }
    pages.shows("/sessions?sort=duration&since=2026-11-20T00:00").says("sessions in all");
    let answer = pages.get("/api/v1/sessions?sort=-duration");
    assert_eq!(answer.status, 400);
    assert!(answer.html.contains("ask for a user or a shorter time"), "{}", answer.html);
    assert_eq!(pages.get("/api/v1/sessions?sort=-duration&since=2026-11-20T00:00:00Z").status, 200);
}

#[test]
fn a_page_goes_on_after_a_session_that_has_ended_meanwhile() {
    let pages = Pages::of(day());
    // Alice's first session ended before: the list of those who are connected does not have it.
    let rest = pages.shows("/sessions?live=1&sort=user&after=0-1");
    assert_eq!(numbers(&rest), "2 3", "those of alice and bob");
    assert_eq!(numbers(&pages.shows("/sessions?live=1&sort=-user&after=0-1")), "4", "that of <SCRIPT>");
    pages.refuses("/sessions?live=1&sort=user&after=0-99", "the ledger no longer has the session");
}

#[test]
fn an_ipv6_address_on_the_tunnel_is_found() {
    let scene = day();
    let pages = Pages::of(scene);
    let statement = "UPDATE sessions SET framed_interface_id = '::1:0:0:5' WHERE id = 3";
    rusqlite::Connection::open(&pages.scene.config.ledger).unwrap().execute(statement, []).unwrap();
    for typed in ["::1:0:0:5", "2001:db8:20::1:0:0:5"] {
        pages.shows(&format!("/sessions?q={typed}")).says(r"CORP\BOB").does_not_say(r"CORP\ALICE");
    }
}

#[test]
fn what_a_client_left_behind_is_marked() {
    let scene = Scene::new(CONFIG);
    for handle in [1, 2] {
        scene.connect(&connection(handle, "alice").with(|event| event.computer = "LAPTOP-7".into()));
        scene.link(handle, &format!("VPN0-{handle}"), Tunnel::Sstp);
        scene.wait(60);
    }
    let pages = Pages::of(scene);
    for address in ["/sessions?live=1", "/users/alice"] {
        let page = pages.shows(address);
        assert_eq!(page.html.matches(">replaced</span>").count(), 1, "{}", page.text());
    }
    pages.shows("/sessions/1").says("connected replaced").says("the client came back in another session");
    pages.shows("/sessions/2").does_not_say("replaced");
}

#[test]
fn figures_that_are_not_exact_are_marked_in_the_list() {
    let pages = Pages::of(day());
    let statement =
        "UPDATE sessions SET octets_are = 'lower bound', acct_input_octets = 5, acct_output_octets = 7, estimated = 1
         WHERE id = 1";
    rusqlite::Connection::open(&pages.scene.config.ledger).unwrap().execute(statement, []).unwrap();
    pages.shows("/sessions?q=alice").says(">= 5 B >= 7 B").says("~1h 00m");
}

#[test]
fn a_list_of_nobody_says_that_nobody_is_connected() {
    let scene = Scene::new(CONFIG);
    visit(&scene, 1, "alice", 60);
    let pages = Pages::of(scene);
    pages.shows("/sessions?live=1").says("Nobody is connected");
    pages.shows("/sessions?live=1&tunnel=L2TP").says("No sessions match");
}

#[test]
fn the_story_says_where_a_client_has_moved_to() {
    let rule = "[[rules]]\nname = 'not from the café'\naction = 'deny'\nsource_networks = ['198.51.100.0/24']\nreason = 'ask first'\n";
    let scene = Scene::new(&format!("{CONFIG}{rule}"));
    scene.begin(1, "alice", "VPN0-1").unwrap();
    let moves = |to: &str| {
        scene.wait(60);
        let moved = connection(1, "alice").with(|event| event.source = to.into());
        scene.recorder.endpoint_change(&moved, scene.now())
    };
    assert_eq!(moves("203.0.113.77"), Verdict::Accept);
    assert_ne!(moves("198.51.100.7"), Verdict::Accept);
    let page = Pages::of(scene).shows("/sessions/1");
    let story = page.text();
    let places = [
        "link up on",
        "endpoint change to 203.0.113.77: allowed by (default)",
        "endpoint change to 198.51.100.7: denied by not from the café: ask first",
    ]
    .map(|line| story.find(line).unwrap_or_else(|| panic!("{line}: {story}")));
    assert!(places.is_sorted(), "in this order: {story}");
    // Only a move has led anywhere.
    page.does_not_say("connection to").does_not_say("link to");
    assert_eq!(page.html.matches("<li class=\"is-denied\">").count(), 1, "{}", page.html);
}
