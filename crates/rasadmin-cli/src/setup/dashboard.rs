//! The dashboard as the Windows service `rasadmin-net`: what its account reads, and the steps that install and remove it.

use super::folders::Config;
use super::steps::Step;
use super::windows_service;
use crate::commands::serve::own_folder;
use crate::error::{CommandError, Result};
use rasadmin_rights::dashboard::{Access, is_allowed};
use rasadmin_setup::service::{DASHBOARD, Registration, Service, State};
use rasadmin_text::printable_path;
use std::path::{Path, PathBuf};

/// What the dashboard's account reads: the configuration, the lists of its groups and the ledger, whose files come and go,
/// so the account reads those in their folders; and the files of users and of the certificate, each by itself.
///
/// The journal is not among them: a process that can read its files can lock them, and then nothing is recorded. The service
/// `rasadmin` answers what the dashboard must know of it.
fn reads(config: &Config) -> Vec<(PathBuf, Access)> {
    let mut all: Vec<(PathBuf, Access)> = Vec::new();
    let in_folders = [&config.path, &config.ledger].into_iter().chain(&config.members);
    for folder in in_folders.filter_map(|file| file.parent()) {
        if is_fit(folder, config) && all.iter().all(|(other, _)| other != folder) {
            all.push((folder.to_owned(), Access::FilesIn));
        }
    }
    // A file of users that is made later is given to the account then.
    all.extend(config.dashboard.iter().filter(|file| file.is_file()).map(|file| (file.clone(), Access::File)));
    all
}

/// Whether the account may read the files in a folder: not in the journal's own, and not all those of a drive's root.
fn is_fit(folder: &Path, config: &Config) -> bool {
    folder != config.journal && folder.parent().is_some()
}

/// Refuses if a folder has what the account must read, beside what it must not.
pub fn refuse_unfit(config: &Config) -> Result<()> {
    let mut folders =
        [&config.path, &config.ledger].into_iter().chain(&config.members).filter_map(|file| file.parent());
    let Some(folder) = folders.find(|folder| !is_fit(folder, config)) else { return Ok(()) };
    let what = format!(
        "{}: the dashboard's account would have to read every file there; nothing was changed",
        printable_path(folder)
    );
    let hint = "put the configuration, its lists and the ledger into a folder that is neither the journal's nor a drive's \
                root, or install without the dashboard";
    Err(CommandError::refused(what).hint(hint))
}

/// The steps that install it, or that keep it in an upgrade if nobody has `asked` for it now: then one that somebody has
/// stopped or disabled stays so.
pub fn install(config: &Config, registered: Option<&Service>, wanted: Registration, asked: bool) -> Vec<Step> {
    let stays_stopped = !asked && registered.is_some_and(|service| service.state == State::Stopped);
    let wanted = match registered {
        Some(service) if !asked => Registration { start: service.registration.start, ..wanted },
        _ => wanted,
    };
    let folder = own_folder(&config.path);
    let mut steps = Vec::new();
    if !folder.exists() {
        steps.push(Step::MakeDashboardFolder(folder));
    }
    // A folder that an earlier step makes gives no rights yet.
    let lacks = |(path, access): &(PathBuf, Access)| !is_allowed(path, *access).unwrap_or(false);
    let runs = (wanted.program.clone(), Access::Program);
    let lets = reads(config).into_iter().chain([runs]).filter(lacks);
    steps.extend(lets.map(|(path, access)| Step::LetDashboardRead { path, access: Some(access) }));
    let of_service = windows_service::steps(&DASHBOARD, registered, Some(&wanted));
    steps.extend(of_service.into_iter().filter(|step| !stays_stopped || *step != Step::StartService(&DASHBOARD)));
    steps
}

