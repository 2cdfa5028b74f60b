//! `rasadmin blocks`.

use crate::block_subject::shown;
use crate::context::{ContextArguments, ZoneArguments};
use crate::error::{Exit, Result};
use crate::filter::LimitArguments;
use crate::output::Output;
use crate::table::{name, text};
use crate::{present, times};
use clap::Args;
pub use rasadmin_answers::blocks::BlockRow;
use rasadmin_engine::effect::Block;

/// Show who is blocked on this server, and by whom
///
/// Shows the blocks that are in force. `rasadmin journal show` also has those that have ended or were lifted, as long
/// as the journal keeps their records.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin blocks
  rasadmin blocks --json")]
pub struct Arguments {
    #[command(flatten)]
    limit: LimitArguments,
    #[command(flatten)]
    zone: ZoneArguments,
    #[command(flatten)]
    context: ContextArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?.in_zone(&arguments.zone)?;
    context.journal()?;
    let present = present::read(&context)?;
    let (now, zone) = (times::now(), &context.zone);
    let mut blocks: Vec<&Block> = present.iter().flat_map(|present| present.state.blocks(now)).collect();
    let cut = arguments.limit.of(arguments.json).cut(&mut blocks);
    let server = present.as_ref().map_or_else(|| context.server(), |present| present.state.server().clone());
    if arguments.json {
        let rows: Vec<_> = blocks.iter().map(|block| BlockRow::new(&server, block)).collect();
        out.json(&rows)?;
        return Ok(Exit::Success);
    }
    if blocks.is_empty() {
        writeln!(out, "nobody is blocked on {server}")?;
        return Ok(Exit::Success);
    }
    let columns = [name("blocked", 0), text("since", 1), text("until", 0), name("reason", 0), text("by", 2)];
    let rows = blocks.iter().map(|block| {
        vec![
            shown(&block.subject),
            times::show(block.since, zone),
            block.until.map_or_else(|| "it is lifted".to_owned(), |until| times::show(until, zone)),
            block.reason.clone().unwrap_or_default(),
            block.by.clone().unwrap_or_default(),
        ]
    });
    out.table(&columns, rows.collect())?;
    writeln!(out, "\n  {}", times::zone_name(zone))?;
    cut.map_or(Ok(()), |cut| writeln!(out, "{cut}"))?;
    Ok(Exit::Success)
}
