//! The checks that run the DLL, each in a child process that may hang or crash without harm.

mod advice;
mod arguments;
mod calls;
mod child;
mod job;
mod launch;
mod leaks;
mod loaded;
mod progress;

pub use child::child_main;
pub use job::CHILD_SUBCOMMAND;

use crate::check::{Check, Kind};
use crate::finding::{Culprit, Finding, Outcome, Problem};
use crate::options::Options;
use crate::statics::requirements::{REFUSED, list};
use job::Job;
use launch::{End, Ended};
use mprapi::requirements::check_table;
use mprapi::{FunctionId, FunctionSet, Profile};
use progress::{ChildResult, Line, Start};
use rasadmin_host::scratch::{AUDIT_ONLY, Scratch, ScratchError};
use std::path::{Path, PathBuf};

/// How many functions may hang before a check is abandoned. Each of them costs a deadline.
const MAX_HANGS: usize = 3;

/// The results of running a DLL.
#[derive(Clone, Debug, Default)]
pub(crate) struct DynamicResults {
    /// One finding for each dynamic check.
    pub findings: Vec<Finding>,
    /// The callbacks table's revision and functions.
    pub table: Option<(u8, FunctionSet)>,
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
        excluded: FunctionSet::EMPTY,
        excluded_at_guards: FunctionSet::EMPTY,
        excluded_from_random: FunctionSet::EMPTY,
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
    for check in
        all().filter(|check| !matches!(check, Check::Initialises | Check::CallbacksTable | Check::PreAuthentication))
    {
        about_to(check);
        runner.check(check);
    }
    runner.end("", table)
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
    /// Functions that hang or crash in ordinary calls. No other check calls them.
    excluded: FunctionSet,
    /// Functions that read past the end of an argument. They are not called with arguments before an inaccessible page.
    excluded_at_guards: FunctionSet,
    /// Functions that failed a check of one kind of damage. Random damage would only find the same defect again.
    excluded_from_random: FunctionSet,
    findings: Vec<Finding>,
    exports: Option<FunctionSet>,
    children: u32,
}

/// A function that crashed the process, or hung.
struct Incident {
    function: Option<FunctionId>,
    /// Where it happened, for the report.
    location: String,
    /// What happened.
    what: String,
    hung: bool,
    /// What the DLL wrote to standard error.
    output: Option<String>,
}

