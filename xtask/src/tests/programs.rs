//! Test programs for Windows, run one by one from a queue that several threads share.
//!
//! `cargo test` runs one program after the other. Under Wine that leaves a core idle, for most of them wait for Wine's
//! server. So each thread has a Wine prefix, and with it a server, of its own.

use super::results::value;
use crate::shell::{logged, root};
use crate::{Result, windows};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

/// The test programs that take minutes under Wine. They begin first: the last of all would run alone.
const LONG: [&str; 7] = [
    "tests/check.rs",
    "tests/defects.rs",
    "tests/fixtures.rs",
    "tests/windows_service.rs",
    "tests/install.rs",
    "tests/beside_a_day.rs",
    "tests/serve_as_service.rs",
];

/// One test program, or the doc tests.
pub struct Program {
    /// The line that `cargo test` prints before the program's own output.
    heading: Option<String>,
    command: Command,
}

impl Program {
    /// A command of cargo's that prints the headings itself.
    pub fn of_cargo(command: Command) -> Self {
        Self { heading: None, command }
    }

    /// Whether it is one of those that take minutes.
    pub fn is_long(&self) -> bool {
        self.heading.as_deref().is_some_and(|heading| LONG.iter().any(|source| heading.contains(source)))
    }

    /// A test program, from a line that `cargo test --no-run --message-format=json` prints.
    pub fn built(line: &str) -> Option<Self> {
        let (source, file, folder) = parse(line)?;
        let mut command = windows::program(&file);
        command.arg("--include-ignored").env("CARGO_MANIFEST_DIR", &folder).current_dir(&folder);
        Some(Self { heading: Some(format!("     Running {source} ({file})")), command })
    }
}

/// The source, the file, and the package's folder of a test program.
fn parse(line: &str) -> Option<(String, String, PathBuf)> {
    // The target says whether it has tests, the profile whether they are what was built.
    let profile = line.split_once("\"profile\":{")?.1.split_once('}')?.0;
    if value(line, "reason")? != "compiler-artifact" || !profile.contains("\"test\":true") {
        return None;
    }
    let folder = Path::new(value(line, "manifest_path")?).parent()?;
    let source = Path::new(value(line, "src_path")?).strip_prefix(folder).ok()?;
    Some((source.display().to_string(), value(line, "executable")?.to_owned(), folder.to_owned()))
}

/// Programs that wait for a thread to run them.
pub struct Queue {
    sender: Mutex<Option<Sender<Program>>>,
    waiting: Mutex<Receiver<Program>>,
}

impl Queue {
    pub fn new() -> Self {
        let (sender, waiting) = channel();
        Self { sender: Mutex::new(Some(sender)), waiting: Mutex::new(waiting) }
    }

    /// Adds programs, the first and last ones: threads that wait for more go on, or end. Later calls add nothing.
    pub fn fill(&self, programs: impl IntoIterator<Item = Program>) {
        if let Some(sender) = lock(&self.sender).take() {
            for program in programs {
                // The receiver lives as long as the queue.
                let _ = sender.send(program);
            }
        }
    }

    /// Ends the queue if nobody has filled it when the answer is dropped, be it by an error or a panic.
    pub fn end_when_dropped(&self) -> End<'_> {
        End(self)
    }

    /// Runs programs in a Wine prefix until none is left; returns whether all succeeded, and what they printed.
    pub fn run(&self, prefix: &Path) -> Result<(bool, String)> {
        let (mut ok, mut text) = (true, String::new());
        while let Some(Program { heading, mut command }) = self.next() {
            super::test_environment(&mut command).env("WINEPREFIX", prefix);
            let folder = command.get_current_dir().map_or_else(root, Path::to_path_buf);
            let (succeeded, printed) = logged(&mut command, &folder)?;
            ok &= succeeded;
            text.extend(heading.into_iter().chain([printed, String::new()]).flat_map(|part| [part, "\n".to_owned()]));
        }
        Ok((ok, text))
    }

    fn next(&self) -> Option<Program> {
        lock(&self.waiting).recv().ok()
    }
}

/// Ends its queue when it is dropped.
pub struct End<'a>(&'a Queue);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.fill([]);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::TryRecvError;

    fn line(test: bool) -> String {
        format!(
            "{{\"reason\":\"compiler-artifact\",\"package_id\":\"path+file:///a/crates/rasadmin-cli#0.1.0\",\
             \"manifest_path\":\"/a/crates/rasadmin-cli/Cargo.toml\",\"target\":{{\"kind\":[\"test\"],\"name\":\"guide\",\
             \"src_path\":\"/a/crates/rasadmin-cli/tests/guide.rs\",\"edition\":\"2024\",\"test\":true}},\
             \"profile\":{{\"opt_level\":\"3\",\"test\":{test}}},\"features\":[],\
             \"executable\":\"/a/target/guide-0123.exe\",\"fresh\":true}}"
        )
    }

    #[test]
    fn only_test_programs_are_taken_from_what_cargo_prints() {
        let expected =
            ("tests/guide.rs".to_owned(), "/a/target/guide-0123.exe".to_owned(), "/a/crates/rasadmin-cli".into());
        assert_eq!(parse(&line(true)), Some(expected));
        assert_eq!(parse(&line(false)), None, "a program that the tests run");
        assert_eq!(parse("{\"reason\":\"build-finished\",\"success\":true}"), None);
    }

    #[test]
    fn a_queue_gives_each_program_once_and_then_ends() {
        let queue = Queue::new();
        let taken = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..2).map(|_| scope.spawn(|| std::iter::from_fn(|| queue.next()).count())).collect();
            queue.fill((0..7).map(|_| Program::of_cargo(Command::new("true"))));
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(taken, 7);
    }

    #[test]
    fn a_queue_ends_when_the_thread_that_should_fill_it_panics() {
        let queue = Queue::new();
        let filling = || {
            let _end = queue.end_when_dropped();
            panic!("before the queue is filled");
        };
        assert!(std::thread::scope(|scope| scope.spawn(filling).join()).is_err());
        assert_eq!(lock(&queue.waiting).try_recv().err(), Some(TryRecvError::Disconnected));
    }

    #[test]
    fn a_queue_that_is_filled_keeps_its_programs() {
        let queue = Queue::new();
        let end = queue.end_when_dropped();
        queue.fill([Program::of_cargo(Command::new("true"))]);
        drop(end);
        assert_eq!(std::iter::from_fn(|| queue.next()).count(), 1);
    }
}
