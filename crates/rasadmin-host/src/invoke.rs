//! Calls a function of the contract through its address.
#![allow(unsafe_code)] // Calling an address.

use crate::guarded::Guarded;
use crate::module::Pointer;
use mprapi::contract::{Function, Returns};
use std::ffi::c_void;
use std::mem::transmute;

/// What an argument points to.
#[derive(Debug)]
pub enum Arg {
    /// A null pointer.
    Null,
    /// Memory whose end abuts an inaccessible page.
    Memory(Guarded),
    /// A misaligned pointer, one byte into a buffer.
    Misaligned(Guarded),
}

impl Arg {
    /// Memory that holds `bytes`.
    pub fn bytes(bytes: &[u8]) -> Self {
        Self::Memory(Guarded::new(bytes))
    }

    /// A terminated UTF-16 string.
    pub fn text(text: &str) -> Self {
        Self::units(&text.encode_utf16().collect::<Vec<_>>())
    }

    /// A terminated string of these UTF-16 units.
    pub fn units(units: &[u16]) -> Self {
        Self::Memory(Guarded::wide(units))
    }

    /// What the argument points to now. None for a null pointer.
    pub fn memory(&self) -> Option<&[u8]> {
        match self {
            Self::Null => None,
            Self::Memory(guarded) | Self::Misaligned(guarded) => Some(guarded.bytes()),
        }
    }

    /// The `N` bytes that the argument points to. Zeros if it points to fewer or more.
    pub(crate) fn value<const N: usize>(&self) -> [u8; N] {
        self.memory().and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; N])
    }

    /// The address right behind the memory that the argument points to. None for a null pointer.
    pub(crate) fn end(&self) -> Option<usize> {
        match self {
            Self::Null => None,
            Self::Memory(guarded) | Self::Misaligned(guarded) => {
                Some(guarded.as_ptr() as usize + guarded.bytes().len())
            }
        }
    }

    fn pointer(&self) -> *mut c_void {
        match self {
            Self::Null => std::ptr::null_mut(),
            Self::Memory(guarded) => guarded.as_ptr().cast(),
            Self::Misaligned(guarded) => guarded.as_ptr().wrapping_add(1).cast(),
        }
    }
}

/// Calls `function`, which is described by `row` of the contract. Returns None if the function returns nothing.
///
/// The called code is not ours, and may end the process. The board says then which function was called.
///
/// # Panics
/// If the row has another number of arguments.
pub(crate) fn invoke(function: Pointer, row: &Function, arguments: &[Arg]) -> Option<u32> {
    assert_eq!(arguments.len(), row.arguments.len(), "arguments of {}", row.name);
    let pointers: Vec<*mut c_void> = arguments.iter().map(Arg::pointer).collect();
    type P = *mut c_void;
    macro_rules! call {
        ($result:ty, $($index:literal)*) => {{
            // An exception of C++ may leave it; the caller has a guard for that.
            // SAFETY: every function of the contract takes pointers only and returns a 32-bit value or nothing
            // (CONTRACT section 1); the number of arguments was checked against the contract's row above.
            unsafe {
                let typed: unsafe extern "system-unwind" fn($(call!(@p $index)),*) -> $result = transmute(function.as_ptr());
                typed($(pointers[$index]),*)
            }
        }};
        (@p $index:literal) => { P };
    }
    if row.returns == Returns::Nothing {
        match pointers.len() {
            1 => call!((), 0),
            2 => call!((), 0 1),
            3 => call!((), 0 1 2),
            _ => call!((), 0 1 2 3),
        }
        return None;
    }
    Some(match pointers.len() {
        0 => call!(u32,),
        1 => call!(u32, 0),
        2 => call!(u32, 0 1),
        3 => call!(u32, 0 1 2),
        _ => call!(u32, 0 1 2 3),
    })
}
