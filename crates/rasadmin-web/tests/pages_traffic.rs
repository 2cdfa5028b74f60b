//! The octets of a session over time, on its page and in the API.
#![allow(clippy::unwrap_used)]

mod played;

use played::{MONDAY, Pages, Scene, day, visit};
use rasadmin_engine::{Id, Mono};
use rasadmin_ledger::OctetsSample;
use rasadmin_ledger::sqlite::{Create, Sqlite};
use rasadmin_service::live_table::{LiveSession, LiveTable, LiveTableFile};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const MINUTE: i64 = 60_000;

/// The number of bob's session, and the key by which the service knows it.
const BOB: i64 = 3;

fn bob(scene: &Scene) -> Id {
    scene.present().by_handle(3).unwrap().id
}

/// The service has seen bob at these minutes after ten o'clock, when he connected: octets received and sent.
fn sampled(samples: &[(i64, [u64; 2])]) -> Pages {
    let pages = Pages::of(day());
    let session = bob(&pages.scene);
    let of =
        |(minute, octets): &(i64, _)| OctetsSample { session, time: MONDAY + (60 + minute) * MINUTE, octets: *octets };
    let samples: Vec<_> = samples.iter().map(of).collect();
    let soon = Instant::now() + Duration::from_secs(20);
    Sqlite::open(&pages.scene.config.ledger, Create::No, false, soon).unwrap().add_samples(&samples, soon).unwrap();
    pages
}

/// 10 Mbit/s for five minutes, a pause of ten, and the other way round.
const SAMPLES: [(i64, [u64; 2]); 3] = [(5, [375_000_000, 0]), (15, [375_000_000, 0]), (20, [375_000_000, 37_500_000])];

#[test]
fn traffic_is_drawn_as_rates_with_the_same_figures_as_a_table() {
    let page = sampled(&SAMPLES).shows(&format!("/sessions/{BOB}"));
    let from = page.html.find("Traffic over time").unwrap();
    let chart = &page.html[from..];
    assert_eq!(chart.matches(r#"<path class="rate "#).count(), 2, "{chart}");
    assert_eq!(chart.matches(r#"<rect class="hover""#).count(), 3, "one for each interval: {chart}");
    assert!(chart.contains("received 10.0 Mbit/s (357.6 MiB), sent 0 bit/s (0 B)</title>"), "{chart}");
    page.says("Mean rate, in Mbit/sreceivedsent")
        .says("The figures as a table time received rate sent rate")
        .says("10:00 to 10:05 357.6 MiB 10.0 Mbit/s 0 B 0 bit/s")
        .says("10:05 to 10:15 0 B 0 bit/s 0 B 0 bit/s")
        .says("0 B 0 bit/s 35.8 MiB 1.0 Mbit/s")
        .says("recorded about every five minutes while the rasadmin service monitors");
}

#[test]
fn the_last_look_at_a_live_session_and_the_end_of_a_past_one_are_the_last_values() {
    let pages = sampled(&SAMPLES);
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let seen = LiveSession { session: bob(&pages.scene), octets: [400_000_000, 37_500_000], exact: true, heard: None };
    let table = LiveTable { looked_at: now, sessions: vec![seen] };
    LiveTableFile::open(&pages.scene.config.journal).write(Mono(0), || table).unwrap();
    pages.shows(&format!("/sessions/{BOB}")).says("23.8 MiB");

    // Dora's hangup brings the rest.
    let scene = day();
    scene.begin(9, "dora", "VPN0-9").unwrap();
    let session = scene.present().by_handle(9).unwrap().id;
    let (pages, soon) = (Pages::of(scene), Instant::now() + Duration::from_secs(20));
    let time = pages.scene.now().at.time + 5 * MINUTE;
    let mut ledger = Sqlite::open(&pages.scene.config.ledger, Create::No, false, soon).unwrap();
    ledger.add_samples(&[OctetsSample { session, time, octets: [1, 2] }], soon).unwrap();
    let row = "SELECT id FROM sessions WHERE name = 'DORA'";
    let other = rusqlite::Connection::open(&pages.scene.config.ledger).unwrap();
    let number: i64 = other.query_row(row, [], |row| row.get(0)).unwrap();
    pages.scene.wait(600);
    pages.scene.end(9, "dora", "VPN0-9", "10.8.0.9");
    ledger.ingest(&pages.scene.config.journal, &rasadmin_engine::Name::new("VPN1"), &mut |_| {}).unwrap();
    let page = pages.shows(&format!("/sessions/{number}"));
    let rows = page.html.split("The figures as a table").nth(1).unwrap();
    assert_eq!(rows.matches("<tr>").count(), 3, "a head, and two intervals: {rows}");
}

#[test]
fn without_octets_over_time_the_page_says_why() {
    let scene = day();
    visit(&scene, 9, "dora", 10);
    let pages = Pages::of(scene);
    pages.shows("/sessions/1").says("There are no octets over time: the rasadmin service did not monitor this session");
    pages.shows(&format!("/sessions/{BOB}")).says("There are no octets over time yet.");
    let ledger = rusqlite::Connection::open(&pages.scene.config.ledger).unwrap();
    ledger.execute("UPDATE sessions SET imported = 'odbc' WHERE id = 1", []).unwrap();
    pages.shows("/sessions/1").says("the log that this session was imported from does not have them");
}

#[test]
fn the_api_has_the_sums_at_their_times() {
    let pages = sampled(&SAMPLES[..2]);
    let answer = pages.get(&format!("/api/v1/sessions/{BOB}/octets")).html;
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let first = serde_json::json!({ "time": answer[0]["time"], "input_octets": 375_000_000, "output_octets": 0 });
    assert_eq!((answer.as_array().unwrap().len(), &answer[0]), (2, &first));
    assert!(answer[0]["time"].as_str().unwrap().ends_with(":05:00Z"), "{answer}");
    assert_eq!(pages.get("/api/v1/sessions/1/octets").html, "[]");
    assert_eq!(pages.get("/api/v1/sessions/77/octets").status, 404);
}
