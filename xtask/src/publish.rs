//! The crates for crates.io: whether they could be published.

use crate::Result;
use crate::shell::{cargo, logged, root};

/// Those that a DLL's author depends on, and what they depend on.
const CRATES: [&str; 3] = ["mprapi", "rasadmin-text", "rasadmin-sdk"];

/// What cargo says if it cannot reach the registry.
const UNREACHABLE: [&str; 3] = ["Could not resolve host", "failed to download", "spurious network error"];

/// Does everything that publishing does, except the upload. Without the registry, packages and builds them only.
pub fn dry_run() -> Result {
    let (published, text) = logged(with_crates(cargo().args(["publish", "--dry-run", "--quiet"])), &root())?;
    if published {
        return Ok(());
    }
    if !UNREACHABLE.iter().any(|reason| text.contains(reason)) {
        return Err(text);
    }
    eprintln!("    the registry cannot be reached: packaging only");
    let (packaged, text) = logged(with_crates(cargo().args(["package", "--offline", "--quiet"])), &root())?;
    if packaged { Ok(()) } else { Err(text) }
}

/// A tree with changes is fine: nothing is uploaded.
fn with_crates(command: &mut std::process::Command) -> &mut std::process::Command {
    command.arg("--allow-dirty").args(CRATES.iter().flat_map(|name| ["-p", name]))
}
