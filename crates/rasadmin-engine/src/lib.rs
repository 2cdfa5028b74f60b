//! What happens: the state machine of the rasadmin product.
//!
//! [`decide`] looks at a [`State`], a configuration and an [`Event`](event::Event), changes nothing, and answers a
//! [`Record`]: the event with its decision, its answer and its effects. [`State::apply`] carries out the effects, and looks
//! at nothing else. The DLL, `explain`, a replay over the past and the start after a crash run the same two functions, and
//! the ledger is a second fold of the same effects, so the two cannot disagree.
//!
//! It is pure: no file, no clock, no FFI. Time and chance are passed in ([`Now`]).
#![forbid(unsafe_code)]

pub mod calendar;
pub mod decide;
pub mod decision;
pub mod effect;
pub mod event;
pub mod explain;
pub mod now;
pub mod record;
pub mod rehearse;
pub mod state;

pub use decide::{Asking, Context, Lacking, Scope, Waited, decide, decide_asking, decide_carried, decide_late};
pub use decision::{Answer, Decision, Given, Refusal};
pub use effect::Effect;
pub use event::Event;
pub use now::{Id, Mono, Now, Process, Stamp};
pub use rasadmin_policy::{Domains, Fact, Facts, Identity, InterfaceType, Name, Quarantine, Stage, Tunnel};
pub use rasadmin_policy::{Millis, addresses, config, fact, facts, identity, name, parse_time, rules, timestamp};
pub use record::Record;
pub use state::State;

pub(crate) use rasadmin_policy::addresses::Family;
