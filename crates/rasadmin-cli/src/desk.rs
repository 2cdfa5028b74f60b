//! `rasadmin release`, `close`, `purge`, `anonymise` and `ledger`: what changes the ledger, or looks after it.

use crate::ask::confirm;
use crate::here::{Here, Place, absolute};
use crate::select::{print_json, user_shown, who};
use crate::{moment, times};
use clap::{Args, Subcommand};
use rasadmin_engine::Now;
use rasadmin_ledger::Away;
use rasadmin_ledger::desk::{Changed, Desk, NotReleased, Past};
use rasadmin_ledger::report::Held;
use rasadmin_policy::Millis;
use rasadmin_policy::addresses::{Address, Family};
use rasadmin_policy::config::file::Period;
use rasadmin_policy::rules::period_dates;
use rasadmin_policy::{Identity, Name};
use serde_json::json;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

/// End the lease of an address, so that it can be given again
///
/// For an address that a ghost holds: RRAS forgot it, the ledger did not. The address of a live session is released only
/// with --force: RRAS still has it, and refuses it to the next client (error 735) until that connection ends.
///
/// Example:
///   rasadmin release 10.20.16.9
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct ReleaseArguments {
    /// The address; of IPv6 the interface identifier, like `::a11c:e`
    #[arg(value_name = "ADDRESS")]
    address: IpAddr,
    /// On this RRAS server, if several hold it
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Also if a live session has it
    #[arg(long)]
    force: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    here: Here,
}

/// As the ledger has it.
fn number(address: IpAddr) -> Address {
    match address.to_canonical() {
        IpAddr::V4(ipv4) => Address { family: Family::Ipv4, number: ipv4.to_bits().into() },
        IpAddr::V6(ipv6) => Address { family: Family::Ipv6, number: identifier(ipv6) },
    }
}

/// The low half.
fn identifier(address: Ipv6Addr) -> u64 {
    let octets = address.octets();
    u64::from_be_bytes(std::array::from_fn(|at| octets[at + 8]))
}

fn desk(place: Place) -> Result<Desk, String> {
    // It says better what to do if there is none.
    place.reader()?;
    Desk::open(&place.ledger, place.config).map_err(|away| away.to_string())
}

pub fn release(arguments: ReleaseArguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let address = arguments.address;
    let leases = place.reader()?.who_had(address, Some(times::now()), 10_000).map_err(|away| away.to_string())?;
    let mut held: Vec<Held> = leases.into_iter().filter(|l| l.ended.is_none() && l.imported.is_none()).collect();
    if let Some(server) = &arguments.server {
        held.retain(|lease| lease.server.folded() == Name::new(server).folded());
    }
    let lease = match &held[..] {
        [] => {
            println!("no live lease holds {address}: there is nothing to release");
            return Ok(1);
        }
        [lease] => lease.clone(),
        several => {
            let servers: Vec<_> = several.iter().map(|lease| lease.server.to_string()).collect();
            return Err(format!(
                "{address} is held on several servers: name one with --server: {}",
                servers.join(", ")
            ));
        }
    };
    let user = user_shown(lease.domain.as_ref(), lease.name.as_ref(), &lease.user_name);
    if !confirm(
        &format!("Release {address}, held by {user} on port {} of {}?", lease.port, lease.server),
        arguments.yes,
    )? {
        println!("nothing was changed");
        return Ok(1);
    }
    let server = lease.server.clone();
    let now = moment::now(&place, &server)?;
    let done = desk(place)?.release(&server, number(address), arguments.force, now);
    match done.map_err(|away| away.to_string())? {
        Ok(_) => {
            println!("{address} is free: it was held by {user}");
            Ok(0)
        }
        Err(NotReleased::Free) => {
            println!("{address} was released meanwhile");
            Ok(0)
        }
        Err(NotReleased::SessionIsLive(session)) => Err(format!(
            "{address} belongs to the live session {session} of {user}: disconnect it in RRAS first; --force releases the \
             address all the same, but RRAS refuses it to others until that connection ends"
        )),
    }
}

