//! A configuration is kept for a restart: in the journal's folder and beside itself. A large one is kept in portions, since a
//! disk takes long to sync it as a whole.

use super::Config;
use super::last_good;
use super::load::beside;
use rasadmin_messages::Message;
use rasadmin_rights::private::{make_folder, only_ours, why_untrusted};
use std::fs::OpenOptions;
use std::io::{Result, Write};
use std::path::{Path, PathBuf};

/// A configuration being kept.
#[derive(Debug)]
pub(super) struct Keeping {
    text: Vec<u8>,
    written: usize,
    /// Where it is still to be kept, the next one last.
    places: Vec<PathBuf>,
    /// Where it could not be, and why.
    failed: Vec<String>,
}

impl Keeping {
    /// Nothing is written yet. A configuration that cannot be kept at all (its path is not Unicode) has failed already.
    pub fn new(config: &Config) -> Self {
        let mut places = places(config);
        places.reverse();
        match serde_json::to_vec(&config.bundle) {
            Ok(text) => Self { text, written: 0, places, failed: Vec::new() },
            Err(why) => {
                let failed = places.iter().rev().map(|place| format!("{}: {why}", place.display())).collect();
                Self { text: Vec::new(), written: 0, places: Vec::new(), failed }
            }
        }
    }

    /// Writes so many octets more. None: it is done, and told if it failed.
    pub fn go_on(mut self, budget: usize) -> Option<Self> {
        self.step(budget);
        if !self.places.is_empty() {
            return Some(self);
        }
        if let Some(places) = self.failures() {
            Message::ConfigNotKept { places: &places }.emit();
        }
        None
    }

    /// Writes all of it, except where it is kept already. Returns where that failed, and why.
    pub fn whole(mut self) -> Option<String> {
        let kept =
            |place: &Path| std::fs::read(place).is_ok_and(|text| text == self.text) && why_untrusted(place).is_none();
        self.places.retain(|place| !kept(place));
        while !self.places.is_empty() {
            self.step(usize::MAX);
        }
        self.failures()
    }

    fn failures(&self) -> Option<String> {
        (!self.failed.is_empty()).then(|| self.failed.join("; "))
    }

    /// Goes on at the next place; if that fails, it leaves nothing there.
    fn step(&mut self, budget: usize) {
        let Some(place) = self.places.pop() else { return };
        let mut new = place.as_os_str().to_owned();
        new.push(format!(".new-{}", std::process::id()));
        let new = Path::new(&new);
        match self.write(new, &place, budget) {
            Ok(()) if self.written < self.text.len() => return self.places.push(place),
            Ok(()) => {}
            Err(why) => {
                self.failed.push(format!("{}: {why}", place.display()));
                let _ = std::fs::remove_file(new); // It may not exist.
            }
        }
        self.written = 0;
    }

    /// Writes a new file, which replaces the old one in one step when it is complete: a reader finds the old one or the
    /// new one.
    fn write(&mut self, new: &Path, place: &Path, budget: usize) -> Result<()> {
        let first = self.written == 0;
        if first {
            let _ = std::fs::remove_file(new); // Left by a process of this number, or put there by somebody else.
        }
        let mut options = OpenOptions::new();
        let mut file = only_ours(options.create_new(first).append(true)).open(new)?;
        let end = self.text.len().min(self.written.saturating_add(budget.max(1)));
        file.write_all(&self.text[self.written..end])?;
        file.sync_data()?;
        self.written = end;
        if end == self.text.len() {
            drop(file);
            std::fs::rename(new, place)?;
        }
        Ok(())
    }
}

/// Where a configuration is kept for a restart. The journal's folder may not be there yet.
fn places(config: &Config) -> Vec<PathBuf> {
    let _ = make_folder(&config.journal); // If it fails, what follows says so.
    vec![last_good(&config.journal), beside(&config.bundle.file)]
}
