//! Counts the threads, handles, TLS indexes and memory of this process. Only the operating system knows them, so this
//! module has unsafe code.
#![allow(unsafe_code)]

use std::io;
use std::path::Path;

/// The number of threads of this process.
pub(crate) fn threads() -> io::Result<usize> {
    os::threads()
}

/// The number of open handles (file descriptors) of this process.
pub(crate) fn handles() -> io::Result<usize> {
    os::handles()
}

/// The private memory of this process, in bytes.
pub(crate) fn memory() -> io::Result<u64> {
    os::memory()
}

/// Whether the library of this path is mapped into this process.
pub(crate) fn image_is_loaded(path: &Path) -> bool {
    os::image_is_loaded(path)
}

/// The number of TLS indexes that this process can still allocate. For a moment this allocates all of them, so no other
/// thread may need one.
pub(crate) fn free_tls_indexes() -> usize {
    os::free_tls_indexes()
}

/// A call of the DLL is about to begin. An exception that was thrown before has nothing to do with it.
pub(crate) fn call_begins() {
    os::call_begins();
}

/// Makes a crash end this process at once, without a dialogue, a report or a core file.
pub(crate) fn quiet_crashes() {
    os::quiet_crashes();
}

#[cfg(unix)]
mod os {
    use std::io;
    use std::path::Path;

    /// More TLS indexes than any system has.
    const MAX_TLS_INDEXES: usize = 1 << 16;

    pub(super) fn threads() -> io::Result<usize> {
        Ok(std::fs::read_dir("/proc/self/task")?.count())
    }

    pub(super) fn handles() -> io::Result<usize> {
        // Reading the folder opens one more descriptor.
        Ok(std::fs::read_dir("/proc/self/fd")?.count().saturating_sub(1))
    }

    pub(super) fn memory() -> io::Result<u64> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
        kib.map(|kib| kib * 1024).ok_or_else(|| io::Error::other("/proc/self/status has no RssAnon"))
    }

    pub(super) fn image_is_loaded(path: &Path) -> bool {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let maps = std::fs::read("/proc/self/maps").unwrap_or_default();
        let path = path.as_os_str().as_encoded_bytes();
        maps.split(|&byte| byte == b'\n').any(|line| line.ends_with(path))
    }

    pub(super) fn free_tls_indexes() -> usize {
        let mut keys = Vec::new();
        while keys.len() < MAX_TLS_INDEXES {
            let mut key = 0;
            // SAFETY: `key` is a valid place for a key; there is no destructor.
            if unsafe { libc::pthread_key_create(&mut key, None) } != 0 {
                break;
            }
            keys.push(key);
        }
        for &key in &keys {
            // SAFETY: the key was created above, and no other code knows it.
            unsafe { libc::pthread_key_delete(key) };
        }
        keys.len()
    }

    pub(super) fn call_begins() {}

    pub(super) fn quiet_crashes() {
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: `none` is a valid limit.
        unsafe { libc::setrlimit(libc::RLIMIT_CORE, &none) };
    }
}

#[cfg(windows)]
mod os {
    use rasadmin_host::exception::{CXX_GCC, CXX_MSVC};
    use std::io;
    use std::os::windows::ffi::OsStrExt;
    use std::path::Path;
    use std::sync::atomic::{AtomicU32, Ordering};
    use windows_sys::Win32::Foundation::{CloseHandle, GetHandleInformation, INVALID_HANDLE_VALUE};
    use windows_sys::Win32::System::Diagnostics::Debug::{
        AddVectoredExceptionHandler, EXCEPTION_POINTERS, SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX,
        SEM_NOOPENFILEERRORBOX, SetErrorMode, SetUnhandledExceptionFilter,
    };
    use windows_sys::Win32::System::Diagnostics::ToolHelp::{
        CreateToolhelp32Snapshot, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
    };
    use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
    use windows_sys::Win32::System::Memory::{MEM_COMMIT, MEM_PRIVATE, MEMORY_BASIC_INFORMATION, VirtualQuery};
    use windows_sys::Win32::System::Threading::{
        GetCurrentProcess, GetCurrentProcessId, GetProcessHandleCount, TLS_OUT_OF_INDEXES, TerminateProcess, TlsAlloc,
        TlsFree,
    };