/// Close a session in the ledger that RRAS no longer has
///
/// For a ghost: a session that still counts, though its user is gone. It ends now, with cause Admin-Reset, and its
/// addresses are free. RRAS is not told: this does not disconnect anybody. A user who is still connected stays so, and
/// is counted no longer.
///
/// Examples:
///   rasadmin sessions --live --user alice
///   rasadmin close 241
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct CloseArguments {
    /// The session: its number, or eight characters of its key
    #[arg(value_name = "SESSION")]
    session: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    here: Here,
}

pub fn close(arguments: CloseArguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let typed = &arguments.session;
    let found = place.reader()?.session(typed).map_err(|away| away.to_string())??;
    let session = found.ok_or_else(|| format!("there is no session `{typed}`: see `rasadmin sessions --live`"))?;
    let user = user_shown(session.domain.as_ref(), session.name.as_ref(), &session.user_name);
    if !session.is_live() {
        println!("session {} of {user} has ended already", session.id);
        return Ok(1);
    }
    let since = times::show(session.acct_start_time, &place.config.zone);
    let question = format!(
        "Close session {} of {user}, connected since {since}? (RRAS is not told: it disconnects nobody.)",
        session.id
    );
    if !confirm(&question, arguments.yes)? {
        println!("nothing was changed");
        return Ok(1);
    }
    let now = moment::now(&place, &session.nas_identifier)?;
    let closed = desk(place)?.close(&session.nas_identifier, session.id, now);
    if closed.map_err(|away| away.to_string())? {
        println!("session {} of {user} is closed, and its addresses are free", session.id);
    } else {
        println!("session {} of {user} ended meanwhile", session.id);
    }
    Ok(0)
}

/// Delete what ended before a date
///
/// For a retention rule: sessions, links, leases, decisions, days of use. Live sessions are never touched. What is deleted
/// is overwritten in the file; backups and exports that you made are not.
///
/// Example:
///   rasadmin purge --before 2026-05-01
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct PurgeArguments {
    #[command(flatten)]
    past: PastArguments,
}

/// Make what ended before a date nobody's
///
/// Users become pseudonyms that nothing leads back from, computers and public addresses vanish. Times, amounts, tunnels,
/// rules and VPN addresses stay, so that reports over that time still add up. Live sessions are never touched.
/// Configurations that were in force are kept as they are: they name users where rules and groups do.
///
/// Examples:
///   rasadmin anonymise --before 2026-05-01
///   rasadmin anonymise --before today --user 'CORP\alice'
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct AnonymiseArguments {
    #[command(flatten)]
    past: PastArguments,
}

#[derive(Args)]
struct PastArguments {
    /// What ended before this: `2026-05-01`, `today`, or how long ago: `180d`
    #[arg(long, value_name = "TIME")]
    before: String,
    /// Only of this user, with his domain
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    here: Here,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn purge(arguments: PurgeArguments) -> Result<u8, String> {
    change(arguments.past, "Delete", "deleted", |desk, past, now, progress| desk.purge(past, now, progress))
}

pub fn anonymise(arguments: AnonymiseArguments) -> Result<u8, String> {
    change(arguments.past, "Make anonymous", "made anonymous", |desk, past, now, progress| {
        desk.anonymise(past, now, progress)
    })
}

type Work = fn(&mut Desk, &Past, Now, &mut dyn FnMut(Changed)) -> Result<Changed, Away>;

fn change(arguments: PastArguments, verb: &str, done: &str, work: Work) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let now = times::now();
    let past = past(&arguments, &place, now)?;
    let before = times::show(past.before, &place.config.zone);
    let of = past.user.as_ref().map_or_else(|| "everybody".to_owned(), ToString::to_string);
    let question = format!("{verb} what ended before {before}, of {of}? There is no way back but a backup.");
    if !confirm(&question, arguments.yes)? {
        println!("nothing was changed");
        return Ok(1);
    }
    let bar = indicatif::ProgressBar::new_spinner();
    let mut progress = |changed: Changed| {
        bar.tick();
        bar.set_message(format!("{} sessions, {} decisions", changed.sessions, changed.decisions));
    };
    let changed = work(&mut desk(place)?, &past, moment::now_here()?, &mut progress).map_err(|away| away.to_string());
    bar.finish_and_clear();
    let changed = changed?;
    if arguments.json {
        return print_json(&changed);
    }
    println!(
        "{done}: {} sessions, {} links, {} leases, {} decisions, {} days of use, {} anomalies",
        changed.sessions, changed.links, changed.leases, changed.decisions, changed.usage_days, changed.anomalies
    );
    Ok(0)
}

