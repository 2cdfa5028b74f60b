//! An admin DLL for the checker's own tests. It misbehaves in the way that the environment variable RASADMIN_MISBEHAVE
//! names. Without the variable it is a good DLL: revision 2, with the IPv4 pair.

use mprapi::abi::*;
use std::sync::Mutex;
use std::time::Duration;

/// Whether the DLL should misbehave in this way.
fn misbehaves(how: &str) -> bool {
    std::env::var("RASADMIN_MISBEHAVE").is_ok_and(|value| value == how)
}

/// The number of addresses that were assigned and not released, for `keeps-addresses`.
static GIVEN: Mutex<u32> = Mutex::new(0);

fn hang() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

/// The length of a string, without its terminator.
///
/// # Safety
/// The string has a terminator.
unsafe fn length(string: *const u16) -> usize {
    // SAFETY: the caller's promise. In `unterminated` it is broken on purpose.
    unsafe { (0..).position(|n| string.add(n).read_volatile() == 0).unwrap_or(0) }
}

/// Fills in the table.
///
/// # Safety
/// `table` is null or valid (CONTRACT section 3, "Start").
#[unsafe(no_mangle)]
pub unsafe extern "system" fn MprAdminInitializeDllEx(table: *mut MPRAPI_ADMIN_DLL_CALLBACKS) -> u32 {
    // SAFETY: the caller's promise.
    let Some(table) = (unsafe { table.as_mut() }) else {
        return ERROR_INVALID_PARAMETER;
    };
    if misbehaves("hangs-in-initialise") {
        hang();
    }
    if misbehaves("panics-in-initialise") {
        panic!("on purpose");
    }
    if misbehaves("leaks-memory") {
        std::hint::black_box(vec![1u8; 64 * 1024].leak());
    }
    if misbehaves("leaks-a-tls-index") {
        leak_tls_index();
    }
    if misbehaves("leaks-a-handle-a-load") {
        std::mem::forget(std::env::current_exe().and_then(std::fs::File::open));
    }
    if misbehaves("stays-loaded") {
        stay_loaded();
    }
    table.revision = 2;
    table.lpfnRasAdminTerminateDll = Some(terminate);
    table.lpfnRasAdminAcceptNewLink = Some(accept_link);
    table.lpfnRasAdminLinkHangupNotification = Some(link_hangup);
    table.lpfnRasAdminAcceptNewConnectionEx = Some(accept);
    table.lpfnRasAdminAcceptReauthenticationEx = Some(accept);
    table.lpfnRasAdminConnectionHangupNotificationEx = Some(hangup);
    if !misbehaves("half-a-pair-in-the-table") {
        table.lpfnMprAdminReleaseIpAddress = Some(release);
    }
    table.lpfnMprAdminGetIpAddressForUser = Some(get);
    NO_ERROR
}

#[cfg(unix)]
fn leak_tls_index() {
    let mut key = 0;
    // SAFETY: `key` is a valid place.
    unsafe { libc::pthread_key_create(&mut key, None) };
}

#[cfg(windows)]
fn leak_tls_index() {
    // SAFETY: no pointer is passed.
    unsafe { windows_sys::Win32::System::Threading::TlsAlloc() };
}

/// This library's own path, which the test passes.
fn own_path() -> std::ffi::OsString {
    std::env::var_os("RASADMIN_SELF").unwrap_or_default()
}

#[cfg(unix)]
fn stay_loaded() {
    use std::os::unix::ffi::OsStringExt;
    let path = std::ffi::CString::new(own_path().into_vec()).unwrap_or_default();
    // SAFETY: `path` is a terminated string.
    unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
}

#[cfg(windows)]
fn stay_loaded() {
    use std::os::windows::ffi::OsStrExt;
    let path: Vec<u16> = own_path().encode_wide().chain([0]).collect();
    // SAFETY: `path` is a terminated string.
    unsafe { windows_sys::Win32::System::LibraryLoader::LoadLibraryW(path.as_ptr()) };
}

unsafe extern "system" fn terminate() -> u32 {
    if misbehaves("hangs-in-terminate") {
        hang();
    }
    NO_ERROR
}

