//! Writes to syslog's socket directly. No libc state is involved, so nothing stays behind when the DLL is unloaded.

use rasadmin_messages::{Id, Severity};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

/// The socket of syslog.
const SOCKET: &str = "/dev/log";

/// Facility `daemon`, shifted to its bits.
const DAEMON: u8 = 3 << 3;

/// The longest line, in bytes.
const LONGEST: usize = 8000;

/// Our own socket. Each line is sent to syslog's.
#[derive(Debug)]
pub struct Socket {
    own: UnixDatagram,
    to: PathBuf,
}

impl Socket {
    /// Opens the socket; None if that fails.
    pub fn open(named: Option<PathBuf>) -> Option<Self> {
        let own = UnixDatagram::unbound().ok()?;
        // A syslog that does not read must not block a call.
        own.set_nonblocking(true).ok()?;
        Some(Self { own, to: named.unwrap_or_else(|| SOCKET.into()) })
    }

    /// Writes a message. If that fails, it is dropped: the log file has it.
    pub fn write(&self, id: Id, inserts: &[String]) {
        let priority = DAEMON
            | match id.row().severity {
                Severity::Information => 6,
                Severity::Warning => 4,
                Severity::Error => 3,
            };
        let (process, number, text) = (std::process::id(), id.number(), id.row().fill(inserts).replace('\n', " "));
        let mut line = format!("<{priority}>rasadmin[{process}]: [{number}] {text}");
        if line.len() > LONGEST {
            line.truncate(line.floor_char_boundary(LONGEST));
            line.push_str("...");
        }
        let _ = self.own.send_to(line.as_bytes(), &self.to);
    }
}
