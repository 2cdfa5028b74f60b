//! Saves a configuration for a restart, in the journal's folder and beside the configuration itself. A large one is
//! written in portions, because syncing it at once takes too long.

use super::Config;
use super::paths::{beside, last_good};
use rasadmin_messages::Message;
use rasadmin_rights::private::{make_folder, only_ours, why_untrusted};
use std::fs::OpenOptions;
use std::io::{Result, Write};
use std::path::{Path, PathBuf};

/// A configuration being saved.
#[derive(Debug)]
pub(super) struct Keeping {
    text: Vec<u8>,
    written: usize,
    /// Where it is still to be written, the next path last.
    places: Vec<PathBuf>,
    /// Where it could not be written, and why.
    failed: Vec<String>,
}

impl Keeping {
    /// Prepares to save; writes nothing yet. A configuration that cannot be saved at all (because its path is not
    /// Unicode) has already failed.
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

    /// Writes at most `budget` octets more. Returns `None` when done; a message says if that failed.
    pub fn advance(mut self, budget: usize) -> Option<Self> {
        self.step(budget);
        if !self.places.is_empty() {
            return Some(self);
        }
        if let Some(places) = self.failures() {
            Message::ConfigNotKept { places: &places }.emit();
        }
        None
    }

    /// Writes all of it, except where it is already saved. Returns where that failed, and why.
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

    /// Continues at the next path. If that fails, it leaves nothing there.
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

    /// Writes a new file, which replaces the old one in a single step when it is complete. A reader finds either the
    /// old file or the new one.
    fn write(&mut self, new: &Path, place: &Path, budget: usize) -> Result<()> {
        let first = self.written == 0;
        if first {
            let _ = std::fs::remove_file(new); // Left by a process with the same number, or put there by another program.
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

/// Where a configuration is saved for a restart. The journal's folder may not exist yet.
fn places(config: &Config) -> Vec<PathBuf> {
    let _ = make_folder(&config.journal); // If it fails, what follows says so.
    vec![last_good(&config.journal), beside(&config.bundle.file)]
}
