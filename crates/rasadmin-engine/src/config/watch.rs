//! Start and reload. A typo must never stop the VPN: the last good configuration stays, also over a restart.

use super::load::ledger_of;
use super::{Bundle, Config, ConfigErrors, last_good, load};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How often the files are looked at, at most.
const EVERY: Duration = Duration::from_secs(1);

/// Looks whether the files have changed, when it is called: there is no thread.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    /// The last good one, as it was compiled.
    bundle: Bundle,
    seen: Vec<Seen>,
    looked: Option<Instant>,
    broken: Option<ConfigErrors>,
}

/// A file as it was seen: time of its last change, and length; None if it is not there.
type Seen = Option<(SystemTime, u64)>;

/// What a look found.
#[derive(Debug)]
pub enum Change {
    /// It has changed, and is in force from now on.
    Valid(Arc<Config>),
    /// It is broken: the one before stays.
    Broken(ConfigErrors),
}

/// A configuration to start with.
#[derive(Debug)]
pub struct Started {
    /// The configuration.
    pub config: Arc<Config>,
    /// The file is broken or gone, and the last good one serves: what is to be said, loudly.
    pub message: Option<String>,
    /// Looks for changes.
    pub watch: Watch,
}

/// Reads the file; if it is broken or gone, the last good one. An error only if there never was a good one.
pub fn start(path: &Path) -> Result<Started, ConfigErrors> {
    match load(path) {
        Ok((config, bundle)) => {
            let message = keep(&bundle, &config);
            let config = Arc::new(config);
            Ok(Started { config, message, watch: Watch::new(path, bundle, None) })
        }
        Err(errors) => {
            let kept = Bundle::kept(&last_good(&ledger_of(path)));
            let Some((config, bundle)) = kept.and_then(|b| b.compile().ok().map(|config| (config, b))) else {
                return Err(errors);
            };
            let message = format!("the configuration is broken, and the last good one is in force instead: {errors}");
            let watch = Watch::new(path, bundle, Some(errors));
            Ok(Started { config: Arc::new(config), message: Some(message), watch })
        }
    }
}

/// What is to be said if it cannot be kept.
fn keep(bundle: &Bundle, config: &Config) -> Option<String> {
    let path = last_good(&config.ledger);
    if Bundle::kept(&path).as_ref() == Some(bundle) {
        return None;
    }
    if let Some(folder) = config.ledger.parent() {
        let _ = std::fs::create_dir_all(folder); // If it fails, what follows says so.
    }
    let failed = bundle.keep(&path).err()?;
    Some(format!("the configuration is good, but cannot be kept in {} for a restart: {failed}", path.display()))
}

impl Watch {
    fn new(path: &Path, bundle: Bundle, broken: Option<ConfigErrors>) -> Self {
        let mut watch = Self { path: path.to_owned(), bundle, seen: Vec::new(), looked: None, broken };
        watch.seen = watch.look();
        watch
    }

    /// The file and its members files.
    fn look(&self) -> Vec<Seen> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let members = self.bundle.members.keys().map(|name| folder.join(name));
        let files = std::iter::once(self.path.clone()).chain(members);
        let seen = |path: PathBuf| {
            std::fs::metadata(path).ok().map(|m| (m.modified().unwrap_or(SystemTime::UNIX_EPOCH), m.len()))
        };
        files.map(seen).collect()
    }

    /// Looks, at most once a second. A fault is told once.
    pub fn check(&mut self, now: Instant) -> Option<Change> {
        if self.looked.is_some_and(|last| now.saturating_duration_since(last) < EVERY) {
            return None;
        }
        self.looked = Some(now);
        let seen = self.look();
        if seen == self.seen {
            return None;
        }
        self.seen = seen;
        match load(&self.path) {
            Err(errors) => {
                let new = self.broken.as_ref() != Some(&errors);
                self.broken = Some(errors.clone());
                new.then_some(Change::Broken(errors))
            }
            Ok((config, bundle)) => {
                let mended = self.broken.take().is_some();
                if bundle == self.bundle && !mended {
                    return None;
                }
                if let Some(message) = keep(&bundle, &config) {
                    tracing::error!("{message}");
                }
                self.bundle = bundle;
                // Another members file may be named now.
                self.seen = self.look();
                Some(Change::Valid(Arc::new(config)))
            }
        }
    }
}
