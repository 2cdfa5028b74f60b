//! `rasadmin install`: register the DLL with RRAS.

use crate::setup::folders::{self, Config};
use crate::setup::product::{Own, digest, leftovers, name_for_upgrade, to_install};
use crate::setup::steps::{self, Step};
use crate::setup::{Stop, config_places, confirm, judge, printable, registry, variable};
use clap::Args;
use rasadmin_setup::acl::Object;
use rasadmin_setup::registration::{self, Change, Kind, List, Position, Value};
use rasadmin_setup::registry::{Registered, Registry};
use rasadmin_setup::task;
use rasadmin_setup::version_marker;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Register rasadmin.dll with Routing and Remote Access
///
/// Other vendors' DLLs stay as they are: their order, their text, and whether they load. A DLL that RRAS would not
/// start with is not registered. Where there is no configuration, one is written that allows everyone and records
/// everything. If an earlier rasadmin.dll is registered, the new one is put beside it under a name of its own, since
/// the earlier is loaded. A daily task brings the journal into the ledger. The changes take effect when RRAS is
/// restarted, which cuts every user.
///
/// Examples:
///   rasadmin install --dry-run
///   rasadmin install --first
///   rasadmin install --yes --config D:\vpn\vpn.toml
///
/// Exit codes: 0 done, or nothing to do; 1 refused, and nothing was changed; 2 it could not be done.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The DLL to register; without it, the one beside this command
    #[arg(long, value_name = "PATH")]
    dll: Option<PathBuf>,
    /// Put it before every other DLL
    #[arg(long, conflicts_with = "last")]
    first: bool,
    /// Put it behind every other DLL that loads
    #[arg(long)]
    last: bool,
    /// The configuration, if it is not where it is looked for; written if it is not there
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Only write the configuration and make the folders; register nothing
    #[arg(long, conflicts_with_all = ["dll", "first", "last"])]
    config_only: bool,
    /// Let other DLLs load that never do today, because an entry of the list begins with a space
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

/// Registers the DLL.
pub fn install(arguments: Arguments) -> Result<u8, String> {
    let done = if arguments.config_only { config_only(&arguments) } else { register(&arguments) };
    done.or_else(Stop::end)
}

fn config_only(arguments: &Arguments) -> Result<u8, Stop> {
    let places = config_places(None, None, &Registered::default());
    let config = folders::config(&places, arguments.config.as_deref())?;
    refuse_dangers(&config, None)?;
    let steps = config.steps();
    say_broken(&config);
    if finish(arguments, &steps, None)? {
        println!("Nothing is registered: `rasadmin install` does that, on the RRAS server.");
    }
    Ok(0)
}

