//! The host is not the service: the DLLs that it drives must not find this machine's configuration, journal, ledger and
//! log, but those of a scratch folder, which is deleted or kept afterwards.
//!
//! DLLs find them through environment variables. A process can only set these for a child, so the host runs itself
//! again ([`crate::supervised`]).

mod lent;

use crate::context::absolute;
use crate::error::{CommandError, Kind, Result};
use clap::Args;
use rasadmin_host::scratch::{AUDIT_ONLY, SCRATCH_VARIABLE, Scratch, is_marked};
use rasadmin_system::places;
use std::path::{Path, PathBuf};

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

/// Prepares the scratch folder. The rules are those of `config`, or else of the configuration that RASADMIN_CONFIG names;
/// without either, everyone is allowed.
pub fn prepare(keep: &Keep, config: Option<&Path>) -> Result<Scratch> {
    let scratch = keep.folder().map_or_else(Scratch::temporary, Scratch::keep)?;
    match config.map(absolute).transpose()?.or_else(|| places::variable("RASADMIN_CONFIG")) {
        Some(config) => lent::copy_rules(&config, &scratch)?,
        None => {
            let config = scratch.config();
            std::fs::write(&config, AUDIT_ONLY).map_err(|e| CommandError::file(&config, e))?;
        }
    }
    Ok(scratch)
}

/// The file of this program, to run it again.
pub fn this_program() -> Result<PathBuf> {
    std::env::current_exe().map_err(|e| CommandError::new(Kind::System, format!("cannot find this program: {e}")))
}

/// The scratch folder that this process runs in.
pub fn is_scratch() -> Option<PathBuf> {
    places::variable(SCRATCH_VARIABLE).filter(|folder| is_marked(folder))
}
