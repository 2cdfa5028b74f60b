//! A PostgreSQL server for a test.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// A server of our own: its files and its socket are in a folder, and it has no port.
pub struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
}

impl Server {
    pub fn start() -> Self {
        let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut installed: Vec<PathBuf> = installed.map(|entry| entry.path().join("bin")).collect();
        installed.retain(|programs| programs.join("initdb").is_file());
        installed.sort();
        let programs =
            installed.pop().expect("PostgreSQL is missing: install the package postgresql, as `cargo xtask test` does");
        let folder = tempfile::Builder::new().prefix("rasadmin-pg-").tempdir().unwrap();
        let server = Self { folder, programs };
        if is_root() {
            let ran = Command::new("chown").arg("postgres").arg(server.folder.path()).status().unwrap();
            assert!(ran.success());
        }
        let data = server.folder.path().join("data");
        let data = data.to_str().unwrap();
        server.run("initdb", &["-D", data, "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"], "");
        let socket = server.folder.path().to_str().unwrap();
        // The data need not outlive the test.
        let fast = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c jit=off";
        let options = format!("-c listen_addresses='' -c unix_socket_directories='{socket}' {fast}");
        let log = format!("{socket}/log");
        server.run("pg_ctl", &["-D", data, "-w", "-o", &options, "-l", &log, "start"], "");
        server
    }

    /// Runs SQL, which must succeed. Returns the rows without headings.
    pub fn psql(&self, sql: &str) -> String {
        let words = self.psql_words(&["-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        self.run("psql", &words, sql).trim_end().to_owned()
    }

    /// Runs SQL with psql's options. Returns its output and its errors.
    pub fn try_psql(&self, options: &[&str], sql: &str) -> (String, String) {
        let (_, out, err) = self.try_run("psql", &self.psql_words(options), sql);
        (out, err)
    }

    fn psql_words<'w>(&'w self, options: &[&'w str]) -> Vec<&'w str> {
        let socket = self.folder.path().to_str().unwrap();
        [&["-X", "-h", socket, "-d", "postgres"], options].concat()
    }

    fn run(&self, program: &str, arguments: &[&str], input: &str) -> String {
        let (status, out, err) = self.try_run(program, arguments, input);
        assert!(status.success(), "{program} {arguments:?}\n{status}\n{out}\n{err}");
        out
    }

    /// PostgreSQL refuses to run as root.
    fn try_run(&self, program: &str, arguments: &[&str], input: &str) -> (ExitStatus, String, String) {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.args(arguments).current_dir(self.folder.path()).env("TZ", "America/New_York");
        // Not a pipe: the server that pg_ctl starts would keep it open.
        let (out, err) = (self.folder.path().join("out"), self.folder.path().join("err"));
        let file = |path: &Path| Stdio::from(std::fs::File::create(path).unwrap());
        let mut child = command.stdin(Stdio::piped()).stdout(file(&out)).stderr(file(&err)).spawn().unwrap();
        let written = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes());
        // A program that stops at an error reads no further; its status and its output say why.
        assert!(written.is_ok() || !child.wait().unwrap().success(), "{written:?}");
        let status = child.wait().unwrap();
        let text = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        (status, text(&out), text(&err))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        let (status, _, err) = self.try_run("pg_ctl", &["-D", data.to_str().unwrap(), "-m", "immediate", "stop"], "");
        if !status.success() {
            eprintln!("PostgreSQL was not stopped: {err}");
        }
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}