impl Runner<'_> {
    fn child(&mut self, check: Check, except: FunctionSet) -> Ended {
        self.children += 1;
        let job = Job {
            check,
            file: self.file.clone(),
            result: self.temporary.path().join(format!("result-{}", self.children)),
            cycles: self.options.cycles,
            seed: self.options.seed,
            except,
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
        let ended = self.child(check, FunctionSet::EMPTY);
        // The result of initialising counts, even if the process crashed after it.
        let Some(start) = ended.start.clone() else {
            let finding = match incident(&ended) {
                Ok(incident) => Finding::problem(
                    check,
                    if incident.hung { Outcome::Fail } else { Outcome::Crashed },
                    format!("{}: {}", incident.location, incident.what),
                    Problem::of_dll(
                        with_output(
                            "It happened at the point where RRAS loads and initialises the DLL.",
                            ended.output.as_deref(),
                        ),
                        "The Remote Access service does not start.",
                        "Do as little as possible in DllMain, and do not wait in the initialise function.",
                    ),
                ),
                Err(finding) => finding(check),
            };
            self.findings.push(finding);
            return None;
        };
        if let Some((code, message)) = &start.load_error {
            let event = if (191..=193).contains(code) { 20204 } else { 20113 };
            self.findings.push(Finding::problem(
                check,
                Outcome::Fail,
                format!("it cannot be loaded: error {code}"),
                Problem::of_dll(
                    sentence(message),
                    format!("Event {event}, and the Remote Access service does not start."),
                    "Install what it depends on in System32, or link it statically.",
                ),
            ));
            return None;
        }
        self.exports = Some(set(&start.exports));
        match start.answer {
            Some(0) => self.findings.push(Finding::pass(check, "it loads, and the initialise function returns 0")),
            None => self.findings.push(Finding::pass(check, "it loads; it exports no initialise function")),
            Some(code) => {
                let function =
                    if start.table.is_some() { FunctionId::InitializeDllEx } else { FunctionId::InitializeDll };
                self.findings.push(Finding::problem(
                    check,
                    Outcome::Fail,
                    format!("{function} returns {code}"),
                    Problem::of_dll(
                        with_output(
                            "Any code but 0 (NO_ERROR) means that the DLL could not start.",
                            ended.output.as_deref(),
                        ),
                        "RRAS unloads the DLL (event 20113), and the Remote Access service does not start.",
                        "Find out what the DLL is missing on this machine: its configuration, a file, or a permission.",
                    ),
                ));
                return None;
            }
        }
        Some(start)
    }

    /// Checks the callbacks table. Returns whether RRAS would call any function.
    fn table(&mut self, table: Option<(u8, FunctionSet)>) -> bool {
        let Some((revision, pointers)) = table else {
            self.findings.push(Finding::pass(Check::CallbacksTable, "it has none: its exports count"));
            self.findings.push(Finding::pass(Check::PreAuthentication, "it has no callbacks table"));
            return true;
        };
        let deciding = self.options.deciding();
        let strict = check_table(Profile::Shipping, revision, pointers);
        let decisive = check_table(deciding, revision, pointers);
        self.findings.push(if strict.is_empty() {
            Finding::pass(
                Check::CallbacksTable,
                format!("revision {revision}, {} of its pointers are set", pointers.len()),
            )
        } else {
            Finding::problem(
                Check::CallbacksTable,
                if decisive.is_empty() { Outcome::Warning } else { Outcome::Fail },
                list(&strict),
                Problem::of_dll(
                    "MprAdminInitializeDllEx fills in the table, and from then on only the table counts, not the exports.",
                    REFUSED,
                    "Set revision 2; set both link functions, both Ex connection functions, and both of an address \
                     pair or neither.",
                ),
            )
        });
        let id = FunctionId::ValidatePreAuthenticatedConnectionEx;
        self.findings.push(if pointers.contains(id) {
            Finding::problem(
                Check::PreAuthentication,
                Outcome::Warning,
                format!("its table sets {}", id.row().field.unwrap_or(id.name())),
                Problem::of_dll(
                    "RRAS asks the DLL about every SSTP client before authentication.",
                    "An answer of 1 lets the client in without PPP authentication; an answer of 0 overrules another \
                     DLL that would.",
                    "Leave the pointer null, unless this is what the DLL is for.",
                ),
            )
        } else {
            Finding::pass(Check::PreAuthentication, "the pointer is null")
        });
        strict.iter().all(|violation| {
            !matches!(violation, mprapi::Violation::UnknownRevision(_) | mprapi::Violation::Revision1InTable)
        })
    }

    fn failed(&self, check: Check) -> bool {
        self.findings.iter().any(|f| f.check == check && f.outcome.fails())
    }

    /// Runs a check until it comes to its end. A function that crashes the process or hangs is left out of the next try.
    fn check(&mut self, check: Check) {
        let at_guards = advice::is_boundary(check);
        if let Some(why) = self.reason_to_skip(check) {
            self.findings.push(Finding::skipped(check, why));
            return;
        }
        let mut except = self.excluded;
        if at_guards {
            except = self.excluded_at_guards.iter().fold(except, FunctionSet::with);
        }
        if check == Check::RandomStructures {
            except = self.excluded_from_random.iter().fold(except, FunctionSet::with);
        }
        let left_out = except;
        let mut incidents: Vec<Incident> = Vec::new();
        let result = loop {
            let ended = self.child(check, except);
            let incident = match incident(&ended) {
                Ok(incident) => incident,
                Err(_) if let End::Done(result) = ended.end => break result,
                Err(finding) => {
                    self.findings.push(finding(check));
                    return;
                }
            };
            let retry_without = incident.function.filter(|&id| !except.contains(id));
            incidents.push(incident);
            let hangs = incidents.iter().filter(|i| i.hung).count();
            match retry_without {
                Some(id) if hangs < MAX_HANGS => except.insert(id),
                _ => break ChildResult::skipped("abandoned"),
            }
        };
        let functions: FunctionSet = incidents.iter().filter_map(|i| i.function).collect();
        let remember = match check {
            Check::AnswersInTime => Some(&mut self.excluded),
            Check::UnterminatedArrays | Check::LongUserName | Check::UnknownHeaders => {
                Some(&mut self.excluded_from_random)
            }
            _ if advice::finds_over_reads(check) => Some(&mut self.excluded_at_guards),
            _ => None,
        };
        if let Some(remember) = remember {
            *remember = functions.iter().fold(*remember, FunctionSet::with);
        }
        let finding = self.finding_of(check, &incidents, result, left_out);
        self.findings.push(finding);
    }

    /// Why an earlier failure makes a check unnecessary, if one does.
    fn reason_to_skip(&self, check: Check) -> Option<String> {
        let after = |earlier: Check| Some(format!("it would only repeat {earlier}"));
        match check {
            Check::ThreadsAfterTerminate | Check::LoadCycles if self.excluded.contains(FunctionId::TerminateDll) => {
                after(Check::AnswersInTime)
            }
            Check::LoadCycles if self.failed(Check::ThreadsAfterTerminate) => {
                Some("unloading a DLL whose threads still run crashes the process (threads-after-terminate)".into())
            }
            Check::LoadCycles if self.failed(Check::HandlesPerCall) => after(Check::HandlesPerCall),
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
                ChildResult::Fail { message, cause } => {
                    Finding::problem(check, Outcome::Fail, message, self.problem(check, cause))
                }
            };
        };
        let others = incidents[1..].iter().filter_map(|i| i.function).map(FunctionId::name).collect::<Vec<_>>();
        let mut message = format!("{}: {}", first.location, first.what);
        if !others.is_empty() {
            message.push_str(&format!("; likewise {}", others.join(", ")));
        }
        let hung = incidents.iter().all(|i| i.hung);
        // If the arguments were not unusual, a crash is not a result of the check, but ends it.
        let outcome = if advice::is_boundary(check) || hung { Outcome::Fail } else { Outcome::Crashed };
        let cause = match (check, hung) {
            (_, true) => "The function waits for something that never happens, or loops forever.",
            (check, _) if advice::finds_over_reads(check) => {
                "It accessed memory after the argument's last byte, which had been made inaccessible."
            }
            (Check::LoadCycles, _) => {
                "Code of the DLL was still running, or its memory still in use, when it was unloaded."
            }
            (check, _) if advice::is_boundary(check) => {
                "It uses a pointer, terminator, length or value of an argument without checking it."
            }
            _ => "The call was an ordinary one, with arguments as Windows fills them.",
        };
        Finding::problem(check, outcome, message, self.problem(check, with_output(cause, first.output.as_deref())))
    }

    fn problem(&self, check: Check, cause: String) -> Problem {
        let culprit = if self.with_sdk && advice::is_boundary(check) { Culprit::Sdk } else { Culprit::Dll };
        Problem { cause, effect: advice::effect(check).into(), remedy: advice::remedy(check).into(), culprit }
    }
}

