//! System calls that the standard library does not offer: byte locks that also exclude two handles of one process, the
//! identity of an open file, and whether a process is alive.
#![allow(unsafe_code)] // The system's own functions for it.

use std::fs::File;
use std::io;
use std::path::Path;

/// The mode of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One holder.
    Exclusive,
    /// Several holders.
    Shared,
}

/// Tries to lock the byte at offset `at`, which need not exist. Returns false if another handle holds the lock. The
/// file must be open for writing. The system releases the lock with the last handle, or with the process.
///
/// Locking the same byte again through the same handle fails on Windows and succeeds on Linux.
#[cfg(target_os = "linux")]
pub fn try_lock(file: &File, at: u64, mode: Mode) -> io::Result<bool> {
    let kind = if mode == Mode::Shared { libc::F_RDLCK } else { libc::F_WRLCK };
    match ofd(file, at, kind) {
        Ok(()) => Ok(true),
        Err(e) if matches!(e.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => Ok(false),
        Err(e) => Err(e),
    }
}

/// Releases the lock.
#[cfg(target_os = "linux")]
pub fn unlock(file: &File, at: u64) -> io::Result<()> {
    ofd(file, at, libc::F_UNLCK)
}

#[cfg(target_os = "linux")]
fn ofd(file: &File, at: u64, kind: libc::c_int) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let lock = libc::flock {
        l_type: libc::c_short::try_from(kind).unwrap_or_default(),
        l_whence: libc::c_short::try_from(libc::SEEK_SET).unwrap_or_default(),
        l_start: i64::try_from(at).map_err(io::Error::other)?,
        l_len: 1,
        l_pid: 0, // fcntl(2): must be 0 for this kind of lock.
    };
    // SAFETY: the descriptor is open while `file` lives, and F_OFD_SETLK reads one flock, which outlives the call.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) } == 0 {
        return Ok(());
    }
    Err(io::Error::last_os_error())
}

/// As on Linux; other systems lock the whole file.
#[cfg(all(unix, not(target_os = "linux")))]
pub fn try_lock(file: &File, _at: u64, mode: Mode) -> io::Result<bool> {
    let tried = if mode == Mode::Shared { file.try_lock_shared() } else { file.try_lock() };
    match tried {
        Ok(()) => Ok(true),
        Err(std::fs::TryLockError::WouldBlock) => Ok(false),
        Err(std::fs::TryLockError::Error(e)) => Err(e),
    }
}

/// Releases the lock.
#[cfg(all(unix, not(target_os = "linux")))]
pub fn unlock(file: &File, _at: u64) -> io::Result<()> {
    file.unlock()
}

/// Tries to lock the byte at offset `at`, which need not exist. Returns false if another handle holds the lock. The
/// file must be open for writing. The system releases the lock with the last handle, or with the process.
///
/// Locking the same byte again through the same handle fails on Windows and succeeds on Linux.
#[cfg(windows)]
pub fn try_lock(file: &File, at: u64, mode: Mode) -> io::Result<bool> {
    use std::os::windows::io::AsRawHandle;
    use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, ERROR_LOCK_VIOLATION};
    use windows_sys::Win32::Storage::FileSystem::{LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx};
    let flags = LOCKFILE_FAIL_IMMEDIATELY | if mode == Mode::Exclusive { LOCKFILE_EXCLUSIVE_LOCK } else { 0 };
    let mut overlapped = overlapped_at(at);
    // SAFETY: the handle is open while `file` lives. It is synchronous, as std opens files, so that the call is over
    // when it returns, and uses `place` no longer.
    if unsafe { LockFileEx(file.as_raw_handle(), flags, 0, 1, 0, &raw mut overlapped) } != 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    let code = error.raw_os_error().map(i32::cast_unsigned);
    if matches!(code, Some(ERROR_LOCK_VIOLATION | ERROR_IO_PENDING)) { Ok(false) } else { Err(error) }
}

/// Releases the lock.
#[cfg(windows)]
pub fn unlock(file: &File, at: u64) -> io::Result<()> {
    use std::os::windows::io::AsRawHandle;
    use windows_sys::Win32::Storage::FileSystem::UnlockFileEx;
    let mut overlapped = overlapped_at(at);
    // SAFETY: as for locking.
    if unsafe { UnlockFileEx(file.as_raw_handle(), 0, 1, 0, &raw mut overlapped) } != 0 {
        return Ok(());
    }
    Err(io::Error::last_os_error())
}

/// An offset in a file, as Windows wants it.
#[cfg(windows)]
fn overlapped_at(at: u64) -> windows_sys::Win32::System::IO::OVERLAPPED {
    let mut overlapped = windows_sys::Win32::System::IO::OVERLAPPED::default();
    let low = u32::try_from(at & 0xffff_ffff).unwrap_or(0);
    let high = u32::try_from(at >> 32).unwrap_or(0);
    // The other field of this union, an address, is for drivers.
    overlapped.Anonymous.Anonymous = windows_sys::Win32::System::IO::OVERLAPPED_0_0 { Offset: low, OffsetHigh: high };
    overlapped
}

