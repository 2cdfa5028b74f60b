//! What the tests of several duties need: a recorder's scene, a log that keeps its lines, and settings.
#![allow(dead_code, unused_imports, clippy::unwrap_used)]

mod asking;
#[path = "../../../rasadmin-ledger/tests/support/mod.rs"]
mod ledger;
mod listed;

pub use asking::Running;
pub use ledger::*;
pub use listed::listed;
use rasadmin_journal::{ServiceLock, Taken};
use rasadmin_policy::Name;
use rasadmin_service::{Log, Settings};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A configuration with a pool.
pub const CONFIG: &str = r#"
    time_zone = "UTC"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    journal.durability = "process"
    [pools.staff]
    addresses = ["10.8.0.0/16"]
"#;

/// Far more than any of this takes, and than a service waits for duties that do not stop.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The lines of a log.
pub type Lines = Arc<Mutex<Vec<String>>>;

/// A log that keeps its lines.
pub fn log() -> (Arc<Log>, Lines) {
    let lines = Lines::default();
    let kept = lines.clone();
    (Arc::new(Log::new(None, move |line| kept.lock().unwrap().push(line.to_owned()))), lines)
}

/// The settings of the scene's configuration.
pub fn settings(scene: &Scene) -> Arc<Settings> {
    Arc::new(Settings::of(&scene.config, &Name::new("VPN1")))
}

/// The lock of a journal that no service serves.
pub fn lock(journal: &Path) -> ServiceLock {
    match ServiceLock::take(journal).unwrap() {
        Taken::Ours(lock, _) => lock,
        Taken::Held(by) => panic!("{by:?}"),
    }
}
