//! Watches the process of the DLLs: a DLL may crash it, end it, or never return.

use crate::board::{self, BOARD_VARIABLE, Board, CallInProgress, Progress, Step};
use crate::exception::{Exception, Exit};
use crate::process_tree::{ProcessTree, end_own_tree};
use crate::standard_streams;
use mprapi::contract::ArgumentType;
use std::fmt;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a process may do something else than calling DLLs without any progress: during the scenario, and before and
/// after it, when it reads and sums up.
const IDLE: Duration = Duration::from_secs(60);
const IDLE_AT_REST: Duration = Duration::from_secs(600);
/// How long a process may take to end after its work is done.
const ENDING: Duration = Duration::from_secs(5);
/// From this age on, it is checked whether the thread of a call still exists.
const THREAD_CHECK: Duration = Duration::from_millis(200);
/// How long a process may take to end after its threads. On a busy computer it takes seconds.
pub const THREAD_IS_LAST: Duration = Duration::from_secs(8);

/// How the process of the DLLs ended.
#[derive(Clone, Debug)]
pub enum Ended {
    /// It did its work.
    Finished {
        /// Its exit code.
        code: u8,
        /// The length of the answer that it has left, in bytes.
        answer: u64,
    },
    /// A DLL ended it, or kept it from going on.
    Died(Box<Death>),
    /// The caller wanted it to end.
    Stopped,
}

/// What a DLL did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The process ended.
    Process(Exit),
    /// The call ended its thread, so it never returns.
    Thread,
    /// The call did not return within this time.
    Hung(Duration),
    /// Nothing happened for this long, although no call was in progress.
    Idle(Duration),
}

/// The end of a process of DLLs.
#[derive(Clone, Debug)]
pub struct Death {
    /// What happened.
    pub how: How,
    /// The call in which it happened. None if no call was in progress, or more than one and none of them stands out.
    pub call: Option<CallInProgress>,
    /// The other calls that were in progress.
    pub others: Vec<CallInProgress>,
    /// The exception that explains it, if there was one.
    pub exception: Option<Exception>,
    /// Whether that was in a thread that the DLL had started, not in a call.
    pub in_own_thread: bool,
    /// How far the run had come.
    pub progress: Progress,
}

impl Death {
    /// `how` happened to this process while these calls were in progress.
    pub fn new(how: How, process: u32, mut calls: Vec<CallInProgress>, board: Option<&Board>) -> Self {
        // The last call with an exception, or else the only one.
        let failed = calls.iter().enumerate().filter(|(_, call)| call.exception.is_some() || call.left_by_exception);
        let at = failed.max_by_key(|(_, call)| call.number).map(|(at, _)| at).or((calls.len() == 1).then_some(0));
        let call = at.map(|at| calls.remove(at));
        let explains = |exception: &Exception| match how {
            How::Process(_) => true,
            // What handles a stack overflow has little of it left. If it needs more, only the thread ends.
            How::Thread => exception.is_stack_overflow(),
            How::Hung(_) | How::Idle(_) => false,
        };
        let of_call = call.and_then(|call| call.exception).filter(explains);
        // An exception that was handled explains no exit.
        let died = matches!(how, How::Process(Exit::Exception(_)));
        let stray = board.and_then(|board| board.stray_exception_of(process)).filter(|_| died && of_call.is_none());
        let in_own_thread = stray.is_some();
        let progress = board.map(Board::progress).unwrap_or_default();
        Self { how, call, others: calls, exception: of_call.or(stray), in_own_thread, progress }
    }

