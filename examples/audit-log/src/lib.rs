//! An admin DLL that appends a CSV line for every event to the file that RASADMIN_AUDIT_LOG names (default: `audit.csv` in
//! the folder for temporary files).
//!
//! Try it: `rasadmin host run --dll target/release/libaudit_log.so examples/office-day.scenario`

use rasadmin_sdk::{AdminDll, Connection, Environment, InitializeError, Link, Verdict, WideStr, export_admin_dll};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

struct AuditLog(File);

impl AuditLog {
    /// Writes a line in one step, so that lines never mix. A name that a spreadsheet would read as a formula gets an
    /// apostrophe in front.
    fn line(&self, event: &str, who: WideStr<'_>, handle: u64) {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let who = who.to_string().replace('"', "\"\"");
        let guard = if who.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
        let _ = (&self.0).write_all(format!("{seconds},{event},\"{guard}{who}\",{handle}\n").as_bytes());
    }
}

impl AdminDll for AuditLog {
    fn initialize(_: &Environment) -> Result<Self, InitializeError> {
        let path = std::env::var_os("RASADMIN_AUDIT_LOG").map_or(std::env::temp_dir().join("audit.csv"), Into::into);
        Ok(Self(OpenOptions::new().create(true).append(true).open(path)?))
    }
    fn terminate(&self) {}
    fn accept_connection(&self, connection: &Connection) -> Verdict {
        self.line("connect", connection.user(), connection.handle());
        Verdict::Accept
    }
    fn connection_hangup(&self, connection: &Connection) {
        self.line("hangup", connection.user(), connection.handle());
    }
    fn accept_link(&self, link: &Link) -> Verdict {
        self.line("link", link.port(), link.connection_handle());
        Verdict::Accept
    }
    fn link_hangup(&self, link: &Link) {
        self.line("link-hangup", link.port(), link.connection_handle());
    }
    fn accept_reauthentication(&self, connection: &Connection) -> Verdict {
        self.line("reauthentication", connection.user(), connection.handle());
        Verdict::Accept
    }
}

export_admin_dll!(AuditLog);