fn register(arguments: &Arguments) -> Result<u8, Stop> {
    let root = arguments.registry_root.as_deref();
    let (registry, registered) = registry(root)?;
    if !arguments.dry_run {
        registry.may_write().map_err(|e| Stop::Failed(e.to_string()))?;
    }
    let source = to_install(arguments.dll.as_deref()).map_err(Stop::Failed)?;
    let bytes = std::fs::read(&source).map_err(|e| Stop::Failed(format!("{}: {e}", printable(&source))))?;
    let version = version_marker::version_in(&bytes).ok_or_else(|| {
        Stop::Refused(format!(
            "{}: it is not the rasadmin DLL; only that is registered here (another admin DLL: try it with `rasadmin \
             check`, then write it into DllPath with regedit)",
            printable(&source)
        ))
    })?;
    let text = registered.dll_path.as_ref().map_or("", |value| value.text.as_str());
    let list = List::read(text, &variable).map_err(|e| Stop::Refused(e.to_string()))?;
    let own = Own::of(&list);
    let (path, there) = place(&source, &version, &bytes, &list, &own);
    let change = change(arguments, text, &path, &own)?;

    let judged = judge_all(&change, &own, &path, &source, &version)?;
    let config = folders::config(&config_places(Some(&path), root, &registered), arguments.config.as_deref())?;
    refuse_dangers(&config, Some(&path))?;

    let mut steps = config.steps();
    if !there {
        steps.push(Step::CopyDll { from: source.clone(), to: path.clone(), digest: digest(&bytes) });
    }
    if arguments.config.is_some() && registered.config_path.as_deref().map(Path::new) != Some(config.path.as_path()) {
        steps.push(Step::SetConfigPath(config.path.clone()));
    }
    steps.extend(steps::display_name(&registered, true));
    steps.extend(steps::event_source(&registered, Some(&path)));
    if root.is_none() {
        steps.extend(schedule(&config));
    }
    if !change.is_none() {
        let kind = registered.dll_path.as_ref().map_or(Kind::Sz, |value| value.kind);
        let after = change.after.as_ref().map(|list| Value { kind, text: list.text() });
        steps.push(Step::SetDllPath { before: registered.dll_path.clone(), after });
    }
    let mut spared: Vec<PathBuf> = list.named().into_iter().map(PathBuf::from).collect();
    spared.extend([path.clone(), source.clone()]);
    steps.extend(leftovers(path.parent(), &spared).into_iter().map(Step::Delete));

    judged.iter().for_each(|line| println!("{line}"));
    say_asleep(&change);
    say_broken(&config);
    if arguments.config.is_none() && config_places(None, None, &registered).variable.is_some() {
        println!("note: RASADMIN_CONFIG is set here; RRAS sees it only if it is a variable of the system");
    }
    wake(&change, arguments.wake, arguments.dry_run)?;
    if finish(arguments, &steps, Some(&registry))? {
        after(&steps, &list, &own, &path);
    }
    Ok(0)
}

/// The daily task, unless there is one: it may have been changed. It runs this very command, as SYSTEM, so only
/// administrators may be able to write it.
fn schedule(config: &Config) -> Option<Step> {
    if task::exists() {
        return None;
    }
    let command = std::env::current_exe().ok()?;
    let mut dangers = Vec::new();
    let looked = folders::add(&mut dangers, &command, Object::File);
    let is_remote = command.to_string_lossy().starts_with(r"\\");
    if looked.is_err() || is_remote || !dangers.is_empty() {
        println!(
            "note: no daily task is made, because users who are not administrators may be able to change {}: put it where \
             they cannot, and run this again; or run `rasadmin ledger update` daily yourself",
            printable(&command)
        );
        return None;
    }
    Some(Step::Schedule { command, folder: config.path.parent()?.to_path_buf() })
}

/// Where the DLL will be run from, and whether it is there: in its place, or beside the one that is registered already.
fn place(source: &Path, version: &str, bytes: &[u8], list: &List, own: &Own) -> (PathBuf, bool) {
    let there = list.named().into_iter().find(|dll| own.version(dll).is_some()).map(PathBuf::from);
    match there {
        // The same DLL again stays where it is.
        Some(registered) if std::fs::read(&registered).is_ok_and(|there| there == bytes) => (registered, true),
        Some(registered) if registered.parent() != source.parent() => name_for_upgrade(&registered, version, bytes),
        _ => (source.to_owned(), true),
    }
}

fn change(arguments: &Arguments, text: &str, path: &Path, own: &Own) -> Result<Change, Stop> {
    let refused = |why: String| Stop::Refused(why);
    let shown = printable(path);
    let path = path.to_str().ok_or_else(|| refused(format!("{shown}: its path is not valid Unicode; rename it")))?;
    if path.starts_with(r"\\") {
        let why = "a DLL on the network cannot be registered, because RRAS starts before the network does";
        return Err(refused(format!("{shown}: {why}; copy it to this computer")));
    }
    let position = match (arguments.first, arguments.last) {
        (true, _) => Position::First,
        (_, true) => Position::Last,
        _ => Position::Keep,
    };
    registration::install(text, path, position, &|dll| own.has(dll), &variable).map_err(|e| refused(e.to_string()))
}

