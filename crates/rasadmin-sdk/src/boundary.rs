//! The one boundary that every export goes through: pointers are checked and copied, panics are caught, and whatever is
//! wrong gets the safe answer of the function's return type.
//!
//! Unsafe code is here and in the macro's expansion only.
#![allow(unsafe_code)]

use crate::address::{AddressRequest, Assignment, InterfaceId, Refusal};
use crate::connection::{Projection, pair};
use crate::life::{Environment, PANICKED};
use crate::slot::{Busy, PATIENCE, Slot};
use crate::{AdminDll, AssignIpv4, AssignIpv6, Connection, Link, PreAuthentication, ValidatePreAuthenticated, Verdict};
use mprapi::abi::*;
use mprapi::contract::ArgumentType;
use mprapi::{FunctionId, FunctionSet};
use std::ffi::c_void;
use std::mem::offset_of;
use std::net::{Ipv4Addr, Ipv6Addr};
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

/// Null and alignment.
fn checked<T>(pointer: Raw, ty: ArgumentType) -> Result<*mut T, Wrong> {
    let pointer = pointer.cast::<T>();
    if pointer.is_null() {
        Err(Wrong::Null(ty))
    } else if !pointer.is_aligned() {
        Err(Wrong::Misaligned(ty))
    } else {
        Ok(pointer)
    }
}

/// Copies a structure of the contract. `len` is how much of it the caller vouches for; the rest is zero.
///
/// # Safety
/// `pointer` is null, or points to `len` readable bytes.
unsafe fn copy<T: Copy>(pointer: Raw, ty: ArgumentType, len: usize) -> Result<(T, (ArgumentType, Vec<u8>)), Wrong> {
    let from = checked::<T>(pointer, ty)?;
    let mut bytes = vec![0u8; size_of::<T>()];
    let len = len.min(bytes.len());
    // SAFETY: the caller vouches for `len` readable bytes (CONTRACT section 2: the sizes that Windows passes); the
    // buffer has at least as many. The bytes are copied first, so that nothing changes under the reader.
    unsafe { ptr::copy_nonoverlapping(from.cast::<u8>(), bytes.as_mut_ptr(), len) };
    // SAFETY: T is a structure of the contract, made of integers, arrays of them and handles: any bytes are a value.
    let value = unsafe { ptr::read_unaligned(bytes.as_ptr().cast::<T>()) };
    Ok((value, (ty, bytes)))
}