/// The steps that remove it. What it has written stays.
pub fn remove(config: Option<&Config>, registered: Option<&Service>) -> Vec<Step> {
    let mut steps = windows_service::steps(&DASHBOARD, registered, None);
    let read = config.map(reads).unwrap_or_default();
    let runs = registered.map(|service| (service.registration.program.clone(), Access::Program));
    let may = read.into_iter().chain(runs).filter(|(path, access)| is_allowed(path, *access).unwrap_or(false));
    steps.extend(may.map(|(path, _)| Step::LetDashboardRead { path, access: None }));
    steps
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rasadmin_setup::service::{Ended, Start};

    #[test]
    fn its_account_reads_what_it_shows_and_not_the_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("key.pem"), "").unwrap();
        let config = Config {
            path: path("rasadmin.toml"),
            journal: path("journal"),
            ledger: path("data/rasadmin.db"),
            members: vec![path("lists/vip.txt"), path("lists/staff.txt"), path("here.txt")],
            dashboard: vec![path("later.toml"), path("key.pem")],
            missing: false,
            broken: None,
        };
        let expected = [
            (folder.path().to_owned(), Access::FilesIn),
            (path("data"), Access::FilesIn),
            (path("lists"), Access::FilesIn),
            (path("key.pem"), Access::File),
        ];
        assert_eq!(reads(&config), expected);
        let wanted = windows_service::wanted("rasadmin.exe".into(), config.path.clone());
        let steps = install(&config, None, wanted.clone(), true);
        assert_eq!(steps[0], Step::MakeDashboardFolder(path("rasadmin-net")));
        let lets = expected.map(|(path, access)| Step::LetDashboardRead { path, access: Some(access) });
        assert_eq!(steps[1..5], lets);
        let runs = Step::LetDashboardRead { path: "rasadmin.exe".into(), access: Some(Access::Program) };
        assert_eq!((&steps[5], &steps[7..]), (&runs, &[Step::StartService(&DASHBOARD)][..]));
        let service = Service { registration: wanted, state: State::Running, process: None, ended: Ended::Well };
        std::fs::create_dir(path("rasadmin-net")).unwrap();
        let steps = install(&config, Some(&service), service.registration.clone(), false);
        assert!(steps.iter().all(|step| matches!(step, Step::LetDashboardRead { .. })), "it runs on: {steps:?}");
        assert_eq!(remove(Some(&config), Some(&service))[0], Step::StopService(&DASHBOARD));
        assert_eq!(remove(Some(&config), None), []);
        assert!(refuse_unfit(&config).is_ok());
        for ledger in [path("journal/rasadmin.db"), "/rasadmin.db".into()] {
            let unfit = Config { ledger, ..config.clone() };
            assert_eq!(reads(&unfit).len(), 3, "without that folder");
            assert!(refuse_unfit(&unfit).unwrap_err().to_string().contains("would have to read every file there"));
        }
    }

    #[test]
    fn an_upgrade_keeps_it_as_somebody_wants_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rasadmin.toml");
        let config = Config {
            path: file.clone(),
            journal: folder.path().join("journal"),
            ledger: folder.path().join("rasadmin.db"),
            members: Vec::new(),
            dashboard: Vec::new(),
            missing: false,
            broken: None,
        };
        let new = windows_service::wanted("new.exe".into(), file);
        let before = Registration { program: "old.exe".into(), start: Start::Disabled, ..new.clone() };
        let service = |state| Service { registration: before.clone(), state, process: None, ended: Ended::Well };
        let steps = |state, asked| install(&config, Some(&service(state)), new.clone(), asked);
        let starts = Step::StartService(&DASHBOARD);
        let set = |start| {
            let after = Registration { start, ..new.clone() };
            Step::SetService { of: &DASHBOARD, before: Some(before.clone()), after: Some(after) }
        };
        let upgraded = steps(State::Stopped, false);
        assert!(upgraded.contains(&set(Start::Disabled)) && !upgraded.contains(&starts), "{upgraded:?}");
        assert!(steps(State::Running, false).contains(&starts), "it ran");
        let asked = steps(State::Stopped, true);
        assert!(asked.contains(&set(Start::Automatic)) && asked.contains(&starts), "{asked:?}");
    }
}
