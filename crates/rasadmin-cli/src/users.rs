//! `rasadmin users` and `rasadmin usage`.

use crate::here::Here;
use crate::select::{Select, print_json, user_shown};
use crate::table::{self, number, text};
use crate::times;
use clap::{Args, ValueEnum};
use jiff::civil::Date;
use rasadmin_policy::config::file::Period;
use rasadmin_policy::rules::period_dates;

/// Which users the ledger knows
///
/// Everyone who was accepted or denied, with his groups.
///
/// Examples:
///   rasadmin users
///   rasadmin users --since 30d --json
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    here: Here,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn users(arguments: Arguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let filter = arguments.select.filter(&place, None)?;
    let users = place.reader()?.users(&filter).map_err(|e| e.to_string())?;
    if arguments.json {
        return print_json(&users);
    }
    if users.is_empty() {
        println!("the ledger knows no such user");
        return Ok(0);
    }
    let zone = &place.config.zone;
    let groups: Vec<_> = place.config.groups.names().collect();
    let columns = [
        text("user", 0),
        text("groups", 3),
        number("live", 0),
        number("sessions", 0),
        text("first", 4),
        text("last", 1),
        text("last denied", 2),
    ];
    let rows = users.iter().map(|user| {
        let identity = rasadmin_policy::Identity { domain: user.domain.clone(), name: user.name.clone() };
        let of = place.config.groups.of(&identity);
        let names: Vec<_> = of.iter().filter_map(|group| groups.get(group.0 as usize).copied()).collect();
        vec![
            user_shown(Some(&user.domain), Some(&user.name), &user.name),
            names.join(", "),
            user.live_sessions.to_string(),
            user.sessions.to_string(),
            user.first.map(|time| times::show(time, zone)).unwrap_or_default(),
            user.last.map(|time| times::show(time, zone)).unwrap_or_default(),
            user.last_denied.map(|time| times::show(time, zone)).unwrap_or_default(),
        ]
    });
    table::print(&columns, rows.collect());
    println!("\n  {}", times::zone_name(zone));
    Ok(0)
}

/// What is summed up.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Per {
    Day,
    Week,
    Month,
}

/// What users have used: connect time and octets, as quotas count them
///
/// Past sessions by the days of the configuration's time zone: a session over midnight is split, octets count on the day
/// of the hangup. Live sessions are not in it (quotas add their elapsed time).
///
/// Examples:
///   rasadmin usage                            this month
///   rasadmin usage --user alice --per day --since 2026-11-01
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct UsageArguments {
    /// A row for each of these
    #[arg(long, value_enum, default_value = "month")]
    per: Per,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    here: Here,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn usage(arguments: UsageArguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    if arguments.select.server.is_some() {
        return Err(
            "use is summed over all servers: leave --server out, or see `rasadmin sessions --server`".to_owned()
        );
    }
    let filter = arguments.select.filter(&place, None)?;
    let zone = &place.config.zone;
    let at = |time| jiff::Timestamp::from_millisecond(time).unwrap_or_default();
    let now = at(times::now());
    let period = match arguments.per {
        Per::Day => Period::Day,
        Per::Week => Period::Week,
        Per::Month => Period::Month,
    };
    let first = filter
        .since
        .map_or_else(|| period_dates(Period::Month, now, zone).0, |since| period_dates(Period::Day, at(since), zone).0);
    // Until is not included.
    let last = filter.until.map_or(now, |until| at(until - 1));
    let last = period_dates(Period::Day, last, zone).0;
    let cut = |day: &str| {
        let noon = day.parse::<Date>().and_then(|date| zone.to_timestamp(date.at(12, 0, 0, 0)));
        noon.map_or_else(|_| day.to_owned(), |noon| period_dates(period, noon, zone).0)
    };
    let days = rasadmin_ledger::report::Filter { user: filter.user, ..Default::default() };
    let usage = place.reader()?.usage(&days, &first, &last, &cut).map_err(|e| e.to_string())?;
    if arguments.json {
        return print_json(&usage);
    }
    if usage.is_empty() {
        println!("nobody has used anything from {first} to {last}");
        return Ok(0);
    }
    let columns = [
        text("user", 0),
        text("from", 0),
        number("sessions", 1),
        number("connected", 0),
        number("received", 0),
        number("sent", 0),
    ];
    let rows = usage.iter().map(|row| {
        vec![
            user_shown(Some(&row.domain), Some(&row.name), &row.name),
            row.from.clone(),
            row.sessions.to_string(),
            times::duration(row.seconds),
            times::octets(row.input_octets),
            times::octets(row.output_octets),
        ]
    });
    table::print(&columns, rows.collect());
    println!("\n  from {first} to {last}, {}\n  received and sent: by the server", times::zone_name(zone));
    Ok(0)
}
