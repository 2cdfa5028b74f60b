//! Starts a child process, watches it, and kills it at its deadline.

use super::ending::{Ending, Hint};
use super::job::{CHILD_SUBCOMMAND, Job};
use super::progress::{CANNOT_WRITE, ChildResult, Line, Start};
use crate::check::Check;
use crate::options::Options;
use mprapi::FunctionId;
use rasadmin_host::board::{BOARD_VARIABLE, Board};
use rasadmin_host::exception::Exit;
use rasadmin_host::scratch::Scratch;
use rasadmin_host::supervise::{Death, How, THREAD_IS_LAST};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the checker's own work in a child may take between two lines.
const OWN_WORK: Duration = Duration::from_secs(60);
/// How long a child may take to end after it has reported its result.
const ENDING: Duration = Duration::from_secs(5);
/// From this time on, it is checked whether the thread of a call still exists.
const THREAD_CHECK: Duration = Duration::from_millis(200);
/// How long a child may take to start and to load the DLL, besides the time of its check.
const STARTING: Duration = Duration::from_secs(10);

/// The variable that keeps rasadmin.dll from writing to the system's log: what a check provokes is not news.
const SYSTEM_LOG: &str = "RASADMIN_SYSTEM_LOG";

/// How a child ended.
#[derive(Debug)]
pub(super) enum End {
    /// The check came to its end. `more` are the results of other checks.
    Done { result: ChildResult, more: Vec<(Check, ChildResult)> },
    /// The process was killed, because its time was over.
    OutOfTime,
    /// The DLL ended the process, or kept it from going on.
    Died(Ending),
    /// The process was killed, because the checker's own work took this long.
    Idle(Duration),
    /// The checker panicked, with this message.
    Panicked(String),
    /// The process could not be started, or could not write its result. The text says why.
    Broken(String),
}

/// A child process that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub end: End,
    /// What it last reported that it was about to do.
    pub last: Option<Line>,
    /// The result of initialising, if it reported one.
    pub start: Option<Start>,
    /// Functions whose calls take long, and how long.
    pub slow: Vec<(FunctionId, Duration)>,
    /// An excerpt of its standard error: what the DLL itself wrote.
    pub output: Option<String>,
}

/// A running child. It is killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The name of the children's current directory, in the temporary folder.
pub(super) const CURRENT_DIRECTORY: &str = "current";

/// Runs a job to its end. `store` is the folder of rasadmin.dll's configuration and journal.
pub(super) fn run(job: &Job, temporary: &Scratch, store: &Scratch, options: &Options) -> Ended {
    let broken = |why: String| Ended { end: End::Broken(why), last: None, start: None, slow: Vec::new(), output: None };
    let program = match options.child.clone().map_or_else(std::env::current_exe, Ok) {
        Ok(program) => in_full(program),
        Err(e) => return broken(format!("this program's own path is unknown: {e}")),
    };
    // The file is created here, so that it can be opened for reading at once.
    let opened = File::create(&job.result).and_then(|_| File::open(&job.result));
    let result = match opened {
        Ok(file) => file,
        Err(e) => return broken(format!("cannot create the result file: {e}")),
    };
    let errors = temporary.path().join("stderr");
    let path = job.result.with_extension("board");
    let board = match Board::create(&path) {
        Ok(board) => board,
        Err(e) => return broken(format!("cannot create the file of the calls in progress: {e}")),
    };
    // RRAS's current directory is System32. The user's may have files that the DLL finds only there.
    let current = temporary.path().join(CURRENT_DIRECTORY);
    if let Err(e) = std::fs::create_dir_all(&current) {
        return broken(format!("cannot create the child's current directory: {e}"));
    }
    let mut command = Command::new(&program);
    command
        .arg(CHILD_SUBCOMMAND)
        .args(job.arguments())
        .current_dir(&current)
        // Temporary files of the DLL go to a folder that is deleted. rasadmin.dll gets its own configuration and journal: a
        // check on a live server must not touch the service's.
        .envs(["TMPDIR", "TMP", "TEMP"].map(|name| (name, temporary.path())))
        .envs(store.environment())
        .env(BOARD_VARIABLE, path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&errors).map_or_else(|_| Stdio::null(), Stdio::from));
    if std::env::var_os(SYSTEM_LOG).is_none() {
        command.env(SYSTEM_LOG, "off");
    }
    command.envs(options.environment.iter().map(|(name, value)| (name, value)));
    match spawn(&mut command) {
        Ok(child) => {
            let mut ended = watch(Running(child), result, &board, job.time, options);
            let text = std::fs::read(&errors).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            if let End::Died(Ending::Process { hint, .. }) = &mut ended.end {
                *hint = Hint::of(&text);
            }
            Ended { output: excerpt(&text), ..ended }
        }
        Err(e) => broken(format!("{} could not be started: {e}", program.display())),
    }
}

