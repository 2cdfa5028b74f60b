//! The boundary that every export goes through. It checks and copies what pointers point to, catches panics, and answers
//! safely if anything is wrong.
//!
//! The crate's unsafe code is here, in the modules below, in `projection` and `library`, and in the macro's expansion.
#![allow(unsafe_code)]

mod addresses;
mod error;
mod guard;
mod structures;

pub use addresses::{assign_ipv4, assign_ipv6, release_ipv4, release_ipv6};
pub use guard::Answer;

use crate::admin_dll::{AdminDll, ValidatePreAuthenticated, Verdict};
use crate::connection::Connection;
use crate::initialize::Environment;
use crate::pre_authentication::PreAuthentication;
use crate::slot::{Busy, Slot, TIMEOUT};
use error::CallError;
use guard::{caught, guarded, safe, verdict};
use mprapi::abi::*;
use mprapi::contract::ArgumentType;
use mprapi::{FunctionId, FunctionSet};
use std::mem::offset_of;
use std::ptr;
use std::time::Duration;
use structures::{RawPointer, checked, connection, copy, header, link};

// The exports call the functions below. They are unsafe only because their pointers must be as CONTRACT section 1 says, or
// null. RRAS guarantees that.

/// MprAdminInitializeDll.
pub fn initialize<D: AdminDll>(slot: &Slot<D>, callbacks: FunctionSet) -> u32 {
    start(slot, &Environment { function: FunctionId::InitializeDll, callbacks })
}

/// Initialises the DLL. If that fails, RRAS frees the DLL without a terminate (CONTRACT section 3), so this closes the log,
/// once it has the text of the error or panic.
fn start<D: AdminDll>(slot: &Slot<D>, environment: &Environment) -> u32 {
    let mut busy = false;
    let code = caught(environment.function, || {
        slot.initialize(environment, TIMEOUT).unwrap_or_else(|Busy| {
            busy = true;
            tracing::warn!(function = environment.function.name(), "another initialise or terminate is still running");
            ERROR_BUSY
        })
    });
    // If another call is running, the log is in use.
    if code != NO_ERROR && !busy {
        crate::log::close();
    }
    code
}

/// MprAdminInitializeDllEx. Fills in the table, also when it is called a second time.
///
/// # Safety
/// `to` is null or points to a writable MPRAPI_ADMIN_DLL_CALLBACKS.
pub unsafe fn initialize_ex<D: AdminDll>(
    slot: &Slot<D>,
    to: *mut MPRAPI_ADMIN_DLL_CALLBACKS,
    table: MPRAPI_ADMIN_DLL_CALLBACKS,
    callbacks: FunctionSet,
) -> u32 {
    let function = FunctionId::InitializeDllEx;
    let to = match checked::<MPRAPI_ADMIN_DLL_CALLBACKS>(to.cast(), ArgumentType::Callbacks) {
        Ok(to) => to,
        // Before the first initialise there is no log, so only the code reports this.
        Err(wrong) => return safe(function, &wrong),
    };
    let code = start(slot, &Environment { function, callbacks });
    if code == NO_ERROR {
        // SAFETY: not null, aligned, and the caller guarantees its size (CONTRACT section 1).
        unsafe { ptr::write(to, table) };
    }
    code
}

/// MprAdminTerminateDll.
pub fn terminate<D: AdminDll>(slot: &Slot<D>) -> u32 {
    terminate_within(slot, TIMEOUT)
}

/// MprAdminTerminateDll with another timeout, for tests.
pub fn terminate_within<D: AdminDll>(slot: &Slot<D>, timeout: Duration) -> u32 {
    let function = FunctionId::TerminateDll;
    let code = caught(function, || {
        slot.terminate(timeout).unwrap_or_else(|Busy| {
            // The other call runs in this DLL's code, so the DLL must not be unloaded.
            let kept = match crate::library::pin() {
                Ok(()) => "the DLL stays in memory until the process ends".to_owned(),
                Err(error) => format!("the DLL cannot be kept in memory for it: {error}"),
            };
            tracing::error!(function = function.name(), "another initialise or terminate is still running; {kept}");
            ERROR_BUSY
        })
    });
    // The log is closed even if the DLL panicked, after the panic was logged: an open file would outlive the image. If calls
    // are inside, the image stays, and they still write to the log.
    if code != ERROR_BUSY {
        crate::log::close();
    }
    code
}

