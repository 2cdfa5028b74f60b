//! The calls that are inside the DLL.

use mprapi::FunctionId;
use mprapi::contract::FUNCTION_COUNT;
use std::{fmt, io};

/// The number of calls inside, by function.
#[derive(Debug)]
pub(crate) struct CallCounts([usize; FUNCTION_COUNT]);

impl CallCounts {
    pub const NONE: Self = Self([0; FUNCTION_COUNT]);

    pub fn enter(&mut self, function: FunctionId) {
        self.0[function as usize] += 1;
    }

    pub fn leave(&mut self, function: FunctionId) {
        self.0[function as usize] -= 1;
    }

    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// The functions with calls inside, with the number of calls.
    pub fn list(&self) -> Vec<(FunctionId, usize)> {
        FunctionId::all().map(|id| (id, self.0[id as usize])).filter(|(_, calls)| *calls > 0).collect()
    }
}

/// The calls that were still inside when RRAS terminated the DLL: see [`AdminDll::terminate_among_calls`].
///
/// `Display` lists them, and says that the DLL stays in memory for them, or why it cannot.
///
/// [`AdminDll::terminate_among_calls`]: crate::AdminDll::terminate_among_calls
#[derive(Debug)]
pub struct CallsInside {
    pub(crate) inside: Vec<(FunctionId, usize)>,
    pub(crate) kept: io::Result<()>,
}

impl CallsInside {
    /// The functions with calls inside, and the number of calls. There is at least one.
    pub fn functions(&self) -> &[(FunctionId, usize)] {
        &self.inside
    }

    /// Whether the DLL stays in memory until the process ends.
    ///
    /// # Errors
    /// The loader's error, if it does not. A call that returns after the DLL was unloaded then crashes the process.
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
    fn the_text_names_each_function_and_whether_the_dll_is_kept() {
        let mut inside = CallCounts::NONE;
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
