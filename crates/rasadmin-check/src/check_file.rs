//! Checks one file.

use crate::check::Check;
use crate::dynamic;
use crate::error::CannotCheck;
use crate::image::{Format, Image};
use crate::options::Options;
use crate::report::{NotRun, Report};
use crate::statics::{self, Subject};
use rasadmin_text::shell_quoted;
use std::path::Path;

/// Checks one file.
///
/// # Errors
/// If the file does not exist or cannot be read; if it is a directory, pipe or device, or has 4 GiB or more; if its tables
/// are damaged; or if it is a native library for another machine. (RRAS's answer to any other file is known, so there is
/// a report.)
pub fn check(path: &Path, options: &Options) -> Result<Report, CannotCheck> {
    check_with(path, options, &mut |_| {})
}

/// Checks one file. `about_to` is called before each check that takes time.
///
/// # Errors
/// As [`check()`].
pub fn check_with(path: &Path, options: &Options, about_to: &mut dyn FnMut(Check)) -> Result<Report, CannotCheck> {
    let image = Image::read(path)?;
    let not_run = not_run(&image, path, options);
    let run = match &not_run {
        Some(not_run) => dynamic::skip_all(&not_run.why),
        None => dynamic::run(path, image.built_with_sdk, options, about_to),
    };
    let subject = Subject { image: &image, path, seen: run.exports, deciding: options.deciding() };
    let functions = subject.functions();
    let statics = statics::run(&subject, functions, options);
    let file = path.to_string_lossy().into_owned();
    Ok(Report::new(file, &image, functions, statics, run, not_run, options))
}

/// Why the dynamic checks do not run, if they do not.
fn not_run(image: &Image, path: &Path, options: &Options) -> Option<NotRun> {
    let why = |why: &str| Some(NotRun { why: why.into(), command: None });
    if options.static_only {
        return why("you chose the static checks only");
    }
    if !image.right_machine() {
        return why("neither this machine nor RRAS can load it");
    }
    if image.loads_here() {
        return None;
    }
    match image.format {
        Format::Pe => Some(NotRun {
            why: "a Windows DLL runs only on Windows or under Wine".into(),
            command: Some(format!("wine target/windows/rasadmin.exe check {}", shell_quoted(&path.to_string_lossy()))),
        }),
        Format::Elf | Format::Other => why("a native library runs only on Linux"),
    }
}