/// A call that the DLL accepts or rejects: a connection, a reauthentication or an endpoint change.
///
/// # Safety
/// The pointers are as CONTRACT section 1 says for `function`, or null.
pub unsafe fn ask<D: AdminDll>(
    slot: &Slot<D>,
    function: FunctionId,
    pointers: &[RawPointer],
    method: fn(&D, &Connection) -> Verdict,
) -> BOOL {
    guarded(slot, function, |dll| {
        // SAFETY: the caller guarantees the pointers.
        let connection = unsafe { connection(function, pointers, false) }?;
        Ok(verdict(function, &connection.user(), method(dll, &connection)))
    })
}

/// MprAdminConnectionHangupNotification, in all forms.
///
/// # Safety
/// As [`ask`].
pub unsafe fn connection_hangup<D: AdminDll>(slot: &Slot<D>, function: FunctionId, pointers: &[RawPointer]) {
    guarded(slot, function, |dll| {
        // SAFETY: the caller guarantees the pointers.
        dll.connection_hangup(&unsafe { connection(function, pointers, true) }?);
        Ok(())
    });
}

/// MprAdminAcceptNewLink.
///
/// # Safety
/// As [`ask`].
pub unsafe fn accept_link<D: AdminDll>(slot: &Slot<D>, p0: *mut RAS_PORT_0, p1: *mut RAS_PORT_1) -> BOOL {
    let function = FunctionId::AcceptNewLink;
    guarded(slot, function, |dll| {
        // SAFETY: the caller guarantees the pointers.
        let link = unsafe { link(function, p0.cast(), p1.cast(), false) }?;
        Ok(verdict(function, &link.port(), dll.accept_link(&link)))
    })
}

/// MprAdminLinkHangupNotification.
///
/// # Safety
/// As [`ask`].
pub unsafe fn link_hangup<D: AdminDll>(slot: &Slot<D>, p0: *mut RAS_PORT_0, p1: *mut RAS_PORT_1) {
    let function = FunctionId::LinkHangupNotification;
    guarded(slot, function, |dll| {
        // SAFETY: the caller guarantees the pointers.
        dll.link_hangup(&unsafe { link(function, p0.cast(), p1.cast(), true) }?);
        Ok(())
    });
}

/// MprAdminRasValidatePreAuthenticatedConnectionEx. Returns 1 (ALLOW_NO_AUTH) or 0, and 0 if anything is wrong.
///
/// # Safety
/// As [`ask`].
pub unsafe fn pre_authentication<D: ValidatePreAuthenticated>(slot: &Slot<D>, auth: *mut AUTH_VALIDATION_EX) -> u32 {
    let function = FunctionId::ValidatePreAuthenticatedConnectionEx;
    // The safe answer of this function is 0, as that of a BOOL is.
    let admitted: BOOL = guarded(slot, function, |dll| {
        let ty = ArgumentType::AuthValidation;
        // SAFETY: the caller guarantees the pointer.
        let size = unsafe { header(auth.cast(), ty, AUTH_VALIDATION_TYPE, AUTH_INFO_OFFSET) }?;
        // SAFETY: the header guarantees `size` bytes.
        let (fixed, _) = unsafe { copy::<AUTH_VALIDATION_EX>(auth.cast(), ty, size) }?;
        let length = fixed.AuthInfoSize as usize;
        if length > size - AUTH_INFO_OFFSET {
            return Err(CallError::Header { ty, kind: fixed.Header.r#type, size: fixed.Header.size });
        }
        let mut info = vec![0u8; length];
        // SAFETY: AuthInfo and its length lie within the size that the header states (CONTRACT section 2).
        unsafe {
            let from = auth.cast::<u8>().add(offset_of!(AUTH_VALIDATION_EX, AuthInfo));
            ptr::copy_nonoverlapping(from, info.as_mut_ptr(), length);
        }
        let client = PreAuthentication::new(fixed, info);
        Ok(BOOL::from(dll.admit_without_authentication(&client)))
    });
    if admitted == TRUE { ALLOW_NO_AUTH } else { DO_NOT_ALLOW_NO_AUTH }
}
