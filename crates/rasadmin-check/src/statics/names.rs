//! Checks for functions that are exported under names by which RRAS does not find them.

use super::requirements::violations;
use crate::check::Check;
use crate::export_names::{NameError, recognise};
use crate::finding::{Finding, Outcome, Problem};
use crate::image::Image;
use mprapi::{FunctionId, FunctionSet, Profile};

struct MisnamedExport<'a> {
    export: &'a str,
    meant: FunctionId,
    error: NameError,
}

/// `functions` are those that RRAS finds.
pub(super) fn run(image: &Image, functions: FunctionSet, deciding: Profile) -> Vec<Finding> {
    let found: Vec<_> = image
        .exports
        .iter()
        .filter_map(|e| {
            let (meant, error) = recognise(&e.name)?;
            // If the DLL also exports the right name, RRAS finds the function.
            (!functions.contains(meant)).then_some(MisnamedExport { export: &e.name, meant, error })
        })
        .collect();
    // How bad a wrong name is depends on what follows if RRAS does not find the function.
    let outcome = if violations(deciding, functions).is_empty() { Outcome::Warning } else { Outcome::Fail };
    vec![
        misnamed(
            Check::DecoratedNames,
            outcome,
            &found,
            |d| d == NameError::Decorated,
            "The compiler decorated the names of its stdcall functions, and no module-definition file removed the decoration.",
            "Name the functions in a module-definition file (EXPORTS MprAdminAcceptNewLink and so on), or link with \
             --kill-at.",
        ),
        misnamed(
            Check::MangledNames,
            outcome,
            &found,
            |d| matches!(d, NameError::MangledMsvc | NameError::MangledItanium),
            "The functions were compiled as C++ (or Rust) and exported under the compiler's own names.",
            "Declare them extern \"C\" (in Rust: #[unsafe(no_mangle)]), or name them in a module-definition file.",
        ),
        misnamed(
            Check::NameCase,
            outcome,
            &found,
            |d| d == NameError::WrongCase,
            "RRAS compares exported names with case.",
            "Spell the names as in Microsoft's documentation.",
        ),
        misnamed(
            Check::Nt4Names,
            outcome,
            &found,
            |d| d == NameError::Nt4,
            "Windows NT 4.0 had these functions under these names, some of them with other arguments.",
            "Give each function its MprAdmin name and its present arguments (docs/functions.md).",
        ),
        misnamed(
            Check::UnknownNames,
            outcome,
            &found,
            |d| d == NameError::Unknown,
            "The name is like one of the contract. Only the connection functions have variants 2 and 3; those, \
             reauthentication and initialise have Ex.",
            "Rename the function. If it is not meant for RRAS, there is nothing to do.",
        ),
        ordinal_only(image, outcome),
    ]
}

fn misnamed(
    check: Check,
    outcome: Outcome,
    found: &[MisnamedExport],
    which: impl Fn(NameError) -> bool,
    cause: &str,
    remedy: &str,
) -> Finding {
    let found: Vec<_> = found.iter().filter(|d| which(d.error)).collect();
    let Some(first) = found.first() else {
        return Finding::pass(check, "none");
    };
    let others = match found.len() - 1 {
        0 => String::new(),
        1 => ", and one more like it".to_owned(),
        n => format!(", and {n} more like it"),
    };
    Finding::problem(
        check,
        outcome,
        match first.error {
            NameError::Unknown => format!("RRAS knows no {}, but {}{others}", first.export, first.meant),
            _ => format!("{} is exported as {}{others}", first.meant, first.export),
        },
        Problem::of_dll(cause, "RRAS looks functions up by their plain names, so it does not find these.", remedy),
    )
}

fn ordinal_only(image: &Image, outcome: Outcome) -> Finding {
    let check = Check::OrdinalOnly;
    // Exports without a name matter only if required functions are missing.
    if image.unnamed_exports == 0 || outcome != Outcome::Fail {
        return Finding::pass(check, "no required function is missing for lack of a name");
    }
    let (count, verb) = match image.unnamed_exports {
        1 => ("one export".to_owned(), "has"),
        n => (format!("{n} exports"), "have"),
    };
    Finding::problem(
        check,
        Outcome::Fail,
        format!("{count} {verb} an ordinal and no name, and required functions are missing"),
        Problem::of_dll(
            "The functions are probably exported by ordinal only (NONAME).",
            "RRAS looks functions up by name, so it does not find these.",
            "Remove NONAME from the module-definition file.",
        ),
    )
}
