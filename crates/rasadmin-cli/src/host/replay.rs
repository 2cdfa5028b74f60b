//! `rasadmin host replay`: a trace against a DLL.

use crate::output::{count, dll_file};
use crate::scratch::{self, Keep, Place};
use clap::Args;
use rasadmin_host::replay;
use serde_json::json;
use std::path::PathBuf;

/// Make every call of a recorded trace again, and list what is different
///
/// (`rasadmin replay` is another thing: it says what a configuration would have made of the past.)
/// The trace comes from `rasadmin host run --trace`, or from a real server where examples/recorder was installed.
///
/// Example:
///   rasadmin host replay --dll new.dll day.trace
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The trace
    trace: PathBuf,
    /// The admin DLL to call
    #[arg(long = "dll", value_name = "FILE")]
    dll: PathBuf,
    /// Which DLL of the trace it stands for: 0 is the first
    #[arg(long, default_value_t = 0, value_name = "INDEX")]
    of: usize,
    /// List at most this many differences
    #[arg(long, default_value_t = 20, value_name = "N")]
    most: usize,
    #[command(flatten)]
    keep: Keep,
    /// Print JSON, with every difference
    #[arg(long)]
    json: bool,
}

/// Replays; exit code 0 if nothing differs, 1 if something does.
pub fn replay(arguments: Arguments) -> Result<u8, String> {
    if let Place::There(code) = scratch::again(&arguments.keep, None)? {
        return Ok(code);
    }
    let path = dll_file(&arguments.dll)?;
    let (header, calls) = rasadmin_trace::read_trace(&arguments.trace).map_err(|e| e.to_string())?;
    if arguments.of >= header.dlls.len() {
        return Err(format!(
            "the trace has {}: --of {} is beyond the last",
            count(header.dlls.len(), "DLL"),
            arguments.of
        ));
    }
    let replayed =
        replay::replay(&path, &calls, arguments.of).map_err(|e| format!("{}: {e}", arguments.dll.display()))?;
    let differences = &replayed.differences;
    if arguments.json {
        let list: Vec<_> = differences
            .iter()
            .map(|d| json!({ "seq": d.seq, "function": d.function.name(), "about": d.subject, "what": d.what }))
            .collect();
        let (calls, skipped) = (replayed.calls, replayed.skipped);
        println!("{:#}", json!({ "calls": calls, "skipped": skipped, "differences": list }));
    } else {
        let skipped = match replayed.skipped {
            0 => String::new(),
            n => format!(" ({} of other DLLs passed over)", count(n, "call")),
        };
        println!("{} replayed against {}{skipped}", count(replayed.calls, "call"), arguments.dll.display());
        match differences.len() {
            0 => println!("identical: every answer is as recorded"),
            n => println!("{}:", count(n, "difference")),
        }
        for difference in differences.iter().take(arguments.most) {
            println!("  {difference}");
        }
        if differences.len() > arguments.most {
            println!("  … and {} more: --most {}", differences.len() - arguments.most, differences.len());
        }
    }
    Ok(u8::from(!differences.is_empty()))
}
