//! Loads admin DLLs and drives them as Routing and Remote Access does.
//!
//! What RRAS does, and how it is known, is in docs/rras-behaviour.md; each module here is one part of it:
//!
//! | module | part |
//! |---|---|
//! | [`dllpath`], [`registry`] | which DLLs are loaded, in which order |
//! | [`module`], [`dll`] | loading, initialising, validating, terminating one DLL |
//! | [`fill`], [`guard`], [`invoke`] | the structures as Windows fills them, placed so that an over-read faults; the calls |
//! | [`service`] | several DLLs: connections, links, addresses, reauthentication, hang-ups |
//! | [`session`], [`farewell`] | one connection, and what its end tells |
//! | [`readings`] | what is unproven of RRAS, and how it is read |
//! | [`scenario`], [`runner`], [`expect`] | a day of users who come and go, and what must become of them |
//! | [`scratch`], [`clock`] | places of its own for a rehearsal, and its time |
//! | [`record`], [`replay`] | every call to a trace, and a trace against another DLL |
//!
//! The code of a stranger runs in this process: it can crash it. [`fault`] says which DLL and which function did. The
//! checker therefore uses child processes.
#![deny(unsafe_code)]

mod address;
mod ask;
mod callers;
pub mod clock;
pub mod dll;
pub mod dllpath;
pub mod expect;
pub mod farewell;
pub mod fault;
pub mod fill;
pub mod guard;
pub mod invoke;
pub mod module;
mod peer;
pub mod pool;
pub mod readings;
pub mod record;
pub mod refused;
pub mod registry;
pub mod replay;
pub mod runner;
pub mod scenario;
pub mod scratch;
pub mod serial;
pub mod service;
pub mod session;

pub use address::{HeldTwice, IdentifierOffer, Offer};
pub use peer::{Described, serve as serve_addresses};
pub use service::{Apart, Observer, Options, Processes, Service, StartFailure, StartProblem};
