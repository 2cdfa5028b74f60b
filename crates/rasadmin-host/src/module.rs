//! Loads and unloads a library with the flags that RRAS uses.
#![allow(unsafe_code)] // Loading a library, and looking up its functions.

use std::ffi::c_void;
use std::fmt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use mprapi::abi::{ERROR_ACCESS_DENIED, ERROR_MOD_NOT_FOUND};

#[cfg(unix)]
use libloading::os::unix::Library;
#[cfg(windows)]
use libloading::os::windows::Library;

/// The address of a function in a loaded library, valid until the library is unloaded.
pub type Pointer = NonNull<c_void>;

/// A library that could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// The Windows error code. On other platforms, the code that Windows would return.
    pub code: u32,
    /// The message of the system's loader.
    pub message: String,
}

impl LoadError {
    /// Whether the file is not a valid image, or is for another architecture (191 to 193).
    pub fn is_bad_image(&self) -> bool {
        (191..=193).contains(&self.code)
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error {}: {}", self.code, self.message)
    }
}

/// A loaded library.
#[derive(Debug)]
pub struct Module {
    library: Library,
    path: PathBuf,
}

impl Module {
    /// Loads the library. On Windows the loader searches System32 for its dependencies, and not the DLL's own folder.
    /// RRAS loads with LOAD_LIBRARY_SEARCH_DEFAULT_DIRS, which adds the folder of the program. Its program is svchost.exe
    /// in System32, so this program's own folder must not be searched.
    ///
    /// # Errors
    /// If the system cannot load the library.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        Ok(Self { library: open(path)?, path: path.to_owned() })
    }

    /// The path that it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The address of an exported function.
    pub fn symbol(&self, name: &str) -> Option<Pointer> {
        type Function = unsafe extern "system" fn();
        // SAFETY: the symbol is used only as an address; `invoke` gives it its type from the contract's table.
        let symbol = unsafe { self.library.get::<Function>(name.as_bytes()) }.ok()?;
        NonNull::new(*symbol as *mut c_void)
    }

    /// Unloads the library.
    ///
    /// # Errors
    /// If the system cannot free it.
    pub fn unload(self) -> Result<(), String> {
        self.library.close().map_err(|e| e.to_string())
    }
}

#[cfg(windows)]
fn open(path: &Path) -> Result<Library, LoadError> {
    use std::error::Error;
    use windows_sys::Win32::System::LibraryLoader::{LOAD_LIBRARY_SEARCH_SYSTEM32, LOAD_LIBRARY_SEARCH_USER_DIRS};
    if path.is_dir() {
        return Err(directory());
    }
    // SAFETY: loading runs the library's own start-up code: running it is the purpose of a host (CONTRACT section 3).
    let loaded =
        unsafe { Library::load_with_flags(path, LOAD_LIBRARY_SEARCH_SYSTEM32 | LOAD_LIBRARY_SEARCH_USER_DIRS) };
    loaded.map_err(|e| {
        let io = e.source().and_then(|s| s.downcast_ref::<std::io::Error>());
        let code = io.and_then(std::io::Error::raw_os_error).unwrap_or(ERROR_MOD_NOT_FOUND as i32) as u32;
        LoadError { code, message: io.map_or_else(|| e.to_string(), ToString::to_string) }
    })
}

#[cfg(unix)]
fn open(path: &Path) -> Result<Library, LoadError> {
    use libloading::os::unix::{RTLD_LOCAL, RTLD_NOW};
    use mprapi::abi::ERROR_BAD_EXE_FORMAT;
    if path.is_dir() {
        return Err(directory());
    }
    // SAFETY: loading runs the library's own start-up code: running it is the purpose of a host (CONTRACT section 3).
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map_err(|e| {
        // dlopen has no codes. A file that exists but is not an image gets the code that Windows would return.
        let code = if path.exists() && !starts_as_elf(path) { ERROR_BAD_EXE_FORMAT } else { ERROR_MOD_NOT_FOUND };
        LoadError { code, message: e.to_string() }
    })
}

#[cfg(unix)]
fn starts_as_elf(path: &Path) -> bool {
    use std::io::Read;
    let mut start = [0; 5];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *b"\x7fELF\x02"
}

fn directory() -> LoadError {
    LoadError { code: ERROR_ACCESS_DENIED, message: "it is a directory".into() }
}
