//! The calls in progress, in memory that the process of the DLLs shares with the process that watches it.
//!
//! A DLL may end its process in many ways, and some of them run no further code there. So every call is noted before it
//! is made, in a mapped file that outlives the process. [`crate::supervise`] reads it.
#![allow(unsafe_code)] // Shared memory, used as atomic integers.

use crate::exception::{Access, Exception};
use crate::fault;
use crate::process_tree::thread_is_gone;
use memmap2::{MmapOptions, MmapRaw};
use mprapi::FunctionId;
use std::cell::Cell;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The variable that names the file to the processes of the DLLs.
pub const BOARD_VARIABLE: &str = "RASADMIN_HOST_BOARD";

/// More calls than this are never in progress at once: a run has at most 256 threads in each of two processes, and a
/// thread that ends within a call keeps its slot.
const SLOTS: usize = 1024;

/// What is done with a DLL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is loaded: its start-up code runs.
    Load,
    /// It is unloaded: its clean-up code runs.
    Unload,
    /// A function is called.
    Call(FunctionId),
}

impl Step {
    fn to_bits(self) -> u32 {
        match self {
            Self::Load => 1,
            Self::Unload => 2,
            Self::Call(function) => 16 + function as u32,
        }
    }

    fn from_bits(bits: u32) -> Option<Self> {
        match bits {
            1 => Some(Self::Load),
            2 => Some(Self::Unload),
            bits => FunctionId::all().find(|&id| 16 + id as u32 == bits).map(Self::Call),
        }
    }
}

/// A call that is in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallInProgress {
    /// Its number; no other call has it.
    pub number: u64,
    /// What is done.
    pub step: Step,
    /// The DLL's index.
    pub dll: usize,
    /// The line of the scenario that led to it, if there is one.
    pub line: Option<usize>,
    /// The process in which it runs.
    pub process: u32,
    /// The thread in which it runs, as the system numbers it.
    pub thread: u64,
    /// The last exception in this call.
    pub exception: Option<Exception>,
    /// Whether an exception left the call, through the frames of its caller.
    pub left_by_exception: bool,
    /// The argument just past whose end the exception's address lies.
    pub argument: Option<usize>,
}

/// An exception, as atomic integers. `code` is written last, and 0 means that there is none.
#[repr(C)]
struct Note {
    code: AtomicU32,
    flags: AtomicU32,
    address: AtomicU64,
}

impl Note {
    fn set(&self, exception: &Exception) {
        let access = match exception.access {
            Access::Unknown => 0,
            Access::Read => 1,
            Access::Write => 2,
            Access::Execute => 3,
            Access::NoAddress => 4,
        };
        self.flags.store(access | u32::from(exception.on_stack) << 8, Ordering::Relaxed);
        self.address.store(exception.address, Ordering::Relaxed);
        self.code.store(exception.code, Ordering::Release);
    }

    fn clear(&self) {
        self.code.store(0, Ordering::Relaxed);
    }

    fn get(&self) -> Option<Exception> {
        let code = Some(self.code.load(Ordering::Acquire)).filter(|&code| code != 0)?;
        let flags = self.flags.load(Ordering::Relaxed);
        const ALL: [Access; 5] = [Access::Unknown, Access::Read, Access::Write, Access::Execute, Access::NoAddress];
        let access = ALL.get((flags & 7) as usize).copied().unwrap_or_default();
        Some(Exception { code, address: self.address.load(Ordering::Relaxed), access, on_stack: flags & 0x100 != 0 })
    }
}

#[repr(C)]
struct Slot {
    /// 0 if the slot is free; the process that has it, otherwise.
    process: AtomicU32,
    /// [`Step::to_bits`]; 0 while the other fields are being written.
    step: AtomicU32,
    number: AtomicU64,
    thread: AtomicU64,
    dll: AtomicU32,
    /// The line of the scenario; 0 if there is none.
    line: AtomicU32,
    /// The end of what each argument points to; 0 if there is no such argument.
    arguments: [AtomicU64; 4],
    exception: Note,
    left_by_exception: AtomicU32,
    _padding: AtomicU32,
}

