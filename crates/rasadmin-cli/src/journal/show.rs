//! `rasadmin journal show`.

mod line;

use super::Where;
use crate::table::{cut, printable, terminal_width};
use crate::times;
use clap::Args;
use line::Lines;
use rasadmin_journal::{Error, Follower, Item};
use rasadmin_ledger::report::UserFilter;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// How often to look for new records.
const PAUSE: Duration = Duration::from_millis(250);

/// Show the records, one a line: what happened, what was decided, and what changed
///
/// Every record has a number. With --json, each line is an object with the number and the record as the journal has it
/// (docs/journal.md).
///
/// Examples:
///   rasadmin journal show --last 20
///   rasadmin journal show --follow --user alice
///   rasadmin journal show --json | jq 'select(.record.decision.allow == false)'
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Also show new records as they come, until you end it with Ctrl+C
    #[arg(long, short)]
    follow: bool,
    /// Only this user: `alice` (in any domain), `CORP\alice`, `alice@corp.example`
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only the last N records
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    #[command(flatten)]
    place: Where,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
}

pub fn show(arguments: Arguments) -> Result<u8, String> {
    let place = arguments.place.open()?;
    let who = arguments.user.as_deref().map(|user| {
        let typed = UserFilter::typed(user, &place.config.domains);
        typed.ok_or_else(|| {
            format!("`{user}` is not a valid user name: write `alice`, `CORP\\alice` or `alice@corp.example`")
        })
    });
    let mut lines = Lines::new(&place.config, who.transpose()?);
    let failed = |e: Error| format!("the journal cannot be read: {e}");
    let mut out = Out::new(arguments.last);
    let mut follower = None;
    loop {
        if follower.is_none() {
            follower = Follower::open(&place.folder).map_err(failed)?;
        }
        if let Some(open) = &mut follower {
            open.read(|item| {
                if let Some(line) = told(&mut lines, item, arguments.json) {
                    out.take(line, arguments.json);
                }
            })
            .map_err(failed)?;
        } else if !arguments.follow {
            return Err(format!("{}: nothing was ever recorded here: check the path", place.folder.display()));
        }
        out.end_of_what_is_there(arguments.json);
        if !arguments.follow {
            break;
        }
        std::thread::sleep(PAUSE);
        // A journal that was replaced gets no new records.
        if follower.as_ref().is_some_and(|open| open.check().is_err()) {
            eprintln!("warning: the journal was replaced; the records that follow are from the new one");
            follower = None;
        }
    }
    if !arguments.json {
        out.say_if_empty(arguments.user.as_deref());
        println!("\n  {}", times::zone_name(&place.config.zone));
    }
    Ok(0)
}

fn told(lines: &mut Lines<'_>, item: Item<'_>, as_json: bool) -> Option<String> {
    match item {
        Item::Gap { first, last } if as_json => {
            Some(json!({ "missing": { "first": first, "last": last } }).to_string())
        }
        Item::Gap { first, last } => Some(line::gap(first, last)),
        Item::Record(record) => {
            let line = lines.record(record.number, record.payload)?;
            if !as_json {
                return Some(line);
            }
            let whole = serde_json::from_slice::<Value>(record.payload).ok();
            Some(json!({ "number": record.number, "record": whole }).to_string())
        }
    }
}

/// Standard output: at once, or the last lines when all are known.
struct Out {
    last: Option<(usize, VecDeque<String>)>,
    width: Option<usize>,
    lines: u64,
}

impl Out {
    fn new(last: Option<usize>) -> Self {
        let width = std::io::stdout().is_terminal().then(terminal_width).flatten();
        Self { last: last.map(|last| (last, VecDeque::new())), width, lines: 0 }
    }

    fn take(&mut self, line: String, as_json: bool) {
        let Some((last, kept)) = &mut self.last else { return self.print(&line, as_json) };
        kept.push_back(line);
        if kept.len() > *last {
            kept.pop_front();
        }
    }

    /// What comes from now on is new.
    fn end_of_what_is_there(&mut self, as_json: bool) {
        for line in self.last.take().map(|(_, kept)| kept).unwrap_or_default() {
            self.print(&line, as_json);
        }
        let _ = std::io::stdout().flush(); // The reader may have closed the pipe.
    }

    fn print(&mut self, line: &str, as_json: bool) {
        if as_json {
            println!("{line}");
            return;
        }
        if self.lines == 0 {
            println!("{}", self.fit(line::HEADER));
        }
        self.lines += 1;
        println!("{}", self.fit(line));
    }

    /// A line is never wrapped, because the columns would not line up.
    fn fit(&self, line: &str) -> String {
        let line = printable(line);
        self.width.map_or_else(|| line.trim_end().to_owned(), |width| cut(&line, width).trim_end().to_owned())
    }

    fn say_if_empty(&self, user: Option<&str>) {
        if self.lines == 0 {
            match user {
                Some(user) => println!("the journal has no record of {user}"),
                None => println!("the journal has no record"),
            }
        }
    }
}
