//! Finds the configuration file.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where to look for the configuration, in this order. The caller has asked the environment, the registry and the
/// loader.
#[derive(Clone, Debug, Default)]
pub struct Locations {
    /// RASADMIN_CONFIG.
    pub variable: Option<PathBuf>,
    /// `HKLM\SOFTWARE\rasadmin`, value `ConfigPath`.
    pub registry: Option<PathBuf>,
    /// The folder of the DLL.
    pub dll_folder: Option<PathBuf>,
    /// `%ProgramData%\rasadmin`, or `/etc/rasadmin`.
    pub data_folder: Option<PathBuf>,
}

/// No configuration was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFound(String);

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotFound {}

/// Is there a configuration file at this path, or a saved copy of its last good version? If the folder may not be looked
/// into, there may be one: reading it will say so.
fn is_there(path: &Path) -> bool {
    path.try_exists().unwrap_or(true) || super::saved::kept_at(path).all().any(|kept| kept.exists())
}

/// Finds the configuration.
///
/// # Errors
///
/// If the variable or the registry names a file that does not exist, or if there is no configuration anywhere.
pub fn find(locations: &Locations) -> Result<PathBuf, NotFound> {
    let named = [("RASADMIN_CONFIG", &locations.variable), ("the registry's ConfigPath", &locations.registry)];
    for (by, path) in named {
        match path {
            Some(path) if is_there(path) => return Ok(path.clone()),
            Some(path) => {
                return Err(NotFound(format!("{}: the configuration does not exist; {by} names it", path.display())));
            }
            None => {}
        }
    }
    let folders = [&locations.dll_folder, &locations.data_folder].into_iter().flatten();
    let files: Vec<PathBuf> = folders.map(|folder| folder.join("rasadmin.toml")).collect();
    files.iter().find(|path| is_there(path)).cloned().ok_or_else(|| {
        let looked: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
        NotFound(format!(
            "no configuration found: looked for the variable RASADMIN_CONFIG, the registry value \
             HKLM\\SOFTWARE\\rasadmin\\ConfigPath, and {}; to write one, start from examples/rasadmin.toml",
            looked.join(", ")
        ))
    })
}
