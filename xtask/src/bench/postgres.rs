//! A PostgreSQL of our own for a benchmark: its files and its socket in a folder, no port.

use crate::Result;
use crate::shell::output;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// It stops with this value, and its folder goes.
pub struct Server {
    folder: PathBuf,
    programs: PathBuf,
}

impl Server {
    /// `synced`: a commit is on disk before it is answered.
    pub fn start(synced: bool) -> Result<Self> {
        let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut installed: Vec<PathBuf> = installed.map(|entry| entry.path().join("bin")).collect();
        installed.retain(|programs| programs.join("initdb").is_file());
        installed.sort();
        let programs = installed.pop().ok_or("PostgreSQL is not installed (package postgresql)")?;
        // Below the temporary folder: its own user must reach it, and a socket's path is short.
        let folder = std::env::temp_dir().join(format!("rasadmin-bench-pg-{}", std::process::id()));
        std::fs::create_dir(&folder).map_err(|e| format!("cannot create {}: {e}", folder.display()))?;
        let server = Self { folder, programs };
        if is_root() {
            output(Command::new("chown").arg("postgres").arg(&server.folder))?;
        }
        let (data, socket) = (server.data(), server.folder.display().to_string());
        server.run("initdb", &["-D", &data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"])?;
        let fsync = if synced { "on" } else { "off" };
        let options = format!("-c listen_addresses='' -c unix_socket_directories='{socket}' -c fsync={fsync}");
        server.run("pg_ctl", &["-D", &data, "-w", "-o", &options, "-l", &format!("{socket}/log"), "start"])?;
        Ok(server)
    }

    /// The folder of its socket, by which clients find it.
    pub fn socket(&self) -> &Path {
        &self.folder
    }

    pub fn psql(&self, sql: &str) -> Result {
        let file = self.folder.join("input.sql");
        std::fs::write(&file, sql).map_err(|e| format!("{}: {e}", file.display()))?;
        let (socket, file) = (self.folder.display().to_string(), file.display().to_string());
        let words =
            ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", &socket, "-U", "postgres", "-d", "postgres", "-f", &file];
        self.run("psql", &words)
    }

    fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }

    /// PostgreSQL refuses to run as root.
    fn run(&self, program: &str, arguments: &[&str]) -> Result {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        // No pipe: the server that pg_ctl starts would keep it open.
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).current_dir(&self.folder);
        let status = command.status().map_err(|e| format!("cannot run {command:?}: {e}"))?;
        if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}")) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "stop"]);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
