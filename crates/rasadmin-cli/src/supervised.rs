//! A command that runs DLLs runs again in a child process. The DLLs may crash that process, end it, close its files or
//! never return: this process watches it, and always has the last word.
//!
//! What the child wants to tell goes into files, which the parent passes on. The child's standard streams are the DLLs'.

use crate::error::{CommandError, Exit, Kind, Result};
use crate::output::{Output, note};
use crate::scratch::{Keep, is_scratch, prepare};
use crate::warning;
use rasadmin_host::board::{self, Progress};
use rasadmin_host::scratch::Scratch;
use rasadmin_host::supervise::{self, Death, Ended, supervise};
use rasadmin_system::{places, system_log};
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Set in the child: the folder with the files that it shares with its parent.
const INSIDE: &str = "RASADMIN_HOST_INSIDE";

/// The recorder example's file. Its path is made absolute, because the child has another current directory.
const RECORDER_TRACE: &str = "RASADMIN_TRACE";

/// The exit code if a DLL ended its process, or did not return.
pub const DLL_DIED: u8 = 3;

/// What a DLL printed is quoted up to this many lines.
const QUOTED_LINES: usize = 10;

/// The files in the folder that parent and child share.
mod files {
    pub const ANSWER: &str = "answer";
    pub const MESSAGES: &str = "messages";
    pub const PRINTED: &str = "printed";
    pub const BOARD: &str = "board";
    pub const CURRENT_DIRECTORY: &str = "current-directory";
}

/// The side of the child.
pub struct Inside {
    shared: PathBuf,
    /// The scratch folder.
    pub scratch: PathBuf,
}

impl Inside {
    /// If this process is the child of a command that runs DLLs. Setting one variable by hand is not enough to get past the
    /// other.
    pub fn of_environment() -> Option<Self> {
        let (shared, scratch) = (places::variable(INSIDE)?, is_scratch()?);
        shared.join(files::BOARD).is_file().then_some(Self { shared, scratch })
    }

    /// From now on, the parent sees how this process ends.
    pub fn join(&self) -> std::io::Result<()> {
        supervise::join()
    }

    /// Where the answer goes.
    pub fn answer(&self) -> std::io::Result<File> {
        File::create(self.shared.join(files::ANSWER))
    }

    /// Where messages go.
    pub fn messages(&self) -> std::io::Result<File> {
        File::options().append(true).create(true).open(self.shared.join(files::MESSAGES))
    }

    /// Goes to an empty current directory, because a DLL must not depend on it. (RRAS's is System32.)
    pub fn leave_current_directory(&self) -> Result<()> {
        let empty = self.shared.join(files::CURRENT_DIRECTORY);
        std::env::set_current_dir(&empty).map_err(|e| CommandError::file(&empty, e))
    }
}

/// The child has told its parent everything, and ends with this exit code.
pub fn finish(code: u8) {
    board::finish(code);
}

/// How the child ended.
pub enum Outcome {
    /// It did its work. The answer and the messages are still to be passed on.
    Finished(u8),
    /// A DLL ended it.
    Died(Box<Death>),
}

/// A child that has ended, and what it left.
pub struct Supervised {
    pub outcome: Outcome,
    shared: tempfile::TempDir,
    // The DLLs' files are deleted after everything else.
    _scratch: Scratch,
}

/// Runs this command again in a process in which a call may take no longer than `deadline`. `more` are variables for it.
pub fn run_again(
    keep: &Keep,
    config: Option<&Path>,
    deadline: Duration,
    more: &[(&str, OsString)],
    tick: &mut dyn FnMut(Progress),
) -> Result<Supervised> {
    let scratch = prepare(keep, config)?;
    let failed = |e: std::io::Error| CommandError::new(Kind::System, format!("cannot run this program again: {e}"));
    let shared = tempfile::Builder::new().prefix("rasadmin-run-").tempdir().map_err(failed)?;
    let file = |name: &str| shared.path().join(name);
    std::fs::create_dir(file(files::CURRENT_DIRECTORY)).map_err(failed)?;
    let printed = File::create(file(files::PRINTED)).map_err(failed)?;
    let mut command = Command::new(crate::scratch::this_program()?);
    command.args(std::env::args_os().skip(1)).envs(scratch.environment()).env(INSIDE, shared.path());
    if std::env::var_os(system_log::VARIABLE).is_none() {
        command.env(system_log::VARIABLE, "off");
    }
    if let Some(trace) = places::variable(RECORDER_TRACE) {
        command.env(RECORDER_TRACE, crate::context::absolute(&trace)?);
    }
    command.envs(more.iter().map(|(name, value)| (name, value)));
    command.stderr(Stdio::from(printed.try_clone().map_err(failed)?)).stdout(Stdio::from(printed));
    let outcome = match supervise(command, &file(files::BOARD), deadline, tick).map_err(failed)? {
        Ended::Finished(code) => Outcome::Finished(code),
        Ended::Died(death) => Outcome::Died(death),
    };
    Ok(Supervised { outcome, shared, _scratch: scratch })
}

impl Supervised {
    /// Passes on what the child answered and told, and what the DLLs printed and left.
    pub fn pass_on(&self, code: u8, out: &mut Output) -> Result {
        if let Ok(mut answer) = File::open(self.file(files::ANSWER)) {
            std::io::copy(&mut answer, out.bytes()).map_err(|e| CommandError::output(&e))?;
        }
        out.flush()?;
        self.pass_on_messages();
        self.tell_of_dlls();
        Ok(Exit::Code(code))
    }

    /// The child's answer, for an answer of our own.
    pub fn answer(&self) -> Vec<u8> {
        std::fs::read(self.file(files::ANSWER)).unwrap_or_default()
    }

    /// Passes on the child's messages.
    pub fn pass_on_messages(&self) {
        if let Ok(messages) = std::fs::read_to_string(self.file(files::MESSAGES)) {
            messages.lines().for_each(|line| note(format_args!("{line}")));
        }
    }

    /// Tells what the DLLs printed, and which files they left in the current directory.
    pub fn tell_of_dlls(&self) {
        let (lines, more) = self.printed();
        if !lines.is_empty() {
            note(format_args!("note: the DLLs printed this:"));
            lines.iter().for_each(|line| note(format_args!("  | {line}")));
            if more > 0 {
                note(format_args!("  … and {more} more lines"));
            }
        }
        let left = self.left_files();
        if !left.is_empty() {
            warning!(
                "the DLLs wrote into the current directory, which is System32 for RRAS: {}. Use full paths.",
                left.join(", ")
            );
        }
    }

    /// The first lines that the DLLs printed, and how many more there are.
    pub fn printed(&self) -> (Vec<String>, usize) {
        let mut bytes = Vec::new();
        if let Ok(file) = File::open(self.file(files::PRINTED)) {
            // What cannot be read is not quoted.
            let _ = file.take(1 << 20).read_to_end(&mut bytes);
        }
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let quoted = lines.iter().take(QUOTED_LINES).map(|line| line.chars().take(200).collect());
        (quoted.collect(), lines.len().saturating_sub(QUOTED_LINES))
    }

    fn left_files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.file(files::CURRENT_DIRECTORY));
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names.truncate(5);
        names
    }

    fn file(&self, name: &str) -> PathBuf {
        self.shared.path().join(name)
    }
}
