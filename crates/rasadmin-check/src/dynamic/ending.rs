//! How a DLL ended the process that ran it, or kept it from going on.

use rasadmin_host::exception::{Access, CXX_GCC, CXX_MSVC, Exception, Exit};
use std::time::Duration;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// A call did not return within this time.
    Hung(Duration),
    /// A call ended its thread, by this exception if there is one.
    ThreadEnded(Option<Exception>),
    /// A call closed the files through which the child reports.
    ClosedFiles,
    /// The process ended.
    Process {
        exit: Exit,
        /// The last exception before that.
        exception: Option<Exception>,
        /// Whether that was in a thread that the DLL had started.
        in_own_thread: bool,
        /// What the process's standard error reveals.
        hint: Option<Hint>,
    },
}

/// What a runtime library writes before it aborts the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    CxxException,
    HeapDamage,
}

impl Hint {
    /// That of a program's standard error.
    pub(super) fn of(text: &str) -> Option<Self> {
        // The host writes the second if an exception leaves a call.
        let of_cxx = ["terminate called", "foreign exception"];
        let of_heap = ["free(): ", "double free", "malloc(): ", "corrupted size", "munmap_chunk(): "];
        if of_cxx.iter().any(|words| text.contains(words)) {
            Some(Self::CxxException)
        } else {
            of_heap.iter().any(|words| text.contains(words)).then_some(Self::HeapDamage)
        }
    }
}

/// A kind of ending that has a cause and a remedy of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndingKind {
    Hang,
    Memory,
    NotCode,
    Division,
    Stack,
    Heap,
    IllegalInstruction,
    Breakpoint,
    CxxException,
    DelayLoad,
    Handle,
    Abort,
    Exit,
    Thread,
    Other,
}

impl Ending {
    pub(super) fn kind(&self) -> EndingKind {
        match self {
            Self::Hung(_) => EndingKind::Hang,
            Self::ThreadEnded(None) => EndingKind::Thread,
            Self::ThreadEnded(Some(exception)) if exception.is_stack_overflow() => EndingKind::Stack,
            Self::ThreadEnded(Some(exception)) => kind_of(exception.code),
            Self::ClosedFiles => EndingKind::Handle,
            Self::Process { hint: Some(Hint::CxxException), .. } => EndingKind::CxxException,
            Self::Process { hint: Some(Hint::HeapDamage), .. } => EndingKind::Heap,
            Self::Process { exit: Exit::Exception(CXX_MSVC | CXX_GCC), .. } => EndingKind::CxxException,
            Self::Process { exception: Some(exception), .. } if exception.is_stack_overflow() => EndingKind::Stack,
            Self::Process { exception: Some(Exception { access: Access::Execute, .. }), .. } => EndingKind::NotCode,
            Self::Process { exception: Some(exception), .. } => kind_of(exception.code),
            Self::Process { exit: Exit::Exception(code), .. } => kind_of(*code),
            Self::Process { exit: Exit::Code(3), .. } if cfg!(windows) => EndingKind::Abort,
            Self::Process { exit: Exit::Code(_), .. } => EndingKind::Exit,
        }
    }

    /// What happened, for a report.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Hung(after) => format!("no answer within {} seconds", after.as_secs_f32()),
            Self::ThreadEnded(None) => "it ended its thread, as ExitThread does, so it never returns".into(),
            Self::ThreadEnded(Some(exception)) => {
                format!("{}; its thread ended, so it never returns", in_words(exception))
            }
            Self::ClosedFiles => "it closed files that the process has open".into(),
            Self::Process { exit, exception, in_own_thread, hint } => {
                let mut words = match (self.kind(), exception) {
                    (EndingKind::CxxException, _) if hint.is_some() => {
                        format!("C++ exception that nothing caught; {exit}")
                    }
                    (EndingKind::Heap, _) if hint.is_some() => format!("heap corruption; {exit}"),
                    (EndingKind::CxxException, _) if matches!(exit, Exit::Exception(_)) => exit.to_string(),
                    (EndingKind::Abort, _) => exit.to_string(),
                    (_, Some(exception)) => in_words(exception),
                    (EndingKind::Exit, None) => format!("{exit} (exit, ExitProcess or TerminateProcess)"),
                    (_, None) => exit.to_string(),
                };
                if let (Some(_), Exit::Code(code), None) = (exception, exit, hint) {
                    words.push_str(&format!("; then the process ended with exit code {code}"));
                }
                // An exception that leaves a call ends it, and may fail only after that.
                if *in_own_thread && self.kind() != EndingKind::CxxException {
                    words.push_str(", in a thread that the DLL had started");
                }
                words
            }
        }
    }
}

