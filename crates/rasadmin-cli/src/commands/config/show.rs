//! `rasadmin config show`.

use crate::context::ContextArguments;
use crate::error::{Exit, Result};
use crate::format::count;
use crate::output::Output;
use clap::Args;
use rasadmin_policy::addresses::{Family, Pool};
use rasadmin_policy::config::file::Action;
use schemars::JsonSchema;
use serde::Serialize;

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

/// The configuration.
#[derive(Serialize, JsonSchema)]
pub struct Answer {
    /// Its file. `null`: only a ledger was named.
    file: Option<String>,
    /// The hash by which journal and ledger know it.
    hash: String,
    /// The server's name, if the configuration sets one.
    server: Option<String>,
    /// The time zone, as IANA names it.
    time_zone: String,
    /// The journal's folder.
    journal: String,
    /// The ledger's file.
    ledger: String,
    /// The rules' names, in order.
    rules: Vec<String>,
    /// The groups' names.
    groups: Vec<String>,
    /// The pools.
    pools: Vec<PoolAnswer>,
    /// How many users have a reserved address.
    reservations: usize,
    /// The files with lists that were read: members, networks, computers, reservations.
    members_files: Vec<String>,
}

/// A pool.
#[derive(Serialize, JsonSchema)]
struct PoolAnswer {
    /// Its name.
    name: String,
    /// 4 or 6.
    family: u8,
    /// How many addresses it has.
    size: u64,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?;
    let config = &context.config;
    if arguments.text {
        out.file(&config.bundle.text)?;
        return Ok(Exit::Success);
    }
    let pool = |pool: &Pool| PoolAnswer {
        name: pool.name.clone(),
        family: match pool.family {
            Family::Ipv4 => 4,
            Family::Ipv6 => 6,
        },
        size: u64::try_from(pool.size()).unwrap_or(u64::MAX),
    };
    let answer = Answer {
        file: context.file.as_ref().map(|file| file.display().to_string()),
        hash: config.hash.clone(),
        server: config.server.as_ref().map(ToString::to_string),
        time_zone: config.zone.iana_name().unwrap_or("UTC").to_owned(),
        journal: config.journal.display().to_string(),
        ledger: context.ledger.display().to_string(),
        rules: config.rules.names().map(str::to_owned).collect(),
        groups: config.groups.names().map(str::to_owned).collect(),
        pools: config.addresses.pools.iter().map(pool).collect(),
        reservations: config.addresses.reservations.len(),
        members_files: config.bundle.lists.keys().cloned().collect(),
    };
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
