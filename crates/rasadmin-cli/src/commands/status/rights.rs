//! Who apart from administrators can write the DLL, the service's program, the configuration, its lists, the journal and
//! the ledger.

use super::facts::{Facts, Mark};
use crate::setup::permissions;
use rasadmin_journal::rights;
use rasadmin_policy::config::Config;
use rasadmin_rights::Object;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Somebody who is not an administrator controls a file or folder.
#[derive(Serialize, JsonSchema)]
pub struct UnsafePermission {
    /// The path of the file or folder.
    path: String,
    /// The user or group: a well-known name, or a SID.
    who: String,
    /// Whether they own it; otherwise they can write it.
    owns: bool,
}

/// Something in the journal's folder has the wrong permissions.
#[derive(Serialize, JsonSchema)]
pub struct JournalFault {
    /// The path of the file or folder.
    path: String,
    /// What is wrong, as text.
    what: String,
}

/// Who apart from administrators controls the files, and what is wrong with the journal's folder. `programs` run as
/// SYSTEM: the DLL, and the program of the Windows service.
pub fn check(
    facts: &mut Facts,
    programs: &[PathBuf],
    config_file: &Path,
    config: Option<&Config>,
) -> (Vec<UnsafePermission>, Vec<JournalFault>) {
    let mut found = Vec::new();
    let ledger = config.map(|config| config.ledger.as_path()).filter(|ledger| ledger.exists());
    let mut failed = None;
    let members = config.map(|config| config.bundle.files().split_off(1)).unwrap_or_default();
    let files = [Some(config_file), ledger].into_iter().flatten();
    let files = files.chain(programs.iter().chain(&members).map(PathBuf::as_path));
    let journal = config.map(|config| config.journal.clone()).filter(|journal| journal.is_dir());
    let faults = journal.as_deref().map(rights::check).unwrap_or_default();
    // What is missing is reported as missing, and has no rights.
    let files: Vec<&Path> = files.filter(|path| path.exists()).collect();
    for path in &files {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        if let Err(e) = permissions::add(&mut found, &path, Object::File) {
            failed = Some(e.to_string());
        }
    }
    if let Some(journal) = &journal
        && let Err(e) = permissions::add(&mut found, journal, Object::Folder)
    {
        failed = Some(e.to_string());
    }
    if let Some(why) = failed {
        facts.add(Mark::Attention, "rights", why);
    } else if found.is_empty() && faults.is_empty() && !files.is_empty() {
        facts.add(Mark::Ok, "rights", "only administrators can write DLL, configuration, lists, journal and ledger");
    }
    // The journal's own faults say it in more detail.
    found.retain(|permission| Some(&permission.path) != journal.as_ref());
    for permission in &found {
        facts.add(Mark::Attention, "rights", format!("{permission}: {}", rasadmin_rights::remedy(&permission.path)));
    }
    if let (Some(journal), Some(what)) = (&journal, rights::describe(&faults)) {
        let remedy = rights::remedy(journal, &faults);
        facts.add(Mark::Attention, "rights", format!("{what}: {remedy}"));
    }
    let unsafe_permissions = found.into_iter().map(|permission| UnsafePermission {
        path: permission.path.display().to_string(),
        who: permission.who,
        owns: permission.owns,
    });
    let journal_faults =
        faults.into_iter().map(|fault| JournalFault { path: fault.path.display().to_string(), what: fault.what });
    (unsafe_permissions.collect(), journal_faults.collect())
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_program_of_the_service_that_others_can_write_needs_attention() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("rasadmin.exe");
        std::fs::write(&program, "").unwrap();
        for (mode, safe) in [(0o755, true), (0o777, false)] {
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(mode)).unwrap();
            let mut facts = Facts::default();
            let (found, _) = check(&mut facts, std::slice::from_ref(&program), &folder.path().join("gone.toml"), None);
            let text = facts.text(None, false);
            assert_eq!((found.is_empty(), !facts.need_attention()), (safe, safe), "{text}");
        }
    }
}
