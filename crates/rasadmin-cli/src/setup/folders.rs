//! The configuration and the folders: where they are, what is missing, and who but administrators can write them.

use super::steps::Step;
use super::{Stop, printable};
use rasadmin_policy::config::{self, Locations};
use rasadmin_setup::acl::{self, Object, UnsafePermission};
use rasadmin_system::places;
use std::path::{Path, PathBuf};

/// What is written where there is no configuration.
pub const DEFAULT: &str = "\
# rasadmin: who may connect, and with which address.
#
# This is audit only: everyone whom RRAS lets in is allowed, RRAS gives the addresses, and everything is recorded in
# the folder `journal` beside this file. The commands make the ledger from it, rasadmin.db. A change to this file is
# in force within a second, without a restart. A mistake is reported in the log, and the last good configuration stays.

default.action = \"allow\"
";

/// The configuration, there or to be written.
#[derive(Debug)]
pub struct Config {
    /// Its file.
    pub path: PathBuf,
    /// Its journal's folder.
    pub journal: PathBuf,
    /// Its ledger.
    pub ledger: PathBuf,
    /// The lists that its groups name: who can write one decides who may connect.
    pub members: Vec<PathBuf>,
    /// Is it to be written?
    pub missing: bool,
    /// What is wrong with it, if the last good one would serve instead.
    pub broken: Option<String>,
}

/// Finds the configuration; `named` is where it is to be instead.
pub fn config(places: &Locations, named: Option<&Path>) -> Result<Config, Stop> {
    let missing = |path: PathBuf| Config {
        journal: path.with_file_name("journal"),
        ledger: path.with_file_name("rasadmin.db"),
        path,
        members: Vec::new(),
        missing: true,
        broken: None,
    };
    let path = match named {
        Some(path) => {
            let path = std::path::absolute(path).map_err(|e| Stop::Failed(format!("{}: {e}", printable(path))))?;
            if path.is_dir() {
                let what = format!("{}: it is a directory: name the configuration's file in it", printable(&path));
                return Err(Stop::Failed(what));
            }
            if !path.exists() {
                return Ok(missing(path));
            }
            path
        }
        None => match config::find(places) {
            Ok(path) => path,
            Err(e) if places.variable.is_some() || places.registry.is_some() => {
                return Err(Stop::Refused(format!("{e}; RRAS would not start: write it, or remove what names it")));
            }
            Err(_) => {
                let folder = places.data_folder.clone();
                let folder = folder.ok_or_else(|| {
                    Stop::Failed("the variable ProgramData is not set: name the configuration with --config".into())
                })?;
                return Ok(missing(folder.join("rasadmin.toml")));
            }
        },
    };
    match config::read(&path) {
        Ok((config, broken)) => {
            let broken = broken.map(|errors| errors.to_string());
            let members = config.bundle.files().into_iter().skip(1).collect();
            Ok(Config { path, journal: config.journal, ledger: config.ledger, members, missing: false, broken })
        }
        Err(errors) => Err(Stop::Refused(format!(
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

    /// Who but administrators has power over them.
    pub fn dangers(&self) -> Result<Vec<UnsafePermission>, Stop> {
        let mut all = Vec::new();
        for folder in self.folders() {
            add(&mut all, &folder, Object::Folder)?;
        }
        // The DLL trusts these files.
        let recorded = recorded(&self.journal);
        let files = [&self.path, &self.ledger].into_iter().chain(&self.members).chain(&recorded);
        for file in files.filter(|file| file.exists()) {
            add(&mut all, file, Object::File)?;
        }
        Ok(all)
    }

    /// What makes what is missing.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> =
            self.folders().into_iter().filter(|folder| !folder.exists()).map(Step::MakeFolder).collect();
        if self.missing {
            steps.push(Step::WriteConfig(self.path.clone()));
        }
        steps
    }
}

/// The files of a journal's folder.
pub fn recorded(journal: &Path) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(journal).map(|entries| entries.flatten().map(|entry| entry.path()));
    listed.map(|paths| paths.filter(|path| path.is_file()).collect()).unwrap_or_default()
}

/// Adds who has power over it, each once.
pub fn add(all: &mut Vec<UnsafePermission>, path: &Path, object: Object) -> Result<(), Stop> {
    let found = acl::dangers(path, object)
        .map_err(|e| Stop::Failed(format!("{}: its rights cannot be read: {e}", printable(path))))?;
    for danger in found {
        if !all.contains(&danger) {
            all.push(danger);
        }
    }
    Ok(())
}

/// A refusal that says all of them.
pub fn refusal(dangers: &[UnsafePermission]) -> Option<Stop> {
    let first = dangers.first()?;
    let mut text = String::from(
        "only administrators may have power over what decides who gets in, and what runs as SYSTEM; nothing was changed",
    );
    for danger in dangers {
        text += &format!("\n  {danger}");
    }
    text += &format!("\n  help: {}", acl::remedy(&first.path));
    Some(Stop::Refused(text))
}
