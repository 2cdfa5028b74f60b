//! `rasadmin uninstall`: take the DLL out of RRAS's list.

use super::install::{confirm_and_run_steps, confirm_wake, note_never_loaded, say_restart};
use crate::error::{CommandError, Exit, Kind, OrCommandError, Result};
use crate::output::Output;
use crate::setup::product::{Own, leftovers};
use crate::setup::steps::{self, Step};
use crate::setup::{config_places, dashboard, folders, registry, variable, windows_service};
use clap::Args;
use rasadmin_policy::config;
use rasadmin_setup::registration::{self, List, Value};
use rasadmin_setup::service::{DASHBOARD, RASADMIN};
use rasadmin_setup::task;
use rasadmin_text::printable_path;
use std::path::{Path, PathBuf};

/// Remove rasadmin.dll from RRAS
///
/// The command removes only rasadmin.dll from RRAS's list of DLLs. Other vendors' DLLs, the configuration, the journal
/// and the ledger stay. The change takes effect when you restart RRAS, which cuts every user. The command also stops and
/// removes the Windows services `rasadmin` and `rasadmin-net` and the daily task.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin uninstall --dry-run
  rasadmin uninstall --yes

Exit codes: 0 removed, or nothing to do; 1 refused, and nothing was changed;
2 the command could not do its work.")]
pub struct Arguments {
    /// Let other DLLs load that RRAS never loads today, because the entry of rasadmin.dll begins with a space
    #[arg(long)]
    wake: bool,
    /// Show what would be done, but change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    /// For tests: a key below HKEY_CURRENT_USER instead of HKEY_LOCAL_MACHINE
    #[arg(long, hide = true)]
    registry_root: Option<String>,
}

/// Removes the DLL from the list.
pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let root = arguments.registry_root.as_deref();
    let (registry, registered) = registry(root)?;
    let text = registered.dll_path.as_ref().map_or("", |value| value.text.as_str());
    let list = List::read(text, &variable).map_err(CommandError::refused)?;
    let own = Own::of(&list);
    let ours: Vec<&str> = list.named().into_iter().filter(|dll| own.has(dll)).collect();
    let change = registration::uninstall(text, &|dll| own.has(dll), &variable).map_err(CommandError::refused)?;

    // Also if somebody has removed the DLL from the list by hand. The service stops first, while the Event Log still has its
    // texts.
    let mut steps = Vec::new();
    if root.is_none() {
        let net = windows_service::registered(&DASHBOARD, false)?;
        let places = config_places(ours.first().map(Path::new), root, &registered);
        // If it cannot be read, its account keeps the right to read; without a service, no process has that account.
        let config = net.as_ref().and_then(|net| folders::config(&places, Some(&net.registration.config)).ok());
        steps.extend(dashboard::remove(config.as_ref(), net.as_ref()));
        let service = windows_service::registered(&RASADMIN, false)?;
        steps.extend(windows_service::steps(&RASADMIN, service.as_ref(), None));
    }
    steps.extend(steps::event_source(&registered, None));
    steps.extend(steps::search_path(&registry, false)?);
    if !ours.is_empty() {
        steps.extend(steps::display_name(&registered, false));
        let kind = registered.dll_path.as_ref().map(|value| value.kind);
        let after = change.after.as_ref().zip(kind).map(|(list, kind)| Value { kind, text: list.text() });
        steps.push(Step::SetDllPath { before: registered.dll_path.clone(), after });
    }
    // It cannot be undone, so it comes after everything that may fail.
    if root.is_none() && task::exists() {
        steps.push(Step::Unschedule);
    }
    let spared: Vec<PathBuf> = list.named().into_iter().map(PathBuf::from).collect();
    let command = std::env::current_exe().ok();
    let folders = ours.iter().map(Path::new).chain(command.as_deref()).filter_map(Path::parent);
    steps.extend(leftovers(folders, &spared).into_iter().map(Step::Delete));

    if ours.is_empty() {
        writeln!(out, "rasadmin.dll is not registered with RRAS.")?;
    }
    if steps.is_empty() {
        writeln!(out, "Nothing to do.")?;
        return Ok(Exit::Success);
    }
    if !arguments.dry_run {
        registry.may_write().or_error(Kind::System)?;
    }
    if !ours.is_empty() {
        note_never_loaded(&change, out)?;
        confirm_wake(&change, arguments.wake, arguments.dry_run, out)?;
    }
    let done = confirm_and_run_steps(&steps, Some(&registry), arguments.dry_run, arguments.yes, out)?;
    if done && !ours.is_empty() {
        say_restart("RRAS keeps the DLL loaded until it is restarted", out)?;
        for dll in &ours {
            writeln!(out, "The DLL stays: {}. After the restart you can delete it.", printable_path(dll))?;
        }
        let places = config_places(ours.first().map(Path::new), root, &registered);
        if let Ok(path) = config::find(&places) {
            writeln!(out, "The configuration stays: {}", printable_path(&path))?;
            if let Ok((config, _)) = config::read(&path) {
                writeln!(out, "The journal stays: {}", printable_path(&config.journal))?;
                writeln!(out, "The ledger stays: {}", printable_path(&config.ledger))?;
            }
        }
    }
    Ok(Exit::Success)
}
