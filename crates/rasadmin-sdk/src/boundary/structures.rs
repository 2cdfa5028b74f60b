//! Reading what RRAS passes: pointers are checked, and structures are copied before anything looks at them.

use super::{Raw, Wrong};
use crate::connection::{Projection, pair};
use crate::{Connection, Link};
use mprapi::FunctionId;
use mprapi::abi::*;
use mprapi::contract::ArgumentType;
use std::ptr;

/// Checks for null and alignment.
pub(super) fn checked<T>(pointer: Raw, ty: ArgumentType) -> Result<*mut T, Wrong> {
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
pub(super) unsafe fn copy<T: Copy>(
    pointer: Raw,
    ty: ArgumentType,
    len: usize,
) -> Result<(T, (ArgumentType, Vec<u8>)), Wrong> {
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
pub(super) unsafe fn header(pointer: Raw, ty: ArgumentType, kind: u8, least: usize) -> Result<usize, Wrong> {
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

/// Reads the structures of a connection form. With `partly`, for a hangup, it reads as much as it can.
///
/// # Safety
/// The pointers are as CONTRACT section 1 says for `function`, or null.
pub(super) unsafe fn connection(function: FunctionId, pointers: &[Raw], partly: bool) -> Result<Connection, Wrong> {
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

/// Reads the structures of a link; for a hangup, as much as it can.
///
/// # Safety
/// As [`connection`].
pub(super) unsafe fn link(function: FunctionId, p0: Raw, p1: Raw, partly: bool) -> Result<Link, Wrong> {
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

/// Reads a terminated name of at most UNLEN units; a longer one is an error, and is never cut. Nothing past the
/// terminator is touched.
///
/// # Safety
/// `pointer` is null, or points to a terminated UTF-16 string.
pub(super) unsafe fn name(pointer: Raw, ty: ArgumentType) -> Result<Vec<u16>, Wrong> {
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
