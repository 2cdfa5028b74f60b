//! `rasadmin addresses`: which addresses are held, and how full the pools are.

use crate::context::{Context, ContextArguments, ZoneArguments};
use crate::error::{CommandError, Exit, Result};
use crate::filter::{FilterArguments, LimitArguments, user_shown};
use crate::output::Output;
use crate::table::{name, number, text};
use crate::times;
use clap::Args;
use rasadmin_ledger::report::{LeaseRow, PoolUse};
use schemars::JsonSchema;
use serde::Serialize;

/// Show addresses in use, and how full the pools are
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin addresses
  rasadmin addresses --pool staff")]
pub struct Arguments {
    /// Only addresses of this pool
    #[arg(long, value_name = "NAME")]
    pool: Option<String>,
    #[command(flatten)]
    filter: FilterArguments,
    #[command(flatten)]
    zone: ZoneArguments,
    #[command(flatten)]
    limit: LimitArguments,
    #[command(flatten)]
    context: ContextArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The pools and the leases that hold.
#[derive(Serialize, JsonSchema)]
pub struct Answer {
    /// The configuration's pools.
    pools: Vec<PoolUse>,
    /// The leases that hold now, the latest first.
    leases: Vec<LeaseRow>,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?.in_zone(&arguments.zone)?;
    let pool = arguments.pool.as_deref();
    let pools = &context.config.addresses.pools;
    if let Some(name) = pool.filter(|name| !pools.iter().any(|pool| pool.name == **name)) {
        let names: Vec<_> = pools.iter().map(|pool| pool.name.as_str()).collect();
        let names = names.join(", ");
        return Err(CommandError::not_found(format!("there is no pool `{name}`; the configuration has: {names}")));
    }
    let reader = context.reader()?;
    let filter = arguments.filter.filter(&context, None)?;
    let mut pools = PoolUse::of(&context.config.addresses.pools, &reader.pool_use()?);
    pools.retain(|of| pool.is_none_or(|name| of.name == name));
    let mut leases = reader.live_leases(&filter, pool)?;
    let cut = arguments.limit.of(arguments.json).cut(&mut leases);
    let answer = Answer { pools, leases };
    if arguments.json {
        out.json(&answer)?;
        return Ok(Exit::Success);
    }
    if !answer.pools.is_empty() {
        let rows = answer.pools.iter().map(|pool| {
            let name = format!("{} (IPv{})", pool.name, pool.family);
            vec![
                name,
                pool.size.to_string(),
                pool.held.to_string(),
                pool.free().to_string(),
                format!("{:.1} %", pool.percent()),
            ]
        });
        let columns =
            [text("pool", 0), number("addresses", 0), number("held", 0), number("free", 0), number("full", 1)];
        out.table(&columns, rows.collect())?;
        writeln!(out)?;
    }
    if answer.leases.is_empty() {
        writeln!(out, "no address is held")?;
        return Ok(Exit::Success);
    }
    print_leases(out, &answer.leases, &context, false)?;
    cut.map_or(Ok(()), |cut| writeln!(out, "{cut}"))?;
    Ok(Exit::Success)
}

/// Leases as a table; `past` shows when they ended.
pub fn print_leases(out: &mut Output, leases: &[LeaseRow], context: &Context, past: bool) -> Result<()> {
    let zone = &context.zone;
    let servers = leases.iter().any(|lease| lease.server != leases[0].server);
    let mut columns = vec![text("address", 0), name("user", 0), text("since", 0)];
    if past {
        columns.push(text("until", 0));
    }
    columns.extend([text("state", 1), text("from", 2), text("port", 3), text("server", 4), number("session", 1)]);
    let rows = leases.iter().map(|lease| {
        let mut row = vec![
            lease.address.clone(),
            user_shown(lease.domain.as_ref(), lease.name.as_ref(), &lease.user_name),
            times::show(lease.began, zone),
        ];
        if past {
            row.push(match (lease.ended, lease.last_seen) {
                (Some(ended), _) => times::show(ended, zone),
                (None, Some(_)) => "end unknown".to_owned(),
                (None, None) => String::new(),
            });
        }
        let state = match (lease.ended, lease.accepted, lease.last_seen) {
            (None, _, Some(seen)) if seen > lease.began => format!("last seen {}", times::show(seen, zone)),
            (None, Some(_), _) => "held".to_owned(),
            (None, None, _) => "offered".to_owned(),
            (Some(_), None, _) => "never accepted".to_owned(),
            (Some(_), Some(_), _) => lease.ended_by.clone().unwrap_or_else(|| "ended".to_owned()),
        };
        let from = match (&lease.pool, lease.origin.as_str()) {
            (Some(pool), "sticky") => format!("{pool} (again)"),
            (Some(pool), _) => pool.clone(),
            (None, "offer") => "RRAS's offer".to_owned(),
            (None, origin) => origin.to_owned(),
        };
        row.extend([
            state,
            from,
            lease.port.to_string(),
            if servers { lease.server.to_string() } else { String::new() },
            lease.session.map(|id| id.to_string()).unwrap_or_default(),
        ]);
        row
    });
    out.table(&columns, rows.collect())?;
    writeln!(out, "\n  {}", times::zone_name(zone))
}
