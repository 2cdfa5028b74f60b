//! What install, uninstall and status have in common: RRAS's list and our place in it, the steps of a change, asking.

pub mod folders;
pub mod judge;
pub mod product;
pub mod steps;

use rasadmin_setup::registry::{Registered, Registry};
use rasadmin_system::places;
use std::path::{Path, PathBuf};

/// Why a command ends without having done its work.
#[derive(Debug)]
pub enum Stop {
    /// It must not be done: exit code 1.
    Refused(String),
    /// It cannot be done: exit code 2.
    Failed(String),
}

impl Stop {
    /// The exit code, after the message.
    pub fn end(self) -> Result<u8, String> {
        match self {
            Self::Failed(message) => Err(message),
            Self::Refused(message) => {
                eprintln!("error: {message}");
                Ok(1)
            }
        }
    }
}

/// What stands in RRAS's place in the registry.
pub fn registry(root: Option<&str>) -> Result<(Registry, Registered), Stop> {
    let registry = Registry::open(root).map_err(|e| {
        Stop::Failed(format!(
            "{e}: nothing can be registered here; `rasadmin check` and `rasadmin host run` try a DLL, `rasadmin install \
             --config-only` writes a configuration, `rasadmin status` tells of it"
        ))
    })?;
    let registered = registry.read().map_err(|e| Stop::Failed(e.to_string()))?;
    Ok((registry, registered))
}

/// Where the configuration may be. `registered` is what the registry says, where another than RRAS's is used.
pub fn config_places(
    dll: Option<&Path>,
    root: Option<&str>,
    registered: &Registered,
) -> rasadmin_policy::config::Locations {
    let mut places = places::config_places(dll.and_then(Path::parent).map(PathBuf::from));
    if root.is_some() {
        places.registry = registered.config_path.as_ref().map(PathBuf::from);
    }
    places
}

/// A path or text for a terminal: without control characters.
pub fn printable(text: impl AsRef<std::ffi::OsStr>) -> String {
    crate::table::printable(&text.as_ref().to_string_lossy()).into_owned()
}

/// What an environment variable is expanded to.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Asks before a change.
pub fn confirm(question: &str, yes: bool) -> Result<(), Stop> {
    match crate::ask::confirm(question, yes) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Stop::Refused("nothing was changed: it was not confirmed".into())),
        Err(why) => Err(Stop::Failed(why)),
    }
}
