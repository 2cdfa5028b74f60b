//! `rasadmin uninstall`: take the DLL out of RRAS's list.

use crate::install::{restart, say_asleep, wake};
use crate::setup::product::{Own, leftovers};
use crate::setup::steps::{self, Step};
use crate::setup::{Stop, config_places, confirm, printable, registry, variable};
use clap::Args;
use rasadmin_policy::config;
use rasadmin_setup::registration::{self, List, Value};
use rasadmin_setup::task;
use std::path::{Path, PathBuf};

/// Take rasadmin.dll out of Routing and Remote Access
///
/// Only ours is removed from the list; with the last DLL the value goes too. Configuration and ledger stay. RRAS must be
/// restarted, which cuts every user.
///
/// Examples:
///   rasadmin uninstall --dry-run
///   rasadmin uninstall --yes
///
/// Exit codes: 0 done, or nothing to do; 1 refused, and nothing was changed; 2 it could not be done.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Let other DLLs load that never do today, because our entry begins with a space
    #[arg(long)]
    wake: bool,
    /// Say what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// For tests: a key below HKEY_CURRENT_USER in the place of HKEY_LOCAL_MACHINE
    #[arg(long, hide = true)]
    registry_root: Option<String>,
}

/// Takes the DLL out.
pub fn uninstall(arguments: Arguments) -> Result<u8, String> {
    remove(&arguments).or_else(Stop::end)
}

fn remove(arguments: &Arguments) -> Result<u8, Stop> {
    let root = arguments.registry_root.as_deref();
    let (registry, registered) = registry(root)?;
    let text = registered.dll_path.as_ref().map_or("", |value| value.text.as_str());
    let list = List::read(text, &variable).map_err(|e| Stop::Refused(e.to_string()))?;
    let own = Own::of(&list);
    let ours: Vec<&str> = list.named().into_iter().filter(|dll| own.has(dll)).collect();
    let change =
        registration::uninstall(text, &|dll| own.has(dll), &variable).map_err(|e| Stop::Refused(e.to_string()))?;

    // Also where somebody has taken the DLL out of the list by hand.
    let mut steps: Vec<_> = steps::event_source(&registered, None).into_iter().collect();
    if root.is_none() && task::exists() {
        steps.push(Step::Unschedule);
    }
    if !ours.is_empty() {
        steps.extend(steps::display_name(&registered, false));
        let kind = registered.dll_path.as_ref().map(|value| value.kind);
        let after = change.after.as_ref().zip(kind).map(|(list, kind)| Value { kind, text: list.text() });
        steps.push(Step::SetDllPath { before: registered.dll_path.clone(), after });
    }
    let spared: Vec<PathBuf> = list.named().into_iter().map(PathBuf::from).collect();
    let command = std::env::current_exe().ok();
    let folders = ours.iter().map(Path::new).chain(command.as_deref()).filter_map(Path::parent);
    steps.extend(leftovers(folders, &spared).into_iter().map(Step::Delete));

    if ours.is_empty() {
        println!("rasadmin.dll is not registered with RRAS.");
    }
    if steps.is_empty() {
        println!("Nothing is to be done.");
        return Ok(0);
    }
    if !arguments.dry_run {
        registry.may_write().map_err(|e| Stop::Failed(e.to_string()))?;
    }
    if !ours.is_empty() {
        say_asleep(&change);
        wake(&change, arguments.wake, arguments.dry_run)?;
    }
    print!("{}", steps::show("This is to be done:", &steps, Some(&registry)));
    if arguments.dry_run {
        println!("Nothing was changed: this was a dry run.");
        return Ok(0);
    }
    confirm("Do it?", arguments.yes)?;
    steps::run(&steps, Some(&registry)).map_err(Stop::Failed)?;
    println!("Done.");
    if !ours.is_empty() {
        restart("RRAS goes on with the DLL until it is restarted");
        for dll in &ours {
            println!("The DLL stays: {}. After the restart it can be deleted.", printable(dll));
        }
        let places = config_places(ours.first().map(Path::new), root, &registered);
        if let Ok(path) = config::find(&places) {
            println!("The configuration stays: {}", printable(&path));
            if let Ok((config, _)) = config::read(&path) {
                println!("The journal stays: {}", printable(&config.journal));
                println!("The ledger stays: {}", printable(&config.ledger));
            }
        }
    }
    Ok(0)
}
