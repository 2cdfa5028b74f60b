//! Standard input and output for ourselves alone: a DLL in this process may print, read and close what it likes.
#![allow(unsafe_code)] // Replacing the process's standard streams.

use std::fs::File;
use std::io;

/// This process's standard input. It stays open if a DLL closes the standard handle.
pub(crate) fn own_input() -> io::Result<File> {
    system::own_input()
}

/// This process's standard input and output, for a protocol. What a DLL prints from now on goes to standard error, and it
/// can read nothing.
pub(crate) fn take() -> io::Result<(File, File)> {
    system::take()
}

#[cfg(unix)]
mod system {
    use std::fs::File;
    use std::io;
    use std::os::fd::{AsFd, AsRawFd};

    pub fn own_input() -> io::Result<File> {
        io::stdin().as_fd().try_clone_to_owned().map(File::from)
    }

    pub fn take() -> io::Result<(File, File)> {
        let (input, output) = (own_input()?, io::stdout().as_fd().try_clone_to_owned().map(File::from)?);
        let nothing = File::open("/dev/null")?;
        for (from, to) in [(nothing.as_raw_fd(), 0), (2, 1)] {
            // SAFETY: both are open descriptors, and `to` belongs to no Rust object that would close it.
            if unsafe { libc::dup2(from, to) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok((input, output))
    }
}

#[cfg(windows)]
mod system {
    use std::fs::File;
    use std::io;
    use std::os::windows::io::{AsHandle, AsRawHandle, IntoRawHandle};
    use windows_sys::Win32::System::Console::{STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, SetStdHandle};

    // The C runtime that this program shares with DLLs made by mingw keeps descriptors of its own.
    unsafe extern "C" {
        fn _dup2(from: i32, to: i32) -> i32;
    }

    pub fn own_input() -> io::Result<File> {
        io::stdin().as_handle().try_clone_to_owned().map(File::from)
    }

    pub fn take() -> io::Result<(File, File)> {
        let (input, output) = (own_input()?, io::stdout().as_handle().try_clone_to_owned().map(File::from)?);
        let nothing = File::open("NUL")?.into_raw_handle(); // The process keeps it until its end.
        // SAFETY: both handles stay open until the process ends; the C runtime copies its own descriptor.
        unsafe {
            SetStdHandle(STD_INPUT_HANDLE, nothing);
            SetStdHandle(STD_OUTPUT_HANDLE, io::stderr().as_raw_handle());
            _dup2(2, 1);
        }
        Ok((input, output))
    }
}
