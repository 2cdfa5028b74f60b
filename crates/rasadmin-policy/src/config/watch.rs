//! Starts with a configuration and reloads it when its files change. A typo must never stop the VPN, so the last good
//! configuration remains in force, even after a restart.

use super::keeping::Keeping;
use super::loading::{COARSE, Files, Loaded, Loading};
use super::saved::kept_at;
use super::{Bundle, Config, ConfigErrors};
use crate::Name;
use rasadmin_messages::Message;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The shortest time between two looks at the files.
const EVERY: Duration = Duration::from_secs(1);

/// How many octets of members files one check reads or compiles. RRAS waits meanwhile, for a few milliseconds.
pub const CHECK_BUDGET: usize = 256 * 1024;

/// Checks whether the files have changed, when the caller asks; there is no thread. What does not fit into one check
/// continues in the next, and the earlier configuration remains in force until the new one is complete.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    computer: Name,
    /// The texts of the last good configuration.
    bundle: Bundle,
    seen: Files,
    /// When they were seen, on the caller's clock.
    since: Option<Instant>,
    looked: Option<Instant>,
    broken: Option<ConfigErrors>,
    /// A new configuration that is not complete yet.
    loading: Option<Box<Loading>>,
    /// A new configuration that is in force and not saved for a restart yet.
    keeping: Option<Keeping>,
    saves: Saves,
}

/// Whether a good configuration is saved for a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saves {
    /// The DLL saves it.
    Yes,
    /// Other programs save nothing: what they find good may not be in force yet.
    No,
}

/// What a check found.
#[derive(Debug)]
pub enum Change {
    /// The configuration has changed, and is in force from now on.
    Valid(Arc<Config>),
    /// The file is invalid. The earlier configuration remains in force.
    Broken(ConfigErrors),
}

impl Change {
    /// Logs the change. `file` is the configuration's.
    pub fn report(&self, file: &Path) {
        match self {
            Self::Valid(config) => Message::ConfigInForce { file: &file.display(), hash: &config.hash }.emit(),
            Self::Broken(errors) => Message::ConfigBroken { errors }.emit(),
        }
    }
}

/// A configuration to start with.
#[derive(Debug)]
pub struct Started {
    /// The configuration.
    pub config: Arc<Config>,
    /// A problem that must be reported.
    pub problem: Option<StartProblem>,
    /// Checks for changes.
    pub watch: Watch,
}

/// A problem at the start, though a configuration is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartProblem {
    /// The file is invalid or missing, and the last good configuration is in force.
    Broken(ConfigErrors),
    /// The configuration is good but cannot be saved for a restart: where, and why.
    NotKept(String),
}

impl StartProblem {
    /// Logs the problem.
    pub fn report(&self) {
        match self {
            Self::Broken(errors) => Message::ConfigBrokenAtStart { errors }.emit(),
            Self::NotKept(places) => Message::ConfigNotKept { places }.emit(),
        }
    }
}

/// See [`super::ForComputer::read`].
pub(super) fn read(path: &Path, computer: &Name) -> Result<(Config, Option<ConfigErrors>), ConfigErrors> {
    match Loading::new(path, computer).whole().1 {
        Ok(config) => Ok((config, None)),
        Err(errors) => last_good_of(path, computer).map(|config| (config, Some(errors.clone()))).ok_or(errors),
    }
}

/// The last good configuration that was saved for a file.
fn last_good_of(path: &Path, computer: &Name) -> Option<Config> {
    // Two configurations can share a folder, and so the journal's folder in it. Only this file's own copy counts,
    // unless the file names the folder. Only the file names are compared, because one path has several spellings.
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().to_lowercase());
    let kept = kept_at(path);
    let own = |bundle: &Bundle| name(&bundle.file) == name(path);
    let named = kept.named.as_deref().and_then(Bundle::kept);
    let others = kept.otherwise.iter().filter_map(|place| Bundle::kept(place)).filter(own);
    let here = |mut bundle: Bundle| {
        if !computer.is_empty() {
            bundle.computer = computer.clone();
        }
        bundle.compile().ok()
    };
    named.into_iter().chain(others).find_map(here)
}

/// See [`super::ForComputer::start`] and [`super::ForComputer::watch`].
pub(super) fn start(path: &Path, computer: &Name, saves: Saves) -> Result<Started, ConfigErrors> {
    let (seen, loaded) = Loading::new(path, computer).whole();
    let (config, problem, broken) = match loaded {
        Ok(config) => {
            let not_kept = match saves {
                Saves::Yes => Keeping::new(&config).whole().map(StartProblem::NotKept),
                Saves::No => None,
            };
            (config, not_kept, None)
        }
        Err(errors) => {
            let Some(config) = last_good_of(path, computer) else { return Err(errors) };
            (config, Some(StartProblem::Broken(errors.clone())), Some(errors))
        }
    };
    let watch = Watch {
        path: path.to_owned(),
        computer: computer.clone(),
        bundle: config.bundle.clone(),
        seen,
        since: None,
        looked: None,
        broken,
        loading: None,
        keeping: None,
        saves,
    };
    Ok(Started { config: Arc::new(config), problem, watch })
}

impl Watch {
    /// Checks for changes, at most once a second, and does at most [`CHECK_BUDGET`] of work. A mistake is reported
    /// once.
    pub fn check(&mut self, now: Instant) -> Option<Change> {
        self.check_within(now, CHECK_BUDGET)
    }

    /// Checks with another budget, in octets of members files that are read or compiled.
    pub fn check_within(&mut self, now: Instant, mut budget: usize) -> Option<Change> {
        if let Some(keeping) = self.keeping.take() {
            self.keeping = keeping.advance(budget);
            return None;
        }
        let loading = match self.loading.take() {
            Some(loading) => loading,
            None if self.has_changed(now) => {
                self.since = Some(now);
                Box::new(Loading::new(&self.path, &self.computer))
            }
            None => return None,
        };
        match loading.advance(&mut budget) {
            Loaded::Later(rest) => {
                self.loading = Some(rest);
                None
            }
            Loaded::Done(seen, loaded) => {
                self.seen = seen;
                self.take_over(*loaded)
            }
        }
    }

    /// Looks at the files, at most once a second.
    fn has_changed(&mut self, now: Instant) -> bool {
        if self.looked.is_some_and(|last| now.saturating_duration_since(last) < EVERY) {
            return false;
        }
        self.looked = Some(now);
        let later = now.saturating_duration_since(*self.since.get_or_insert(now)) >= COARSE;
        self.seen.iter().any(|(path, before)| before.has_changed(path, later))
    }

    fn take_over(&mut self, loaded: Result<Config, ConfigErrors>) -> Option<Change> {
        match loaded {
            Err(errors) => {
                let new = self.broken.as_ref() != Some(&errors);
                self.broken = Some(errors.clone());
                new.then_some(Change::Broken(errors))
            }
            Ok(config) => {
                let mended = self.broken.take().is_some();
                if config.bundle == self.bundle && !mended {
                    return None;
                }
                if self.saves == Saves::Yes {
                    self.keeping = save(&config);
                }
                self.bundle = config.bundle.clone();
                Some(Change::Valid(Arc::new(config)))
            }
        }
    }
}

/// Saves a configuration for a restart. Returns the rest of a large one.
fn save(config: &Config) -> Option<Keeping> {
    let keeping = Keeping::new(config);
    if config.bundle.len() > CHECK_BUDGET {
        return Some(keeping);
    }
    if let Some(places) = keeping.whole() {
        Message::ConfigNotKept { places: &places }.emit();
    }
    None
}
