//! What Windows says of memory and of processes.
#![allow(unsafe_code)] // Copying memory that RRAS returned; on Windows, asking for the state of a service.

use std::ptr::NonNull;

/// Copies memory of this process. None if not all of it can be read: RRAS's number of entries is then not that of its
/// buffer.
#[cfg(windows)]
pub(super) fn copy(address: NonNull<u8>, length: usize) -> Option<Vec<u8>> {
    if !is_readable(address.as_ptr().addr(), length) {
        return None;
    }
    let mut bytes = vec![0; length];
    // SAFETY: every page of it can be read, and it is ours until it is freed (CONTRACT R-OUT-1), so nothing changes it.
    unsafe { address.as_ptr().copy_to_nonoverlapping(bytes.as_mut_ptr(), length) };
    Some(bytes)
}

/// Copies memory of this process. None if not all of it can be read.
#[cfg(unix)]
pub(super) fn copy(address: NonNull<u8>, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0_u8; length];
    let to = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: length };
    let from = libc::iovec { iov_base: address.as_ptr().cast(), iov_len: length };
    // SAFETY: it writes at most `length` bytes into `bytes`, and returns less for addresses that cannot be read.
    let copied = unsafe { libc::process_vm_readv(libc::getpid(), &to, 1, &from, 1, 0) };
    (usize::try_from(copied) == Ok(length)).then_some(bytes)
}

#[cfg(windows)]
fn is_readable(address: usize, length: usize) -> bool {
    use windows_sys::Win32::System::Memory::{
        MEM_COMMIT, MEMORY_BASIC_INFORMATION, PAGE_EXECUTE, PAGE_GUARD, PAGE_NOACCESS, VirtualQuery,
    };
    let Some(end) = address.checked_add(length) else { return false };
    let mut at = address;
    while at < end {
        let mut region = MEMORY_BASIC_INFORMATION::default();
        let size = size_of::<MEMORY_BASIC_INFORMATION>();
        // SAFETY: it takes any address, and fills the structure, which is ours.
        let known = unsafe { VirtualQuery(std::ptr::without_provenance(at), &mut region, size) } == size;
        let hidden = PAGE_NOACCESS | PAGE_GUARD | PAGE_EXECUTE;
        if !known || region.State != MEM_COMMIT || region.Protect & hidden != 0 {
            return false;
        }
        at = region.BaseAddress.addr() + region.RegionSize;
    }
    true
}

#[cfg(windows)]
pub(super) use service::remote_access;

#[cfg(windows)]
mod service {
    use crate::{Failure, Instance};
    use std::io;
    use windows_sys::Win32::Foundation::{CloseHandle, ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER, FILETIME, HANDLE};
    use windows_sys::Win32::System::Services::{
        CloseServiceHandle, OpenSCManagerW, OpenServiceW, QueryServiceStatusEx, SC_HANDLE, SC_MANAGER_CONNECT,
        SC_STATUS_PROCESS_INFO, SERVICE_QUERY_STATUS, SERVICE_STATUS_PROCESS,
    };
    use windows_sys::Win32::System::Threading::{GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION};
    use windows_sys::core::w;

    /// The process in which the Remote Access service runs; None if it has ended. The library has said that it runs, and
    /// a service that is paused has its process too.
    pub(crate) fn remote_access() -> Result<Option<Instance>, Failure> {
        // SAFETY: null twice means this computer and its only database.
        let manager = Service::of("OpenSCManagerW", unsafe {
            OpenSCManagerW(std::ptr::null(), std::ptr::null(), SC_MANAGER_CONNECT)
        })?;
        // SAFETY: the manager is open, and the name is a constant with a terminator.
        let service =
            Service::of("OpenServiceW", unsafe { OpenServiceW(manager.0, w!("RemoteAccess"), SERVICE_QUERY_STATUS) })?;
        let mut status = SERVICE_STATUS_PROCESS::default();
        let (size, mut needed) = (size_of::<SERVICE_STATUS_PROCESS>() as u32, 0);
        // SAFETY: the service is open, and the structure is the one of this level, with its size.
        let known = unsafe {
            QueryServiceStatusEx(service.0, SC_STATUS_PROCESS_INFO, (&raw mut status).cast(), size, &mut needed)
        };
        if known == 0 {
            return Err(last("QueryServiceStatusEx"));
        }
        if status.dwProcessId == 0 { Ok(None) } else { created(status.dwProcessId) }
    }

    fn created(process: u32) -> Result<Option<Instance>, Failure> {
        // SAFETY: it takes numbers, and returns a handle of our own or null.
        let handle = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, process) };
        if handle.is_null() {
            // No process has the number any more.
            let ended = io::Error::last_os_error().raw_os_error() == Some(ERROR_INVALID_PARAMETER.cast_signed());
            return if ended { Ok(None) } else { Err(last("OpenProcess")) };
        }
        let handle = Process(handle);
        let mut times = [FILETIME::default(); 4];
        let [created, exited, kernel, user] = &mut times;
        // SAFETY: the handle is open with the right that this needs, and the four times are ours.
        if unsafe { GetProcessTimes(handle.0, created, exited, kernel, user) } == 0 {
            return Err(last("GetProcessTimes"));
        }
        let created = u64::from(times[0].dwHighDateTime) << 32 | u64::from(times[0].dwLowDateTime);
        Ok(Some(Instance { process, created }))
    }

    /// The failure of the function that was called last.
    fn last(function: &str) -> Failure {
        let code = io::Error::last_os_error().raw_os_error().unwrap_or_default().cast_unsigned();
        match code {
            ERROR_ACCESS_DENIED => Failure::AccessDenied,
            code => Failure::Failed { function: function.to_owned(), code },
        }
    }

    struct Service(SC_HANDLE);

    impl Service {
        fn of(function: &str, handle: SC_HANDLE) -> Result<Self, Failure> {
            if handle.is_null() { Err(last(function)) } else { Ok(Self(handle)) }
        }
    }

    impl Drop for Service {
        fn drop(&mut self) {
            // SAFETY: the handle is open, and closed once.
            unsafe { CloseServiceHandle(self.0) };
        }
    }

    struct Process(HANDLE);

    impl Drop for Process {
        fn drop(&mut self) {
            // SAFETY: the handle is open, and closed once.
            unsafe { CloseHandle(self.0) };
        }
    }
}