#[repr(C)]
struct Layout {
    /// 0 until the work is done; then its exit code + 1.
    finished: AtomicU32,
    /// The process of the exception `stray`.
    stray_process: AtomicU32,
    /// The length of the answer, in bytes.
    answer: AtomicU64,
    calls: AtomicU64,
    total: AtomicU64,
    events: AtomicU64,
    connects: AtomicU64,
    accepted: AtomicU64,
    beats: AtomicU64,
    /// The last exception of a thread that is in no call.
    stray: Note,
    slots: [Slot; SLOTS],
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many calls were begun.
    pub calls: u64,
    /// How many events the scenario has. 0 until the DLLs have started.
    pub total: u64,
    /// How many of them are done.
    pub events: u64,
    /// How many connections were attempted.
    pub connects: u64,
    /// How many of them were accepted.
    pub accepted: u64,
    /// How often it has shown that it waits for the time of the next event.
    pub beats: u64,
}

/// The shared memory.
pub struct Board(MmapRaw);

static BOARD: OnceLock<Board> = OnceLock::new();

thread_local! {
    /// The line of the scenario that this thread carries out; 0 if there is none.
    static LINE: Cell<u32> = const { Cell::new(0) };
}

impl Board {
    /// Creates the file, with no call in progress.
    ///
    /// # Errors
    /// If the file cannot be created, or there is no room for it.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        // Written, not only set: on a full disk this fails, and not the first access to the mapping.
        file.write_all(&vec![0; size_of::<Layout>()])?;
        file.flush()?;
        Self::map(&file)
    }

    fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open(path)?;
        if file.metadata()?.len() < size_of::<Layout>() as u64 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too short"));
        }
        Self::map(&file)
    }

    fn map(file: &File) -> io::Result<Self> {
        MmapOptions::new().len(size_of::<Layout>()).map_raw(file).map(Self)
    }

    fn layout(&self) -> &Layout {
        // SAFETY: the mapping is as long as a Layout and aligned to a page, it lives as long as `self`, every bit pattern is
        // a valid Layout, and all of its fields are atomic, so that other processes may change them.
        unsafe { &*self.0.as_ptr().cast::<Layout>() }
    }

    /// The exit code, once the work is done.
    pub fn finished(&self) -> Option<u8> {
        u8::try_from(self.layout().finished.load(Ordering::Acquire).checked_sub(1)?).ok()
    }

    /// The length of the answer that the finished process has left, in bytes.
    pub fn answer_length(&self) -> u64 {
        self.layout().answer.load(Ordering::Acquire)
    }

    /// How far the run has come.
    pub fn progress(&self) -> Progress {
        let layout = self.layout();
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Progress {
            calls: read(&layout.calls),
            total: read(&layout.total),
            events: read(&layout.events),
            connects: read(&layout.connects),
            accepted: read(&layout.accepted),
            beats: read(&layout.beats),
        }
    }

    /// The last exception of a thread that was in no call: one that a DLL has started.
    pub fn stray_exception(&self) -> Option<Exception> {
        self.layout().stray.get()
    }

    /// As [`stray_exception`](Self::stray_exception), if it was in this process.
    pub(crate) fn stray_exception_of(&self, process: u32) -> Option<Exception> {
        let of_it = self.layout().stray_process.load(Ordering::Relaxed) == process;
        self.stray_exception().filter(|_| of_it)
    }

    /// The calls that are in progress.
    pub fn calls(&self) -> Vec<CallInProgress> {
        self.layout().slots.iter().filter_map(Slot::call).collect()
    }

    /// Whether the thread of a call in progress does not exist any more, so that the call never returns.
    pub fn has_lost_thread(&self, call: &CallInProgress) -> bool {
        // The call may have returned, and its thread ended, since the caller's look.
        thread_is_gone(call.process, call.thread) && self.calls().contains(call)
    }

    /// Takes the calls of a process that has ended, or that is about to be killed.
    pub(crate) fn take_calls_of(&self, process: u32) -> Vec<CallInProgress> {
        let of_it = self.layout().slots.iter().filter(|slot| slot.process.load(Ordering::Acquire) == process);
        of_it
            .filter_map(|slot| {
                let call = slot.call();
                slot.free();
                call
            })
            .collect()
    }

    /// Notes an exception in this process. Allocates nothing and takes no lock, because a handler calls it.
    pub(crate) fn note_exception(&self, process: u32, thread: u64, exception: &Exception) {
        let layout = self.layout();
        let slot = layout.slots.iter().find(|slot| {
            slot.step.load(Ordering::Relaxed) != 0
                && slot.process.load(Ordering::Relaxed) == process
                && slot.thread.load(Ordering::Relaxed) == thread
        });
        match slot {
            Some(slot) => slot.exception.set(exception),
            None => {
                layout.stray_process.store(process, Ordering::Relaxed);
                layout.stray.set(exception);
            }
        }
    }
}

