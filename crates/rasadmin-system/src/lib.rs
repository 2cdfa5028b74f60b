//! What the DLL and the command need from the operating system: the places of configuration and log, the computer's
//! name, its monotonic clock, free disk space, the system's log, policies of the machine, RRAS's own pool, and where
//! Windows looks for DLLs.
#![deny(unsafe_code)]

pub mod clock;
pub mod disk;
#[cfg(windows)]
pub mod eventlog;
pub mod library_search;
pub mod machine_policy;
pub mod monotonic;
pub mod places;
pub mod rras_pool;
pub mod start_causes;
#[cfg(unix)]
mod syslog;
pub mod system_log;
