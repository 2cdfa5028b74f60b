//! The texts of a configuration, and where the last good ones are saved.

use super::compile::{Source, parse};
use super::{Config, ConfigErrors, read};
use crate::Name;
use rasadmin_messages::Message;
use rasadmin_rights::private::unbelievable;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The texts of a configuration, from which it can be compiled again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The file, for messages and relative paths.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
    /// The members files, by their names in the file.
    pub members: BTreeMap<String, String>,
    /// The name of the computer that the configuration is for. It distinguishes the computer's own accounts from a
    /// domain's. Empty if unknown.
    #[serde(default, skip_serializing_if = "Name::is_empty")]
    pub computer: Name,
}

impl Bundle {
    /// The files that it depends on: the configuration and its members files. Their paths are absolute if the
    /// configuration's is. Anyone who can write to one of them decides who may connect.
    pub fn files(&self) -> Vec<PathBuf> {
        let members = self.members.keys().map(|name| folder(&self.file).join(name));
        std::iter::once(self.file.clone()).chain(members).collect()
    }

    /// The size of all texts, in octets.
    pub(super) fn len(&self) -> usize {
        self.text.len() + self.members.values().map(String::len).sum::<usize>()
    }

    /// Compiles it.
    pub fn compile(&self) -> Result<Config, ConfigErrors> {
        let mut members = |name: &str| {
            self.members.get(name).cloned().ok_or_else(|| format!("the members file `{name}` was not kept"))
        };
        let source = Source {
            file: &self.file.display().to_string(),
            text: &self.text,
            folder: &folder(&self.file),
            computer: &self.computer,
        };
        let mut config = parse(&source, &mut members)?;
        config.bundle.file.clone_from(&self.file);
        Ok(config)
    }

    /// Reads a saved configuration; `None` if there is none, or it is damaged. A file that another user has written or
    /// can write does not count, and a message says so: that user could decide who may connect.
    pub fn kept(path: &Path) -> Option<Self> {
        if let Some(why) = unbelievable(path) {
            Message::KeptConfigNotUsed { file: &path.display(), why: &why }.tell();
            return None;
        }
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }
}

/// The default name of the journal's folder, beside the configuration.
pub(super) const JOURNAL: &str = "journal";

/// The path of the last good configuration in the journal's folder.
pub fn last_good(journal: &Path) -> PathBuf {
    journal.join("last-good.json")
}

pub(super) fn folder(file: &Path) -> PathBuf {
    file.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// The digest of a members file, for [`hash`].
pub(super) fn digest(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// The hash of a configuration: the first 16 hexadecimal digits of the SHA-256 of its text and of the digests of its
/// members files.
pub(super) fn hash<'a>(text: &str, members: impl IntoIterator<Item = &'a [u8; 32]>) -> String {
    let mut whole = Sha256::new();
    whole.update(Sha256::digest(text));
    members.into_iter().for_each(|digest| whole.update(digest));
    whole.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The paths where the last good configuration may be saved.
#[derive(Debug)]
pub(super) struct KeptAt {
    /// In the journal's folder that the file names, as far as an invalid file still names it.
    pub named: Option<PathBuf>,
    /// Where it is if the file names no folder, is unreadable or is missing: in the default folder of a journal, and
    /// beside the file.
    pub otherwise: [PathBuf; 2],
}

impl KeptAt {
    pub fn all(&self) -> impl Iterator<Item = &PathBuf> {
        self.named.iter().chain(&self.otherwise)
    }
}

pub(super) fn kept_at(path: &Path) -> KeptAt {
    let named = super::loading::text(path).ok().and_then(|text| read::journal_folder(&text));
    KeptAt {
        named: named.map(|journal| last_good(&folder(path).join(journal))),
        otherwise: [last_good(&folder(path).join(JOURNAL)), beside(path)],
    }
}

/// The path beside the configuration. A copy is saved there too, because the journal's folder may be moved, and a
/// missing file cannot name it.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(".last-good.json");
    path.into()
}