/// Every DLL that will load: ours is run, others are read.
fn judge_all(change: &Change, own: &Own, path: &Path, source: &Path, version: &str) -> Result<Vec<String>, Stop> {
    let mut lines = Vec::new();
    let mut earlier = [None, None];
    for dll in change.after.as_ref().map(List::loaded).unwrap_or_default() {
        let is_ours = own.has(dll) || Path::new(dll) == path;
        let judged = if is_ours { judge::ours(source, version)? } else { judge::stranger(dll)? };
        lines.push(judged.line);
        for (kind, (has, first)) in ["IPv4", "IPv6"].iter().zip(judged.pairs.into_iter().zip(&mut earlier)) {
            match first {
                Some(first) if is_ours => lines.push(format!(
                    "note: {} is before it and gives the {kind} addresses; rasadmin's are ignored (see --first)",
                    printable(first)
                )),
                None if has => *first = Some(dll.to_owned()),
                _ => {}
            }
        }
    }
    Ok(lines)
}

fn refuse_dangers(config: &Config, dll: Option<&Path>) -> Result<(), Stop> {
    let mut dangers = Vec::new();
    if let Some(dll) = dll {
        folders::add(&mut dangers, dll, Object::File)?;
    }
    for danger in config.dangers()? {
        if !dangers.contains(&danger) {
            dangers.push(danger);
        }
    }
    folders::refusal(&dangers).map_or(Ok(()), Err)
}

/// What never loads today.
pub fn say_asleep(change: &Change) {
    if let Some(stopped_by) = change.before.stopped_by() {
        println!(
            "note: RRAS never loads these today, because the entry `{}` begins with a space: {}",
            printable(stopped_by),
            printable(change.before.never_loaded().join(", "))
        );
    }
}

/// Asks before other vendors' DLLs begin to load.
pub fn wake(change: &Change, given: bool, dry_run: bool) -> Result<(), Stop> {
    if change.wakes.is_empty() {
        return Ok(());
    }
    let woken = printable(change.wakes.join(", "));
    println!("warning: this change would wake DLLs of others, which RRAS would load from its next start on: {woken}");
    if dry_run {
        println!("note: this is asked for, or confirmed with --wake");
        return Ok(());
    }
    for dll in &change.wakes {
        judge::stranger(dll)?;
    }
    if !given && !std::io::stdin().is_terminal() {
        let why = "nothing was changed: there is no terminal to ask on; confirm with --wake that they shall load";
        return Err(Stop::Failed(why.into()));
    }
    confirm("Shall they load?", given)
}

fn say_broken(config: &Config) {
    if let Some(errors) = &config.broken {
        println!("warning: the configuration is broken, and the last good one is in force instead:\n{errors}");
    }
}

/// Shows the steps, asks, does them; was anything done?
fn finish(arguments: &Arguments, steps: &[Step], registry: Option<&Registry>) -> Result<bool, Stop> {
    if steps.is_empty() {
        println!("Nothing is to be done: everything is as it would be.");
        return Ok(false);
    }
    print!("{}", steps::show("This is to be done:", steps, registry));
    if arguments.dry_run {
        println!("Nothing was changed: this was a dry run.");
        return Ok(false);
    }
    confirm("Do it?", arguments.yes)?;
    steps::run(steps, registry).map_err(Stop::Failed)?;
    println!("Done.");
    Ok(true)
}

/// What is to be known after the change.
fn after(steps: &[Step], before: &List, own: &Own, path: &Path) {
    let listed = steps.iter().any(|step| matches!(step, Step::SetDllPath { .. }));
    if listed {
        restart("RRAS reads its list of DLLs only when it starts");
        println!("To undo it: rasadmin uninstall");
    }
    for old in before.named().into_iter().filter(|dll| own.version(dll).is_some() && Path::new(dll) != path) {
        println!(
            "The DLL of before, {}, is in use until then; afterwards it can be deleted (a later install or uninstall \
             deletes it if an upgrade gave it its name).",
            printable(old)
        );
    }
}

/// That RRAS must be restarted, and what this does.
pub fn restart(why: &str) {
    println!("{why}: restart it when the users can spare it, since this cuts every connected user:");
    println!("  Restart-Service RemoteAccess");
}
