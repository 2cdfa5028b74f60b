//! Who apart from administrators can write the DLL, the configuration, its lists, the journal and the ledger.

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

/// Who apart from administrators controls the files, and what is wrong with the journal's folder.
pub fn check(
    facts: &mut Facts,
    dll: Option<&Path>,
    config_file: &Path,
    config: Option<&Config>,
) -> (Vec<UnsafePermission>, Vec<JournalFault>) {
    let mut found = Vec::new();
    let ledger = config.map(|config| config.ledger.as_path()).filter(|ledger| ledger.exists());
    let mut failed = None;
    let members = config.map(|config| config.bundle.files().split_off(1)).unwrap_or_default();
    let files = [dll, Some(config_file), ledger].into_iter().flatten().chain(members.iter().map(PathBuf::as_path));
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
