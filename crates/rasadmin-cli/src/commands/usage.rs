//! `rasadmin usage`: what users have used, as quotas count it.

use crate::context::ContextArguments;
use crate::error::{CommandError, Exit, Result};
use crate::filter::{FilterArguments, LimitArguments, user_shown};
use crate::output::Output;
use crate::table::{name, number, text};
use crate::times;
use clap::{Args, ValueEnum};
use jiff::civil::Date;
use rasadmin_ledger::report::Filter;
use rasadmin_policy::config::file::Period;
use rasadmin_policy::rules::period_dates;

/// The period that a row sums up.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Per {
    Day,
    Week,
    Month,
}

/// Show connect time and octets, as quotas count them
///
/// Past sessions count on the days of the configuration's time zone: a session over midnight is split. Its octets
/// count on the day on which the rasadmin service saw them, else on the day when it ended. The connect time of active
/// sessions is not included (quotas add it); their octets are, as the service last recorded them. A time of day in
/// --since or --until stands for the whole day.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin usage                            this month
  rasadmin usage --user alice --per day --since 2026-11-01")]
pub struct Arguments {
    /// Show one row per day, week or month
    #[arg(long, value_enum, default_value = "month")]
    per: Per,
    #[command(flatten)]
    filter: FilterArguments,
    #[command(flatten)]
    limit: LimitArguments,
    #[command(flatten)]
    context: ContextArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?;
    if arguments.filter.server.is_some() {
        let hint = "leave --server out, or see `rasadmin sessions --server`";
        return Err(CommandError::usage(format!("use is summed over all servers: {hint}")));
    }
    let filter = arguments.filter.filter(&context, None)?;
    let zone = &context.config.zone;
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
    let period_of = |day: &str| {
        let noon = day.parse::<Date>().and_then(|date| zone.to_timestamp(date.at(12, 0, 0, 0)));
        noon.map_or_else(|_| day.to_owned(), |noon| period_dates(period, noon, zone).0)
    };
    let days = Filter { user: filter.user, ..Default::default() };
    let mut usage = context.reader()?.usage(&days, &first, &last, &period_of)?;
    let cut = arguments.limit.of(arguments.json).cut(&mut usage);
    if arguments.json {
        out.json(&usage)?;
        return Ok(Exit::Success);
    }
    if usage.is_empty() {
        writeln!(out, "nobody has used anything from {first} to {last}")?;
        return Ok(Exit::Success);
    }
    let columns = [
        name("user", 0),
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
    out.table(&columns, rows.collect())?;
    let zone = times::zone_name(zone);
    writeln!(out, "\n  whole days, from {first} to {last}; {zone}\n  received and sent: by the server")?;
    cut.map_or(Ok(()), |cut| writeln!(out, "{cut}"))?;
    Ok(Exit::Success)
}
