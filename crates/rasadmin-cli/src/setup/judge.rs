//! Would RRAS start with the DLLs of a list? Ours is run in child processes; another vendor's is only read, never loaded:
//! this is a production server.

use super::product::file_of;
use super::{Stop, printable};
use indicatif::ProgressBar;
use rasadmin_check::{Options, Outcome, Report, Verdict, check, check_with};
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

/// How often ours is loaded and unloaded: the checker's own default is for developers.
const CYCLES: u32 = 20;

/// What is said of a DLL.
#[derive(Debug)]
pub struct Judged {
    /// A line for people.
    pub line: String,
    /// The address functions that its file exports: IPv4, IPv6.
    pub pairs: [bool; 2],
}

/// Another vendor's, by its file alone.
pub fn stranger(dll: &str) -> Result<Judged, Stop> {
    let file = file_of(dll);
    let options = Options { static_only: true, ..Options::default() };
    let report = check(&file, &options).map_err(|e| {
        Stop::Refused(format!(
            "{}: RRAS would not start (event 20113): {}; {}; or take it out of DllPath",
            printable(dll),
            printable(&e.what),
            e.remedy
        ))
    })?;
    refuse(dll, &report)?;
    let verdict = match report.profiles.first().map(|profile| profile.verdict) {
        Some(Verdict::DependsOnTable) => {
            "its file shows no fault; its callbacks table decides, which only running shows"
        }
        _ => "its file shows no fault",
    };
    let warnings = match report.count(Outcome::Warning) {
        0 => String::new(),
        n => format!("; {}, see `rasadmin check --static-only`", crate::output::count(n, "warning")),
    };
    Ok(Judged { line: format!("{}: {verdict} (read, not run){warnings}", printable(dll)), pairs: pairs(&report) })
}

/// Ours: with the dynamic checks, on a configuration and a ledger that are thrown away.
pub fn ours(file: &Path, version: &str) -> Result<Judged, Stop> {
    let name = printable(file);
    let options = Options { require_dynamic: true, cycles: CYCLES, ..Options::default() };
    let progress = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    progress.enable_steady_tick(Duration::from_millis(100));
    let report = check_with(file, &options, &mut |check| progress.set_message(check.description()));
    progress.finish_and_clear();
    let report = report.map_err(|e| Stop::Refused(e.to_string()))?;
    refuse(&name, &report)?;
    let fails = |f: &&rasadmin_check::Finding| f.outcome.fails() || f.outcome == Outcome::Skipped;
    if report.failed {
        let why = report.findings.iter().find(fails).map_or("", |finding| finding.message.as_str());
        return Err(Stop::Refused(format!(
            "{name}: it does not pass its checks here: {}; `rasadmin check` says more",
            printable(why)
        )));
    }
    let line = format!("{name}: rasadmin {version}, RRAS would start with it ({} checks)", report.findings.len());
    Ok(Judged { line, pairs: pairs(&report) })
}

/// Would it keep RRAS from starting?
fn refuse(dll: &str, report: &Report) -> Result<(), Stop> {
    let Some(deciding) = report.profiles.iter().find(|p| p.decides && p.verdict == Verdict::Refused) else {
        return Ok(());
    };
    let remedy = report.findings.iter().filter(|f| f.outcome.fails()).find_map(|f| f.problem.as_ref());
    let remedy = remedy.map_or_else(String::new, |problem| format!("; {}", printable(&problem.remedy)));
    Err(Stop::Refused(format!(
        "{}: RRAS would not start with it: {}{remedy} Or take it out of DllPath: one DLL that is refused is enough",
        printable(dll),
        printable(deciding.reasons.join("; "))
    )))
}

fn pairs(report: &Report) -> [bool; 2] {
    let functions = report.facts.table.as_ref().unwrap_or(&report.facts.exports);
    ["MprAdminGetIpAddressForUser", "MprAdminGetIpv6AddressForUser"].map(|name| functions.contains(&name))
}
