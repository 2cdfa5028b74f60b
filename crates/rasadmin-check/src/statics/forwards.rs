//! Exports of the contract that only name a function of another DLL.

use super::Subject;
use super::libraries::{Availability, SEARCHED, find, in_system32};
use super::requirements::{REFUSED, violations};
use crate::check::Check;
use crate::finding::{Finding, Outcome, Problem};
use crate::image::{Forward, Image, Target};
use mprapi::{FunctionId, FunctionSet};

/// What happens when Windows follows a forwarded export.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Found {
    /// It finds the function, in the DLL itself.
    Itself,
    /// It finds the function.
    Yes,
    /// That cannot be known on this machine. The text says why.
    Unknown(String),
    /// It does not find the DLL, or the DLL has no such function: GetProcAddress gives null. The text says which.
    No(String),
}

impl Found {
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::No(_))
    }
}

/// What a function of the contract is forwarded to, if it is.
pub(super) fn of(image: &Image, id: FunctionId) -> Option<&Forward> {
    image.contract().find_map(|(exported, target)| match target {
        Target::Forward(to) if exported == id => Some(to),
        _ => None,
    })
}

/// Follows a forwarded export as far as this machine can.
pub(super) fn look_up(subject: &Subject<'_>, to: &Forward) -> Found {
    let library = to.file_name();
    let no_function = || Found::No(format!("{library} exports no such function"));
    if is_own(subject, to) {
        return if has(subject.image, &to.function) { Found::Itself } else { no_function() };
    }
    match find(&library, subject.path) {
        Availability::Missing => Found::No(format!("Windows does not find {library}")),
        Availability::Unknown => Found::Unknown(format!("{library} is not known to be part of Windows")),
        // The file itself says which functions it has. The loader's own names (api-ms-win-...) have none.
        Availability::Found => match in_system32(&library).map(|path| Image::read(&path)) {
            Some(Ok(image)) if has(&image, &to.function) => Found::Yes,
            Some(Ok(_)) => no_function(),
            // One that is in use, or damaged, says nothing either.
            Some(Err(why)) => {
                Found::Unknown(format!("whether {library} has that function is not known here: {}", why.what))
            }
            None => Found::Unknown(format!("whether Windows' {library} has that function is not known here")),
        },
    }
}

/// Whether an export is forwarded to the DLL itself, by the name of its file.
fn is_own(subject: &Subject<'_>, to: &Forward) -> bool {
    subject.path.file_name().is_some_and(|own| own.to_string_lossy().eq_ignore_ascii_case(&to.file_name()))
}

/// Whether an image exports the function, or has exports by ordinal if an ordinal is asked for.
fn has(image: &Image, function: &str) -> bool {
    if function.starts_with('#') {
        return image.unnamed_exports + image.exports.len() > 0;
    }
    image.exports.iter().any(|export| export.name == function)
}

pub(super) fn check(subject: &Subject<'_>, functions: FunctionSet) -> Finding {
    let check = Check::ForwardedExports;
    let mut forwards: Vec<_> = subject
        .image
        .contract()
        .filter_map(|(id, target)| match target {
            Target::Forward(to) => Some((id, to, outcome_of(subject, id, to))),
            _ => None,
        })
        .collect();
    // The worst decides.
    forwards.sort_by(|a, b| b.2.cmp(&a.2));
    let Some((id, to, found)) = forwards.first() else {
        return Finding::pass(check, "none");
    };
    let others = match forwards.iter().filter(|(_, _, other)| severity(other) == severity(found)).count() - 1 {
        0 => String::new(),
        n => format!("; {n} more like it"),
    };
    let refused = !violations(subject.deciding, functions).is_empty();
    let (outcome, state, effect) = match found {
        Found::Itself => (
            Outcome::Warning,
            String::new(),
            "RRAS finds the function only as long as the DLL's file has this name. A copy under another name loads the \
             first one, or is refused.",
        ),
        Found::Yes => (
            Outcome::Warning,
            String::new(),
            "RRAS calls that function in its place. It starts only as long as Windows finds that DLL, in System32 or \
             in the service's own folder.",
        ),
        Found::Unknown(why) => (
            Outcome::Warning,
            format!("; {why}"),
            "If Windows does not find that function on the server, RRAS counts the export as missing. If it is a \
             required one, RRAS refuses the DLL with error 87, and the Remote Access service does not start.",
        ),
        Found::No(why) if refused => (Outcome::Fail, format!("; {why}"), REFUSED),
        Found::No(why) => {
            (Outcome::Warning, format!("; {why}"), "RRAS counts the export as missing, and never calls the function.")
        }
    };
    let (cause, remedy) = if *found == Found::Itself {
        ("The export names another export of the same DLL.".to_owned(), "Export the function itself under this name.")
    } else {
        (
            format!("The export only names a function of another DLL. {SEARCHED}"),
            "Export a function of its own that calls the other DLL, or install that DLL in System32.",
        )
    };
    let message = format!("{id} is forwarded to {to}{state}{others}");
    Finding::problem(check, outcome, message, Problem::of_dll(cause, effect, remedy))
}

const fn severity(found: &Found) -> u8 {
    match found {
        Found::Itself => 0,
        Found::Yes => 1,
        Found::Unknown(_) => 2,
        Found::No(_) => 3,
    }
}

/// What Windows found decides over what the file says.
fn outcome_of(subject: &Subject<'_>, id: FunctionId, to: &Forward) -> Found {
    match subject.seen {
        Some(seen) if seen.contains(id) => {
            if is_own(subject, to) {
                Found::Itself
            } else {
                Found::Yes
            }
        }
        Some(_) => match look_up(subject, to) {
            Found::No(why) => Found::No(why),
            _ => Found::No("Windows did not find that function".into()),
        },
        None => look_up(subject, to),
    }
}
