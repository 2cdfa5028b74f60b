//! The dashboard's API, asked by schemathesis: it makes requests from the document that the dashboard serves, valid ones and
//! others, and compares the answers with what the document says.
#![cfg(unix)] // It is fetched for Linux.
#![allow(clippy::unwrap_used)]

mod browser;
#[allow(dead_code)]
#[path = "support/dashboard.rs"]
mod dashboard;
mod support;

use dashboard::Played;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{PATIENCE, office_day, rasadmin, root, words};

/// How many requests it makes for a path, at most. More find more, and take longer: this is about a minute.
const EXAMPLES: &str = "15";

/// The service beside a day that was played: without one, there are no metrics.
struct Service(Child);

impl Service {
    fn beside(day: &Played) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
        command.args(words([&"service", &"run", &"--config", &day.config()]));
        command.env("RASADMIN_CLOCK", day.clock()).env("RASADMIN_SYSTEM_LOG", "off");
        let service = Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let deadline = Instant::now() + PATIENCE;
        while rasadmin(words([&"metrics", &"--config", &day.config()])).code != Some(0) {
            assert!(Instant::now() < deadline, "the service does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        service
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn every_answer_is_as_the_document_says() {
    let program = root().join("target/tools/schemathesis/bin/schemathesis");
    assert!(program.exists(), "run `cargo xtask schemathesis` (`cargo xtask test` does)");
    let config = std::fs::read_to_string(root().join("examples/office-day.toml")).unwrap();
    let day = Played::until("13:30:00", &config, &std::fs::read_to_string(office_day()).unwrap());
    let mut add = words([&"dashboard", &"token", &"add", &"schemathesis", &"--config", &day.config()]);
    // Its changes are made: they hit whom they hit.
    add.extend(words([&"--role", &"operator"]));
    let made = rasadmin(add).ends(0);
    let _service = Service::beside(&day);
    let dashboard = day.serve();

    let mut command = Command::new(program);
    command.arg("--config-file").arg(root().join("crates/rasadmin-cli/tests/schemathesis.toml"));
    command.args(["run", &dashboard.url("/api/v1/openapi.json"), "--checks", "all", "--max-examples", EXAMPLES]);
    command.args(["--header", &format!("Authorization: Bearer {}", made.stdout.trim())]);
    command.args(["--no-color", "--generation-database", "none"]);
    // It writes files where it runs.
    let ran = command.current_dir(day.config().parent().unwrap()).output().unwrap();
    let (said, complained) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{said}\n{complained}");
    // It warns that made-up sessions do not exist, and that it finds few requests of changes that are valid.
    let cases = said.lines().find(|line| line.contains(" generated, ")).unwrap_or_else(|| panic!("no cases: {said}"));
    assert!(cases.contains(" passed") && !said.contains('❌'), "{said}");
}
