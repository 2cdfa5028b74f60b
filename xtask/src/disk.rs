//! Disk space: checked before the tests, so that they do not fail in the middle.

use crate::Result;
use crate::shell::{create, output, relative, target};
use std::path::Path;
use std::process::Command;

/// The size of `target` after all tests, in MB. [`summary`] prints what it was.
const WHOLE_BUILD: u64 = 11_500;
/// The space that the tests' own files need, in MB.
const TESTS: u64 = 1_000;

/// Fails if the disk has too little space for all tests. Without `df`, as on Windows, it checks nothing.
pub fn require_space() -> Result {
    let target = target();
    create(&target)?;
    let Some((free, disk)) = free(&target) else { return Ok(()) };
    if free < WHOLE_BUILD {
        let built = size(&target).unwrap_or(0);
        check(free, WHOLE_BUILD.saturating_sub(built), &relative(&target))?;
    }
    let temporary = std::env::temp_dir();
    match self::free(&temporary) {
        Some((free, other)) if other != disk => check(free, 0, &temporary.display().to_string()),
        _ => Ok(()),
    }
}

/// Compares free space with what is needed, both in MB.
fn check(free: u64, to_build: u64, folder: &str) -> Result {
    let needed = to_build.max(TESTS);
    if free >= needed {
        return Ok(());
    }
    Err(format!(
        "the disk of {folder} has {free} MB free, and the tests need {needed} MB: free {} MB more. `cargo clean` removes \
         earlier builds. With CARGO_INCREMENTAL=0 and CARGO_PROFILE_DEV_DEBUG=0 in the environment, a build is half as \
         large",
        needed - free
    ))
}

/// Free space in MB, and the mount point it is on.
fn free(folder: &Path) -> Option<(u64, String)> {
    let text = output(Command::new("df").arg("-Pk").arg(folder)).ok()?;
    parse(&text)
}

/// `df -Pk`: a heading, then device, size, used, available (KiB), capacity, mount point.
fn parse(text: &str) -> Option<(u64, String)> {
    let mut fields = text.lines().nth(1)?.split_whitespace();
    let free: u64 = fields.nth(3)?.parse().ok()?;
    Some((free / 1000, fields.nth(1)?.to_owned()))
}

/// The size of a folder in MB. A file with several names counts once.
fn size(folder: &Path) -> Option<u64> {
    let text = output(Command::new("du").arg("-sk").arg(folder)).ok()?;
    text.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib / 1000)
}

/// The size of `target` and of its folders, the largest first.
pub fn summary() -> Option<String> {
    let target = target();
    let mut folders: Vec<(u64, String)> = std::fs::read_dir(&target)
        .ok()?
        .flatten()
        .filter_map(|entry| Some((size(&entry.path())?, entry.file_name().to_string_lossy().into_owned())))
        .filter(|(size, _)| *size >= 50)
        .collect();
    folders.sort_by(|a, b| b.cmp(a));
    let parts: Vec<String> = folders.iter().map(|(size, name)| format!("{name} {size} MB")).collect();
    Some(format!("{} MB ({})", size(&target)?, parts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_read_from_df() {
        let text =
            "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 263000000 44000000 7500000 46% /\n";
        assert_eq!(parse(text), Some((7500, "/".to_owned())));
        assert_eq!(parse("df: no such file\n"), None);
    }

    #[test]
    fn too_little_space_says_how_much_and_what_to_do() {
        assert_eq!(check(6_100, 6_000, "target"), Ok(()));
        let message = check(2_500, 6_000, "target").unwrap_err();
        assert!(message.contains("2500 MB free") && message.contains("free 3500 MB more"), "{message}");
        // Files that exist already need no space again.
        assert_eq!(check(2_500, 1_200, "target"), Ok(()));
        assert!(check(900, 0, "/tmp").is_err());
    }
}
