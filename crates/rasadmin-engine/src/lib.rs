//! The engine of the rasadmin product: configuration, rules, addresses and the ledger.
//!
//! It knows nothing of FFI, and time is passed in. A callback's caller (the DLL) hands over what RRAS told, as plain
//! values; the engine turns it into facts, the rules decide, the ledger records, and the answer goes back.
#![forbid(unsafe_code)]

pub mod addresses;
pub mod config;
pub mod engine;
pub mod event;
pub mod fact;
pub mod facts;
pub mod identity;
pub mod ledger;
pub mod name;
pub mod pools;
pub mod record;
pub mod rules;
#[cfg(feature = "torture")]
pub mod torture;

pub use engine::{Engine, Now, Verdict};
pub use fact::Fact;
pub use facts::{Facts, InterfaceType, Quarantine, Stage, Tunnel};
pub use identity::{Domains, Identity};
pub use name::Name;

/// A time as RFC 3339 (`2026-11-23T09:00:00+01:00`), in milliseconds since 1970.
pub fn parse_time(text: &str) -> Option<ledger::Millis> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}
