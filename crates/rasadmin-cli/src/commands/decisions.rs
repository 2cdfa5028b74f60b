//! `rasadmin decisions`.

use crate::context::{ContextArguments, ZoneArguments};
use crate::error::{Exit, Result};
use crate::filter::{FilterArguments, LimitArguments, user_shown};
use crate::output::Output;
use crate::table::{name, number, text};
use crate::times;
use clap::Args;
use rasadmin_ledger::report::DECIDED_BY_NPS;

/// List decisions, and the rules that made them
///
/// Shows the latest first, also attempts that NPS refused, if their logs were imported. `rasadmin explain --decision N`
/// explains one.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin decisions --rejected --since today
  rasadmin decisions --user alice --rule 'one session per user'")]
pub struct Arguments {
    /// Only denials
    #[arg(long, visible_alias = "denied")]
    rejected: bool,
    /// Only decisions of this rule, or of what the list shows instead of a rule: `(default)`, `(blocked)`
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    #[command(flatten)]
    filter: FilterArguments,
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
    let limit = arguments.limit.of(arguments.json);
    let filter = arguments.filter.filter(&context, limit.to_ask_for())?;
    let reader = context.reader()?;
    let mut decisions = reader.decisions(&filter, arguments.rejected, arguments.rule.as_deref())?;
    let more = limit.truncate(&mut decisions);
    if arguments.json {
        limit.warn_if(more);
        out.json(&decisions)?;
        return Ok(Exit::Success);
    }
    if decisions.is_empty() {
        writeln!(out, "{}", if arguments.rejected { "nobody was rejected" } else { "no decisions found" })?;
        return Ok(Exit::Success);
    }
    let zone = &context.zone;
    let columns = [
        number("decision", 0),
        text("time", 0),
        name("user", 0),
        text("stage", 3),
        text("outcome", u8::from(arguments.rejected)),
        text("rule", 0),
        text("because", 2),
        text("from", 5),
        text("tunnel", 4),
        number("session", 4),
    ];
    let rows = decisions.iter().map(|d| {
        vec![
            d.id.to_string(),
            times::show(d.time, zone),
            user_shown(d.domain.as_ref(), d.name.as_ref(), &d.user_name),
            d.stage.name().to_owned(),
            // All of them are denials.
            if arguments.rejected { String::new() } else { d.outcome.clone() },
            d.decided_by().into_owned(),
            d.reason.clone().unwrap_or_default(),
            d.facts.source.known().map(ToString::to_string).unwrap_or_default(),
            d.facts.tunnel.known().map(|tunnel| tunnel.name().to_owned()).unwrap_or_default(),
            d.session.map(|id| id.to_string()).unwrap_or_default(),
        ]
    });
    out.table(&columns, rows.collect())?;
    let shown = decisions.len();
    writeln!(out, "\n  {}", times::zone_name(zone))?;
    if decisions.iter().any(|d| d.imported.is_some()) {
        writeln!(out, "  {DECIDED_BY_NPS}: from an imported log: NPS refused before RRAS asked rasadmin")?;
    }
    if more {
        writeln!(out, "  the latest {shown}; --limit 0 shows all")?;
    }
    Ok(Exit::Success)
}
