//! docs/messages.md.

use crate::{Id, Row};
use std::fmt::Write as _;

const HEAD: &str = "\
# Messages

What rasadmin tells the administrator: in the log file, and in the system's own log. On Windows that is the Event Log
(Application, source `rasadmin`); elsewhere syslog (facility `daemon`, name `rasadmin`, the number in brackets).

- A number never changes its meaning and is never used again. In the Event Viewer it is the event ID.
- The inserts are the event's data, in order (`EventData`), for programs that collect events. An insert that is not
  known is `-`. A `%` in an insert that Windows would take for an insert of its own is followed by a space. Control
  characters are written as escapes, so nobody can forge a line.
- The system's log gets at most ten of a message a second; message 900 says how many were left out. The log file has
  them all, and everything else besides: each connection that was accepted, each address.
- `RASADMIN_SYSTEM_LOG=off` in the process's environment keeps rasadmin out of the system's log; `rasadmin host` and
  `rasadmin check` set it, because a rehearsal is not the service. Where there is syslog, a path there is the socket that
  is written to instead of `/dev/log`.
- Windows shows the text from a table in rasadmin.dll. The registry says where that is
  (`HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\rasadmin`, which `rasadmin install` writes); without
  it the Event Viewer shows the inserts alone.

This page is generated from the catalogue, `crates/rasadmin-messages`, by `cargo xtask bless`.

| number | name | severity | text |
|---|---|---|---|
";

/// The page.
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