/// The exception's name. An address says something only if it is near null, or not code.
fn in_words(exception: &Exception) -> String {
    const NULL_POINTERS: u64 = 0x1_0000;
    if exception.access == Access::Execute || exception.address < NULL_POINTERS {
        exception.to_string()
    } else {
        exception.name()
    }
}

const fn kind_of(code: u32) -> EndingKind {
    if cfg!(windows) { of_windows(code) } else { of_signal(code) }
}

const fn of_windows(code: u32) -> EndingKind {
    match code {
        0xC000_0005 | 0xC000_0006 => EndingKind::Memory,
        0xC000_0094 | 0xC000_0095 => EndingKind::Division,
        0xC000_00FD => EndingKind::Stack,
        0xC000_0374 => EndingKind::Heap,
        0xC000_001D | 0xC000_0096 => EndingKind::IllegalInstruction,
        0x8000_0003 | 0x8000_0004 => EndingKind::Breakpoint,
        0xC06D_007E | 0xC06D_007F => EndingKind::DelayLoad,
        0xC000_0008 => EndingKind::Handle,
        0xC000_0409 | 0xC000_0417 | 0xC000_0420 => EndingKind::Abort,
        CXX_MSVC | CXX_GCC => EndingKind::CxxException,
        _ => EndingKind::Other,
    }
}

const fn of_signal(signal: u32) -> EndingKind {
    // SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE and SIGSEGV of Linux.
    match signal {
        4 => EndingKind::IllegalInstruction,
        5 => EndingKind::Breakpoint,
        6 => EndingKind::Abort,
        8 => EndingKind::Division,
        7 | 11 => EndingKind::Memory,
        _ => EndingKind::Other,
    }
}

