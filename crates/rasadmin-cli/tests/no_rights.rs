//! What somebody reads who is not an administrator.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "../../rasadmin-recorder/tests/support/scene.rs"]
#[allow(dead_code)]
mod scene;

use scene::Scene;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output};

const CONFIG: &str = "default.action = \"allow\"\njournal.durability = \"process\"\n";

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Gives the folder, and all that is in it, these rights.
fn rights(folder: &Path, folders: u32, files: u32) {
    mode(folder, 0o755);
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.path().is_dir() {
            true => rights(&entry.path(), folders, files),
            false => mode(&entry.path(), files),
        }
    }
    mode(folder, folders);
}

/// Alice is connected, and the ledger knows it.
fn scene() -> Scene {
    let scene = Scene::new(CONFIG);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    let config = scene.folder.path().join("rasadmin.toml");
    let updated =
        Command::new(env!("CARGO_BIN_EXE_rasadmin")).args(["ledger", "update", "--config"]).arg(config).output();
    assert!(updated.unwrap().status.success());
    scene
}

/// Runs the command without the right to write anything, nor to read what is `closed`. Rights do not bind root, who
/// becomes somebody else.
fn without_rights(scene: &Scene, arguments: &[&str], closed: Option<&Path>) -> (Option<i32>, String, String) {
    let program = tempfile::tempdir().unwrap();
    mode(program.path(), 0o755);
    let copy = program.path().join("rasadmin");
    fs::copy(env!("CARGO_BIN_EXE_rasadmin"), &copy).unwrap();
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut command = Command::new(if is_root { Path::new("setpriv") } else { &copy });
    if is_root {
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy);
    }
    command.args(arguments).env("RASADMIN_CONFIG", scene.folder.path().join("rasadmin.toml")).current_dir("/");
    rights(scene.folder.path(), 0o555, 0o444);
    closed.into_iter().for_each(|closed| mode(closed, 0));
    let Output { status, stdout, stderr } = command.output().unwrap();
    rights(scene.folder.path(), 0o755, 0o644);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn a_ledger_that_lacks_nothing_is_read_without_a_warning() {
    let scene = scene();
    let (code, out, err) = without_rights(&scene, &["sessions"], None);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("ALICE"), "{out}");
    scene.begin(2, "bob", "VPN0-2").unwrap();
    let (code, out, err) = without_rights(&scene, &["sessions"], None);
    assert!(code == Some(0) && !out.contains("BOB"), "{out}{err}");
    assert!(
        err.contains("the ledger is as of") && err.contains("run it as SYSTEM or as an administrator (root)"),
        "{err}"
    );
}

#[test]
fn what_may_not_be_read_is_not_called_missing() {
    let scene = scene();
    let config = scene.folder.path().join("rasadmin.toml");
    let says = format!(
        "{}: you may not read it (Permission denied (os error 13)); run the command as an administrator",
        config.display()
    );
    for closed in [config.as_path(), scene.folder.path()] {
        let (code, _, err) = without_rights(&scene, &["sessions"], Some(closed));
        assert_eq!((code, err.trim_end()), (Some(2), format!("error: {says}").as_str()));
        let (code, out, _) = without_rights(&scene, &["status"], Some(closed));
        assert!(code == Some(1) && out.contains(&says), "{out}");
    }
}

#[test]
fn what_may_not_be_written_says_who_may() {
    let scene = scene();
    let (code, _, err) = without_rights(&scene, &["close", "1"], None);
    assert!(code == Some(2) && err.trim_end().ends_with("; run the command as an administrator"), "{err}");
    let file = scene.folder.path().join("new.toml");
    let new = ["config", "new", "--no-questions", "--output", file.to_str().unwrap()];
    let (code, _, err) = without_rights(&scene, &new, None);
    assert!(code == Some(2) && err.contains("or name another file with --output"), "{err}");
}