    /// Where it happened, such as `in MprAdminAcceptNewLink`.
    pub fn place(&self) -> String {
        if self.in_own_thread {
            return match self.call.map(|call| call.step) {
                Some(Step::Call(function)) => format!("in a thread of its own during {function}"),
                _ => "in a thread of its own".into(),
            };
        }
        match self.call.map(|call| call.step) {
            Some(Step::Load) => "while it was loaded".into(),
            Some(Step::Unload) => "while it was unloaded".into(),
            // Another thread of the DLL may have done it.
            Some(Step::Call(function)) if !self.is_certain() => format!("during {function}"),
            Some(Step::Call(function)) => format!("in {function}"),
            None if self.others.is_empty() => "between calls".into(),
            None => {
                let names = self.others.iter().map(|call| match call.step {
                    Step::Load => "loading".to_owned(),
                    Step::Unload => "unloading".to_owned(),
                    Step::Call(function) => function.to_string(),
                });
                format!("in one of {}", names.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Whether it certainly happened in the call, and not in another thread.
    fn is_certain(&self) -> bool {
        let by_exception = self.call.is_some_and(|call| call.exception.is_some() || call.left_by_exception);
        by_exception || !matches!(self.how, How::Process(_))
    }

    /// The DLL, if there is only one that it can have been.
    pub fn dll(&self) -> Option<usize> {
        let mut dlls = self.call.iter().chain(&self.others).map(|call| call.dll);
        let first = dlls.next()?;
        (self.call.is_some() || dlls.all(|dll| dll == first)).then_some(first)
    }

    /// What happened, as short as it can be told, and the same in every run: without addresses.
    pub fn summary(&self) -> String {
        match (self.how, self.exception) {
            (How::Process(Exit::Exception(_)) | How::Thread, Some(exception)) => exception.name(),
            _ => self.to_string(),
        }
    }

    /// The argument past whose end the DLL accessed memory.
    pub fn argument(&self) -> Option<ArgumentType> {
        let call = self.call?;
        let Step::Call(function) = call.step else { return None };
        Some(function.row().arguments.get(call.argument?)?.ty)
    }
}

/// What happened, without the place: `it did not return within 10 seconds`.
impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.how, self.exception) {
            (How::Process(exit @ Exit::Code(_)), Some(exception)) => {
                write!(f, "{exit}, after this exception in the same call: {}", exception.before())?;
            }
            (How::Process(_), _) if self.call.is_some_and(|call| call.left_by_exception) => {
                f.write_str("an exception left the function, as one of C++ does that nothing catches")?;
            }
            (How::Process(_), Some(exception)) => write!(f, "{exception}")?,
            (How::Process(exit), None) => write!(f, "{exit}")?,
            (How::Thread, Some(exception)) => write!(f, "{exception}; its thread ended, so the call never returns")?,
            (How::Thread, None) => f.write_str("its thread ended, as after ExitThread, so the call never returns")?,
            (How::Hung(after), _) => write!(f, "it did not return within {} s", after.as_secs_f32())?,
            (How::Idle(after), _) => write!(f, "nothing happened for {} s", after.as_secs_f32())?,
        }
        match self.argument() {
            Some(ArgumentType::UserName) => f.write_str(", just past the end of the user's name"),
            Some(ArgumentType::PortName) => f.write_str(", just past the end of the port's name"),
            Some(argument) => write!(f, ", just past the end of the {}", argument.c_type().trim_end_matches(" *")),
            None => Ok(()),
        }
    }
}

/// Runs `command`, whose process must call [`join`] and [`finish`], until it ends or a call does not return within
/// `deadline`. `board` is the path of the file to share. `tick` is called some times a second; if it breaks, the process is
/// ended.
///
/// Nothing that the process has started is left behind. (On Unix, what leaves its process group is.)
///
/// # Errors
/// If the process or the board cannot be made or watched.
pub fn supervise(
    mut command: Command,
    board: &Path,
    deadline: Duration,
    tick: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> io::Result<Ended> {
    let shared = Board::create(board)?;
    // The pipe is closed when this process ends, however it ends. Then the child ends, too.
    command.env(BOARD_VARIABLE, board).stdin(Stdio::piped());
    let mut tree = ProcessTree::spawn(&mut command)?;
    let process = tree.child.id();
    let mut watch =
        Watch { seen: Vec::new(), without_thread: None, progress: Progress::default(), since: Instant::now() };
    let mut pause = Duration::from_millis(1);
    let mut finished_at = None;
    let died = |how, calls| Ok(Ended::Died(Box::new(Death::new(how, process, calls, Some(&shared)))));
    loop {
        let exited = tree.child.try_wait()?;
        // After `try_wait`, so that it sees all that an ended process did.
        if let Some(code) = shared.finished() {
            let since = finished_at.get_or_insert_with(Instant::now);
            if exited.is_some() || since.elapsed() > ENDING {
                return Ok(Ended::Finished { code, answer: shared.answer_length() });
            }
        } else if let Some(status) = exited {
            let calls = shared.calls().into_iter().filter(|call| call.process == process);
            return died(How::Process(Exit::of(status)), calls.collect());
        } else if let Some((how, call)) = watch.look(&shared, deadline) {
            return died(how, call.into_iter().collect());
        }
        if tick(shared.progress()).is_break() {
            return Ok(Ended::Stopped);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// The calls that were in progress at the last look, and since when.
struct Watch {
    seen: Vec<(u64, Instant)>,
    /// A call whose thread does not exist any more, and since when.
    without_thread: Option<(u64, Instant)>,
    progress: Progress,
    since: Instant,
}

impl Watch {
    /// Whether a call is too old, or cannot return.
    fn look(&mut self, board: &Board, deadline: Duration) -> Option<(How, Option<CallInProgress>)> {
        let now = Instant::now();
        let calls = board.calls();
        self.seen.retain(|(number, _)| calls.iter().any(|call| call.number == *number));
        for call in &calls {
            let Some((_, since)) = self.seen.iter().find(|(number, _)| *number == call.number) else {
                self.seen.push((call.number, now));
                continue;
            };
            let age = now.duration_since(*since);
            if age >= deadline {
                let gone = board.has_lost_thread(call);
                return Some((if gone { How::Thread } else { How::Hung(deadline) }, Some(*call)));
            }
            if age >= THREAD_CHECK && board.has_lost_thread(call) {
                match self.without_thread {
                    Some((number, gone)) if number == call.number => {
                        if now.duration_since(gone) >= THREAD_IS_LAST {
                            return Some((How::Thread, Some(*call)));
                        }
                    }
                    _ => self.without_thread = Some((call.number, now)),
                }
            }
        }
        let progress = board.progress();
        if progress != self.progress || !calls.is_empty() {
            (self.progress, self.since) = (progress, now);
        }
        let idle = if progress.events < progress.total { IDLE.max(deadline) } else { IDLE_AT_REST };
        (now.duration_since(self.since) >= idle).then_some((How::Idle(idle), None))
    }
}

/// Whether this process is the one that [`supervise`] started, not one of its children.
static SUPERVISED: AtomicBool = AtomicBool::new(false);

/// Joins the board that the environment names, and ends this process when its parent ends. For the process that
/// [`supervise`] starts.
///
/// # Errors
/// If the board or the pipe cannot be opened.
pub fn join() -> io::Result<()> {
    board::join()?;
    SUPERVISED.store(true, Ordering::Relaxed);
    let mut parent = standard_streams::take_input()?;
    std::thread::Builder::new().name("parent".into()).spawn(move || {
        // The parent writes nothing: this returns when it has ended. If a DLL has closed the pipe, there is nothing to see.
        while let Ok(read) = parent.read(&mut [0; 64]) {
            if read == 0 {
                end_own_tree()
            }
        }
        // Closing what a DLL has closed would be a fault of ours.
        std::mem::forget(parent);
    })?;
    Ok(())
}

/// The work of the process that [`supervise`] started is done, with this exit code and an answer of so many bytes. In any
/// other process this does nothing.
pub fn finish(code: u8, answer: u64) {
    if SUPERVISED.load(Ordering::Relaxed) {
        board::finish(code, answer);
    }
}

/// Does `work` on a thread of its own, and waits. If a DLL ends that thread, this never returns, and the parent sees why.
pub fn on_own_thread<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let (sender, receiver) = std::sync::mpsc::channel();
        scope.spawn(move || {
            // It fails only if this function has panicked.
            let _ = sender.send(work());
        });
        receiver.recv().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exception::Access;

    fn died(how: How, code: u32, on_stack: bool) -> Death {
        let exception = Some(Exception { code, address: 0, access: Access::NoAddress, on_stack });
        let (number, step, dll, line, process, thread) = (1, Step::Load, 0, None, 2, 3);
        let call = CallInProgress {
            exception,
            number,
            step,
            dll,
            line,
            process,
            thread,
            left_by_exception: false,
            argument: None,
        };
        Death::new(how, process, vec![call], None)
    }

    #[test]
    fn a_stack_overflow_explains_the_end_of_a_thread_and_a_handled_exception_does_not() {
        let (overflow, on_stack, division) =
            if cfg!(windows) { (0xC000_00FD, false, 0xC000_0094) } else { (11, true, 8) };
        let death = died(How::Thread, overflow, on_stack);
        assert!(death.summary().starts_with("stack overflow ("), "{}", death.summary());
        assert!(death.to_string().ends_with("); its thread ended, so the call never returns"), "{death}");
        let other = "its thread ended, as after ExitThread, so the call never returns";
        assert_eq!(died(How::Thread, division, false).to_string(), other);
    }
}
