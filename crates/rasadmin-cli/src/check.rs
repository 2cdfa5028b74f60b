//! `rasadmin check`: would RRAS start with this DLL, and why not?

use clap::Args;
use indicatif::ProgressBar;
use mprapi::Profile;
use rasadmin_check::{Check, Options, check_list, check_with};
use rasadmin_host::scratch::Scratch;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

/// Tell whether RRAS would start with admin DLLs, and why not
///
/// A file is first read without being loaded. Then, where it can be loaded, it is run in child processes: on Windows
/// and under Wine a DLL, on Linux a native library. Do not run another vendor's DLL on a production server: use
/// --static-only there. rasadmin.dll itself is run with a configuration, a ledger and a log of its own, never the machine's.
///
/// Examples:
///   rasadmin check target/windows/rasadmin.dll
///   rasadmin check --profile documented --json vendor.dll
///   rasadmin check --dll-path 'C:\vendor\a.dll;C:\rasadmin\rasadmin.dll'
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The admin DLLs
    #[arg(required_unless_present = "dll_path", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A whole list, as the registry value DllPath has it: says whose addresses win, and what would never load
    #[arg(long, value_name = "LIST", conflicts_with = "files")]
    dll_path: Option<String>,
    /// The requirements that decide: shipping, documented or nt4. Without it shipping does, and the others warn
    #[arg(long, value_name = "PROFILE")]
    profile: Option<Profile>,
    /// Only read the files, never load them
    #[arg(long)]
    static_only: bool,
    /// Fail if the DLL could not be run here
    #[arg(long, conflicts_with = "static_only")]
    require_dynamic: bool,
    /// How many times the DLL is loaded and unloaded
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    cycles: u32,
    /// How long one call may take, in seconds
    #[arg(long, default_value_t = 10, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    deadline: u64,
    /// Where the random bytes begin: the same seed gives the same bytes
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Keep the configuration, the ledger and the log of this run in this folder, to look at: it is new, empty, or an
    /// earlier run's. Without it they are thrown away
    #[arg(long, value_name = "FOLDER", conflicts_with = "static_only")]
    keep: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of the child process: the library's own.
#[derive(Args)]
pub struct ChildArguments {
    #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
    arguments: Vec<OsString>,
}

/// A child process of a check.
pub fn child(arguments: ChildArguments) -> u8 {
    u8::try_from(rasadmin_check::child_main(arguments.arguments)).unwrap_or(2)
}

/// Checks the files; 0 if RRAS would start with them and nothing failed, 1 if something did.
pub fn check(arguments: Arguments) -> Result<u8, String> {
    let options = Options {
        profile: arguments.profile,
        require_dynamic: arguments.require_dynamic,
        static_only: arguments.static_only,
        cycles: arguments.cycles,
        deadline: Duration::from_secs(arguments.deadline),
        seed: arguments.seed,
        keep: arguments.keep.clone(),
        ..Options::default()
    };
    if let Some(folder) = &options.keep {
        Scratch::keep(folder).map_err(|e| e.to_string())?;
    }
    let progress = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    progress.enable_steady_tick(Duration::from_millis(100));
    let mut about_to = |check: Check| progress.set_message(check.description());
    let mut cannot = Vec::new();
    let (text, code) = if let Some(list) = &arguments.dll_path {
        let report = check_list(list, &options, &mut |_, check| about_to(check)).map_err(|e| e.to_string())?;
        let text = if arguments.json { report.to_json() } else { report.render(width(), colour()) };
        (text, report.exit_code())
    } else {
        let mut reports = Vec::new();
        for file in &arguments.files {
            match check_with(file, &options, &mut about_to) {
                Ok(report) => reports.push(report),
                // What can be said of the other files is said.
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
                let all: Vec<_> = reports.iter().map(|report| report.render(width(), colour())).collect();
                all.join("\n")
            }
        };
        (text, code)
    };
    progress.finish_and_clear();
    if !text.is_empty() {
        // Standard output may be a pipe that was closed: that is no error.
        let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
    }
    if !cannot.is_empty() {
        return Err(cannot.join("\nerror: "));
    }
    u8::try_from(code).map_err(|e| e.to_string())
}

/// The terminal's width; 100 where there is none, and never so wide that a line is hard to read.
fn width() -> usize {
    terminal_size::terminal_size().map_or(100, |(terminal_size::Width(width), _)| usize::from(width).clamp(60, 120))
}

/// Colour only on a terminal, and not if NO_COLOR says so.
fn colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
