//! The system's log: the Event Log on Windows, syslog on other systems.
//!
//! It gets the numbered messages of the catalogue. A call waits while a message is written, and refusals can come in
//! floods, so at most ten of each message are written per second. Then one more message says how many were left out.

mod limit;

use limit::Limits;
use rasadmin_messages::Id;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

#[cfg(windows)]
use crate::eventlog::Source as Output;
#[cfg(unix)]
use crate::syslog::Socket as Output;

/// Set to `off`, nothing goes to the system's log. On Unix it can name a socket.
pub const VARIABLE: &str = "RASADMIN_SYSTEM_LOG";

/// The system's log, open. It holds one handle, which is closed on drop.
#[derive(Debug)]
pub struct SystemLog {
    output: Output,
    limits: Mutex<Limits>,
}

impl SystemLog {
    /// Opens the log that the environment names; None if it is off, or there is none.
    pub fn open() -> Option<Self> {
        let named = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
        if named.as_ref().is_some_and(|value| value == "off") {
            return None;
        }
        Self::to(named.map(PathBuf::from))
    }

    fn to(named: Option<PathBuf>) -> Option<Self> {
        Some(Self { output: Output::open(named)?, limits: Mutex::default() })
    }

    /// Writes a message, with a text for each of its inserts. The caller must have escaped text from outside.
    pub fn write(&self, id: Id, inserts: &[String], now: Instant) {
        self.look(now);
        if self.limits().admits(id, now) {
            self.output.write(id, inserts);
        }
    }

    /// Reports what was left out in seconds that are over. Call it now and then.
    pub fn look(&self, now: Instant) {
        let left_out = self.limits().left_out(Some(now));
        self.write_left_out(&left_out);
    }

    fn write_left_out(&self, left_out: &[(Id, u64)]) {
        for (id, count) in left_out {
            self.output.write(Id::LeftOut, &[count.to_string(), id.number().to_string()]);
        }
    }

    fn limits(&self) -> std::sync::MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SystemLog {
    fn drop(&mut self) {
        let left_out = self.limits().left_out(None);
        self.write_left_out(&left_out);
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::net::UnixDatagram;
    use std::time::Duration;

    /// A log that stores what it gets.
    fn listen() -> (tempfile::TempDir, UnixDatagram, SystemLog) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        let log = SystemLog::to(Some(path)).unwrap();
        (folder, socket, log)
    }

    fn all(socket: &UnixDatagram) -> Vec<String> {
        let mut buffer = vec![0; 100_000];
        let mut next = || socket.recv(&mut buffer).ok().map(|n| String::from_utf8(buffer[..n].to_vec()).unwrap());
        std::iter::from_fn(&mut next).collect()
    }

    fn inserts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_message_is_one_line_with_priority_name_and_number() {
        let (_folder, socket, log) = listen();
        log.write(Id::JournalAvailable, &inserts(&["/x/journal"]), Instant::now());
        log.write(Id::ConfigBroken, &inserts(&["a.toml:1:1: first\n  help: second"]), Instant::now());
        log.write(Id::Anomaly, &inserts(&["a hangup", &"x".repeat(20_000)]), Instant::now());
        let got = all(&socket);
        let me = std::process::id();
        // Facility 3 is daemon; 6 is information, 3 an error, 4 a warning.
        assert_eq!(got[0], format!("<30>rasadmin[{me}]: [411] the journal can be written again: /x/journal"));
        assert!(got[1].starts_with(&format!("<27>rasadmin[{me}]: [201] the configuration")), "{}", got[1]);
        assert!(got[1].ends_with("a.toml:1:1: first   help: second"), "one line: {}", got[1]);
        assert!(got[2].starts_with("<28>") && got[2].len() < 9000, "truncated: {}", got[2].len());
        assert_eq!(got.len(), 3);
    }

    #[test]
    fn a_flood_is_ten_and_a_count() {
        let (_folder, socket, log) = listen();
        let start = Instant::now();
        for _ in 0..1000 {
            log.write(Id::JournalAvailable, &inserts(&["x"]), start);
        }
        log.write(Id::Stopped, &[], start);
        assert_eq!(all(&socket).len(), 11, "another message has its own limit");
        log.look(start + Duration::from_millis(900));
        assert_eq!(all(&socket).len(), 0);
        log.look(start + Duration::from_millis(1000));
        let lines = all(&socket);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains("[900] left out here: 990 more of message 411"), "{lines:?}");
        // The next second allows ten again; what was left out is also reported at the end.
        for _ in 0..13 {
            log.write(Id::JournalAvailable, &inserts(&["x"]), start + Duration::from_secs(2));
        }
        assert_eq!(all(&socket).len(), 10);
        drop(log);
        assert!(all(&socket)[0].contains("[900] left out here: 3 more of message 411"));
    }

    /// A syslog that does not read, or is missing, must not block a call; and it can come back.
    #[test]
    fn nobody_waits_for_syslog() {
        let (folder, socket, log) = listen();
        let start = Instant::now();
        for second in 0..1000 {
            log.write(Id::JournalAvailable, &inserts(&["x"]), start + Duration::from_secs(second));
        }
        assert!(all(&socket).len() < 1000, "its buffer must have been full, or this proves nothing");
        let path = folder.path().join("log");
        drop(socket);
        std::fs::remove_file(&path).unwrap();
        log.write(Id::Stopped, &[], start + Duration::from_secs(2000));
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        log.write(Id::Stopped, &[], start + Duration::from_secs(3000));
        assert_eq!(all(&socket).len(), 1);
    }
}
