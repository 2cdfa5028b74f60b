//! `rasadmin decisions`.

use crate::here::Here;
use crate::select::{Select, print_json, user_shown};
use crate::table::{self, number, text};
use crate::times;
use clap::Args;

/// What was decided, by which rule
///
/// The latest first. `rasadmin explain --decision N` says why.
///
/// Examples:
///   rasadmin decisions --rejected --since today
///   rasadmin decisions --user alice --rule 'one session per user'
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Only those that denied
    #[arg(long, visible_alias = "denied")]
    rejected: bool,
    /// Only by this rule
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    #[command(flatten)]
    select: Select,
    /// At most so many; 0: all
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
    #[command(flatten)]
    here: Here,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn decisions(arguments: Arguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let limit = Some(arguments.limit).filter(|limit| *limit > 0);
    let which = arguments.select.filter(&place, limit.map(|limit| limit.saturating_add(1)))?;
    let reader = place.reader()?;
    let decisions = reader.decisions(&which, arguments.rejected, arguments.rule.as_deref());
    let mut decisions = decisions.map_err(|e| e.to_string())?;
    let more = limit.is_some_and(|limit| decisions.len() > limit as usize);
    decisions.truncate(limit.map_or(usize::MAX, |limit| limit as usize));
    if arguments.json {
        return print_json(&decisions);
    }
    if decisions.is_empty() {
        println!("{}", if arguments.rejected { "nobody was rejected" } else { "there is no such decision" });
        return Ok(0);
    }
    let zone = &place.config.zone;
    let columns = [
        number("decision", 1),
        text("time", 0),
        text("user", 0),
        text("stage", 3),
        text("outcome", 0),
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
            d.outcome.clone(),
            d.rule.clone().unwrap_or_else(|| "(default)".to_owned()),
            d.reason.clone().unwrap_or_default(),
            d.facts.source.known().map(ToString::to_string).unwrap_or_default(),
            d.facts.tunnel.known().map(|tunnel| tunnel.name().to_owned()).unwrap_or_default(),
            d.session.map(|id| id.to_string()).unwrap_or_default(),
        ]
    });
    table::print(&columns, rows.collect());
    let shown = decisions.len();
    println!("\n  {}", times::zone_name(zone));
    if more {
        println!("  the latest {shown}; --limit 0 shows all");
    }
    Ok(0)
}
