//! Which calls are inside the DLL.

use mprapi::FunctionId;
use mprapi::contract::FUNCTION_COUNT;
use std::{fmt, io};

/// How many calls of each function.
#[derive(Debug)]
pub(crate) struct Inside([usize; FUNCTION_COUNT]);

impl Inside {
    pub const NOBODY: Self = Self([0; FUNCTION_COUNT]);

    pub fn enter(&mut self, function: FunctionId) {
        self.0[function as usize] += 1;
    }

    pub fn leave(&mut self, function: FunctionId) {
        self.0[function as usize] -= 1;
    }

    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// Those that there are.
    pub fn list(&self) -> Vec<(FunctionId, usize)> {
        FunctionId::all().map(|id| (id, self.0[id as usize])).filter(|(_, calls)| *calls > 0).collect()
    }
}

/// Calls that had not returned when the DLL had to end: [`AdminDll::terminate_among_calls`].
///
/// Displayed, it says which they are, and that the DLL stays in memory for them, or why it cannot.
///
/// [`AdminDll::terminate_among_calls`]: crate::AdminDll::terminate_among_calls
#[derive(Debug)]
pub struct CallsInside {
    pub(crate) inside: Vec<(FunctionId, usize)>,
    pub(crate) kept: io::Result<()>,
}

impl CallsInside {
    /// The functions, each with how many calls of it are inside; at least one.
    pub fn functions(&self) -> &[(FunctionId, usize)] {
        &self.inside
    }

    /// Does the DLL stay in memory until the process ends? Otherwise the loader's error: a call that returns after the
    /// DLL was unloaded ends the process.
    pub fn kept_in_memory(&self) -> Result<(), &io::Error> {
        self.kept.as_ref().copied()
    }
}

impl fmt::Display for CallsInside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (function, calls)) in self.inside.iter().enumerate() {
            write!(f, "{}{function} ({calls})", if at == 0 { "" } else { ", " })?;
        }
        match &self.kept {
            Ok(()) => f.write_str("; the DLL stays in memory until the process ends"),
            Err(error) => write!(f, "; the DLL cannot be kept in memory for them: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_each_function_and_what_becomes_of_the_dll() {
        let mut inside = Inside::NOBODY;
        inside.enter(FunctionId::AcceptNewLink);
        inside.enter(FunctionId::AcceptNewLink);
        inside.enter(FunctionId::GetIpAddressForUser);
        inside.enter(FunctionId::LinkHangupNotification);
        inside.leave(FunctionId::LinkHangupNotification);
        assert_eq!(inside.total(), 3);
        let calls = CallsInside { inside: inside.list(), kept: Ok(()) };
        let text = calls.to_string();
        assert!(text.contains("MprAdminAcceptNewLink (2)") && text.contains(", "), "{text}");
        assert!(text.contains("MprAdminGetIpAddressForUser (1)") && !text.contains("Hangup"), "{text}");
        assert!(text.ends_with("; the DLL stays in memory until the process ends"), "{text}");
        let calls = CallsInside { kept: Err(io::Error::from_raw_os_error(126)), ..calls };
        assert!(calls.to_string().contains("; the DLL cannot be kept in memory for them: "), "{calls}");
        assert!(calls.kept_in_memory().is_err());
    }
}
