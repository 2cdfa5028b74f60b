//! Which folders Windows searches for the DLLs of a program. Whoever can write to one of them runs code in the program.

/// From now on, Windows looks for DLLs that this program or its libraries load without a path in System32 only. Otherwise it
/// would first look in the program's own folder, which may be one that everybody downloads into.
#[cfg(windows)]
#[allow(unsafe_code)] // A call of the system.
pub fn system_folder_only() {
    use windows_sys::Win32::System::LibraryLoader::{LOAD_LIBRARY_SEARCH_SYSTEM32, SetDefaultDllDirectories};
    // SAFETY: no pointer is passed. It fails only for flags that it does not know.
    unsafe { SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32) };
}

/// Other systems do not search a program's folder.
#[cfg(not(windows))]
pub fn system_folder_only() {}

/// Rust's standard library imports one function of userenv.dll, which is not a known DLL: Windows looks for it in the
/// program's folder, before any code of the program runs. This takes the place of the import, and looks for the DLL in
/// System32, if the function is ever called.
#[cfg(all(windows, target_env = "gnu"))]
#[allow(unsafe_code)]
mod userenv {
    use std::ffi::c_void;
    use windows_sys::Win32::System::LibraryLoader::{GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW};
    use windows_sys::core::{BOOL, s, w};

    type GetUserProfileDirectory = unsafe extern "system" fn(*mut c_void, *mut u16, *mut u32) -> BOOL;

    /// Where the standard library expects the address of the imported function.
    #[used]
    #[unsafe(export_name = "__imp_GetUserProfileDirectoryW")]
    static IMPORTED: GetUserProfileDirectory = get_user_profile_directory;

    unsafe extern "system" fn get_user_profile_directory(token: *mut c_void, path: *mut u16, size: *mut u32) -> BOOL {
        // SAFETY: the name is a terminated text; the other argument is reserved.
        let library = unsafe { LoadLibraryExW(w!("userenv.dll"), std::ptr::null_mut(), LOAD_LIBRARY_SEARCH_SYSTEM32) };
        if library.is_null() {
            return 0;
        }
        // SAFETY: the library is loaded, and stays so.
        let Some(function) = (unsafe { GetProcAddress(library, s!("GetUserProfileDirectoryW")) }) else { return 0 };
        // SAFETY: this is the function's type in userenv.h.
        let function: GetUserProfileDirectory = unsafe { std::mem::transmute(function) };
        // SAFETY: the caller's arguments are passed on as they are.
        unsafe { function(token, path, size) }
    }
}
