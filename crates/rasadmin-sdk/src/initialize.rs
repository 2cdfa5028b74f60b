//! The environment in which a DLL is initialised, and the error if that fails.

use mprapi::abi::{ERROR_INTERNAL_ERROR, ERROR_INVALID_PARAMETER, NO_ERROR};
use mprapi::{FunctionId, FunctionSet};
use std::borrow::Cow;

/// How RRAS initialises the DLL.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    pub(crate) function: FunctionId,
    pub(crate) callbacks: FunctionSet,
}

impl Environment {
    /// The function that RRAS called. Every shipping RRAS calls MprAdminInitializeDllEx.
    pub fn function(&self) -> FunctionId {
        self.function
    }

    /// The functions of the revision 2 callbacks table, even if RRAS did not ask for the table.
    pub fn callbacks(&self) -> FunctionSet {
        self.callbacks
    }
}

/// Why the DLL cannot start. The Remote Access service does not start then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitializeError {
    code: u32,
    message: Cow<'static, str>,
}

impl InitializeError {
    /// An error with a Windows error code, which RRAS shows in event 20113, and a message for the log. Leave the message empty
    /// if the DLL logs it itself. A code of 0 would mean success, so it becomes ERROR_INVALID_PARAMETER.
    pub fn new(code: u32, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: if code == NO_ERROR { ERROR_INVALID_PARAMETER } else { code }, message: message.into() }
    }

    /// Logs the message and returns the code.
    pub(crate) fn log(self) -> u32 {
        let Self { code, message } = self;
        if !message.is_empty() {
            tracing::error!(code, "initialise failed: {message}");
        }
        code
    }
}

/// Uses the system's own error code, or ERROR_INTERNAL_ERROR if there is none.
impl From<std::io::Error> for InitializeError {
    fn from(error: std::io::Error) -> Self {
        let code = error.raw_os_error().and_then(|code| u32::try_from(code).ok());
        Self::new(code.unwrap_or(ERROR_INTERNAL_ERROR), error.to_string())
    }
}

/// The code that initialise or terminate returns after a panic.
pub(crate) const PANICKED: u32 = ERROR_INTERNAL_ERROR;
