//! The engine of the rasadmin product: configuration, rules, addresses and the ledger.
//!
//! It knows nothing of FFI, and time is passed in. A callback's caller (the DLL) hands over what RRAS told, as plain
//! values; the engine turns it into facts, the rules decide, the ledger records, and the answer goes back.
#![forbid(unsafe_code)]

pub mod engine;
pub mod event;
pub mod ledger;
pub mod pools;
pub mod record;
#[cfg(feature = "torture")]
pub mod torture;

pub use engine::{Engine, Now, Verdict};
pub use rasadmin_policy::{Domains, Fact, Facts, Identity, InterfaceType, Name, Quarantine, Stage, Tunnel};
pub use rasadmin_policy::{addresses, config, fact, facts, identity, name, parse_time, rules};
