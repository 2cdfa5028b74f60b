//! Start and reload. A typo must never stop the VPN: the last good configuration stays, also over a restart.

use super::load::{Files, beside, kept_at, load_and_see, seen};
use super::{Bundle, Config, ConfigErrors, last_good};
use rasadmin_messages::Message;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the files are looked at, at most.
const EVERY: Duration = Duration::from_secs(1);

/// Looks whether the files have changed, when it is called: there is no thread.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    /// The last good one's texts.
    bundle: Bundle,
    seen: Files,
    looked: Option<Instant>,
    broken: Option<ConfigErrors>,
}

/// What a look found.
#[derive(Debug)]
pub enum Change {
    /// It has changed, and is in force from now on.
    Valid(Arc<Config>),
    /// It is broken: the one before stays.
    Broken(ConfigErrors),
}

impl Change {
    /// Tells it. `file` is the configuration's.
    pub fn tell(&self, file: &Path) {
        match self {
            Self::Valid(config) => Message::ConfigInForce { file: &file.display(), hash: &config.hash }.tell(),
            Self::Broken(errors) => Message::ConfigBroken { errors }.tell(),
        }
    }
}

/// A configuration to start with.
#[derive(Debug)]
pub struct Started {
    /// The configuration.
    pub config: Arc<Config>,
    /// What is to be said, loudly.
    pub trouble: Option<Trouble>,
    /// Looks for changes.
    pub watch: Watch,
}

/// What is wrong, though there is a configuration in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The file is broken or gone, and the last good one serves.
    Broken(ConfigErrors),
    /// The configuration is good, but cannot be kept for a restart: where, and why.
    NotKept(String),
}

impl Trouble {
    /// Tells it.
    pub fn tell(&self) {
        match self {
            Self::Broken(errors) => Message::ConfigBrokenAtStart { errors }.tell(),
            Self::NotKept(places) => Message::ConfigNotKept { places }.tell(),
        }
    }
}

/// Reads the file; if it is broken or gone, the last good one, with what is wrong. An error only if there never was a
/// good one. Writes nothing.
pub fn read(path: &Path) -> Result<(Config, Option<ConfigErrors>), ConfigErrors> {
    match load_and_see(path, &mut Files::new()) {
        Ok(config) => Ok((config, None)),
        Err(errors) => last_good_of(path).map(|config| (config, Some(errors.clone()))).ok_or(errors),
    }
}

/// The last good configuration that was kept of a file.
fn last_good_of(path: &Path) -> Option<Config> {
    // Two configurations can share a folder, and so the copy in it: only this one's own serves. By the name alone,
    // since one path has several spellings.
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().to_lowercase());
    let own =
        |kept: &PathBuf| Bundle::kept(kept).filter(|bundle| *kept != beside(path) || name(&bundle.file) == name(path));
    kept_at(path).iter().filter_map(own).find_map(|bundle| bundle.compile().ok())
}

/// Reads the file; if it is broken or gone, the last good one. An error only if there never was a good one.
pub fn start(path: &Path) -> Result<Started, ConfigErrors> {
    let mut seen = Files::new();
    match load_and_see(path, &mut seen) {
        Ok(config) => {
            let trouble = keep(&config).map(Trouble::NotKept);
            let watch = Watch::new(path, config.bundle.clone(), seen, None);
            Ok(Started { config: Arc::new(config), trouble, watch })
        }
        Err(errors) => {
            let Some(config) = last_good_of(path) else { return Err(errors) };
            let watch = Watch::new(path, config.bundle.clone(), seen, Some(errors.clone()));
            Ok(Started { config: Arc::new(config), trouble: Some(Trouble::Broken(errors)), watch })
        }
    }
}

/// Keeps it for a restart; where it cannot be kept, and why.
fn keep(config: &Config) -> Option<String> {
    let bundle = &config.bundle;
    if let Some(folder) = config.ledger.parent() {
        let _ = std::fs::create_dir_all(folder); // If it fails, what follows says so.
    }
    let mut places = vec![last_good(&config.ledger), beside(&bundle.file)];
    places.dedup();
    let failed = places.iter().filter_map(|place| {
        let kept = Bundle::kept(place).as_ref() == Some(bundle);
        let failed = if kept { None } else { bundle.keep(place).err() };
        failed.map(|why| format!("{}: {why}", place.display()))
    });
    let failed = failed.collect::<Vec<_>>().join("; ");
    (!failed.is_empty()).then_some(failed)
}

impl Watch {
    fn new(path: &Path, bundle: Bundle, seen: Files, broken: Option<ConfigErrors>) -> Self {
        Self { path: path.to_owned(), bundle, seen, looked: None, broken }
    }

    /// Looks, at most once a second. A fault is told once.
    pub fn check(&mut self, now: Instant) -> Option<Change> {
        if self.looked.is_some_and(|last| now.saturating_duration_since(last) < EVERY) {
            return None;
        }
        self.looked = Some(now);
        if self.seen.iter().all(|(path, before)| seen(path) == *before) {
            return None;
        }
        self.seen.clear();
        match load_and_see(&self.path, &mut self.seen) {
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
                if let Some(places) = keep(&config) {
                    Message::ConfigNotKept { places: &places }.tell();
                }
                self.bundle = config.bundle.clone();
                Some(Change::Valid(Arc::new(config)))
            }
        }
    }
}
