//! Notes exceptions and signals on the board before the process ends.
#![allow(unsafe_code)] // The system's functions for catching faults.

use crate::board;
use crate::exception::{Access, Exception};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

static INSTALL: Once = Once::new();
/// This process. A child that a DLL forks inherits the handlers, and must not speak for its parent.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// From now on, exceptions and signals of this process are noted on its board.
pub(crate) fn install() {
    PROCESS.store(std::process::id(), Ordering::Relaxed);
    INSTALL.call_once(system::install);
}

/// The number of this thread, as the system numbers it.
pub(crate) fn this_thread() -> u64 {
    system::this_thread()
}

/// Allocates nothing, because the heap may be damaged.
fn note(exception: &Exception) {
    if let Some(board) = board::own()
        && PROCESS.load(Ordering::Relaxed) == std::process::id()
    {
        board.note_exception(std::process::id(), this_thread(), exception);
    }
}

#[cfg(unix)]
mod system {
    use super::{Access, Exception, note};
    use std::ptr;

    pub fn this_thread() -> u64 {
        // SAFETY: gettid has no arguments and cannot fail; it is a bare system call, so a signal handler may make it.
        u64::try_from(unsafe { libc::syscall(libc::SYS_gettid) }).unwrap_or(0)
    }

    extern "C" fn handler(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        // SAFETY: with SA_SIGINFO, `info` and `context` describe the signal and the thread it interrupted; for these signals
        // the description has an address.
        let (address, stack) = unsafe { ((*info).si_addr() as u64, stack_pointer(context.cast())) };
        // A push or a call beyond the end of the stack fails near the stack pointer.
        let on_stack = signal == libc::SIGSEGV && stack.is_some_and(|stack| stack.abs_diff(address) < NEAR);
        // SAFETY: as above.
        let si_code = unsafe { (*info).si_code };
        // The kernel has no address for a pointer that cannot be one, and none for a signal that was sent.
        let access = if si_code > 0 && si_code != SI_KERNEL { Access::Unknown } else { Access::NoAddress };
        note(&Exception { code: signal as u32, address, access, on_stack });
        // SAFETY: both calls are async-signal-safe; the default action ends the process with the signal's status.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        }
    }

    /// From the kernel, without an address.
    const SI_KERNEL: i32 = 0x80;

    /// The most that one function's frame has, as a rule.
    const NEAR: u64 = 1 << 16;

    /// The stack pointer of the interrupted thread.
    unsafe fn stack_pointer(context: *const libc::ucontext_t) -> Option<u64> {
        #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
        // SAFETY: the caller passes the context that the signal came with.
        return Some(unsafe { (*context).uc_mcontext.gregs[libc::REG_RSP as usize] } as u64);
        #[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
        {
            let _ = context;
            None
        }
    }

    pub fn install() {
        // A core file would lie where the DLL's own files would.
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: it lowers this process's own limit.
        unsafe { libc::setrlimit(libc::RLIMIT_CORE, &none) };
        for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGABRT] {
            // SAFETY: the handler is valid for the life of the process, and runs on the alternative stack that std gives
            // every thread, so that it also runs after a stack overflow.
            unsafe {
                let mut action = std::mem::zeroed::<libc::sigaction>();
                action.sa_sigaction = handler as *const () as usize;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                libc::sigaction(signal, &action, ptr::null_mut());
            }
        }
    }
}

#[cfg(windows)]
mod system {
    use super::{Access, Exception, note};
    use crate::exception::CXX_GCC;
    use windows_sys::Win32::System::Diagnostics::Debug::{
        AddVectoredExceptionHandler, EXCEPTION_POINTERS, SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX, SetErrorMode,
        SetUnhandledExceptionFilter,
    };
    use windows_sys::Win32::System::Threading::GetCurrentThreadId;

    const EXCEPTION_EXECUTE_HANDLER: i32 = 1; // Ends the process, with the exception's code as its exit status.
    const EXCEPTION_CONTINUE_SEARCH: i32 = 0;
    const ACCESS_VIOLATION: u32 = 0xC000_0005;
    const STACK_OVERFLOW: u32 = 0xC000_00FD;

    pub fn this_thread() -> u64 {
        // SAFETY: it has no arguments and cannot fail.
        u64::from(unsafe { GetCurrentThreadId() })
    }

    /// Sees every exception first, also one that a DLL handles itself or that its own filter would hide.
    unsafe extern "system" fn first(pointers: *mut EXCEPTION_POINTERS) -> i32 {
        // SAFETY: the system passes a valid record that lives as long as this call.
        let record = unsafe { &*(*pointers).ExceptionRecord };
        let code = record.ExceptionCode as u32;
        // Warnings and messages to debuggers are no failures.
        if code >= 0xC000_0000 || code == CXX_GCC || code == 0x8000_0003 {
            let (address, access) = match code {
                ACCESS_VIOLATION if record.NumberParameters >= 2 => {
                    (record.ExceptionInformation[1] as u64, Access::from_windows(record.ExceptionInformation[0] as u64))
                }
                _ => (0, Access::Unknown),
            };
            note(&Exception { code, address, access, on_stack: code == STACK_OVERFLOW });
        }
        EXCEPTION_CONTINUE_SEARCH
    }

    unsafe extern "system" fn last(_: *const EXCEPTION_POINTERS) -> i32 {
        EXCEPTION_EXECUTE_HANDLER
    }

    pub fn install() {
        // SAFETY: both handlers are valid for the life of the process. No window asks what to do about a crash.
        unsafe {
            AddVectoredExceptionHandler(1, Some(first));
            SetUnhandledExceptionFilter(Some(last));
            SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
        }
    }
}
