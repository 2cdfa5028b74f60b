//! Start and reload. A typo must never stop the VPN: the last good configuration stays, also over a restart.

use super::keeping::Keeping;
use super::load::kept_at;
use super::loading::{COARSE, Files, Loaded, Loading};
use super::{Bundle, Config, ConfigErrors};
use crate::Name;
use rasadmin_messages::Message;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the files are looked at, at most.
const EVERY: Duration = Duration::from_secs(1);

/// So many octets of members files a look reads or compiles: some milliseconds. RRAS waits meanwhile.
pub const A_LOOK: usize = 256 * 1024;

/// Looks whether the files have changed, when it is called: there is no thread. What does not fit one look is gone on
/// with at the next, and the configuration before stays in force until the new one is whole.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    computer: Name,
    /// The last good one's texts.
    bundle: Bundle,
    seen: Files,
    /// When they were seen, on the caller's clock.
    since: Option<Instant>,
    looked: Option<Instant>,
    broken: Option<ConfigErrors>,
    /// A new one that is not whole yet.
    loading: Option<Box<Loading>>,
    /// A new one that is in force, and not yet kept for a restart.
    keeping: Option<Keeping>,
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
            Self::Broken(errors) => Message::ConfigBrokenAtStart { errors }.emit(),
            Self::NotKept(places) => Message::ConfigNotKept { places }.emit(),
        }
    }
}

/// See [`super::On::read`].
pub(super) fn read(path: &Path, computer: &Name) -> Result<(Config, Option<ConfigErrors>), ConfigErrors> {
    match Loading::new(path, computer).whole().1 {
        Ok(config) => Ok((config, None)),
        Err(errors) => last_good_of(path, computer).map(|config| (config, Some(errors.clone()))).ok_or(errors),
    }
}

/// The last good configuration that was kept of a file.
fn last_good_of(path: &Path, computer: &Name) -> Option<Config> {
    // Two configurations can share a folder, and so the journal's folder in it: only this one's own copy counts, unless
    // the file names the place. By the name alone, since one path has several spellings.
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

/// See [`super::On::start`].
pub(super) fn start(path: &Path, computer: &Name) -> Result<Started, ConfigErrors> {
    let (seen, loaded) = Loading::new(path, computer).whole();
    let (config, trouble, broken) = match loaded {
        Ok(config) => {
            let not_kept = Keeping::new(&config).whole().map(Trouble::NotKept);
            (config, not_kept, None)
        }
        Err(errors) => {
            let Some(config) = last_good_of(path, computer) else { return Err(errors) };
            (config, Some(Trouble::Broken(errors.clone())), Some(errors))
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
    };
    Ok(Started { config: Arc::new(config), trouble, watch })
}

impl Watch {
    /// Looks, at most once a second, and does at most [`A_LOOK`] of work. A fault is told once.
    pub fn check(&mut self, now: Instant) -> Option<Change> {
        self.check_within(now, A_LOOK)
    }

    /// The same with another budget: octets of members files, those read and those compiled.
    pub fn check_within(&mut self, now: Instant, mut budget: usize) -> Option<Change> {
        if let Some(keeping) = self.keeping.take() {
            self.keeping = keeping.go_on(budget);
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
        match loading.go_on(&mut budget) {
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
                if config.bundle.len() > A_LOOK {
                    self.keeping = Some(Keeping::new(&config));
                } else if let Some(places) = Keeping::new(&config).whole() {
                    Message::ConfigNotKept { places: &places }.emit();
                }
                self.bundle = config.bundle.clone();
                Some(Change::Valid(Arc::new(config)))
            }
        }
    }
}
