//! Whether the loader finds a library. RRAS loads admin DLLs with LOAD_LIBRARY_SEARCH_DEFAULT_DIRS, which searches the
//! service's own folder and System32, not the DLL's folder.

use super::system_dlls::is_system_dll;
use std::path::{Path, PathBuf};

/// Where the loader searches, as the cause of a finding.
pub(super) const SEARCHED: &str = "RRAS searches System32 and the service's own folder, not the folder of this DLL.";

/// Whether the loader finds a library that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Availability {
    /// It is in System32.
    Found,
    /// That cannot be known on this machine.
    Unknown,
    /// The loader does not find it.
    Missing,
}

/// Whether the loader finds a library of this file name for the DLL at `path`.
pub(super) fn find(library: &str, path: &Path) -> Availability {
    if is_system_dll(library) || in_system32(library).is_some() {
        Availability::Found
    } else if cfg!(windows) || beside(library, path) {
        Availability::Missing
    } else {
        Availability::Unknown
    }
}

/// Whether the library is beside the DLL, where someone expects the loader to find it.
fn beside(library: &str, path: &Path) -> bool {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.read_dir().is_ok_and(|mut entries| {
        entries.any(|e| e.is_ok_and(|e| e.file_name().to_string_lossy().eq_ignore_ascii_case(library)))
    })
}

/// The library's path in this machine's System32.
pub(super) fn in_system32(library: &str) -> Option<PathBuf> {
    if !cfg!(windows) || library.contains(['/', '\\']) {
        return None;
    }
    let root = std::env::var_os("SystemRoot")?;
    Some(PathBuf::from(root).join("System32").join(library)).filter(|path| path.is_file())
}
