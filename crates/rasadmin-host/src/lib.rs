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
//! | [`supervise`], [`board`], [`exception`] | watching the process of the DLLs, which may crash, hang or end at any time |
//! | [`judge`] | what a trace says of each unproven fact |
//!
//! DLLs run in this process and can end it. A process that must survive them runs the service in a child and watches
//! that with [`supervise`].
#![deny(unsafe_code)]

mod address_calls;
pub mod address_doubt;
pub mod assumptions;
pub mod board;
mod callers;
pub mod clock;
mod connection_calls;
pub mod dll;
mod dll_process;
pub mod dllpath;
pub mod exception;
pub mod expectation;
mod fault;
pub mod fill;
pub mod guarded;
pub mod hangup_calls;
pub mod invoke;
pub mod judge;
pub mod module;
pub mod outcome;
pub mod outside;
pub mod pool;
mod process_tree;
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
mod standard_streams;
pub mod start;
pub mod statistics;
pub mod supervise;

pub use address_calls::{IdentifierOffer, Offer};
pub use dll::DllDescription;
pub use dll_process::serve_calls;
pub use pool::AddressConflict;
pub use service::{Observer, Options, Processes, SeparateProcesses, Service};
pub use start::{StartFailure, StartProblem};
