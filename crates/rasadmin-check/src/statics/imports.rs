//! Checks for what the DLL imports from others.

use super::Subject;
use super::libraries::{Availability, SEARCHED, find};
use crate::check::Check;
use crate::finding::{Finding, Outcome, Problem};
use crate::image::{Format, Image};

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

/// The libraries that the loader does not find, or of which that is not known: the worse of the two.
fn not_found<'a>(subject: &Subject<'a>, delayed: bool) -> (Availability, Vec<&'a str>) {
    let imports = subject.image.imports.iter().filter(|import| import.delayed == delayed);
    let all: Vec<_> = imports.map(|import| (import.library.as_str(), find(&import.library, subject.path))).collect();
    let worst = all.iter().map(|(_, found)| *found).max().unwrap_or(Availability::Found);
    (worst, all.into_iter().filter(|(_, found)| *found == worst).map(|(library, _)| library).collect())
}

/// Checks that the loader finds every DLL that this one needs to load.
pub(super) fn dependents(subject: &Subject<'_>) -> Finding {
    let check = Check::Dependents;
    if subject.image.format == Format::Elf {
        return Finding::pass(check, "a native library: Windows' rules for finding DLLs do not apply");
    }
    if subject.image.is_program() {
        return Finding::pass(check, "a program is loaded without the DLLs that it needs (machine)");
    }
    let (worst, libraries) = not_found(subject, false);
    let libraries = libraries.join(", ");
    let remedy = "Link it statically into the DLL (compilers have an option for their run-time library), or install \
                  it in System32 (vcruntime140.dll: the Visual C++ redistributable).";
    match worst {
        Availability::Found => Finding::pass(check, "it needs only DLLs of the system"),
        Availability::Unknown => Finding::problem(
            check,
            Outcome::Warning,
            format!("it needs {libraries}, which is not known to be part of Windows"),
            Problem::of_dll(
                SEARCHED,
                "If the DLL is not in System32 of the server, loading fails with error 126 (event 20113), and the \
                 Remote Access service does not start.",
                remedy,
            ),
        ),
        Availability::Missing => Finding::problem(
            check,
            Outcome::Fail,
            format!("it needs {libraries}, which the loader does not find"),
            Problem::of_dll(
                SEARCHED,
                "Loading fails with error 126 (event 20113), and the Remote Access service does not start.",
                remedy,
            ),
        ),
    }
}

/// Checks that the loader finds every DLL that this one loads only at a first call. RRAS starts without them.
pub(super) fn delay_loads(subject: &Subject<'_>) -> Finding {
    let check = Check::DelayLoads;
    let (worst, libraries) = not_found(subject, true);
    if worst == Availability::Found {
        return Finding::pass(check, "it loads no other DLL at a first call, or one of the system");
    }
    let (state, condition) = match worst {
        Availability::Missing => ("which the loader does not find", ""),
        _ => ("which is not known to be part of Windows", "If the DLL is not in System32 of the server: "),
    };
    Finding::problem(
        check,
        Outcome::Warning,
        format!("at a first call it loads {}, {state}", libraries.join(", ")),
        Problem::of_dll(
            format!("The DLL is linked with /DELAYLOAD. {SEARCHED}"),
            format!(
                "{condition}RRAS starts, and the first call that needs the DLL raises exception 0xC06D007E, which ends \
                 the Remote Access service and every connection."
            ),
            "Install the DLL in System32, link it statically, or call it only after LoadLibraryEx has found it.",
        ),
    )
}
