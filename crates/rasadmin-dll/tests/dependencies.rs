//! Only what the product needs is linked into RRAS's process.
#![cfg(not(windows))]
#![allow(clippy::unwrap_used)]

use std::process::Command;

/// Packages that only the command, tests or the build need, and packages that compile C, keep a database or start
/// threads.
const NOT_IN_RRAS: [&str; 20] = [
    "cc",
    "cmake",
    "pkg-config",
    "vcpkg",
    "rusqlite",
    "libsqlite3-sys",
    "rasadmin-ledger",
    "tokio",
    "schemars",
    "clap",
    "insta",
    "proptest",
    "indicatif",
    "tempfile",
    "rasadmin-host",
    "rasadmin-check",
    "rasadmin-setup",
    "rasadmin-history",
    "rasadmin-answers",
    "rasadmin-web",
];

#[test]
fn nothing_of_the_command_is_linked_into_the_dll() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--package",
            "rasadmin-dll",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--offline",
            "--locked",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let packages = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let names: Vec<_> = packages.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"rasadmin-policy"), "{packages}");
    let found: Vec<_> = NOT_IN_RRAS.iter().filter(|name| names.contains(name)).collect();
    assert!(found.is_empty(), "{found:?} in:\n{packages}");
}
