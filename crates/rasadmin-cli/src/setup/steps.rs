//! The steps of a change: listed once, then shown or run. If a step fails, those before it are undone.

use super::permissions;
use super::product::digest;
use super::variable;
use crate::error::{CommandError, Kind, OrCommandError, Result};
use crate::scratch::this_program;
use crate::warning;
use rasadmin_rights::Object;
use rasadmin_rights::dashboard::{self, Access};
use rasadmin_setup::environment;
use rasadmin_setup::path_variable;
use rasadmin_setup::registration::{DISPLAY_NAME, Kind as ValueKind, Value};
use rasadmin_setup::registry::{Registered, Registry};
use rasadmin_setup::service::{self, Changed, Definition, Fault, Lack, Registration, Why};
use rasadmin_setup::task;
use rasadmin_text::printable_path;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The configuration that install writes if there is none.
const DEFAULT: &str = "\
# rasadmin: who may connect, and with which address.
#
# This is audit only: everyone whom RRAS lets in is allowed, RRAS gives the addresses, and everything is recorded in
# the folder `journal` beside this file. The commands make the ledger from it, rasadmin.db. A change to this file is
# in force within a second, without a restart. A mistake is reported in the log, and the last good configuration stays.

default.action = \"allow\"
";

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Makes a folder for administrators only.
    MakeFolder(PathBuf),
    /// Writes the default configuration.
    WriteConfig(PathBuf),
    /// Copies the DLL under a new name. The copy must be the file that was checked.
    CopyDll { from: PathBuf, to: PathBuf, digest: String },
    /// Names the configuration in the registry.
    SetConfigPath(PathBuf),
    /// Writes DisplayName, or removes it.
    SetDisplayName(Option<String>),
    /// Names the DLL in which the Event Viewer finds the texts, or removes the event source.
    SetEventSource(Option<PathBuf>),
    /// Writes DllPath, or removes it.
    SetDllPath { before: Option<Value>, after: Option<Value> },
    /// Puts a folder on the system's PATH, or takes it off.
    SetSearchPath { folder: PathBuf, before: Option<Value>, after: Value },
    /// Makes the Task Scheduler run this command daily, to bring the journal into the ledger. `folder` is the
    /// configuration's.
    Schedule { command: PathBuf, folder: PathBuf },
    /// Deletes that task.
    Unschedule,
    /// Stops a Windows service.
    StopService(&'static Definition),
    /// Registers a Windows service, changes its registration, or deletes it.
    SetService { of: &'static Definition, before: Option<Registration>, after: Option<Registration> },
    /// Starts a Windows service.
    StartService(&'static Definition),
    /// Makes the folder into which the dashboard's service writes.
    MakeDashboardFolder(PathBuf),
    /// Lets the account of the dashboard's service read a file, or the files in a folder; None takes that away.
    LetDashboardRead { path: PathBuf, access: Option<Access> },
    /// Deletes a DLL that an upgrade has left. If it is still loaded it stays.
    Delete(PathBuf),
}

/// How to undo a step.
enum Undo {
    Folders(Vec<PathBuf>),
    File(PathBuf),
    ConfigPath(Option<String>),
    DisplayName(Option<String>),
    EventSource(Option<String>),
    DllPath(Option<Value>),
    SearchPath(Option<Value>),
    Task,
    StartService(&'static Definition),
    Service(&'static Definition, Option<Registration>),
    StopService(&'static Definition),
    DashboardMayNotRead(PathBuf),
}

impl Step {
    /// What it does, in words.
    pub fn describe(&self, key: &str) -> String {
        let name = |path: &Path| printable_path(path);
        match self {
            Self::MakeFolder(path) if cfg!(windows) => {
                format!("make the folder {}, for SYSTEM and Administrators only", name(path))
            }
            Self::MakeFolder(path) => format!("make the folder {}, for its owner only", name(path)),
            Self::WriteConfig(path) => {
                format!("write the configuration {}: audit only, everyone allowed, everything recorded", name(path))
            }
            Self::CopyDll { from, to, .. } => format!("copy {} to {}", name(from), name(to)),
            Self::SetConfigPath(path) => format!("name the configuration {} in the registry", name(path)),
            Self::SetDisplayName(Some(to)) => format!("set {key}, value DisplayName, to {}", printable_path(to)),
            Self::SetDisplayName(None) => format!("remove {key}, value DisplayName"),
            Self::SetEventSource(Some(dll)) => format!("let the Event Viewer find rasadmin's texts in {}", name(dll)),
            Self::SetEventSource(None) => "take rasadmin out of the Event Log's sources".to_owned(),
            Self::SetDllPath { before, after } => {
                let shown = |value: &Option<Value>| {
                    value.as_ref().map_or_else(
                        || "(no value)".to_owned(),
                        |value| format!("{} ({})", printable_path(&value.text), value.kind.name()),
                    )
                };
                let verb = if after.is_some() { "set" } else { "remove" };
                format!("{verb} {key}, value DllPath\n       from  {}\n       to    {}", shown(before), shown(after))
            }
            Self::SetSearchPath { folder, before, after } => {
                let adds = before.as_ref().is_none_or(|before| before.text.len() < after.text.len());
                let verb = if adds { "put" } else { "take" };
                format!("{verb} {} {} the system's PATH", name(folder), if adds { "on" } else { "off" })
            }
            Self::Schedule { command, .. } => {
                format!("make the Task Scheduler run {} {} daily, as SYSTEM", name(command), task::ARGUMENTS)
            }
            Self::Unschedule => format!("delete the task `{}` of the Task Scheduler", task::NAME),
            Self::StopService(of) => format!("stop the Windows service `{}`", of.name),
            Self::SetService { of, before, after: Some(after) } => {
                // A service that exists keeps its account.
                let (verb, account) = match before {
                    Some(_) => ("change", String::new()),
                    None => ("register", format!(", as {}", of.account_name())),
                };
                let (program, config) = (name(&after.program), name(&after.config));
                format!(
                    "{verb} the Windows service `{}`: {program} with {config}{account}, when the computer starts",
                    of.name
                )
            }
            Self::SetService { of, after: None, .. } => format!("delete the Windows service `{}`", of.name),
            Self::StartService(of) => format!("start the Windows service `{}`", of.name),
            Self::MakeDashboardFolder(path) => {
                format!("make the folder {}, for the log and the certificate of the dashboard", name(path))
            }
            Self::LetDashboardRead { path, access } => {
                let account = dashboard::ACCOUNT;
                match access {
                    Some(Access::File) => format!("let {account} read {}", name(path)),
                    Some(Access::Program) => format!("let {account} run {}", name(path)),
                    Some(Access::FilesIn) => format!("let {account} read the files in {}", name(path)),
                    None => format!("let {account} no longer read {}", name(path)),
                }
            }
            Self::Delete(path) => format!("delete {}, which an upgrade has left, unless it is loaded", name(path)),
        }
    }

    fn run(&self, registry: Option<&Registry>) -> Result<Option<Undo>> {
        let failed = |path: &Path, e: &dyn std::fmt::Display| CommandError::file(path, e);
        let key = || registry.ok_or_else(|| CommandError::new(Kind::System, "there is no registry"));
        let read = || key()?.read().or_error(Kind::System);
        match self {
            Self::MakeFolder(path) => {
                let made = rasadmin_rights::create_folder(path)
                    .map_err(|e| failed(path, &format!("the folder cannot be made: {e}")))?;
                let mut unsafe_permissions = Vec::new();
                let looked = permissions::add(&mut unsafe_permissions, path, Object::Folder);
                if looked.is_err() || !unsafe_permissions.is_empty() {
                    undo_all(vec![Undo::Folders(made)], registry);
                    let first = unsafe_permissions.first();
                    let who = first.map_or_else(|| "its permissions cannot be read".into(), ToString::to_string);
                    return Err(failed(path, &format!("it was not made for administrators only: {who}")));
                }
                Ok(Some(Undo::Folders(made)))
            }
            Self::WriteConfig(path) => {
                new_file(path, DEFAULT.as_bytes()).map_err(|e| failed(path, &e))?;
                Ok(Some(Undo::File(path.clone())))
            }
            Self::CopyDll { from, to, digest: wanted } => {
                let bytes = std::fs::read(from).map_err(|e| failed(from, &e))?;
                if digest(&bytes) != *wanted {
                    return Err(failed(from, &"it has changed since it was checked; run the command again"));
                }
                new_file(to, &bytes).map_err(|e| failed(to, &e))?;
                Ok(Some(Undo::File(to.clone())))
            }
            Self::SetConfigPath(path) => {
                let before = read()?.config_path;
                key()?.set_config_path(Some(&path.to_string_lossy())).or_error(Kind::System)?;
                Ok(Some(Undo::ConfigPath(before)))
            }
            Self::SetDisplayName(to) => {
                let before = read()?.display_name;
                key()?.set_display_name(to.as_deref()).or_error(Kind::System)?;
                Ok(Some(Undo::DisplayName(before)))
            }
            Self::SetEventSource(to) => {
                let before = read()?.event_source;
                let to = to.as_ref().map(|dll| dll.to_string_lossy());
                key()?.set_event_source(to.as_deref()).or_error(Kind::System)?;
                Ok(Some(Undo::EventSource(before)))
            }
            Self::SetDllPath { before, after } => {
                if read()?.dll_path != *before {
                    let what = "the registry's DllPath has changed since it was read; run the command again";
                    return Err(CommandError::new(Kind::System, what));
                }
                key()?.set_dll_path(after.as_ref()).or_error(Kind::System)?;
                Ok(Some(Undo::DllPath(before.clone())))
            }
            Self::SetSearchPath { before, after, .. } => {
                if key()?.search_path().or_error(Kind::System)? != *before {
                    let what = "the system's PATH has changed since it was read; run the command again";
                    return Err(CommandError::new(Kind::System, what));
                }
                key()?.set_search_path(Some(after)).or_error(Kind::System)?;
                environment::announce_change();
                Ok(Some(Undo::SearchPath(before.clone())))
            }
            Self::Schedule { command, folder } => {
                let made = task::create(command, folder);
                made.map_err(|e| CommandError::new(Kind::System, format!("the daily task cannot be made: {e}")))?;
                Ok(Some(Undo::Task))
            }
            Self::Unschedule => {
                // The next install makes it again.
                if let Err(e) = task::delete() {
                    warning!("the task `{}` cannot be deleted: {e}", task::NAME);
                }
                Ok(None)
            }
            Self::StopService(of) => {
                service::stop(of).map_err(refused)?;
                Ok(Some(Undo::StartService(of)))
            }
            Self::SetService { of, before, after } => {
                match service::set(of, after.as_ref()).map_err(refused)? {
                    Changed::Fully => {}
                    Changed::Without(lacks) => lacks.into_iter().for_each(|lack| warn_of(of, lack)),
                    Changed::MarkedForDeletion => {
                        warning!("{}", Fault { service: of.name, why: Why::MarkedForDeletion });
                    }
                }
                Ok(Some(Undo::Service(of, before.clone())))
            }
            Self::StartService(of) => match service::start(of).map_err(refused) {
                // The rest does not need it, and an older service could not read a ledger that a newer one has upgraded.
                Err(error) if *of == &service::DASHBOARD => {
                    warning!("{error}");
                    Ok(None)
                }
                started => started.map(|()| Some(Undo::StopService(of))),
            },
            Self::MakeDashboardFolder(path) => {
                dashboard::create_own_folder(path)
                    .map_err(|e| failed(path, &format!("the folder cannot be made: {e}")))?;
                Ok(Some(Undo::Folders(vec![path.clone()])))
            }
            Self::LetDashboardRead { path, access: Some(access) } => {
                dashboard::allow(path, *access)
                    .map_err(|e| failed(path, &format!("its rights cannot be changed: {e}")))?;
                Ok(Some(Undo::DashboardMayNotRead(path.clone())))
            }
            Self::LetDashboardRead { path, access: None } => {
                // The account has no process any more.
                if let Err(e) = dashboard::disallow(path) {
                    warning!("{}: {} can still read it: {e}", printable_path(path), dashboard::ACCOUNT);
                }
                Ok(None)
            }
            Self::Delete(path) => {
                if let Err(e) = std::fs::remove_file(path) {
                    let path = printable_path(path);
                    warning!("{path}: it cannot be deleted: {e}; likely RRAS has it loaded until its next restart");
                }
                Ok(None)
            }
        }
    }
}

/// Writes a file that must not exist yet. It is on disk when this returns. A file that is half written is deleted.
fn new_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file); // Windows wants it closed.
    written.inspect_err(|_| {
        let _ = std::fs::remove_file(path); // The first error matters more.
    })
}

/// Sets DisplayName, or removes it. Another vendor's name stays, and ours goes when rasadmin.dll is not registered.
pub fn display_name(registered: &Registered, installed: bool) -> Option<Step> {
    match (registered.display_name.as_deref(), installed) {
        (None, true) => Some(Step::SetDisplayName(Some(DISPLAY_NAME.into()))),
        (Some(DISPLAY_NAME), false) => Some(Step::SetDisplayName(None)),
        _ => None,
    }
}

/// Makes the registered DLL the Event Log's source of texts.
pub fn event_source(registered: &Registered, dll: Option<&Path>) -> Option<Step> {
    let named = registered.event_source.as_deref().map(Path::new);
    (named != dll).then(|| Step::SetEventSource(dll.map(Path::to_path_buf)))
}

/// Puts this command's folder on the system's PATH, or takes it off, if it is not so already.
pub fn search_path(registry: &Registry, on: bool) -> Result<Option<Step>> {
    let command = this_program()?;
    let Some(folder) = command.parent() else { return Ok(None) };
    if on && folder.to_string_lossy().contains([';', '%']) {
        let what = format!("{}: a folder on the PATH cannot have `;` or `%` in its name", printable_path(folder));
        return Err(CommandError::refused(what).hint("leave out --add-to-path, or move rasadmin's folder"));
    }
    let before = registry.search_path().or_error(Kind::System)?;
    let text = before.as_ref().map_or("", |value| value.text.as_str());
    let change = if on { path_variable::with } else { path_variable::without };
    let after = folder.to_str().and_then(|folder| change(text, folder, &variable));
    let kind = before.as_ref().map_or(ValueKind::ExpandSz, |value| value.kind);
    Ok(after.map(|text| Step::SetSearchPath { folder: folder.to_owned(), before, after: Value { kind, text } }))
}

/// A step, as a line of a list.
pub fn line(number: usize, step: &Step, registry: Option<&Registry>) -> String {
    format!("  {number:>2}. {}", step.describe(registry.map_or("", Registry::shown)))
}

/// Runs them all, or none. `begins` is called with each and its number before it begins.
pub fn run(steps: &[Step], registry: Option<&Registry>, begins: &mut dyn FnMut(usize, &Step)) -> Result<()> {
    let mut done = Vec::new();
    for (number, step) in (1..).zip(steps) {
        begins(number, step);
        match step.run(registry) {
            Ok(undo) => done.extend(undo),
            Err(why) => {
                let left = undo_all(done, registry);
                return Err(why.hint(if left.is_empty() {
                    "all earlier steps were undone".to_owned()
                } else {
                    format!("the earlier steps were undone, except for {}", left.join(", "))
                }));
            }
        }
    }
    Ok(())
}

/// Undoes the steps, the last first. Returns what could not be undone.
fn undo_all(done: Vec<Undo>, registry: Option<&Registry>) -> Vec<String> {
    let mut left = Vec::new();
    for undo in done.into_iter().rev() {
        let failed = match &undo {
            Undo::Folders(folders) => {
                let stays = |folder: &&PathBuf| std::fs::remove_dir(folder).is_err();
                folders.iter().rev().filter(stays).map(printable_path).collect::<Vec<_>>()
            }
            Undo::File(path) => {
                if std::fs::remove_file(path).is_err() {
                    vec![printable_path(path)]
                } else {
                    Vec::new()
                }
            }
            Undo::ConfigPath(before) => restore(registry, "ConfigPath", |r| r.set_config_path(before.as_deref())),
            Undo::DisplayName(before) => restore(registry, "DisplayName", |r| r.set_display_name(before.as_deref())),
            Undo::EventSource(before) => {
                restore(registry, "EventMessageFile", |r| r.set_event_source(before.as_deref()))
            }
            Undo::Task => left_if(task::delete(), &format!("the task `{}`", task::NAME)),
            Undo::StartService(of) => left_if(service::start(of), &format!("the stop of `{}`", of.name)),
            Undo::Service(of, before) => {
                left_if(service::set(of, before.as_ref()), &format!("the registration of `{}`", of.name))
            }
            Undo::StopService(of) => left_if(service::stop(of), &format!("the start of `{}`", of.name)),
            Undo::DashboardMayNotRead(path) => {
                left_if(dashboard::disallow(path), &format!("the right to read {}", printable_path(path)))
            }
            Undo::SearchPath(before) => {
                let left = restore(registry, "PATH", |r| r.set_search_path(before.as_ref()));
                environment::announce_change();
                left
            }
            Undo::DllPath(before) => restore(registry, "DllPath", |r| r.set_dll_path(before.as_ref())),
        };
        left.extend(failed);
    }
    left
}

fn left_if<T, E>(undone: std::result::Result<T, E>, what: &str) -> Vec<String> {
    if undone.is_err() { vec![what.to_owned()] } else { Vec::new() }
}

/// Warns of what is not as it should be, because this Windows does not have the setting.
fn warn_of(of: &Definition, lack: Lack) {
    let name = of.name;
    match lack {
        Lack::RestartAfterErrors => {
            warning!("Windows restarts `{name}` only after a crash, not after an end with an error");
        }
        Lack::Privileges => warning!("Windows does not limit the privileges of `{name}`"),
        Lack::DelayedStart => warning!("Windows starts `{name}` with the other services, not after them"),
    }
}

/// Why the Service Control Manager does not do it, and what to do about it.
fn refused(fault: Fault) -> CommandError {
    let remedy = match &fault.why {
        Why::DidNotStart(_) if fault.service == service::DASHBOARD.name => {
            "; rasadmin-net\\rasadmin-net.log beside the configuration says why. Everything else is installed. Start it with \
             `Start-Service rasadmin-net`, or remove it with `rasadmin install --no-dashboard`"
                .to_owned()
        }
        Why::DidNotStart(_) => {
            let log = printable_path(rasadmin_system::places::service_log_file());
            format!("; {log} says why. To install without the service, run `rasadmin install --no-service`")
        }
        Why::TooSlow(Some(process)) => format!("; end its process, which is safe: Stop-Process -Force {process}"),
        Why::TooSlow(None) => "; wait a minute, and run the command again".to_owned(),
        _ => String::new(),
    };
    CommandError::new(Kind::System, format!("{fault}{remedy}"))
}

fn restore<E>(
    registry: Option<&Registry>,
    value: &str,
    write: impl FnOnce(&Registry) -> std::result::Result<(), E>,
) -> Vec<String> {
    match registry.map(write) {
        Some(Ok(())) => Vec::new(),
        _ => vec![format!("the registry's {value}")],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nothing_half_done_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("new.dll"), "x").unwrap();
        let steps = [
            Step::MakeFolder(path("a/b")),
            Step::WriteConfig(path("a/b/rasadmin.toml")),
            Step::CopyDll { from: path("new.dll"), to: path("a/copy.dll"), digest: digest(b"x") },
            Step::CopyDll { from: path("new.dll"), to: path("a/other.dll"), digest: digest(b"what was checked") },
        ];
        let mut told = Vec::new();
        run(&steps[..3], None, &mut |number, step| told.push((number, step.clone()))).unwrap();
        assert_eq!(told, [(1, steps[0].clone()), (2, steps[1].clone()), (3, steps[2].clone())]);
        assert!(path("a/b/rasadmin.toml").is_file() && path("a/copy.dll").is_file());
        // What is there is never written over.
        let again = run(&steps[1..2], None, &mut |_, _| {}).unwrap_err().to_string();
        assert!(again.contains("all earlier steps were undone"), "{again}");
        assert!(path("a/b/rasadmin.toml").is_file());
        std::fs::remove_dir_all(path("a")).unwrap();
        let message = run(&steps, None, &mut |_, _| {}).unwrap_err().to_string();
        assert!(message.contains("it has changed since it was checked"), "{message}");
        assert!(!path("a").exists());
    }

    #[test]
    fn the_event_viewer_looks_into_the_registered_dll() {
        let named = |dll: Option<&str>| Registered { event_source: dll.map(Into::into), ..Registered::default() };
        let (old, new) = (Path::new("old.dll"), Path::new("new.dll"));
        assert_eq!(event_source(&named(None), Some(new)), Some(Step::SetEventSource(Some(new.to_owned()))));
        assert_eq!(event_source(&named(Some("old.dll")), Some(new)), Some(Step::SetEventSource(Some(new.to_owned()))));
        assert_eq!(event_source(&named(Some("old.dll")), Some(old)), None);
        assert_eq!(event_source(&named(Some("old.dll")), None), Some(Step::SetEventSource(None)));
        assert_eq!(event_source(&named(None), None), None);
    }

    #[test]
    fn another_vendors_name_is_kept() {
        let named = |name: Option<&str>| Registered { display_name: name.map(Into::into), ..Registered::default() };
        assert_eq!(display_name(&named(None), true), Some(Step::SetDisplayName(Some("rasadmin".into()))));
        assert_eq!(display_name(&named(Some("rasadmin")), false), Some(Step::SetDisplayName(None)));
        for (name, installed) in
            [(Some("Vendor"), true), (Some("Vendor"), false), (Some("rasadmin"), true), (None, false)]
        {
            assert_eq!(display_name(&named(name), installed), None, "{name:?}");
        }
    }
}
