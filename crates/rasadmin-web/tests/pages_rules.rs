//! The pages that ask the rasadmin service: would a user get in, and what if the rules were others.
#![allow(clippy::unwrap_used)]

mod played;

use axum::http::StatusCode;
use played::{CONFIG, HOSTILE, Page, Pages, Scene, visit};
use rasadmin_journal::{ServiceLock, Taken};
use rasadmin_policy::Name;
use rasadmin_service::{Current, Log, Service, Settings, duties};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Far more than any of this takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// The pages, and the service beside them. It stops with this.
struct Beside {
    pages: Pages,
    service: Option<Service>,
}

impl Beside {
    fn of(pages: Pages) -> Self {
        let config = &pages.scene.config;
        let settings = Arc::new(Settings::of(config, &Name::new("VPN1")));
        let Taken::Ours(lock, _) = ServiceLock::take(&settings.journal).unwrap() else { panic!("another service") };
        let all = duties(&settings, &Arc::new(Current::new(config.clone())), None);
        let log = Arc::new(Log::new(None, |_: &str| ()));
        let beside = Self { service: Some(Service::start(&settings, lock, all, 1, &log).unwrap()), pages };
        // The pipe is open.
        beside.until("/rules/explain?user=alice", |page| page.status == StatusCode::OK);
        beside
    }

