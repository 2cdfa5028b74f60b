//! What `status` and `journal check` say of the journal's folder if others can write there.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use support::{Ran, rasadmin_with, words};

fn run(folder: &std::path::Path, arguments: &[&str]) -> Ran {
    let (config, log) = (folder.join("vpn.toml"), folder.join("log/rasadmin.log"));
    let arguments = arguments.iter().map(Into::into).chain(words([&"--config", &config]));
    rasadmin_with(arguments, &[("RASADMIN_LOG", log.to_str().unwrap()), ("RASADMIN_CONFIG", "")])
}

#[test]
fn wrong_rights_are_told_with_a_remedy_for_all_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("vpn.toml"), "default.action = \"allow\"\n").unwrap();
    let journal = folder.path().join("journal");
    fs::create_dir(&journal).unwrap();
    let open = |path: &std::path::Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    open(&journal, 0o700);
    run(folder.path(), &["status"]).prints("only administrators can write");
    run(folder.path(), &["journal", "check"]).ends(0);
    open(&journal, 0o777);
    fs::write(journal.join("append.lock"), "").unwrap();
    open(&journal.join("append.lock"), 0o644);
    let remedy = format!("chmod -R go= '{}'", journal.display());
    for arguments in [&["status"][..], &["journal", "check"]] {
        let ran = run(folder.path(), arguments).ends(1);
        ran.prints("journal: it can be written by everyone")
            .prints("append.lock: it can be read by everyone")
            .prints(&remedy);
    }
    let last_good = journal.join("last-good.json");
    fs::write(&last_good, "{}").unwrap();
    open(&last_good, 0o666);
    let ran = run(folder.path(), &["journal", "check"]).ends(1);
    ran.prints("last-good.json: it can be written by everyone").prints("last-good.json out of the folder");
    let mode = fs::metadata(&journal).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o777, "who only looks mends nothing");
}
