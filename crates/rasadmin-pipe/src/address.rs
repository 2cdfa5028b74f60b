//! Where the pipe of a journal's service is.

use std::fmt;
use std::path::Path;

/// The name of the pipe on Windows, or the path of the socket elsewhere. Each journal has its own, as each has its own
/// service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Inner);

#[cfg(unix)]
type Inner = std::path::PathBuf;
#[cfg(windows)]
type Inner = String;

/// The name of the socket in the journal's folder.
#[cfg(unix)]
pub const SOCKET: &str = "service.sock";

#[cfg(unix)]
impl Address {
    /// The pipe of the service of a journal: the socket `service.sock` in its folder, which only root or the service's
    /// user can enter.
    pub fn of_journal(folder: &Path, _usual: &Path) -> Self {
        Self(folder.join(SOCKET))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

#[cfg(windows)]
impl Address {
    /// The pipe of the service of a journal: `\\.\pipe\rasadmin` if the journal is in the usual folder. Another one's
    /// name ends with a digest of its folder.
    pub fn of_journal(folder: &Path, usual: &Path) -> Self {
        // However the folder is written. It exists if a service runs.
        let plain = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let lower = |path: &Path| plain(path).to_string_lossy().to_lowercase();
        let folder = lower(folder);
        if folder == lower(usual) {
            return Self(r"\\.\pipe\rasadmin".to_owned());
        }
        let digest = <sha2::Sha256 as sha2::Digest>::digest(folder.as_bytes());
        let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self(format!(r"\\.\pipe\rasadmin-{digest}"))
    }

    /// Its name for Windows, terminated.
    pub(crate) fn wide(&self) -> Vec<u16> {
        self.0.encode_utf16().chain([0]).collect()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&rasadmin_text::printable_path(&self.0))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_journal_has_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let usual = folder.path().join("journal");
        let other = folder.path().join("other");
        std::fs::create_dir(&usual).unwrap();
        std::fs::create_dir(&other).unwrap();
        let of = |folder: &Path| Address::of_journal(folder, &usual);
        assert_ne!(of(&usual), of(&other));
        if cfg!(windows) {
            assert_eq!(of(&usual).to_string(), r"\\.\pipe\rasadmin");
            assert!(of(&other).to_string().starts_with(r"\\.\pipe\rasadmin-"), "{}", of(&other));
            let spelled = folder.path().join("OTHER").join("..").join("other");
            assert_eq!(of(&spelled), of(&other), "however it is written");
        } else {
            assert_eq!(of(&usual).to_string(), usual.join("service.sock").display().to_string());
        }
    }
}
