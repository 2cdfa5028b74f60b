//! Who can write these files, apart from administrators.

use super::facts::{Facts, Mark};
use crate::setup::{Stop, folders};
use rasadmin_journal::rights;
use rasadmin_policy::config::Config;
use rasadmin_setup::acl::{self, Object};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Who can write these files, apart from administrators.
pub fn rights(facts: &mut Facts, dll: Option<&Path>, config_file: &Path, config: Option<&Config>) {
    let mut dangers = Vec::new();
    let ledger = config.map(|config| config.ledger.as_path()).filter(|ledger| ledger.exists());
    let mut failed = None;
    let members = config.map(|config| config.bundle.files().split_off(1)).unwrap_or_default();
    let files = [dll, Some(config_file), ledger].into_iter().flatten().chain(members.iter().map(PathBuf::as_path));
    let journal = config.map(|config| config.journal.clone()).filter(|journal| journal.is_dir());
    let faults = journal.as_deref().map(rights::check).unwrap_or_default();
    for path in files {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        if let Err(Stop::Failed(why) | Stop::Refused(why)) = folders::add(&mut dangers, &path, Object::File) {
            failed = Some(why);
        }
    }
    if let Some(journal) = &journal
        && let Err(Stop::Failed(why) | Stop::Refused(why)) = folders::add(&mut dangers, journal, Object::Folder)
    {
        failed = Some(why);
    }
    if let Some(why) = failed {
        facts.add(Mark::Attention, "rights", why);
    } else if dangers.is_empty() && faults.is_empty() {
        facts.add(Mark::Ok, "rights", "only administrators can write DLL, configuration, lists, journal and ledger");
    }
    dangers.retain(|danger| Some(&danger.path) != journal.as_ref());
    for danger in &dangers {
        facts.add(Mark::Attention, "rights", format!("{danger}: {}", acl::remedy(&danger.path)));
    }
    if let (Some(journal), Some(what)) = (&journal, rights::describe(&faults)) {
        let remedy = rights::remedy(journal, &faults);
        facts.add(Mark::Attention, "rights", format!("{what}: {remedy}"));
    }
    let shown: Vec<_> =
        dangers.iter().map(|danger| json!({ "path": danger.path, "who": danger.who, "owns": danger.owns })).collect();
    facts.data.insert("dangers".into(), shown.into());
    let shown: Vec<_> = faults.iter().map(|fault| json!({ "path": fault.path, "what": fault.what })).collect();
    facts.data.insert("journal_rights".into(), shown.into());
}
