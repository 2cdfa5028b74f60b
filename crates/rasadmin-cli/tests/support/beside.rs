//! A day that the host plays, with the rasadmin service beside it. The service asks for the host's RRAS on a socket; on
//! Windows through mprapi.dll, as on a server: a stand-in for it takes its place in System32, and asks the host.

use crate::support::{PATIENCE, Ran, product, rasadmin_with, words};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How many seconds of the day pass per second.
pub const SPEED: u32 = 30;

/// A process that is killed at the end, however the test ends.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The day, which has begun. Its time passes only in [`play`](Day::play) and [`end`](Day::end): what a test looks at
/// meanwhile does not depend on how fast the computer is.
pub struct Day {
    host: Option<Running>,
    folder: tempfile::TempDir,
    speed: String,
    #[cfg(unix)]
    socket: PathBuf,
    #[cfg(windows)]
    _server: windows::Server,
}

impl Day {
    pub fn begin(config: &str, scenario: &str) -> Self {
        Self::at_speed(SPEED, config, scenario)
    }

    /// With so many seconds of the day per second.
    pub fn at_speed(speed: u32, config: &str, scenario: &str) -> Self {
        let speed = speed.to_string();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("given.toml"), config).unwrap();
        std::fs::write(path("day.scenario"), scenario).unwrap();
        std::fs::write(path("pause"), "").unwrap();
        #[cfg(unix)]
        let socket = path("rras.sock");
        #[cfg(windows)]
        let (server, socket) = windows::Server::start();
        let mut host = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
        host.args(words([&"host", &"run", &"--json", &"--keep", &path("kept"), &"--config", &path("given.toml")]));
        host.args(words([&"--dll", &product(), &"--serve-rras", &socket, &"--speed", &speed, &path("day.scenario")]));
        host.args(words([&"--pause-while", &path("pause")]));
        let host = Running(host.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        let day = Self {
            host: Some(host),
            folder,
            speed,
            #[cfg(unix)]
            socket,
            #[cfg(windows)]
            _server: server,
        };
        // The DLL has started.
        wait_for(&day.kept().join("clock"));
        day
    }

    pub fn kept(&self) -> PathBuf {
        self.folder.path().join("kept")
    }

    pub fn config(&self) -> PathBuf {
        self.kept().join("rasadmin.toml")
    }

    /// Starts the service beside the day.
    pub fn service(&self) -> Running {
        let mut service = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
        service.args(words([&"service", &"run", &"--config", &self.config(), &"--speed", &self.speed]));
        #[cfg(unix)]
        service.args(words([&"--rras", &self.socket]));
        #[cfg(windows)]
        service.env("WINEDLLOVERRIDES", "mprapi=n");
        service.env("RASADMIN_CLOCK", self.kept().join("clock")).env("RASADMIN_SYSTEM_LOG", "off");
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("service.log"));
        let running = Running(service.stdout(log.unwrap()).stderr(Stdio::null()).spawn().unwrap());
        self.until(&["status", "--json"], |status| status["rasadmin_service"]["process"] == running.0.id());
        running
    }

    /// Plays the day until this time in UTC, `08:11:00`, or a moment later.
    pub fn play(&self, until: &str) {
        let pause = self.folder.path().join("pause");
        let _ = std::fs::remove_file(&pause);
        let deadline = Instant::now() + PATIENCE;
        // `2026-11-23T08:11:00+00:00 29460000`
        let time = || Some(std::fs::read_to_string(self.kept().join("clock")).ok()?.get(11..19)?.to_owned());
        while time().is_none_or(|time| *time < *until) {
            assert!(Instant::now() < deadline, "{until} does not come: {:?}", time());
            std::thread::sleep(Duration::from_millis(5));
        }
        std::fs::write(pause, "").unwrap();
    }

    /// What the service has said.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("service.log")).unwrap_or_default()
    }

    /// The command, with the clock of the day.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let (config, clock) = (self.config(), self.kept().join("clock"));
        let environment = [("RASADMIN_CLOCK", clock.to_str().unwrap()), ("RASADMIN_CONFIG", config.to_str().unwrap())];
        rasadmin_with(arguments, &environment)
    }

    /// Waits until the command's answer is as expected.
    pub fn until(&self, arguments: &[&str], expected: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ran = self.run(arguments);
            let answer: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
            if expected(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{arguments:?}: {answer:#}\n{}\n{}", ran.stderr, self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The sessions of a user, by when they began.
    pub fn sessions_of(&self, name: &str) -> Vec<Value> {
        let all = self.run(&["sessions", "--json", "--limit", "0"]).ends(0).json();
        let of_user = all.as_array().unwrap().iter().filter(|session| session["name"] == name);
        let mut all: Vec<_> = of_user.cloned().collect();
        all.sort_by_key(|session| session["acct_start_time"].to_string());
        all
    }

    /// Plays the rest of the day.
    pub fn end(&mut self) -> Output {
        let _ = std::fs::remove_file(self.folder.path().join("pause"));
        let mut host = self.host.take().unwrap();
        let (stdout, stderr) = (read(host.0.stdout.take()), read(host.0.stderr.take()));
        let output =
            Output { status: host.0.wait().unwrap(), stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() };
        assert!(output.status.success(), "{output:?}");
        output
    }
}

/// Reads on a thread, so that the process never waits for a reader.
fn read(from: Option<impl std::io::Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    })
}

