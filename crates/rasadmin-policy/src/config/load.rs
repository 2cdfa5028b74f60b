//! From the disk: the file with its members files, and the last good ones.

use super::compile::{Source, parse};
use super::{Config, ConfigErrors, read};
use crate::Name;
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
    /// The name of the computer whose configuration it is, which tells its own accounts from a domain's; empty if nobody
    /// knew.
    #[serde(default, skip_serializing_if = "Name::is_empty")]
    pub computer: Name,
}

impl Bundle {
    /// The files that it depends on: itself and its members files, absolute if it is. Whoever can write one of them decides
    /// who may connect.
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

    /// The last good one that was kept; None if there is none, or it is damaged.
    pub fn kept(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }
}

/// Where the last good configuration of a ledger is kept.
pub fn last_good(ledger: &Path) -> PathBuf {
    let mut path = ledger.as_os_str().to_owned();
    path.push(".last-good.json");
    path.into()
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

/// Where the last good configuration can be: beside the ledger, as far as a broken file can tell where that is, and
/// beside the file, for when it cannot tell or is gone.
pub(super) fn kept_at(path: &Path) -> Vec<PathBuf> {
    let named = super::loading::text(path)
        .ok()
        .and_then(|text| read::ledger_path(&text))
        .map(|ledger| folder(path).join(ledger));
    let mut places: Vec<_> = named.iter().map(|ledger| last_good(ledger)).collect();
    places.push(beside(path));
    places.dedup();
    places
}

/// Beside the configuration: where it is kept too if its ledger is elsewhere. It is where a ledger without a path of
/// its own would have it.
pub(super) fn beside(path: &Path) -> PathBuf {
    last_good(&folder(path).join("rasadmin.db"))
}
