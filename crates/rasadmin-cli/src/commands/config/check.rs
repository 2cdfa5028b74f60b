//! `rasadmin config check`.

use crate::context::ContextArguments;
use crate::error::{CommandError, Exit, Result};
use crate::format::count;
use crate::output::Output;
use clap::Args;
use rasadmin_policy::config::{self, Config, ConfigErrors};
use rasadmin_system::places;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Check a configuration, and list everything that is wrong with it
///
/// Uses the code with which the DLL reads the configuration, and reads the members files too. If the configuration is
/// not valid, the exit code is 1.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin config check
  rasadmin config check candidate.toml")]
pub struct Arguments {
    /// The file [default: the one that the DLL on this computer would find]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
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
    /// Valid settings that may not do what you intended.
    notes: Vec<String>,
    /// What is wrong, in the order of the file.
    mistakes: Vec<MistakeAnswer>,
    /// How many more mistakes there are.
    more_mistakes: usize,
}

/// A mistake.
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
        return Err(CommandError::file(&file, "there is no such file: check the path"));
    }
    let read = config::for_computer(&places::server_name()).load(&file);
    let exit = Exit::no_if(read.is_err());
    if arguments.json {
        out.json(&answer(&file, &read))?;
        return Ok(exit);
    }
    let shown = file.display();
    match read {
        Ok(config) => {
            let rules = count(config.rules.len(), "rule");
            let pools = count(config.addresses.pools.len(), "pool");
            writeln!(out, "{shown}: it is valid: {rules}, {pools}")?;
            for note in config.warnings() {
                writeln!(out, "note: {note}")?;
            }
        }
        Err(errors) => {
            let mistakes = count(errors.mistakes().len() + errors.more(), "mistake");
            writeln!(out, "{errors}")?;
            writeln!(
                out,
                "\n{shown}: {mistakes}; the DLL would keep its last good configuration, and not start without one"
            )?;
        }
    }
    Ok(exit)
}

fn answer(file: &Path, read: &std::result::Result<Config, ConfigErrors>) -> Answer {
    let errors = read.as_ref().err();
    let mistakes = errors.map(|errors| {
        let all = errors.mistakes().iter().map(|mistake| {
            let (line, column) = errors.position(mistake);
            MistakeAnswer { line, column, what: mistake.what.clone(), help: mistake.help.clone() }
        });
        all.collect()
    });
    let config = read.as_ref().ok();
    Answer {
        file: file.display().to_string(),
        valid: config.is_some(),
        hash: config.map(|config| config.hash.clone()),
        notes: config.map(|config| config.warnings().iter().map(ToString::to_string).collect()).unwrap_or_default(),
        mistakes: mistakes.unwrap_or_default(),
        more_mistakes: errors.map_or(0, ConfigErrors::more),
    }
}
