//! The model: a simulated RRAS against the engine.
//!
//! The simulation knows every connection by a number of its own, so it never has to find out by ports, handles, GUIDs
//! or names who is connected with which address. It plays random sequences of what RRAS can do, according to
//! docs/rras-behaviour.md. After every step it compares the engine's answers and state with the truth, and with what
//! was reported to the engine. Each unproven point in that document is a switch that is drawn for each run.
//!
//! A run depends on its seed alone. A step names its subjects relatively and carries its own random number, so a
//! failing sequence can be reduced to the steps that are needed.
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
mod traffic;
mod world;

pub use finding::Finding;
pub use hunt::{Hunt, OPTIONS};
pub use product::{Engine, Outcome, Real, first_difference};
pub use run::{Failure, Plan, Summary, run};
pub use shrink::shrink;
