//! From the disk: the file with its members files, and the last good ones.

use super::{Config, ConfigErrors, check, read};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A configuration's texts: enough to compile it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The file, for messages and relative paths.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
    /// The members files, as they are named in it.
    pub members: BTreeMap<String, String>,
}

impl Bundle {
    /// Of the texts: the first 16 hexadecimal digits of SHA-256.
    pub fn hash(&self) -> String {
        let mut digest = Sha256::new();
        for text in std::iter::once(&self.text).chain(self.members.values()) {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text);
        }
        digest.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Compiles it.
    pub fn compile(&self) -> Result<Config, ConfigErrors> {
        let mut members = |name: &str| {
            self.members.get(name).cloned().ok_or_else(|| format!("the members file `{name}` was not kept"))
        };
        check::parse(&self.file.display().to_string(), &self.text, &folder(&self.file), &mut members)
    }

    /// Keeps it as the last good one. In one step: whoever reads finds the old one or this one.
    pub fn keep(&self, path: &Path) -> std::io::Result<()> {
        let mut new = path.as_os_str().to_owned();
        new.push(format!(".new-{}", std::process::id()));
        let mut file = std::fs::File::create(&new)?;
        let written = serde_json::to_writer(&mut file, self).map_err(std::io::Error::from);
        let done = written.and_then(|()| file.flush()).and_then(|()| file.sync_all());
        drop(file);
        done.and_then(|()| std::fs::rename(&new, path)).inspect_err(|_| {
            let _ = std::fs::remove_file(&new);
        })
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

fn folder(file: &Path) -> PathBuf {
    file.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// A file as it was seen: time of its last change, and length; None if it is not there.
pub(super) type Seen = Option<(SystemTime, u64)>;

/// The files that were asked for, there or not, each as it was just before it was read.
pub(super) type Files = BTreeMap<PathBuf, Seen>;

pub(super) fn seen(path: &Path) -> Seen {
    std::fs::metadata(path).ok().map(|m| (m.modified().unwrap_or(SystemTime::UNIX_EPOCH), m.len()))
}

/// Reads and compiles a file.
pub fn load(path: &Path) -> Result<Config, ConfigErrors> {
    load_and_see(path, &mut Files::new())
}

/// The same, and what was looked at: a change of any of it is a reason to look again.
pub(super) fn load_and_see(path: &Path, files: &mut Files) -> Result<Config, ConfigErrors> {
    files.insert(path.to_owned(), seen(path));
    let shown = path.display().to_string();
    let text = text(path).map_err(|(what, help)| ConfigErrors::unreadable(&shown, what, help))?;
    let mut members = |name: &str| {
        let member = folder(path).join(name);
        // Two groups can name one file: what was seen before the first reading counts.
        files.entry(member.clone()).or_insert_with(|| seen(&member));
        self::text(&member).map_err(|(what, _)| format!("the members file `{name}`: {what}"))
    };
    let mut config = check::parse(&shown, &text, &folder(path), &mut members)?;
    config.bundle.file = path.to_owned();
    Ok(config)
}

/// Where the last good configuration can be: beside the ledger, as far as a broken file can tell where that is, and
/// beside the file, for when it cannot tell or is gone.
pub(super) fn kept_at(path: &Path) -> Vec<PathBuf> {
    let named = text(path).ok().and_then(|text| read::ledger_path(&text)).map(|ledger| folder(path).join(ledger));
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

/// The text of a file, or what is wrong with it.
fn text(path: &Path) -> Result<String, (String, String)> {
    let fault = |what: &str, help: &str| (what.to_owned(), help.to_owned());
    let cannot = |e: std::io::Error| (format!("it cannot be read: {e}"), "check the path and the rights".to_owned());
    if path.is_dir() {
        return Err(fault("it is a directory", "name the file in it"));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    file.take(check::LARGEST + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > check::LARGEST {
        return Err(fault("it is larger than 16 MiB", "put long lists of users into a members_file of their own"));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(fault("it is UTF-16", "save it as UTF-8"));
    }
    String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() + 1;
        (format!("line {line} is not UTF-8"), "save it as UTF-8".to_owned())
    })
}
