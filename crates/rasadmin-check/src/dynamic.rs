//! The checks that run the DLL: each in a process of its own, which may hang or die without harm.

mod advice;
mod arguments;
mod calls;
mod child;
mod counting;
mod launch;
mod progress;

pub use child::child_main;

use crate::check::{Check, Kind};
use crate::finding::{Culprit, Finding, Outcome, Problem};
use crate::options::Options;
use crate::statics::REFUSED;
use crate::statics::requirements::list;
use child::Job;
use launch::{End, Ended};
use mprapi::requirements::judge_table;
use mprapi::{FunctionId, FunctionSet, Profile};
use progress::{ChildResult, Line, Start};
use rasadmin_host::scratch::{AUDIT_ONLY, Scratch, ScratchError};
use std::path::{Path, PathBuf};

/// How many functions may hang before a check is given up: each costs a deadline.
const HANGS: usize = 3;

/// What running a DLL has shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// One for each dynamic check.
    pub findings: Vec<Finding>,
    /// The callbacks table's revision and functions.
    pub table: Option<(u8, FunctionSet)>,
}

/// Every dynamic check skipped for one reason.
pub(crate) fn skip_all(why: &str) -> Run {
    Run { findings: all().map(|check| Finding::skipped(check, why)).collect(), ..Run::default() }
}

fn all() -> impl Iterator<Item = Check> {
    Check::ALL.iter().copied().filter(|check| check.kind() == Kind::Dynamic)
}

