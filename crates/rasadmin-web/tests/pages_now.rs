//! The first page.
#![allow(clippy::unwrap_used)]

mod played;

use played::{Pages, day};

#[test]
fn it_says_how_each_part_is_and_what_to_do() {
    let pages = Pages::of(day());
    let page = pages.shows("/");
    page.says("Health DLL").says("Service: look at it does not answer").says("Journal: not known not known without");
    // Nobody brings anything in.
    page.says("DLL: not known version")
        .says("Ledger: not known last brought up to date")
        .says("Configuration: well valid, 3 rules");
    page.says("the rasadmin service does not answer").says("start the service: ");
    std::fs::write(pages.scene.folder.path().join("rasadmin.toml"), "default.action = 7\n").unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !pages.shows("/").text().contains("Configuration: look at it broken") {
        assert!(std::time::Instant::now() < deadline, "{}", pages.shows("/").text());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    pages.shows("/").says("the last good one is in force").says("run rasadmin config check");
    // Only operators see a line of the file.
    pages.shows("/rules").says("an earlier configuration is in force").says("Operators see here what is wrong");
    let status = pages.get("/api/v1/status").html;
    for shown in [pages.shows("/").html, pages.shows("/rules").html, status] {
        assert!(shown.contains("rasadmin.toml") && !shown.contains("default.action"), "{shown}");
    }
}

#[test]
fn an_operator_sees_what_is_wrong_with_the_configuration() {
    let pages = Pages::of_operator(day());
    std::fs::write(pages.scene.folder.path().join("rasadmin.toml"), "default.action = 7\n").unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !pages.shows("/rules").text().contains("default.action = 7") {
        assert!(std::time::Instant::now() < deadline, "{}", pages.shows("/rules").text());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn events_that_were_lost_need_attention() {
    let scene = day();
    let pages = Pages::of(scene);
    let statement = "INSERT INTO anomalies (effect, time, server, instance, what, details, lost) VALUES ('e', 1, 'VPN1', 1, 'lost', 'd', 7)";
    rusqlite::Connection::open(&pages.scene.config.ledger).unwrap().execute(statement, []).unwrap();
    let page = pages.shows("/");
    page.says("7 events were lost before they could be recorded").says("DLL: look at it");
    // Programs get the same lines.
    let status: serde_json::Value = serde_json::from_str(&pages.get("/api/v1/status").html).unwrap();
    let lines = status["attention"].as_array().unwrap();
    assert!(lines.iter().any(|line| line["what"].as_str().unwrap().starts_with("7 events were lost")), "{status}");
    let list = page.html.split(r#"<section class="attention""#).nth(1).unwrap().split("</section>").next().unwrap();
    assert_eq!(list.matches("<li>").count(), lines.len(), "{status}: {list}");
}
