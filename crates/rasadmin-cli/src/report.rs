//! `rasadmin report`.

use crate::here::Here;
use crate::select::print_json;
use crate::table::{self, number, text};
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

/// Sums over a month: by user, group, tunnel, day or rule
///
/// Time is that within the month, split at its ends; of live sessions until now. Octets are those of sessions whose
/// hangup fell into it. `by group` counts a user in each of his groups. Sessions that were imported from other logs count
/// where the ledger itself has none.
///
/// The CSV is safe to open in a spreadsheet: a cell that begins like a formula gets an apostrophe.
///
/// Examples:
///   rasadmin report --by user --month 2026-11
///   rasadmin report --by rule --since 7d
///   rasadmin report --by user --month 2026-11 --format csv > november.csv
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// What to sum by
    #[arg(long, value_enum)]
    by: ByArgument,
    /// The month, `2026-11`; this month if nothing is said
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["since", "until"])]
    month: Option<String>,
    /// Since when, instead of a month
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Until when (not included); now if nothing is said
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How to write it
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    here: Here,
    /// Print JSON: as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

pub fn report(arguments: Arguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let zone = &place.config.zone;
    let now = times::now();
    let time = |text: &Option<String>| text.as_deref().map(|text| times::parse(text, zone, now)).transpose();
    let (from, to) = match (&arguments.month, time(&arguments.since)?, time(&arguments.until)?) {
        (Some(text), ..) => {
            month(text, zone).ok_or_else(|| format!("`{text}` is not a valid month: write `2026-11`"))?
        }
        (None, None, None) => month(&times::show(now, zone)[..7], zone).ok_or("this month cannot be told")?,
        (None, Some(since), until) => (since, until.unwrap_or(now)),
        (None, None, Some(_)) => return Err("--until needs --since".to_owned()),
    };
    let by = match arguments.by {
        ByArgument::User => GroupBy::User,
        ByArgument::Group => GroupBy::Group,
        ByArgument::Tunnel => GroupBy::Tunnel,
        ByArgument::Day => GroupBy::Day,
        ByArgument::Rule => GroupBy::Rule,
    };
    let totals = place.reader()?.totals(by, from, to, now, &place.config).map_err(|e| e.to_string())?;
    let format = if arguments.json { Format::Json } else { arguments.format };
    match format {
        Format::Json => print_json(&totals),
        Format::Csv => {
            print!("{}", csv(by, &totals));
            Ok(0)
        }
        Format::Table => {
            if totals.is_empty() {
                println!("no session and no denial between {} and {}", times::show(from, zone), times::show(to, zone));
                return Ok(0);
            }
            table(by, totals);
            let (from, to) = (times::show(from, zone), times::show(to, zone));
            println!("\n  {from} to {to}, {}\n  received and sent: by the server", times::zone_name(zone));
            Ok(0)
        }
    }
}

/// What stands where there is no key.
fn none(by: GroupBy) -> &'static str {
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

fn table(by: GroupBy, mut totals: Vec<Total>) {
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
            total.key.clone().unwrap_or_else(|| none(by).to_owned()),
            total.sessions.to_string(),
            total.users.to_string(),
            times::duration(total.seconds),
            format!("{at_least}{}", times::octets(total.input_octets)),
            format!("{at_least}{}", times::octets(total.output_octets)),
            if total.estimated > 0 { total.estimated.to_string() } else { String::new() },
            total.denied.to_string(),
        ]
    });
    table::print(&columns, rows.collect());
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
            cell(total.key.as_deref().unwrap_or_else(|| none(by))),
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