impl Slot {
    fn call(&self) -> Option<CallInProgress> {
        let process = Some(self.process.load(Ordering::Acquire)).filter(|&process| process != 0)?;
        let step = Step::from_bits(self.step.load(Ordering::Acquire))?;
        let exception = self.exception.get();
        let argument = exception.and_then(|exception| {
            let ends = self.arguments.iter().map(|end| end.load(Ordering::Relaxed));
            let behind = |end: u64| (end..end.saturating_add(4096)).contains(&exception.address);
            ends.enumerate().find(|&(_, end)| end != 0 && behind(end)).map(|(index, _)| index)
        });
        Some(CallInProgress {
            number: self.number.load(Ordering::Relaxed),
            step,
            dll: self.dll.load(Ordering::Relaxed) as usize,
            line: Some(self.line.load(Ordering::Relaxed) as usize).filter(|&line| line != 0),
            process,
            thread: self.thread.load(Ordering::Relaxed),
            exception,
            left_by_exception: self.left_by_exception.load(Ordering::Relaxed) != 0,
            argument,
        })
    }

    fn free(&self) {
        self.step.store(0, Ordering::Release);
        self.process.store(0, Ordering::Release);
    }
}

/// The board of this process, if it is watched.
pub(crate) fn own() -> Option<&'static Board> {
    BOARD.get()
}

/// If the environment names a board, this process notes its calls there from now on.
///
/// # Errors
/// If the board cannot be opened.
pub fn join() -> io::Result<()> {
    let Some(path) = std::env::var_os(BOARD_VARIABLE) else { return Ok(()) };
    let board = Board::open(Path::new(&path))?;
    if BOARD.set(board).is_ok() {
        fault::install();
    }
    Ok(())
}

/// The work of this process is done, with this exit code and an answer of this length. If it ends differently from now on,
/// that is not the run's fault.
pub(crate) fn finish(code: u8, answer: u64) {
    if let Some(board) = own() {
        board.layout().answer.store(answer, Ordering::Relaxed);
        board.layout().finished.store(u32::from(code) + 1, Ordering::Release);
    }
}

/// The calls of this thread come from this line of the scenario from now on; from none if it is 0.
pub(crate) fn set_line(line: usize) {
    LINE.set(u32::try_from(line).unwrap_or(0));
}

/// The DLLs have started, and a scenario of so many events begins.
pub(crate) fn begin(events: usize) {
    if let Some(board) = own() {
        board.layout().total.store(events as u64, Ordering::Relaxed);
    }
}

/// An event of the scenario is done.
pub(crate) fn event_done() {
    if let Some(board) = own() {
        board.layout().events.fetch_add(1, Ordering::Relaxed);
    }
}

/// The run waits for the time of the next event.
pub(crate) fn beat() {
    if let Some(board) = own() {
        board.layout().beats.fetch_add(1, Ordering::Relaxed);
    }
}

