//! `rasadmin export`: sessions for other programs.

use crate::context::{Context, ContextArguments, ZoneArguments, absolute};
use crate::error::{AS_ADMINISTRATOR, CommandError, Exit, Result, WithContext};
use crate::format::count;
use crate::output::{Output, note};
use crate::{times, warning};
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use jiff::tz::TimeZone;
use rasadmin_history::export::{Csv, Dts, Export, Jsonl, NasAddresses, Radacct, Sql};
use rasadmin_ledger::report::{ExportFilter, Pages};
use rasadmin_policy::Name;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufWriter, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// Write the ledger's sessions for another program
///
/// Writes SQL for FreeRADIUS, events for log tools of NPS, CSV for spreadsheets, JSON for scripts. The ledger is read a
/// page at a time, so you can run this while users are connected. Sessions come in the order in which they began,
/// including those imported from logs. docs/logs.md describes each format.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin export --format csv --since 2026-11-01 --until 2026-12-01 \\
      --output november.csv
  rasadmin export --format csv --excel --output november.csv
  rasadmin export --format radacct --nas-ip-address 10.0.0.1 | psql radius
  rasadmin export --format radacct --sql mysql \\
      --nas-ip-address VPN1=10.0.0.1 --nas-ip-address VPN2=10.0.0.2
  rasadmin export --format nps-dts --time-zone Europe/Berlin --output IN2611.log
  rasadmin export --format jsonl --user 'CORP\\alice' | jq .framed_ip_address")]
pub struct Arguments {
    /// The format
    #[arg(long, value_enum)]
    format: Format,
    #[command(flatten)]
    context: ContextArguments,
    #[command(flatten)]
    zone: ZoneArguments,
    /// Only sessions that began at this time or later: `2026-11-01`, `2026-11-01 08:00`, `yesterday`, `7d` ago
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only sessions that began before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only this user's sessions
    #[arg(long)]
    user: Option<String>,
    /// Only imported sessions
    #[arg(long, conflicts_with = "own")]
    imported: bool,
    /// Only the ledger's own sessions
    #[arg(long)]
    own: bool,
    /// csv: as Excel reads it: with a byte order mark, and times without their zone
    #[arg(long)]
    excel: bool,
    /// radacct: the SQL dialect [default: postgresql]
    #[arg(long, value_enum)]
    sql: Option<Dialect>,
    /// radacct: the server's address, which the ledger does not have; for several servers, SERVER=ADDRESS for each
    #[arg(long, value_name = "[SERVER=]ADDRESS")]
    nas_ip_address: Vec<String>,
    /// Write to this file [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// SQL for FreeRADIUS's table
    Radacct,
    /// NPS's DTS events
    NpsDts,
    /// For spreadsheets
    Csv,
    /// One JSON object per line
    Jsonl,
}

#[derive(Clone, Copy, ValueEnum)]
enum Dialect {
    Postgresql,
    /// MariaDB too
    Mysql,
    Sqlite,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    if arguments.excel && arguments.format != Format::Csv {
        return Err(CommandError::usage("--excel is for CSV: use it with --format csv"));
    }
    let context = arguments.context.open()?.in_zone(&arguments.zone)?;
    let zone = context.zone.clone();
    let time = |option: &str, text: &Option<String>| {
        text.as_deref().map(|text| times::parse(text, &zone, times::now())).transpose().context(option)
    };
    let user = match &arguments.user {
        None => None,
        Some(user) => {
            let identity = context.config.domains.identity(&Name::new(user), &Name::default());
            let empty = || CommandError::usage("--user: the name is empty; write a user like CORP\\alice");
            Some(identity.ok_or_else(empty)?)
        }
    };
    let filter = ExportFilter {
        since: time("--since", &arguments.since)?,
        until: time("--until", &arguments.until)?,
        user,
        imported: (arguments.imported || arguments.own).then_some(arguments.imported),
    };
    if arguments.format != Format::Radacct && (arguments.sql.is_some() || !arguments.nas_ip_address.is_empty()) {
        return Err(CommandError::usage("--sql and --nas-ip-address are for --format radacct: leave them out"));
    }
    let addresses = addresses(&arguments)?;
    let reader = context.reader()?;
    let mut sessions = reader.pages(filter)?;
    let summary = match &arguments.output {
        None => {
            // Where the sessions themselves go to the terminal, a progress bar would appear among them.
            let bar = if out.is_terminal() { ProgressBar::hidden() } else { ProgressBar::new(sessions.at_most()) };
            let written = write(&arguments, addresses, zone, out.bytes(), &mut sessions, &bar)?;
            written.map_err(|e| CommandError::output(&e))?
        }
        Some(path) => {
            let path = &output_file(path, &context)?;
            let failed = |e: io::Error| CommandError::file(path, format!("it cannot be written: {}", reason(&e)));
            // In one step, so that a reader of the file finds the old one or the whole new one.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let file = tempfile::Builder::new().prefix(".rasadmin-export-").tempfile_in(folder).map_err(failed)?;
            let to = BufWriter::with_capacity(1 << 16, file.as_file());
            let bar = ProgressBar::new(sessions.at_most());
            let summary = write(&arguments, addresses, zone, to, &mut sessions, &bar)?.map_err(failed)?;
            file.as_file().sync_all().map_err(failed)?;
            file.persist(path).map_err(|e| failed(e.error))?;
            summary
        }
    };
    out.flush()?;
    note(format_args!("{summary}"));
    Ok(Exit::Success)
}