/// Reads the header of a RAS_CONNECTION_EX or AUTH_VALIDATION_EX and returns the size it states, if it is of the right
/// type and at least `least` bytes. A newer revision or a larger size is read as its known prefix.
///
/// # Safety
/// `pointer` is null, or points to a readable MPRAPI_OBJECT_HEADER.
unsafe fn header(pointer: Raw, ty: ArgumentType, kind: u8, least: usize) -> Result<usize, Wrong> {
    if !pointer.cast::<u64>().is_aligned() {
        return Err(Wrong::Misaligned(ty));
    }
    let from = checked::<MPRAPI_OBJECT_HEADER>(pointer, ty)?;
    // SAFETY: not null, aligned, and the caller vouches for the header (CONTRACT section 2).
    let found = unsafe { ptr::read(from) };
    let size = usize::from(found.size);
    if found.r#type != kind || size < least {
        return Err(Wrong::Header { ty, kind: found.r#type, size: found.size });
    }
    Ok(size)
}

/// Reads the structures of a connection form. A hangup is read as far as it can be: `partly`.
///
/// # Safety
/// The pointers are as CONTRACT section 1 says for `function`, or null.
unsafe fn connection(function: FunctionId, pointers: &[Raw], partly: bool) -> Result<Connection, Wrong> {
    let mut connection = Connection::empty(function);
    let mut wrong = None;
    for (argument, &pointer) in function.row().arguments.iter().zip(pointers) {
        let ty = argument.ty;
        macro_rules! into {
            ($field:ident, $len:expr) => {
                // SAFETY: the caller vouches for the pointer (CONTRACT sections 1 and 2).
                unsafe { copy(pointer, ty, $len) }.map(|(value, raw)| {
                    connection.$field = Some(value);
                    connection.raw.push(raw);
                })
            };
        }
        let read = match ty {
            ArgumentType::Connection0 => into!(c0, usize::MAX),
            ArgumentType::Connection1 => into!(c1, usize::MAX),
            ArgumentType::Connection2 => into!(c2, usize::MAX),
            ArgumentType::Connection3 => into!(c3, usize::MAX),
            _ => {
                let least = if partly { size_of::<MPRAPI_OBJECT_HEADER>() } else { size_of::<RAS_CONNECTION_EX>() };
                // SAFETY: as above.
                let size = unsafe { header(pointer, ty, CONNECTION_TYPE, least) };
                connection.truncated = size.as_ref().is_ok_and(|&size| size < size_of::<RAS_CONNECTION_EX>());
                size.and_then(|size| into!(ex, size))
            }
        };
        if let Err(found) = read {
            if !partly {
                return Err(found);
            }
            connection.truncated = true;
            wrong = Some(found);
        }
    }
    match wrong {
        // Nothing at all could be read.
        Some(wrong) if connection.raw.is_empty() => Err(wrong),
        Some(wrong) => {
            tracing::warn!(function = function.name(), "delivered as far as it could be read: {wrong}");
            Ok(connection)
        }
        None => Ok(connection),
    }
}

/// Reads the structures of a link; a hangup as far as it can be.
///
/// # Safety
/// As [`connection`].
unsafe fn link(function: FunctionId, p0: Raw, p1: Raw, partly: bool) -> Result<Link, Wrong> {
    let mut link = Link { function, truncated: false, raw: Vec::new(), p0: None, p1: None };
    // SAFETY: the caller vouches for both pointers (CONTRACT sections 1 and 2).
    let (first, second) =
        unsafe { (copy(p0, ArgumentType::Port0, usize::MAX), copy(p1, ArgumentType::Port1, usize::MAX)) };
    match (first, second) {
        (Err(wrong), Err(_)) => return Err(wrong),
        (Err(wrong), _) | (_, Err(wrong)) if !partly => return Err(wrong),
        (first, second) => {
            for wrong in [first.as_ref().err(), second.as_ref().err()].into_iter().flatten() {
                link.truncated = true;
                tracing::warn!(function = function.name(), "delivered as far as it could be read: {wrong}");
            }
            if let Ok((value, raw)) = first {
                link.p0 = Some(value);
                link.raw.push(raw);
            }
            if let Ok((value, raw)) = second {
                link.p1 = Some(value);
                link.raw.push(raw);
            }
        }
    }
    Ok(link)
}

/// Reads a terminated name of at most UNLEN units; a longer one is an error, never cut. Nothing past the terminator is
/// touched.
///
/// # Safety
/// `pointer` is null, or points to a terminated UTF-16 string.
unsafe fn name(pointer: Raw, ty: ArgumentType) -> Result<Vec<u16>, Wrong> {
    let from = checked::<u16>(pointer, ty)?;
    let mut units = Vec::with_capacity(64);
    for at in 0..=UNLEN {
        // SAFETY: every unit before this one was not the terminator, so this one belongs to the string (CONTRACT
        // section 1: a terminated string).
        match unsafe { ptr::read(from.add(at)) } {
            0 => return Ok(units),
            unit => units.push(unit),
        }
    }
    Err(Wrong::NameTooLong(ty))
}

/// The IPv4 and IPv6 addresses of the negotiated projection.
pub(crate) fn projection(info: &PROJECTION_INFO) -> Option<Projection> {
    macro_rules! of {
        ($arm:expr) => {{
            let arm = $arm;
            let identifiers = [arm.bInterfaceIdentifier, arm.bRemoteInterfaceIdentifier];
            Some(Projection {
                ipv4: pair(arm.dwIPv4NegotiationError, &arm.wszAddress, &arm.wszRemoteAddress),
                ipv6_identifiers: (arm.dwIPv6NegotiationError == NO_ERROR).then_some(identifiers),
                ipv6_prefix: (arm.dwIPv6NegotiationError == NO_ERROR).then_some(arm.bPrefix),
            })
        }};
    }
    match info.projectionInfoType {
        // SAFETY: the type names the arm (CONTRACT section 2), and both are integers and arrays of them.
        PROJECTION_PPP => of!(unsafe { &info.Anonymous.PppProjectionInfo }),
        // SAFETY: as above.
        PROJECTION_IKEV2 => of!(unsafe { &info.Anonymous.Ikev2ProjectionInfo }),
        _ => None,
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
        // Before the first initialise there is no log: then the code alone tells it.
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
    // Whatever the DLL does, and after the text of its panic: a file that stays open would outlive the image. Where calls
    // are inside, the image stays, and they still have something to tell.
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

/// Reads the three pointers that all address calls have in common.
///
/// # Safety
/// As [`ask`].
unsafe fn address_request<A: Copy>(
    function: FunctionId,
    user: PCWSTR,
    port: PCWSTR,
    address: *mut A,
    ty: ArgumentType,
) -> Result<AddressRequest<A>, Wrong> {
    let address = checked::<A>(address.cast(), ty)?;
    // SAFETY: the caller vouches for the pointers (CONTRACT section 1); `address` is not null and aligned.
    let (user, port, address) = unsafe {
        let user = name(user.cast_mut().cast(), ArgumentType::UserName);
        let port = name(port.cast_mut().cast(), ArgumentType::PortName);
        (user?, port?, ptr::read(address))
    };
    Ok(AddressRequest { function, user, port, address })
}

impl<A> AddressRequest<A> {
    fn map<B>(self, to: impl FnOnce(A) -> B) -> AddressRequest<B> {
        let Self { function, user, port, address } = self;
        AddressRequest { function, user, port, address: to(address) }
    }
}

/// notify_release, checked, and FALSE until the address is given.
///
/// # Safety
/// `notify` is null or points to a writable BOOL.
unsafe fn notify(notify: *mut BOOL) -> Result<*mut BOOL, Wrong> {
    let notify = checked::<BOOL>(notify.cast(), ArgumentType::NotifyRelease)?;
    // SAFETY: not null, aligned, and the caller vouches for it (CONTRACT section 1).
    unsafe { ptr::write(notify, FALSE) };
    Ok(notify)
}

/// MprAdminGetIpAddressForUser. The DWORD is in network byte order: the address's four bytes in memory.
///
/// # Safety
/// As [`ask`].
pub unsafe fn assign_ipv4<D: AssignIpv4>(
    slot: &Slot<D>,
    user: PCWSTR,
    port: PCWSTR,
    address: *mut u32,
    notify_release: *mut BOOL,
) -> u32 {
    let function = FunctionId::GetIpAddressForUser;
    // Before all else, so that it is FALSE on every refusal.
    // SAFETY: the caller vouches for the pointers.
    let notify_release = unsafe { notify(notify_release) };
    guarded(slot, function, |dll| {
        let notify_release = notify_release?;
        // SAFETY: as above.
        let request = unsafe { address_request(function, user, port, address, ArgumentType::Ipv4Address) }?;
        let request = request.map(|dword| Ipv4Addr::from(dword.to_ne_bytes()));
        let assignment = dll.assign_ipv4(&request).map_err(Wrong::Refused)?;
        if assignment.address.is_unspecified() {
            return Err(Wrong::UselessAddress("the DLL assigned 0.0.0.0".into()));
        }
        // SAFETY: both were checked above.
        unsafe {
            ptr::write(address, u32::from_ne_bytes(assignment.address.octets()));
            ptr::write(notify_release, BOOL::from(assignment.notify_release));
        }
        Ok(NO_ERROR)
    })
}

/// MprAdminReleaseIpAddress.
///
/// # Safety
/// As [`ask`].
pub unsafe fn release_ipv4<D: AssignIpv4>(slot: &Slot<D>, user: PCWSTR, port: PCWSTR, address: *mut u32) {
    let function = FunctionId::ReleaseIpAddress;
    guarded(slot, function, |dll| {
        // SAFETY: the caller vouches for the pointers.
        let request = unsafe { address_request(function, user, port, address, ArgumentType::Ipv4Address) }?;
        dll.release_ipv4(&request.map(|dword| Ipv4Addr::from(dword.to_ne_bytes())));
        Ok(())
    });
}

/// IN6_ADDR in its bytes: it is a union of arrays of them.
type Ipv6Bytes = [u8; 16];

/// MprAdminGetIpv6AddressForUser. The identifier is written into the last eight bytes, the first eight are preserved;
/// if the last are zero and the first are not, the identifier seems to stand elsewhere: the offer is kept. A DLL may
/// keep any offer, but may not choose a zero or reserved identifier.
///
/// # Safety
/// As [`ask`].
pub unsafe fn assign_ipv6<D: AssignIpv6>(
    slot: &Slot<D>,
    user: PCWSTR,
    port: PCWSTR,
    address: *mut IN6_ADDR,
    notify_release: *mut BOOL,
) -> u32 {
    let function = FunctionId::GetIpv6AddressForUser;
    // Before all else, so that it is FALSE on every refusal.
    // SAFETY: the caller vouches for the pointers.
    let notify_release = unsafe { notify(notify_release) };
    guarded(slot, function, |dll| {
        let notify_release = notify_release?;
        checked::<IN6_ADDR>(address.cast(), ArgumentType::Ipv6Address)?;
        let bytes = address.cast::<Ipv6Bytes>();
        // SAFETY: as above.
        let request = unsafe { address_request(function, user, port, bytes, ArgumentType::Ipv6Address) }?;
        let offer = request.address;
        let Assignment { address: InterfaceId(identifier), notify_release: wanted } =
            dll.assign_ipv6(&request.map(Ipv6Addr::from)).map_err(Wrong::Refused)?;
        let mut given = offer;
        if offer[8..] == [0; 8] && offer[..8] != [0; 8] {
            let offer = Ipv6Addr::from(offer);
            tracing::warn!(function = function.name(), "kept the offer {offer}: its last eight bytes are zero");
        } else if offer[8..] == identifier {
            // The offer is kept, whatever it is: RRAS answers for it.
        } else if InterfaceId(identifier).is_reserved() {
            let identifier = u64::from_be_bytes(identifier);
            return Err(Wrong::UselessAddress(format!("the DLL assigned the reserved identifier {identifier:#018x}")));
        } else {
            given[8..].copy_from_slice(&identifier);
        }
        // SAFETY: both were checked above; IN6_ADDR is these sixteen bytes.
        unsafe {
            ptr::write(bytes, given);
            ptr::write(notify_release, BOOL::from(wanted));
        }
        Ok(NO_ERROR)
    })
}

/// MprAdminReleaseIpv6AddressForUser.
///
/// # Safety
/// As [`ask`].
pub unsafe fn release_ipv6<D: AssignIpv6>(slot: &Slot<D>, user: PCWSTR, port: PCWSTR, address: *mut IN6_ADDR) {
    let function = FunctionId::ReleaseIpv6AddressForUser;
    guarded(slot, function, |dll| {
        checked::<IN6_ADDR>(address.cast(), ArgumentType::Ipv6Address)?;
        let bytes = address.cast::<Ipv6Bytes>();
        // SAFETY: the caller vouches for the pointers.
        let request = unsafe { address_request(function, user, port, bytes, ArgumentType::Ipv6Address) }?;
        dll.release_ipv6(&request.map(Ipv6Addr::from));
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
