//! What the tests have in common.
#![allow(dead_code, clippy::unwrap_used)]

#[cfg(target_os = "linux")]
pub mod disk;
mod scene;
pub mod told;

pub use scene::*;
