//! A headless Chromium, driven by its DevTools protocol over a pipe: JSON messages that end in NUL.
//!
//! The pipe needs no port, and the browser ends when the test process does, however that ends.
#![allow(dead_code)] // Each test file uses a part.

mod audit;
mod input;
mod page;
mod pipe;

pub use page::Page;

use pipe::Pipe;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Far more than any wait in these tests takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// Debian's. The `chromium` in PATH is a script that writes to its own error output.
const CHROMIUM: &str = "/usr/lib/chromium/chromium";

/// How it starts: without a window, without anything that it does by itself, and with the same picture everywhere.
const OPTIONS: [&str; 19] = [
    "--headless",
    // Its sandbox does not work for root or in a container. It opens only pages of these tests.
    "--no-sandbox",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-default-apps",
    "--mute-audio",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    "--ignore-certificate-errors",
    // Each Chromium has this one. The parts of fields for times follow it.
    "--lang=en-US",
    // A page that is not in front is live as well.
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
];

/// The browser. One is enough for many pages.
pub struct Browser {
    child: Child,
    pipe: Option<Pipe>,
    calls: u64,
    /// The events of each page.
    events: HashMap<String, Vec<Value>>,
    folder: tempfile::TempDir,
}

impl Browser {
    pub fn launch() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = std::env::var_os("RASADMIN_BROWSER").map_or_else(|| CHROMIUM.into(), PathBuf::from);
        assert!(
            program.is_file(),
            "{} is missing: install the package chromium (`cargo xtask test` does), or name another Chromium or Chrome with \
             RASADMIN_BROWSER",
            program.display()
        );
        let said = std::fs::File::create(folder.path().join("said")).unwrap();
        // It reads messages from descriptor 3 and writes them to 4. The shell moves its standard input and output there.
        let mut child = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#])
            .arg(program)
            .args(OPTIONS)
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(said)
            .spawn()
            .unwrap();
        let pipe = Pipe::new(child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, pipe: Some(pipe), calls: 0, events: HashMap::new(), folder }
    }

    /// A page with cookies and storage of its own.
    pub fn page(&mut self) -> Page<'_> {
        let context =
            self.ask("Target.createBrowserContext", json!({ "disposeOnDetach": true }))["browserContextId"].take();
        let target = json!({ "url": "about:blank", "browserContextId": context });
        let target = self.ask("Target.createTarget", target)["targetId"].take();
        let session = self.ask("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        Page::new(self, session["sessionId"].as_str().unwrap().to_owned(), context)
    }

    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.call(None, method, parameters).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Calls a method, of a page or of the browser. Events that come meanwhile are kept.
    fn call(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Result<Value, String> {
        let number = self.send(session, method, parameters)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let Some(mut answer) = self.receive(deadline)? else {
                return Err(format!("{method}: no answer in {PATIENCE:?}\n{}", self.said()));
            };
            if answer["id"] == number {
                return match answer.get("error") {
                    Some(error) => Err(format!("{method}: {error}")),
                    None => Ok(answer["result"].take()),
                };
            }
        }
    }

    fn send(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Result<u64, String> {
        self.calls += 1;
        let mut message = json!({ "id": self.calls, "method": method, "params": parameters });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let sent = self.pipe.as_mut().unwrap().send(&message);
        sent.map(|()| self.calls).map_err(|error| format!("{method}: {error}\n{}", self.said()))
    }

    /// Waits for one message. An answer is returned, and an event is kept; None if nothing came.
    fn receive(&mut self, deadline: Instant) -> Result<Option<Value>, String> {
        let message = self.pipe.as_ref().unwrap().receive(deadline);
        let Some(message) = message.map_err(|()| format!("the browser is gone\n{}", self.said()))? else {
            return Ok(None);
        };
        if message.get("id").is_some() {
            return Ok(Some(message));
        }
        let session = message["sessionId"].as_str().unwrap_or_default().to_owned();
        if message["method"] == "Page.javascriptDialogOpening" {
            // Until somebody answers it, the page answers nothing.
            self.send(Some(&session), "Page.handleJavaScriptDialog", json!({ "accept": false }))?;
        }
        self.events.entry(session).or_default().push(message);
        Ok(Some(Value::Null))
    }

    /// The end of what it has written to its error output.
    fn said(&self) -> String {
        let said = std::fs::read_to_string(self.folder.path().join("said")).unwrap_or_default();
        let lines: Vec<_> = said.lines().collect();
        lines[lines.len().saturating_sub(20)..].iter().fold(String::new(), |mut text, line| {
            writeln!(text, "  {line}").unwrap();
            text
        })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.send(None, "Browser.close", json!({}));
        // The end of its input ends it too.
        self.pipe = None;
        let deadline = Instant::now() + Duration::from_secs(10);
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// axe-core, which finds what keeps people from using a page.
pub fn axe() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/axe/axe.min.js");
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}: run `cargo xtask axe` (`cargo xtask test` does)", path.display()))
}
