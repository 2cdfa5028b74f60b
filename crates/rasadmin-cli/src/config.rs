//! `rasadmin config`: check, show, schema, new.

mod new;

use crate::here::{Here, absolute};
use crate::select::print_json;
use clap::{Args, Subcommand};
use rasadmin_policy::addresses::Family;
use rasadmin_policy::config::{self, Config, ConfigErrors};
use rasadmin_system::places;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Check, show or make a configuration
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(CheckArguments),
    Show(ShowArguments),
    Schema(SchemaArguments),
    New(new::Arguments),
}

/// Say whether a configuration is valid, and everything that is wrong with it
///
/// By the code that the DLL reads it with, members files included. Exit code 1: it is not valid.
///
/// Examples:
///   rasadmin config check
///   rasadmin config check candidate.toml
#[derive(Args)]
#[command(verbatim_doc_comment)]
struct CheckArguments {
    /// The file; without it, the one that the DLL on this computer would find
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Show the configuration in force: what was read from where, and what it means
///
/// Examples:
///   rasadmin config show
///   rasadmin config show --text
#[derive(Args)]
#[command(verbatim_doc_comment)]
struct ShowArguments {
    /// Print the file's own text
    #[arg(long)]
    text: bool,
    #[command(flatten)]
    here: Here,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Print the JSON Schema of the configuration, for editors
///
/// Editors with a TOML extension use it when the file begins with `#:schema FILE`.
///
/// Example:
///   rasadmin config schema > rasadmin.schema.json
#[derive(Args)]
#[command(verbatim_doc_comment)]
struct SchemaArguments {}

pub fn config(arguments: Arguments) -> Result<u8, String> {
    match arguments.command {
        Command::Check(arguments) => check(arguments),
        Command::Show(arguments) => show(arguments),
        Command::Schema(SchemaArguments {}) => {
            print!("{}", config::schema());
            Ok(0)
        }
        Command::New(arguments) => new::new(arguments),
    }
}

fn check(arguments: CheckArguments) -> Result<u8, String> {
    let here = Here { config: arguments.file, ..Here::default() };
    let file = here.file()?;
    if !file.exists() {
        return Err(format!("{}: there is no such file: check the path", file.display()));
    }
    let read = config::for_computer(&places::server_name()).load(&file);
    if arguments.json {
        return json_of(&file, &read);
    }
    match read {
        Ok(config) => {
            let rules = crate::output::count(config.rules.len(), "rule");
            let pools = crate::output::count(config.addresses.pools.len(), "pool");
            println!("{}: it is valid: {rules}, {pools}", file.display());
            for note in config.warnings() {
                println!("note: {note}");
            }
            Ok(0)
        }
        Err(errors) => {
            println!("{errors}");
            let count = crate::output::count(errors.mistakes().len() + errors.more(), "mistake");
            println!("\n{}: {count}; the DLL would go on with the last good configuration", file.display());
            Ok(1)
        }
    }
}

fn json_of(file: &Path, read: &Result<Config, ConfigErrors>) -> Result<u8, String> {
    let mistakes = read.as_ref().err().map(|errors| {
        let all = errors.mistakes().iter();
        let told = all.map(|mistake| {
            let (line, column) = errors.position(mistake);
            json!({ "line": line, "column": column, "what": mistake.what, "help": mistake.help })
        });
        told.collect::<Vec<_>>()
    });
    let (hash, notes) = read.as_ref().ok().map(|config| (&config.hash, config.warnings())).unzip();
    let notes: Vec<_> = notes.unwrap_or_default().iter().map(ToString::to_string).collect();
    let more = read.as_ref().err().map_or(0, ConfigErrors::more);
    print_json(&json!({
        "file": file, "valid": read.is_ok(), "hash": hash, "notes": notes,
        "mistakes": mistakes.unwrap_or_default(), "more_mistakes": more,
    }))?;
    Ok(u8::from(read.is_err()))
}

fn show(arguments: ShowArguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let config = &place.config;
    if arguments.text {
        print!("{}", config.bundle.text);
        return Ok(0);
    }
    let rules = config.rules.names();
    let groups: Vec<_> = config.groups.names().collect();
    let zone = config.zone.iana_name().unwrap_or("UTC");
    let server = config.server.as_ref().map(ToString::to_string);
    if arguments.json {
        let pools = config.addresses.pools.iter().map(|pool| {
            let size = u64::try_from(pool.size()).unwrap_or(u64::MAX);
            json!({ "name": pool.name, "family": family(pool.family), "size": size })
        });
        return print_json(&json!({
            "file": place.file, "hash": config.hash, "server": server, "time_zone": zone, "journal": config.journal,
            "ledger": place.ledger,
            "rules": rules.collect::<Vec<_>>(), "groups": groups, "pools": pools.collect::<Vec<_>>(),
            "reservations": config.addresses.reservations.len(),
            "members_files": config.bundle.members.keys().collect::<Vec<_>>(),
        }));
    }
    let file = place.file.as_ref().map_or_else(|| "(none)".to_owned(), |file| file.display().to_string());
    println!("configuration  {file}");
    println!("hash           {}", config.hash);
    println!("server         {}", server.unwrap_or_else(|| "(the computer's name)".to_owned()));
    println!("time zone      {zone}");
    println!("journal        {}", config.journal.display());
    println!("ledger         {}", place.ledger.display());
    let members: Vec<_> = config.bundle.members.keys().map(String::as_str).collect();
    if !members.is_empty() {
        println!("members files  {}", members.join(", "));
    }
    println!("groups         {}", if groups.is_empty() { "none".to_owned() } else { groups.join(", ") });
    for pool in &config.addresses.pools {
        println!("pool           {} (IPv{}): {} addresses", pool.name, family(pool.family), pool.size());
    }
    println!("reservations   for {}", crate::output::count(config.addresses.reservations.len(), "user"));
    println!("\nrules, in order; the first that matches decides:");
    for rule in rules {
        println!("  {}", crate::table::printable(rule));
    }
    let (action, reason) = config.rules.default_action();
    let action = match action {
        config::file::Action::Allow => "allow",
        config::file::Action::Deny => "deny",
    };
    println!("  (default): {action}{}", reason.map(|why| format!(": {why}")).unwrap_or_default());
    Ok(0)
}

const fn family(family: Family) -> u8 {
    match family {
        Family::Ipv4 => 4,
        Family::Ipv6 => 6,
    }
}

/// A file that must not be there yet.
fn not_there(path: &Path) -> Result<PathBuf, String> {
    let path = absolute(path)?;
    if path.exists() {
        return Err(format!("{}: it is there already, and is not overwritten: name another file", path.display()));
    }
    Ok(path)
}
