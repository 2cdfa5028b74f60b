//! schemathesis, with which the tests look for requests that the dashboard's API does not answer as its document says. It is
//! a tool of the tests: nothing of it is in the repository or in the product.

use crate::Result;
use crate::packages;
use crate::shell::{create, root, run, target};
use std::process::Command;

/// Puts it into target/tools/schemathesis, if these versions are missing.
pub fn program() -> Result {
    if cfg!(windows) {
        return Ok(());
    }
    let (folder, list) = (target().join("tools/schemathesis"), root().join("xtask/schemathesis.txt"));
    let wanted = std::fs::read_to_string(&list).map_err(|e| format!("{}: {e}", list.display()))?;
    // It is written at the end, so a folder that has it is complete.
    let mark = folder.join("installed.txt");
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    packages::need(packages::PYTHON)?;
    eprintln!("==> fetching schemathesis (pip install)");
    create(&folder)?;
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(folder.join("bin/pip"));
    run(pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]).arg(&list))?;
    std::fs::write(&mark, wanted).map_err(|e| format!("{}: {e}", mark.display()))
}
