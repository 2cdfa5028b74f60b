//! `rasadmin check`: would RRAS load this DLL, and if not, why?

use crate::error::{CommandError, Exit, Kind, Result};
use crate::output::Output;
use clap::Args;
use indicatif::ProgressBar;
use mprapi::Profile;
use rasadmin_check::{Check, Options, check_list, check_with};
use rasadmin_host::scratch::Scratch;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

/// Check whether RRAS will load an admin DLL
///
/// The command first reads the file without loading it. If the DLL can be loaded on this system, the command then runs
/// it in child processes: a Windows DLL on Windows and under Wine, a native library on Linux. rasadmin.dll runs with a
/// temporary configuration, ledger and log, never with this computer's.
///
/// Do not run another vendor's DLL on a production server: use --static-only there.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin check target/windows/rasadmin.dll
  rasadmin check --profile documented --json vendor.dll
  rasadmin check --dll-path 'C:\\vendor\\a.dll;C:\\rasadmin\\rasadmin.dll'

Exit codes: 0 RRAS would load every DLL, and no check failed; 1 a check failed;
2 the command could not do its work.")]
pub struct Arguments {
    /// The admin DLLs
    #[arg(required_unless_present = "dll_path", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Check a whole list as in the registry value DllPath: whose addresses RRAS uses, and which DLLs it never loads
    #[arg(long, value_name = "LIST", conflicts_with = "files")]
    dll_path: Option<String>,
    /// The requirements that decide: shipping, documented or nt4. Without this option, shipping decides, and the others
    /// only warn
    #[arg(long, value_name = "PROFILE")]
    profile: Option<Profile>,
    /// Only read the files; do not load them
    #[arg(long)]
    static_only: bool,
    /// Fail if the DLL could not be run on this system
    #[arg(long, conflicts_with = "static_only")]
    require_dynamic: bool,
    /// How often to load and unload the DLL
    #[arg(
        long,
        default_value_t = 200,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..),
        conflicts_with = "static_only"
    )]
    cycles: u32,
    /// How long a call may take, in seconds
    #[arg(
        long,
        default_value_t = 10,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=3600),
        conflicts_with = "static_only"
    )]
    deadline: u64,
    /// How long the checks that run one DLL may take together, in seconds. Checks that do not fit are skipped
    #[arg(
        long,
        default_value_t = 120,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=86400),
        conflicts_with = "static_only"
    )]
    bound: u64,
    /// The seed of the random bytes: the same seed gives the same bytes
    #[arg(long, default_value_t = 1, value_name = "N", conflicts_with = "static_only")]
    seed: u64,
    /// Keep the configuration, ledger and log of this run in this folder. The folder may be new, empty, or from an
    /// earlier run. Without this option, the files are deleted
    #[arg(long, value_name = "FOLDER", conflicts_with = "static_only")]
    keep: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Checks the files.
pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let options = Options {
        profile: arguments.profile,
        require_dynamic: arguments.require_dynamic,
        static_only: arguments.static_only,
        cycles: arguments.cycles,
        deadline: Duration::from_secs(arguments.deadline),
        bound: Duration::from_secs(arguments.bound),
        seed: arguments.seed,
        keep: arguments.keep.clone(),
        ..Options::default()
    };
    if let Some(folder) = &options.keep {
        Scratch::keep(folder)?;
    }
    let progress = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    progress.enable_steady_tick(Duration::from_millis(100));
    let mut about_to = |check: Check| progress.set_message(check.description());
    let (width, colour) = (width(out), out.colours());
    let mut cannot = Vec::new();
    let (text, code) = if let Some(list) = &arguments.dll_path {
        let report = check_list(list, &options, &mut |_, check| about_to(check))?;
        let text = if arguments.json { report.to_json() } else { report.render(width, colour) };
        (text, report.exit_code())
    } else {
        let mut reports = Vec::new();
        for file in &arguments.files {
            match check_with(file, &options, &mut about_to) {
                Ok(report) => reports.push(report),
                // The other files are reported first.
                Err(e) => cannot.push(e.to_string()),
            }
        }
        let code = reports.iter().map(|report| report.exit_code()).max().unwrap_or(0);
        let text = match (arguments.files.len(), arguments.json) {
            (1, true) => reports.iter().map(|report| report.to_json()).collect(),
            (_, true) => {
                let all: Vec<_> = reports.iter().map(|report| report.to_json()).collect();
                format!("[{}]", all.join(",\n"))
            }
            (_, false) => {
                let all: Vec<_> = reports.iter().map(|report| report.render(width, colour)).collect();
                all.join("\n")
            }
        };
        (text, code)
    };
    progress.finish_and_clear();
    if !text.is_empty() {
        let text = text.trim_end();
        // The names in it are a stranger's. The text for people is escaped where it is made.
        let text = if arguments.json { rasadmin_text::printable_json(text) } else { text.into() };
        writeln!(out, "{text}")?;
    }
    if !cannot.is_empty() {
        return Err(CommandError::new(Kind::Dll, cannot.join("\n")));
    }
    Ok(Exit::Code(u8::try_from(code).unwrap_or(2)))
}

/// The terminal's width, but never so wide that a line is hard to read; 100 without a terminal.
fn width(out: &Output) -> usize {
    out.width().map_or(100, |width| width.clamp(60, 120))
}
