//! What the product and the command know of this computer: where configuration and log are, its name, its monotonic
//! clock, the room on its disks, and the system's own log.
#![deny(unsafe_code)]

pub mod disk;
#[cfg(windows)]
pub mod eventlog;
pub mod monotonic;
pub mod places;
#[cfg(unix)]
mod syslog;
pub mod system_log;
