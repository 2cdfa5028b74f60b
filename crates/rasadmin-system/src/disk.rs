//! The free space on a disk, and drives on the network.
#![allow(unsafe_code)] // The system's own functions for it.

use std::io;
use std::path::Path;

/// Less free space than this is low for the journal's disk, in bytes.
pub const LOW: u64 = 1 << 30;

/// Returns the bytes that this process can still write to the disk with a folder.
///
/// # Errors
/// If the folder does not exist, or the system does not report it.
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    free(folder)
}

#[cfg(unix)]
fn free(folder: &Path) -> io::Result<u64> {
    use std::os::unix::ffi::OsStrExt as _;
    let path = std::ffi::CString::new(folder.as_os_str().as_bytes())?;
    let mut found = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the path ends with a zero, and `found` has room for what is written.
    if unsafe { libc::statvfs(path.as_ptr(), found.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it succeeded, and has written all of it.
    let found = unsafe { found.assume_init() };
    // The types differ between Unix systems. Space that is reserved for root does not count.
    #[allow(clippy::unnecessary_cast)]
    let (blocks, size) = (found.f_bavail as u64, found.f_frsize as u64);
    Ok(blocks.saturating_mul(size))
}

#[cfg(windows)]
fn free(folder: &Path) -> io::Result<u64> {
    use std::os::windows::ffi::OsStrExt as _;
    use windows_sys::Win32::Storage::FileSystem::GetDiskFreeSpaceExW;
    let path: Vec<u16> = folder.as_os_str().encode_wide().chain([0]).collect();
    let mut free = 0;
    // SAFETY: the path ends with a zero; it writes one number, and may be given no place for the other two. The number
    // is what the caller may use, if the disk has quotas.
    let done = unsafe { GetDiskFreeSpaceExW(path.as_ptr(), &raw mut free, std::ptr::null_mut(), std::ptr::null_mut()) };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(free) }
}

/// Is a drive, by its letter, on the network? Such a drive belongs to the user who connected it.
#[cfg(unix)]
pub fn is_network_drive(_: char) -> bool {
    false
}

/// Is a drive, by its letter, on the network? Such a drive belongs to the user who connected it.
#[cfg(windows)]
pub fn is_network_drive(letter: char) -> bool {
    use windows_sys::Win32::Storage::FileSystem::GetDriveTypeW;
    /// DRIVE_REMOTE of winbase.h.
    const REMOTE: u32 = 4;
    let root: Vec<u16> = format!("{letter}:\\").encode_utf16().chain([0]).collect();
    // SAFETY: the path ends with a zero.
    unsafe { GetDriveTypeW(root.as_ptr()) == REMOTE }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_has_a_disk_and_what_is_not_there_has_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_bytes(folder.path()).unwrap() > 0);
        assert!(free_bytes(&folder.path().join("missing")).is_err());
        assert!(free_bytes(Path::new("a\0b")).is_err());
    }
}
