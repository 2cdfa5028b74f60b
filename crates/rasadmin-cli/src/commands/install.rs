//! `rasadmin install`: register the DLL with RRAS.

use super::serve::own_folder;
use super::status::start;
use crate::confirm::confirm;
use crate::error::{CommandError, Exit, Kind, OrCommandError, Result};
use crate::output::Output;
use crate::scratch::this_program;
use crate::setup::folders::{self, Config};
use crate::setup::permissions;
use crate::setup::product::{Own, digest, leftovers, name_for_upgrade, to_install};
use crate::setup::steps::{self, Step};
use crate::setup::{config_places, dashboard, preflight, registry, variable, windows_service};
use clap::Args;
use rasadmin_rights::Object;
use rasadmin_setup::registration::{self, Change, Kind as ValueKind, List, Position, Value};
use rasadmin_setup::registry::{Registered, Registry};
use rasadmin_setup::service::{DASHBOARD, RASADMIN};
use rasadmin_setup::{task, version_marker};
use rasadmin_system::machine_policy::MachinePolicy;
use rasadmin_text::printable_path;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Register rasadmin.dll with RRAS
///
/// The command does not change other vendors' DLLs: they keep their order and their text in the list, and load as
/// before. It refuses to register a DLL if RRAS would not start with it.
///
/// If there is no configuration, the command writes one that allows everyone and records everything. If an earlier
/// rasadmin.dll is registered, RRAS has it loaded, so the command copies the new one beside it under another name. The
/// DLL takes effect when you restart RRAS, which cuts every user.
///
/// The command also registers and starts the Windows service `rasadmin`, which brings the journal into the ledger,
/// deletes old data and makes backups. With --no-service, a daily task brings the journal into the ledger instead.
///
/// With --dashboard, it registers and starts the Windows service `rasadmin-net` too, which serves the dashboard to
/// browsers. Its account, NT SERVICE\rasadmin-net, can read the configuration, the ledger and the dashboard's users,
/// and nothing else of rasadmin. Later installs keep that service.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin install --dry-run
  rasadmin install --first
  rasadmin install --yes --config D:\\vpn\\vpn.toml
  rasadmin install --dashboard
  rasadmin install --no-service

Exit codes: 0 installed, or nothing to do; 1 refused, and nothing was changed;
2 the command could not do its work.")]
pub struct Arguments {
    /// The DLL to register. Without this option, the command registers the DLL beside it
    #[arg(long, value_name = "FILE")]
    dll: Option<PathBuf>,
    /// Put the DLL before all others
    #[arg(long, conflicts_with = "last")]
    first: bool,
    /// Put the DLL after all others that load
    #[arg(long)]
    last: bool,
    /// Use this configuration instead of the one that the DLL would find; if it does not exist, the command writes it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Only write the configuration and make the folders; do not register the DLL
    #[arg(long, conflicts_with_all = ["dll", "first", "last", "add_to_path", "wake", "no_service", "dashboard", "no_dashboard"])]
    config_only: bool,
    /// Do not register the Windows service, and remove it if it is registered; a daily task updates the ledger instead
    #[arg(long)]
    no_service: bool,
    /// Serve the dashboard as a Windows service
    #[arg(long, conflicts_with = "no_service")]
    dashboard: bool,
    /// Remove the Windows service of the dashboard, if it is registered
    #[arg(long, conflicts_with = "dashboard")]
    no_dashboard: bool,
    /// Put the folder of this command on the system's PATH
    #[arg(long)]
    add_to_path: bool,
    /// Let other DLLs load that RRAS never loads today, because an entry of the list begins with a space
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

/// Registers the DLL.
pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    if arguments.config_only { config_only(&arguments, out) } else { register(&arguments, out) }
}

fn config_only(arguments: &Arguments, out: &mut Output) -> Result {
    let places = config_places(None, None, &Registered::default());
    let config = folders::config(&places, arguments.config.as_deref())?;
    refuse_unsafe(&config, None)?;
    let steps = config.steps();
    warn_if_broken(&config, out)?;
    let nothing = "The configuration and its folders exist already; nothing to do";
    if confirm_and_run(arguments, &steps, None, nothing, out)? {
        writeln!(out, "The DLL is not registered: run `rasadmin install` on the RRAS server.")?;
    }
    Ok(Exit::Success)
}

