//! The host is not the service: the DLLs that it drives must not find this machine's configuration, journal, ledger and
//! log, but those of a scratch folder, which is deleted or kept afterwards.
//!
//! DLLs find them through environment variables. A process can only set these for a child, so the host runs itself
//! again.

mod lent;

use crate::context::absolute;
use crate::error::{CommandError, Exit, Kind, Result};
use clap::Args;
use rasadmin_host::scratch::{AUDIT_ONLY, SCRATCH_VARIABLE, Scratch, is_marked};
use rasadmin_system::{places, system_log};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set in the child process, to the scratch folder.
const INSIDE: &str = "RASADMIN_HOST_INSIDE";

/// What happens to the scratch folder after the run.
#[derive(Args, Clone, Debug, Default)]
pub struct Keep {
    /// Keep the configuration, journal, ledger and log of this run in this folder. The folder may be new, empty, or
    /// from an earlier run, whose journal is then continued. Look at it with `--config FOLDER/rasadmin.toml`. Without
    /// this option, the files are deleted
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

impl Keep {
    /// The folder, if the user wants to keep it.
    pub fn folder(&self) -> Option<&Path> {
        self.keep.as_deref()
    }
}

/// How a run goes on.
pub enum Run {
    /// This process is the child: run here, with this scratch folder.
    Inside(PathBuf),
    /// The child has run, and ended like this.
    Finished(Exit),
}

/// Runs this command again in an environment for rehearsals, unless this process is that child. The rules are those of
/// `config`, or else of the configuration that RASADMIN_CONFIG names; without either, everyone is allowed.
pub fn rerun_inside(keep: &Keep, config: Option<&Path>) -> Result<Run> {
    if let Some(folder) = inside() {
        return Ok(Run::Inside(folder));
    }
    let scratch = keep.folder().map_or_else(Scratch::temporary, Scratch::keep)?;
    match config.map(absolute).transpose()?.or_else(|| places::variable("RASADMIN_CONFIG")) {
        Some(config) => lent::copy_rules(&config, &scratch)?,
        None => {
            let config = scratch.config();
            std::fs::write(&config, AUDIT_ONLY).map_err(|e| CommandError::file(&config, e))?;
        }
    }
    let own = this_program()?;
    let mut command = Command::new(own);
    command.args(std::env::args_os().skip(1)).envs(scratch.environment()).env(INSIDE, scratch.path());
    if std::env::var_os(system_log::VARIABLE).is_none() {
        command.env(system_log::VARIABLE, "off");
    }
    let status =
        command.status().map_err(|e| CommandError::new(Kind::System, format!("cannot run this program again: {e}")))?;
    Ok(Run::Finished(Exit::Code(exit_code(status))))
}

/// The file of this program, to run it again.
pub fn this_program() -> Result<PathBuf> {
    std::env::current_exe().map_err(|e| CommandError::new(Kind::System, format!("cannot find this program: {e}")))
}

/// The scratch folder that this process runs in. Setting one variable by hand is not enough to get past the others.
fn inside() -> Option<PathBuf> {
    let folder = places::variable(INSIDE)?;
    (places::variable(SCRATCH_VARIABLE).as_ref() == Some(&folder) && is_marked(&folder)).then_some(folder)
}

/// The child's own exit code. If a DLL crashed it, the code is neither 0 nor one of ours.
fn exit_code(status: std::process::ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        // As a shell reports it.
        return u8::try_from(128 + signal).unwrap_or(u8::MAX);
    }
    u8::try_from(status.code().unwrap_or(2) & 0xff).unwrap_or(2)
}
