//! What install, uninstall and status share: RRAS's list of DLLs, the steps of a change, the question before it.

pub mod dashboard;
pub mod folders;
pub mod permissions;
pub mod preflight;
pub mod product;
pub mod steps;
pub mod windows_service;

use crate::error::{CommandError, Kind, OrCommandError, Result};
use rasadmin_setup::registry::{Registered, Registry};
use rasadmin_system::places;
use std::path::{Path, PathBuf};

/// The registry, and what RRAS would read in it.
pub fn registry(root: Option<&str>) -> Result<(Registry, Registered)> {
    let registry = Registry::open(root).map_err(|e| {
        CommandError::new(Kind::System, format!("{e}: nothing can be registered here")).hint(
            "`rasadmin check` and `rasadmin host run` try a DLL, `rasadmin install --config-only` writes a \
             configuration, `rasadmin status` checks it",
        )
    })?;
    let registered = registry.read().or_error(Kind::System)?;
    Ok((registry, registered))
}

/// Where the configuration may be. `registered` is what the registry says, for a `root` that replaces the machine's.
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

/// The value of an environment variable.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
