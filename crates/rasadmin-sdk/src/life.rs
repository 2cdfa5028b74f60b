//! Initialise and terminate, in any order.

use crate::AdminDll;
use mprapi::abi::{ERROR_INTERNAL_ERROR, ERROR_INVALID_PARAMETER, NO_ERROR};
use mprapi::{FunctionId, FunctionSet};
use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

/// How the DLL is being initialised.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    pub(crate) function: FunctionId,
    pub(crate) callbacks: FunctionSet,
}

impl Environment {
    /// The function that was called: MprAdminInitializeDllEx by every shipping RRAS.
    pub fn function(&self) -> FunctionId {
        self.function
    }

    /// The functions whose pointers the callbacks table gets (revision 2), whichever function was called.
    pub fn callbacks(&self) -> FunctionSet {
        self.callbacks
    }
}

/// The DLL cannot start: the Remote Access service will not either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitializeError {
    code: u32,
    message: Cow<'static, str>,
}

impl InitializeError {
    /// A Windows error code for RRAS, which shows it in event 20113, and a message for the log; an empty one is not
    /// written, for the DLL has told it itself. 0 would be success, and becomes ERROR_INVALID_PARAMETER.
    pub fn new(code: u32, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: if code == NO_ERROR { ERROR_INVALID_PARAMETER } else { code }, message: message.into() }
    }
}

/// With the system's own code, where it has one.
impl From<std::io::Error> for InitializeError {
    fn from(error: std::io::Error) -> Self {
        let code = error.raw_os_error().and_then(|code| u32::try_from(code).ok());
        Self::new(code.unwrap_or(ERROR_INTERNAL_ERROR), error.to_string())
    }
}

/// The DLL's one instance: none before initialise and after terminate.
#[derive(Debug)]
pub struct Slot<D>(RwLock<Option<Arc<D>>>);

impl<D: AdminDll> Slot<D> {
    /// An empty slot.
    #[allow(clippy::new_without_default)] // It is for one static.
    pub const fn new() -> Self {
        Self(RwLock::new(None))
    }

    /// The instance. It is shared, so that calls overlap and a terminate in their midst harms none.
    pub(crate) fn get(&self) -> Option<Arc<D>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A second initialise is a no-op that returns 0. Panics are the caller's to catch.
    pub(crate) fn initialize(&self, environment: &Environment) -> u32 {
        let mut slot = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if slot.is_some() {
            return NO_ERROR;
        }
        match D::initialize(environment) {
            Ok(dll) => {
                *slot = Some(Arc::new(dll));
                NO_ERROR
            }
            Err(InitializeError { code, message }) => {
                if !message.is_empty() {
                    tracing::error!(code, "initialise failed: {message}");
                }
                code
            }
        }
    }

    /// One terminate ends it, however often it was initialised. Panics are the caller's to catch.
    pub(crate) fn terminate(&self) -> u32 {
        let dll = self.0.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(dll) = dll {
            dll.terminate();
        }
        NO_ERROR
    }
}

/// What a panic in initialise or terminate answers.
pub(crate) const PANICKED: u32 = ERROR_INTERNAL_ERROR;
