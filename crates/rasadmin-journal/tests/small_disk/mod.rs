//! A small file system for a test, in a Linux namespace.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::Path;

/// Runs this test again in a namespace with a small file system, if the system allows that.
pub fn on_a_small_disk(test: &str, megabytes: u32, body: impl FnOnce(&Path)) {
    const INSIDE: &str = "RASADMIN_SMALL_DISK";
    if let Some(folder) = std::env::var_os(INSIDE) {
        return body(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let script = format!("mount -t tmpfs -o size={megabytes}m tmpfs \"$1\" && exec \"$2\" --exact \"$3\" --nocapture");
    let mut command = std::process::Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", &script, "sh"]).arg(folder.path());
    let output = command.arg(std::env::current_exe().unwrap()).arg(test).env(INSIDE, folder.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{}\n{text}\n{errors}", output.status);
}

/// Mounts a file system there.
pub fn mount(arguments: &[&str], folder: &Path) {
    assert!(std::process::Command::new("mount").args(arguments).arg(folder).status().unwrap().success());
}
