//! Generates docs/messages.md.

use crate::{Id, Row};
use std::fmt::Write as _;

const HEAD: &str = "\
# Messages

rasadmin writes these messages to its log file and to the system's log. On Windows that is the Event Log (Application,
source `rasadmin`); elsewhere it is syslog (facility `daemon`, name `rasadmin`, the number in brackets).

- A number always means the same message and is never reused. In the Event Viewer it is the event ID.
- The inserts are the event's data, in order (`EventData`), for programs that collect events. An unknown insert is `-`.
  If Windows would read a `%` in an insert as one of its own inserts, a space follows it. Control characters are escaped,
  so nobody can forge a line.
- The system's log gets at most ten events per second for each message; message 900 says how many were left out. The log
  file has them all, and much more: every accepted connection and every address, for example.
- If the environment variable `RASADMIN_SYSTEM_LOG` is `off`, rasadmin does not write to the system's log. `rasadmin
  host` and `rasadmin check` set it, because a test is not the service. On systems with syslog, the variable can name a
  socket to use instead of `/dev/log`.
- Windows takes the texts from a table in rasadmin.dll. The registry says where the DLL is
  (`HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\rasadmin`; `rasadmin install` writes it). Without this
  entry the Event Viewer shows the inserts alone.

This page is generated from the catalogue, `crates/rasadmin-messages`, by `cargo xtask bless`.

| number | name | severity | text |
|---|---|---|---|
";

/// Generates the page, as Markdown.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    // Writing to a String cannot fail.
    for row in Id::ALL.iter().map(|id| id.row()) {
        let Row { id, name, severity, .. } = row;
        let number = id.number();
        let _ = writeln!(page, "| [{number}](#{number}-{name}) | `{name}` | {} | {} |", severity.name(), shown(row));
    }
    for row in Id::ALL.iter().map(|id| id.row()) {
        let _ = writeln!(page, "\n## {} {}\n", row.id.number(), row.name);
        let _ = writeln!(page, "> {}\n", shown(row));
        if !row.inserts.is_empty() {
            let inserts = row.inserts.iter().enumerate().map(|(at, name)| format!("%{} {name}", at + 1));
            let _ = writeln!(page, "- **inserts**: {}", inserts.collect::<Vec<_>>().join(", "));
        }
        let Row { severity, cause, effect, remedy, .. } = row;
        let _ = writeln!(page, "- **severity**: {}", severity.name());
        let _ = writeln!(page, "- **cause**: {cause}\n- **effect**: {effect}\n- **remedy**: {remedy}");
    }
    page
}

/// The text with its inserts in italics.
fn shown(row: &Row) -> String {
    row.with_inserts(|at| format!("*{}*", row.inserts[at]))
}
