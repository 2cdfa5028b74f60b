//! Reports which function of which DLL was running when the process crashed.
//!
//! A crash in a DLL ends the host, as it would end RRAS. The report is written just before the process ends.
#![allow(unsafe_code)] // The system's functions for catching faults.

use std::cell::Cell;
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, Ordering};

thread_local! {
    static CALL: Cell<(&'static str, usize)> = const { Cell::new(("", 0)) };
}
static LIST: AtomicPtr<String> = AtomicPtr::new(std::ptr::null_mut());
static INSTALL: Once = Once::new();

/// Notes the function that this thread is about to call, and the index of its DLL, until the returned guard is dropped.
pub(crate) fn calling(function: &'static str, dll: usize) -> Calling {
    Calling(CALL.replace((function, dll)))
}

pub(crate) struct Calling((&'static str, usize));

impl Drop for Calling {
    fn drop(&mut self) {
        CALL.set(self.0);
    }
}

/// From now on, reports a crash inside a DLL's function on standard error before the process ends. `names` are the names of
/// the DLLs in the order of their indices. They are never freed.
pub fn report_faults(names: &[String]) {
    let text = names.join("\n");
    LIST.store(Box::into_raw(Box::new(text)), Ordering::Release);
    INSTALL.call_once(install);
}

/// Writes the report without allocating memory, because the heap may be damaged.
fn report(write: impl Fn(&[u8])) {
    let (function, dll) = CALL.get();
    if function.is_empty() {
        return;
    }
    // SAFETY: LIST is null or a leaked String that is never changed or freed.
    let list = unsafe { LIST.load(Ordering::Acquire).as_ref() };
    let name = list.and_then(|l| l.split('\n').nth(dll)).unwrap_or("the DLL");
    write(b"\nerror: ");
    write(name.as_bytes());
    write(b" faulted in ");
    write(function.as_bytes());
    write(
        b": it accessed memory that is not its own (arguments end at an inaccessible page).\n  RRAS would have \
            crashed, too. Run `rasadmin check` on the DLL to find the argument.\n",
    );
}

#[cfg(unix)]
fn install() {
    extern "C" fn handler(signal: libc::c_int) {
        report(|bytes| {
            // SAFETY: write(2) is async-signal-safe, and the bytes are a live slice.
            unsafe { libc::write(2, bytes.as_ptr().cast(), bytes.len()) };
        });
        // SAFETY: both calls are async-signal-safe; the default action ends the process with the signal's status.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        }
    }
    for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE] {
        // SAFETY: the handler above is async-signal-safe and always valid.
        unsafe { libc::signal(signal, handler as *const () as libc::sighandler_t) };
    }
}

#[cfg(windows)]
fn install() {
    use std::io::Write;
    use windows_sys::Win32::System::Diagnostics::Debug::{EXCEPTION_POINTERS, SetUnhandledExceptionFilter};
    const EXCEPTION_EXECUTE_HANDLER: i32 = 1; // Ends the process, with the exception's code as its exit status.
    unsafe extern "system" fn filter(_: *const EXCEPTION_POINTERS) -> i32 {
        report(|bytes| {
            let _ = std::io::stderr().write_all(bytes);
        });
        EXCEPTION_EXECUTE_HANDLER
    }
    // SAFETY: the filter is always valid.
    unsafe { SetUnhandledExceptionFilter(Some(filter)) };
}
