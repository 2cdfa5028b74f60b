//! The state machine of rasadmin: it decides what RRAS's calls change.
//!
//! [`decide()`] takes a [`State`], a configuration and an [`Event`]. It changes nothing and returns a
//! [`Record`]: the event with its decision, its answer and its effects. [`State::apply`] carries out the effects and
//! depends on nothing else. The DLL, `explain`, `replay` and recovery after a crash all run these two functions. The
//! ledger applies the same effects, so state and ledger cannot disagree.
//!
//! The crate is pure: it has no files, no clock and no FFI. The caller passes in the time and the random bytes
//! ([`Now`]).
#![forbid(unsafe_code)]

pub mod calendar;
pub mod callback;
pub mod counters;
pub mod decide;
pub mod decision;
pub mod effect;
pub mod event;
pub mod explain;
pub mod now;
pub mod record;
pub mod simulate;
pub mod state;

pub use decide::{Asking, Context, Lacking, LateEvent, Scope, decide, decide_asking, decide_carried, decide_late};
pub use decision::{Answer, Decision, Given, Refusal};
pub use effect::Effect;
pub use event::Event;
pub use now::{Id, Mono, Now, Process, Stamp};
pub use rasadmin_policy::{Domains, Fact, Facts, Identity, InterfaceType, Name, Quarantine, Stage, Tunnel};
pub use rasadmin_policy::{Millis, addresses, config, fact, facts, identity, name, parse_time, rules, timestamp};
pub use record::Record;
pub use state::State;

pub(crate) use rasadmin_policy::addresses::Family;