/// A connection was attempted.
pub(crate) fn connected(accepted: bool) {
    if let Some(board) = own() {
        board.layout().connects.fetch_add(1, Ordering::Relaxed);
        board.layout().accepted.fetch_add(u64::from(accepted), Ordering::Relaxed);
    }
}

/// Notes that this thread is about to do something with a DLL, until the returned value is dropped. `ends` are the ends of
/// what the arguments point to.
pub(crate) fn calling(step: Step, dll: usize, ends: impl IntoIterator<Item = usize>) -> Calling {
    let Some(board) = own() else { return Calling(None) };
    let layout = board.layout();
    let process = std::process::id();
    let free = |slot: &&Slot| slot.process.compare_exchange(0, process, Ordering::AcqRel, Ordering::Relaxed).is_ok();
    // Without a free slot, the call is not noted.
    let Some(slot) = layout.slots.iter().find(free) else { return Calling(None) };
    slot.number.store(layout.calls.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
    slot.thread.store(fault::this_thread(), Ordering::Relaxed);
    slot.dll.store(u32::try_from(dll).unwrap_or(u32::MAX), Ordering::Relaxed);
    slot.line.store(LINE.get(), Ordering::Relaxed);
    let mut ends = ends.into_iter();
    for argument in &slot.arguments {
        argument.store(ends.next().unwrap_or(0) as u64, Ordering::Relaxed);
    }
    slot.exception.clear();
    slot.left_by_exception.store(0, Ordering::Relaxed);
    slot.step.store(step.to_bits(), Ordering::Release);
    Calling(Some(slot))
}

/// The line of the scenario that this thread carries out.
pub(crate) fn line() -> Option<usize> {
    Some(LINE.get() as usize).filter(|&line| line != 0)
}

/// A call that is in progress.
pub(crate) struct Calling(Option<&'static Slot>);

impl Calling {
    /// An exception is leaving the call.
    pub(crate) fn left_by_exception(&self) {
        if let Some(slot) = self.0 {
            slot.left_by_exception.store(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        if let Some(slot) = self.0 {
            slot.free();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Another process sees what this one notes. (This one joins no board, so the test writes to a slot itself.)
    #[test]
    fn a_call_and_its_exception_are_seen_through_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board");
        let (ours, theirs) = (Board::create(&path).unwrap(), Board::open(&path).unwrap());
        assert_eq!((ours.calls(), ours.finished(), ours.stray_exception()), (Vec::new(), None, None));
        let slot = &theirs.layout().slots[3];
        slot.process.store(7, Ordering::Relaxed);
        assert!(ours.calls().is_empty(), "it is being written");
        slot.thread.store(8, Ordering::Relaxed);
        slot.arguments[1].store(0x5000, Ordering::Relaxed);
        slot.line.store(5, Ordering::Relaxed);
        slot.step.store(Step::Call(FunctionId::AcceptNewLink).to_bits(), Ordering::Relaxed);
        let exception = Exception { code: 11, address: 0x5008, access: Access::Write, on_stack: false };
        theirs.note_exception(7, 9, &exception);
        theirs.note_exception(7, 8, &Exception { on_stack: true, ..exception });
        let call = ours.calls()[0];
        assert_eq!((call.step, call.line, call.argument), (Step::Call(FunctionId::AcceptNewLink), Some(5), Some(1)));
        assert_eq!(call.exception, Some(Exception { on_stack: true, ..exception }));
        assert_eq!(ours.stray_exception(), Some(exception), "the other thread is in no call");
        assert_eq!(ours.take_calls_of(7), [call]);
        assert!(ours.calls().is_empty());
    }

    #[test]
    fn every_step_is_read_as_it_was_written() {
        let calls = FunctionId::all().map(Step::Call);
        for step in [Step::Load, Step::Unload].into_iter().chain(calls) {
            assert_eq!(Step::from_bits(step.to_bits()), Some(step));
        }
        assert_eq!(Step::from_bits(0), None);
    }
}
