//! Findings: the results of checks.

use crate::check::Check;
use schemars::JsonSchema;
use serde::Serialize;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The check passed, or did not apply.
    Pass,
    /// The check could not run here, or an earlier failure made it unnecessary.
    Skipped,
    /// RRAS would start, but you should look at this.
    Warning,
    /// RRAS would not start, or would not be safe.
    Fail,
    /// The process crashed although nothing unusual was passed to it.
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

    /// Whether the file fails because of this outcome.
    pub const fn fails(self) -> bool {
        matches!(self, Self::Fail | Self::Crashed)
    }
}

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Culprit {
    /// The author of the admin DLL.
    Dll,
    /// rasadmin-sdk, which should stop this before it reaches the DLL's own code.
    Sdk,
    /// This checker.
    Checker,
    /// rasadmin-host, or the machine it runs on.
    Host,
}

impl Culprit {
    /// The culprit in words, for a report.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Dll => "the DLL",
            Self::Sdk => "rasadmin-sdk, which the DLL is built with",
            Self::Checker => "this checker: report it",
            Self::Host => "the host or this machine, not the DLL",
        }
    }
}

/// The explanation of a warning, failure or crash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// The cause.
    pub cause: String,
    /// The effect on RRAS.
    pub effect: String,
    /// The remedy.
    pub remedy: String,
    /// Who is to blame.
    pub culprit: Culprit,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The check.
    #[schemars(with = "String")]
    pub check: Check,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found, in one sentence. For a skipped check, the reason.
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
    /// A problem for which the DLL is to blame.
    pub(crate) fn of_dll(cause: impl Into<String>, effect: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { cause: cause.into(), effect: effect.into(), remedy: remedy.into(), culprit: Culprit::Dll }
    }
}
