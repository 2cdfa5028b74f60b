//! Tests of the internals: every statement, on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used)]

mod conformance;
mod database_access;
mod interrupt;
mod plans;
#[cfg(unix)]
mod postgresql;
pub mod statement_log;
#[path = "../../tests/support/mod.rs"]
mod support;
