//! The daily task of the Windows Task Scheduler that updates the ledger.
//!
//! `schtasks.exe`, which every Windows has, creates it from XML, because its other options cannot make up for a missed
//! start.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

/// The task's name in the Task Scheduler.
pub const NAME: &str = "rasadmin ledger update";

/// The arguments of the command.
pub const ARGUMENTS: &str = "ledger update";

/// The task's definition: it runs `command` as SYSTEM, daily at three in the morning, or as soon as the computer is on
/// again.
pub fn xml(command: &Path) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Updates rasadmin's ledger from its journal, and deletes journal files that are no longer needed.</Description>
  </RegistrationInfo>
  <Triggers>
    <CalendarTrigger>
      <StartBoundary>2026-01-01T03:00:00</StartBoundary>
      <ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>
    </CalendarTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author"><UserId>S-1-5-18</UserId><RunLevel>HighestAvailable</RunLevel></Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT4H</ExecutionTimeLimit>
  </Settings>
  <Actions Context="Author">
    <Exec><Command>{}</Command><Arguments>{ARGUMENTS}</Arguments></Exec>
  </Actions>
</Task>
"#,
        // In quotes, because a path can have spaces.
        escaped(&format!("\"{}\"", command.display()))
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Does the task exist?
pub fn exists() -> bool {
    cfg!(windows) && schtasks(&["/Query", "/TN", NAME]).is_ok()
}

/// Creates or replaces the task. The definition is briefly in a file in `folder`, which only administrators should be
/// able to write, because the task runs as SYSTEM.
///
/// # Errors
/// If the Task Scheduler refuses, and always on other systems.
pub fn create(command: &Path, folder: &Path) -> io::Result<()> {
    let path = folder.join("rasadmin-task.xml");
    let mut file = std::fs::File::options().write(true).create_new(true).open(&path)?;
    let units = std::iter::once(0xfeff).chain(xml(command).encode_utf16().collect::<Vec<_>>());
    let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    let written = file.write_all(&bytes);
    drop(file); // Windows wants it closed.
    let made = written.and_then(|()| {
        let file = path.to_string_lossy().into_owned();
        schtasks(&["/Create", "/F", "/TN", NAME, "/XML", &file])
    });
    let _ = std::fs::remove_file(&path); // What matters is in the Task Scheduler.
    made
}

/// Deletes the task.
///
/// # Errors
/// If the Task Scheduler refuses, and always on other systems.
pub fn delete() -> io::Result<()> {
    schtasks(&["/Delete", "/F", "/TN", NAME])
}

fn schtasks(arguments: &[&str]) -> io::Result<()> {
    // By its full path, so that no other program of that name runs with our rights.
    let root = std::env::var_os("SystemRoot").ok_or_else(|| io::Error::other("the variable SystemRoot is not set"))?;
    let program = Path::new(&root).join("System32").join("schtasks.exe");
    let output = Command::new(program).args(arguments).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("schtasks.exe: {}", said.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_quoted_and_escaped() {
        let xml = xml(Path::new(r"C:\Program Files\R&D <vpn>\rasadmin.exe"));
        assert!(
            xml.contains(r"<Command>&quot;C:\Program Files\R&amp;D &lt;vpn&gt;\rasadmin.exe&quot;</Command>"),
            "{xml}"
        );
        assert!(xml.contains("<Arguments>ledger update</Arguments>"), "{xml}");
        for (element, times) in [("<Task ", 1), ("</Task>", 1), ("<Exec>", 1), ("</Exec>", 1)] {
            assert_eq!(xml.matches(element).count(), times, "{element}");
        }
    }
}