/// The program's path, so that it is found from another directory. A mere name is searched for in PATH.
fn in_full(program: PathBuf) -> PathBuf {
    let is_name = program.components().count() == 1;
    if is_name { program } else { std::path::absolute(&program).unwrap_or(program) }
}

/// Starts a program. Under Wine 8, one start in some hundreds fails without a reason (error 1359). No code of the DLL has
/// run by then, so this tries again.
fn spawn(command: &mut Command) -> std::io::Result<Child> {
    const TRIES: u32 = 3;
    for _ in 1..TRIES {
        match command.spawn() {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => std::thread::sleep(Duration::from_millis(200)),
            result => return result,
        }
    }
    command.spawn()
}

/// The most informative part of a program's standard error: the first panic or uncaught exception, else the last line. At
/// most 200 characters.
fn excerpt(text: &str) -> Option<String> {
    // This is Rust's runtime in the child, not the DLL.
    let ours = |line: &&str| line.starts_with("fatal runtime error:");
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !ours(line));
    let first = lines.clone().position(|line| line.contains(" panicked at ") || line.starts_with("terminate called"));
    let text = match first {
        // One line has the location or the type, the next the message.
        Some(at) => lines.skip(at).take(2).collect::<Vec<_>>().join(" "),
        None => lines.next_back()?.to_owned(),
    };
    Some(text.chars().filter(|&c| !rasadmin_text::is_unsafe(c)).take(200).collect())
}

/// The lines read so far.
struct Lines {
    file: File,
    unfinished: Vec<u8>,
    last: Option<Line>,
    start: Option<Start>,
    slow: Vec<(FunctionId, Duration)>,
    done: Option<(ChildResult, Vec<(Check, ChildResult)>)>,
    panic: Option<String>,
}

impl Lines {
    /// Reads new lines. Returns whether there were any bytes.
    fn read(&mut self) -> bool {
        let before = self.unfinished.len();
        if self.file.read_to_end(&mut self.unfinished).is_err() || self.unfinished.len() == before {
            return false;
        }
        while let Some(end) = self.unfinished.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.unfinished.drain(..=end).collect();
            match serde_json::from_slice(&line) {
                Ok(Line::Started(start)) => self.start = Some(start),
                Ok(Line::Slow { function, milliseconds }) => {
                    let id = FunctionId::from_name(&function);
                    self.slow.extend(id.map(|id| (id, Duration::from_millis(milliseconds))));
                }
                Ok(Line::Done { result, more }) => {
                    let check = |(id, result): (String, _)| Some((Check::from_id(&id)?, result));
                    self.done = Some((result, more.into_iter().filter_map(check).collect()));
                }
                Ok(Line::Panic { message }) => self.panic = Some(message),
                Ok(line) => self.last = Some(line),
                Err(_) => {}
            }
        }
        true
    }

    fn end(self, end: End) -> Ended {
        Ended { end, last: self.last, start: self.start, slow: self.slow, output: None }
    }
}

