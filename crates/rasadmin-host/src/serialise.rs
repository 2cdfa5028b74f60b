//! Which calls may overlap. RRAS makes one call of a function at a time. The address functions are one group in which
//! calls do not overlap; accept and hangup of connections are another. Link, reauthentication and endpoint calls belong
//! to no documented group.

use mprapi::FunctionId;
use mprapi::contract::{FUNCTION_COUNT, SerialGroup};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How strictly the host serialises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Serialise {
    /// As documented: calls of different functions may overlap, except within the two groups.
    #[default]
    Documented,
    /// One call at a time, whatever the function.
    All,
}

/// The locks of one service.
#[derive(Debug, Default)]
pub(crate) struct Serialiser {
    mode: Serialise,
    one: Mutex<()>,
    address: Mutex<()>,
    connection: Mutex<()>,
    own: [Mutex<()>; FUNCTION_COUNT],
}

impl Serialiser {
    pub(crate) fn new(mode: Serialise) -> Self {
        Self { mode, ..Self::default() }
    }

    pub(crate) fn mode(&self) -> Serialise {
        self.mode
    }

    /// Waits until `function` may be called. The call must return before the guard is dropped.
    pub(crate) fn enter(&self, function: FunctionId) -> MutexGuard<'_, ()> {
        let lock = match (self.mode, function.row().serial) {
            (Serialise::All, _) | (_, SerialGroup::LifeCycle) => &self.one,
            (_, SerialGroup::Address) => &self.address,
            (_, SerialGroup::Connection) => &self.connection,
            (_, SerialGroup::Own) => &self.own[function as usize],
        };
        lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
