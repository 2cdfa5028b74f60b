//! Checks for what the DLL imports from others.

use super::system_dlls::is_system_dll;
use crate::check::Check;
use crate::finding::{Finding, Outcome, Problem};
use crate::image::{Format, Image, Import};
use std::path::{Path, PathBuf};

/// Checks for imports of RAS administration and RAS user administration functions, which never return when they are called
/// from inside a callback.
pub(super) fn forbidden(image: &Image) -> Finding {
    let check = Check::ForbiddenImports;
    let names: Vec<&str> = image
        .imports
        .iter()
        .flat_map(|import| {
            let any_library = image.format == Format::Elf;
            let mprapi = import.library.eq_ignore_ascii_case("mprapi.dll");
            let rassapi = import.library.eq_ignore_ascii_case("rassapi.dll");
            import.functions.iter().filter(move |name| {
                (any_library || mprapi) && name.starts_with("MprAdmin") || rassapi && name.starts_with("RasAdmin")
            })
        })
        .map(String::as_str)
        .collect();
    if names.is_empty() {
        return Finding::pass(check, "none");
    }
    Finding::problem(
        check,
        Outcome::Warning,
        format!("it imports {}", names.join(", ")),
        Problem::of_dll(
            "These are RAS administration functions.",
            "If one of RRAS's callbacks calls such a function, it does not return, and every client waits. Calls from \
             a thread of the DLL's own are allowed.",
            "Make sure that no callback calls them, directly or by waiting for a thread that does.",
        ),
    )
}

/// Whether the loader finds a DLL that is needed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Availability {
    /// It is in System32.
    Found,
    /// That cannot be known on this machine.
    Unknown,
    /// The loader does not find it.
    Missing,
}

/// Checks that the loader finds every DLL that this one needs. RRAS uses LOAD_LIBRARY_SEARCH_DEFAULT_DIRS, which searches
/// the service's own folder and System32, not the DLL's folder.
pub(super) fn dependents(image: &Image, path: &Path) -> Finding {
    let check = Check::Dependents;
    if image.format == Format::Elf {
        return Finding::pass(check, "a native library: Windows' rules for finding DLLs do not apply");
    }
    let needed: Vec<_> = image.imports.iter().map(|i| (i, find(i, path))).collect();
    let worst = needed.iter().map(|(_, found)| *found).max().unwrap_or(Availability::Found);
    let listed = |which: Availability| {
        let names: Vec<_> = needed.iter().filter(|(_, f)| *f == which).map(|(i, _)| i.library.as_str()).collect();
        names.join(", ")
    };
    let remedy = "Link it statically into the DLL (compilers have an option for their run-time library), or install \
                  it in System32 (vcruntime140.dll: the Visual C++ redistributable).";
    match worst {
        Availability::Found => Finding::pass(check, "it needs only DLLs of the system"),
        Availability::Unknown => Finding::problem(
            check,
            Outcome::Warning,
            format!("it needs {}, which is not known to be part of Windows", listed(worst)),
            Problem::of_dll(
                "RRAS searches System32 and the service's own folder, not the folder of this DLL.",
                "If the DLL is not in System32 of the server, loading fails with error 126 (event 20113), and the \
                 Remote Access service does not start.",
                remedy,
            ),
        ),
        Availability::Missing => Finding::problem(
            check,
            Outcome::Fail,
            format!("it needs {}, which the loader does not find", listed(worst)),
            Problem::of_dll(
                "RRAS searches System32 and the service's own folder, not the folder of this DLL.",
                "Loading fails with error 126 (event 20113), and the Remote Access service does not start.",
                remedy,
            ),
        ),
    }
}

fn find(import: &Import, path: &Path) -> Availability {
    if is_system_dll(&import.library) || in_system32(&import.library) {
        Availability::Found
    } else if import.delayed {
        // If it is missing, only the first call fails.
        Availability::Unknown
    } else if cfg!(windows) || beside(&import.library, path) {
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

fn in_system32(library: &str) -> bool {
    if !cfg!(windows) || library.contains(['/', '\\']) {
        return false;
    }
    std::env::var_os("SystemRoot").is_some_and(|root| PathBuf::from(root).join("System32").join(library).is_file())
}
