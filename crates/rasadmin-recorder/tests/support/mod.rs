//! What the tests have in common.
#![allow(dead_code, clippy::unwrap_used)]

#[cfg(target_os = "linux")]
#[path = "../../../rasadmin-journal/tests/small_disk/mod.rs"]
pub mod disk;
pub mod log;
mod scene;

pub use scene::*;
