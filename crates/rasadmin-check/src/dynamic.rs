//! The checks that run the DLL, each in a child process that may hang or crash without harm.

mod advice;
mod arguments;
mod bound;
mod calls;
mod child;
mod ending;
mod incident;
mod job;
mod launch;
mod leaks;
mod load_error;
mod loaded;
mod progress;
mod shared;
mod stray;
mod table;

pub use child::child_main;
pub use job::CHILD_SUBCOMMAND;

use crate::check::{Check, Kind};
use crate::finding::{Culprit, Finding, Outcome, Problem};
use crate::options::Options;
use bound::Bound;
use ending::{Ending, EndingKind};
use incident::{Incident, incident, with_output};
use job::{Job, Memory};
use launch::{CURRENT_DIRECTORY, End, Ended};
use mprapi::{FunctionId, FunctionSet};
use progress::{ChildResult, Line, Start};
use rasadmin_host::guarded::Afterwards;
use rasadmin_host::scratch::{AUDIT_ONLY, Scratch, ScratchError};
use std::fs::DirEntry;
use std::path::{Path, PathBuf};
use std::time::Duration;
use table::Table;

/// How many functions may hang before a check is abandoned. Each of them costs a deadline.
const MAX_HANGS: usize = 3;

/// The results of running a DLL.
#[derive(Clone, Debug, Default)]
pub(crate) struct DynamicResults {
    /// One finding for each dynamic check.
    pub findings: Vec<Finding>,
    /// The callbacks table's revision and functions.
    pub table: Option<Table>,
    /// The exports of the contract that the loader found. None if the DLL was not loaded.
    pub exports: Option<FunctionSet>,
}

/// Results in which every dynamic check is skipped for one reason.
pub(crate) fn skip_all(why: &str) -> DynamicResults {
    DynamicResults { findings: all().map(|check| Finding::skipped(check, why)).collect(), ..DynamicResults::default() }
}

fn all() -> impl Iterator<Item = Check> {
    Check::ALL.iter().copied().filter(|check| check.kind() == Kind::Dynamic)
}

/// The checks that come before the ordinary calls, and those whose results another check's child gives.
const NO_CHILD: [Check; 9] = [
    Check::Initialises,
    Check::CallbacksTable,
    Check::WritesPastTable,
    Check::AnswersInTime,
    Check::SlowAnswers,
    Check::WritesBeforeArguments,
    Check::WritesIntoArguments,
    Check::ProcessState,
    Check::CurrentDirectory,
];

/// Runs every dynamic check. `about_to` is called before each.
pub(crate) fn run(file: &Path, with_sdk: bool, options: &Options, about_to: &mut dyn FnMut(Check)) -> DynamicResults {
    let (temporary, store) = match Scratch::temporary().and_then(|folder| Ok((folder, store(options)?))) {
        Ok(folders) => folders,
        Err(e) => return skip_all(&e.to_string()),
    };
    let mut runner = Runner {
        // Windows would search for a relative path in System32.
        file: std::path::absolute(file).unwrap_or_else(|_| file.to_owned()),
        with_sdk,
        options,
        temporary,
        store,
        bound: Bound::begin(options.bound),
        memory: Memory::default(),
        excluded: FunctionSet::EMPTY,
        excluded_at_guards: FunctionSet::EMPTY,
        excluded_from_random: FunctionSet::EMPTY,
        never_again: false,
        findings: Vec::new(),
        exports: None,
        children: 0,
    };
    about_to(Check::Initialises);
    let Some(start) = runner.initialises() else {
        return runner.end("it did not initialise", None);
    };
    let table = start.table.as_ref().map(|(revision, names)| (*revision, set(names.as_slice())));
    if !runner.table(table) {
        return runner.end("RRAS refuses its callbacks table and calls nothing", table);
    }
    if set(&start.functions).is_empty() {
        return runner.end("it exports no function that RRAS could call", table);
    }
    about_to(Check::AnswersInTime);
    runner.check(Check::AnswersInTime, all().count());
    let others: Vec<_> = all().filter(|check| !NO_CHILD.contains(check)).collect();
    for (n, &check) in others.iter().enumerate() {
        if !runner.findings.iter().any(|finding| finding.check == check) {
            about_to(check);
            runner.check(check, others.len() - n);
        }
    }
    runner.current_directory();
    runner.end("it was not run", table)
}

