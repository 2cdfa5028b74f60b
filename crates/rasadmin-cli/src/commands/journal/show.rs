//! `rasadmin journal show`.

mod line;

use super::JournalArguments;
use crate::context::ZoneArguments;
use crate::error::{CommandError, Exit, Result, WithContext};
use crate::output::Output;
use crate::table::truncate_to_width;
use crate::{journal_files, times, warning};
use clap::Args;
use line::Lines;
use rasadmin_journal::{Follower, Item};
use rasadmin_ledger::report::UserFilter;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::time::Duration;

/// A terminal shows so many records, unless more are asked for.
const ON_A_TERMINAL: usize = 100;

/// How often to look for new records.
const PAUSE: Duration = Duration::from_millis(250);

/// Show the records, one per line: what happened, what was decided, and what changed
///
/// Every record has a number. With --json, each line is an object with the number and the record as the journal has it
/// (docs/journal.md).
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin journal show --last 20
  rasadmin journal show --follow --user alice
  rasadmin journal show --json | jq 'select(.record.decision.allow == false)'")]
pub struct Arguments {
    /// Keep showing new records as they come, until you press Ctrl+C
    #[arg(long, short)]
    follow: bool,
    /// Only this user: `alice` (in any domain), `CORP\alice`, `alice@corp.example`
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only the last N records [default: 100 on a terminal, else all]
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    /// All records, on a terminal too
    #[arg(long, conflicts_with = "last")]
    all: bool,
    #[command(flatten)]
    zone: ZoneArguments,
    #[command(flatten)]
    journal: JournalArguments,
    /// Print JSON, one object per line
    #[arg(long)]
    json: bool,
}

/// A line of the answer.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Answer<'a> {
    /// A record.
    Record {
        /// Its number.
        number: u64,
        /// The record as the journal has it (docs/journal.md). `null`: it cannot be read.
        #[schemars(with = "Option<serde_json::Value>")]
        record: Option<&'a RawValue>,
    },
    /// Records that could not be read.
    Missing {
        /// Their numbers.
        missing: Missing,
    },
}

/// The numbers of records that could not be read.
#[derive(Serialize, JsonSchema)]
pub struct Missing {
    /// The first.
    first: u64,
    /// The last.
    last: u64,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.journal.open()?;
    let zone = arguments.zone.or(&context.config)?;
    let user = arguments.user.as_deref().map(|user| {
        let typed = UserFilter::typed(user, &context.config.domains);
        typed.ok_or_else(|| {
            CommandError::usage(format!(
                "`{user}` is not a valid user name: write `alice`, `CORP\\alice` or `alice@corp.example`"
            ))
        })
    });
    let mut lines = Lines::new(&context.config, &zone, user.transpose()?);
    let last = arguments.last.or((out.is_terminal() && !arguments.all).then_some(ON_A_TERMINAL));
    let mut printer = Printer::new(last, arguments.json);
    let mut follower = None;
    loop {
        if follower.is_none() {
            follower = Follower::open(&context.folder).context("the journal cannot be read")?;
        }
        if let Some(open) = &mut follower {
            let mut printed = Ok(());
            let read = open.read(|item| {
                if let Some(line) = to_line(&mut lines, item, arguments.json)
                    && printed.is_ok()
                {
                    printed = printer.take(line, out);
                }
            });
            read.context("the journal cannot be read")?;
            printed?;
        } else if !arguments.follow {
            return Err(journal_files::nothing_recorded(&context.folder));
        }
        printer.print_kept(out)?;
        if !arguments.follow {
            break;
        }
        std::thread::sleep(PAUSE);
        // A journal that was replaced gets no new records.
        if follower.as_ref().is_some_and(|open| open.check().is_err()) {
            warning!("the journal was replaced; the records that follow are from the new one");
            follower = None;
        }
    }
    if !arguments.json {
        if printer.lines == 0 {
            match &arguments.user {
                Some(user) => writeln!(out, "the journal has no record of {user}")?,
                None => writeln!(out, "the journal has no record")?,
            }
        }
        writeln!(out, "\n  {}", times::zone_name(&zone))?;
        if printer.dropped && arguments.last.is_none() {
            writeln!(out, "  the last {ON_A_TERMINAL}; --all shows all")?;
        }
    }
    Ok(Exit::Success)
}

fn to_line(lines: &mut Lines<'_>, item: Item<'_>, as_json: bool) -> Option<String> {
    let json = |answer: Answer<'_>| serde_json::to_string(&answer).ok();
    match item {
        Item::Gap { first, last } if as_json => json(Answer::Missing { missing: Missing { first, last } }),
        Item::Gap { first, last } => Some(line::gap(first, last)),
        Item::Record(record) => {
            let line = lines.record(record.number, record.payload)?;
            if !as_json {
                return Some(line);
            }
            json(Answer::Record { number: record.number, record: serde_json::from_slice(record.payload).ok() })
        }
    }
}

/// Prints lines at once, or only the last ones when all are known.
struct Printer {
    last: Option<(usize, VecDeque<String>)>,
    as_json: bool,
    lines: u64,
    /// Whether there were more than the last ones.
    dropped: bool,
}

impl Printer {
    fn new(last: Option<usize>, as_json: bool) -> Self {
        Self { last: last.map(|last| (last, VecDeque::new())), as_json, lines: 0, dropped: false }
    }

    fn take(&mut self, line: String, out: &mut Output) -> Result<()> {
        let Some((last, kept)) = &mut self.last else { return self.print(&line, out) };
        kept.push_back(line);
        if kept.len() > *last {
            kept.pop_front();
            self.dropped = true;
        }
        Ok(())
    }

    /// Prints the last lines. Those that follow are new, and are printed at once.
    fn print_kept(&mut self, out: &mut Output) -> Result<()> {
        for line in self.last.take().map(|(_, kept)| kept).unwrap_or_default() {
            self.print(&line, out)?;
        }
        out.flush()
    }

    fn print(&mut self, line: &str, out: &mut Output) -> Result<()> {
        if self.as_json {
            return writeln!(out, "{}", rasadmin_text::printable_json(line));
        }
        if self.lines == 0 {
            writeln!(out, "{}", fit(line::HEADER, out.width()))?;
        }
        self.lines += 1;
        writeln!(out, "{}", fit(line, out.width()))
    }
}

/// A line is never wrapped, because its columns would not line up.
fn fit(line: &str, width: Option<usize>) -> String {
    let line = rasadmin_text::printable(line);
    match width {
        Some(width) => truncate_to_width(&line, width).trim_end().to_owned(),
        None => line.trim_end().to_owned(),
    }
}
