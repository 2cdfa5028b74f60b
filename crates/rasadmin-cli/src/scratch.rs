//! A host is not the service: the DLLs that it drives find a configuration, a ledger and a log that are thrown away, or
//! kept where they were asked to be, and never those of the machine.
//!
//! They look for them in the environment, which a process can only give to another: so the host runs itself again.

mod lent;

use crate::here::absolute;
use clap::Args;
use rasadmin_host::scratch::{AUDIT_ONLY, SCRATCH_VARIABLE, Scratch, is_marked};
use rasadmin_system::{places, system_log};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set in the process that runs again, to the scratch folder.
const INSIDE: &str = "RASADMIN_HOST_INSIDE";

/// What becomes of the scratch folder.
#[derive(Args, Clone, Debug, Default)]
pub struct Keep {
    /// Keep the run's configuration, journal, ledger and log in this folder: a new one, an empty one, or an earlier
    /// run's, whose journal is continued. Look at it with `--config FOLDER/rasadmin.toml`. Without this option they are
    /// deleted
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

impl Keep {
    /// The folder, if there is to be one afterwards.
    pub fn folder(&self) -> Option<&Path> {
        self.keep.as_deref()
    }
}

/// Where a run happens.
pub enum Place {
    /// In the process that ran again, which is this one: its scratch folder.
    Here(PathBuf),
    /// It has happened there: its exit code.
    There(u8),
}

/// Runs this command again in an environment for rehearsals, unless this is that process. `config` lends its rules;
/// else the one that RASADMIN_CONFIG names does; else everyone is allowed.
pub fn again(keep: &Keep, config: Option<&Path>) -> Result<Place, String> {
    if let Some(folder) = inside() {
        return Ok(Place::Here(folder));
    }
    let scratch = keep.folder().map_or_else(Scratch::temporary, Scratch::keep).map_err(|e| e.to_string())?;
    match config.map(absolute).transpose()?.or_else(|| places::variable("RASADMIN_CONFIG")) {
        Some(config) => lent::rules(&config, &scratch)?,
        None => {
            let config = scratch.config();
            std::fs::write(&config, AUDIT_ONLY).map_err(|e| format!("{}: {e}", config.display()))?;
        }
    }
    let own = std::env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
    let mut command = Command::new(own);
    command.args(std::env::args_os().skip(1)).envs(scratch.environment()).env(INSIDE, scratch.path());
    if std::env::var_os(system_log::VARIABLE).is_none() {
        command.env(system_log::VARIABLE, "off");
    }
    let status = command.status().map_err(|e| format!("cannot run this program again: {e}"))?;
    Ok(Place::There(exit_code(status)))
}

/// The scratch folder that this process runs in. Someone who sets one variable by hand does not get past the others.
fn inside() -> Option<PathBuf> {
    let folder = places::variable(INSIDE)?;
    (places::variable(SCRATCH_VARIABLE).as_ref() == Some(&folder) && is_marked(&folder)).then_some(folder)
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