/// What the DLL did to its process. `Err` is a finding that blames something else; if the child came to its end, that
/// finding is not used.
fn incident(ended: &Ended) -> Result<Incident, Box<dyn Fn(Check) -> Finding>> {
    let (what, hung) = match &ended.end {
        End::Died(how) => (how.clone(), false),
        End::Hung(after) => (format!("no answer within {} seconds", after.as_secs_f32()), true),
        End::Panicked(message) => return Err(not_the_dll(Culprit::Checker, message.clone())),
        End::Broken(why) => return Err(not_the_dll(Culprit::Host, why.clone())),
        End::Done(_) => return Err(Box::new(|check| Finding::skipped(check, "done"))),
    };
    let (function, location) = match &ended.last {
        Some(Line::Call { function, detail }) => {
            let id = FunctionId::from_name(function);
            let gap = if detail.is_empty() { "" } else { " " };
            (id, format!("{function}{gap}{detail}"))
        }
        Some(Line::Loading) => (None, "while it was loaded".into()),
        Some(Line::Unloading) => (None, "while it was unloaded".into()),
        Some(Line::Step { what: step }) if hung => {
            return Err(not_the_dll(Culprit::Checker, format!("{what}, after: {step}")));
        }
        // Between calls, only the DLL's own threads or memory that it damaged can end the process.
        Some(Line::Step { what: step }) => (None, format!("between calls, after: {step}")),
        _ => (None, "at an unknown point".into()),
    };
    Ok(Incident { function, location, what, hung, output: ended.output.clone() })
}

/// A cause, with what the DLL itself wrote.
fn with_output(cause: &str, output: Option<&str>) -> String {
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

fn sentence(text: &str) -> String {
    let text = rasadmin_text::printable(text.trim());
    if text.ends_with('.') { text.into_owned() } else { format!("{text}.") }
}
