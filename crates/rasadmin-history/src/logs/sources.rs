//! Finds the logs that an administrator names: files, folders, patterns such as `IN*.log`, standard input.

use super::fault::Unreadable;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Stands for standard input.
pub const STANDARD_INPUT: &str = "-";

/// The files that are meant, each once, in the order in which they are named; and what means no file.
///
/// Neither `cmd.exe` nor PowerShell expands patterns for a program, so this does. A folder stands for the files in it,
/// without those of its subfolders.
pub fn find(named: &[PathBuf]) -> (Vec<PathBuf>, Vec<Unreadable>) {
    let (mut found, mut missing, mut known) = (Vec::new(), Vec::new(), HashSet::new());
    for path in named {
        match meant(path) {
            Ok(files) => found.extend(files.into_iter().filter(|file| known.insert(identity(file)))),
            Err(what) => missing.push(Unreadable::file(path, what)),
        }
    }
    (found, missing)
}

fn meant(path: &Path) -> Result<Vec<PathBuf>, String> {
    if path.as_os_str() == STANDARD_INPUT {
        return Ok(vec![path.to_owned()]);
    }
    if path.is_dir() {
        let files = files_of(path).map_err(|e| format!("this folder cannot be read: {e}"))?;
        return if files.is_empty() { Err("there is no file in this folder".to_owned()) } else { Ok(files) };
    }
    match path.to_str() {
        // The name of a file may contain brackets.
        Some(pattern) if !path.exists() && pattern.contains(['*', '?', '[']) => matching(pattern),
        // If it does not exist, opening it tells.
        _ => Ok(vec![path.to_owned()]),
    }
}

fn files_of(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn matching(pattern: &str) -> Result<Vec<PathBuf>, String> {
    let options = glob::MatchOptions {
        // As the file system compares.
        case_sensitive: !cfg!(windows),
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let paths = glob::glob_with(pattern, options).map_err(|e| format!("this is not a valid pattern: {}", e.msg))?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|e| format!("{} cannot be read: {}", e.path().display(), e.error()))?;
        if !path.is_dir() {
            files.push(path);
        }
    }
    if files.is_empty() { Err("no file has such a name".to_owned()) } else { Ok(files) }
}

/// The same for every way to name a file.
fn identity(file: &Path) -> PathBuf {
    std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(named: &[PathBuf]) -> (Vec<String>, Vec<String>) {
        let (found, missing) = find(named);
        let name = |file: &PathBuf| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (found.iter().map(name).collect(), missing.into_iter().map(|one| one.what).collect())
    }

    #[test]
    fn patterns_folders_and_files_each_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("IN2610.log")).unwrap();
        for name in ["IN2612.log", "IN2611.log", "notes.txt", "IN[1].log"] {
            std::fs::write(path(name), "").unwrap();
        }
        let all = ["IN2611.log", "IN2612.log", "IN[1].log", "notes.txt"].map(str::to_owned).to_vec();
        assert_eq!(names(&[folder.path().to_owned()]), (all, vec![]));
        assert_eq!(names(&[path("IN26*.log")]).0, ["IN2611.log", "IN2612.log"]);
        assert_eq!(names(&[path("IN261?.log"), path("IN2611.log")]).0, ["IN2611.log", "IN2612.log"]);
        assert_eq!(names(&[path("IN2612.log"), path("IN26*.log")]).0, ["IN2612.log", "IN2611.log"]);
        assert_eq!(names(&[path("IN[1].log")]).0, ["IN[1].log"]);
        assert_eq!(names(&["-".into(), "absent.log".into()]).0, ["-", "absent.log"]);
    }

    #[test]
    fn what_means_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let told = |name: &str| names(&[folder.path().join(name)]).1;
        assert_eq!(told("IN*.log"), ["no file has such a name"]);
        assert_eq!(told(""), ["there is no file in this folder"]);
        assert!(told("IN[.log")[0].starts_with("this is not a valid pattern: "), "{:?}", told("IN[.log"));
    }
}
