//! `rasadmin who-had`: who had an address.

use super::addresses::print_leases;
use crate::context::{ContextArguments, ZoneArguments};
use crate::error::{Exit, Result};
use crate::filter::LimitArguments;
use crate::output::Output;
use crate::times;
use clap::Args;
use std::net::IpAddr;

/// Show who had an address, at a time or ever
///
/// With --at, shows who had it at that time. Without --at, shows everyone who ever had it, the latest first. An IPv6
/// address is found by its interface identifier, and by its prefix if RRAS reported one. Sessions imported from logs
/// are shown for times that the ledger itself does not cover.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin who-had 10.20.16.9 --at '2026-11-23 14:30'
  rasadmin who-had 2001:db8:1::a11c:e

Exit codes: 0 somebody had it; 1 nobody had it, as far as the ledger knows;
2 the command could not do its work.")]
pub struct Arguments {
    /// The address
    #[arg(value_name = "ADDRESS")]
    address: IpAddr,
    /// At this time: `2026-11-23 14:30`, `today`, or how long ago: `90m`, `12h`, `7d`
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
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
    let zone = &context.zone;
    let at = arguments.at.as_deref().map(|at| times::parse(at, zone, times::now())).transpose()?;
    let address = arguments.address;
    let asked = limit.to_ask_for().unwrap_or(u32::MAX);
    let mut leases = context.reader()?.who_had(address, at, asked)?;
    let more = limit.truncate(&mut leases);
    let exit = Exit::no_if(leases.is_empty());
    if arguments.json {
        limit.warn_if(more);
        out.json(&leases)?;
        return Ok(exit);
    }
    if leases.is_empty() {
        let when = at.map_or_else(|| "ever".to_owned(), |at| format!("at {}", times::show(at, zone)));
        writeln!(out, "nobody had {address} {when}, as far as the ledger knows")?;
        return Ok(exit);
    }
    print_leases(out, &leases, &context, true)?;
    if more {
        writeln!(out, "  the latest {}; --limit 0 shows all", leases.len())?;
    }
    if leases.iter().any(|lease| lease.last_seen.is_some()) {
        writeln!(out, "  end unknown: the log does not have the end of this session")?;
    }
    if leases.iter().any(|lease| lease.accepted.is_none()) {
        out.text("  never accepted: the DLL gave the address, but no connection was accepted with it")?;
    }
    Ok(exit)
}
