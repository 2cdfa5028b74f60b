//! A host is not the service: unless told otherwise, the DLLs that it drives find a configuration, a ledger and a log
//! that are thrown away, and never those of the machine.
//!
//! They look for them in the environment, which a process can only give to another: so the host runs itself again.

use rasadmin_system::system_log;
use std::path::Path;
use std::process::Command;

/// Set in the process that runs again.
const INSIDE: &str = "RASADMIN_HOST_INSIDE";

/// The rehearsal's clock, which the DLL reads.
pub const CLOCK: &str = "RASADMIN_CLOCK";

/// Everyone is allowed, everything recorded.
const AUDIT_ONLY: &str = "default.action = \"allow\"\n";

/// Runs this command again in an environment for rehearsals; its exit code. None if this is that process.
pub fn again(config: Option<&Path>) -> Result<Option<u8>, String> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(None);
    }
    let failed = |e: std::io::Error| format!("no scratch folder for the run: {e}");
    let folder = tempfile::Builder::new().prefix("rasadmin-host-").tempdir().map_err(failed)?;
    let own = std::env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
    let mut command = Command::new(own);
    command.args(std::env::args_os().skip(1)).env(INSIDE, "1").env(CLOCK, folder.path().join("clock"));
    match config {
        Some(path) => {
            let path = std::path::absolute(path).map_err(|e| format!("{}: {e}", path.display()))?;
            if !path.is_file() {
                return Err(format!("{}: there is no such configuration: check the path", path.display()));
            }
            command.env("RASADMIN_CONFIG", path);
        }
        None if std::env::var_os("RASADMIN_CONFIG").is_some() => {}
        None => {
            let path = folder.path().join("rasadmin.toml");
            std::fs::write(&path, AUDIT_ONLY).map_err(failed)?;
            command.env("RASADMIN_CONFIG", path);
        }
    }
    if std::env::var_os("RASADMIN_LOG").is_none() {
        command.env("RASADMIN_LOG", folder.path().join("rasadmin.log"));
    }
    if std::env::var_os(system_log::VARIABLE).is_none() {
        command.env(system_log::VARIABLE, "off");
    }
    let status = command.status().map_err(|e| format!("cannot run this program again: {e}"))?;
    Ok(Some(exit_code(status)))
}

/// Its own; that of a run that a DLL crashed is neither success nor one of ours.
fn exit_code(status: std::process::ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        // As a shell says it.
        return u8::try_from(128 + signal).unwrap_or(u8::MAX);
    }
    u8::try_from(status.code().unwrap_or(2) & 0xff).unwrap_or(2)
}
