//! Paths that collide, and paths that services cannot reach.

use super::Looking;
use crate::config::list_files;
use std::path::{Component, Path};

impl Looking<'_> {
    pub(super) fn paths(&mut self) {
        let config = self.config;
        let (ledger, journal) = (self.read.position(&["ledger", "path"]), self.read.position(&["journal", "folder"]));
        let both = ledger.clone().or(journal.clone()).unwrap_or(0..0);
        if same(&config.ledger, &config.journal) {
            let help = "the ledger is a file of its own: write ledger.path = \"rasadmin.db\"";
            self.warn(both, "the ledger's path is the journal's folder", help);
        }
        if same(&config.ledger, &config.bundle.file) {
            let help = "the ledger is a file of its own: write ledger.path = \"rasadmin.db\"";
            self.warn(ledger.unwrap_or(0..0), "the ledger's path is this configuration file", help);
        }
        if same(&config.journal, &config.bundle.file) {
            let help = "the journal is a folder of its own: write journal.folder = \"journal\"";
            self.warn(journal.unwrap_or(0..0), "the journal's folder is this configuration file", help);
        }
    }

    /// A network drive belongs to the user who connected it. RRAS and the rasadmin service run as SYSTEM.
    pub(super) fn drives(&mut self) {
        let (file, own) = (self.file, &self.config.bundle.file);
        let lists = list_files::named(file).map(|(path, lines)| (path, lines.name()));
        let service = file.service.as_ref();
        let backups = service.and_then(|service| service.retention.backups.as_ref());
        let metrics = service.and_then(|service| service.metrics.file.as_ref());
        let stored = [
            (file.journal.folder.as_ref(), "journal"),
            (file.ledger.path.as_ref(), "ledger"),
            (backups, "folder of the backups"),
            (metrics, "metrics file"),
        ];
        let stored = stored.into_iter().filter_map(|(path, what)| Some((path?, what)));
        let named = lists.chain(stored).map(|(path, what)| (path.span(), what, Path::new(path.get_ref())));
        let mut warned = Vec::new();
        for (span, what, path) in named.chain([(0..0, "configuration", own.as_path())]) {
            let Some(drive) = drive(path).filter(|&drive| (self.computer.is_network_drive)(drive)) else { continue };
            if !warned.contains(&span) {
                warned.push(span.clone());
                let what = format!(
                    "the {what} is on the network drive {drive}:, which services running as SYSTEM cannot reach"
                );
                self.warn(span, what, "put it into a folder on this computer");
            }
        }
    }
}

/// The letter of the drive that a path names: `Z:\lists`, `\\?\Z:\lists`.
fn drive(path: &Path) -> Option<char> {
    let path = path.to_string_lossy().replace('/', r"\");
    let path = path.strip_prefix(r"\\?\").or_else(|| path.strip_prefix(r"\\.\")).unwrap_or(&path);
    let mut chars = path.chars();
    let letter = chars.next().filter(char::is_ascii_alphabetic)?;
    (chars.next() == Some(':')).then(|| letter.to_ascii_uppercase())
}

/// Do two paths name the same file, as far as their spelling says?
fn same(one: &Path, other: &Path) -> bool {
    let parts = |path: &Path| {
        let mut parts: Vec<String> = Vec::new();
        for part in path.components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => drop(parts.pop()),
                part => {
                    let part = part.as_os_str().to_string_lossy();
                    parts.push(if cfg!(windows) { part.to_lowercase() } else { part.into_owned() });
                }
            }
        }
        parts
    };
    parts(one) == parts(other)
}
