//! The crates for crates.io: whether they could be published.

use crate::Result;
use crate::shell::{cargo, logged, root};
use std::path::PathBuf;

/// Those that a DLL's author depends on, and what they depend on.
const CRATES: [&str; 3] = ["mprapi", "rasadmin-text", "rasadmin-sdk"];

/// What cargo says if it cannot reach the registry.
const UNREACHABLE: [&str; 3] = ["Could not resolve host", "failed to download", "spurious network error"];

/// Does everything that publishing does, except the upload. Without the registry, packages and builds them only.
pub fn dry_run() -> Result {
    forget_extracted();
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

/// Deletes what cargo has extracted of these crates. A dry run builds each from a registry in the target folder, and cargo
/// extracts a version of a crate only once: without this, `rasadmin-sdk` is built with an earlier `mprapi` of that version.
fn forget_extracted() {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let Some(sources) = home.and_then(|home| std::fs::read_dir(home.join("registry/src")).ok()) else { return };
    // Those of a registry in a folder have no host in their names.
    let of_folders = sources.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with('-'));
    for crates in of_folders.filter_map(|entry| std::fs::read_dir(entry.path()).ok()) {
        for extracted in crates.flatten() {
            let name = extracted.file_name();
            let name = name.to_string_lossy();
            if CRATES.iter().any(|ours| name.strip_prefix(ours).is_some_and(|version| version.starts_with('-'))) {
                let _ = std::fs::remove_dir_all(extracted.path());
            }
        }
    }
}