    pub(super) fn threads() -> io::Result<usize> {
        // SAFETY: no pointer is passed.
        let snapshot = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0) };
        if snapshot == INVALID_HANDLE_VALUE {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: no pointer is passed.
        let own = unsafe { GetCurrentProcessId() };
        let mut entry = THREADENTRY32 { dwSize: size_of::<THREADENTRY32>() as u32, ..Default::default() };
        let mut count = 0;
        // SAFETY: `entry` is valid and says its own size; the snapshot is open.
        let mut more = unsafe { Thread32First(snapshot, &mut entry) };
        while more != 0 {
            count += usize::from(entry.th32OwnerProcessID == own);
            // SAFETY: as above.
            more = unsafe { Thread32Next(snapshot, &mut entry) };
        }
        // SAFETY: the snapshot is open, and not used after this.
        unsafe { CloseHandle(snapshot) };
        Ok(count)
    }

    /// After this many handle values in a row that are not open, there are no more handles.
    const END_OF_HANDLES: usize = 256;

    pub(super) fn handles() -> io::Result<usize> {
        let mut count = 0;
        // SAFETY: `count` is a valid place.
        if unsafe { GetProcessHandleCount(GetCurrentProcess(), &mut count) } == 0 {
            return Err(io::Error::last_os_error());
        }
        // Every process has handles; Wine returns 0. NtQuerySystemInformation(64), which lists the handles of all processes,
        // does not help: it crashes Wine 8's server while processes start and end.
        Ok(if count == 0 { probe_handles() } else { count as usize })
    }

    /// Tries every handle value, the lowest first, because Wine always allocates the lowest free one.
    fn probe_handles() -> usize {
        let (mut count, mut closed, mut value) = (0, 0, 0);
        while closed < END_OF_HANDLES {
            value += 4;
            let mut flags = 0;
            // SAFETY: `flags` is a valid place; a value that is not a handle is only an error.
            if unsafe { GetHandleInformation(std::ptr::without_provenance_mut(value), &mut flags) } == 0 {
                closed += 1;
            } else {
                (count, closed) = (count + 1, 0);
            }
        }
        count
    }

    /// Committed private pages, region by region: GetProcessMemoryInfo's PrivateUsage is 0 under Wine.
    pub(super) fn memory() -> io::Result<u64> {
        let mut total = 0;
        let mut address = 0_usize;
        loop {
            let mut region = MEMORY_BASIC_INFORMATION::default();
            let size = size_of::<MEMORY_BASIC_INFORMATION>();
            // SAFETY: the address is only looked up; `region` has the size that is passed.
            if unsafe { VirtualQuery(std::ptr::without_provenance(address), &mut region, size) } == 0 {
                return Ok(total);
            }
            if region.State == MEM_COMMIT && region.Type == MEM_PRIVATE {
                total += region.RegionSize as u64;
            }
            let Some(next) = region.BaseAddress.addr().checked_add(region.RegionSize.max(1)) else {
                return Ok(total);
            };
            address = next;
        }
    }

    pub(super) fn image_is_loaded(path: &Path) -> bool {
        let wide: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
        // SAFETY: `wide` is a terminated string.
        !unsafe { GetModuleHandleW(wide.as_ptr()) }.is_null()
    }

    pub(super) fn free_tls_indexes() -> usize {
        let mut indexes = Vec::with_capacity(2048);
        loop {
            // SAFETY: no pointer is passed.
            let index = unsafe { TlsAlloc() };
            if index == TLS_OUT_OF_INDEXES {
                break;
            }
            indexes.push(index);
        }
        for &index in &indexes {
            // SAFETY: the index was taken above, and no other code knows it.
            unsafe { TlsFree(index) };
        }
        indexes.len()
    }

    /// The code of the C++ exception that was thrown last in the call in progress; 0 if none was.
    static THROWN: AtomicU32 = AtomicU32::new(0);

    pub(super) fn call_begins() {
        THROWN.store(0, Ordering::Relaxed);
    }

    pub(super) fn quiet_crashes() {
        /// Notes C++ exceptions, also those that are handled.
        unsafe extern "system" fn see(exception: *mut EXCEPTION_POINTERS) -> i32 {
            // SAFETY: Windows passes valid pointers.
            let code = unsafe { (*(*exception).ExceptionRecord).ExceptionCode } as u32;
            if matches!(code, CXX_MSVC | CXX_GCC) {
                THROWN.store(code, Ordering::Relaxed);
            }
            EXCEPTION_CONTINUE_SEARCH
        }
        /// Ends the process with the exception's code as its status, before a debugger starts and keeps it.
        unsafe extern "system" fn end(exception: *const EXCEPTION_POINTERS) -> i32 {
            // SAFETY: Windows passes valid pointers; ending this process does not access memory.
            unsafe {
                let record = &*(*exception).ExceptionRecord;
                let code = record.ExceptionCode as u32;
                // An exception of GCC that leaves the DLL may end in a jump to nowhere while frames that are not its own are
                // unwound. Then it, and not the jump, is what the DLL did.
                let jumped = code == ACCESS_VIOLATION && record.ExceptionInformation[0] == EXECUTE;
                let thrown = THROWN.load(Ordering::Relaxed);
                TerminateProcess(GetCurrentProcess(), if jumped && thrown != 0 { thrown } else { code });
            }
            EXCEPTION_EXECUTE_HANDLER
        }
        const EXCEPTION_CONTINUE_SEARCH: i32 = 0;
        const EXCEPTION_EXECUTE_HANDLER: i32 = 1;
        const ACCESS_VIOLATION: u32 = 0xC000_0005;
        /// The first parameter of an access violation whose address should have been run.
        const EXECUTE: usize = 8;
        // SAFETY: the handlers are valid as long as the process runs.
        unsafe {
            AddVectoredExceptionHandler(1, Some(see));
            SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
            SetUnhandledExceptionFilter(Some(end));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_files_are_counted() {
        let before = handles().unwrap();
        let files: Vec<_> = (0..50).map(|_| std::fs::File::open(std::env::current_exe().unwrap()).unwrap()).collect();
        let during = handles().unwrap();
        // Other tests run at the same time.
        assert!(during >= before + 30, "{before} before, {during} with 50 files open");
        drop(files);
        assert!(memory().unwrap() > 0);
    }

    #[test]
    fn running_threads_are_counted() {
        let (send, receive) = std::sync::mpsc::channel::<()>();
        let threads_with = std::thread::scope(|scope| {
            let thread = scope.spawn(move || receive.recv());
            let count = threads().unwrap();
            drop(send);
            let _ = thread.join();
            count
        });
        assert!(threads_with >= 2);
    }

    #[test]
    fn the_program_itself_is_loaded() {
        assert!(image_is_loaded(&std::env::current_exe().unwrap()));
        assert!(!image_is_loaded(Path::new("no-such-library")));
    }

    #[test]
    fn there_are_tls_indexes_left() {
        assert!(free_tls_indexes() > 50);
    }
}
