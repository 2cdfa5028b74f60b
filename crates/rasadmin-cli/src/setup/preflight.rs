//! Would RRAS start with the DLLs of a list? rasadmin.dll is run in child processes. Other vendors' DLLs are only read,
//! never loaded, because this is a production server.

use super::product::file_of;
use crate::error::{CommandError, Result};
use indicatif::ProgressBar;
use rasadmin_check::{Options, Outcome, Report, Verdict, check, check_with};
use rasadmin_system::machine_policy::MachinePolicy;
use rasadmin_text::printable_path;
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

/// How often rasadmin.dll is loaded and unloaded. The checker's default is for developers.
const CYCLES: u32 = 20;

/// What the preflight says about a DLL.
#[derive(Debug)]
pub struct Preflight {
    /// A line for people.
    pub line: String,
    /// The address functions that its file exports: IPv4, IPv6.
    pub pairs: [bool; 2],
    /// Whether its file has a signature.
    pub signed: bool,
}

/// The caller looks at the machine's policies, once for all DLLs.
fn options() -> Options {
    Options { machine_policy: Some(MachinePolicy::default()), ..Options::default() }
}

/// Another vendor's DLL, by its file alone.
pub fn other(dll: &str) -> Result<Preflight> {
    let file = file_of(dll);
    let options = Options { static_only: true, ..options() };
    let report = check(&file, &options).map_err(|e| {
        let what = format!("{}: RRAS would not start (event 20113): {}", printable_path(dll), printable_path(&e.what));
        CommandError::refused(what).hint(format!("{}; or take it out of DllPath", e.remedy))
    })?;
    refuse(dll, &report)?;
    let verdict = match report.profiles.first().map(|profile| profile.verdict) {
        Some(Verdict::DependsOnTable) => {
            "its file shows no fault, but its callback table decides, and only running the DLL shows that"
        }
        _ => "its file shows no fault",
    };
    let warnings = match report.count(Outcome::Warning) {
        0 => String::new(),
        n => format!("; {}, see `rasadmin check --static-only`", crate::format::count(n, "warning")),
    };
    Ok(Preflight {
        line: format!("{}: {verdict} (read, not run){warnings}", printable_path(dll)),
        pairs: pairs(&report),
        signed: report.facts.signed,
    })
}

/// rasadmin.dll: with the dynamic checks, and with a temporary configuration and ledger.
pub fn ours(file: &Path, version: &str) -> Result<Preflight> {
    let name = printable_path(file);
    let options = Options { require_dynamic: true, cycles: CYCLES, ..options() };
    let progress = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    progress.enable_steady_tick(Duration::from_millis(100));
    let report = check_with(file, &options, &mut |check| progress.set_message(check.description()));
    progress.finish_and_clear();
    let report = report.map_err(CommandError::refused)?;
    refuse(&name, &report)?;
    let fails = |f: &&rasadmin_check::Finding| f.outcome.fails() || f.outcome == Outcome::Skipped;
    if report.failed {
        let why = report.findings.iter().find(fails).map_or("", |finding| finding.message.as_str());
        let what = format!("{name}: it does not pass its checks here: {}", printable_path(why));
        return Err(CommandError::refused(what).hint("`rasadmin check` says more"));
    }
    let checks = crate::format::count(report.findings.len() as u64, "check");
    let line = format!("{name}: rasadmin {version}, RRAS would start with it ({checks})");
    Ok(Preflight { line, pairs: pairs(&report), signed: report.facts.signed })
}

/// Refuses a DLL that would keep RRAS from starting.
fn refuse(dll: &str, report: &Report) -> Result<()> {
    let Some(deciding) = report.profiles.iter().find(|p| p.decides && p.verdict == Verdict::Refused) else {
        return Ok(());
    };
    let remedy = report.findings.iter().filter(|f| f.outcome.fails()).find_map(|f| f.problem.as_ref());
    let remedy = remedy.map_or_else(String::new, |problem| format!("; {}", printable_path(&problem.remedy)));
    Err(CommandError::refused(format!(
        "{}: RRAS would not start with it: {}{remedy} Or take it out of DllPath: one such DLL is enough",
        printable_path(dll),
        printable_path(deciding.reasons.join("; "))
    )))
}

fn pairs(report: &Report) -> [bool; 2] {
    let functions = report.facts.table.as_ref().unwrap_or(&report.facts.exports);
    ["MprAdminGetIpAddressForUser", "MprAdminGetIpv6AddressForUser"].map(|name| functions.contains(&name))
}
