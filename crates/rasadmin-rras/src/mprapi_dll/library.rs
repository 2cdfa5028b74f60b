//! Calls mprapi.dll. CONTRACT here is “Outside the callbacks” in docs/rras-behaviour.md, and the pages of the functions.
#![allow(unsafe_code)] // Looking functions up in a DLL, calling them, and freeing what they returned.

use super::list::{MOST, Part, too_many};
use super::system;
use crate::{ConnectionHandle, Failure, PortHandle};
use mprapi::abi::{
    BOOL, CONNECTION_REVISION, CONNECTION_TYPE, HANDLE, MPRAPI_OBJECT_HEADER, NO_ERROR, PCWSTR, RAS_CONNECTION_EX,
    RAS_PORT_0,
};
use std::ptr::{self, NonNull};
use windows_sys::Win32::Foundation as code;
use windows_sys::Win32::NetworkManagement::Rras as abi;

#[cfg(unix)]
use libloading::os::unix as loader;
#[cfg(windows)]
use libloading::os::windows as loader;

/// The functions, declared in one place: their types, and their addresses in a loaded library.
macro_rules! functions {
    ($($field:ident: $name:ident($($argument:ty),*) $(-> $result:ty)?;)+) => {
        #[derive(Debug)]
        struct Functions { $($field: unsafe extern "system" fn($($argument),*) $(-> $result)?),+ }

        // The types are those of the Win32 metadata. Nothing is linked: a constant without a name is only checked.
        $(const _: unsafe extern "system" fn($($argument),*) $(-> $result)? = abi::$name;)+

        impl Functions {
            fn look_up(library: &loader::Library) -> Result<Self, Failure> {
                let missing = |name| Failure::Unsupported(format!("mprapi.dll has no function {name}; {NEEDED}"));
                // SAFETY: the functions of these names have these types (CONTRACT R-OUT-1; checked above).
                unsafe {
                    Ok(Self {
                        $($field: *library
                            .get(concat!(stringify!($name), "\0").as_bytes())
                            .map_err(|_| missing(stringify!($name)))?),+
                    })
                }
            }
        }
    };
}

functions! {
    is_service_running: MprAdminIsServiceRunning(PCWSTR) -> BOOL;
    server_connect: MprAdminServerConnect(PCWSTR, *mut isize) -> u32;
    server_disconnect: MprAdminServerDisconnect(isize);
    buffer_free: MprAdminBufferFree(*const core::ffi::c_void) -> u32;
    connection_enum_ex: MprAdminConnectionEnumEx(isize, *const MPRAPI_OBJECT_HEADER, u32, *mut u32, *mut u32,
        *mut *mut RAS_CONNECTION_EX, *const u32) -> u32;
    connection_get_info_ex: MprAdminConnectionGetInfoEx(isize, HANDLE, *mut RAS_CONNECTION_EX) -> u32;
    port_enum: MprAdminPortEnum(isize, u32, HANDLE, *mut *mut u8, u32, *mut u32, *mut u32, *const u32) -> u32;
    port_get_info: MprAdminPortGetInfo(isize, u32, HANDLE, *mut *mut u8) -> u32;
    port_disconnect: MprAdminPortDisconnect(isize, HANDLE) -> u32;
}

/// mprapi.dll, or a stand-in for it.
#[derive(Debug)]
pub(super) struct Library {
    functions: Functions,
    /// Keeps the functions in memory.
    _library: loader::Library,
}

/// Asks for RAS_CONNECTION_EX.
const HEADER: MPRAPI_OBJECT_HEADER = MPRAPI_OBJECT_HEADER {
    revision: CONNECTION_REVISION,
    r#type: CONNECTION_TYPE,
    size: size_of::<RAS_CONNECTION_EX>() as u16,
};
/// A level or a preferred length of the functions that list: RAS_PORT_0, and everything at once.
const LEVEL_0: u32 = 0;
const EVERYTHING: u32 = u32::MAX;

/// What to do if something is missing.
const NEEDED: &str = "run this on a VPN server with Windows Server 2008 R2 or later";
/// The RPC errors of a service that does not run (winerror.h).
const RPC_S_UNKNOWN_IF: u32 = 1717;
const RPC_S_SERVER_UNAVAILABLE: u32 = 1722;
const EPT_S_NOT_REGISTERED: u32 = 1753;

impl Library {
    /// Loads Windows' own. The name has no path, and only System32 is searched: nothing beside the program is loaded.
    #[cfg(windows)]
    pub fn system() -> Result<Self, Failure> {
        use windows_sys::Win32::System::LibraryLoader::LOAD_LIBRARY_SEARCH_SYSTEM32;
        // SAFETY: loading runs the start-up code of a DLL of Windows.
        Self::of(unsafe { loader::Library::load_with_flags("mprapi.dll", LOAD_LIBRARY_SEARCH_SYSTEM32) })
    }

