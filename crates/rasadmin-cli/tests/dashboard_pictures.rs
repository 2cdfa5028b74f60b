//! The pictures of the dashboard in the documentation: of the office day at 13:30, with the service beside it.
//!
//! `cargo xtask screenshots` takes them again. Nobody compares pixels; but each picture shows a page that exists.
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
use browser::{Browser, Page};
use dashboard::{Dashboard, Played};
use std::path::PathBuf;
use support::{office_day, root};

/// What a picture may have.
const MOST: usize = 100_000;

/// Half past one in Berlin: the most are connected.
const NOON: &str = "12:30:00";

/// A picture: its name, the page, the link on that page which leads to what it shows, its size, and its colours.
struct Picture(&'static str, &'static str, Option<&'static str>, u32, u32, &'static str);

const PICTURES: [Picture; 14] = [
    Picture("now-light", "/", None, 1440, 1300, "light"),
    Picture("now-dark", "/", None, 1440, 1300, "dark"),
    Picture("now-phone", "/", None, 390, 1500, "dark"),
    Picture("sessions-light", "/sessions?live=1", None, 1440, 1000, "light"),
    Picture("sessions-phone", "/sessions", None, 390, 900, "light"),
    Picture("story-light", "/sessions?q=IGOR", Some("tbody tr:last-child a[href^='/sessions/']"), 1440, 1000, "light"),
    Picture("story-phone", "/sessions?q=IGOR", Some("tbody tr:last-child a[href^='/sessions/']"), 390, 1300, "dark"),
    Picture("decisions-dark", "/decisions", None, 1440, 1000, "dark"),
    Picture("decision-light", "/decisions?rule=no+PPTP", Some("tbody a[href^='/decisions/']"), 1440, 1000, "light"),
    Picture("user-light", "/users/CORP%5CIGOR", None, 1440, 1300, "light"),
    Picture("addresses-light", "/addresses?address=10.20.16.9&at=2026-11-23T12:30", None, 1440, 1000, "light"),
    Picture("rules-dark", "/rules", None, 1440, 1200, "dark"),
    Picture("rules-phone", "/rules", None, 390, 1300, "light"),
    Picture("reports-light", "/reports?by=rule", None, 1440, 1000, "light"),
];

fn folder() -> PathBuf {
    root().join("docs/images/dashboard")
}

impl Picture {
    fn path(&self) -> PathBuf {
        folder().join(format!("{}.webp", self.0))
    }

    /// Opens what it shows.
    fn open(&self, dashboard: &Dashboard, page: &mut Page<'_>) {
        let Self(name, address, link, width, _, scheme) = self;
        page.viewport(*width, 900);
        page.scheme(scheme);
        page.goto(&dashboard.url(address));
        if let Some(link) = link {
            let to = page.text(&format!("document.querySelector(\"{link}\")?.getAttribute('href') ?? ''"));
            assert!(to.starts_with('/'), "{name}: no link {link} on {address}");
            page.goto(&dashboard.url(&to));
        }
        page.wait_for("main h1");
        assert_eq!(page.errors(), <[String; 0]>::default(), "{name}");
        let title = page.text("document.title");
        assert!(!title.starts_with("Not available"), "{name}: {title}");
    }
}

#[test]
fn every_picture_shows_a_page_that_exists() {
    let config = std::fs::read_to_string(root().join("examples/office-day.toml")).unwrap();
    let day = std::fs::read_to_string(office_day()).unwrap();
    let mut browser = Browser::launch();
    if std::env::var_os("RASADMIN_TAKE_PICTURES").is_some() {
        return take(&config, &day, &mut browser);
    }
    let played = Played::until("13:30:00", &config, &day);
    let mut dashboard = played.serve();
    let mut page = dashboard.visit(&mut browser);
    for picture in &PICTURES {
        picture.open(&dashboard, &mut page);
        let bytes = std::fs::read(picture.path()).unwrap_or_default();
        assert_eq!(bytes.get(8..12), Some(&b"WEBP"[..]), "{}: run `cargo xtask screenshots`", picture.path().display());
        assert!(bytes.len() < MOST, "{}: {} bytes", picture.path().display(), bytes.len());
    }
    let known: Vec<_> = PICTURES.iter().map(Picture::path).collect();
    for file in std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path()) {
        assert!(known.contains(&file), "{} is none of the pictures", file.display());
    }
}

fn take(config: &str, scenario: &str, browser: &mut Browser) {
    let day = Day::at_speed(1200, config, scenario);
    let _service = day.service();
    day.play(NOON);
    std::fs::create_dir_all(folder()).unwrap();
    let mut dashboard = Dashboard::of(&day.config(), &day.kept().join("clock"));
    let mut page = dashboard.visit(browser);
    // The service has seen what happened last.
    page.wait("document.querySelector('.fine')");
    for picture in &PICTURES {
        picture.open(&dashboard, &mut page);
        std::fs::write(picture.path(), page.beginning(picture.4, MOST)).unwrap();
    }
}