impl EndingKind {
    /// The cause, in an ordinary call.
    pub(super) const fn cause(self) -> &'static str {
        match self {
            Self::Hang => "The function waits for something that never happens, or loops forever.",
            Self::Memory => "It accessed memory that is not its own.",
            Self::NotCode => {
                "It called an address that has no code: a null function pointer, a damaged return address, or data."
            }
            Self::Division => "It divided an integer by zero, or the quotient does not fit.",
            Self::Stack => {
                "It used up its thread's stack: it calls itself without end, or has very large local variables."
            }
            Self::Heap => {
                "It damaged the heap: it freed memory twice, wrote beyond a block, or freed what was not allocated there."
            }
            Self::IllegalInstruction => {
                "It ran an instruction that this processor does not have, or that the compiler put where code should never \
                 arrive."
            }
            Self::Breakpoint => "It ran into a breakpoint: an assertion, or DebugBreak that was left in the code.",
            Self::CxxException => "It threw a C++ exception and did not catch it.",
            Self::DelayLoad => {
                "It called a function of a DLL that is loaded at the first call only (/DELAYLOAD), and that DLL, or the \
                 function in it, was not found."
            }
            Self::Handle => "It closed handles of the process that it had not opened.",
            Self::Abort => {
                "It aborted the process: a failed assertion, a panic, or a runtime library that found an error."
            }
            Self::Exit => "It ended the process.",
            Self::Thread => "It ended the thread that had called it.",
            Self::Other => "It raised an exception that nothing handled.",
        }
    }

    /// What it means for RRAS, if that is something else than a crash in general.
    pub(super) const fn effect(self) -> Option<&'static str> {
        match self {
            Self::Exit | Self::Abort => {
                Some("It is RRAS's own process: the Remote Access service ends, and every connection with it.")
            }
            Self::CxxException => Some(
                "RRAS does not expect C++ exceptions: the Remote Access service ends, and every connection with it.",
            ),
            Self::Thread => Some(
                "It is RRAS's own thread: the call never returns, and no client can connect until the service is killed.",
            ),
            _ => None,
        }
    }

    /// What to do about it, in an ordinary call.
    pub(super) const fn remedy(self) -> Option<&'static str> {
        match self {
            Self::Hang | Self::Memory | Self::Other => None,
            Self::NotCode => {
                Some("Look for a function pointer that is not set, and for arrays that are written beyond their end.")
            }
            Self::Division => Some("Check every divisor."),
            Self::Stack => Some("End the recursion, and allocate large buffers on the heap."),
            Self::Heap => Some(
                "Run it with Application Verifier (page heap) or an address sanitizer, which show the first wrong access.",
            ),
            Self::IllegalInstruction => Some(
                "Build it for the processors of the servers, and look for __builtin_trap, __ud2 and unreachable code.",
            ),
            Self::Breakpoint => Some("Build it without DebugBreak and with assertions that report instead."),
            Self::CxxException => Some(
                "Catch every exception in each exported function (catch (...)), and answer with FALSE or an error code.",
            ),
            Self::DelayLoad => {
                Some("Install that DLL in System32, or load it with LoadLibrary and go on without it if that fails.")
            }
            Self::Handle => Some("Close only what the DLL has opened, and only once."),
            Self::Abort => {
                Some("Return FALSE or an error code instead. What it wrote, if anything, says why it aborted.")
            }
            Self::Exit => Some("Never call exit, ExitProcess or TerminateProcess: return FALSE or an error code."),
            Self::Thread => Some("Never call ExitThread or pthread_exit in a callback: return."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(exit: Exit, exception: Option<Exception>, hint: Option<Hint>) -> Ending {
        Ending::Process { exit, exception, in_own_thread: false, hint }
    }

    #[test]
    fn what_a_runtime_writes_is_understood() {
        let hint = Hint::of("terminate called after throwing an instance of 'int'\n");
        assert_eq!(hint, Some(Hint::CxxException));
        assert_eq!(Hint::of("fatal runtime error: Rust cannot catch foreign exceptions, aborting"), hint);
        assert_eq!(Hint::of("free(): double free detected in tcache 2"), Some(Hint::HeapDamage));
        assert_eq!(Hint::of("all is well"), None);
        let ending = process(Exit::Code(7), None, hint);
        assert_eq!(ending.kind(), EndingKind::CxxException);
        assert!(ending.words().starts_with("C++ exception that nothing caught; "), "{}", ending.words());
    }

    #[test]
    fn an_exception_that_left_its_call_is_in_no_other_thread() {
        let jump = Exception { code: 0xC000_0005, address: 0, access: Access::Execute, on_stack: false };
        for (code, told) in [(CXX_GCC, false), (0xC000_0005, true)] {
            let (exit, hint) = (Exit::Exception(code), None);
            let ending = Ending::Process { exit, exception: Some(jump), in_own_thread: true, hint };
            assert_eq!(ending.words().contains("in a thread that the DLL had started"), told, "{}", ending.words());
        }
    }

    #[test]
    fn a_stack_overflow_may_end_only_its_thread() {
        let code = if cfg!(windows) { 0xC000_00FD } else { 11 };
        let overflow = Exception { code, address: 0, access: Access::NoAddress, on_stack: true };
        let ending = Ending::ThreadEnded(Some(overflow));
        assert_eq!(ending.kind(), EndingKind::Stack);
        assert!(ending.words().starts_with("stack overflow ("), "{}", ending.words());
        assert_eq!(Ending::ThreadEnded(None).kind(), EndingKind::Thread);
    }

    #[test]
    fn an_exit_code_is_no_crash() {
        let ending = process(Exit::Code(7), None, None);
        assert_eq!(ending.kind(), EndingKind::Exit);
        assert_eq!(ending.words(), "it ended the process with exit code 7 (exit, ExitProcess or TerminateProcess)");
    }

    #[test]
    fn exceptions_and_signals_have_their_kinds() {
        for (code, kind) in [
            (0xC000_0005, EndingKind::Memory),
            (0xC000_0094, EndingKind::Division),
            (0xC000_00FD, EndingKind::Stack),
            (0xC000_0374, EndingKind::Heap),
            (0xE06D_7363, EndingKind::CxxException),
            (0x2047_4343, EndingKind::CxxException),
            (0x8000_0003, EndingKind::Breakpoint),
            (0xC06D_007F, EndingKind::DelayLoad),
            (0xC000_0409, EndingKind::Abort),
            (0xC000_1234, EndingKind::Other),
        ] {
            assert_eq!(of_windows(code), kind, "{code:x}");
        }
        for (signal, kind) in [(8, EndingKind::Division), (11, EndingKind::Memory), (6, EndingKind::Abort)] {
            assert_eq!(of_signal(signal), kind, "{signal}");
        }
    }
}
