//! Helpers to run programs, and the folders of the repository.

use crate::Result;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// The build folder.
pub fn target() -> PathBuf {
    root().join("target")
}

/// A path relative to the root, as you would type it there.
pub fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Runs a program in the root folder and shows its output.
pub fn run(command: &mut Command) -> Result {
    let status = command.current_dir(root()).status().map_err(|e| failed(command, &e))?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", described(command))) }
}

/// Runs a program and returns what it printed on standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.current_dir(root()).output().map_err(|e| failed(command, &e))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("{}: {}\n{stdout}{stderr}", described(command), output.status))
}

/// A program that runs in a folder. The functions here start everything in the root; this starts `env` there.
pub fn in_folder(program: &str, folder: &Path) -> Command {
    let mut command = Command::new("env");
    command.arg("-C").arg(folder).arg(program);
    command
}

/// Whether a file is newer than everything that it is made of. A source that does not exist counts for nothing.
pub fn newer_than(built: &Path, sources: impl IntoIterator<Item = PathBuf>) -> bool {
    let time = |path: &Path| std::fs::metadata(path).and_then(|m| m.modified()).ok();
    time(built) > sources.into_iter().filter_map(|source| time(&source)).max()
}

/// What is in a folder; nothing if it cannot be read.
pub fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// Runs a program in a folder; returns whether it succeeded, and both its outputs in the order they came.
pub fn logged(command: &mut Command, folder: &Path) -> Result<(bool, String)> {
    let (mut from, to) = std::io::pipe().map_err(|e| format!("cannot make a pipe: {e}"))?;
    let error = to.try_clone().map_err(|e| format!("cannot make a pipe: {e}"))?;
    let mut child = command.current_dir(folder).stdout(to).stderr(error).spawn().map_err(|e| failed(command, &e))?;
    // The command holds the pipe's writing ends; they must be closed for the reading to end.
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut text = Vec::new();
    from.read_to_end(&mut text).map_err(|e| format!("cannot read the output: {e}"))?;
    let status = child.wait().map_err(|e| e.to_string())?;
    Ok((status.success(), String::from_utf8_lossy(&text).into_owned()))
}

/// Creates a folder and those above it.
pub fn create(folder: &Path) -> Result {
    std::fs::create_dir_all(folder).map_err(|e| format!("cannot create {}: {e}", folder.display()))
}

/// Copies a file into a folder, under the same name.
pub fn copy_into(file: &Path, folder: &Path) -> Result {
    create(folder)?;
    let to = folder.join(file.file_name().unwrap_or_default());
    std::fs::copy(file, &to).map(drop).map_err(|e| format!("cannot copy {} to {}: {e}", file.display(), to.display()))
}

/// Returns whether a program is in `PATH`.
pub fn has(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
        std::env::split_paths(&path).any(|folder| folder.join(&name).is_file())
    })
}

/// The cargo that runs this program.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn described(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

fn failed(command: &Command, error: &std::io::Error) -> String {
    format!("cannot run {}: {error}", described(command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    #[test]
    fn a_file_is_newer_only_than_sources_that_are_all_older() {
        let folder = std::env::temp_dir().join(format!("xtask-newer-{}", std::process::id()));
        create(&folder).unwrap();
        let file = |name: &str, seconds: u64| {
            let path = folder.join(name);
            let file = std::fs::File::create(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
            path
        };
        let (old, built, new, missing) = (file("old", 1), file("built", 2), file("new", 3), folder.join("missing"));
        assert!(newer_than(&built, [old.clone(), missing.clone()]));
        assert!(!newer_than(&built, [old.clone(), new]));
        assert!(!newer_than(&built, [built.clone()]), "it may have been written before the source was changed again");
        assert!(!newer_than(&missing, [old]));
        assert_eq!(entries(&folder).count(), 3);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
