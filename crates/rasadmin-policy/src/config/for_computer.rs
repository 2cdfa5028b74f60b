//! Reads configurations for a computer. Its name distinguishes the computer's own accounts from a domain's.

use super::compile::{self, Source};
use super::loading::Loading;
use super::watch::{self, Saves};
use super::{Config, ConfigErrors, Started};
use crate::Name;
use std::path::Path;

/// Reads configurations for a computer. See [`for_computer`].
#[derive(Clone, Copy, Debug)]
pub struct ForComputer<'a> {
    computer: &'a Name,
}

/// Reads configurations for a computer with this name (`COMPUTERNAME` on Windows). Users of a domain with that name
/// are the computer's own accounts, and compare as such. `[server] name` names the server for people; its users also
/// count as the computer's own accounts.
pub fn for_computer(computer: &Name) -> ForComputer<'_> {
    ForComputer { computer }
}

impl ForComputer<'_> {
    /// Reads, checks and compiles a text. `members` returns the text of a members file, by the name that the text has
    /// for it. Relative paths are relative to `folder`. `file` is the name used in messages.
    pub fn parse(
        self,
        file: &str,
        text: &str,
        folder: &Path,
        members: &mut dyn FnMut(&str) -> Result<String, String>,
    ) -> Result<Config, ConfigErrors> {
        compile::parse(&Source { file, text, folder, computer: self.computer }, members)
    }

    /// Reads and compiles a file.
    pub fn load(self, path: &Path) -> Result<Config, ConfigErrors> {
        Loading::new(path, self.computer).whole().1
    }

    /// Reads a file. If it is invalid or missing, returns the last good configuration and what is wrong. Writes
    /// nothing.
    ///
    /// # Errors
    ///
    /// If the file is invalid or missing, and there never was a good one.
    pub fn read(self, path: &Path) -> Result<(Config, Option<ConfigErrors>), ConfigErrors> {
        watch::read(path, self.computer)
    }

    /// Reads a file and watches it. If it is invalid or missing, starts with the last good configuration.
    ///
    /// # Errors
    ///
    /// If the file is invalid or missing, and there never was a good one.
    pub fn start(self, path: &Path) -> Result<Started, ConfigErrors> {
        watch::start(path, self.computer, Saves::Yes)
    }

    /// As [`ForComputer::start`], for a program beside the DLL: it saves nothing for a restart.
    ///
    /// # Errors
    ///
    /// If the file is invalid or missing, and there never was a good one.
    pub fn watch(self, path: &Path) -> Result<Started, ConfigErrors> {
        watch::start(path, self.computer, Saves::No)
    }
}

/// [`ForComputer::parse`] for an unknown computer.
pub fn parse(
    file: &str,
    text: &str,
    folder: &Path,
    members: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<Config, ConfigErrors> {
    for_computer(&Name::default()).parse(file, text, folder, members)
}

/// [`ForComputer::load`] for an unknown computer.
pub fn load(path: &Path) -> Result<Config, ConfigErrors> {
    for_computer(&Name::default()).load(path)
}

/// [`ForComputer::read`] for an unknown computer.
pub fn read(path: &Path) -> Result<(Config, Option<ConfigErrors>), ConfigErrors> {
    for_computer(&Name::default()).read(path)
}

/// [`ForComputer::start`] for an unknown computer.
pub fn start(path: &Path) -> Result<Started, ConfigErrors> {
    for_computer(&Name::default()).start(path)
}