unsafe extern "system" fn accept_link(port0: *mut RAS_PORT_0, _port1: *mut RAS_PORT_1) -> BOOL {
    if misbehaves("exits") {
        std::process::exit(0);
    }
    if misbehaves("panics") {
        panic!("on purpose");
    }
    // SAFETY: null or valid (CONTRACT section 1).
    let port = unsafe { port0.as_ref() };
    if misbehaves("unterminated")
        && let Some(port) = port
    {
        // SAFETY: it may have no terminator: that is the misbehaviour.
        unsafe { length(port.wszDeviceType.as_ptr()) };
    }
    TRUE
}

unsafe extern "system" fn link_hangup(_port0: *mut RAS_PORT_0, _port1: *mut RAS_PORT_1) {}

unsafe extern "system" fn accept(connection: *mut RAS_CONNECTION_EX) -> BOOL {
    // SAFETY: null or valid (CONTRACT section 1).
    let Some(connection) = (unsafe { connection.as_ref() }) else {
        return FALSE;
    };
    if misbehaves("trusts-size") {
        let room = [0u8; size_of::<RAS_CONNECTION_EX>()];
        std::hint::black_box(&room[..usize::from(connection.Header.size)]);
    }
    if misbehaves("trusts-enumerations") && connection.wszLocalEndpointAddress.contains(&0) {
        let names = ["normal", "quarantine", "probation", "not capable"];
        std::hint::black_box(names[connection.rasQuarState as usize]);
    }
    TRUE
}

unsafe extern "system" fn hangup(_connection: *mut RAS_CONNECTION_EX) {}

unsafe extern "system" fn get(user: *const u16, _port: *const u16, address: *mut u32, notify: *mut BOOL) -> u32 {
    // SAFETY: null or valid (CONTRACT section 1).
    let (Some(address), Some(notify)) = (unsafe { address.as_mut() }, unsafe { notify.as_mut() }) else {
        return ERROR_INVALID_PARAMETER;
    };
    if user.is_null() {
        return ERROR_INVALID_PARAMETER;
    }
    if misbehaves("copies-names") {
        let room = [0u16; UNLEN + 1];
        // SAFETY: a terminated string (CONTRACT section 1).
        std::hint::black_box(&room[..unsafe { length(user) }]);
    }
    if misbehaves("gives-zero") {
        *address = 0;
    }
    if misbehaves("keeps-addresses") {
        let mut given = GIVEN.lock().unwrap_or_else(|e| e.into_inner());
        *given += 1;
        if *given > 254 {
            return ERROR_NOT_FOUND;
        }
    }
    *notify = TRUE;
    NO_ERROR
}

unsafe extern "system" fn release(_user: *const u16, _port: *const u16, _address: *mut u32) {}

macro_rules! export {
    ($($name:ident($($argument:ident: $ty:ty),*) $(-> $result:ty)? = $function:ident;)+) => {
        $(
            /// See the contract's function of this name.
            ///
            /// # Safety
            /// Every pointer is null or valid (CONTRACT section 1).
            #[unsafe(no_mangle)]
            pub unsafe extern "system" fn $name($($argument: $ty),*) $(-> $result)? {
                // SAFETY: the caller's promise.
                unsafe { $function($($argument),*) }
            }
        )+
    };
}

export! {
    MprAdminTerminateDll() -> u32 = terminate;
    MprAdminAcceptNewLink(a: *mut RAS_PORT_0, b: *mut RAS_PORT_1) -> BOOL = accept_link;
    MprAdminLinkHangupNotification(a: *mut RAS_PORT_0, b: *mut RAS_PORT_1) = link_hangup;
    MprAdminAcceptNewConnectionEx(a: *mut RAS_CONNECTION_EX) -> BOOL = accept;
    MprAdminAcceptReauthenticationEx(a: *mut RAS_CONNECTION_EX) -> BOOL = accept;
    MprAdminConnectionHangupNotificationEx(a: *mut RAS_CONNECTION_EX) = hangup;
    MprAdminGetIpAddressForUser(a: *const u16, b: *const u16, c: *mut u32, d: *mut BOOL) -> u32 = get;
    MprAdminReleaseIpAddress(a: *const u16, b: *const u16, c: *mut u32) = release;
}