/// Runs every dynamic check. `about_to` is told of each.
pub(crate) fn run(file: &Path, with_sdk: bool, options: &Options, about_to: &mut dyn FnMut(Check)) -> Run {
    let (temporary, store) = match Scratch::temporary().and_then(|folder| Ok((folder, store(options)?))) {
        Ok(folders) => folders,
        Err(e) => return skip_all(&e.to_string()),
    };
    let mut runner = Runner {
        // A relative path would be searched for in System32.
        file: std::path::absolute(file).unwrap_or_else(|_| file.to_owned()),
        with_sdk,
        options,
        temporary,
        store,
        everywhere: FunctionSet::EMPTY,
        at_guards: FunctionSet::EMPTY,
        trusting: FunctionSet::EMPTY,
        findings: Vec::new(),
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

/// Where our product finds its configuration and has its journal.
fn store(options: &Options) -> Result<Scratch, ScratchError> {
    let store = options.keep.as_deref().map_or_else(Scratch::temporary, Scratch::keep)?;
    // A checker's sessions need not outlive a power cut.
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
    /// What the checks themselves write.
    temporary: Scratch,
    /// What our product writes.
    store: Scratch,
    /// Functions that hang or fault in ordinary calls: no check calls them again.
    everywhere: FunctionSet,
    /// Functions that touch what lies behind an argument: they are left out where that is inaccessible.
    at_guards: FunctionSet,
    /// Functions that failed a check of one kind of damage: random damage would only find the same again.
    trusting: FunctionSet,
    findings: Vec<Finding>,
    children: u32,
}

/// A function that took the process with it, or hung.
struct Incident {
    function: Option<FunctionId>,
    /// Where it happened, for a reader.
    place: String,
    /// What happened.
    what: String,
    hung: bool,
    /// The DLL's own words.
    said: Option<String>,
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

    /// The result; what was not reached is skipped.
    fn end(mut self, why: &str, table: Option<(u8, FunctionSet)>) -> Run {
        for check in all() {
            if !self.findings.iter().any(|finding| finding.check == check) {
                self.findings.push(Finding::skipped(check, why));
            }
        }
        self.findings.sort_by_key(|finding| finding.check);
        Run { findings: self.findings, table }
    }

    fn initialises(&mut self) -> Option<Start> {
        let check = Check::Initialises;
        let ended = self.child(check, FunctionSet::EMPTY);
        // What it said before it was done counts, even if it did not end well.
        let Some(start) = ended.start.clone() else {
            let finding = match incident(&ended) {
                Ok(incident) => Finding::problem(
                    check,
                    if incident.hung { Outcome::Fail } else { Outcome::Crashed },
                    format!("{}: {}", incident.place, incident.what),
                    Problem::of_dll(
                        with_words("It happened where RRAS loads and initialises the DLL.", ended.said.as_deref()),
                        "The Remote Access service does not start.",
                        "Do little in DllMain, and wait for nothing in the initialise function.",
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
                        with_words(
                            "Anything but 0 (NO_ERROR) means that the DLL could not start.",
                            ended.said.as_deref(),
                        ),
                        "RRAS unloads the DLL (event 20113), and the Remote Access service does not start.",
                        "Find out what it lacks on this machine: its configuration, a file, a right.",
                    ),
                ));
                return None;
            }
        }
        Some(start)
    }

    /// Judges the table; would RRAS go on?
    fn table(&mut self, table: Option<(u8, FunctionSet)>) -> bool {
        let Some((revision, pointers)) = table else {
            self.findings.push(Finding::pass(Check::CallbacksTable, "it has none: its exports count"));
            self.findings.push(Finding::pass(Check::PreAuthentication, "it has no callbacks table"));
            return true;
        };
        let deciding = self.options.deciding();
        let strict = judge_table(Profile::Shipping, revision, pointers);
        let decisive = judge_table(deciding, revision, pointers);
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
                    "MprAdminInitializeDllEx fills the table in, and from then on only the table counts: exports do not.",
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
                    "The DLL is asked about every SSTP client before authentication.",
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

    /// Runs a check until it comes to its end, leaving out each function that took a process with it.
    fn check(&mut self, check: Check) {
        let at_guards = advice::is_boundary(check);
        if let Some(why) = self.pointless(check) {
            self.findings.push(Finding::skipped(check, why));
            return;
        }
        let mut except = self.everywhere;
        if at_guards {
            except = self.at_guards.iter().fold(except, FunctionSet::with);
        }
        if check == Check::RandomStructures {
            except = self.trusting.iter().fold(except, FunctionSet::with);
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
            let again = incident.function.filter(|&id| !except.contains(id));
            incidents.push(incident);
            let hangs = incidents.iter().filter(|i| i.hung).count();
            match again {
                Some(id) if hangs < HANGS => except.insert(id),
                _ => break ChildResult::skipped("given up"),
            }
        };
        let functions: FunctionSet = incidents.iter().filter_map(|i| i.function).collect();
        let remember = match check {
            Check::AnswersInTime => Some(&mut self.everywhere),
            Check::UnterminatedArrays | Check::LongUserName | Check::UnknownHeaders => Some(&mut self.trusting),
            _ if advice::is_about_ends(check) => Some(&mut self.at_guards),
            _ => None,
        };
        if let Some(remember) = remember {
            *remember = functions.iter().fold(*remember, FunctionSet::with);
        }
        let finding = self.conclude(check, &incidents, result, left_out);
        self.findings.push(finding);
    }

    /// Why an earlier failure makes a check pointless.
    fn pointless(&self, check: Check) -> Option<String> {
        let after = |earlier: Check| Some(format!("it would only repeat {earlier}"));
        match check {
            Check::ThreadsAfterTerminate | Check::LoadCycles if self.everywhere.contains(FunctionId::TerminateDll) => {
                after(Check::AnswersInTime)
            }
            Check::LoadCycles if self.failed(Check::ThreadsAfterTerminate) => {
                Some("unloading a DLL whose threads still run ends the process (threads-after-terminate)".into())
            }
            Check::LoadCycles if self.failed(Check::HandlesPerCall) => after(Check::HandlesPerCall),
            _ => None,
        }
    }

    fn conclude(&self, check: Check, incidents: &[Incident], result: ChildResult, left_out: FunctionSet) -> Finding {
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
        let mut message = format!("{}: {}", first.place, first.what);
        if !others.is_empty() {
            message.push_str(&format!("; likewise {}", others.join(", ")));
        }
        let hung = incidents.iter().all(|i| i.hung);
        // Where nothing unusual was done to it, a fault is no answer to a check, but the end of it.
        let outcome = if advice::is_boundary(check) || hung { Outcome::Fail } else { Outcome::Crashed };
        let cause = match (check, hung) {
            (_, true) => "The function waits for something that does not come, or never ends.",
            (check, _) if advice::is_about_ends(check) => {
                "It touched memory behind the argument's last byte, which was made inaccessible."
            }
            (Check::LoadCycles, _) => "Something of the DLL still ran or was still used when it was unloaded.",
            (check, _) if advice::is_boundary(check) => {
                "It trusts what it is given: a pointer, a terminator, a length or a value."
            }
            _ => "The call was an ordinary one, with everything as Windows fills it.",
        };
        Finding::problem(check, outcome, message, self.problem(check, with_words(cause, first.said.as_deref())))
    }

    fn problem(&self, check: Check, cause: String) -> Problem {
        let culprit = if self.with_sdk && advice::is_boundary(check) { Culprit::Sdk } else { Culprit::Dll };
        Problem { cause, effect: advice::effect(check).into(), remedy: advice::remedy(check).into(), culprit }
    }
}

/// What the DLL did to its process; else, if it is not to blame, the finding that says who is. Of a child that came to
/// its end there is neither.
fn incident(ended: &Ended) -> Result<Incident, Box<dyn Fn(Check) -> Finding>> {
    let (what, hung) = match &ended.end {
        End::Died(how) => (how.clone(), false),
        End::Hung(after) => (format!("no answer within {} seconds", after.as_secs_f32()), true),
        End::Panicked(message) => return Err(not_the_dll(Culprit::Checker, message.clone())),
        End::Broken(why) => return Err(not_the_dll(Culprit::Host, why.clone())),
        End::Done(_) => return Err(Box::new(|check| Finding::skipped(check, "done"))),
    };
    let (function, place) = match &ended.last {
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
        // Between calls only the DLL's own threads, or what it broke, can end the process.
        Some(Line::Step { what: step }) => (None, format!("between calls, after: {step}")),
        _ => (None, "at a place unknown".into()),
    };
    Ok(Incident { function, place, what, hung, said: ended.said.clone() })
}

/// A cause, with what the DLL itself wrote about it.
fn with_words(cause: &str, said: Option<&str>) -> String {
    match said {
        Some(said) => format!("{cause} It wrote: \"{said}\""),
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
                effect: "Nothing is known of the DLL in this respect.".into(),
                remedy: match culprit {
                    Culprit::Host => {
                        "Check that programs can be started and files written in the folder for temporary \
                                      files, then run it again."
                    }
                    _ => "Run it again; if it happens again, report it with this text.",
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
