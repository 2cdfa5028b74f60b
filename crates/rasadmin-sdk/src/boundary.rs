//! The one boundary that every export goes through: pointers are checked and copied, panics are caught, and whatever is
//! wrong gets the safe answer of the function's return type.
//!
//! Unsafe code is only here, in the modules below, and in the macro's expansion.
#![allow(unsafe_code)]

mod addresses;
mod structures;

pub use addresses::{assign_ipv4, assign_ipv6, release_ipv4, release_ipv6};
pub(crate) use structures::projection;
use structures::{checked, connection, copy, header, link};

use crate::address::Refusal;
use crate::life::{Environment, PANICKED};
use crate::slot::{Busy, PATIENCE, Slot};
use crate::{AdminDll, Connection, PreAuthentication, ValidatePreAuthenticated, Verdict};
use mprapi::abi::*;
use mprapi::contract::ArgumentType;
use mprapi::{FunctionId, FunctionSet};
use std::ffi::c_void;
use std::mem::offset_of;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use std::{fmt, mem, ptr};

/// A pointer as an export got it.
type Raw = *mut c_void;

/// The answer of a function's return type when nothing can be asked.
pub trait Answer: Sized {
    /// The safe answer: reject; this error code; nothing.
    fn safe(code: u32) -> Self;
}

/// BOOL: reject.
impl Answer for BOOL {
    fn safe(_: u32) -> Self {
        FALSE
    }
}

/// DWORD status: the error code.
impl Answer for u32 {
    fn safe(code: u32) -> Self {
        code
    }
}

/// A notification: nothing.
impl Answer for () {
    fn safe(_: u32) {}
}

/// What was wrong with a call.
enum Wrong {
    NotInitialised,
    Null(ArgumentType),
    Misaligned(ArgumentType),
    Header { ty: ArgumentType, kind: u8, size: u16 },
    NameTooLong(ArgumentType),
    Refused(Refusal),
    UselessAddress(String),
}

impl Wrong {
    fn code(&self) -> u32 {
        match self {
            Self::NotInitialised => ERROR_NOT_READY,
            Self::Refused(refusal) => refusal.code,
            Self::UselessAddress(_) => ERROR_NOT_FOUND,
            _ => ERROR_INVALID_PARAMETER,
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInitialised => f.write_str("called before initialise or after terminate"),
            Self::Null(ty) => write!(f, "{} is null", ty.label()),
            Self::Misaligned(ty) => write!(f, "{} is misaligned", ty.label()),
            Self::Header { ty, kind, size } => {
                write!(f, "the header of {} says type {kind} and {size} bytes", ty.label())
            }
            Self::NameTooLong(ty) => write!(f, "{} is longer than {UNLEN} characters", ty.label()),
            Self::Refused(refusal) => f.write_str(&refusal.reason),
            Self::UselessAddress(what) => f.write_str(what),
        }
    }
}

/// Runs the body with the instance; a panic or a wrong call is logged and gets the safe answer.
fn guarded<D: AdminDll, A: Answer>(
    slot: &Slot<D>,
    function: FunctionId,
    body: impl FnOnce(&D) -> Result<A, Wrong>,
) -> A {
    let Some((call, dll)) = slot.enter(function) else {
        return caught(function, || safe(function, &Wrong::NotInitialised));
    };
    let answer = caught(function, || body(&dll).unwrap_or_else(|wrong| safe(function, &wrong)));
    // Before the call counts as left. If the DLL was terminated meanwhile, the last call inside drops it, which may panic.
    caught(function, || drop(dll));
    drop(call);
    answer
}

/// Logs what was wrong with a call, unless the DLL has told it itself; the safe answer.
fn safe<A: Answer>(function: FunctionId, wrong: &Wrong) -> A {
    let code = wrong.code();
    let told = matches!(wrong, Wrong::Refused(refusal) if refusal.reason.is_empty());
    if !told {
        tracing::warn!(function = function.name(), code, "{wrong}");
    }
    A::safe(code)
}

/// Catches a panic and logs its text.
fn caught<A: Answer>(function: FunctionId, body: impl FnOnce() -> A) -> A {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        // Logging runs the DLL's Display code: it may panic again.
        let logged = catch_unwind(AssertUnwindSafe(|| {
            let text = payload.downcast_ref::<&str>().copied();
            let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text");
            tracing::error!(function = function.name(), "panic: {text}");
        }));
        // A payload may panic in its own Drop, which would end the process.
        mem::forget(payload);
        if let Err(second) = logged {
            mem::forget(second);
        }
        A::safe(PANICKED)
    })
}

fn verdict(function: FunctionId, about: &dyn fmt::Display, verdict: Verdict) -> BOOL {
    match verdict {
        Verdict::Accept => TRUE,
        Verdict::Reject(reason) => {
            if !reason.is_empty() {
                tracing::info!(function = function.name(), "rejected {about}: {reason}");
            }
            FALSE
        }
    }
}

