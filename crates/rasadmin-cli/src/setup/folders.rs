//! The configuration and the folders: where they are, which are missing, and who apart from administrators can write
//! them.

use super::permissions;
use super::steps::Step;
use crate::error::{CommandError, Kind, Result};
use rasadmin_policy::config::{self, Encryption, Locations};
use rasadmin_rights::{Object, UnsafePermission};
use rasadmin_system::places;
use std::path::{Path, PathBuf};

/// The configuration: an existing one, or the one that install writes.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its file.
    pub path: PathBuf,
    /// Its journal's folder.
    pub journal: PathBuf,
    /// Its ledger.
    pub ledger: PathBuf,
    /// The lists that its groups name: anyone who can write one decides who may connect.
    pub members: Vec<PathBuf>,
    /// The files of the dashboard: of its users, and of its certificate.
    pub dashboard: Vec<PathBuf>,
    /// Whether the file does not exist yet.
    pub missing: bool,
    /// What is wrong with it, if the last good one is in force instead.
    pub broken: Option<String>,
}

/// Finds the configuration; `named` is the path that the user typed.
pub fn config(places: &Locations, named: Option<&Path>) -> Result<Config> {
    let missing = |path: PathBuf| Config {
        journal: path.with_file_name("journal"),
        ledger: path.with_file_name("rasadmin.db"),
        dashboard: vec![path.with_file_name("dashboard-users.toml")],
        path,
        members: Vec::new(),
        missing: true,
        broken: None,
    };
    let path = match named {
        Some(path) => {
            let path = crate::context::absolute(path)?;
            if path.is_dir() {
                return Err(CommandError::file(&path, "it is a directory: name the configuration's file in it"));
            }
            if !path.exists() {
                return Ok(missing(path));
            }
            path
        }
        None => match config::find(places) {
            Ok(path) => path,
            Err(e) if places.variable.is_some() || places.registry.is_some() => {
                let error = CommandError::refused(format!("{e}; RRAS would not start"));
                return Err(error.hint("write it, or remove the variable or registry value that names it"));
            }
            Err(_) => {
                let folder = places.data_folder.clone();
                let folder = folder.ok_or_else(|| {
                    let what = "the variable ProgramData is not set: name the configuration with --config";
                    CommandError::new(Kind::Configuration, what)
                })?;
                return Ok(missing(folder.join("rasadmin.toml")));
            }
        },
    };
    match config::read(&path) {
        Ok((config, broken)) => {
            let broken = broken.map(|errors| errors.to_string());
            let members = config.bundle.files().into_iter().skip(1).collect();
            let mut dashboard = vec![config.dashboard.users];
            if let Encryption::Files { certificate, key } = config.dashboard.encryption {
                dashboard.extend([certificate, key]);
            }
            let (journal, ledger) = (config.journal, config.ledger);
            Ok(Config { path, journal, ledger, members, dashboard, missing: false, broken })
        }
        Err(errors) => Err(CommandError::refused(format!(
            "the configuration is broken, and there is no earlier one: RRAS would not start\n{errors}"
        ))),
    }
}

impl Config {
    /// The folders of configuration, ledger and log, and the journal's own.
    pub fn folders(&self) -> Vec<PathBuf> {
        let log = places::log_file();
        let parents = [&self.path, &self.ledger, &log].into_iter().filter_map(|file| file.parent());
        let mut folders = Vec::new();
        for folder in parents.chain([self.journal.as_path()]).filter(|folder| !folder.as_os_str().is_empty()) {
            let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        folders
    }

    /// Who apart from administrators controls them.
    pub fn unsafe_permissions(&self) -> Result<Vec<UnsafePermission>> {
        let mut all = Vec::new();
        for folder in self.folders() {
            permissions::add(&mut all, &folder, Object::Folder)?;
        }
        // The DLL trusts these files.
        let journal = journal_files(&self.journal);
        let files = [&self.path, &self.ledger].into_iter().chain(&self.members).chain(&journal);
        for file in files.filter(|file| file.exists()) {
            permissions::add(&mut all, file, Object::File)?;
        }
        Ok(all)
    }

    /// The steps that make what is missing.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> =
            self.folders().into_iter().filter(|folder| !folder.exists()).map(Step::MakeFolder).collect();
        if self.missing {
            steps.push(Step::WriteConfig(self.path.clone()));
        }
        steps
    }
}

/// The files in a journal's folder.
fn journal_files(journal: &Path) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(journal).map(|entries| entries.flatten().map(|entry| entry.path()));
    listed.map(|paths| paths.filter(|path| path.is_file()).collect()).unwrap_or_default()
}
