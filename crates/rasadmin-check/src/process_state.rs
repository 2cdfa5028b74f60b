//! What all code of a process shares, and a DLL should leave as it is. Only the operating system and the processor know it,
//! so this module has unsafe code.
#![allow(unsafe_code)]

use std::path::PathBuf;

/// The state at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessState {
    directory: Option<PathBuf>,
    floating_point: (u16, u32),
    error_mode: u32,
    fault_handlers: Vec<usize>,
}

impl ProcessState {
    /// The state now, of this thread where a thread has its own.
    pub(crate) fn now() -> Self {
        Self {
            directory: std::env::current_dir().ok(),
            floating_point: floating_point(),
            error_mode: os::error_mode(),
            fault_handlers: os::fault_handlers(),
        }
    }

    /// What differs, in words.
    pub(crate) fn differences(&self, other: &Self) -> Vec<&'static str> {
        let candidates = [
            (self.directory != other.directory, "the current directory"),
            (
                self.floating_point != other.floating_point,
                "the floating-point mode (rounding, precision or exceptions)",
            ),
            (self.error_mode != other.error_mode, "the error mode (SetErrorMode)"),
            (self.fault_handlers != other.fault_handlers, os::FAULT_HANDLERS),
        ];
        candidates.into_iter().filter_map(|(differs, what)| differs.then_some(what)).collect()
    }
}

/// The control words of the x87 and SSE units, without flags that calculations set.
#[cfg(target_arch = "x86_64")]
fn floating_point() -> (u16, u32) {
    /// Exceptions that have occurred.
    const SSE_STATUS: u32 = 0x3F;
    let (mut x87, mut sse) = (0_u16, 0_u32);
    // SAFETY: both instructions only write the control word to the place that they are given.
    unsafe {
        std::arch::asm!("fnstcw word ptr [{}]", in(reg) &mut x87, options(nostack));
        std::arch::asm!("stmxcsr dword ptr [{}]", in(reg) &mut sse, options(nostack));
    }
    (x87, sse & !SSE_STATUS)
}

#[cfg(not(target_arch = "x86_64"))]
fn floating_point() -> (u16, u32) {
    (0, 0)
}

#[cfg(unix)]
mod os {
    pub(super) const FAULT_HANDLERS: &str = "how the process handles signals (sigaction)";

    pub(super) fn error_mode() -> u32 {
        0
    }

    /// The handlers of signals that libraries like to catch.
    pub(super) fn fault_handlers() -> Vec<usize> {
        const SIGNALS: [libc::c_int; 10] = [
            libc::SIGSEGV,
            libc::SIGBUS,
            libc::SIGFPE,
            libc::SIGILL,
            libc::SIGABRT,
            libc::SIGTERM,
            libc::SIGINT,
            libc::SIGPIPE,
            libc::SIGHUP,
            libc::SIGCHLD,
        ];
        let handler = |signal| {
            // SAFETY: zeros are a valid `sigaction`, which the system overwrites; the action is only asked for.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                libc::sigaction(signal, std::ptr::null(), &mut action);
                action.sa_sigaction
            }
        };
        SIGNALS.into_iter().map(handler).collect()
    }
}

#[cfg(windows)]
mod os {
    use windows_sys::Win32::System::Diagnostics::Debug::{GetErrorMode, SetUnhandledExceptionFilter};

    pub(super) const FAULT_HANDLERS: &str =
        "what the process does with unhandled exceptions (SetUnhandledExceptionFilter)";

    pub(super) fn error_mode() -> u32 {
        // SAFETY: no pointer is passed.
        unsafe { GetErrorMode() }
    }

    /// The filter for exceptions that nobody handles.
    pub(super) fn fault_handlers() -> Vec<usize> {
        // SAFETY: the filter can only be asked for by replacing it; it is put back at once.
        let filter = unsafe {
            let filter = SetUnhandledExceptionFilter(None);
            SetUnhandledExceptionFilter(filter);
            filter
        };
        vec![filter.map_or(0, |filter| filter as usize)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_has_a_name_and_calculations_are_none() {
        let before = ProcessState::now();
        // Inexact results set flags.
        std::hint::black_box((1..100).map(|n| 1.0 / std::hint::black_box(f64::from(n))).sum::<f64>());
        assert_eq!(ProcessState::now().differences(&before), [""; 0]);
        let changed = ProcessState { error_mode: before.error_mode + 1, ..before.clone() };
        assert_eq!(changed.differences(&before), ["the error mode (SetErrorMode)"]);
    }
}