// What the exports call. Each is unsafe for the one reason that its pointers must be what CONTRACT section 1 says, or
// null: RRAS vouches for that.

/// MprAdminInitializeDll.
pub fn initialize<D: AdminDll>(slot: &Slot<D>, callbacks: FunctionSet) -> u32 {
    start(slot, &Environment { function: FunctionId::InitializeDll, callbacks })
}

/// RRAS frees a DLL that does not start without a terminate (CONTRACT section 3), so the log is closed here: after the
/// error's or the panic's text has reached it.
fn start<D: AdminDll>(slot: &Slot<D>, environment: &Environment) -> u32 {
    let mut busy = false;
    let code = caught(environment.function, || {
        slot.initialize(environment, PATIENCE).unwrap_or_else(|Busy| {
            busy = true;
            tracing::warn!(function = environment.function.name(), "another initialise or terminate still runs");
            ERROR_BUSY
        })
    });
    // The log is whoever's still runs.
    if code != NO_ERROR && !busy {
        crate::log::close();
    }
    code
}

/// MprAdminInitializeDllEx: fills the table in, also the second time.
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
        // Before the first initialise there is no log, only the code.
        Err(wrong) => return safe(function, &wrong),
    };
    let code = start(slot, &Environment { function, callbacks });
    if code == NO_ERROR {
        // SAFETY: not null, aligned, and the caller vouches for its size (CONTRACT section 1).
        unsafe { ptr::write(to, table) };
    }
    code
}

/// MprAdminTerminateDll.
pub fn terminate<D: AdminDll>(slot: &Slot<D>) -> u32 {
    terminate_within(slot, PATIENCE)
}

/// MprAdminTerminateDll with another patience: for tests.
pub fn terminate_within<D: AdminDll>(slot: &Slot<D>, patience: Duration) -> u32 {
    let function = FunctionId::TerminateDll;
    let code = caught(function, || {
        slot.terminate(patience).unwrap_or_else(|Busy| {
            // What runs is in this DLL's code.
            let kept = match crate::library::pin() {
                Ok(()) => "the DLL stays in memory until the process ends".to_owned(),
                Err(error) => format!("the DLL cannot be kept in memory for it: {error}"),
            };
            tracing::error!(function = function.name(), "another initialise or terminate still runs; {kept}");
            ERROR_BUSY
        })
    });
    // Whatever the DLL does, and after its panic is logged: a file that stays open would outlive the image. If calls
    // are inside, the image stays, and they still write to the log.
    if code != ERROR_BUSY {
        crate::log::close();
    }
    code
}

/// A question about a connection: accept, reauthentication, endpoint change.
///
/// # Safety
/// The pointers are as CONTRACT section 1 says for `function`, or null.
pub unsafe fn ask<D: AdminDll>(
    slot: &Slot<D>,
    function: FunctionId,
    pointers: &[Raw],
    method: fn(&D, &Connection) -> Verdict,
) -> BOOL {
    guarded(slot, function, |dll| {
        // SAFETY: the caller vouches for the pointers.
        let connection = unsafe { connection(function, pointers, false) }?;
        Ok(verdict(function, &connection.user(), method(dll, &connection)))
    })
}

/// The end of a connection.
///
/// # Safety
/// As [`ask`].
pub unsafe fn connection_hangup<D: AdminDll>(slot: &Slot<D>, function: FunctionId, pointers: &[Raw]) {
    guarded(slot, function, |dll| {
        // SAFETY: the caller vouches for the pointers.
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
        // SAFETY: the caller vouches for the pointers.
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
        // SAFETY: the caller vouches for the pointers.
        dll.link_hangup(&unsafe { link(function, p0.cast(), p1.cast(), true) }?);
        Ok(())
    });
}

/// MprAdminRasValidatePreAuthenticatedConnectionEx: 1 (ALLOW_NO_AUTH) or 0, and 0 whenever anything is wrong.
///
/// # Safety
/// As [`ask`].
pub unsafe fn pre_authentication<D: ValidatePreAuthenticated>(slot: &Slot<D>, auth: *mut AUTH_VALIDATION_EX) -> u32 {
    let function = FunctionId::ValidatePreAuthenticatedConnectionEx;
    // BOOL's safe answer is 0, as this function's is.
    let admitted: BOOL = guarded(slot, function, |dll| {
        let ty = ArgumentType::AuthValidation;
        // SAFETY: the caller vouches for the pointer.
        let size = unsafe { header(auth.cast(), ty, AUTH_VALIDATION_TYPE, AUTH_INFO_OFFSET) }?;
        // SAFETY: the header vouches for `size` bytes.
        let (fixed, _) = unsafe { copy::<AUTH_VALIDATION_EX>(auth.cast(), ty, size) }?;
        let length = fixed.AuthInfoSize as usize;
        if length > size - AUTH_INFO_OFFSET {
            return Err(Wrong::Header { ty, kind: fixed.Header.r#type, size: fixed.Header.size });
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
