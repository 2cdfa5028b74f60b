//! `rasadmin metrics`, with a service and without one.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{PATIENCE, rasadmin, words};

/// A folder with a configuration.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(more: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let text = format!("default.action = \"allow\"\nserver.name = \"VPN1\"\n[service]\n{more}");
        std::fs::write(folder.config(), text).unwrap();
        folder
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("rasadmin.toml")
    }

    /// Starts a service.
    fn start(&self, mut command: Command) -> Running {
        command.args(words([&"service", &"run", &"--config", &self.config()]));
        command.env("RASADMIN_SYSTEM_LOG", "off").stdout(Stdio::null()).stderr(Stdio::null());
        Running(command.spawn().unwrap())
    }

    /// Starts a service and waits until its duties have begun.
    fn service(&self) -> Running {
        let running = self.start(Command::new(env!("CARGO_BIN_EXE_rasadmin")));
        let deadline = Instant::now() + PATIENCE;
        let status = || rasadmin(words([&"status", &"--json", &"--config", &self.config()])).json();
        while status()["rasadmin_service"]["duties"].as_array().is_none_or(|duties| duties.is_empty()) {
            assert!(Instant::now() < deadline, "{:#}", status());
            std::thread::sleep(Duration::from_millis(20));
        }
        running
    }

    fn metrics(&self) -> support::Ran {
        rasadmin(words([&"metrics", &"--config", &self.config()]))
    }
}

/// A service that is killed at the end, however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_service_answers_and_without_it_the_remedy_is_named() {
    let folder = Folder::new("");
    let start = if cfg!(windows) { "`Start-Service rasadmin`" } else { "`rasadmin service run`" };
    folder.metrics().ends(2).complains("no rasadmin service answers there").complains(start);
    let service = folder.service();
    let deadline = Instant::now() + PATIENCE;
    // The pipe is created by a thread of its own.
    while !folder.metrics().stdout.starts_with("# HELP rasadmin_build_info") {
        assert!(Instant::now() < deadline, "{}", folder.metrics().stderr);
        std::thread::sleep(Duration::from_millis(20));
    }
    folder.metrics().ends(0).prints("rasadmin_duty_up{duty=\"pipe\"} 1");
    drop(service);
    // It was killed, so on Linux the socket's file is still there.
    folder.metrics().ends(2).complains("no rasadmin service answers there");
}

#[test]
fn what_is_switched_off_is_named() {
    let folder = Folder::new("pipe.enabled = false\n");
    let _service = folder.service();
    folder.metrics().ends(2).complains("set service.pipe.enabled = true");
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::path::Path;

    const NOBODY: u32 = 65_534;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// A copy of the command that nobody may run, as nobody. Only root can become somebody else.
    fn as_nobody(program: &tempfile::TempDir) -> Command {
        mode(program.path(), 0o755);
        let copy = program.path().join("rasadmin");
        fs::copy(env!("CARGO_BIN_EXE_rasadmin"), &copy).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy).current_dir("/");
        command
    }

    /// Even if the files' modes let them.
    #[test]
    fn a_stranger_is_refused_and_a_strangers_service_is_not_asked() {
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            assert!(std::env::var_os("CI").is_none(), "this test needs root");
            eprintln!("skipped: it needs root, who can become somebody else");
            return;
        }
        let program = tempfile::tempdir().unwrap();
        let folder = Folder::new("retention.enabled = false\n");
        let journal = folder.0.path().join("journal");
        let socket = journal.join("service.sock");
        let wait_for_socket = || {
            let deadline = Instant::now() + PATIENCE;
            while std::os::unix::net::UnixStream::connect(&socket).is_err() {
                assert!(Instant::now() < deadline, "no socket");
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        mode(folder.0.path(), 0o755);
        let service = folder.service();
        wait_for_socket();
        let ask = || {
            let mut stranger = as_nobody(&program);
            let ran = stranger.arg("metrics").arg("--config").arg(folder.config()).output().unwrap();
            assert_eq!(ran.status.code(), Some(2), "{ran:?}");
            String::from_utf8(ran.stderr).unwrap()
        };
        assert!(ask().contains("you may not ask the rasadmin service"), "{}", ask());
        mode(&journal, 0o755);
        mode(&socket, 0o666);
        assert!(ask().contains("this account has no right to ask for it"), "{}", ask());
        drop(service);

        fs::remove_dir_all(&journal).unwrap();
        fs::create_dir(&journal).unwrap();
        std::os::unix::fs::chown(&journal, Some(NOBODY), Some(NOBODY)).unwrap();
        let _stranger = folder.start(as_nobody(&program));
        wait_for_socket();
        folder.metrics().ends(2).complains("this is not the pipe of the rasadmin service: it belongs to nobody");
    }
}