/// Why a file cannot be written, without the name of the temporary file that takes its place until then.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "the folder does not exist: create it, or check the path".to_owned(),
        io::ErrorKind::PermissionDenied => {
            format!("you may not write to this folder: choose another, or {AS_ADMINISTRATOR}")
        }
        _ => error.to_string(),
    }
}

/// The file to write, which replaces one of that name: not one that rasadmin itself needs, nor a device.
fn output_file(path: &Path, context: &Context) -> Result<PathBuf> {
    let path = absolute(path)?;
    // A symbolic link stays, and its target is replaced.
    let path = std::fs::canonicalize(&path).unwrap_or(path);
    match std::fs::metadata(&path) {
        Ok(found) if !found.is_file() => {
            return Err(CommandError::file(&path, "it exists and is not a regular file: name another file"));
        }
        _ => {}
    }
    let is = |own: &Path| std::fs::canonicalize(own).is_ok_and(|own| own == path);
    let in_journal = |journal: &Path| std::fs::canonicalize(journal).is_ok_and(|journal| path.starts_with(journal));
    let members = context.config.bundle.files();
    if is(&context.ledger)
        || context.file.as_deref().is_some_and(is)
        || members.iter().any(|file| is(file))
        || in_journal(context.journal.as_deref().unwrap_or(&context.config.journal))
    {
        return Err(CommandError::usage(format!(
            "{}: rasadmin needs this file, so the export would destroy it: name another file",
            path.display()
        )));
    }
    Ok(path)
}

/// What was written, and what was not.
#[derive(Default)]
struct Summary {
    sessions: u64,
    left_out: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} exported", count(self.sessions, "session"))?;
        if self.left_out > 0 {
            let left_out = count(self.left_out, "connection");
            write!(f, "; {left_out} without a session left out, as in RADIUS")?;
        }
        Ok(())
    }
}

/// The outer error is the ledger's, the inner one that of the output.
fn write(
    arguments: &Arguments,
    addresses: NasAddresses,
    zone: TimeZone,
    out: impl Write,
    sessions: &mut Pages<'_>,
    bar: &ProgressBar,
) -> Result<io::Result<Summary>> {
    let export: io::Result<Box<dyn Export + '_>> = match arguments.format {
        Format::Radacct => {
            let sql = match arguments.sql.unwrap_or(Dialect::Postgresql) {
                Dialect::Postgresql => Sql::Postgresql,
                Dialect::Mysql => Sql::Mysql,
                Dialect::Sqlite => Sql::Sqlite,
            };
            Radacct::new(out, sql, addresses).map(|export| Box::new(export) as _)
        }
        Format::NpsDts => Ok(Box::new(Dts::new(out, zone)) as _),
        Format::Csv if arguments.excel => Csv::for_excel(out, zone).map(|export| Box::new(export) as _),
        Format::Csv => Csv::new(out).map(|export| Box::new(export) as _),
        Format::Jsonl => Ok(Box::new(Jsonl::new(out)) as _),
    };
    let mut export = match export {
        Ok(export) => export,
        Err(e) => return Ok(Err(e)),
    };
    let mut summary = Summary::default();
    for session in sessions {
        match export.session(session?) {
            Ok(true) => summary.sessions += 1,
            Ok(false) => summary.left_out += 1,
            Err(e) => return Ok(Err(e)),
        }
        if (summary.sessions + summary.left_out) % 1_024 == 0 {
            bar.set_position(summary.sessions + summary.left_out);
        }
    }
    bar.finish_and_clear();
    Ok(export.finish().map(|()| summary))
}

fn addresses(arguments: &Arguments) -> Result<NasAddresses> {
    let mut addresses = NasAddresses { by_server: HashMap::new(), others: Ipv4Addr::UNSPECIFIED };
    for text in &arguments.nas_ip_address {
        let (server, address) = text.split_once('=').map_or((None, text.as_str()), |(s, a)| (Some(s), a));
        let address = address.parse().map_err(|_| {
            let shown = Name::new(text);
            CommandError::usage(format!(
                "--nas-ip-address: `{shown}` is not a valid IPv4 address; write 10.0.0.1, or VPN1=10.0.0.1"
            ))
        })?;
        match server {
            Some(server) => drop(addresses.by_server.insert(Name::new(server).folded(), address)),
            None => addresses.others = address,
        }
    }
    if arguments.format == Format::Radacct && arguments.nas_ip_address.is_empty() {
        warning!(
            "the table demands NAS-IP-Address, which the ledger does not have: every server gets 0.0.0.0; give the \
             address with --nas-ip-address"
        );
    }
    Ok(addresses)
}
