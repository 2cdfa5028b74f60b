//! Says of any admin DLL, in any language, whether Routing and Remote Access (RRAS) would start with it, and why not.
//!
//! ```no_run
//! use rasadmin_check::{Options, check};
//!
//! let report = check("vendor.dll".as_ref(), &Options::default())?;
//! print!("{}", report.render(100, false));
//! std::process::exit(report.exit_code());
//! # #[allow(unreachable_code)]
//! # Ok::<(), rasadmin_check::CannotCheck>(())
//! ```
//!
//! Every check is a variant of [`Check`]. The static ones read the file and never load it; the dynamic ones run it in
//! child processes: the program that uses this library calls [`child_main`] when its first argument is
//! [`CHILD_SUBCOMMAND`].
#![deny(unsafe_code)]

mod check;
mod counters;
mod dynamic;
mod error;
mod finding;
mod image;
mod lines;
mod list;
mod names;
mod options;
mod render;
mod report;
mod statics;
mod version;

pub use check::{Check, Kind};
pub use dynamic::child_main;
pub use error::CannotCheck;
pub use finding::{Culprit, Finding, Outcome, Problem};
pub use list::{ListReport, check_list};
pub use options::Options;
pub use report::{Facts, NotRun, ProfileVerdict, Report, Verdict};
pub use version::product_version;

use image::{Format, Image};
use std::path::Path;

/// The hidden subcommand that makes the program a child: see [`child_main`].
pub const CHILD_SUBCOMMAND: &str = "__check-child";

/// Checks one file.
///
/// # Errors
/// If there is nothing to check: no such file, a directory, no library, a truncated one, or a native library for another
/// machine. (A Windows DLL for another machine is checked, and fails.)
pub fn check(path: &Path, options: &Options) -> Result<Report, CannotCheck> {
    check_with(path, options, &mut |_| {})
}

/// Checks one file; `about_to` is told of each check that takes time before it runs.
///
/// # Errors
/// As [`check()`].
pub fn check_with(path: &Path, options: &Options, about_to: &mut dyn FnMut(Check)) -> Result<Report, CannotCheck> {
    let image = Image::read(path)?;
    let statics = statics::run(&image, path, options.deciding());
    let not_run = not_run(&image, path, options);
    let run = match &not_run {
        Some(not_run) => dynamic::skip_all(&not_run.why),
        None => dynamic::run(path, image.built_with_sdk, options, about_to),
    };
    let file = path.to_string_lossy().into_owned();
    Ok(Report::new(file, &image, statics, run, not_run, options))
}

/// Why the file is not run, if it is not.
fn not_run(image: &Image, path: &Path, options: &Options) -> Option<NotRun> {
    let why = |why: &str| Some(NotRun { why: why.into(), command: None });
    if options.static_only {
        return why("not asked for");
    }
    if !image.right_machine() {
        return why("it is not for this machine, and not for RRAS's");
    }
    if image.loads_here() {
        return None;
    }
    match image.format {
        Format::Pe => Some(NotRun {
            why: "a Windows DLL is run on Windows or under Wine".into(),
            command: Some(format!("wine target/windows/rasadmin.exe check {}", quoted(path))),
        }),
        Format::Elf => why("a native library is run on Linux"),
    }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    if !path.is_empty() && path.chars().all(plain) {
        path.into_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}
