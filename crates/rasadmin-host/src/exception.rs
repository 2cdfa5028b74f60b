//! How a process dies: exceptions of Windows, signals of Unix, and exit statuses, in words.

use std::fmt;
use std::process::ExitStatus;

/// What the code that failed wanted to do with the address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// It is not known.
    #[default]
    Unknown,
    /// The exception has no address: somebody raised it, or the processor did not say.
    NoAddress,
    /// It wanted to read it.
    Read,
    /// It wanted to write it.
    Write,
    /// It wanted to execute it.
    Execute,
}

impl Access {
    /// The first parameter of an access violation on Windows.
    pub const fn from_windows(parameter: u64) -> Self {
        match parameter {
            0 => Self::Read,
            1 => Self::Write,
            8 => Self::Execute,
            _ => Self::Unknown,
        }
    }
}

/// An exception of Windows, or a signal of Unix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The exception's code on Windows; the signal's number elsewhere.
    pub code: u32,
    /// The address that could not be accessed. 0 if there is none.
    pub address: u64,
    /// What the code wanted to do with the address.
    pub access: Access,
    /// Whether the address is just beyond the thread's stack.
    pub on_stack: bool,
}

/// A stack overflow on Windows.
const STACK_OVERFLOW: u32 = 0xC000_00FD;
/// The C++ exception of Microsoft's compiler.
pub const CXX_MSVC: u32 = 0xE06D_7363;
/// The exception of GCC's runtime on Windows, which C++ and Rust raise there.
pub const CXX_GCC: u32 = 0x2047_4343;

impl Exception {
    /// Its name, without the address.
    pub fn name(&self) -> String {
        if cfg!(windows) { windows_name(self.code) } else { self.signal_name() }
    }

    fn signal_name(&self) -> String {
        #[cfg(unix)]
        if self.on_stack && self.code == libc::SIGSEGV as u32 {
            return "stack overflow (SIGSEGV)".into();
        }
        signal_name(self.code as i32)
    }

    /// Whether the thread used up its stack.
    pub const fn is_stack_overflow(&self) -> bool {
        self.on_stack || cfg!(windows) && self.code == STACK_OVERFLOW
    }

    /// Whether it is about an address.
    fn has_address(&self) -> bool {
        // Access violation and in-page error; SIGBUS and SIGSEGV.
        let codes: [u32; 2] = if cfg!(windows) { [0xC000_0005, 0xC000_0006] } else { [7, 11] };
        codes.contains(&self.code) && !self.on_stack && self.access != Access::NoAddress
    }
}

impl Exception {
    /// What happened, if it did not end the process.
    pub fn before(&self) -> String {
        self.to_string().replace(" that nothing caught", "")
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        if !self.has_address() {
            return Ok(());
        }
        match (self.access, self.address) {
            (Access::Execute, 0) => f.write_str(": it called a null pointer"),
            (Access::Execute, address) => write!(f, ": it jumped to 0x{address:x}, which is not code"),
            (Access::Read, 0..=0xFFFF) => f.write_str(": it read through a null pointer"),
            (Access::Write, 0..=0xFFFF) => f.write_str(": it wrote through a null pointer"),
            (Access::NoAddress, _) => Ok(()),
            (Access::Unknown, 0..=0xFFFF) => f.write_str(": it used a null pointer"),
            (Access::Read, address) => write!(f, ": it read address 0x{address:x}"),
            (Access::Write, address) => write!(f, ": it wrote to address 0x{address:x}"),
            (Access::Unknown, address) => write!(f, " at address 0x{address:x}"),
        }
    }
}