/// Does the path name the file that is open?
pub fn is_at(file: &File, path: &Path) -> bool {
    matches!((open_identity(file), path_identity(path)), (Ok(open), Ok(there)) if open == there)
}

#[cfg(unix)]
fn open_identity(file: &File) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    file.metadata().map(|of| (of.dev(), of.ino()))
}

#[cfg(unix)]
fn path_identity(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::symlink_metadata(path).map(|of| (of.dev(), of.ino()))
}

#[cfg(windows)]
fn open_identity(file: &File) -> io::Result<(u64, u64)> {
    use std::os::windows::io::AsRawHandle;
    use windows_sys::Win32::Storage::FileSystem::{BY_HANDLE_FILE_INFORMATION, GetFileInformationByHandle};
    let mut of = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open while `file` lives, and the call fills the structure, which is ours.
    if unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut of) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((of.dwVolumeSerialNumber.into(), u64::from(of.nFileIndexHigh) << 32 | u64::from(of.nFileIndexLow)))
}

#[cfg(windows)]
fn path_identity(path: &Path) -> io::Result<(u64, u64)> {
    open_identity(&File::open(path)?)
}

/// Returns when a process was created, as text to compare; None if there is no such process. Process numbers are
/// reused, and this tells the processes apart. On Linux the text also identifies the boot.
#[cfg(target_os = "linux")]
pub fn created(process: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may contain anything; the 22nd field is the 20th after it (proc_pid_stat(5)).
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    let ticks = fields.nth(18).filter(|_| !matches!(state, "Z" | "X"))?;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(format!("{ticks}@{}", boot.trim()))
}

/// Not known on this system: a process that holds the lock counts as alive.
#[cfg(all(unix, not(target_os = "linux")))]
pub fn created(_process: u32) -> Option<String> {
    Some("unknown".to_owned())
}

/// When a process was created, in units of 100 nanoseconds since 1601; None if there is no such process.
#[cfg(windows)]
pub fn created(process: u32) -> Option<String> {
    use windows_sys::Win32::Foundation::{CloseHandle, FILETIME, WAIT_TIMEOUT};
    use windows_sys::Win32::System::Threading::{
        GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE, WaitForSingleObject,
    };
    // SAFETY: it takes numbers, and gives a handle of our own or null.
    let handle = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SYNCHRONIZE, 0, process) };
    if handle.is_null() {
        return None;
    }
    let mut times = [FILETIME::default(); 4];
    let [created, exited, kernel, user] = &mut times;
    // SAFETY: the handle is open and has the rights that both calls need; the four times are ours.
    let known = unsafe { GetProcessTimes(handle, created, exited, kernel, user) } != 0;
    // SAFETY: as above. A process that has ended is signalled even while handles to it exist.
    let lives = unsafe { WaitForSingleObject(handle, 0) } == WAIT_TIMEOUT;
    // SAFETY: it is ours and closed once.
    unsafe { CloseHandle(handle) };
    let created = times[0];
    let ticks = u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime);
    (known && lives).then(|| ticks.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> File {
        File::options().read(true).write(true).create(true).truncate(false).open(path).unwrap()
    }

    #[test]
    fn two_handles_of_one_process_exclude_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let (one, two) = (open(&path), open(&path));
        assert!(try_lock(&one, 5, Mode::Exclusive).unwrap());
        assert!(!try_lock(&two, 5, Mode::Exclusive).unwrap());
        assert!(!try_lock(&two, 5, Mode::Shared).unwrap());
        assert!(cfg!(all(unix, not(target_os = "linux"))) || try_lock(&two, 6, Mode::Exclusive).unwrap());
        unlock(&one, 5).unwrap();
        assert!(try_lock(&two, 5, Mode::Shared).unwrap());
        assert!(try_lock(&one, 5, Mode::Shared).unwrap());
        drop(two);
        unlock(&one, 5).unwrap();
        assert!(try_lock(&open(&path), 5, Mode::Exclusive).unwrap(), "closing releases");
    }

    #[test]
    fn a_path_names_a_file_until_another_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let file = open(&path);
        assert!(is_at(&file, &path));
        std::fs::rename(&path, folder.path().join("aside")).unwrap();
        assert!(!is_at(&file, &path));
        let _other = open(&path);
        assert!(!is_at(&file, &path));
    }

    #[test]
    fn a_live_process_is_distinguished_from_one_that_has_ended() {
        let own = created(std::process::id());
        assert!(own.is_some());
        assert_eq!(created(std::process::id()), own, "the same each time");
        assert_eq!(created(u32::MAX - 4), None);
    }
}
