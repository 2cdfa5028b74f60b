//! `rasadmin disconnect`.

mod keep_away;
mod list;
mod resume;
mod which;

use crate::ask_service::Unanswered;
use crate::confirm::confirm;
use crate::context::{Context, ContextArguments, ZoneArguments};
use crate::disconnecting::{Outcomes, Target, disconnect};
use crate::error::{CommandError, Exit, Result};
use crate::format::count;
use crate::output::Output;
use crate::table::{name, text};
use crate::{reason, record, times};
use clap::{Args, Subcommand};
use keep_away::{KeptAway, add_others, distinct_users, keep_away};
use rasadmin_engine::Identity;
use which::WhichArguments;

/// How many sessions are shown before it asks.
const SHOWN: usize = 10;

/// Disconnect sessions, and list who was disconnected
///
/// Shows the sessions, and asks. Then the rasadmin service disconnects them in RRAS, and records who asked.
///
/// Always On clients connect again within seconds. With --block-for, the users of the sessions are blocked first, so that
/// they stay away that long, and all their sessions are disconnected. A block that lasts longer stays as it is.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_long_help = "\
Examples:
  rasadmin disconnect 241
  rasadmin disconnect --user alice --block-for 15m --reason 'maintenance'
  rasadmin disconnect --rule 'ten hours'
  rasadmin disconnect list --since today
  rasadmin disconnect resume 'ten hours'

Exit codes: 0 the sessions have ended, or RRAS was asked to end them; 1 there is
none, or RRAS could not be asked about some; 2 no service runs, or it has not
answered.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    which: WhichArguments,
    /// First block the users of these sessions, for this long: `15m`, `8h`, `7d`
    #[arg(long, value_name = "TIME")]
    block_for: Option<String>,
    /// The reason, which logs and lists show
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    zone: ZoneArguments,
    #[command(flatten)]
    context: ContextArguments,
}

#[derive(Subcommand)]
enum Command {
    List(list::Arguments),
    Resume(resume::Arguments),
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    match arguments.command {
        Some(Command::List(arguments)) => list::run(arguments, out),
        Some(Command::Resume(arguments)) => resume::run(arguments, out),
        None => end(&arguments, out),
    }
}

fn end(arguments: &Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?.in_zone(&arguments.zone)?;
    let block_for = arguments.block_for.as_deref();
    let length = block_for.map(times::parse_length).transpose()?;
    let reason = arguments.reason.as_deref().map(reason::one_line).transpose()?;
    let mut tool = record::open(&context)?;
    // It fails before anything is changed if journal and ledger do not belong together.
    let ledger = context.reader_if_usable()?;
    let mut targets = arguments.which.find(&tool, &context, ledger.as_ref(), out)?;
    if targets.is_empty() {
        return Ok(Exit::No);
    }
    let users = distinct_users(&targets);
    if length.is_some() {
        add_others(&mut targets, &users, tool.state(), ledger.as_ref());
    }
    if !arguments.yes {
        show(&targets, &context, out)?;
        if block_for.is_none() {
            writeln!(out, "Always On clients connect again within seconds; --block-for 15m keeps their users away")?;
        }
    }
    let server = tool.state().server().clone();
    confirm(&question(&targets, &users, &server.to_string(), block_for), arguments.yes, out)?;
    let kept = match length {
        Some(length) => keep_away(&users, length, reason.as_deref(), &mut tool, &context, out)?,
        None => KeptAway::default(),
    };
    if length.is_some() && ledger.is_some() {
        record::bring_in_or_warn(&context);
    }
    for nameless in targets.iter().filter(|target| length.is_some() && target.identity.is_none()) {
        writeln!(out, "{nameless} has no user who could be blocked")?;
    }
    let outcomes = disconnect(&targets, reason.as_deref(), &context, out)?;
    if targets.len() > SHOWN {
        summarise(&outcomes, out)?;
    }
    match outcomes.unanswered {
        Some((unanswered, rest)) => Err(not_answered(unanswered, rest.len(), targets.len(), &kept)),
        None => Ok(Exit::no_if(outcomes.failed > 0)),
    }
}

/// The sessions, for the person who is asked.
fn show(targets: &[Target], context: &Context, out: &mut Output) -> Result<()> {
    let columns = [text("session", 0), name("user", 0), text("since", 0), text("from", 1), text("computer", 2)];
    let rows = targets.iter().take(SHOWN).map(|target| {
        vec![
            target.number.clone(),
            target.user.clone(),
            times::show(target.since, &context.zone),
            target.source.clone(),
            target.computer.to_string(),
        ]
    });
    out.table(&columns, rows.collect())?;
    let more = targets.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("{more} more; ") } else { String::new() };
    writeln!(out, "\n  {more}{}", times::zone_name(&context.zone))
}

fn question(targets: &[Target], users: &[Identity], server: &str, block_for: Option<&str>) -> String {
    let what = match targets {
        [one] => one.to_string(),
        several => count(several.len(), "session"),
    };
    let block = match (block_for, users) {
        (None, _) | (_, []) => String::new(),
        (Some(length), [user]) => format!(", and block {user} for {}", length.trim()),
        (Some(length), users) => format!(", and block {} for {}", count(users.len(), "user"), length.trim()),
    };
    format!("Disconnect {what} on {server}{block}?")
}

fn summarise(outcomes: &Outcomes<'_>, out: &mut Output) -> Result<()> {
    let parts = [
        (outcomes.ended, "disconnected"),
        (outcomes.asked, "not ended yet"),
        (outcomes.gone, "not connected any more"),
        (outcomes.failed, "not disconnected"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if parts.is_empty() { Ok(()) } else { writeln!(out, "in all: {}", parts.join(", ")) }
}

/// The service has not answered about `rest` of `all` sessions. What was done before it was asked holds.
fn not_answered(unanswered: Unanswered, rest: usize, all: usize, kept: &KeptAway) -> CommandError {
    let sessions = count(rest, "session");
    let what = match unanswered.undone {
        true if rest == all => "nobody was disconnected".to_owned(),
        true => format!("{sessions} of {all} were not disconnected"),
        false => format!("it is not known what became of {sessions} (see `rasadmin disconnect list`)"),
    };
    unanswered.error.context(match kept.shown() {
        Some(blocked) => format!("{what}, but {blocked}: new connections are refused"),
        None => what,
    })
}
