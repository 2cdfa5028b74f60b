//! `rasadmin addresses`: which addresses are held, and how full the pools are.

use crate::context::{Context, ContextArguments, ZoneArguments};
use crate::error::{CommandError, Exit, Result};
use crate::filter::{FilterArguments, user_shown};
use crate::output::Output;
use crate::table::{number, text};
use crate::times;
use clap::Args;
use rasadmin_ledger::report::{LeaseRow, Reader};
use rasadmin_policy::addresses::{Family, Pool};
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
    context: ContextArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The pools and the leases that hold.
#[derive(Serialize, JsonSchema)]
pub struct Answer {
    /// The configuration's pools.
    pools: Vec<PoolAnswer>,
    /// The leases that hold now, the latest first.
    leases: Vec<LeaseRow>,
}

/// How full a pool is.
#[derive(Serialize, JsonSchema)]
struct PoolAnswer {
    /// Its name in the configuration.
    name: String,
    /// 4 or 6.
    family: u8,
    /// How many addresses it has.
    size: u64,
    /// How many of them are in use, on all servers.
    held: u64,
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
    let answer = Answer { pools: pool_use(&context, &reader, pool)?, leases: reader.live_leases(&filter, pool)? };
    if arguments.json {
        out.json(&answer)?;
        return Ok(Exit::Success);
    }
    if !answer.pools.is_empty() {
        let rows = answer.pools.iter().map(|pool| {
            let share = 100.0 * pool.held as f64 / (pool.size as f64).max(1.0);
            let free = pool.size.saturating_sub(pool.held);
            let name = format!("{} (IPv{})", pool.name, pool.family);
            vec![name, pool.size.to_string(), pool.held.to_string(), free.to_string(), format!("{share:.1} %")]
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
    Ok(Exit::Success)
}

/// The configuration's pools, with how many addresses of each are in use, on all servers.
fn pool_use(context: &Context, reader: &Reader, only: Option<&str>) -> Result<Vec<PoolAnswer>> {
    let held = reader.pool_use()?;
    let pools = context.config.addresses.pools.iter().filter(|pool| only.is_none_or(|name| pool.name == name));
    let count = |pool: &Pool| {
        let of = held.iter().filter(|(_, name, of, _)| *name == pool.name && *of == family(pool));
        of.map(|(_, _, _, n)| n).sum()
    };
    let answer = |pool: &Pool| PoolAnswer {
        name: pool.name.clone(),
        family: family(pool),
        size: u64::try_from(pool.size()).unwrap_or(u64::MAX),
        held: count(pool),
    };
    Ok(pools.map(answer).collect())
}

const fn family(pool: &Pool) -> u8 {
    match pool.family {
        Family::Ipv4 => 4,
        Family::Ipv6 => 6,
    }
}

/// Leases as a table; `past` shows when they ended.
pub fn print_leases(out: &mut Output, leases: &[LeaseRow], context: &Context, past: bool) -> Result<()> {
    let zone = &context.zone;
    let servers = leases.iter().any(|lease| lease.server != leases[0].server);
    let mut columns = vec![text("address", 0), text("user", 0), text("since", 0)];
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
            row.push(lease.ended.map(|ended| times::show(ended, zone)).unwrap_or_default());
        }
        let state = match (lease.ended, lease.accepted) {
            (None, Some(_)) => "held".to_owned(),
            (None, None) => "offered".to_owned(),
            (Some(_), None) => "never accepted".to_owned(),
            (Some(_), Some(_)) => lease.ended_by.clone().unwrap_or_else(|| "ended".to_owned()),
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
