//! Which folders Windows searches for the DLLs of a program. Anyone who can write to one of them can run code in it.

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
