//! Kills the current process as `kill -9` does: nothing is flushed, and no destructor runs.
#![allow(unsafe_code)] // The system's own functions for it.

/// Kills this process.
pub fn kill_process() -> ! {
    send_kill();
    // The signal may take a moment.
    loop {
        std::thread::park();
    }
}

#[cfg(unix)]
fn send_kill() {
    // SAFETY: both take and return plain numbers; the signal is to this process itself.
    unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
}

#[cfg(windows)]
fn send_kill() {
    use windows_sys::Win32::System::Threading::{GetCurrentProcess, TerminateProcess};
    // SAFETY: the pseudo-handle of this process is always valid. TerminateProcess detaches no DLL.
    unsafe { TerminateProcess(GetCurrentProcess(), 137) };
}
