//! Runs the DLL's code for a call: panics and errors are logged, and get the safe answer of the function's return type.

use super::error::CallError;
use crate::admin_dll::{AdminDll, Verdict};
use crate::initialize::PANICKED;
use crate::slot::Slot;
use mprapi::FunctionId;
use mprapi::abi::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{fmt, mem};

/// A return type, with its safe answer for a call that fails.
pub trait Answer: Sized {
    /// The safe answer: reject; this error code; nothing.
    fn safe(code: u32) -> Self;
}

/// A verdict: rejects.
impl Answer for BOOL {
    fn safe(_: u32) -> Self {
        FALSE
    }
}

/// A DWORD status: returns the error code.
impl Answer for u32 {
    fn safe(code: u32) -> Self {
        code
    }
}

/// A notification: returns nothing.
impl Answer for () {
    fn safe(_: u32) {}
}

/// Runs the body with the DLL's instance. If it panics or returns an error, that is logged, and the call gets the safe
/// answer.
pub(super) fn guarded<D: AdminDll, A: Answer>(
    slot: &Slot<D>,
    function: FunctionId,
    body: impl FnOnce(&D) -> Result<A, CallError>,
) -> A {
    let Some((call, dll)) = slot.enter(function) else {
        return caught(function, || safe(function, &CallError::NotInitialised));
    };
    let answer = caught(function, || body(&dll).unwrap_or_else(|wrong| safe(function, &wrong)));
    // The instance is dropped before the call leaves. If the DLL was terminated meanwhile, this is the last reference, and
    // dropping the DLL may panic.
    caught(function, || drop(dll));
    drop(call);
    answer
}

/// Logs what was wrong with a call, unless the DLL logs it itself, and returns the safe answer.
pub(super) fn safe<A: Answer>(function: FunctionId, wrong: &CallError) -> A {
    let code = wrong.code();
    let logged_by_dll = matches!(wrong, CallError::Refused(refusal) if refusal.reason.is_empty());
    if !logged_by_dll {
        tracing::warn!(function = function.name(), code, "{wrong}");
    }
    A::safe(code)
}

/// Runs the body. Catches a panic, logs its text, and returns the safe answer.
pub(super) fn caught<A: Answer>(function: FunctionId, body: impl FnOnce() -> A) -> A {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        // Logging runs the DLL's Display code, which may panic, too.
        let logged = catch_unwind(AssertUnwindSafe(|| {
            let text = payload.downcast_ref::<&str>().copied();
            let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text");
            tracing::error!(function = function.name(), "panic: {text}");
        }));
        // The payload is not dropped, because a panic in its Drop would end the process.
        mem::forget(payload);
        if let Err(second) = logged {
            mem::forget(second);
        }
        A::safe(PANICKED)
    })
}

/// The answer of a verdict. Logs the reason of a rejection, unless it is empty.
pub(super) fn verdict(function: FunctionId, about: &dyn fmt::Display, verdict: Verdict) -> BOOL {
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
