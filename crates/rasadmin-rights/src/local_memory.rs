//! Memory that Windows allocates with LocalAlloc.
#![allow(unsafe_code)] // Windows' own function for it.

use windows_sys::Win32::Foundation::LocalFree;

/// Memory that Windows has allocated for us, freed on drop.
pub(super) struct Local(pub *mut core::ffi::c_void);

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: it came from a function whose page says that LocalFree frees it, and is freed once. Null is allowed.
        unsafe { LocalFree(self.0) };
    }
}
