//! The login in a browser.
#![cfg(unix)] // The browser is a Linux program.
#![allow(clippy::unwrap_used)]

mod browser;
#[allow(dead_code)] // This file uses a part.
#[path = "support/dashboard.rs"]
mod dashboard;
#[allow(dead_code)]
#[path = "support/forms.rs"]
mod forms;
#[allow(dead_code)]
#[path = "support/sound.rs"]
mod sound;
mod support;

use browser::{Browser, axe};
use dashboard::Played;
use forms::{fill, send};
use sound::faults;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use support::words;

const CONFIG: &str =
    "time_zone = \"UTC\"\ndefault_domain = \"CORP\"\ndefault.action = \"allow\"\nserver.name = \"VPN1\"\n";

const ONE: &str = "\
server VPN1
day 2026-11-23T00:00:00Z
server-address 10.20.0.1
pool 10.20.0.2-10.20.0.254
08:00:00 connect alice user=alice tunnel=sstp from=203.0.113.1 computer=PC-1 received=1000 until=09:00:00
";

const PASSWORD: &str = "correct horse battery";

/// Adds a user of the dashboard.
fn add_user(config: &Path, name: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
    command.args(words([&"dashboard", &"user", &"add", &name, &"--config", &config]));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// A page that was asked for without a login leads to the form. A wrong password is said, and nothing but the password must be
/// typed again; the right one leads to the page.
#[test]
fn a_login_leads_to_the_page_that_was_asked_for() {
    let day = Played::until("08:30:00", CONFIG, ONE);
    add_user(&day.config(), "anna");
    let (dashboard, mut browser) = (day.serve(), Browser::launch());
    let mut page = browser.page();
    for (scheme, width) in [("light", 1440), ("light", 3840), ("dark", 1440), ("dark", 360), ("light", 360)] {
        page.viewport(width, 900);
        page.scheme(scheme);
        page.goto(&dashboard.url("/sessions?user=alice"));
        assert_eq!(page.text("location.pathname"), "/login");
        let faults = faults(&mut page, &dashboard.address, &axe());
        assert_eq!(faults, <[String; 0]>::default(), "{scheme}, {width} px");
        assert!(!page.shown().contains("ALICE"), "{}", page.shown());
    }
    // The cursor is where a person begins to type.
    page.wait("document.activeElement.id === 'name'");
    page.type_text("anna");
    fill(&mut page, "#password", "wrong horse battery");
    send(&mut page, "form[action='/login']");
    assert_eq!(page.text("document.querySelector('[role=alert]').innerText"), "The name or the password is wrong.");
    assert_eq!(page.text("document.getElementById('name').value"), "anna");
    assert_eq!(page.text("document.getElementById('password').value"), "");
    // The browser's own word about the answer's status is not a fault of the page.
    let errors = page.errors();
    assert!(errors.len() == 1 && errors[0].contains("403"), "{errors:?}");
    for (scheme, width) in [("light", 1440), ("dark", 360)] {
        page.viewport(width, 900);
        page.scheme(scheme);
        assert_eq!(page.barriers(&axe()), <[String; 0]>::default());
        assert_eq!(page.overhang().0, 0);
    }
    page.wait("document.activeElement.id === 'password'");
    page.type_text(PASSWORD);
    page.follows(|page| page.press("Enter"));
    assert_eq!(page.text("location.pathname + location.search"), "/sessions?user=alice");
    let shown = page.shown();
    assert!(shown.contains(r"CORP\ALICE") && !shown.contains("Log in"), "{shown}");
    assert_eq!(page.text("document.querySelector('form.visitor .who').textContent"), "anna");
    assert_eq!(faults(&mut page, &dashboard.address, &axe()), <[String; 0]>::default());
}
