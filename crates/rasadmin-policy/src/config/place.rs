//! Where the configuration is.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where it may be, in this order; the caller has asked environment, registry and loader.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// RASADMIN_CONFIG.
    pub variable: Option<PathBuf>,
    /// `HKLM\SOFTWARE\rasadmin`, value `ConfigPath`.
    pub registry: Option<PathBuf>,
    /// The folder of the DLL.
    pub dll_folder: Option<PathBuf>,
    /// `%ProgramData%\rasadmin`, or `/etc/rasadmin`.
    pub data_folder: Option<PathBuf>,
}

/// There is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFound(String);

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotFound {}

/// Could a configuration be here? It, or what was kept of it when it was good.
fn is_there(path: &Path) -> bool {
    path.exists() || super::load::kept_at(path).all().any(|kept| kept.exists())
}

/// The first place where there is one. One that was named on purpose and is not there is an error.
pub fn find(places: &Places) -> Result<PathBuf, NotFound> {
    let named = [("RASADMIN_CONFIG", &places.variable), ("the registry's ConfigPath", &places.registry)];
    for (by, path) in named {
        match path {
            Some(path) if is_there(path) => return Ok(path.clone()),
            Some(path) => {
                return Err(NotFound(format!("{}: there is no such configuration; {by} names it", path.display())));
            }
            None => {}
        }
    }
    let folders = [&places.dll_folder, &places.data_folder].into_iter().flatten();
    let files: Vec<PathBuf> = folders.map(|folder| folder.join("rasadmin.toml")).collect();
    files.iter().find(|path| is_there(path)).cloned().ok_or_else(|| {
        let looked: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
        NotFound(format!(
            "there is no configuration: looked for the variable RASADMIN_CONFIG, the registry value \
             HKLM\\SOFTWARE\\rasadmin\\ConfigPath, and {}; examples/rasadmin.toml is one to start from",
            looked.join(", ")
        ))
    })
}
