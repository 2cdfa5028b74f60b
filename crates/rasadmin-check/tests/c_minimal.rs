//! What the checker says of examples/c-minimal, as `cargo xtask fixtures` builds it.
#![allow(clippy::unwrap_used)]

mod common;

use common::{found, impatient, report};
use mprapi::Profile;
use rasadmin_check::{Check, Outcome, Verdict};
use std::path::{Path, PathBuf};

fn built(platform: &str, suffix: &str) -> PathBuf {
    let root = std::env::var_os("RASADMIN_FIXTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/fixtures"), PathBuf::from);
    let path = root.join(platform).join(format!("c-minimal{suffix}"));
    assert!(path.is_file(), "{} is missing: run `cargo xtask fixtures`", path.display());
    path
}

/// The only finding: it assigns no addresses, which Windows NT 4.0 and 2000 require.
const NT4: [(Check, Outcome); 1] = [(Check::Nt4Requirements, Outcome::Warning)];

#[test]
fn it_passes_every_check_that_does_not_ask_for_addresses() {
    let (platform, suffix) = if cfg!(windows) { ("windows", ".dll") } else { ("native", ".so") };
    let report = report(&built(platform, suffix), &impatient());
    assert_eq!(found(&report), NT4);
    assert_eq!(report.profile(Profile::Shipping).unwrap().verdict, Verdict::Starts);
    assert_eq!(report.profile(Profile::Documented).unwrap().verdict, Verdict::Starts);
}

#[test]
fn its_windows_build_has_the_exports() {
    let report = report(&built("windows", ".dll"), &impatient());
    assert_eq!(found(&report), NT4);
    // On other systems it cannot run.
    let verdict = if cfg!(windows) { Verdict::Starts } else { Verdict::DependsOnRun };
    assert_eq!(report.profile(Profile::Documented).unwrap().verdict, verdict);
}
