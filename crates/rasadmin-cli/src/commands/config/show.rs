//! `rasadmin config show`.

use crate::context::ContextArguments;
use crate::error::{Exit, Result};
use crate::format::count;
use crate::output::Output;
use clap::Args;
pub use rasadmin_answers::configuration::Answer;
use rasadmin_answers::configuration::PoolAnswer;
use rasadmin_policy::config::file::Action;

/// Show the configuration in force: where it was read from, and what it means
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin config show
  rasadmin config show --text")]
pub struct Arguments {
    /// Print the file's own text
    #[arg(long)]
    text: bool,
    #[command(flatten)]
    context: ContextArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?;
    let config = &context.config;
    if arguments.text {
        out.file(&config.bundle.text)?;
        return Ok(Exit::Success);
    }
    let answer = Answer::new(config, context.file.as_deref(), &context.ledger);
    if arguments.json {
        out.json(&answer)?;
        return Ok(Exit::Success);
    }
    let default = match config.rules.default_action() {
        (Action::Allow, reason) => ("allow", reason),
        (Action::Deny, reason) => ("deny", reason),
    };
    print(out, &answer, default)?;
    Ok(Exit::Success)
}

fn print(out: &mut Output, answer: &Answer, (action, reason): (&str, Option<&str>)) -> Result<()> {
    writeln!(out, "configuration  {}", answer.file.as_deref().unwrap_or("(none)"))?;
    writeln!(out, "hash           {}", answer.hash)?;
    writeln!(out, "server         {}", answer.server.as_deref().unwrap_or("(the computer's name)"))?;
    writeln!(out, "time zone      {}", answer.time_zone)?;
    writeln!(out, "journal        {}", answer.journal)?;
    writeln!(out, "ledger         {}", answer.ledger)?;
    if !answer.members_files.is_empty() {
        writeln!(out, "lists          {}", answer.members_files.join(", "))?;
    }
    let groups = if answer.groups.is_empty() { "none".to_owned() } else { answer.groups.join(", ") };
    writeln!(out, "groups         {groups}")?;
    for PoolAnswer { name, family, size } in &answer.pools {
        writeln!(out, "pool           {name} (IPv{family}): {}", count(*size, "address"))?;
    }
    writeln!(out, "reservations   for {}", count(answer.reservations, "user"))?;
    writeln!(out, "\nrules, in order; the first that matches decides:")?;
    for rule in &answer.rules {
        writeln!(out, "  {}", rasadmin_text::printable(rule))?;
    }
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    writeln!(out, "  (default): {action}{reason}")
}
