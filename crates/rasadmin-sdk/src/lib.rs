//! Write a RAS administration DLL for Windows Routing and Remote Access (RRAS) in safe Rust.
//!
//! # The life of an admin DLL
//!
//! 1. RRAS starts, loads each DLL of its list, and calls [`AdminDll::initialize`]. If that returns an error, the Remote
//!    Access service does not start.
//! 2. A user authenticates. As the network protocols come up, RRAS calls [`AssignIpv4::assign_ipv4`] and
//!    [`AssignIpv6::assign_ipv6`] for addresses, if the DLL is the first that exports those pairs.
//! 3. RRAS calls [`AdminDll::accept_connection`]. The connection is made only if every DLL accepts it.
//! 4. RRAS calls [`AdminDll::accept_link`] at once for the first link, and later for every further one.
//! 5. During the connection, RRAS calls [`AdminDll::accept_reauthentication`] when the quarantine state changes, and
//!    [`AdminDll::accept_endpoint_change`] when an IKEv2 client moves. A rejection ends the connection.
//! 6. At the end, RRAS calls [`AdminDll::link_hangup`] for every link, [`AdminDll::connection_hangup`] after the last, then
//!    [`AssignIpv4::release_ipv4`] and [`AssignIpv6::release_ipv6`].
//! 7. RRAS stops, calls [`AdminDll::terminate`], and unloads the DLL. None of its threads may still run by then.
//!
//! RRAS makes one call of a function at a time, and every user waits for it. Calls of different functions may overlap.
//!
//! When RRAS stops, a call may still be inside the DLL, for example one that waits for a disk. MprAdminTerminateDll admits
//! no further calls (each gets the safe answer at once) and waits up to five seconds for those inside. Then it calls
//! [`AdminDll::terminate`] and drops the value.
//!
//! If calls are still inside, their code must not be unloaded: the SDK keeps the DLL in memory until the process ends,
//! unless the loader refuses that. It then calls [`AdminDll::terminate_among_calls`] instead, and returns ERROR_BUSY
//! (170), which RRAS ignores. In either case, a later initialise starts with a new value.
//!
//! # A whole admin DLL
//!
//! A crate with `crate-type = ["cdylib"]` and this in it:
//!
//! ```
//! use rasadmin_sdk::{AdminDll, Connection, Environment, InitializeError, Link, Verdict, export_admin_dll};
//!
//! struct NoGuests;
//!
//! impl AdminDll for NoGuests {
//!     fn initialize(_: &Environment) -> Result<Self, InitializeError> {
//!         Ok(Self)
//!     }
//!     fn terminate(&self) {}
//!     fn accept_connection(&self, connection: &Connection) -> Verdict {
//!         if connection.user().eq_ignore_case("guest") { Verdict::reject("no guests") } else { Verdict::Accept }
//!     }
//!     fn connection_hangup(&self, _: &Connection) {}
//!     fn accept_link(&self, _: &Link) -> Verdict {
//!         Verdict::Accept
//!     }
//!     fn link_hangup(&self, _: &Link) {}
//!     fn accept_reauthentication(&self, _: &Connection) -> Verdict {
//!         Verdict::Accept
//!     }
//! }
//!
//! export_admin_dll!(NoGuests);
//! # fn main() {}
//! ```
//!
//! # What the SDK takes care of
//!
//! - It exports all functions in all forms, with a revision 2 callbacks table, so that RRAS calls the DLL for IKEv2, too.
//! - Null, misaligned and short arguments and unterminated names get a safe answer (reject; an error; nothing) and a line
//!   in the [log].
//! - If your code panics, the user of that call is rejected, the message goes to the log, and the service goes on. (An
//!   invalid memory access, say by unsafe code of yours, still ends the service.)
//! - Initialise and terminate may come in any order, and calls before, during and after them.
#![deny(unsafe_code)]

mod address;
mod admin_dll;
#[doc(hidden)]
pub mod boundary;
mod calls_inside;
mod connection;
mod export;
mod initialize;
pub mod library;
mod link;
pub mod log;
mod pre_authentication;
mod projection;
mod slot;
mod wide;

pub use address::{AddressRequest, Assignment, InterfaceId, Refusal};
pub use admin_dll::{AdminDll, AssignIpv4, AssignIpv6, ValidatePreAuthenticated, Verdict};
pub use calls_inside::CallsInside;
pub use connection::{Connection, Counters, Quarantine};
pub use initialize::{Environment, InitializeError};
pub use link::{Link, Tunnel};
pub use mprapi::{FunctionId, FunctionSet, Projection, abi, contract};
pub use pre_authentication::PreAuthentication;
#[doc(hidden)]
pub use slot::Slot;
pub use tracing;
pub use wide::WideStr;
