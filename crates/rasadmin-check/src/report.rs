//! The report about one file.

use crate::check::{Check, Kind};
use crate::dynamic::DynamicResults;
use crate::finding::{Finding, Outcome};
use crate::image::{Format, Image};
use crate::options::Options;
use crate::statics::exports_stop_start;
use crate::statics::requirements::{NO_FUNCTION, violations};
use mprapi::requirements::check_table;
use mprapi::{FunctionId, FunctionSet, Profile};
use schemars::JsonSchema;
use serde::Serialize;

/// Whether RRAS would start with a DLL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It would.
    Starts,
    /// It would not.
    Refused,
    /// That depends on the callbacks table, which is known only when the DLL runs.
    DependsOnTable,
    /// That depends on whether the DLL loads and initialises, which is known only when it runs.
    DependsOnRun,
}

impl Verdict {
    /// The word in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Starts => "pass",
            Self::Refused => "FAIL",
            Self::DependsOnTable | Self::DependsOnRun => "not known",
        }
    }
}

/// The verdict of one profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProfileVerdict {
    /// `documented`, `shipping` or `nt4`.
    pub profile: &'static str,
    /// Whether this profile decides if the file fails.
    pub decides: bool,
    /// Whether RRAS would start with the DLL, according to this profile.
    pub verdict: Verdict,
    /// Why it would not, or what is not known.
    pub reasons: Vec<String>,
}

/// Facts about the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Facts {
    /// `PE`, `ELF`, or `none` if the loader takes the file for no image.
    pub format: &'static str,
    /// 32 or 64; 0 without a format.
    pub bits: u8,
    /// `x86-64`, for example; empty without a format.
    pub machine: String,
    /// Whether it is a library, not a program.
    pub library: bool,
    /// Whether the file has a signature (Authenticode). It is not verified.
    pub signed: bool,
    /// The functions of the contract that RRAS finds by name: the exports, without those that are forwarded to nothing.
    pub exports: Vec<&'static str>,
    /// The number of other exports.
    pub other_exports: usize,
    /// The libraries that are loaded together with it.
    pub needs: Vec<String>,
    /// The callbacks table's revision, if the DLL has run. 1 for a DLL without a table.
    pub revision: Option<u8>,
    /// The functions in its callbacks table, if the DLL has run.
    pub table: Option<Vec<&'static str>>,
    /// Whether RRAS calls it for IKEv2 connections. None if that depends on its table.
    pub ikev2: Option<bool>,
    /// Whether it is built with rasadmin-sdk.
    pub built_with_sdk: bool,
}

/// Why the dynamic checks were not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotRun {
    /// The reason.
    pub why: String,
    /// The command that would run them, if there is one.
    pub command: Option<String>,
}

/// The report about one file. Serialises to the JSON of `rasadmin check --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    /// The file, as the caller named it.
    pub file: String,
    /// Whether the file fails.
    pub failed: bool,
    /// The verdict of each profile, the deciding one first.
    pub profiles: Vec<ProfileVerdict>,
    /// Facts about the file.
    pub facts: Facts,
    /// One finding for each check.
    pub findings: Vec<Finding>,
    /// Why the dynamic checks were not run, if they were not.
    pub not_run: Option<NotRun>,
    /// Whether a skipped dynamic check is a failure.
    pub require_dynamic: bool,
}

impl Report {
    pub(crate) fn new(
        file: String,
        image: &Image,
        functions: FunctionSet,
        statics: Vec<Finding>,
        run: DynamicResults,
        not_run: Option<NotRun>,
        options: &Options,
    ) -> Self {
        let deciding = options.deciding();
        let mut findings = statics;
        // If the table is known, it decides what the exports leave open.
        if run.table.is_some()
            && let Some(open) = findings.iter_mut().find(|f| f.check == Check::ShippingRequirements)
            && open.outcome == Outcome::Skipped
        {
            *open = Finding::pass(Check::ShippingRequirements, "its callbacks table decides (callbacks-table)");
        }
        let others = Profile::ALL.into_iter().filter(|&p| p != deciding);
        let profiles: Vec<_> = std::iter::once(deciding)
            .chain(others)
            .map(|profile| verdict_for(profile, profile == deciding, image, functions, &findings, &run))
            .collect();
        let facts = facts(image, functions, &run);
        findings.extend(run.findings);
        let skipped = |f: &Finding| f.outcome == Outcome::Skipped && f.check.kind() == Kind::Dynamic;
        let failed = findings.iter().any(|f| f.outcome.fails() || options.require_dynamic && skipped(f))
            || profiles[0].verdict == Verdict::Refused;
        Self { file, failed, profiles, facts, findings, not_run, require_dynamic: options.require_dynamic }
    }

