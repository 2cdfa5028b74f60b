//! A large configuration is kept for a restart in portions: a disk takes long to sync it as a whole.

use super::Config;
use super::watch::places;
use rasadmin_messages::Message;
use std::fs::OpenOptions;
use std::io::{Result, Write};
use std::path::PathBuf;

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
    pub fn new(config: &Config) -> Self {
        let mut places = places(config);
        places.reverse();
        // A text with texts in it: it cannot fail.
        let text = serde_json::to_vec(&config.bundle).unwrap_or_default();
        Self { text, written: 0, places, failed: Vec::new() }
    }

    /// Writes so many octets more. None: it is done, and told if it failed.
    pub fn go_on(mut self, budget: usize) -> Option<Self> {
        if let Err(why) = self.write(budget)
            && let Some(place) = self.places.pop()
        {
            self.failed.push(format!("{}: {why}", place.display()));
            self.written = 0;
        }
        if !self.places.is_empty() {
            return Some(self);
        }
        if !self.failed.is_empty() {
            Message::ConfigNotKept { places: &self.failed.join("; ") }.tell();
        }
        None
    }

    /// In a file of its own, which takes the place of the old one in one step when it is whole.
    fn write(&mut self, budget: usize) -> Result<()> {
        let Some(place) = self.places.last() else { return Ok(()) };
        let mut new = place.as_os_str().to_owned();
        new.push(format!(".new-{}", std::process::id()));
        let first = self.written == 0;
        let mut file = OpenOptions::new().create(true).write(true).truncate(first).append(!first).open(&new)?;
        let end = self.text.len().min(self.written.saturating_add(budget.max(1)));
        file.write_all(&self.text[self.written..end])?;
        file.sync_data()?;
        self.written = end;
        if end == self.text.len() {
            drop(file);
            std::fs::rename(&new, place)?;
            self.places.pop();
            self.written = 0;
        }
        Ok(())
    }
}