fn watch(mut child: Running, file: File, board: &Board, time: Duration, options: &Options) -> Ended {
    let mut lines =
        Lines { file, unfinished: Vec::new(), last: None, start: None, slow: Vec::new(), done: None, panic: None };
    let mut since = Instant::now();
    // The child itself ends in time, unless it is in a call.
    let latest = since + time + options.deadline + STARTING;
    let mut pause = Duration::from_millis(1);
    let mut thread_gone_since = None;
    let mut rest = || {
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    loop {
        let exited = child.0.try_wait();
        // This comes after `try_wait`, so that it reads all that an ended child has written.
        if lines.read() {
            since = Instant::now();
        }
        if matches!(exited, Ok(None)) && lines.done.is_none() && since.elapsed() > THREAD_CHECK {
            let calls = board.calls();
            if calls.iter().any(|call| board.has_lost_thread(call)) {
                if thread_gone_since.get_or_insert_with(Instant::now).elapsed() > THREAD_IS_LAST {
                    let death = Death::new(How::Thread, child.0.id(), calls, Some(board));
                    return lines.end(End::Died(Ending::ThreadEnded(death.exception)));
                }
                // Perhaps the process is ending.
                rest();
                continue;
            }
        }
        let in_dll = matches!(&lines.last, Some(Line::Call { .. } | Line::Loading | Line::Unloading));
        let limit = match in_dll {
            _ if lines.done.is_some() => ENDING,
            true => options.deadline,
            false => options.deadline.max(OWN_WORK),
        };
        let waited = since.elapsed();
        let status = match exited {
            Ok(Some(status)) => Some(status),
            Ok(None) if waited < limit => {
                if Instant::now() > latest && lines.done.is_none() {
                    return lines.end(End::OutOfTime);
                }
                rest();
                continue;
            }
            Ok(None) => None,
            Err(e) => return lines.end(End::Broken(format!("cannot watch the child process: {e}"))),
        };
        // A result counts even if the process crashed after it.
        let end = match (lines.done.take(), lines.panic.take(), status) {
            (Some((result, more)), _, _) => End::Done { result, more },
            (None, Some(message), _) => End::Panicked(message),
            (None, None, Some(status)) if status.code() == Some(CANNOT_WRITE) => {
                match &lines.last {
                    // Until then it could write.
                    Some(Line::Call { .. }) => End::Died(Ending::ClosedFiles),
                    _ => End::Broken("it could not write its result".into()),
                }
            }
            (None, None, Some(status)) if lines.last.is_none() => {
                End::Broken(format!("before it began, {}", Exit::of(status)))
            }
            (None, None, Some(status)) => End::Died(ending(Exit::of(status), child.0.id(), board)),
            (None, None, None) if in_dll => End::Died(Ending::Hung(limit)),
            (None, None, None) => End::Idle(limit),
        };
        return lines.end(end);
    }
}

/// What the calls in progress say about the end of the process.
fn ending(exit: Exit, process: u32, board: &Board) -> Ending {
    let death = Death::new(How::Process(exit), process, board.calls(), Some(board));
    Ending::Process { exit, exception: death.exception, in_own_thread: death.in_own_thread, hint: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_excerpt_is_the_first_panic_or_the_last_line() {
        let panic = "thread 'main' panicked at a.rs:1:2:\nno luck\nnote: run with\n\nthread panicked at b.rs:\nagain\n";
        assert_eq!(excerpt(panic).as_deref(), Some("thread 'main' panicked at a.rs:1:2: no luck"));
        assert_eq!(excerpt("one\ntwo\x07 \n\n").as_deref(), Some("two"));
        assert_eq!(excerpt("\n"), None);
        assert_eq!(excerpt("fatal runtime error: x\n"), None);
        let thrown = "terminate called after throwing an instance of 'X'\n  what():  no luck\n";
        assert_eq!(
            excerpt(thrown).as_deref(),
            Some("terminate called after throwing an instance of 'X' what():  no luck")
        );
        assert_eq!(excerpt(&"x".repeat(1000)).map(|text| text.len()), Some(200));
    }
}
