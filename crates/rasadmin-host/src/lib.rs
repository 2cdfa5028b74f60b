//! Loads admin DLLs and calls them as Routing and Remote Access (RRAS) does.
//!
//! docs/rras-behaviour.md describes what RRAS does and how we know it. Each module here reproduces one part of it:
//!
//! | module | part |
//! |---|---|
//! | [`dllpath`], [`registry`] | which DLLs RRAS loads, and in which order |
//! | [`module`], [`program`], [`dll`], [`start`] | loading, initialising, validating and terminating DLLs |
//! | [`fill`], [`guarded`], [`invoke`] | the structures as Windows fills them, memory in which an over-read faults, and the calls |
//! | [`service`] | several DLLs as one service: connections, links, addresses, reauthentication, hangups |
//! | [`session`], [`hangup_calls`], [`refusal`] | one connection: its calls, the calls at its end, and why it was refused |
//! | [`assumptions`] | unproven facts about RRAS, and which variant a run assumes |
//! | [`scenario`], [`runner`], [`outcome`], [`expectation`] | a scripted day, how it runs, its results, and the results it must have |
//! | [`scratch`], [`clock`] | a folder and a clock of its own for each run |
//! | [`record`], [`statistics`], [`replay`] | writing every call to a trace, timing it, and making the calls of a trace again |
//!
//! DLLs run in this process and can crash it. [`fault`] then reports which DLL and function crashed. The checker
//! therefore uses child processes.
#![deny(unsafe_code)]

mod address_calls;
pub mod assumptions;
mod callers;
pub mod clock;
mod connection_calls;
pub mod dll;
mod dll_process;
pub mod dllpath;
pub mod expectation;
pub mod fault;
pub mod fill;
pub mod guarded;
pub mod hangup_calls;
pub mod invoke;
pub mod module;
pub mod outcome;
pub mod pool;
pub mod program;
pub mod record;
pub mod refusal;
pub mod registry;
pub mod replay;
pub mod runner;
pub mod scenario;
pub mod scratch;
pub mod serialise;
pub mod service;
pub mod session;
pub mod start;
pub mod statistics;

pub use address_calls::{IdentifierOffer, Offer};
pub use dll::DllDescription;
pub use dll_process::serve_calls;
pub use pool::AddressConflict;
pub use service::{Observer, Options, Processes, SeparateProcesses, Service};
pub use start::{StartFailure, StartProblem};
