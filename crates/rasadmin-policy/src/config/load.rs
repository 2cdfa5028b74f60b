//! From the disk: the file with its members files, and the last good ones.

use super::compile::{Source, parse};
use super::{Config, ConfigErrors, read};
use crate::Name;
use rasadmin_messages::Message;
use rasadmin_rights::private::why_untrusted;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A configuration's texts: enough to compile it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The file, for messages and relative paths.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
    /// The members files, as they are named in it.
    pub members: BTreeMap<String, String>,
    /// The name of the computer whose configuration it is, which tells its own accounts from a domain's; empty if
    /// nobody knew.
    #[serde(default, skip_serializing_if = "Name::is_empty")]
    pub computer: Name,
}

impl Bundle {
    /// The files that it depends on: itself and its members files, absolute if it is. Whoever can write one of them
    /// decides who may connect.
    pub fn files(&self) -> Vec<PathBuf> {
        let members = self.members.keys().map(|name| folder(&self.file).join(name));
        std::iter::once(self.file.clone()).chain(members).collect()
    }

    /// Octets of all its texts.
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

    /// The last good one that was kept; None if there is none, or it is damaged. One that another user has written or
    /// can write does not count, and a message says so: a user who can write it decides who may connect.
    pub fn kept(path: &Path) -> Option<Self> {
        if let Some(why) = why_untrusted(path) {
            Message::KeptConfigNotUsed { file: &path.display(), why: &why }.emit();
            return None;
        }
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }
}

/// The journal's folder, beside the configuration, if that names no other.
pub(super) const JOURNAL: &str = "journal";

/// Where the last good configuration is kept: in the journal's folder.
pub fn last_good(journal: &Path) -> PathBuf {
    journal.join("last-good.json")
}

pub(super) fn folder(file: &Path) -> PathBuf {
    file.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// What stands for a members file in [`hash`].
pub(super) fn digest(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Of a file's text and the digests of its members files: the first 16 hexadecimal digits of SHA-256.
pub(super) fn hash<'a>(text: &str, members: impl IntoIterator<Item = &'a [u8; 32]>) -> String {
    let mut whole = Sha256::new();
    whole.update(Sha256::digest(text));
    members.into_iter().for_each(|digest| whole.update(digest));
    whole.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where the last good configuration can be.
#[derive(Debug)]
pub(super) struct KeptAt {
    /// In the folder that the file names for its journal, as far as a broken file can tell.
    pub named: Option<PathBuf>,
    /// Where it is if the file names none, or cannot tell, or is gone: in the folder that a journal has then, and
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

/// Beside the configuration: where it is kept too, since the journal's folder may be moved away, and a file that is
/// gone cannot tell where it was.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(".last-good.json");
    path.into()
}
