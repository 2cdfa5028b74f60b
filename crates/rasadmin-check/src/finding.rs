//! What a check found.

use crate::check::Check;
use serde::Serialize;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Nothing is wrong, or there was nothing to check.
    Pass,
    /// It could not be run here, or an earlier failure made it pointless.
    Skipped,
    /// RRAS would start; someone should look at it.
    Warning,
    /// RRAS would not start, or would suffer.
    Fail,
    /// The process ended where nothing unusual was done to it.
    Crashed,
}

impl Outcome {
    /// The word in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Fail => "FAIL",
            Self::Crashed => "CRASHED",
        }
    }

    /// Does it decide that the file fails?
    pub const fn fails(self) -> bool {
        matches!(self, Self::Fail | Self::Crashed)
    }
}

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Culprit {
    /// Whoever wrote the admin DLL.
    Dll,
    /// rasadmin-sdk: it is to stop this before the DLL's own code sees it.
    Sdk,
    /// This checker.
    Checker,
    /// rasadmin-host, or the machine it runs on.
    Host,
}

impl Culprit {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Dll => "the DLL",
            Self::Sdk => "rasadmin-sdk, which the DLL is built with",
            Self::Checker => "this checker: please report it",
            Self::Host => "the host or this machine, not the DLL",
        }
    }
}

/// What is wrong, where it is not a pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Why it is so.
    pub cause: String,
    /// What it does to RRAS.
    pub effect: String,
    /// What to do about it.
    pub remedy: String,
    /// Who is to blame.
    pub culprit: Culprit,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check.
    pub check: Check,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found, in one sentence; of a skipped check, why.
    pub message: String,
    /// Cause, effect, remedy and culprit of a warning, failure or crash.
    #[serde(flatten)]
    pub problem: Option<Problem>,
}

impl Finding {
    pub(crate) fn pass(check: Check, message: impl Into<String>) -> Self {
        Self { check, outcome: Outcome::Pass, message: message.into(), problem: None }
    }

    pub(crate) fn skipped(check: Check, why: impl Into<String>) -> Self {
        Self { outcome: Outcome::Skipped, ..Self::pass(check, why) }
    }

    pub(crate) fn problem(check: Check, outcome: Outcome, message: impl Into<String>, problem: Problem) -> Self {
        Self { check, outcome, message: message.into(), problem: Some(problem) }
    }
}

impl Problem {
    /// The DLL's.
    pub(crate) fn of_dll(cause: impl Into<String>, effect: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { cause: cause.into(), effect: effect.into(), remedy: remedy.into(), culprit: Culprit::Dll }
    }
}