    /// The exit code: 0 if nothing failed; 1 if a check failed or crashed, or a required one was skipped.
    pub fn exit_code(&self) -> i32 {
        i32::from(self.failed)
    }

    /// The finding of a check.
    pub fn finding(&self, check: Check) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.check == check)
    }

    /// The verdict of a profile.
    pub fn profile(&self, profile: Profile) -> Option<&ProfileVerdict> {
        self.profiles.iter().find(|verdict| verdict.profile == profile.name())
    }

    /// The report as pretty JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The number of checks with this outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.findings.iter().filter(|f| f.outcome == outcome).count()
    }
}

fn verdict_for(
    profile: Profile,
    decides: bool,
    image: &Image,
    functions: FunctionSet,
    findings: &[Finding],
    run: &DynamicResults,
) -> ProfileVerdict {
    let mut reasons = Vec::new();
    for finding in findings.iter().chain(&run.findings) {
        if finding.outcome.fails() && stops_start(finding.check, image, functions) {
            reasons.push(finding.message.clone());
        }
    }
    if functions.is_empty() {
        if image.no_image.is_none() {
            reasons.push(NO_FUNCTION.to_owned());
        }
    } else {
        let mut found = violations(profile, functions);
        found.extend(run.table.iter().flat_map(|&(revision, pointers)| check_table(profile, revision, pointers)));
        for reason in found.iter().map(ToString::to_string) {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
    let has_run = run.findings.iter().any(|f| f.check == Check::Initialises && f.outcome != Outcome::Skipped);
    let verdict = if !reasons.is_empty() {
        Verdict::Refused
    } else if has_run {
        Verdict::Starts
    } else if profile == Profile::Shipping && functions.contains(FunctionId::InitializeDllEx) {
        reasons.push("it depends on the callbacks table, which is known only when the DLL runs".into());
        Verdict::DependsOnTable
    } else {
        reasons.push("it depends on how the DLL loads and initialises, which is known only when it runs".into());
        Verdict::DependsOnRun
    };
    ProfileVerdict { profile: profile.name(), decides, verdict, reasons }
}

/// Whether a failure of the check keeps RRAS from starting, whatever the profile requires.
fn stops_start(check: Check, image: &Image, functions: FunctionSet) -> bool {
    match check {
        Check::Machine => !image.right_machine(),
        Check::ExportTargets => exports_stop_start(image, functions),
        Check::SignatureDemanded | Check::Dependents | Check::Initialises => true,
        _ => false,
    }
}

fn facts(image: &Image, functions: FunctionSet, run: &DynamicResults) -> Facts {
    let names = |set: FunctionSet| set.iter().map(FunctionId::name).collect::<Vec<_>>();
    let has_table = functions.contains(FunctionId::InitializeDllEx);
    let revision = match run.table {
        Some((revision, _)) => Some(revision),
        None if has_table || image.no_image.is_some() => None,
        None => Some(1),
    };
    Facts {
        format: match image.format {
            Format::Pe => "PE",
            Format::Elf => "ELF",
            Format::Other => "none",
        },
        bits: image.bits,
        machine: image.machine.clone(),
        library: image.library,
        signed: image.signed,
        exports: names(functions),
        other_exports: image.exports.len().saturating_sub(functions.len()) + image.unnamed_exports,
        needs: image
            .imports
            .iter()
            .filter(|i| !i.delayed && !i.library.is_empty())
            .map(|i| i.library.clone())
            .collect(),
        revision,
        table: run.table.map(|(_, set)| names(set)),
        ikev2: revision.map(|revision| revision == mprapi::abi::REVISION_2),
        built_with_sdk: image.built_with_sdk,
    }
}
