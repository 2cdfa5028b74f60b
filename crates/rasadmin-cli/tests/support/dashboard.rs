//! The dashboard of a day that was played, or is being played.

use crate::browser::{Browser, Page};
use crate::support::{PATIENCE, product, rasadmin, words};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

/// A day that was played at once. What happened until its end is in the ledger.
pub struct Played {
    folder: tempfile::TempDir,
}

impl Played {
    /// Plays a day until `time`, when RRAS dies: whoever is connected then is connected still.
    pub fn until(time: &str, config: &str, scenario: &str) -> Self {
        let played = Self { folder: tempfile::tempdir().unwrap() };
        let is_later = |line: &&str| line.starts_with(|c: char| c.is_ascii_digit()) && line.get(..8) > Some(time);
        let until: String =
            scenario.lines().take_while(|line| !is_later(line)).map(|line| format!("{line}\n")).collect();
        let path = |name: &str| played.folder.path().join(name);
        std::fs::write(path("given.toml"), config).unwrap();
        std::fs::write(path("day.scenario"), format!("{until}{time} kill\n")).unwrap();
        rasadmin(words([
            &"host",
            &"run",
            &"--keep",
            &path("kept"),
            &"--config",
            &path("given.toml"),
            &"--dll",
            &product(),
            &path("day.scenario"),
        ]))
        .ends(0);
        let day = scenario.lines().find_map(|line| line.strip_prefix("day ")).unwrap();
        let (date, zone) = (&day[..11], &day[19..]);
        std::fs::write(path("clock"), format!("{date}{time}{zone} 1000000000\n")).unwrap();
        played
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("kept/rasadmin.toml")
    }

    /// The file with the time of the end.
    pub fn clock(&self) -> PathBuf {
        self.folder.path().join("clock")
    }

    pub fn serve(&self) -> Dashboard {
        Dashboard::of(&self.config(), &self.clock())
    }
}

/// `rasadmin serve`, which ends with this.
pub struct Dashboard {
    child: Child,
    link: Option<String>,
    /// Such as `http://127.0.0.1:40123`.
    pub address: String,
}

impl Dashboard {
    pub fn of(config: &Path, clock: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
        command.args(words([&"serve", &"--config", &config, &"--listen", &"127.0.0.1:0", &"--open"]));
        command.env("RASADMIN_CLOCK", clock).env("RASADMIN_SYSTEM_LOG", "off");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, said) = channel();
        let streams: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    // Nobody reads on when the test has ended.
                    let _ = sender.send(line);
                }
            });
        }
        drop(sender);
        let mut dashboard = Self { child, link: None, address: String::new() };
        let link = link_in(&said);
        dashboard.address = link.split("/open?").next().unwrap().to_owned();
        dashboard.link = Some(link);
        dashboard
    }

    /// A page of a visitor who has used the link. It is good for one.
    pub fn visit<'b>(&mut self, browser: &'b mut Browser) -> Page<'b> {
        let mut page = browser.page();
        page.goto(&self.link.take().unwrap());
        page.wait("location.pathname === '/'");
        page
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The one-time link that it prints.
fn link_in(said: &Receiver<String>) -> String {
    let (mut all, deadline) = (Vec::new(), Instant::now() + PATIENCE);
    loop {
        let next = said.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        let Ok(line) = next else { panic!("no link in what `rasadmin serve` says: {all:#?}") };
        if let Some(link) = line.split_whitespace().find(|word| word.contains("/open?")) {
            return link.to_owned();
        }
        all.push(line);
    }
}

/// Where pictures are wanted.
pub fn pictures() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("RASADMIN_SCREENSHOTS")?);
    std::fs::create_dir_all(&folder).unwrap();
    Some(folder)
}
