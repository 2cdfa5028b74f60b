//! The texts of a configuration.

use super::paths::folder;
use crate::Name;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The texts of a configuration, from which it can be compiled again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The file, for messages and relative paths.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
    /// The texts of the files with lists, by their names in the file: members, networks, computers, reservations.
    #[serde(rename = "members")]
    pub lists: BTreeMap<String, String>,
    /// The name of the computer that the configuration is for. It distinguishes the computer's own accounts from a
    /// domain's. Empty if unknown.
    #[serde(default, skip_serializing_if = "Name::is_empty")]
    pub computer: Name,
}

impl Bundle {
    /// The files that it depends on: the configuration and its files with lists. Their paths are absolute if the
    /// configuration's is. Anyone who can write to one of them decides who may connect.
    pub fn files(&self) -> Vec<PathBuf> {
        let lists = self.lists.keys().map(|name| folder(&self.file).join(name));
        std::iter::once(self.file.clone()).chain(lists).collect()
    }

    /// The size of all texts, in octets.
    pub(super) fn len(&self) -> usize {
        self.text.len() + self.lists.values().map(String::len).sum::<usize>()
    }
}

/// The digest of a file with a list, for [`hash`].
pub(super) fn digest(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// The hash of a configuration: the first 16 hexadecimal digits of the SHA-256 of its text and of the digests of its
/// files with lists.
pub(super) fn hash<'a>(text: &str, lists: impl IntoIterator<Item = &'a [u8; 32]>) -> String {
    let mut whole = Sha256::new();
    whole.update(Sha256::digest(text));
    lists.into_iter().for_each(|digest| whole.update(digest));
    whole.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
