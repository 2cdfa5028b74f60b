//! The whole answer about one file.

use crate::check::{Check, Kind};
use crate::dynamic::Run;
use crate::finding::{Finding, Outcome};
use crate::image::{Format, Image};
use crate::options::Options;
use crate::statics::requirements::violations;
use mprapi::requirements::judge_table;
use mprapi::{FunctionId, FunctionSet, Profile};
use serde::Serialize;

/// Would RRAS start with it?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Yes.
    Starts,
    /// No.
    Refused,
    /// It depends on its callbacks table, which only running it shows.
    DependsOnTable,
}

impl Verdict {
    /// The word in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Starts => "pass",
            Self::Refused => "FAIL",
            Self::DependsOnTable => "not known",
        }
    }
}

/// What one profile says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProfileVerdict {
    /// `documented`, `shipping` or `nt4`.
    pub profile: &'static str,
    /// Does it decide whether the file fails?
    pub decides: bool,
    /// Would RRAS start with it, by this profile?
    pub verdict: Verdict,
    /// Why not, or what is open.
    pub reasons: Vec<String>,
}

/// What the file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// `PE` or `ELF`.
    pub format: &'static str,
    /// 32 or 64.
    pub bits: u8,
    /// `x86-64`.
    pub machine: String,
    /// The contract's functions that it exports by name.
    pub exports: Vec<&'static str>,
    /// How many other exports it has.
    pub other_exports: usize,
    /// The libraries that are loaded with it.
    pub needs: Vec<String>,
    /// The callbacks table's revision, once it has run; 1 for a DLL without a table.
    pub revision: Option<u8>,
    /// The functions in its callbacks table, once it has run.
    pub table: Option<Vec<&'static str>>,
    /// Is it called for IKEv2 connections? None: that depends on its table.
    pub ikev2: Option<bool>,
    /// Is it built with rasadmin-sdk?
    pub built_with_sdk: bool,
}

/// Why the dynamic checks were not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotRun {
    /// Why.
    pub why: String,
    /// The command that runs them, if there is one here.
    pub command: Option<String>,
}

/// The answer about one file. Serialises to the JSON of `rasadmin check --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The file, as it was given.
    pub file: String,
    /// Does it fail?
    pub failed: bool,
    /// What each profile says, the deciding one first.
    pub profiles: Vec<ProfileVerdict>,
    /// What the file is.
    pub facts: Facts,
    /// One for each check.
    pub findings: Vec<Finding>,
    /// Why the dynamic checks were not run, if they were not.
    pub not_run: Option<NotRun>,
    /// Is a skipped dynamic check a failure?
    pub require_dynamic: bool,
}

impl Report {
    pub(crate) fn new(
        file: String,
        image: &Image,
        statics: Vec<Finding>,
        run: Run,
        not_run: Option<NotRun>,
        options: &Options,
    ) -> Self {
        let deciding = options.deciding();
        let mut findings = statics;
        // A table that was seen answers what the exports left open.
        if run.table.is_some()
            && let Some(open) = findings.iter_mut().find(|f| f.check == Check::ShippingRequirements)
            && open.outcome == Outcome::Skipped
        {
            *open = Finding::pass(Check::ShippingRequirements, "its callbacks table decides (callbacks-table)");
        }
        let others = Profile::ALL.into_iter().filter(|&p| p != deciding);
        let profiles: Vec<_> = std::iter::once(deciding)
            .chain(others)
            .map(|profile| judge(profile, profile == deciding, image, &findings, &run))
            .collect();
        let facts = facts(image, &run);
        findings.extend(run.findings);
        let skipped = |f: &Finding| f.outcome == Outcome::Skipped && f.check.kind() == Kind::Dynamic;
        let failed = findings.iter().any(|f| f.outcome.fails() || options.require_dynamic && skipped(f))
            || profiles[0].verdict == Verdict::Refused;
        Self { file, failed, profiles, facts, findings, not_run, require_dynamic: options.require_dynamic }
    }

    /// 0: nothing failed; 1: a check failed or crashed, or one that was required was skipped.
    pub fn exit_code(&self) -> i32 {
        i32::from(self.failed)
    }

    /// What a check found.
    pub fn finding(&self, check: Check) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.check == check)
    }

    /// What a profile says.
    pub fn profile(&self, profile: Profile) -> Option<&ProfileVerdict> {
        self.profiles.iter().find(|verdict| verdict.profile == profile.name())
    }

    /// The report as pretty JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// How many checks ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.findings.iter().filter(|f| f.outcome == outcome).count()
    }
}

fn judge(profile: Profile, decides: bool, image: &Image, findings: &[Finding], run: &Run) -> ProfileVerdict {
    let mut reasons = Vec::new();
    for finding in findings.iter().chain(&run.findings) {
        let stops_loading = matches!(finding.check, Check::Machine | Check::Dependents | Check::Initialises);
        if stops_loading && finding.outcome.fails() {
            reasons.push(finding.message.clone());
        }
    }
    let functions = image.functions();
    let mut add = |found: Vec<mprapi::Violation>| {
        for reason in found.iter().map(ToString::to_string) {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    };
    add(violations(profile, functions));
    let mut verdict = Verdict::Starts;
    if let Some((revision, pointers)) = run.table {
        add(judge_table(profile, revision, pointers));
    } else if profile == Profile::Shipping && functions.contains(FunctionId::InitializeDllEx) {
        verdict = Verdict::DependsOnTable;
    }
    if !reasons.is_empty() {
        verdict = Verdict::Refused;
    } else if verdict == Verdict::DependsOnTable {
        reasons.push("it depends on its callbacks table, which only running it shows".into());
    }
    ProfileVerdict { profile: profile.name(), decides, verdict, reasons }
}

fn facts(image: &Image, run: &Run) -> Facts {
    let functions = image.functions();
    let names = |set: FunctionSet| set.iter().map(FunctionId::name).collect::<Vec<_>>();
    let has_table = functions.contains(FunctionId::InitializeDllEx);
    let revision = match run.table {
        Some((revision, _)) => Some(revision),
        None if has_table => None,
        None => Some(1),
    };
    Facts {
        format: match image.format {
            Format::Pe => "PE",
            Format::Elf => "ELF",
        },
        bits: image.bits,
        machine: image.machine.clone(),
        exports: names(functions),
        other_exports: image.exports.len() - functions.len() + image.unnamed_exports,
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
