//! Tests that need a look inside: every statement, on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used)]

mod conformance;
mod door;
mod plans;
#[cfg(unix)]
mod postgresql;
pub mod ran;
#[path = "../../tests/support/mod.rs"]
mod support;
