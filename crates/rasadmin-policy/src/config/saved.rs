//! Configurations that were saved for a restart.

use super::compile::{Source, parse};
use super::paths::{JOURNAL, beside, folder, last_good};
use super::{Bundle, Config, ConfigErrors, loading, read};
use rasadmin_messages::Message;
use rasadmin_rights::private::why_untrusted;
use std::path::{Path, PathBuf};

impl Bundle {
    /// Compiles it.
    pub fn compile(&self) -> Result<Config, ConfigErrors> {
        let mut lists =
            |name: &str| self.lists.get(name).cloned().ok_or_else(|| format!("the file `{name}` was not kept"));
        let source = Source {
            file: &self.file.display().to_string(),
            text: &self.text,
            folder: &folder(&self.file),
            computer: &self.computer,
        };
        let mut config = parse(&source, &mut lists)?;
        config.bundle.file.clone_from(&self.file);
        Ok(config)
    }

    /// Reads a saved configuration; `None` if there is none, or it is damaged. A file that another user has written or
    /// can write does not count, and a message says so: that user could decide who may connect.
    pub fn kept(path: &Path) -> Option<Self> {
        if let Some(why) = why_untrusted(path) {
            Message::KeptConfigNotUsed { file: &path.display(), why: &why }.emit();
            return None;
        }
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }
}

/// The paths where the last good configuration may be saved.
#[derive(Debug)]
pub(super) struct KeptAt {
    /// In the journal's folder that the file names, as far as an invalid file still names it.
    pub named: Option<PathBuf>,
    /// The other paths, if the file names no folder, is unreadable or is missing: in the default folder of a journal,
    /// and beside the file.
    pub otherwise: [PathBuf; 2],
}

impl KeptAt {
    pub fn all(&self) -> impl Iterator<Item = &PathBuf> {
        self.named.iter().chain(&self.otherwise)
    }
}

/// Where the last good configuration of a file may be saved.
pub(super) fn kept_at(path: &Path) -> KeptAt {
    let named = loading::text(path).ok().and_then(|text| read::journal_folder(&text));
    KeptAt {
        named: named.map(|journal| last_good(&folder(path).join(journal))),
        otherwise: [last_good(&folder(path).join(JOURNAL)), beside(path)],
    }
}
