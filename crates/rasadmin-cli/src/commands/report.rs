//! `rasadmin report`.

use crate::context::{ContextArguments, ZoneArguments};
use crate::error::{CommandError, Exit, Kind, Result};
use crate::output::Output;
use crate::table::{name, number};
use crate::{times, warning};
use clap::{Args, ValueEnum};
use rasadmin_answers::report::{connected, csv, marks, octets, row_name, title};
use rasadmin_ledger::report::{GroupBy, SortBy, Total, month};

/// What a report sums by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ByArgument {
    User,
    Group,
    Tunnel,
    Day,
    Rule,
}

/// What a report is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SortArgument {
    Octets,
    Time,
    Sessions,
    Denied,
}

impl From<SortArgument> for SortBy {
    fn from(by: SortArgument) -> Self {
        match by {
            SortArgument::Octets => Self::Octets,
            SortArgument::Time => Self::Time,
            SortArgument::Sessions => Self::Sessions,
            SortArgument::Denied => Self::Denied,
        }
    }
}

/// A table shows this many rows, unless `--top` says otherwise. Files for programs are complete.
const ROWS: u32 = 100;

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
}

/// Sum up a month: by user, group, tunnel, day or rule
///
/// Connect time is the part of each session that lies within the month; for active sessions, until now. Octets are
/// those of sessions that ended in the month. `--by group` counts a user in each of their groups. Sessions imported
/// from logs count for times that the ledger itself does not cover.
///
/// `--by rule` shows every rule of the configuration, even if it decided nothing. What the default decided, what the
/// DLL itself refused (a pool was exhausted, for example), and what was imported have rows of their own, in brackets.
///
/// The CSV is safe to open in a spreadsheet: a cell that begins like a formula gets an apostrophe.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin report
  rasadmin report --by user --month 2026-11
  rasadmin report --by rule --since 7d
  rasadmin report --by user --sort octets --top 10
  rasadmin report --by user --month 2026-11 --format csv > november.csv")]
pub struct Arguments {
    /// One row per user, group, tunnel, day or rule
    #[arg(long, value_enum, default_value = "user")]
    by: ByArgument,
    /// The month, like `2026-11` [default: this month]
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["since", "until"])]
    month: Option<String>,
    /// From this time on, instead of a month
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this time [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// The order: the most first [default: time; a report by day is in the order of the days]
    #[arg(long, value_enum)]
    sort: Option<SortArgument>,
    /// Show only the first N rows; 0 shows all [default: 100 in a table, all in CSV and JSON]
    #[arg(long, visible_alias = "limit", value_name = "N")]
    top: Option<u32>,
    /// The format
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    zone: ZoneArguments,
    #[command(flatten)]
    context: ContextArguments,
    /// Print JSON: as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?.in_zone(&arguments.zone)?;
    let zone = &context.zone;
    let now = times::now();
    let time = |text: &Option<String>| text.as_deref().map(|text| times::parse(text, zone, now)).transpose();
    let (from, to) = match (&arguments.month, time(&arguments.since)?, time(&arguments.until)?) {
        (Some(text), ..) => {
            let invalid = || CommandError::usage(format!("`{text}` is not a valid month: write `2026-11`"));
            month(text, zone).ok_or_else(invalid)?
        }
        (None, None, None) => month(&times::show(now, zone)[..7], zone)
            .ok_or_else(|| CommandError::new(Kind::System, "the clock shows no month: check the computer's date"))?,
        (None, Some(since), until) => (since, until.unwrap_or(now)),
        (None, None, Some(_)) => return Err(CommandError::usage("--until needs --since")),
    };
    if to < from {
        return Err(CommandError::usage(match arguments.until {
            Some(_) => "--until is before --since: exchange them",
            None => "--since is in the future, and without --until the report ends now: write an earlier --since",
        }));
    }
    let by = match arguments.by {
        ByArgument::User => GroupBy::User,
        ByArgument::Group => GroupBy::Group,
        ByArgument::Tunnel => GroupBy::Tunnel,
        ByArgument::Day => GroupBy::Day,
        ByArgument::Rule => GroupBy::Rule,
    };
    let mut totals = context.reader()?.totals(by, from, to, now, &context.config, zone)?;
    let format = if arguments.json { Format::Json } else { arguments.format };
    // Programs get all rows in the order of the keys, or the first ones by use, as people do. A report by day is read in
    // the order of time.
    let is_ranking = format == Format::Table || arguments.top.is_some();
    let by_use = (is_ranking && by != GroupBy::Day).then_some(SortBy::Time);
    if let Some(order) = arguments.sort.map(SortBy::from).or(by_use) {
        order.sort(&mut totals);
    }
    let limit = arguments.top.or((format == Format::Table).then_some(ROWS)).filter(|rows| *rows > 0);
    let all = totals.len();
    totals.truncate(limit.map_or(all, |rows| rows as usize));
    if from > now {
        warning!("this period is still to come: nothing has happened in it");
    }
    match format {
        Format::Json => out.json(&totals)?,
        Format::Csv => out.file(&csv(by, &totals))?,
        Format::Table if totals.is_empty() => {
            let (from, to) = (times::show(from, zone), times::show(to, zone));
            writeln!(out, "no session and no denial between {from} and {to}")?;
        }
        Format::Table => {
            print_table(out, by, &totals)?;
            let (from, to) = (times::show(from, zone), times::show(to, zone));
            let zone = times::zone_name(zone);
            writeln!(out, "\n  {from} to {to}, {zone}\n  received and sent: by the server")?;
            marks(&totals).try_for_each(|line| out.text(&format!("  {line}")))?;
            if totals.len() < all {
                writeln!(out, "  the first {} of {all} rows; --top 0 shows all", totals.len())?;
            }
        }
    }
    Ok(Exit::Success)
}

fn print_table(out: &mut Output, by: GroupBy, totals: &[Total]) -> Result<()> {
    let columns = [
        name(title(by), 0),
        number("sessions", 0),
        number("users", 3),
        number("connected", 0),
        number("received", 1),
        number("sent", 1),
        number("estimated", 4),
        number("denied", 0),
    ];
    let rows = totals.iter().map(|total| {
        vec![
            row_name(by, total),
            total.sessions.to_string(),
            total.users.to_string(),
            connected(total),
            octets(total.input_octets, total.input),
            octets(total.output_octets, total.output),
            if total.estimated > 0 { total.estimated.to_string() } else { String::new() },
            total.denied.to_string(),
        ]
    });
    out.table(&columns, rows.collect())
}
