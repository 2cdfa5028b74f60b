//! `rasadmin export`: sessions for other programs.

use crate::here::Here;
use crate::times;
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use jiff::tz::TimeZone;
use rasadmin_history::export::{Csv, Dts, Export, Jsonl, NasAddresses, Radacct, Sql};
use rasadmin_ledger::report::{ExportFilter, Pages};
use rasadmin_policy::{Name, config};
use std::collections::HashMap;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// Write the ledger's sessions for another program: FreeRADIUS, a log tool for NPS, a spreadsheet, a script
///
/// The ledger is read a page at a time, so this may run while users connect. Sessions come in the order in which they
/// began, imported ones too. docs/logs.md says what each format has.
///
/// Examples:
///   rasadmin export --format csv --since 2026-11-01 --until 2026-12-01 --output november.csv
///   rasadmin export --format radacct --nas-ip-address 10.0.0.1 | psql radius
///   rasadmin export --format radacct --sql mysql --nas-ip-address VPN1=10.0.0.1 --nas-ip-address VPN2=10.0.0.2
///   rasadmin export --format nps-dts --time-zone Europe/Berlin --output IN2611.log
///   rasadmin export --format jsonl --user 'CORP\alice' | jq .framed_ip_address
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// In which form
    #[arg(long, value_enum)]
    format: Form,
    #[command(flatten)]
    here: Here,
    /// The zone in which times are meant and NPS's are written, as IANA names it; else the configuration's, else UTC
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Only sessions that began then or later: `2026-11-01`, `2026-11-01 08:00`, `yesterday`, `7d` ago
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only sessions that began before then
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
    /// radacct: whose SQL
    #[arg(long, value_enum, default_value = "postgresql")]
    sql: Dialect,
    /// radacct: the server's address, or SERVER=ADDRESS, as often as there are servers; the ledger does not have it
    #[arg(long, value_name = "[SERVER=]ADDRESS")]
    nas_ip_address: Vec<String>,
    /// The file; without it, standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// SQL for FreeRADIUS's table
    Radacct,
    /// NPS's DTS events
    NpsDts,
    /// A spreadsheet's form
    Csv,
    /// An object a line
    Jsonl,
}

#[derive(Clone, Copy, ValueEnum)]
enum Dialect {
    Postgresql,
    /// MariaDB too
    Mysql,
    Sqlite,
}

/// Exports.
pub fn export(arguments: Arguments) -> Result<u8, String> {
    let zone = arguments.time_zone.as_deref().map(config::time_zone).transpose()?;
    let place = arguments.here.open()?;
    let zone = zone.unwrap_or_else(|| place.config.zone.clone());
    let time = |option: &str, text: &Option<String>| {
        let time = text.as_deref().map(|text| times::parse(text, &zone, times::now())).transpose();
        time.map_err(|e| format!("{option}: {e}"))
    };
    let user = match &arguments.user {
        None => None,
        Some(user) => {
            let identity = place.config.domains.identity(&Name::new(user), &Name::default());
            Some(identity.ok_or("--user: the name is empty; write a user like CORP\\alice")?)
        }
    };
    let wanted = ExportFilter {
        since: time("--since", &arguments.since)?,
        until: time("--until", &arguments.until)?,
        user,
        imported: (arguments.imported || arguments.own).then_some(arguments.imported),
    };
    let addresses = addresses(&arguments)?;
    let reader = place.reader()?;
    let mut sessions = reader.pages(wanted).map_err(|e| e.to_string())?;
    match &arguments.output {
        None => {
            let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
            match write(&arguments, addresses, zone, out, &mut sessions)? {
                // Who reads has had enough.
                Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(0),
                written => written.map(|told| tell(&told)).map_err(|e| format!("standard output: {e}")),
            }
        }
        Some(path) => {
            let failed = |e: io::Error| format!("{}: it cannot be written: {e}", path.display());
            // In one step: whoever reads the file finds the old one or the whole new one.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let file = tempfile::Builder::new().prefix(".rasadmin-export-").tempfile_in(folder).map_err(failed)?;
            let out = BufWriter::with_capacity(1 << 16, file.as_file());
            let told = write(&arguments, addresses, zone, out, &mut sessions)?.map_err(failed)?;
            file.as_file().sync_all().map_err(failed)?;
            file.persist(path).map_err(|e| failed(e.error))?;
            Ok(tell(&told))
        }
    }
}

/// What was written, and what was not.
#[derive(Default)]
struct Told {
    sessions: u64,
    left_out: u64,
}

fn tell(told: &Told) -> u8 {
    let sessions = crate::output::count(told.sessions, "session");
    let mut text = format!("{sessions} exported");
    if told.left_out > 0 {
        text += &format!("; {} that never had a link are left out, as RADIUS does", told.left_out);
    }
    eprintln!("{text}");
    0
}

/// The outer error is the ledger's, the inner one that of the output.
fn write(
    arguments: &Arguments,
    addresses: NasAddresses,
    zone: TimeZone,
    out: impl Write,
    sessions: &mut Pages<'_>,
) -> Result<io::Result<Told>, String> {
    let export: io::Result<Box<dyn Export + '_>> = match arguments.format {
        Form::Radacct => {
            let sql = match arguments.sql {
                Dialect::Postgresql => Sql::Postgresql,
                Dialect::Mysql => Sql::Mysql,
                Dialect::Sqlite => Sql::Sqlite,
            };
            Radacct::new(out, sql, addresses).map(|export| Box::new(export) as _)
        }
        Form::NpsDts => Ok(Box::new(Dts::new(out, zone)) as _),
        Form::Csv => Csv::new(out).map(|export| Box::new(export) as _),
        Form::Jsonl => Ok(Box::new(Jsonl::new(out)) as _),
    };
    let mut export = match export {
        Ok(export) => export,
        Err(e) => return Ok(Err(e)),
    };
    // Where the sessions themselves go to the terminal, a bar would stand among them.
    let hidden = arguments.output.is_none() && io::stdout().is_terminal();
    let bar = if hidden { ProgressBar::hidden() } else { ProgressBar::new(sessions.at_most()) };
    let mut told = Told::default();
    for session in sessions {
        let session = session.map_err(|e| e.to_string())?;
        match export.session(session) {
            Ok(true) => told.sessions += 1,
            Ok(false) => told.left_out += 1,
            Err(e) => return Ok(Err(e)),
        }
        if (told.sessions + told.left_out) % 1_024 == 0 {
            bar.set_position(told.sessions + told.left_out);
        }
    }
    bar.finish_and_clear();
    Ok(export.finish().map(|()| told))
}

fn addresses(arguments: &Arguments) -> Result<NasAddresses, String> {
    let mut addresses = NasAddresses { by_server: HashMap::new(), others: Ipv4Addr::UNSPECIFIED };
    for text in &arguments.nas_ip_address {
        let (server, address) = text.split_once('=').map_or((None, text.as_str()), |(s, a)| (Some(s), a));
        let address = address.parse().map_err(|_| {
            let shown = Name::new(text);
            format!("--nas-ip-address: `{shown}` is not a valid IPv4 address; write 10.0.0.1, or VPN1=10.0.0.1")
        })?;
        match server {
            Some(server) => drop(addresses.by_server.insert(Name::new(server).folded(), address)),
            None => addresses.others = address,
        }
    }
    if arguments.format == Form::Radacct && arguments.nas_ip_address.is_empty() {
        eprintln!(
            "warning: the table demands NAS-IP-Address, and the ledger does not have it: 0.0.0.0 stands for every \
             server; name it with --nas-ip-address"
        );
    }
    Ok(addresses)
}
