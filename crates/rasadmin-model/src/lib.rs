//! The model of the truth: a simulated RRAS against the engine.
//!
//! The simulation knows every connection by a number of its own: who is online, with which address, is never found out by
//! ports, handles, GUIDs or names. It plays random sequences of what RRAS can do, within docs/rras-behaviour.md, and
//! compares after every step what the engine answers and holds with what is true and with what it was told. Every reading
//! of what is unproven there is a switch, drawn per run.
//!
//! A run is made of a seed alone. A step names its subjects relatively and carries its own share of chance, so that a
//! sequence that fails can be cut down to what is needed for it.
#![forbid(unsafe_code)]

mod expect;
mod finding;
mod hunt;
mod oracle;
mod people;
mod product;
#[path = "../../rasadmin-torture/src/random.rs"]
mod random;
mod reported;
mod rras;
mod run;
mod scenario;
mod settings;
mod shrink;
mod step;
mod switches;
mod world;

pub use finding::Finding;
pub use hunt::{Hunt, OPTIONS};
pub use product::{Engine, Outcome, Real, first_difference};
pub use run::{Failure, Plan, Summary, run};
pub use shrink::shrink;
