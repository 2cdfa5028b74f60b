//! `rasadmin disconnect resume`.

use crate::ask_service::ask;
use crate::context::ContextArguments;
use crate::error::{Exit, Result};
use crate::output::Output;
use clap::Args;
use rasadmin_pipe::Request;
use std::path::PathBuf;
use std::time::Duration;

/// The service may be disconnecting others just now.
const PATIENCE: Duration = Duration::from_secs(60);

/// Let a stopped rule disconnect sessions again
///
/// The service stops a rule that would disconnect most sessions just after the configuration was changed, because that
/// may be a mistake. `rasadmin status` names it. Correct the configuration, or resume the rule if it is right. If the
/// rule was not stopped, the exit code is 1.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin disconnect resume 'ten hours'")]
pub struct Arguments {
    /// The rule
    #[arg(value_name = "RULE")]
    rule: String,
    /// Use this configuration instead of the one that the DLL on this computer would find
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = ContextArguments { config: arguments.config, ..ContextArguments::default() }.open()?;
    let rule = arguments.rule;
    let request = Request::Resume { rule: rule.clone() };
    let resumed: bool = ask(&context, &request, PATIENCE).map_err(|unanswered| unanswered.error)?;
    if resumed {
        writeln!(out, "the rule `{rule}` disconnects again")?;
    } else if context.config.rules.names().any(|name| name == rule) {
        writeln!(out, "the rule `{rule}` was not stopped")?;
    } else {
        writeln!(out, "no rule `{rule}` was stopped: the configuration has no rule of that name")?;
    }
    Ok(Exit::no_if(!resumed))
}