    /// Waits until a page is so.
    #[track_caller]
    fn until(&self, address: &str, is: impl Fn(&Page) -> bool) -> Page {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let page = self.pages.get(address);
            if is(&page) {
                return page;
            }
            assert!(Instant::now() < deadline, "{}", page.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Tries a candidate, and waits for the result.
    #[track_caller]
    fn tries(&self, candidate: &str) -> (String, Page) {
        let begun = self.pages.post("/rules/what-if", &[("csrf", "token"), ("configuration", candidate)]);
        assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text());
        let address = begun.headers["location"].to_str().unwrap().to_owned();
        let page = self.until(&address, |page| !page.html.contains("data-every"));
        page.is_sound();
        (address, page)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(service) = self.service.take() {
            service.stop();
        }
    }
}

/// Three sessions by SSTP; mallory is denied.
fn scene() -> Scene {
    let scene = Scene::new(CONFIG);
    for (handle, user) in (1..).zip(["alice", "bob", "alice"]) {
        visit(&scene, handle, user, 60);
    }
    scene.begin(4, "mallory", "VPN0-4").unwrap_err();
    scene
}

#[test]
fn a_question_is_answered_with_the_verdict_the_tunnels_and_each_rule() {
    let beside = Beside::of(Pages::of(scene()));
    let page = beside.pages.shows("/rules/explain?user=alice&source=203.0.113.9");
    page.says(r"CORP\ALICE would be let in, with every tunnel, now.")
        .says("Not given, so counted as absent: computer, port.")
        .says("SSTP let in (default) link");
    assert_eq!(page.link(r"CORP\ALICE"), "/users/CORP%5CALICE");
    page.says("RRAS asks about the connection: allowed Allowed by the default.")
        .says("Not Mallorydoes not match: users: wanted mallory, found CORP\\ALICE")
        .says("Address: 10.8.0.1, from the pool staff");
    assert_eq!(page.link("Two each"), "/rules#rule-Two_20each");
    let one = page.link("SSTP");
    assert_eq!(one, "/rules/explain?user=alice&tunnel=SSTP&source=203.0.113.9");
    beside.pages.shows(&one).says("would be let in, now.").does_not_say("with every tunnel");
    page.does_not_say("check the name");
    beside.pages.shows("/rules/explain?user=mallori").says("not even a refused one: check the name");
    let denied = beside
        .pages
        .shows("/rules/explain?user=CORP%5Cmallory&tunnel=SSTP&at=2026-11-23T20:00&computer=PC-7&port=VPN2-7");
    denied
        .says(r"CORP\MALLORY would be denied, at 2026-11-23 20:00 (UTC).")
        .says("this user is banned")
        .says("RRAS asks about the IPv4 address: denied Denied by the rule Not Mallory: this user is banned.")
        .does_not_say("RRAS asks about the link");
    assert!(denied.html.contains(r#"<li aria-current="true"><span class="name"><a href="/rules#rule-Not_20Mallory">"#));
    // What was asked stays in the form, and a stranger's name is text.
    assert!(denied.html.contains(r#"name="user" value="CORP\mallory""#), "{}", denied.html);
    // The service refuses names with control characters.
    let hostile = HOSTILE.replace('\u{1b}', "");
    let hostile: String = hostile.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let page = beside.pages.get(&format!("/rules/explain?user={hostile}"));
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let answer = page.html.split("class=\"card answer\"").nth(1).unwrap();
    assert!(answer.contains("&lt;SCRIPT&gt;ALERT'"), "{answer}");
    assert!(!answer.contains('\u{202e}') && !page.html.contains("<script>"), "{answer}");
}

#[test]
fn what_cannot_be_asked_is_refused_beside_the_form() {
    let pages = Pages::of(scene());
    for (query, says) in [
        ("user=a&source=everywhere", "`everywhere` is not an address. Write one like 203.0.113.9"),
        ("user=a&at=soon", "`soon` is not a time"),
        ("user=a&tunnel=GRE", "There is no tunnel `GRE`"),
        ("user=a&quarantine=x", "There is no quarantine state `x`. Choose one of `normal`"),
    ] {
        let page = pages.get(&format!("/rules/explain?{query}"));
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        page.says(&says.replace('`', "")).says("Explain");
        assert!(page.html.contains(r#"name="user" value="a""#), "the form is kept: {}", page.html);
    }
    pages.shows("/rules/explain").says("Nothing is changed, and nobody is connected.").does_not_say("would be");
}

#[test]
fn without_the_service_the_pages_say_how_to_start_it() {
    let pages = Pages::of_operator(scene());
    let page = pages.get("/rules/explain?user=alice");
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    page.says("no rasadmin service answers there").says("Start the service");
    pages.shows("/rules/what-if").says("no rasadmin service answers there").says("Not Mallory");
    let tried = pages.post("/rules/what-if", &[("csrf", "token"), ("configuration", "# mine")]);
    assert_eq!(tried.status, StatusCode::SERVICE_UNAVAILABLE);
    tried.says("Start the service").says("# mine");
}

#[test]
fn a_candidate_is_tried_on_the_past() {
    let beside = Beside::of(Pages::of_operator(scene()));
    let form = beside.pages.shows("/rules/what-if");
    form.says("Not Mallory").says("Try it");
    let banned = CONFIG.replace("users = [\"mallory\"]", "users = [\"alice\"]");
    let (address, page) = beside.tries(&banned);
    page.says("Of 4 attempts, 3 would be decided differently.")
        .says("Let in, would be denied 2 of 3 that were let in")
        .says("Denied, would be let in 1 of 1 that were denied")
        .says("Not Mallory this user is banned 2 0 1 ")
        .says("(default) – 0 1 1 ")
        .says(r"CORP\ALICE 2 0 2");
    assert_eq!(page.link(r"CORP\ALICE"), "/users/CORP%5CALICE");
    assert_eq!(page.link("Not Mallory"), "/rules#rule-Not_20Mallory");
    // The candidate can be changed and tried again.
    let again = beside.pages.shows(&page.link("Change this candidate"));
    assert!(again.html.contains("users = [&quot;alice&quot;]"), "{}", again.html);
    let (_, same) = beside.tries(CONFIG);
    same.says("No change: 4 attempts would be decided as they were.").does_not_say("By user");
    same.does_not_say("The new rule");
    let more = format!("{CONFIG}\n[[rules]]\nname = \"Not Zoe\"\naction = \"deny\"\nusers = [\"zoe\"]\n");
    beside.tries(&more).1.says("No change").says("The new rule Not Zoe decided none of them");
    // It has made room for the next one.
    let gone = beside.pages.get(&address);
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    gone.says("Begin another one");
    assert_eq!(beside.pages.get("/rules/what-if/x").status, StatusCode::NOT_FOUND);
}

#[test]
fn a_candidates_mistakes_are_shown_at_their_lines_and_the_text_is_kept() {
    let beside = Beside::of(Pages::of_operator(scene()));
    let candidate = CONFIG.replace(
        "action = \"deny\"\nusers = [\"mallory\"]",
        "action = \"denie\"\r\nusers = [\"mallory\"]\r\ncolour = 1",
    );
    let page = beside.pages.post("/rules/what-if", &[("csrf", "token"), ("configuration", &candidate)]);
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text());
    page.is_sound();
    page.says("it was not tried").says("denie").says("colour = 1");
    let (line, _) = candidate.lines().enumerate().find(|(_, line)| line.contains("colour")).unwrap();
    let item = format!("<li value=\"{}\"><code>colour = 1</code><p class=\"error\">", line + 1);
    assert!(page.html.contains(&item), "{item}: {}", page.html);
    let kept = page.html.split("<textarea").nth(1).unwrap().split("</textarea>").next().unwrap();
    assert!(kept.contains("colour = 1") && kept.contains("[[reservations]]"), "{kept}");
}

/// So many attempts, and rules, that it is still in the middle when it is stopped.
#[test]
fn a_simulation_shows_its_progress_and_is_stopped() {
    let scene = Scene::new(CONFIG);
    visit(&scene, 1, "alice", 60);
    let pages = Pages::of_operator(scene);
    let ledger = rusqlite::Connection::open(&pages.scene.config.ledger).unwrap();
    let columns: Vec<String> = ledger
        .prepare("SELECT name FROM pragma_table_info('sessions') WHERE name NOT IN ('id', 'acct_session_id')")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let columns = columns.join(", ");
    ledger
        .execute_batch(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
             INSERT INTO sessions (acct_session_id, {columns}) SELECT printf('%032x', i), {columns} FROM sessions, n WHERE sessions.id = 1"
        ))
        .unwrap();
    drop(ledger);
    let beside = Beside::of(pages);
    let rules: String = (0..800).map(|n| format!("[[rules]]\nname='{n}'\naction='allow'\nusers=['x{n}']\n")).collect();
    let candidate = format!("default_domain = 'CORP'\ndefault.action = 'deny'\n{rules}");
    let begun = beside.pages.post("/rules/what-if", &[("csrf", "token"), ("configuration", &candidate)]);
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text());
    let address = begun.headers["location"].to_str().unwrap().to_owned();
    let page = beside.pages.shows(&address);
    page.says("Running").says("Stop");
    assert!(
        page.html.contains(&format!(r#"<div class="result" id="live" data-live="{address}" data-every="1000">"#)),
        "{}",
        page.html
    );
    // Another one must wait, and the page leads to this one.
    let other = beside.pages.post("/rules/what-if", &[("csrf", "token"), ("configuration", CONFIG)]);
    assert_eq!(other.status, StatusCode::CONFLICT);
    assert_eq!(other.link("The simulation that was begun here last"), address);
    let stopped = beside.pages.post(&format!("{address}/stop"), &[("csrf", "token")]);
    assert_eq!((stopped.status, stopped.headers["location"].to_str().unwrap()), (StatusCode::SEE_OTHER, &*address));
    let end = beside.until(&address, |page| !page.html.contains("data-every"));
    end.says("It was stopped").says("has stopped it");
}

#[test]
fn viewers_may_ask_but_not_try_other_rules() {
    let pages = Pages::of(scene());
    for page in [
        pages.get("/rules/what-if"),
        pages.get("/rules/what-if/1"),
        pages.post("/rules/what-if", &[("csrf", "token"), ("configuration", "")]),
        pages.post("/rules/what-if/1/stop", &[("csrf", "token")]),
    ] {
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        page.says("Only operators may try other rules").does_not_say("Not Mallory");
    }
    pages.shows("/rules").says("Not Mallory denies").does_not_say("Try other rules");
    Pages::of_operator(scene()).shows("/rules").says("Try other rules");
}

#[test]
fn an_empty_candidate_is_refused_with_a_remedy() {
    let pages = Pages::of_operator(scene());
    let page = pages.post("/rules/what-if", &[("csrf", "token"), ("configuration", " ")]);
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    page.says("The candidate is empty").says("choose Reset");
}

#[test]
fn the_names_of_rules_lead_to_their_place_on_the_page() {
    let pages = Pages::of(scene());
    let here = "/rules#rule-Not_20Mallory";
    assert_eq!(pages.shows("/reports?month=2026-11&by=rule").link("Not Mallory"), here);
    let denials = pages.shows("/decisions?user=mallory");
    let number = denials.html.split("/decisions/").nth(1).unwrap().split('"').next().unwrap();
    let decision = pages.shows(&format!("/decisions/{number}"));
    assert_eq!((decision.link("Not Mallory"), decision.link("(default)")), (here.into(), "/rules#default".into()));
    assert_eq!(pages.shows("/users/CORP%5CALICE").link("Two each"), "/rules#rule-Two_20each");
    let rules = pages.shows("/rules").html;
    for place in ["rule-Not_20Mallory", "rule-Two_20each", "default"] {
        assert!(rules.contains(&format!("id=\"{place}\"")), "{place}: {rules}");
    }
}