fn register(arguments: &Arguments, out: &mut Output) -> Result {
    let root = arguments.registry_root.as_deref();
    let (registry, registered) = registry(root)?;
    if !arguments.dry_run {
        registry.may_write().or_error(Kind::System)?;
    }
    // A key that replaces the machine's says nothing about the machine's service and task.
    let machine = root.is_none();
    let (mut service, mut net) = (None, None);
    if machine {
        service = windows_service::registered(&RASADMIN, !arguments.no_service)?;
        net = windows_service::registered(&DASHBOARD, arguments.dashboard)?;
    }
    let has_task = machine && task::exists();
    let source = to_install(arguments.dll.as_deref())?;
    refuse_untrusted(&source)?;
    let bytes = std::fs::read(&source).map_err(|e| CommandError::file(&source, e))?;
    let version = version_marker::version_in(&bytes).ok_or_else(|| {
        let what =
            format!("{}: it is not the rasadmin DLL, and this command registers no other", printable_path(&source));
        CommandError::refused(what)
            .hint("to register another admin DLL, try it with `rasadmin check`, then add it to DllPath with regedit")
    })?;
    let text = registered.dll_path.as_ref().map_or("", |value| value.text.as_str());
    let list = List::read(text, &variable).map_err(CommandError::refused)?;
    let own = Own::of(&list);
    let (path, is_there) = location(&source, &version, &bytes, &list, &own);
    let change = change(arguments, text, &path, &own)?;

    writeln!(out, "{}: checking it, which takes up to a minute", printable_path(&source))?;
    out.flush()?;
    let preflight = preflight_all(&change, &own, &path, &source, &version, MachinePolicy::read(root))?;
    let config = folders::config(&config_places(Some(&path), root, &registered), arguments.config.as_deref())?;
    refuse_unsafe(&config, Some(&path))?;

    let mut steps = config.steps();
    if !is_there {
        steps.push(Step::CopyDll { from: source.clone(), to: path.clone(), digest: digest(&bytes) });
    }
    if arguments.config.is_some() && registered.config_path.as_deref().map(Path::new) != Some(config.path.as_path()) {
        steps.push(Step::SetConfigPath(config.path.clone()));
    }
    steps.extend(steps::display_name(&registered, true));
    steps.extend(steps::event_source(&registered, Some(&path)));
    if machine {
        let wanted = windows_service::wanted(this_program()?, config.path.clone());
        let wanted = (!arguments.no_service).then_some(&wanted);
        // The service of the dashboard asks the other one, so it stops first and starts last.
        let serves = arguments.dashboard || (net.is_some() && !arguments.no_dashboard && !arguments.no_service);
        if arguments.dashboard {
            dashboard::refuse_unfit(&config)?;
        }
        if arguments.no_dashboard || (net.is_some() && !serves) {
            steps.extend(dashboard::remove(Some(&config), net.as_ref()));
        }
        steps.extend(windows_service::steps(&RASADMIN, service.as_ref(), wanted));
        if serves {
            let wanted = windows_service::wanted(this_program()?, config.path.clone());
            steps.extend(dashboard::install(&config, net.as_ref(), wanted, arguments.dashboard));
        }
        // An existing task is kept, because an administrator may have changed it.
        if arguments.no_service && !has_task {
            steps.extend(schedule(&config)?);
        }
    }
    if arguments.add_to_path {
        steps.extend(steps::search_path(&registry, true)?);
    }
    if !change.is_none() {
        let kind = registered.dll_path.as_ref().map_or(ValueKind::Sz, |value| value.kind);
        let after = change.after.as_ref().map(|list| Value { kind, text: list.text() });
        steps.push(Step::SetDllPath { before: registered.dll_path.clone(), after });
    }
    // It cannot be undone, so it comes after everything that may fail.
    if has_task && !arguments.no_service {
        steps.push(Step::Unschedule);
    }
    let mut spared: Vec<PathBuf> = list.named().into_iter().map(PathBuf::from).collect();
    spared.extend([path.clone(), source.clone()]);
    steps.extend(leftovers(path.parent(), &spared).into_iter().map(Step::Delete));

    for line in preflight.into_iter().chain(start::warnings(root)) {
        writeln!(out, "{line}")?;
    }
    note_never_loaded(&change, out)?;
    warn_if_broken(&config, out)?;
    if machine && service.is_none() && !arguments.no_service {
        writeln!(
            out,
            "note: the service deletes old data from the ledger, by default decisions after 90 days and sessions after 400; \
             to keep them longer, write [service.retention] into the configuration first"
        )?;
    }
    if arguments.config.is_none() && config_places(None, None, &registered).variable.is_some() {
        writeln!(out, "note: RASADMIN_CONFIG is set here; RRAS sees it only if it is a system variable")?;
    }
    confirm_wake(&change, arguments.wake, arguments.dry_run, out)?;
    if confirm_and_run(arguments, &steps, Some(&registry), "Already installed; nothing to do", out)? {
        next_steps(&steps, &list, &own, &path, out)?;
        if net.is_none() && arguments.dashboard {
            say_dashboard(&config, out)?;
        }
    }
    Ok(Exit::Success)
}

