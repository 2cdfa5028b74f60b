//! The DLL as the loader knows it: the path of its file, which is not in the folder of RRAS's process, and keeping it in
//! memory.
#![allow(unsafe_code)] // Calls of the system's loader.

use std::path::PathBuf;

/// The path of the library that contains this code. None if the loader does not know it.
#[cfg(windows)]
pub fn own_path() -> Option<PathBuf> {
    use std::os::windows::ffi::OsStringExt;
    use windows_sys::Win32::System::LibraryLoader::{
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT, GetModuleFileNameW,
        GetModuleHandleExW,
    };
    let mut module = std::ptr::null_mut();
    let flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    // SAFETY: with FROM_ADDRESS the name is any address in the module; the reference count does not change, so there is nothing
    // to free, and the DLL is not kept mapped (CONTRACT section 3, Stop).
    if unsafe { GetModuleHandleExW(flags, (own_path as *const ()).cast(), &raw mut module) } == 0 {
        return None;
    }
    let mut name = vec![0_u16; 32_768];
    // SAFETY: the buffer has the length that is passed; the longest path of Windows fits.
    let length = unsafe { GetModuleFileNameW(module, name.as_mut_ptr(), 32_768) } as usize;
    (length > 0 && length < name.len()).then(|| std::ffi::OsString::from_wide(&name[..length]).into())
}

/// The path of the library that contains this code. None if the loader does not know it.
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

/// Keeps the library that contains this code in memory until the process ends, however often it is freed.
#[cfg(windows)]
pub(crate) fn pin() -> std::io::Result<()> {
    use windows_sys::Win32::System::LibraryLoader::{
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN, GetModuleHandleExW,
    };
    let mut module = std::ptr::null_mut();
    let flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN;
    // SAFETY: with FROM_ADDRESS the name is any address in the module. This is for a call that has not returned when RRAS
    // frees the DLL (CONTRACT section 3, Stop).
    match unsafe { GetModuleHandleExW(flags, (own_path as *const ()).cast(), &raw mut module) } {
        0 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Keeps the library that contains this code in memory until the process ends, however often it is closed.
#[cfg(unix)]
pub(crate) fn pin() -> std::io::Result<()> {
    use std::io::Error;
    use std::os::unix::ffi::OsStringExt;
    let path = own_path().ok_or_else(|| Error::other("the loader does not know it"))?;
    let path = std::ffi::CString::new(path.into_os_string().into_vec())?;
    // SAFETY: a terminated path. NOLOAD opens only what is loaded already, and runs nothing; NODELETE keeps it.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE) };
    if handle.is_null() { Err(Error::other("the loader does not find it")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_path_is_that_of_an_existing_file() {
        // In a test, the library is the test program itself.
        let own = super::own_path().and_then(|path| path.canonicalize().ok());
        assert_eq!(own, std::env::current_exe().ok().and_then(|path| path.canonicalize().ok()));
    }
}
