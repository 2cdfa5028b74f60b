//! The rules in a browser: what would "no L2TP" have done last month, over the office day, with the service beside it.
#![cfg(unix)] // The browser is a Linux program.
#![allow(clippy::unwrap_used)]

mod browser;
#[allow(dead_code)] // This file uses a part.
#[path = "support/dashboard.rs"]
mod dashboard;
#[allow(dead_code)]
#[path = "support/sound.rs"]
mod sound;
mod support;

use browser::{Browser, Page};
use dashboard::{Dashboard, Played};
use sound::is_sound;
use std::process::{Child, Command, Stdio};
use support::{PATIENCE, office_day, rasadmin, root, words};

/// The service beside a day that was played. It ends with this.
struct Service(Child);

impl Service {
    fn beside(day: &Played) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
        command.args(words([&"service", &"run", &"--config", &day.config()]));
        command.env("RASADMIN_CLOCK", day.clock()).env("RASADMIN_SYSTEM_LOG", "off");
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The page, once the service answers.
fn answered(page: &mut Page<'_>, dashboard: &Dashboard, path: &str) {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        page.goto(&dashboard.url(path));
        if page.eval("!document.querySelector('.attention')") == true {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{}", page.shown());
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

const RULE: &str = "[[rules]]\nname = \"no L2TP\"\naction = \"deny\"\ntunnels = [\"L2TP\"]\nreason = \"use SSTP\"\n\n";

#[test]
fn what_would_no_l2tp_have_done_last_month() {
    let config = std::fs::read_to_string(root().join("examples/office-day.toml")).unwrap();
    let day = Played::until("13:30:00", &config, &std::fs::read_to_string(office_day()).unwrap());
    let _service = Service::beside(&day);
    let (mut dashboard, mut browser) = (day.serve(), Browser::launch());
    let mut page = dashboard.visit(&mut browser);
    page.viewport(1440, 900);
    page.goto(&dashboard.url("/rules"));
    page.follows(|page| page.click("a[href='/rules/what-if']"));
    answered(&mut page, &dashboard, "/rules/what-if");

    // A mistake is shown at its line, and the text stays.
    let put_first = |rule: &str| {
        let rule = serde_json::to_string(rule).unwrap();
        format!(
            "(area => {{ area.value = area.value.replace('[[rules]]', () => {rule} + '[[rules]]'); }})(configuration)"
        )
    };
    page.eval(&put_first(&RULE.replace("deny", "denny")));
    page.follows(|page| page.click("form.card button[type=submit]"));
    page.wait_for(".mistakes .listing li p.error");
    assert_eq!(
        page.text("document.querySelector('.listing p.error').closest('li').querySelector('code').textContent"),
        "action = \"denny\""
    );
    // The browser's own word about the answer's status is not a fault of the page.
    page.eval("configuration.value = configuration.value.replace('denny', 'deny')");
    page.follows(|page| page.click("form.card button[type=submit]"));
    page.wait("document.querySelector('#live') && !document.querySelector('#live[data-every]')");
    assert!(page.text("location.pathname").starts_with("/rules/what-if/"));

    // The same as the command says.
    let candidate = day.config().with_file_name("candidate.toml");
    let text = std::fs::read_to_string(day.config()).unwrap();
    std::fs::write(&candidate, text.replacen("[[rules]]", &format!("{RULE}[[rules]]"), 1)).unwrap();
    let ledger = day.config().with_file_name("rasadmin.db");
    let replayed =
        rasadmin(words([&"replay", &"--config", &candidate, &"--ledger", &ledger, &"--json"])).ends(1).json();
    let report = &replayed["report"];
    let (denied, accepted) = (report["newly_refused"].as_u64().unwrap(), report["newly_accepted"].as_u64().unwrap());
    assert!(denied > 10, "{report}");
    let figures = page.eval("[...document.querySelectorAll('.figures-row dd:not(.sub)')].map(one => one.textContent)");
    assert_eq!(figures[0], denied.to_string());
    assert_eq!(figures[1], accepted.to_string());
    let shown = page.shown();
    for expected in [
        format!("{} would be decided differently", denied + accepted),
        "no L2TP".into(),
        "use SSTP".into(),
        r"CORP\KURT".into(),
    ] {
        assert!(shown.contains(&expected), "{expected}: {shown}");
    }
    is_sound(&mut page);

    // Why, for one of them: would they get in?
    answered(&mut page, &dashboard, "/rules/explain");
    page.eval("document.querySelector('[name=user]').value = 'philip'");
    page.follows(|page| page.click("form.question button[type=submit]"));
    page.wait_for(".verdict");
    assert!(
        page.text("document.querySelector('.verdict').textContent").contains(r"CORP\PHILIP would be"),
        "{}",
        page.shown()
    );
    is_sound(&mut page);
}

const ONE: &str = "\
server VPN1
day 2026-11-23T00:00:00Z
server-address 10.20.0.1
pool 10.20.0.2-10.20.0.254
08:00:00 connect alice user=alice tunnel=l2tp from=203.0.113.1 computer=PC-1 received=1000 until=08:30:00
";

/// Copies of the only session, so many that their simulation takes longer than a page.
fn many_sessions(ledger: &std::path::Path) {
    let ledger = rusqlite::Connection::open(ledger).unwrap();
    let columns: String = ledger
        .query_row(
            "SELECT group_concat(name, ', ') FROM pragma_table_info('sessions') WHERE name NOT IN ('id', 'acct_session_id')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let copy = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
         INSERT INTO sessions (acct_session_id, {columns}) SELECT printf('%032x', i), {columns} FROM sessions, n WHERE id = 1"
    );
    ledger.execute_batch(&copy).unwrap();
}

/// Without loading the page again.
#[test]
fn a_simulation_is_followed_until_its_result() {
    let config = "time_zone = \"UTC\"\ndefault_domain = \"CORP\"\ndefault.action = \"allow\"\nserver.name = \"VPN1\"\n";
    let day = Played::until("09:00:00", config, ONE);
    many_sessions(&day.config().with_file_name("rasadmin.db"));
    let _service = Service::beside(&day);
    let (mut dashboard, mut browser) = (day.serve(), Browser::launch());
    let mut page = dashboard.visit(&mut browser);
    answered(&mut page, &dashboard, "/rules/what-if");
    page.eval(&format!("configuration.value += {}", serde_json::to_string(&format!("\n{RULE}")).unwrap()));
    page.follows(|page| page.click("form.card button[type=submit]"));
    page.wait_for("#live[data-every]");
    page.eval("window.loadedOnce = true");
    page.wait("document.querySelector('#live:not([data-every])')");
    assert_eq!(page.eval("window.loadedOnce"), true, "it was not loaded again");
    let shown = page.shown();
    assert!(shown.contains("Of 40,001 attempts, 40,001 would be decided differently."), "{shown}");
    assert_eq!(page.text("getComputedStyle(document.querySelector('form.stop')).display"), "none");
    is_sound(&mut page);
}
