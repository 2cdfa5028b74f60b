//! What can be wrong with a call.

use crate::address::Refusal;
use mprapi::abi::*;
use mprapi::contract::ArgumentType;
use std::fmt;

/// What was wrong with a call.
pub(super) enum CallError {
    NotInitialised,
    Null(ArgumentType),
    Misaligned(ArgumentType),
    Header { ty: ArgumentType, kind: u8, size: u16 },
    NameTooLong(ArgumentType),
    Refused(Refusal),
    UnusableAddress(String),
}

impl CallError {
    /// The error code for RRAS.
    pub(super) fn code(&self) -> u32 {
        match self {
            Self::NotInitialised => ERROR_NOT_READY,
            Self::Refused(refusal) => refusal.code,
            Self::UnusableAddress(_) => ERROR_NOT_FOUND,
            _ => ERROR_INVALID_PARAMETER,
        }
    }
}

impl fmt::Display for CallError {
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
            Self::UnusableAddress(what) => f.write_str(what),
        }
    }
}