/// Says where the dashboard is, and how to log in.
fn say_dashboard(config: &Config, out: &mut Output) -> Result<()> {
    let log = printable_path(own_folder(&config.path).join("rasadmin-net.log"));
    writeln!(out, "The dashboard is at the address that {log} names, by default http://127.0.0.1:8600.")?;
    writeln!(out, "Nobody can log in until you add a user:")?;
    writeln!(out, "  rasadmin dashboard user add NAME")
}

/// The daily task, which runs this command as SYSTEM.
fn schedule(config: &Config) -> Result<Option<Step>> {
    let command = this_program()?;
    let folder = config.path.parent().map(Path::to_path_buf);
    Ok(folder.map(|folder| Step::Schedule { command, folder }))
}

/// The path from which RRAS will load the DLL: its own, or one beside the registered DLL; and whether the file is there
/// already.
fn location(source: &Path, version: &str, bytes: &[u8], list: &List, own: &Own) -> (PathBuf, bool) {
    let there = list.named().into_iter().find(|dll| own.version(dll).is_some()).map(PathBuf::from);
    match there {
        // The same DLL is registered already.
        Some(registered) if std::fs::read(&registered).is_ok_and(|there| there == bytes) => (registered, true),
        Some(registered) if registered.parent() != source.parent() => name_for_upgrade(&registered, version, bytes),
        _ => (source.to_owned(), true),
    }
}

fn change(arguments: &Arguments, text: &str, path: &Path, own: &Own) -> Result<Change> {
    let refused = |why: String| CommandError::refused(why);
    let shown = printable_path(path);
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
    registration::install(text, path, position, &|dll| own.has(dll), &variable).map_err(CommandError::refused)
}

/// Checks every DLL that will load: rasadmin.dll is run, others are only read.
fn preflight_all(
    change: &Change,
    own: &Own,
    path: &Path,
    source: &Path,
    version: &str,
    policy: MachinePolicy,
) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut obstacles = Vec::new();
    let mut earlier = [None, None];
    for dll in change.after.as_ref().map(List::loaded).unwrap_or_default() {
        let is_ours = own.has(dll) || Path::new(dll) == path;
        let preflight = if is_ours { preflight::ours(source, version)? } else { preflight::other(dll)? };
        lines.push(preflight.line);
        obstacles.extend(policy.obstacle(preflight.signed).filter(|obstacle| !obstacles.contains(obstacle)));
        for (kind, (has, first)) in ["IPv4", "IPv6"].iter().zip(preflight.pairs.into_iter().zip(&mut earlier)) {
            match first {
                Some(first) if is_ours => lines.push(format!(
                    "note: {} comes first and gives the {kind} addresses; RRAS ignores rasadmin's (see --first)",
                    printable_path(first)
                )),
                None if has => *first = Some(dll.to_owned()),
                _ => {}
            }
        }
    }
    lines.extend(obstacles.into_iter().map(|obstacle| format!("warning: {}", obstacle.text())));
    Ok(lines)
}

/// Refuses if anyone but an administrator can change what this command runs: itself, also in child processes and as the
/// service, and the DLL that it tries out.
fn refuse_untrusted(dll: &Path) -> Result<()> {
    let mut unsafe_permissions = Vec::new();
    for file in [&this_program()?, dll] {
        // Another computer says who may write its files, and can answer differently each time. A drive's letter may
        // stand for it.
        let real = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        if [file, &real].iter().any(|path| is_remote(path)) {
            let what = format!("{}: it is on another computer; nothing was run or changed", printable_path(file));
            return Err(
                CommandError::refused(what).hint("copy rasadmin's folder to this computer, and run it from there")
            );
        }
        permissions::add(&mut unsafe_permissions, file, Object::File)?;
    }
    permissions::refuse_to_run(&unsafe_permissions)
}

/// Whether a path is on another computer: `\\server\share`, or `\\?\UNC\server\share`, as Windows resolves it.
fn is_remote(path: &Path) -> bool {
    use std::path::{Component, Prefix};
    let Some(Component::Prefix(prefix)) = path.components().next() else { return false };
    matches!(prefix.kind(), Prefix::UNC(..) | Prefix::VerbatimUNC(..))
}

fn refuse_unsafe(config: &Config, dll: Option<&Path>) -> Result<()> {
    let mut unsafe_permissions = Vec::new();
    if let Some(dll) = dll {
        permissions::add(&mut unsafe_permissions, dll, Object::File)?;
    }
    for permission in config.unsafe_permissions()? {
        if !unsafe_permissions.contains(&permission) {
            unsafe_permissions.push(permission);
        }
    }
    permissions::refuse(&unsafe_permissions)
}

