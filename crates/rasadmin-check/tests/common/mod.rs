//! Helpers that the tests of this crate share.
#![allow(clippy::unwrap_used)]
#![allow(dead_code)] // Each test program uses only a part.

pub mod pe;

use rasadmin_check::{Check, Finding, Options, Outcome, Report, check};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The fixtures that tests/static_fixtures.rs knows, sorted.
pub const STATIC_FIXTURES: &[&str] = &[
    "delay-missing",
    "delay-system",
    "demands-signature",
    "exports-data",
    "exports-data-initialise",
    "exports-data-with-table",
    "exports-outside",
    "forwarded",
    "forwards-initialise",
    "forwards-missing-function",
    "forwards-optional",
    "forwards-to-itself",
    "forwards-to-system",
    "misspelled",
    "nt4-names",
    "program",
    "program-without-exports",
    "resource-only",
    "similar-names",
];

/// The folder of the fixtures for a platform.
pub fn fixtures(platform: &str) -> PathBuf {
    let root = std::env::var_os("RASADMIN_FIXTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/fixtures"), PathBuf::from);
    let folder = root.join(platform);
    assert!(folder.is_dir(), "{} is missing: run `cargo xtask fixtures`", folder.display());
    folder
}

/// Options for tests, with this crate's own small program as the child. A busy computer does not make a check too long.
pub fn options() -> Options {
    Options {
        child: Some(env!("CARGO_BIN_EXE_rasadmin-check-child").into()),
        bound: Duration::from_secs(1200),
        ..Options::default()
    }
}

/// Options for a DLL that hangs, with a short deadline. A good call takes far less time.
pub fn impatient() -> Options {
    Options { deadline: Duration::from_secs(4), ..options() }
}

/// The report. The test fails if there is none.
pub fn report(path: &Path, options: &Options) -> Report {
    check(path, options).unwrap_or_else(|e| panic!("{e}"))
}

/// The checks that neither passed nor were skipped, with their outcomes.
pub fn found(report: &Report) -> Vec<(Check, Outcome)> {
    let not_passed = |f: &&Finding| !matches!(f.outcome, Outcome::Pass | Outcome::Skipped);
    report.findings.iter().filter(not_passed).map(|f| (f.check, f.outcome)).collect()
}

/// This crate's misbehaving DLL, as cargo builds it with the tests.
pub fn misbehave() -> PathBuf {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_rasadmin-check-child"));
    let name = if cfg!(windows) { "misbehave.dll" } else { "libmisbehave.so" };
    let path = program.with_file_name("examples").join(name);
    assert!(path.exists(), "{} is missing: `cargo test -p rasadmin-check` builds it", path.display());
    path
}