/// Creates the folder of rasadmin.dll's configuration and journal.
fn store(options: &Options) -> Result<Scratch, ScratchError> {
    let store = options.keep.as_deref().map_or_else(Scratch::temporary, Scratch::keep)?;
    // The sessions of a check need not survive a power failure.
    let config = format!("{AUDIT_ONLY}\n[journal]\ndurability = \"process\"\n");
    std::fs::write(store.config(), config).map_err(|e| ScratchError::Io(store.config(), e))?;
    Ok(store)
}

fn set(names: &[String]) -> FunctionSet {
    names.iter().filter_map(|name| FunctionId::from_name(name)).collect()
}

struct Runner<'a> {
    file: PathBuf,
    with_sdk: bool,
    options: &'a Options,
    /// The folder for files of the checks and temporary files of the DLL.
    temporary: Scratch,
    /// The folder of rasadmin.dll's configuration and journal.
    store: Scratch,
    bound: Bound,
    /// What becomes of the memory that the DLL is given.
    memory: Memory,
    /// Functions that hang or crash in ordinary calls. No other check calls them.
    excluded: FunctionSet,
    /// Functions that read past the end of an argument. They are not called with arguments before an inaccessible page.
    excluded_at_guards: FunctionSet,
    /// Functions that failed a check of one kind of damage. Random damage would only find the same defect again.
    excluded_from_random: FunctionSet,
    /// Whether it does not initialise in a new process any more.
    never_again: bool,
    findings: Vec<Finding>,
    exports: Option<FunctionSet>,
    children: u32,
}

