//! Running the command and saying everything when it does not do what was expected.
#![allow(dead_code)] // Each test file uses a part.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A DLL of the workspace, built beside the command.
pub fn built(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_rasadmin")).parent().map(Path::to_path_buf).unwrap_or_default();
    let file = format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let path = folder.join(file);
    assert!(path.is_file(), "{} is missing: run `cargo build --workspace` (`cargo xtask test` does)", path.display());
    path
}

/// The product.
pub fn product() -> PathBuf {
    built("rasadmin")
}

/// The example DLL that rejects: everyone by default, or whom RASADMIN_REJECT names.
pub fn reject() -> PathBuf {
    built("reject")
}

pub fn office_day() -> PathBuf {
    root().join("examples/office-day.scenario")
}

/// The admin DLLs in C for this platform.
pub fn fixtures() -> PathBuf {
    let folder = std::env::var_os("RASADMIN_FIXTURES").map_or(root().join("target/fixtures"), PathBuf::from);
    let folder = folder.join(if cfg!(windows) { "windows" } else { "native" });
    assert!(folder.is_dir(), "{} is missing: run `cargo xtask fixtures`", folder.display());
    folder
}

/// What a command did.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    told: String,
}

/// Runs `rasadmin` with the product's log in a folder of its own.
pub fn rasadmin<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(arguments: I) -> Ran {
    rasadmin_with(arguments, &[])
}

/// As [`rasadmin`], with environment variables.
pub fn rasadmin_with<I, S>(arguments: I, environment: &[(&str, &str)]) -> Ran
where
    I: IntoIterator<Item = S>,
    S: AsRef<std::ffi::OsStr>,
{
    program_with(Path::new(env!("CARGO_BIN_EXE_rasadmin")), arguments, environment)
}

/// As [`rasadmin_with`], with a copy of the command.
pub fn program_with<I, S>(program: &Path, arguments: I, environment: &[(&str, &str)]) -> Ran
where
    I: IntoIterator<Item = S>,
    S: AsRef<std::ffi::OsStr>,
{
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter().copied());
    ran(command)
}

/// As [`rasadmin`], with this current directory.
pub fn rasadmin_in<I, S>(folder: &Path, arguments: I) -> Ran
where
    I: IntoIterator<Item = S>,
    S: AsRef<std::ffi::OsStr>,
{
    let mut command = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
    command.args(arguments).current_dir(folder);
    ran(command)
}

fn ran(mut command: Command) -> Ran {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // `watch cargo test` sets it.
    if !command.get_envs().any(|(name, _)| name == "COLUMNS") {
        command.env_remove("COLUMNS");
    }
    if !command.get_envs().any(|(name, _)| name == "RASADMIN_LOG") {
        command.env("RASADMIN_LOG", folder.path().join("rasadmin.log"));
    }
    let Output { status, stdout, stderr } = output(&mut command);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
    let (stdout, stderr) = (text(stdout), text(stderr));
    let told = format!("{command:?}\n{status}\n--- standard output\n{stdout}\n--- standard error\n{stderr}");
    Ran { code: status.code(), stdout, stderr, told }
}

/// Runs a command. Wine 8 fails to start about one of 500 processes that start at once, with this error: then again.
fn output(command: &mut Command) -> Output {
    const ERROR_INTERNAL_ERROR: i32 = 1359;
    for _ in 0..2 {
        match command.output() {
            Err(e) if cfg!(windows) && e.raw_os_error() == Some(ERROR_INTERNAL_ERROR) => {}
            result => return result.expect("rasadmin runs"),
        }
    }
    command.output().expect("rasadmin runs")
}

impl Ran {
    /// It must have ended with this code.
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.told);
        self
    }

    /// Its standard output must have this in it.
    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "expected `{text}`\n{}", self.told);
        self
    }

    /// Its standard error must have this in it.
    #[track_caller]
    pub fn complains(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "expected `{text}`\n{}", self.told);
        self
    }

    /// Its standard output, as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}\n{}", self.told))
    }
}

/// Words of a command line.
pub fn words<const N: usize>(words: [&dyn AsRef<std::ffi::OsStr>; N]) -> Vec<std::ffi::OsString> {
    words.iter().map(|word| word.as_ref().to_owned()).collect()
}

/// Far more than any wait in these tests takes.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Asks for something until it is as expected, such as `rasadmin status --json`.
pub fn until(ask: impl Fn() -> serde_json::Value, expected: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = ask();
        if expected(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "{answer:#}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
