//! A command that runs DLLs runs again in a child process. The DLLs may crash that process, end it, close its files or
//! never return: this process watches it, and always has the last word.
//!
//! What the child wants to tell goes into files, which the parent passes on. The child's standard streams are the DLLs'.

use crate::error::{CommandError, Exit, Kind, Result};
use crate::interrupt;
use crate::output::{Output, note};
use crate::scratch::{Keep, is_scratch, prepare};
use crate::warning;
use rasadmin_host::board::Progress;
use rasadmin_host::scratch::Scratch;
use rasadmin_host::supervise::{self, Death, Ended, supervise};
use rasadmin_system::{places, system_log};
use std::ffi::OsString;
use std::io::{PipeReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Set in the child: the folder with the files that it shares with its parent.
const INSIDE: &str = "RASADMIN_HOST_INSIDE";

/// The recorder example's file. Its path is made absolute, because the child has another current directory.
const RECORDER_TRACE: &str = "RASADMIN_TRACE";

/// The exit code if a DLL ended its process, or did not return.
pub const DLL_DIED: u8 = 3;

/// What a DLL printed is quoted up to this many lines.
const QUOTED_LINES: usize = 10;
/// No more of it is kept than this many bytes.
const KEPT_BYTES: usize = 1 << 16;

/// The files in the folder that parent and child share.
mod files {
    pub const ANSWER: &str = "answer";
    pub const MESSAGES: &str = "messages";
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

    /// Where messages go.
    pub fn messages(&self) -> PathBuf {
        self.shared.join(files::MESSAGES)
    }

    /// Leaves the answer to the parent, and tells it that this is the end.
    pub fn finish(&self, code: u8, answer: &[u8]) {
        let written = std::fs::write(self.shared.join(files::ANSWER), answer);
        // The parent looks at the file's length. If it cannot be written, one that no file has says so.
        supervise::finish(code, if written.is_ok() { answer.len() as u64 } else { u64::MAX });
    }

    /// Goes to an empty current directory, because a DLL must not depend on it. (RRAS's is System32.)
    pub fn leave_current_directory(&self) -> Result<()> {
        let empty = self.shared.join(files::CURRENT_DIRECTORY);
        std::env::set_current_dir(&empty).map_err(|e| CommandError::file(&empty, e))
    }
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
    printed: Printed,
    shared: tempfile::TempDir,
    // The DLLs' files are deleted after everything else.
    _scratch: Scratch,
}

/// What the DLLs have printed: its beginning, and how much more there was.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<(Vec<u8>, usize)>>);

impl Printed {
    /// Reads all of it, so that no DLL waits for a reader, and keeps the beginning. The thread ends when the last process
    /// that has the pipe ends.
    fn collect(&self, mut from: PipeReader) -> JoinHandle<()> {
        let printed = self.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                let (kept, lines) = &mut *printed.0.lock().unwrap_or_else(PoisonError::into_inner);
                let room = KEPT_BYTES.saturating_sub(kept.len()).min(read);
                kept.extend_from_slice(&buffer[..room]);
                *lines += buffer[room..read].iter().filter(|&&byte| byte == b'\n').count();
            }
        })
    }

    /// The first lines, and how many more there are.
    fn lines(&self) -> (Vec<String>, usize) {
        let (kept, more) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(kept);
        let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let quoted = lines.iter().take(QUOTED_LINES).map(|line| line.chars().take(200).collect());
        (quoted.collect(), lines.len().saturating_sub(QUOTED_LINES) + more)
    }
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
    let (from, to) = std::io::pipe().map_err(failed)?;
    let printed = Printed::default();
    let collected = printed.collect(from);
    interrupt::catch();
    let mut command = Command::new(crate::scratch::this_program()?);
    command.args(std::env::args_os().skip(1)).envs(scratch.environment()).env(INSIDE, shared.path());
    if std::env::var_os(system_log::VARIABLE).is_none() {
        command.env(system_log::VARIABLE, "off");
    }
    if let Some(trace) = places::variable(RECORDER_TRACE) {
        command.env(RECORDER_TRACE, crate::context::absolute(&trace)?);
    }
    command.envs(more.iter().map(|(name, value)| (name, value)));
    command.stderr(to.try_clone().map_err(failed)?).stdout(to);
    let mut look = |progress| {
        tick(progress);
        if interrupt::came() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let outcome = match supervise(command, &file(files::BOARD), deadline, &mut look).map_err(failed)? {
        Ended::Finished { code, answer } => {
            let whole = std::fs::metadata(file(files::ANSWER)).is_ok_and(|found| found.len() == answer);
            // An error has messages instead of an answer.
            let is_error = code == 2 && file(files::MESSAGES).is_file();
            if !whole && !is_error {
                return Err(answer_lost());
            }
            Outcome::Finished(code)
        }
        Ended::Died(death) => Outcome::Died(death),
        Ended::Stopped => return Err(CommandError::new(Kind::Interrupted, "interrupted")),
    };
    // What was printed last may still be in the pipe. A process that a DLL has left behind may hold it open for ever.
    for _ in 0..100 {
        if collected.is_finished() {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(Supervised { outcome, printed, shared, _scratch: scratch })
}

fn answer_lost() -> CommandError {
    CommandError::new(Kind::Dll, "the answer of the process of the DLLs is missing or damaged").hint(
        "a DLL may have deleted or changed files in the folder for temporary files, or its disk is full: run one DLL at \
         a time to see which",
    )
}

impl Supervised {
    /// Passes on what the child answered and told, and what the DLLs printed and left.
    pub fn pass_on(&self, code: u8, out: &mut Output) -> Result {
        out.bytes().write_all(&self.answer()).map_err(|e| CommandError::output(&e))?;
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
        self.printed.lines()
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
