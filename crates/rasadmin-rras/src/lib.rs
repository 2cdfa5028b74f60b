//! RRAS, seen from another process: whether it runs, its connections, their ports, and disconnecting a port.
//!
//! Everything goes through the trait [`Rras`]. Its implementations:
//!
//! | type | asks |
//! |---|---|
//! | `Mprapi` | this server's RRAS, through mprapi.dll (Windows) |
//! | `Socket` | a program that listens on a socket of this computer; `socket::serve` is the other side |
//! | `Scripted` | nothing: it is an RRAS in memory, for tests (feature `testing`) |
//! | [`Watched`] | any of these, on a thread of its own, with a deadline: a call that hangs delays nothing else |
//!
//! Never make these calls from inside a callback of an admin DLL (R-THREAD-6 in docs/rras-behaviour.md), or while a
//! callback may be waiting for you (R-OUT-4).
#![deny(unsafe_code)]

mod error;
// Elsewhere only tests use it, with a library that stands in for mprapi.dll.
#[cfg(any(windows, all(target_os = "linux", feature = "testing")))]
mod mprapi_dll;
#[cfg(feature = "testing")]
mod scripted;
pub mod socket;
mod view;
mod watched;

pub use error::{Error, Failure, Operation};
pub use mprapi::Projection;
#[cfg(any(windows, all(target_os = "linux", feature = "testing")))]
pub use mprapi_dll::Mprapi;
#[cfg(feature = "testing")]
pub use scripted::{Script, Scripted};
pub use socket::Socket;
pub use view::{Connection, ConnectionHandle, Counters, Instance, Port, PortHandle, PortState, Rras};
pub use watched::Watched;
