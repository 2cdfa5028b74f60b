//! Processes that run beside this one, and end with it.

use crate::Result;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A process that ends when this is dropped.
pub struct Beside(pub Child);

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a command whose output goes into a file.
pub fn logged(mut command: Command, log: &Path) -> Result<Beside> {
    let cannot_log = |e| format!("cannot write {}: {e}", log.display());
    let out = std::fs::File::create(log).map_err(cannot_log)?;
    let err = out.try_clone().map_err(cannot_log)?;
    command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().map(Beside).map_err(cannot_start)
}

pub fn cannot_start(error: std::io::Error) -> String {
    format!("cannot start rasadmin: {error}")
}