/// Names the DLLs that RRAS never loads today.
pub fn note_never_loaded(change: &Change, out: &mut Output) -> Result<()> {
    let Some(stopped_by) = change.before.stopped_by() else { return Ok(()) };
    writeln!(
        out,
        "note: RRAS never loads these today, because the entry `{}` begins with a space: {}",
        printable_path(stopped_by),
        printable_path(change.before.never_loaded().join(", "))
    )
}

/// Asks before other vendors' DLLs begin to load. `wake`: the user has confirmed it on the command line.
pub fn confirm_wake(change: &Change, wake: bool, dry_run: bool, out: &mut Output) -> Result<()> {
    if change.wakes.is_empty() {
        return Ok(());
    }
    let woken = printable_path(change.wakes.join(", "));
    writeln!(
        out,
        "warning: this change would wake other vendors' DLLs: RRAS would load them from its next start on: {woken}"
    )?;
    if dry_run {
        return writeln!(out, "note: without --dry-run, the command asks for a confirmation, or you add --wake");
    }
    for dll in &change.wakes {
        preflight::other(dll)?;
    }
    if !wake && !std::io::stdin().is_terminal() {
        let what = "nothing was changed: there is no terminal to ask on";
        return Err(CommandError::usage(what).hint("confirm with --wake that RRAS may load them"));
    }
    confirm("May RRAS load them?", wake, out)
}

fn warn_if_broken(config: &Config, out: &mut Output) -> Result<()> {
    let Some(errors) = &config.broken else { return Ok(()) };
    writeln!(out, "warning: the configuration is broken, and the last good one is in force instead:\n{errors}")
}

/// Shows the steps, asks, and runs them; `nothing` is the message if there are none. Returns whether anything was done.
fn confirm_and_run(
    arguments: &Arguments,
    steps: &[Step],
    registry: Option<&Registry>,
    nothing: &str,
    out: &mut Output,
) -> Result<bool> {
    if steps.is_empty() {
        writeln!(out, "{nothing}.")?;
        return Ok(false);
    }
    confirm_and_run_steps(steps, registry, arguments.dry_run, arguments.yes, out)
}

/// Shows the steps, asks, and runs them. Returns whether anything was done.
pub fn confirm_and_run_steps(
    steps: &[Step],
    registry: Option<&Registry>,
    dry_run: bool,
    yes: bool,
    out: &mut Output,
) -> Result<bool> {
    // With --yes nobody is asked, and each step is shown as it begins.
    if dry_run || !yes {
        writeln!(out, "The command will:")?;
        for (number, step) in (1..).zip(steps) {
            writeln!(out, "{}", steps::line(number, step, registry))?;
        }
    }
    if dry_run {
        writeln!(out, "Nothing was changed: this was a dry run.")?;
        return Ok(false);
    }
    confirm("Go on?", yes, out)?;
    steps::run(steps, registry, &mut |number, step| {
        let line =
            if yes { steps::line(number, step, registry) } else { format!("  step {number} of {}", steps.len()) };
        // If nobody reads it any more, the work goes on.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    })?;
    writeln!(out, "Done.")?;
    Ok(true)
}

/// What the administrator must know after the change.
fn next_steps(steps: &[Step], before: &List, own: &Own, path: &Path, out: &mut Output) -> Result<()> {
    let list_changed = steps.iter().any(|step| matches!(step, Step::SetDllPath { .. }));
    if list_changed {
        say_restart("RRAS reads its list of DLLs only when it starts", out)?;
        writeln!(out, "To undo it: rasadmin uninstall")?;
    }
    for old in before.named().into_iter().filter(|dll| own.version(dll).is_some() && Path::new(dll) != path) {
        writeln!(
            out,
            "The earlier DLL, {}, is in use until then. Afterwards you can delete it. If an upgrade gave it its name, \
             a later install or uninstall deletes it.",
            printable_path(old)
        )?;
    }
    Ok(())
}

/// Says that RRAS must be restarted, and what a restart does.
pub fn say_restart(why: &str, out: &mut Output) -> Result<()> {
    writeln!(out, "{why}. Restart it at a quiet time, because this cuts every connected user:")?;
    writeln!(out, "  Restart-Service RemoteAccess")
}

#[cfg(all(test, windows))]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_on_another_computer_and_a_drive_is_not() {
        for remote in [r"\\server\share\rasadmin.dll", r"\\?\UNC\server\share\rasadmin.dll"] {
            assert!(is_remote(Path::new(remote)), "{remote}");
        }
        for local in [r"C:\Program Files\rasadmin\rasadmin.dll", r"\\?\C:\rasadmin.dll", r"rasadmin.dll"] {
            assert!(!is_remote(Path::new(local)), "{local}");
        }
    }
}
