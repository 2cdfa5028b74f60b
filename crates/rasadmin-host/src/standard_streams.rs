//! Standard input and output for ourselves alone: a DLL in this process may print, read and close what it likes.
#![allow(unsafe_code)] // Replacing the process's standard streams.

use std::fs::File;
use std::io;

/// This process's standard input. A DLL can read nothing from now on, as in a service.
pub(crate) fn take_input() -> io::Result<File> {
    system::take_input()
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

    pub fn take_input() -> io::Result<File> {
        let input = io::stdin().as_fd().try_clone_to_owned().map(File::from)?;
        replace(0, File::open("/dev/null")?.as_raw_fd())?;
        Ok(input)
    }

    pub fn take() -> io::Result<(File, File)> {
        let output = io::stdout().as_fd().try_clone_to_owned().map(File::from)?;
        replace(1, 2)?;
        Ok((take_input()?, output))
    }

    /// Makes `standard` another name for what `other` is open for.
    fn replace(standard: i32, other: i32) -> io::Result<()> {
        // SAFETY: both are descriptors, and `standard` belongs to no Rust object that would close it.
        if unsafe { libc::dup2(other, standard) } < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
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
        fn _open_osfhandle(handle: isize, flags: i32) -> i32;
    }

    pub fn take_input() -> io::Result<File> {
        let input = io::stdin().as_handle().try_clone_to_owned().map(File::from)?;
        let nothing = File::open("NUL")?;
        // The C runtime closes its descriptor's handle, so it gets one of its own. The process keeps both until its end.
        let (handle, other) = (nothing.try_clone()?.into_raw_handle(), nothing.into_raw_handle());
        // SAFETY: both handles are open, and belong to nobody else.
        unsafe {
            SetStdHandle(STD_INPUT_HANDLE, handle);
            let descriptor = _open_osfhandle(other as isize, 0);
            if descriptor >= 0 {
                _dup2(descriptor, 0);
            }
        }
        Ok(input)
    }

    pub fn take() -> io::Result<(File, File)> {
        let output = io::stdout().as_handle().try_clone_to_owned().map(File::from)?;
        // SAFETY: the handle stays open until the process ends; the C runtime copies its own descriptor.
        unsafe {
            SetStdHandle(STD_OUTPUT_HANDLE, io::stderr().as_raw_handle());
            _dup2(2, 1);
        }
        Ok((take_input()?, output))
    }
}
