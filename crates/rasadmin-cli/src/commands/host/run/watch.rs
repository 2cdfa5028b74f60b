//! The parent of a run: it starts the child, watches it, and has the last word.

use super::Arguments;
use super::answer::Answer;
use super::death::Died;
use super::readings;
use crate::error::{Exit, Result};
use crate::output::Output;
use crate::supervised::{DLL_DIED, Outcome, Supervised, run_again};
use indicatif::{ProgressBar, ProgressStyle};
use rasadmin_host::board::Progress;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::time::Duration;

/// Runs the scenario, or all readings of it, in child processes.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result {
    if arguments.assume_all() {
        return readings::run(arguments, out);
    }
    super::serve::say_how_to_ask(arguments);
    let child = child(arguments, &[])?;
    match &child.outcome {
        Outcome::Finished(code) => child.pass_on(*code, out),
        Outcome::Died(death) => {
            let died = Died::new(death, &child, arguments);
            if arguments.json {
                out.json(&Answer::Died(Box::new(died)))?;
                out.flush()?;
                child.pass_on_messages();
            } else {
                child.pass_on_messages();
                write!(out, "{}", died.text(arguments))?;
                out.flush()?;
                child.tell_of_dlls();
            }
            Ok(Exit::Code(DLL_DIED))
        }
    }
}

/// Runs the child to its end.
pub fn child(arguments: &Arguments, more: &[(&str, OsString)]) -> Result<Supervised> {
    let bar = ProgressBarOfRun::new();
    let deadline = Duration::from_secs(arguments.deadline);
    run_again(&arguments.keep, arguments.config.as_deref(), deadline, more, &mut |progress| bar.show(progress))
}

/// A progress bar on a terminal.
struct ProgressBarOfRun(ProgressBar);

impl ProgressBarOfRun {
    fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::no_length();
        if let Ok(style) = ProgressStyle::with_template("  {bar:40} {pos}/{len} events") {
            bar.set_style(style);
        }
        Self(bar)
    }

    fn show(&self, progress: Progress) {
        self.0.set_length(progress.total);
        self.0.set_position(progress.events);
    }
}

impl Drop for ProgressBarOfRun {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
