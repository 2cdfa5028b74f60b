//! `rasadmin config check`.

use crate::context::ContextArguments;
use crate::error::{CommandError, Exit, Result};
use crate::format::count;
use crate::output::Output;
use clap::Args;
use jiff::Timestamp;
use rasadmin_policy::config::{self, Computer, Config, ConfigErrors, Mistake, Warnings};
use rasadmin_system::{disk, places, rras_pool};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Check a configuration, and list everything that is wrong with it
///
/// Uses the code with which the DLL reads the configuration, and reads its files with lists too. If the configuration is
/// not valid, the exit code is 1. Warnings are about valid settings that probably do not do what you intended. On a server
/// with RRAS, its own static pool is compared with the pools.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin config check
  rasadmin config check candidate.toml
  rasadmin config check --strict candidate.toml")]
pub struct Arguments {
    /// The file [default: the one that the DLL on this computer would find]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Exit with code 1 if there are warnings, too
    #[arg(long)]
    strict: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Serialize, JsonSchema)]
pub struct Answer {
    /// The configuration's file.
    file: String,
    /// Whether it is valid.
    valid: bool,
    /// The hash by which journal and ledger know it. `null`: it is not valid.
    hash: Option<String>,
    /// The texts of the warnings.
    notes: Vec<String>,
    /// Valid settings that may not do what you intended, in the order of the file.
    warnings: Vec<MistakeAnswer>,
    /// How many more warnings there are.
    more_warnings: usize,
    /// What is wrong, in the order of the file.
    mistakes: Vec<MistakeAnswer>,
    /// How many more mistakes there are.
    more_mistakes: usize,
}

/// A mistake or a warning.
#[derive(Serialize, JsonSchema)]
struct MistakeAnswer {
    /// The line, from 1.
    line: usize,
    /// The column, from 1.
    column: usize,
    /// What is wrong.
    what: String,
    /// What to write instead.
    help: String,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = ContextArguments { config: arguments.file, ..ContextArguments::default() };
    let file = context.file().map_err(|e| e.hint("or name the file: `rasadmin config check FILE`"))?;
    if !file.exists() {
        return Err(CommandError::file(&file, "the file does not exist: check the path"));
    }
    let read = config::for_computer(&places::server_name()).load(&file);
    let rras = rras_pool::read(None);
    let computer = Computer { now: Timestamp::now(), rras: &rras, is_network_drive: &disk::is_network_drive };
    let warnings = read.as_ref().map(|config| config.warnings(&computer)).ok();
    let warned = warnings.as_ref().map_or(0, |warnings| warnings.list().len() + warnings.more());
    let exit = Exit::no_if(read.is_err() || (arguments.strict && warned > 0));
    if arguments.json {
        out.json(&answer(&file, &read, warnings.as_ref()))?;
        return Ok(exit);
    }
    let shown = file.display();
    match read {
        Ok(config) => {
            let rules = count(config.rules.len(), "rule");
            let pools = count(config.addresses.pools.len(), "pool");
            let count = if warned == 0 { String::new() } else { format!(", {}", count(warned, "warning")) };
            writeln!(out, "{shown}: it is valid: {rules}, {pools}{count}")?;
            if let Some(warnings) = warnings.filter(|_| warned > 0) {
                writeln!(out, "\n{}", warnings.fitted(out.width()))?;
            }
        }
        Err(errors) => {
            let mistakes = count(errors.mistakes().len() + errors.more(), "mistake");
            writeln!(out, "{}", errors.fitted(out.width()))?;
            writeln!(
                out,
                "\n{shown}: {mistakes}; the DLL would keep its last good configuration, and not start without one"
            )?;
        }
    }
    Ok(exit)
}

fn answer(file: &Path, read: &std::result::Result<Config, ConfigErrors>, warnings: Option<&Warnings>) -> Answer {
    let errors = read.as_ref().err();
    let one = |mistake: &Mistake, (line, column)| MistakeAnswer {
        line,
        column,
        what: mistake.what.clone(),
        help: mistake.help.clone(),
    };
    let mistakes = errors.map(|errors| errors.mistakes().iter().map(|m| one(m, errors.position(m))).collect());
    let warned = |warnings: &Warnings| warnings.list().iter().map(|w| one(w, warnings.position(w))).collect();
    let notes = warnings.into_iter().flat_map(Warnings::list).map(|w| format!("{}; {}", w.what, w.help)).collect();
    let config = read.as_ref().ok();
    Answer {
        file: file.display().to_string(),
        valid: config.is_some(),
        hash: config.map(|config| config.hash.clone()),
        notes,
        warnings: warnings.map(warned).unwrap_or_default(),
        more_warnings: warnings.map_or(0, Warnings::more),
        mistakes: mistakes.unwrap_or_default(),
        more_mistakes: errors.map_or(0, ConfigErrors::more),
    }
}