/// The name of a Windows exception, with its code.
pub fn windows_name(code: u32) -> String {
    let name = match code {
        0x8000_0002 => "misaligned data",
        0x8000_0003 => "breakpoint",
        0x8000_0004 => "single step",
        0xC000_0005 => "access violation",
        0xC000_0006 => "in-page error",
        0xC000_0008 => "invalid handle",
        0xC000_001D => "illegal instruction",
        0xC000_0025 => "noncontinuable exception",
        0xC000_008C => "array bounds exceeded",
        0xC000_008D..=0xC000_0093 => "floating-point exception",
        0xC000_0094 => "integer division by zero",
        0xC000_0095 => "integer overflow",
        0xC000_0096 => "privileged instruction",
        STACK_OVERFLOW => "stack overflow",
        0xC000_0135 => "a DLL that it needs was not found",
        0xC000_0139 => "a function that it needs was not found in a DLL",
        0xC000_0142 => "a DLL failed to initialise",
        0xC000_0374 => "heap corruption",
        0xC000_0409 => "abort, or a stack buffer overrun",
        0xC000_0417 => "invalid argument to the C runtime",
        0xC000_0420 => "assertion failure",
        0xC06D_007E => "delay-loaded DLL not found",
        0xC06D_007F => "delay-loaded function not found",
        CXX_MSVC | CXX_GCC => "C++ exception that nothing caught",
        0xE043_4352 => ".NET exception",
        _ => return format!("exception 0x{code:08X}"),
    };
    format!("{name} (0x{code:08X})")
}

/// The name of a signal.
pub fn signal_name(signal: i32) -> String {
    #[cfg(unix)]
    {
        let name = match signal {
            libc::SIGSEGV => "segmentation fault (SIGSEGV)",
            libc::SIGBUS => "bus error (SIGBUS)",
            libc::SIGABRT => "abort (SIGABRT)",
            libc::SIGILL => "illegal instruction (SIGILL)",
            libc::SIGFPE => "division by zero (SIGFPE)",
            libc::SIGTRAP => "breakpoint (SIGTRAP)",
            libc::SIGKILL => "killed (SIGKILL)",
            libc::SIGTERM => "terminated (SIGTERM)",
            libc::SIGPIPE => "broken pipe (SIGPIPE)",
            libc::SIGALRM => "alarm clock (SIGALRM)",
            _ => "",
        };
        if !name.is_empty() {
            return name.into();
        }
    }
    format!("signal {signal}")
}

/// What an exit status says about the end of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// An exception or a signal.
    Exception(u32),
    /// Somebody ended the process with this exit code.
    Code(i32),
}

impl Exit {
    /// That of a process that has ended.
    pub fn of(status: ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Exception(signal as u32);
        }
        match status.code().unwrap_or_default() {
            // Warnings, errors and errors of applications; -1 and the like are exit codes.
            code if cfg!(windows) && (matches!(code as u32 >> 28, 0x8 | 0xC | 0xE) || code as u32 == CXX_GCC) => {
                Self::Exception(code as u32)
            }
            code => Self::Code(code),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exception(code) if cfg!(windows) => f.write_str(&windows_name(code)),
            Self::Exception(signal) => f.write_str(&signal_name(signal as i32)),
            // The C runtime's abort() ends with 3 on Windows.
            Self::Code(3) if cfg!(windows) => f.write_str("it ended the process with exit code 3, as abort() does"),
            Self::Code(code) => write!(f, "it ended the process with exit code {code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(windows_name(0xC000_0094), "integer division by zero (0xC0000094)");
        assert_eq!(windows_name(CXX_MSVC), "C++ exception that nothing caught (0xE06D7363)");
        assert_eq!(windows_name(0xC000_0199), "exception 0xC0000199");
        assert_eq!(signal_name(200), "signal 200");
        assert_eq!(Exit::Code(7).to_string(), "it ended the process with exit code 7");
    }

    #[test]
    fn an_address_is_told_in_words() {
        let code = if cfg!(windows) { 0xC000_0005 } else { 11 };
        let at = |address, access| Exception { code, address, access, on_stack: false }.to_string();
        assert!(at(0x10, Access::Read).ends_with("): it read through a null pointer"));
        assert!(at(0, Access::Execute).ends_with("): it called a null pointer"));
        assert!(at(0x7fff_0000, Access::Write).ends_with("): it wrote to address 0x7fff0000"));
        assert!(at(0, Access::NoAddress).ends_with(')'), "a pointer that cannot be one has no address");
    }
}
