//! Scripted admin DLLs in C, with a copy for each test, and the log of their calls.
#![allow(dead_code)] // Each test file uses a part.

use rasadmin_host::pool::Pool;
use rasadmin_host::{Options, Service};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The folder of the fixtures for this platform.
pub fn fixtures() -> PathBuf {
    let root = std::env::var_os("RASADMIN_FIXTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/fixtures"), PathBuf::from);
    let folder = root.join(if cfg!(windows) { "windows" } else { "native" });
    assert!(folder.is_dir(), "{} is missing: run `cargo xtask fixtures`", folder.display());
    folder
}

/// A copy of a fixture with its own script.
pub struct Dll {
    _folder: TempDir,
    pub path: PathBuf,
}

/// One line of a fixture's log.
#[derive(Clone, Debug)]
pub struct Entry {
    /// True when the call began, false when it ended.
    pub begins: bool,
    pub function: String,
    text: String,
}

impl Entry {
    /// The value of `key=`.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.text.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }
}

impl Dll {
    /// A copy of the fixture. It logs its calls and answers as `script` says.
    pub fn scripted(fixture: &str, script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let name = format!("{fixture}{}", std::env::consts::DLL_SUFFIX);
        let path = folder.path().join(&name);
        std::fs::copy(fixtures().join(&name), &path).unwrap_or_else(|e| panic!("fixture {name}: {e}"));
        std::fs::write(with(&path, ".script"), script).expect("the script can be written");
        Self { _folder: folder, path }
    }

    /// A good revision 2 DLL.
    pub fn good() -> Self {
        Self::scripted("good-rev2", "")
    }

    /// The log of its calls, in order.
    pub fn log(&self) -> Vec<Entry> {
        let text = std::fs::read_to_string(with(&self.path, ".log")).unwrap_or_default();
        text.lines()
            .map(|line| {
                let (direction, rest) = line.split_once(' ').unwrap_or_else(|| panic!("log line `{line}`"));
                let function = rest.split(' ').next().unwrap_or_default().to_owned();
                Entry { begins: direction == ">", function, text: rest.to_owned() }
            })
            .collect()
    }

    /// The functions that were called, in order, without MprAdmin in front of their names.
    pub fn calls(&self) -> Vec<String> {
        let calls = self.log().into_iter().filter(|e| e.begins);
        calls.map(|e| e.function.trim_start_matches("MprAdmin").to_owned()).collect()
    }

    /// As [`calls`](Self::calls), without initialise and terminate.
    pub fn session_calls(&self) -> Vec<String> {
        let life = ["InitializeDll", "InitializeDllEx", "TerminateDll"];
        self.calls().into_iter().filter(|call| !life.contains(&call.as_str())).collect()
    }

    /// The first time `function` was called.
    pub fn first(&self, function: &str) -> Entry {
        let found = self.log().into_iter().find(|e| e.begins && e.function == function);
        found.unwrap_or_else(|| panic!("{function} was not called: {:?}", self.calls()))
    }
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A pool of ten addresses, 10.20.0.2 to 10.20.0.11; the server is 10.20.0.1.
pub fn pool() -> Pool {
    Pool::new(address(1), address(2), address(11), *b"\x20\x01\x0d\xb8\0\x20\0\0")
}

/// 10.20.0.`last`.
pub fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 20, 0, last)
}

pub fn options() -> Options {
    Options::new(pool())
}

/// A service with these DLLs.
pub fn service(dlls: &[&Dll]) -> Service {
    let paths: Vec<PathBuf> = dlls.iter().map(|dll| dll.path.clone()).collect();
    Service::start(&paths, options()).unwrap_or_else(|failure| panic!("{failure}"))
}
