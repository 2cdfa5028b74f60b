//! What a DLL did to the process that ran it.

use super::ending::{Ending, EndingKind};
use super::launch::{End, Ended};
use super::progress::Line;
use crate::check::Check;
use crate::finding::{Culprit, Finding, Outcome, Problem};
use mprapi::FunctionId;

/// A function that ended the process, or hung.
#[derive(Debug)]
pub(super) struct Incident {
    pub function: Option<FunctionId>,
    /// Where it happened, for the report.
    pub location: String,
    /// What happened.
    pub ending: Ending,
    /// What the DLL wrote to standard error.
    pub output: Option<String>,
}

/// What the DLL did to its process. `Err` is a finding that blames something else; if the child came to its end, that
/// finding is not used.
pub(super) fn incident(ended: &Ended) -> Result<Incident, Box<dyn Fn(Check) -> Finding>> {
    let ending = match &ended.end {
        End::Died(ending) => ending.clone(),
        End::Idle(after) => {
            let last = match &ended.last {
                Some(Line::Step { what }) => what,
                _ => "nothing",
            };
            let why = format!("nothing happened for {} seconds, after: {last}", after.as_secs_f32());
            return Err(not_the_dll(Culprit::Checker, why));
        }
        End::Panicked(message) => return Err(not_the_dll(Culprit::Checker, message.clone())),
        End::Broken(why) => return Err(not_the_dll(Culprit::Host, why.clone())),
        End::Done { .. } | End::OutOfTime => return Err(Box::new(|check| Finding::skipped(check, "done"))),
    };
    let (function, location) = match &ended.last {
        Some(Line::Call { function, detail }) => {
            let id = FunctionId::from_name(function);
            let gap = if detail.is_empty() { "" } else { " " };
            (id, format!("{function}{gap}{detail}"))
        }
        Some(Line::Loading) => (None, "while it was loaded".into()),
        Some(Line::Unloading) => (None, "while it was unloaded".into()),
        // Between calls, only the DLL's own threads or memory that it damaged can end the process.
        Some(Line::Step { what: step }) => (None, format!("between calls, after: {step}")),
        _ => (None, "at an unknown point".into()),
    };
    Ok(Incident { function, location, ending, output: ended.output.clone() })
}

impl Incident {
    pub(super) fn hung(&self) -> bool {
        self.ending.kind() == EndingKind::Hang
    }

    /// Where and what, in a sentence.
    pub(super) fn message(&self) -> String {
        format!("{}: {}", self.location, self.ending.words())
    }
}

/// A cause, with what the DLL itself wrote.
pub(super) fn with_output(cause: &str, output: Option<&str>) -> String {
    match output {
        Some(output) => format!("{cause} It wrote: \"{output}\""),
        None => cause.to_owned(),
    }
}

fn not_the_dll(culprit: Culprit, cause: String) -> Box<dyn Fn(Check) -> Finding> {
    Box::new(move |check| {
        Finding::problem(
            check,
            Outcome::Crashed,
            "the check itself did not work",
            Problem {
                cause: sentence(&cause),
                effect: "The check says nothing about the DLL.".into(),
                remedy: match culprit {
                    Culprit::Host => {
                        "Make sure that programs can be started, and files written to the folder for temporary \
                                      files. Then run the check again."
                    }
                    _ => "Run the check again. If this happens again, report it with this text.",
                }
                .into(),
                culprit,
            },
        )
    })
}

/// Printable text that ends with a full stop.
pub(super) fn sentence(text: &str) -> String {
    let text = rasadmin_text::printable(text.trim());
    if text.ends_with('.') { text.into_owned() } else { format!("{text}.") }
}
