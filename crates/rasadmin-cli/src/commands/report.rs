//! `rasadmin report`.

use crate::context::{ContextArguments, ZoneArguments};
use crate::error::{CommandError, Exit, Kind, Result};
use crate::output::Output;
use crate::table::{number, text};
use crate::times;
use clap::{Args, ValueEnum};
use rasadmin_ledger::report::{GroupBy, Total, month};

/// What a report sums by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ByArgument {
    User,
    Group,
    Tunnel,
    Day,
    Rule,
}

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
/// The CSV is safe to open in a spreadsheet: a cell that begins like a formula gets an apostrophe.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin report --by user --month 2026-11
  rasadmin report --by rule --since 7d
  rasadmin report --by user --month 2026-11 --format csv > november.csv")]
pub struct Arguments {
    /// One row per user, group, tunnel, day or rule
    #[arg(long, value_enum)]
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
    let by = match arguments.by {
        ByArgument::User => GroupBy::User,
        ByArgument::Group => GroupBy::Group,
        ByArgument::Tunnel => GroupBy::Tunnel,
        ByArgument::Day => GroupBy::Day,
        ByArgument::Rule => GroupBy::Rule,
    };
    let totals = context.reader()?.totals(by, from, to, now, &context.config)?;
    let format = if arguments.json { Format::Json } else { arguments.format };
    match format {
        Format::Json => out.json(&totals)?,
        Format::Csv => write!(out, "{}", csv(by, &totals))?,
        Format::Table if totals.is_empty() => {
            let (from, to) = (times::show(from, zone), times::show(to, zone));
            writeln!(out, "no session and no denial between {from} and {to}")?;
        }
        Format::Table => {
            print_table(out, by, totals)?;
            let (from, to) = (times::show(from, zone), times::show(to, zone));
            writeln!(out, "\n  {from} to {to}, {}\n  received and sent: by the server", times::zone_name(zone))?;
        }
    }
    Ok(Exit::Success)
}

/// Shown for rows without a key.
fn no_key(by: GroupBy) -> &'static str {
    match by {
        GroupBy::User => "(no name)",
        GroupBy::Group => "(no group)",
        GroupBy::Tunnel => "(not known)",
        GroupBy::Day => "",
        GroupBy::Rule => "(default)",
    }
}

const fn title(by: GroupBy) -> &'static str {
    match by {
        GroupBy::User => "user",
        GroupBy::Group => "group",
        GroupBy::Tunnel => "tunnel",
        GroupBy::Day => "day",
        GroupBy::Rule => "rule",
    }
}

fn print_table(out: &mut Output, by: GroupBy, mut totals: Vec<Total>) -> Result<()> {
    // A report by day is read in the order of time, the others by who used most.
    if by != GroupBy::Day {
        totals.sort_by_key(|total| std::cmp::Reverse((total.seconds, total.sessions, total.denied)));
    }
    let columns = [
        text(title(by), 0),
        number("sessions", 0),
        number("users", 3),
        number("connected", 0),
        number("received", 1),
        number("sent", 1),
        number("estimated", 4),
        number("denied", 0),
    ];
    let rows = totals.iter().map(|total| {
        let at_least = if total.octets_are_lower_bound { ">= " } else { "" };
        vec![
            total.key.clone().unwrap_or_else(|| no_key(by).to_owned()),
            total.sessions.to_string(),
            total.users.to_string(),
            times::duration(total.seconds),
            format!("{at_least}{}", times::octets(total.input_octets)),
            format!("{at_least}{}", times::octets(total.output_octets)),
            if total.estimated > 0 { total.estimated.to_string() } else { String::new() },
            total.denied.to_string(),
        ]
    });
    out.table(&columns, rows.collect())
}

/// RFC 4180. A cell that a spreadsheet would take for a formula gets an apostrophe before it.
fn csv(by: GroupBy, totals: &[Total]) -> String {
    let mut out = format!(
        "{},sessions,users,connected_seconds,acct_input_octets,acct_output_octets,octets_are,estimated,denied\r\n",
        title(by)
    );
    for total in totals {
        let octets = if total.octets_are_lower_bound { "lower bound" } else { "exact" };
        out += &format!(
            "{},{},{},{},{},{},{octets},{},{}\r\n",
            cell(total.key.as_deref().unwrap_or_else(|| no_key(by))),
            total.sessions,
            total.users,
            total.seconds,
            total.input_octets,
            total.output_octets,
            total.estimated,
            total.denied
        );
    }
    out
}

fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        for hostile in ["=1+1", "+1", "-1", "@sum(A1)", "\t=1", "\r=1"] {
            assert_eq!(cell(hostile), format!("\"'{hostile}\""));
        }
        assert_eq!(cell("CORP\\al\"ice"), "\"CORP\\al\"\"ice\"");
    }
}
