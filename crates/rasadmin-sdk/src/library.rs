//! The DLL itself, as the loader knows it: where its file is, for what lies beside it (RRAS's process is somewhere else);
//! and how it stays in memory.
#![allow(unsafe_code)] // Asking the loader.

use std::path::PathBuf;

/// The path of the library that this code is in; None if the loader cannot tell.
#[cfg(windows)]
pub fn own_path() -> Option<PathBuf> {
    use std::os::windows::ffi::OsStringExt;
    use windows_sys::Win32::System::LibraryLoader::{
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT, GetModuleFileNameW,
        GetModuleHandleExW,
    };
    let mut module = std::ptr::null_mut();
    let flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    // SAFETY: with FROM_ADDRESS the name is any address in the module; the reference count stays, so nothing is to be
    // freed, and the DLL is not kept mapped (CONTRACT section 3, Stop).
    if unsafe { GetModuleHandleExW(flags, (own_path as *const ()).cast(), &raw mut module) } == 0 {
        return None;
    }
    let mut name = vec![0_u16; 32_768];
    // SAFETY: the buffer is as long as it says; the longest path that Windows has fits.
    let length = unsafe { GetModuleFileNameW(module, name.as_mut_ptr(), 32_768) } as usize;
    (length > 0 && length < name.len()).then(|| std::ffi::OsString::from_wide(&name[..length]).into())
}

/// The path of the library that this code is in; None if the loader cannot tell.
#[cfg(unix)]
pub fn own_path() -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    // SAFETY: all zeroes is a valid Dl_info: null pointers.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: the address is of a function in this library, and `info` is ours.
    if unsafe { libc::dladdr((own_path as *const ()).cast(), &raw mut info) } == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: dladdr gave a string that lives as long as the library is mapped, which runs this.
    let name = unsafe { std::ffi::CStr::from_ptr(info.dli_fname) };
    Some(std::ffi::OsStr::from_bytes(name.to_bytes()).into())
}

/// Keeps the library that this code is in mapped until the process ends, however often it is freed.
#[cfg(windows)]
pub(crate) fn pin() -> std::io::Result<()> {
    use windows_sys::Win32::System::LibraryLoader::{
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN, GetModuleHandleExW,
    };
    let mut module = std::ptr::null_mut();
    let flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN;
    // SAFETY: with FROM_ADDRESS the name is any address in the module. It is for a call that has not returned when RRAS
    // frees the DLL (CONTRACT section 3, Stop).
    match unsafe { GetModuleHandleExW(flags, (own_path as *const ()).cast(), &raw mut module) } {
        0 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Keeps the library that this code is in mapped until the process ends, however often it is closed.
#[cfg(unix)]
pub(crate) fn pin() -> std::io::Result<()> {
    use std::io::Error;
    use std::os::unix::ffi::OsStringExt;
    let path = own_path().ok_or_else(|| Error::other("the loader does not know it"))?;
    let path = std::ffi::CString::new(path.into_os_string().into_vec())?;
    // SAFETY: a terminated path. NOLOAD opens only what is loaded, and runs nothing; NODELETE is what stays of it.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE) };
    if handle.is_null() { Err(Error::other("the loader does not find it")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_a_file_that_is_there() {
        // In a test the library is the test itself.
        let own = super::own_path().and_then(|path| path.canonicalize().ok());
        assert_eq!(own, std::env::current_exe().ok().and_then(|path| path.canonicalize().ok()));
    }
}
