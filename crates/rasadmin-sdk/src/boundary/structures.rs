//! Reads what RRAS passes: checks the pointers, and copies the structures before any other code uses them.

use super::error::CallError;
use crate::connection::Connection;
use crate::link::Link;
use mprapi::FunctionId;
use mprapi::abi::*;
use mprapi::contract::ArgumentType;
use std::ffi::c_void;
use std::ptr;

/// A pointer as an export gets it.
pub(super) type RawPointer = *mut c_void;

/// Checks that a pointer is not null and is aligned.
pub(super) fn checked<T>(pointer: RawPointer, ty: ArgumentType) -> Result<*mut T, CallError> {
    let pointer = pointer.cast::<T>();
    if pointer.is_null() {
        Err(CallError::Null(ty))
    } else if !pointer.is_aligned() {
        Err(CallError::Misaligned(ty))
    } else {
        Ok(pointer)
    }
}

/// Copies the first `len` bytes of a structure of the contract; the rest is zero. Returns the value and its bytes.
///
/// # Safety
/// `pointer` is null, or points to `len` readable bytes.
pub(super) unsafe fn copy<T: Copy>(
    pointer: RawPointer,
    ty: ArgumentType,
    len: usize,
) -> Result<(T, (ArgumentType, Vec<u8>)), CallError> {
    let from = checked::<T>(pointer, ty)?;
    let mut bytes = vec![0u8; size_of::<T>()];
    let len = len.min(bytes.len());
    // SAFETY: the caller guarantees `len` readable bytes (CONTRACT section 2: the sizes that Windows passes); the
    // buffer has at least as many. The bytes are copied first, so that they do not change while they are read.
    unsafe { ptr::copy_nonoverlapping(from.cast::<u8>(), bytes.as_mut_ptr(), len) };
    // SAFETY: T is a structure of the contract, made of integers, arrays of them and handles: any bytes are a value.
    let value = unsafe { ptr::read_unaligned(bytes.as_ptr().cast::<T>()) };
    Ok((value, (ty, bytes)))
}

/// Reads the header of a RAS_CONNECTION_EX or AUTH_VALIDATION_EX. Returns its size, if the type is right and the size is at
/// least `least` bytes. Of a newer revision or a larger size, the SDK reads the part that it knows.
///
/// # Safety
/// `pointer` is null, or points to a readable MPRAPI_OBJECT_HEADER.
pub(super) unsafe fn header(pointer: RawPointer, ty: ArgumentType, kind: u8, least: usize) -> Result<usize, CallError> {
    if !pointer.cast::<u64>().is_aligned() {
        return Err(CallError::Misaligned(ty));
    }
    let from = checked::<MPRAPI_OBJECT_HEADER>(pointer, ty)?;
    // SAFETY: not null, aligned, and the caller guarantees the header (CONTRACT section 2).
    let found = unsafe { ptr::read(from) };
    let size = usize::from(found.size);
    if found.r#type != kind || size < least {
        return Err(CallError::Header { ty, kind: found.r#type, size: found.size });
    }
    Ok(size)
}

/// Reads the structures of a connection. With `partly`, for a hangup, it reads as much as possible.
///
/// # Safety
/// The pointers are as CONTRACT section 1 says for `function`, or null.
pub(super) unsafe fn connection(
    function: FunctionId,
    pointers: &[RawPointer],
    partly: bool,
) -> Result<Connection, CallError> {
    let mut connection = Connection::empty(function);
    let mut error = None;
    for (argument, &pointer) in function.row().arguments.iter().zip(pointers) {
        let ty = argument.ty;
        macro_rules! into {
            ($field:ident, $len:expr) => {
                // SAFETY: the caller guarantees the pointer (CONTRACT sections 1 and 2).
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
            error = Some(found);
        }
    }
    match error {
        // No structure could be read.
        Some(error) if connection.raw.is_empty() => Err(error),
        Some(error) => {
            tracing::warn!(function = function.name(), "delivered only what could be read: {error}");
            Ok(connection)
        }
        None => Ok(connection),
    }
}

/// Reads the structures of a link. With `partly`, for a hangup, it reads as much as possible.
///
/// # Safety
/// As [`connection`].
pub(super) unsafe fn link(
    function: FunctionId,
    p0: RawPointer,
    p1: RawPointer,
    partly: bool,
) -> Result<Link, CallError> {
    let mut link = Link { function, truncated: false, raw: Vec::new(), p0: None, p1: None };
    // SAFETY: the caller guarantees both pointers (CONTRACT sections 1 and 2).
    let (first, second) =
        unsafe { (copy(p0, ArgumentType::Port0, usize::MAX), copy(p1, ArgumentType::Port1, usize::MAX)) };
    match (first, second) {
        (Err(error), Err(_)) => return Err(error),
        (Err(error), _) | (_, Err(error)) if !partly => return Err(error),
        (first, second) => {
            for error in [first.as_ref().err(), second.as_ref().err()].into_iter().flatten() {
                link.truncated = true;
                tracing::warn!(function = function.name(), "delivered only what could be read: {error}");
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

/// Reads a terminated name of at most UNLEN units. A longer name is an error; it is never truncated. Nothing past the
/// terminator is read.
///
/// # Safety
/// `pointer` is null, or points to a terminated UTF-16 string.
pub(super) unsafe fn name(pointer: RawPointer, ty: ArgumentType) -> Result<Vec<u16>, CallError> {
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
    Err(CallError::NameTooLong(ty))
}
