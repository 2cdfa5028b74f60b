//! Exports of the contract that lead to no code.

use super::Subject;
use crate::check::Check;
use crate::finding::{Finding, Outcome, Problem};
use crate::image::{Image, Target};
use mprapi::{FunctionId, FunctionSet};

/// Checks that an exported function of the contract is code. Windows gives RRAS the address without looking at what is
/// there.
pub(super) fn targets(subject: &Subject<'_>, functions: FunctionSet) -> Finding {
    let check = Check::ExportTargets;
    let wrong: Vec<_> = subject.image.contract().filter_map(|(id, target)| Some((id, wrong(target)?))).collect();
    if let Some((first, what)) = wrong.first() {
        // If there is a table, RRAS does not look at the other exports.
        let has_table = functions.contains(FunctionId::InitializeDllEx);
        let (outcome, effect) = if stops_start(subject.image, functions) {
            (Outcome::Fail, "RRAS calls it when it starts: the Remote Access service ends at once.")
        } else if has_table {
            (Outcome::Warning, "RRAS goes by the callbacks table, so it does not call this export.")
        } else {
            (
                Outcome::Fail,
                "RRAS takes the address as it is. The first call ends the Remote Access service, and every connection \
                 with it.",
            )
        };
        let others = match wrong.len() - 1 {
            0 => String::new(),
            n => format!("; {n} more like it"),
        };
        return Finding::problem(
            check,
            outcome,
            format!("{first} {what}{others}"),
            Problem::of_dll(
                "The export's address is not that of a function: its name stands for a variable, or a tool wrote a \
                 wrong address.",
                effect,
                "Export the function itself. In a module-definition file, remove DATA.",
            ),
        );
    }
    let unseen: Vec<_> = subject
        .image
        .contract()
        .filter(|(id, target)| !matches!(target, Target::Forward(_)) && subject.seen.is_some_and(|s| !s.contains(*id)))
        .map(|(id, _)| id.name())
        .collect();
    if unseen.is_empty() {
        return Finding::pass(check, "they lead to code");
    }
    Finding::problem(
        check,
        Outcome::Fail,
        format!("the file lists {}, and Windows does not find it", unseen.join(", ")),
        Problem::of_dll(
            "Windows searches the exports as a sorted list: the list is out of order, or damaged.",
            "RRAS counts the function as missing.",
            "Link the DLL again, without a tool that changes its exports afterwards.",
        ),
    )
}

/// What is wrong with where an export leads. None if it leads to code, or further.
fn wrong(target: &Target) -> Option<String> {
    match target {
        Target::Code | Target::Forward(_) => None,
        Target::Data(section) => Some(format!("leads to data (section {section})")),
        Target::Outside => Some("leads to an address outside the DLL".into()),
    }
}

/// Whether RRAS would call an address without code when it starts.
pub(crate) fn stops_start(image: &Image, functions: FunctionSet) -> bool {
    let initialise = if functions.contains(FunctionId::InitializeDllEx) {
        FunctionId::InitializeDllEx
    } else {
        FunctionId::InitializeDll
    };
    image.contract().any(|(id, target)| id == initialise && wrong(target).is_some())
}
