//! `rasadmin status`: is everything as it should be?

mod configured;
mod facts;
mod journal;
mod ledger;
mod recorded;
mod registered;
mod rights;
mod service;

use crate::setup::{Stop, config_places, registry};
use clap::Args;
use facts::{Facts, Mark};
use rasadmin_system::places;
use serde_json::json;
use std::path::PathBuf;

/// Say whether everything is as it should be
///
/// Shows registration, DLL, configuration, journal, Remote Access, ledger, log, and who can write them. It changes
/// nothing and disturbs nobody.
///
/// Examples:
///   rasadmin status
///   rasadmin status --json
///
/// Exit codes: 0 all is well; 1 something needs attention; 2 the command could not do its work.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The configuration, if it is not where it is looked for
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// For tests: a key below HKEY_CURRENT_USER in the place of HKEY_LOCAL_MACHINE
    #[arg(long, hide = true)]
    registry_root: Option<String>,
}

/// Says it.
pub fn status(arguments: Arguments) -> Result<u8, String> {
    let mut facts = Facts::default();
    let root = arguments.registry_root.as_deref();
    let registered = match registry(root) {
        Ok((_, registered)) => Some(registered),
        Err(Stop::Failed(why) | Stop::Refused(why)) if cfg!(windows) => {
            facts.add(Mark::Attention, "registered", why);
            None
        }
        Err(_) => {
            facts.add(Mark::Note, "registered", "there is no Routing and Remote Access on this system");
            None
        }
    };
    let dll = registered.as_ref().and_then(|registered| registered::registration(&mut facts, registered));
    let places = config_places(dll.as_deref(), root, &registered.unwrap_or_default());
    if let Some((path, config)) = configured::configuration(&mut facts, &places, arguments.config.as_deref()) {
        if let Some(config) = &config {
            let recorded = recorded::look(config);
            journal::journal(&mut facts, config, &recorded);
            service::service(&mut facts, config, &recorded, dll.as_deref());
            ledger::ledger(&mut facts, config, &recorded);
        }
        rights::rights(&mut facts, dll.as_deref(), &path, config.as_ref());
    }
    log_file(&mut facts);
    let attention = facts.attention();
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&facts.json()).unwrap_or_default());
    } else {
        print!("{}", facts.text());
    }
    Ok(u8::from(attention))
}

fn log_file(facts: &mut Facts) {
    let path = places::log_file();
    match std::fs::metadata(&path) {
        Ok(metadata) => {
            let kib = metadata.len().div_ceil(1024);
            facts.add(Mark::Ok, "log", format!("{}, {kib} KiB", path.display()));
        }
        Err(_) => facts.add(Mark::Note, "log", format!("{}: there is none yet", path.display())),
    }
    facts.data.insert("log".into(), json!({ "file": path, "exists": path.exists() }));
}