fn wait_for(path: &Path) {
    let deadline = Instant::now() + PATIENCE;
    while !path.exists() {
        assert!(Instant::now() < deadline, "{} does not appear", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(windows)]
mod windows {
    use super::*;
    use crate::support::fixtures;
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use winreg::RegKey;
    use winreg::enums::HKEY_CURRENT_USER;

    /// The service whose process is RRAS's.
    const SERVICE: &str = "RemoteAccess";

    /// This computer as a server with Remote Access, which a test has for itself.
    pub struct Server(#[allow(dead_code)] MutexGuard<'static, ()>);

    impl Server {
        /// The address is for the host.
        pub fn start() -> (Self, PathBuf) {
            static ALONE: Mutex<()> = Mutex::new(());
            let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
            let wine = RegKey::predef(HKEY_CURRENT_USER).open_subkey(r"Software\Wine");
            assert!(wine.is_ok(), "not under Wine: System32 is left alone");
            // A test that was killed has left its traces.
            clean();
            std::fs::copy(mprapi(""), mprapi(".original")).unwrap();
            let server = Self(alone);
            let folder = fixtures().join("../mprapi");
            std::fs::copy(folder.join("stand-in.dll"), mprapi("")).unwrap();
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            std::fs::write(mprapi(".port"), port.to_string()).unwrap();
            let program = folder.join("remote-access.exe").canonicalize().unwrap();
            let program = program.to_str().unwrap().trim_start_matches(r"\\?\");
            sc(&["create", SERVICE, "binPath=", program]);
            sc(&["start", SERVICE]);
            (server, format!("127.0.0.1:{port}").into())
        }
    }

    impl Drop for Server {
        fn drop(&mut self) {
            clean();
        }
    }

    /// Puts Windows' own back. The original stays beside the stand-in as long as that is there.
    fn clean() {
        for action in ["stop", "delete"] {
            let _ = Command::new("sc").args([action, SERVICE]).output();
        }
        if mprapi(".original").exists() && std::fs::copy(mprapi(".original"), mprapi("")).is_ok() {
            let _ = std::fs::remove_file(mprapi(".original"));
        }
        for ending in [".port", ".log"] {
            let _ = std::fs::remove_file(mprapi(ending));
        }
    }

    fn mprapi(ending: &str) -> PathBuf {
        let windows = PathBuf::from(std::env::var_os("SystemRoot").unwrap());
        windows.join(format!(r"System32\mprapi.dll{ending}"))
    }

    fn sc(arguments: &[&str]) {
        let output = Command::new("sc").args(arguments).output().unwrap();
        assert!(output.status.success(), "sc {arguments:?}: {output:?}");
    }
}
