//! How a DLL is initialised, and what keeps it from being so.

use mprapi::abi::{ERROR_INTERNAL_ERROR, ERROR_INVALID_PARAMETER, NO_ERROR};
use mprapi::{FunctionId, FunctionSet};
use std::borrow::Cow;

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

    /// Logs the message, and returns the code.
    pub(crate) fn tell(self) -> u32 {
        let Self { code, message } = self;
        if !message.is_empty() {
            tracing::error!(code, "initialise failed: {message}");
        }
        code
    }
}

/// With the system's own code, where it has one.
impl From<std::io::Error> for InitializeError {
    fn from(error: std::io::Error) -> Self {
        let code = error.raw_os_error().and_then(|code| u32::try_from(code).ok());
        Self::new(code.unwrap_or(ERROR_INTERNAL_ERROR), error.to_string())
    }
}

/// What a panic in initialise or terminate answers.
pub(crate) const PANICKED: u32 = ERROR_INTERNAL_ERROR;