impl Runner<'_> {
    fn child(&mut self, check: Check, except: FunctionSet, time: Duration) -> Ended {
        self.children += 1;
        let mut memory = self.memory;
        match check {
            // A pointer that was kept shall not spoil the other checks' results, and this is their yardstick.
            Check::AnswersInTime => (memory.table, memory.arguments) = (Afterwards::Keep, Afterwards::Keep),
            Check::UsesTableLater => (memory.table, memory.arguments) = (Afterwards::Revoke, Afterwards::Keep),
            Check::KeepsPointers => (memory.table, memory.arguments) = (Afterwards::Keep, Afterwards::Revoke),
            _ => {}
        }
        let job = Job {
            check,
            file: self.file.clone(),
            result: self.temporary.path().join(format!("result-{}", self.children)),
            cycles: self.options.cycles,
            seed: self.options.seed,
            except,
            time,
            memory,
        };
        launch::run(&job, &self.temporary, &self.store, self.options)
    }

    /// The results. Checks that were not reached are skipped.
    fn end(mut self, why: &str, table: Option<(u8, FunctionSet)>) -> DynamicResults {
        for check in all() {
            if !self.findings.iter().any(|finding| finding.check == check) {
                self.findings.push(Finding::skipped(check, why));
            }
        }
        self.findings.sort_by_key(|finding| finding.check);
        DynamicResults { findings: self.findings, table, exports: self.exports }
    }

    fn initialises(&mut self) -> Option<Start> {
        let check = Check::Initialises;
        let mut ended = self.child(check, FunctionSet::EMPTY, self.options.bound);
        if ended.start.is_none() && self.writes_past_table(&ended) {
            self.memory.table_slack = true;
            ended = self.child(check, FunctionSet::EMPTY, self.options.bound);
        }
        // The result of initialising counts, even if the process crashed after it.
        let Some(start) = ended.start.clone() else {
            let finding = match incident(&ended) {
                Ok(incident) => Finding::problem(
                    check,
                    if incident.hung() { Outcome::Fail } else { Outcome::Crashed },
                    incident.message(),
                    Problem::of_dll(
                        with_output(
                            &format!(
                                "{} It happened where RRAS loads and initialises the DLL, too.",
                                incident.ending.kind().cause()
                            ),
                            ended.output.as_deref(),
                        ),
                        "The Remote Access service does not start.",
                        incident.ending.kind().remedy().unwrap_or(
                            "Do as little as possible in DllMain, and do not wait in the initialise function.",
                        ),
                    ),
                ),
                Err(finding) => finding(check),
            };
            self.findings.push(finding);
            return None;
        };
        if start.load_error.is_none() {
            self.exports = Some(set(&start.exports));
        }
        let problem = match (&start.load_error, start.answer) {
            (Some((code, message)), _) => load_error::problem(*code, message),
            (None, None) => {
                self.findings.push(Finding::pass(check, "it loads; it exports no initialise function"));
                return Some(start);
            }
            (None, Some(0)) => {
                self.findings.push(Finding::pass(check, "it loads, and the initialise function returns 0"));
                return Some(start);
            }
            (None, Some(_)) => Problem::of_dll(
                with_output("Any code but 0 (NO_ERROR) means that the DLL could not start.", ended.output.as_deref()),
                "RRAS unloads the DLL (event 20113), and the Remote Access service does not start.",
                "Find out what the DLL is missing on this machine: its configuration, a file, or a permission.",
            ),
        };
        let message = start.failure().unwrap_or_default();
        self.findings.push(Finding::problem(check, Outcome::Fail, message, problem));
        None
    }

    /// Whether MprAdminInitializeDllEx crashed because it writes past the end of the table. If so, this is a finding.
    fn writes_past_table(&mut self, ended: &Ended) -> bool {
        let id = FunctionId::InitializeDllEx;
        let in_initialise = matches!(&ended.last, Some(Line::Call { function, .. }) if function == id.name());
        if !in_initialise || !matches!(&ended.end, End::Died(Ending::Process { .. })) {
            return false;
        }
        let check = Check::WritesPastTable;
        let ended = self.child(check, FunctionSet::EMPTY, self.options.bound);
        let End::Done { result: result @ ChildResult::Found { .. }, .. } = ended.end else { return false };
        let finding = self.finding_of(check, &[], result, FunctionSet::EMPTY);
        self.findings.push(finding);
        true
    }

    /// Checks the callbacks table. Returns whether RRAS would call any function.
    fn table(&mut self, table: Option<Table>) -> bool {
        let none = "it has no callbacks table";
        let Some(table) = table else {
            self.findings.push(Finding::pass(Check::CallbacksTable, "it has none: its exports count"));
            for check in [Check::WritesPastTable, Check::PreAuthentication, Check::UsesTableLater] {
                self.findings.push(Finding::pass(check, none));
            }
            return true;
        };
        self.findings.push(table::finding(table, self.options.deciding()));
        if !self.memory.table_slack {
            // The table ended at an inaccessible page.
            self.findings.push(Finding::pass(Check::WritesPastTable, "it writes nothing past the end"));
        }
        if !table.1.contains(FunctionId::ValidatePreAuthenticatedConnectionEx) {
            self.findings.push(Finding::pass(Check::PreAuthentication, "the pointer is null"));
        }
        table::is_called(table)
    }

    /// Finds files that the DLL wrote into the children's current directory.
    fn current_directory(&mut self) {
        let check = Check::CurrentDirectory;
        let Ok(folder) = std::fs::read_dir(self.temporary.path().join(CURRENT_DIRECTORY)) else {
            self.findings.push(Finding::skipped(check, "the current directory of the children cannot be read"));
            return;
        };
        let name = |entry: DirEntry| rasadmin_text::printable(&entry.file_name().to_string_lossy()).into_owned();
        let mut names: Vec<_> = folder.flatten().map(name).collect();
        names.sort();
        self.findings.push(if names.is_empty() {
            Finding::pass(check, "it wrote nothing")
        } else {
            const SHOWN: usize = 3;
            let more = names.len().saturating_sub(SHOWN);
            let mut message = format!("it wrote {}", names[..names.len() - more].join(", "));
            if more > 0 {
                message.push_str(&format!(" and {more} more files"));
            }
            message.push_str(" into the current directory, which is System32 under RRAS");
            let cause = "It opens a file by a name without a folder.".to_owned();
            Finding::problem(check, Outcome::Warning, message, self.problem(check, Outcome::Warning, cause))
        });
    }

    fn failed(&self, check: Check) -> bool {
        self.findings.iter().any(|f| f.check == check && f.outcome.fails())
    }

    /// Runs a check until it comes to its end. A function that crashes the process or hangs is left out of the next try.
    /// `waiting` checks, with this one, are still to run.
    fn check(&mut self, check: Check, waiting: usize) {
        if let Some(why) = self.reason_to_skip(check) {
            self.skip(check, &why);
            return;
        }
        let mut except = self.excluded;
        if advice::is_boundary(check) {
            except = self.excluded_at_guards.iter().fold(except, FunctionSet::with);
        }
        if check == Check::RandomStructures {
            except = self.excluded_from_random.iter().fold(except, FunctionSet::with);
        }
        let left_out = except;
        let mut incidents: Vec<Incident> = Vec::new();
        let mut slow: Vec<(FunctionId, Duration)> = Vec::new();
        let (result, more) = loop {
            if self.bound.is_over() {
                break (ChildResult::skipped(self.bound.why()), Vec::new());
            }
            let ended = self.child(check, except, self.bound.share(check, waiting));
            for &(id, took) in &ended.slow {
                if slow.iter().all(|&(known, _)| known != id) {
                    slow.push((id, took));
                }
            }
            let incident = match incident(&ended) {
                Ok(incident) => incident,
                Err(finding) => match ended.end {
                    End::Done { result, more } => break (result, more),
                    End::OutOfTime => break (ChildResult::skipped(self.bound.why()), Vec::new()),
                    _ => {
                        self.findings.push(finding(check));
                        return;
                    }
                },
            };
            let retry_without = incident.function.filter(|&id| !except.contains(id));
            incidents.push(incident);
            let hangs = incidents.iter().filter(|i| i.hung()).count();
            match retry_without {
                Some(id) if hangs < MAX_HANGS => except.insert(id),
                _ => break (ChildResult::skipped(format!("it did not come to its end ({check})")), Vec::new()),
            }
        };
        if let ChildResult::NotStarted(start) = &result {
            self.does_not_start_again(check, start);
            return;
        }
        self.remember(check, &incidents, &result, &more);
        for companion in companions(check) {
            let found = more.iter().find(|(of, _)| of == companion).map(|(_, result)| result.clone());
            let result = found.unwrap_or_else(|| match &result {
                ChildResult::Skipped { why } => ChildResult::skipped(why.clone()),
                _ => ChildResult::skipped(format!("see {check}")),
            });
            let finding = self.finding_of(*companion, &[], result, left_out);
            self.findings.push(finding);
        }
        let finding = self.finding_of(check, &incidents, result, left_out);
        self.findings.push(finding);
        if check == Check::AnswersInTime {
            let finding = self.slow(&slow);
            self.findings.push(finding);
        }
    }

    fn skip(&mut self, check: Check, why: &str) {
        for &check in std::iter::once(&check).chain(companions(check)) {
            self.findings.push(Finding::skipped(check, why));
        }
    }

    /// Remembers what a check found for those that follow.
    fn remember(&mut self, check: Check, incidents: &[Incident], result: &ChildResult, more: &[(Check, ChildResult)]) {
        let mut functions: FunctionSet =
            incidents.iter().filter_map(|i| i.function).chain(set(result.functions()).iter()).collect();
        let failed = !incidents.is_empty();
        let remember = match check {
            Check::AnswersInTime => &mut self.excluded,
            Check::UnterminatedArrays | Check::LongUserName | Check::UnknownHeaders => &mut self.excluded_from_random,
            Check::WritesPastArguments => {
                let before = more.iter().filter(|(check, _)| *check == Check::WritesBeforeArguments);
                functions =
                    before.flat_map(|(_, result)| set(result.functions()).iter()).chain(functions.iter()).collect();
                &mut self.excluded_at_guards
            }
            _ if advice::finds_over_reads(check) => &mut self.excluded_at_guards,
            // From now on, what was kept does no harm.
            Check::UsesTableLater if failed => return self.memory.table = Afterwards::Keep,
            Check::KeepsPointers if failed => return self.memory.arguments = Afterwards::Keep,
            _ => return,
        };
        *remember = functions.iter().fold(*remember, FunctionSet::with);
    }

    /// The finding about a DLL that initialised in the first process, and not in that of this check.
    fn does_not_start_again(&mut self, check: Check, start: &Start) {
        self.never_again = true;
        if !self.findings.iter().any(|finding| finding.check == Check::StartsAgain) {
            let result = leaks::not_again(start, "it was terminated, and then loaded into a new process");
            let finding = self.finding_of(Check::StartsAgain, &[], result, FunctionSet::EMPTY);
            self.findings.push(finding);
        }
        if check != Check::StartsAgain {
            self.skip(check, &format!("it did not initialise again ({})", Check::StartsAgain));
        }
    }

    /// The finding about functions that take long.
    fn slow(&self, slow: &[(FunctionId, Duration)]) -> Finding {
        let check = Check::SlowAnswers;
        let Some(&(worst, longest)) = slow.iter().max_by_key(|(_, took)| *took) else {
            return match self.findings.iter().any(|f| f.check == Check::AnswersInTime && f.outcome == Outcome::Skipped)
            {
                true => Finding::skipped(check, self.bound.why()),
                false => {
                    Finding::pass(check, format!("no call takes longer than {} milliseconds", calls::SLOW.as_millis()))
                }
            };
        };
        let others: Vec<_> = slow.iter().map(|(id, _)| *id).filter(|&id| id != worst).map(FunctionId::name).collect();
        let mut message = format!("{worst} takes {:.2} seconds", longest.as_secs_f32());
        if !others.is_empty() {
            message.push_str(&format!("; slow, too: {}", others.join(", ")));
        }
        let outcome = if longest > calls::TOO_SLOW { Outcome::Fail } else { Outcome::Warning };
        let cause = "Ordinary calls were made several times, and this is the quickest.".to_owned();
        Finding::problem(check, outcome, message, self.problem(check, outcome, cause))
    }

    /// Why an earlier failure makes a check unnecessary, if one does.
    fn reason_to_skip(&self, check: Check) -> Option<String> {
        let after = |earlier: Check| Some(format!("it would only repeat {earlier}"));
        match check {
            Check::ThreadsAfterTerminate | Check::StartsAgain | Check::LoadCycles
                if self.excluded.contains(FunctionId::TerminateDll) =>
            {
                after(Check::AnswersInTime)
            }
            Check::StartsAgain | Check::LoadCycles if self.failed(Check::ThreadsAfterTerminate) => {
                Some("unloading a DLL whose threads still run crashes the process (threads-after-terminate)".into())
            }
            _ if self.never_again => Some(format!("it did not initialise again ({})", Check::StartsAgain)),
            Check::LoadCycles if self.failed(Check::StartsAgain) => after(Check::StartsAgain),
            Check::LoadCycles if self.failed(Check::HandlesPerCall) => after(Check::HandlesPerCall),
            // Memory that the DLL still uses cannot be freed, so it would look like a leak.
            Check::LoadCycles if self.failed(Check::UsesTableLater) => after(Check::UsesTableLater),
            Check::LoadCycles if self.failed(Check::KeepsPointers) => after(Check::KeepsPointers),
            _ => None,
        }
    }

    /// The finding of a check.
    fn finding_of(&self, check: Check, incidents: &[Incident], result: ChildResult, left_out: FunctionSet) -> Finding {
        let Some(first) = incidents.first() else {
            return match result {
                ChildResult::Pass { message } if left_out.is_empty() => Finding::pass(check, message),
                ChildResult::Pass { message } => {
                    let names: Vec<_> = left_out.iter().map(FunctionId::name).collect();
                    Finding::pass(check, format!("{message}, without {} (see above)", names.join(", ")))
                }
                ChildResult::Skipped { why } => Finding::skipped(check, why),
                ChildResult::Found { serious, message, cause, .. } => {
                    let outcome = if serious { Outcome::Fail } else { Outcome::Warning };
                    Finding::problem(check, outcome, message, self.problem(check, outcome, cause))
                }
                ChildResult::NotStarted(_) => Finding::skipped(check, "it did not initialise again"),
            };
        };
        let others = incidents[1..].iter().filter_map(|i| i.function).map(FunctionId::name).collect::<Vec<_>>();
        let mut message = first.message();
        if !others.is_empty() {
            message.push_str(&format!("; likewise {}", others.join(", ")));
        }
        let hung = incidents.iter().all(Incident::hung);
        // If the arguments were not unusual, a crash is not a result of the check, but ends it.
        let is_result = advice::is_boundary(check) || advice::uses_revoked_memory(check);
        let outcome = if is_result || hung { Outcome::Fail } else { Outcome::Crashed };
        let kind = first.ending.kind();
        let cause = match advice::cause(check) {
            Some(cause) if kind == EndingKind::Memory || is_result && !hung => cause.to_owned(),
            _ if hung => kind.cause().to_owned(),
            _ => format!("{} The call was an ordinary one, with arguments as Windows fills them.", kind.cause()),
        };
        let mut problem = self.problem(check, outcome, with_output(&cause, first.output.as_deref()));
        if !is_result {
            problem.effect = kind.effect().map_or(problem.effect, str::to_owned);
            problem.remedy = kind.remedy().map_or(problem.remedy, str::to_owned);
        }
        Finding::problem(check, outcome, message, problem)
    }

    fn problem(&self, check: Check, outcome: Outcome, cause: String) -> Problem {
        let culprit = if self.with_sdk && advice::is_boundary(check) { Culprit::Sdk } else { Culprit::Dll };
        let (effect, remedy) = (advice::effect(check, outcome), advice::remedy(check, outcome));
        Problem { cause, effect: effect.into(), remedy: remedy.into(), culprit }
    }
}

/// The checks whose results the child of this check gives, too.
const fn companions(check: Check) -> &'static [Check] {
    match check {
        Check::WritesPastArguments => &[Check::WritesBeforeArguments, Check::WritesIntoArguments],
        Check::ForeignHandles => &[Check::ProcessState],
        _ => &[],
    }
}