    /// Loads a stand-in.
    #[cfg(feature = "testing")]
    pub fn at(path: &std::path::Path) -> Result<Self, Failure> {
        // SAFETY: loading runs the start-up code of a library that the test built.
        Self::of(unsafe { loader::Library::new(path) })
    }

    fn of(loaded: Result<loader::Library, libloading::Error>) -> Result<Self, Failure> {
        let library =
            loaded.map_err(|e| Failure::Unsupported(format!("mprapi.dll cannot be loaded: {e}; {NEEDED}")))?;
        Ok(Self { functions: Functions::look_up(&library)?, _library: library })
    }

    /// Whether the Remote Access service of this computer runs.
    pub fn is_service_running(&self) -> bool {
        // SAFETY: null means this computer (CONTRACT R-OUT-7).
        unsafe { (self.functions.is_service_running)(ptr::null()) != 0 }
    }

    /// Connects to the service of this computer, until the answer is dropped.
    pub fn connect(&self) -> Result<Server<'_>, Failure> {
        let mut server = 0;
        // SAFETY: null means this computer (CONTRACT R-OUT-7), and the handle is written into memory of ours.
        let status = unsafe { (self.functions.server_connect)(ptr::null(), &mut server) };
        if status == NO_ERROR {
            return Ok(Server { functions: &self.functions, handle: server });
        }
        Err(failed("MprAdminServerConnect", status))
    }
}

/// A connection to the service.
#[derive(Debug)]
pub(super) struct Server<'a> {
    functions: &'a Functions,
    handle: isize,
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is from MprAdminServerConnect, and is closed once (CONTRACT R-OUT-1).
        unsafe { (self.functions.server_disconnect)(self.handle) };
    }
}

impl Server<'_> {
    /// A part of the list of connections: an array of RAS_CONNECTION_EX.
    pub fn connections(&self, resume: u32) -> Result<Part, Failure> {
        let (mut buffer, mut read, mut total, mut resume) = (ptr::null_mut(), 0, 0, resume);
        // SAFETY: the header asks for RAS_CONNECTION_EX (CONTRACT R-OUT-1), and everything else is memory of ours. The
        // metadata says that the function only reads `resume`; it writes it (its page), so this is a pointer to write.
        let status = unsafe {
            let call = self.functions.connection_enum_ex;
            call(self.handle, &HEADER, EVERYTHING, &mut read, &mut total, &mut buffer, &raw mut resume)
        };
        let next = goes_on(status, resume).map_err(|status| failed("MprAdminConnectionEnumEx", status))?;
        self.part::<RAS_CONNECTION_EX>(buffer.cast(), read, total, next)
    }

    /// The bytes of a RAS_CONNECTION_EX.
    pub fn connection(&self, connection: ConnectionHandle) -> Result<Vec<u8>, Failure> {
        // Twice as large as the structure, should RRAS write a later revision than was asked for.
        let mut memory = [0_u64; 2 * size_of::<RAS_CONNECTION_EX>() / 8];
        let structure = memory.as_mut_ptr().cast::<RAS_CONNECTION_EX>();
        // SAFETY: `structure` is aligned memory of ours. The function writes one structure of the header's size
        // (CONTRACT R-OUT-10), and there is room for two. Its page also says that MprAdminBufferFree frees the memory,
        // which is not possible for memory of the caller.
        let status = unsafe {
            (*structure).Header = HEADER;
            (self.functions.connection_get_info_ex)(self.handle, pointer(connection.0), structure)
        };
        if status != NO_ERROR {
            return Err(gone("MprAdminConnectionGetInfoEx", status));
        }
        Ok(memory.iter().flat_map(|bytes| bytes.to_ne_bytes()).take(size_of::<RAS_CONNECTION_EX>()).collect())
    }

    /// A part of the list of a connection's ports: an array of RAS_PORT_0.
    pub fn ports(&self, connection: ConnectionHandle, resume: u32) -> Result<Part, Failure> {
        let (mut buffer, mut read, mut total, mut resume) = (ptr::null_mut(), 0, 0, resume);
        // SAFETY: level 0 is RAS_PORT_0 (CONTRACT R-OUT-1), and everything else is memory of ours; `resume` as above.
        let status = unsafe {
            let (call, connection) = (self.functions.port_enum, pointer(connection.0));
            call(self.handle, LEVEL_0, connection, &mut buffer, EVERYTHING, &mut read, &mut total, &raw mut resume)
        };
        let next = goes_on(status, resume).map_err(|status| gone("MprAdminPortEnum", status))?;
        self.part::<RAS_PORT_0>(buffer, read, total, next)
    }

    /// The bytes of a RAS_PORT_0.
    pub fn port(&self, port: PortHandle) -> Result<Vec<u8>, Failure> {
        let mut buffer = ptr::null_mut();
        // SAFETY: level 0 is RAS_PORT_0 (CONTRACT R-OUT-1), and the address is written into memory of ours.
        let status = unsafe { (self.functions.port_get_info)(self.handle, LEVEL_0, pointer(port.0), &mut buffer) };
        if status != NO_ERROR {
            return Err(gone("MprAdminPortGetInfo", status));
        }
        copied(self.owned(buffer), size_of::<RAS_PORT_0>(), "one port")
    }

    /// Disconnects a port.
    pub fn disconnect(&self, port: PortHandle) -> Result<(), Failure> {
        // SAFETY: no memory is passed.
        let status = unsafe { (self.functions.port_disconnect)(self.handle, pointer(port.0)) };
        match status {
            NO_ERROR => Ok(()),
            // The handle of the server or of the port is wrong (its page), and that of the server is right.
            code::ERROR_INVALID_PARAMETER => Err(Failure::Gone { code: status }),
            status => Err(gone("MprAdminPortDisconnect", status)),
        }
    }

    /// The part of a list of `T` that a function returned.
    fn part<T>(&self, buffer: *mut u8, read: u32, total: u32, next: Option<u32>) -> Result<Part, Failure> {
        let (buffer, count) = (self.owned(buffer), read as usize);
        if count > MOST {
            return Err(too_many(count));
        }
        let bytes = copied(buffer, count * size_of::<T>(), &format!("{count} entries"))?;
        Ok(Part { bytes, total, next })
    }

    /// What a function returned, if anything. It is freed when the answer is dropped.
    fn owned(&self, buffer: *mut u8) -> Option<Buffer<'_>> {
        NonNull::new(buffer).map(|address| Buffer { functions: self.functions, address })
    }
}

