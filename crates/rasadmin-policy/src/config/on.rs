//! On which computer a configuration is read: its name tells the computer's own accounts from a domain's.

use super::compile::{self, Source};
use super::loading::Loading;
use super::{Config, ConfigErrors, Started, watch};
use crate::Name;
use std::path::Path;

/// Reads configurations as a computer does. See [`on`].
#[derive(Clone, Copy, Debug)]
pub struct On<'a> {
    computer: &'a Name,
}

/// On a computer of this name (Windows' own, in `COMPUTERNAME`): users of a domain of that name are its own accounts, and
/// compare as such. `[server] name` names the server for people; its users are taken for the computer's own too.
pub fn on(computer: &Name) -> On<'_> {
    On { computer }
}

impl On<'_> {
    /// Reads, checks and compiles a text. `members` gives the text of a members file, as it is named in it; `folder` is
    /// what relative paths are relative to; `file` is its name for messages.
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

    /// Reads a file; if it is broken or gone, the last good one, with what is wrong. An error only if there never was a
    /// good one. Writes nothing.
    pub fn read(self, path: &Path) -> Result<(Config, Option<ConfigErrors>), ConfigErrors> {
        watch::read(path, self.computer)
    }

    /// Reads a file; if it is broken or gone, the last good one. An error only if there never was a good one.
    pub fn start(self, path: &Path) -> Result<Started, ConfigErrors> {
        watch::start(path, self.computer)
    }
}

/// [`On::parse`], on a computer that nobody knows.
pub fn parse(
    file: &str,
    text: &str,
    folder: &Path,
    members: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<Config, ConfigErrors> {
    on(&Name::default()).parse(file, text, folder, members)
}

/// [`On::load`], on a computer that nobody knows.
pub fn load(path: &Path) -> Result<Config, ConfigErrors> {
    on(&Name::default()).load(path)
}

/// [`On::read`], on a computer that nobody knows.
pub fn read(path: &Path) -> Result<(Config, Option<ConfigErrors>), ConfigErrors> {
    on(&Name::default()).read(path)
}

/// [`On::start`], on a computer that nobody knows.
pub fn start(path: &Path) -> Result<Started, ConfigErrors> {
    on(&Name::default()).start(path)
}