fn past(arguments: &PastArguments, place: &Place, now: Millis) -> Result<Past, String> {
    let zone = &place.config.zone;
    let before = times::parse(&arguments.before, zone, now)?;
    if before > now {
        return Err(format!("{}: that is not in the past", arguments.before));
    }
    let user = arguments.user.as_deref().map(|user| {
        let typed = who(user, place)?;
        match typed.domain {
            Some(domain) => Ok(Identity { domain, name: typed.name }),
            // A bare name is the default domain's, as everywhere else.
            None => place
                .config
                .domains
                .identity(&Name::new(user), &Name::default())
                .ok_or_else(|| format!("`{user}` is not a valid user name")),
        }
    });
    let at = jiff::Timestamp::from_millisecond(before).unwrap_or_default();
    Ok(Past { before, first_day: period_dates(Period::Day, at, zone).0, user: user.transpose()? })
}

/// Look after the ledger
#[derive(Args)]
pub struct LedgerArguments {
    #[command(subcommand)]
    command: LedgerCommand,
}

#[derive(Subcommand)]
enum LedgerCommand {
    Backup(BackupArguments),
    Check(CheckArguments),
}

/// Copy the ledger to a new file, while the service goes on
///
/// The copy is consistent, checked, and on disk when the command ends. To restore it: stop Remote Access, put it in the
/// ledger's place, delete the files `-wal` and `-shm` beside it, start Remote Access.
///
/// Example:
///   rasadmin ledger backup D:\backup\rasadmin-2026-11-23.db
#[derive(Args)]
#[command(verbatim_doc_comment)]
struct BackupArguments {
    /// The new file
    #[arg(value_name = "FILE")]
    to: PathBuf,
    #[command(flatten)]
    here: Here,
}

/// Look whether the ledger is sound: the file, and what must always hold in it
///
/// Exit code 1: something is wrong with it.
///
/// Example:
///   rasadmin ledger check
#[derive(Args)]
#[command(verbatim_doc_comment)]
struct CheckArguments {
    #[command(flatten)]
    here: Here,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn ledger(arguments: LedgerArguments) -> Result<u8, String> {
    match arguments.command {
        LedgerCommand::Backup(arguments) => backup(arguments),
        LedgerCommand::Check(arguments) => check(arguments),
    }
}

fn backup(arguments: BackupArguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let to = absolute(&arguments.to)?;
    let from = place.ledger.clone();
    desk(place)?.backup(&to).map_err(|away| away.to_string())?;
    let size = std::fs::metadata(&to).map(|file| file.len()).unwrap_or(0);
    println!("{}: copied to {} ({}), checked", from.display(), to.display(), times::octets(size));
    Ok(0)
}

fn check(arguments: CheckArguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let reader = place.reader()?;
    let faults = reader.faults().map_err(|away| away.to_string())?;
    let counts = reader.counts().map_err(|away| away.to_string())?;
    let code = u8::from(!faults.is_empty());
    if arguments.json {
        print_json(&json!({ "ledger": place.ledger, "faults": faults, "counts": counts }))?;
        return Ok(code);
    }
    if faults.is_empty() {
        println!(
            "{}: it is sound: {} sessions ({} live, {} imported), {} decisions",
            place.ledger.display(),
            counts.sessions + counts.imported_sessions,
            counts.live_sessions,
            counts.imported_sessions,
            counts.decisions
        );
    } else {
        println!("{}: something is wrong with it:", place.ledger.display());
        faults.iter().for_each(|fault| println!("  {fault}"));
        println!(
            "\nKeep a copy of it as it is. A backup can take its place: `rasadmin ledger backup --help` says how; without \
             one, move it away: Remote Access begins a new one at its next start."
        );
    }
    if counts.lost_events > 0 {
        println!("{} events were lost while the ledger was away", counts.lost_events);
    }
    Ok(code)
}