/// The bytes of what a function returned.
fn copied(buffer: Option<Buffer<'_>>, length: usize, what: &str) -> Result<Vec<u8>, Failure> {
    match buffer {
        _ if length == 0 => Ok(Vec::new()),
        Some(buffer) => system::copy(buffer.address, length)
            .ok_or_else(|| Failure::Malformed(format!("it claims to have {what}, and its memory ends before"))),
        None => Err(Failure::Malformed(format!("it claims to have {what}, and has none"))),
    }
}

/// Memory that a function of RRAS returned.
struct Buffer<'a> {
    functions: &'a Functions,
    address: NonNull<u8>,
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        // SAFETY: a function that returned NO_ERROR or ERROR_MORE_DATA gave us the buffer, MprAdminBufferFree frees it,
        // and this happens once (CONTRACT R-OUT-1).
        unsafe { (self.functions.buffer_free)(self.address.as_ptr().cast()) };
    }
}

fn pointer(handle: u64) -> HANDLE {
    ptr::without_provenance_mut(usize::try_from(handle).unwrap_or(0))
}

/// The place at which a list goes on, if it does.
fn goes_on(status: u32, resume: u32) -> Result<Option<u32>, u32> {
    match status {
        NO_ERROR => Ok(None),
        code::ERROR_MORE_DATA => Ok(Some(resume)),
        status => Err(status),
    }
}

/// What an error means for a function that is about one connection or one port.
fn gone(function: &str, status: u32) -> Failure {
    match status {
        code::ERROR_INVALID_HANDLE
        | code::ERROR_NOT_FOUND
        | code::ERROR_NOT_CONNECTED
        | code::ERROR_INTERFACE_NOT_CONNECTED
        | abi::ERROR_INVALID_PORT_HANDLE
        | abi::ERROR_PORT_NOT_CONNECTED => Failure::Gone { code: status },
        status => failed(function, status),
    }
}

/// What an error of any function means.
fn failed(function: &str, status: u32) -> Failure {
    match status {
        code::ERROR_ACCESS_DENIED => Failure::AccessDenied,
        code::ERROR_NOT_ENOUGH_MEMORY | code::ERROR_OUTOFMEMORY => Failure::OutOfMemory,
        code::ERROR_DDM_NOT_RUNNING
        | code::ERROR_SERVICE_NOT_ACTIVE
        | RPC_S_UNKNOWN_IF
        | RPC_S_SERVER_UNAVAILABLE
        | EPT_S_NOT_REGISTERED => Failure::NotRunning,
        code::ERROR_NOT_SUPPORTED
        | code::ERROR_CALL_NOT_IMPLEMENTED
        | code::ERROR_INVALID_LEVEL
        | code::ERROR_PROC_NOT_FOUND => {
            Failure::Unsupported(format!("{function} is not available here (error {status}); {NEEDED}"))
        }
        status => Failure::Failed { function: function.to_owned(), code: status },
    }
}
