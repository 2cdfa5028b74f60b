//! `rasadmin addresses` and `rasadmin who-had`.

use crate::here::{Here, Place};
use crate::select::{Select, print_json, user_shown};
use crate::table::{self, number, text};
use crate::times;
use clap::Args;
use rasadmin_ledger::report::{LeaseRow, Reader};
use rasadmin_policy::addresses::{Family, Pool};
use serde_json::json;
use std::net::IpAddr;

/// Which addresses are held, and how full the pools are
///
/// Examples:
///   rasadmin addresses
///   rasadmin addresses --pool staff
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Only of this pool
    #[arg(long, value_name = "NAME")]
    pool: Option<String>,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    here: Here,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn addresses(arguments: Arguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let pool = arguments.pool.as_deref();
    let pools = &place.config.addresses.pools;
    if let Some(name) = pool.filter(|name| !pools.iter().any(|pool| pool.name == **name)) {
        let names: Vec<_> = pools.iter().map(|pool| pool.name.as_str()).collect();
        return Err(format!("there is no pool `{name}`; the configuration has: {}", names.join(", ")));
    }
    let reader = place.reader()?;
    let which = arguments.select.filter(&place, None)?;
    let leases = reader.live_leases(&which, pool).map_err(|e| e.to_string())?;
    let filled = filled(&place, &reader, pool)?;
    if arguments.json {
        let pools: Vec<_> = filled
            .iter()
            .map(|(pool, held)| {
                let size = u64::try_from(pool.size()).unwrap_or(u64::MAX);
                json!({ "name": pool.name, "family": family(pool), "size": size, "held": held })
            })
            .collect();
        return print_json(&json!({ "pools": pools, "leases": leases }));
    }
    if !filled.is_empty() {
        let rows = filled.iter().map(|(pool, held)| {
            let size = pool.size();
            let share = 100.0 * *held as f64 / (size as f64).max(1.0);
            let free = size.saturating_sub(u128::from(*held));
            let name = format!("{} (IPv{})", pool.name, family(pool));
            vec![name, size.to_string(), held.to_string(), free.to_string(), format!("{share:.1} %")]
        });
        let columns =
            [text("pool", 0), number("addresses", 0), number("held", 0), number("free", 0), number("full", 1)];
        table::print(&columns, rows.collect());
        println!();
    }
    if leases.is_empty() {
        println!("no address is held");
        return Ok(0);
    }
    print_leases(&leases, &place, false);
    Ok(0)
}

fn family(pool: &Pool) -> u8 {
    match pool.family {
        Family::Ipv4 => 4,
        Family::Ipv6 => 6,
    }
}

/// The configuration's pools, with how many of each are held, on all servers.
fn filled<'c>(place: &'c Place, reader: &Reader, only: Option<&str>) -> Result<Vec<(&'c Pool, u64)>, String> {
    let held = reader.pool_use().map_err(|e| e.to_string())?;
    let pools = place.config.addresses.pools.iter().filter(|pool| only.is_none_or(|name| pool.name == name));
    let count = |pool: &Pool| {
        let of = held.iter().filter(|(_, name, of, _)| *name == pool.name && *of == family(pool));
        of.map(|(_, _, _, n)| n).sum()
    };
    Ok(pools.map(|pool| (pool, count(pool))).collect())
}

/// Who had an address
///
/// With --at, who had it at that time; without, everyone who ever had it, the latest first. An IPv6 address is looked
/// for by its interface identifier, and by its prefix where RRAS told it. Sessions that were imported from other logs are
/// shown where the ledger itself has none.
///
/// Examples:
///   rasadmin who-had 10.20.16.9 --at '2026-11-23 14:30'
///   rasadmin who-had 2001:db8:1::a11c:e
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct WhoHadArguments {
    /// The address
    #[arg(value_name = "ADDRESS")]
    address: IpAddr,
    /// When: `2026-11-23 14:30`, `today`, or how long ago: `90m`, `12h`, `7d`
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
    #[command(flatten)]
    here: Here,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn who_had(arguments: WhoHadArguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let zone = &place.config.zone;
    let at = arguments.at.as_deref().map(|at| times::parse(at, zone, times::now())).transpose()?;
    let address = arguments.address;
    let leases = place.reader()?.who_had(address, at, arguments.limit).map_err(|e| e.to_string())?;
    if arguments.json {
        return print_json(&leases);
    }
    if leases.is_empty() {
        let when = at.map_or_else(|| "ever".to_owned(), |at| format!("at {}", times::show(at, zone)));
        println!("nobody had {address} {when}, as far as the ledger knows");
        return Ok(0);
    }
    print_leases(&leases, &place, true);
    if leases.iter().any(|lease| lease.accepted.is_none()) {
        println!("  never accepted: it was given, but no connection stood; nobody used it");
    }
    Ok(0)
}

fn print_leases(leases: &[LeaseRow], place: &Place, past: bool) {
    let zone = &place.config.zone;
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
    table::print(&columns, rows.collect());
    println!("\n  {}", times::zone_name(zone));
}
