//! What is allowed: names, identities and facts, the configuration, the rules, and the address plan.
//!
//! This crate keeps no state: it knows neither sessions nor leases, and has no clock and no FFI. Only [`config`] reads
//! from the outside: the configuration's files, and whether they have changed.
#![forbid(unsafe_code)]

pub mod addresses;
pub mod config;
pub mod fact;
pub mod facts;
pub mod identity;
pub mod name;
pub mod rules;
mod shorten;
mod suggest;
pub mod time;

pub use fact::Fact;
pub use facts::{Facts, InterfaceType, Quarantine, Stage, Tunnel};
pub use identity::{Domains, Identity};
pub use name::Name;
pub use time::{Millis, parse_time, timestamp};
