//! The stand-in for mprapi.dll, with a script and a log of its own (fixtures/README.md).
#![allow(clippy::unwrap_used)]
#![allow(dead_code)] // Each test program uses only a part.

use rasadmin_rras::{Failure, Instance, Mprapi};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub const INSTANCE: Instance = Instance { process: 4711, created: 133_000_000_000_000_000 };

/// A copy of the stand-in in a folder of its own.
pub struct StandIn {
    folder: TempDir,
    library: PathBuf,
}

/// The stand-in as it was built.
pub fn built() -> PathBuf {
    let root = std::env::var_os("RASADMIN_FIXTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/fixtures"), PathBuf::from);
    let library = root.join("mprapi").join(if cfg!(windows) { "stand-in.dll" } else { "stand-in.so" });
    assert!(library.is_file(), "{} is missing: run `cargo xtask fixtures`", library.display());
    library
}

impl StandIn {
    /// One whose RRAS runs, with the lines of a script.
    pub fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join(if cfg!(windows) { "mprapi-stand-in.dll" } else { "mprapi-stand-in.so" });
        std::fs::copy(built(), &library).unwrap();
        let stand_in = Self { folder, library };
        stand_in.script(script);
        stand_in
    }

    /// Replaces the script. A call that begins later answers as it says.
    pub fn script(&self, script: &str) {
        self.stopped(&format!("running\n{script}\n"));
    }

    /// A script without `running`: the service does not run.
    pub fn stopped(&self, script: &str) {
        std::fs::write(self.beside(".script"), script).unwrap();
    }

    /// Asks the program behind a port of this computer instead of reading a script.
    pub fn ask(&self, port: u16) {
        std::fs::write(self.beside(".port"), port.to_string()).unwrap();
    }

    pub fn load(&self) -> Mprapi {
        Mprapi::load(&self.library, || Ok(Some(INSTANCE))).unwrap()
    }

    /// The file that keeps calls with the order `hang` from returning.
    pub fn hang_file(&self) -> PathBuf {
        self.beside(".hang")
    }

    /// The calls so far, in order.
    pub fn log(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.beside(".log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// How many lines of the log begin with this.
    pub fn logged(&self, start: &str) -> usize {
        self.log().iter().filter(|line| line.starts_with(start)).count()
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.library.clone().into_os_string();
        name.push(ending);
        name.into()
    }
}

/// What was taken was given back: every buffer was freed once, every server handle closed.
impl Drop for StandIn {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let log = self.log();
        assert_eq!(self.logged("gave a buffer"), self.logged("MprAdminBufferFree"), "{log:#?}");
        assert_eq!(self.logged("gave a server"), self.logged("MprAdminServerDisconnect"), "{log:#?}");
        assert!(!log.iter().any(|line| line.ends_with("unknown") || line.ends_with("remote")), "{log:#?}");
    }
}

/// The failure of a result.
pub fn failure<T: std::fmt::Debug>(result: Result<T, rasadmin_rras::Error>) -> Failure {
    result.unwrap_err().failure
}
