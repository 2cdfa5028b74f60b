//! What the DLL and the command need from the operating system: the places of configuration and log, the computer's
//! name, its monotonic clock, free disk space, and the system's log.
#![deny(unsafe_code)]

pub mod disk;
#[cfg(windows)]
pub mod eventlog;
pub mod monotonic;
pub mod places;
#[cfg(unix)]
mod syslog;
pub mod system_log;
