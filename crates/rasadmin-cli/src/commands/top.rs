//! `rasadmin top`: what happens now, on a live screen.

mod terminal;
mod view;

use crate::bring_in;
use crate::clock::is_recording;
use crate::context::{Context, ContextArguments, ZoneArguments};
use crate::error::{CommandError, Exit, Result};
use crate::output::Output;
use crate::times;
use clap::Args;
use rasadmin_ledger::report::{Overview, Reader};
use rasadmin_policy::config::file::Durability;
use std::io::IsTerminal;
use std::time::Duration;
use terminal::Next;
pub use terminal::restore;

/// What counts as lately, in milliseconds.
const LATELY: i64 = 3_600_000;
/// Without a terminal, so many rows of each list.
const ROWS: u32 = 20;

/// Watch who is connected, and who was denied
///
/// Shows the sessions of this moment, what has begun, ended and been denied in the last hour, and how full the pools
/// are. The octets are those of the sessions that ended in the last hour. Press q to quit. If standard output is not a terminal, the command prints the screen once.
#[derive(Args)]
#[command(visible_alias = "watch")]
#[command(after_long_help = "\
Examples:
  rasadmin top
  rasadmin top --every 10")]
pub struct Arguments {
    /// Look again after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = EVERY, value_parser = seconds())]
    pub every: u16,
    #[command(flatten)]
    pub zone: ZoneArguments,
    #[command(flatten)]
    pub context: ContextArguments,
    /// Print JSON, once
    #[arg(long)]
    pub json: bool,
}

/// The screen is drawn again after so many seconds.
pub const EVERY: u16 = 2;

/// Reads such a number of seconds.
pub fn seconds() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=3600)
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?.in_zone(&arguments.zone)?;
    let first = overview(&context, &context.reader()?, ROWS)?;
    if arguments.json {
        out.json(&first)?;
    } else if out.is_terminal() && std::io::stdin().is_terminal() {
        watch(&context, Duration::from_secs(arguments.every.into()), out)?;
    } else {
        let size = view::Size { width: out.width(), height: None };
        for line in view::lines(&first, is_dead(&context), &context.zone, size, out.colours()) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(Exit::Success)
}

fn overview(context: &Context, reader: &Reader, rows: u32) -> Result<Overview> {
    let now = times::now();
    Ok(reader.overview(&context.config.addresses, now.saturating_sub(LATELY), now, rows)?)
}

/// Whether this is the journal of a service that does not run. A backup, or another computer's, says nothing about it.
fn is_dead(context: &Context) -> bool {
    context
        .journal
        .as_ref()
        .is_some_and(|journal| context.belong_together && journal.exists() && !is_recording(journal))
}

/// Draws the screen until somebody quits.
fn watch(context: &Context, every: Duration, out: &mut Output) -> Result<()> {
    let colours = out.colours();
    let mut terminal = terminal::Terminal::open(out).map_err(|e| CommandError::output(&e))?;
    loop {
        let (width, height) = terminal.size();
        let size = view::Size { width: Some(width), height: Some(height) };
        let zone = &context.zone;
        let problem = bring_in(context).err();
        let rows = u32::try_from(height).unwrap_or(ROWS);
        let mut lines = match Reader::open(&context.ledger).map_err(CommandError::from) {
            Ok(reader) => view::lines(&overview(context, &reader, rows)?, is_dead(context), zone, size, colours),
            Err(e) => vec![e.to_string()],
        };
        lines.truncate(height.saturating_sub(1));
        let last = view::last_line(problem.map(|problem| problem.to_string()), every, zone, width);
        terminal.draw(&lines, &last).map_err(|e| CommandError::output(&e))?;
        if terminal.wait(every).map_err(|e| CommandError::output(&e))? == Next::Quit {
            return Ok(());
        }
    }
}

/// Brings the journal's new records into the ledger. It prints nothing, because the screen belongs to the lists.
fn bring_in(context: &Context) -> Result<()> {
    let Some(journal) = context.journal.as_ref().filter(|_| context.belong_together) else { return Ok(()) };
    let durable = context.config.durability == Durability::Fsync;
    match bring_in::bring_in(journal, &context.ledger, &context.server(), durable, false) {
        Err(e) if !bring_in::makes_no_difference(&e, journal, &context.ledger) => Err(e.into()),
        _ => Ok(()),
    }
}
