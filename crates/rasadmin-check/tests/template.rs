//! templates/admin-dll, filled in as cargo-generate does, builds a DLL that passes every check.
#![cfg(not(windows))] // It calls cargo, which does not exist under Wine.
#![allow(clippy::unwrap_used)]

mod common;

use common::{found, impatient, report};
use mprapi::Profile;
use rasadmin_check::{Check, Outcome, Verdict};
use std::path::{Path, PathBuf};
use std::process::Command;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Copies a folder of the template, with its placeholders replaced.
fn fill_in(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    let sdk = workspace().join("crates/rasadmin-sdk");
    let placeholders = [
        ("{{project-name}}", "my-dll".to_owned()),
        ("{{crate_name}}", "my_dll".to_owned()),
        ("{{description}}", "A RAS administration DLL".to_owned()),
        ("{{sdk}}", format!("path = '{}'", sdk.display())),
    ];
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            fill_in(&entry.path(), &to);
        } else if entry.file_name() != "cargo-generate.toml" {
            let mut text = std::fs::read_to_string(entry.path()).unwrap();
            for (placeholder, value) in &placeholders {
                text = text.replace(placeholder, value);
            }
            assert!(!text.contains("{{"), "{}: a placeholder that cargo-generate.toml does not have", to.display());
            std::fs::write(to, text).unwrap();
        }
    }
}

#[test]
fn it_builds_a_dll_that_passes_every_check() {
    let folder = tempfile::tempdir().unwrap();
    fill_in(&workspace().join("templates/admin-dll"), folder.path());
    // The versions that are here already, so that no network is needed.
    std::fs::copy(workspace().join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--offline", "--quiet"])
        .current_dir(folder.path())
        .env("CARGO_TARGET_DIR", workspace().join("target/template"))
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo build: {}", String::from_utf8_lossy(&output.stderr));
    let name = format!("{}my_dll{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let report = report(&workspace().join("target/template/debug").join(name), &impatient());
    // The one finding is that it assigns no addresses.
    assert_eq!(found(&report), [(Check::Nt4Requirements, Outcome::Warning)]);
    assert_eq!(report.profile(Profile::Shipping).unwrap().verdict, Verdict::Starts);
    assert_eq!(report.profile(Profile::Documented).unwrap().verdict, Verdict::Starts);
}
