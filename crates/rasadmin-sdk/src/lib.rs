//! Write a RAS administration DLL for Windows Routing and Remote Access (RRAS) in safe Rust.
//!
//! # The life of an admin DLL
//!
//! 1. RRAS starts, loads each DLL of its list, and calls [`AdminDll::initialize`]. An error, and the Remote Access
//!    service does not start.
//! 2. A user authenticates. As the network protocols come up, [`AssignIpv4::assign_ipv4`] and
//!    [`AssignIpv6::assign_ipv6`] are asked for addresses, if the DLL exports those pairs and is the first to do so.
//! 3. [`AdminDll::accept_connection`]: may the connection stand? It does only if every DLL accepts.
//! 4. At once [`AdminDll::accept_link`] for its first link, and again for every further one.
//! 5. While it lasts: [`AdminDll::accept_reauthentication`] when the quarantine state changes, and
//!    [`AdminDll::accept_endpoint_change`] when an IKEv2 client moves. A rejection ends the connection.
//! 6. [`AdminDll::link_hangup`] for every link, [`AdminDll::connection_hangup`] when the last is gone, then
//!    [`AssignIpv4::release_ipv4`] and [`AssignIpv6::release_ipv6`].
//! 7. RRAS stops: [`AdminDll::terminate`], and the DLL is unloaded. No thread of it may still run.
//!
//! RRAS makes one call of a function at a time, and every user waits for it. Calls of different functions may overlap.
//!
//! When RRAS stops, a call may still be inside: one that waits for a disk, say. MprAdminTerminateDll lets no further call
//! in (each gets the safe answer at once) and waits for those inside, five seconds at most. Then
//! [`AdminDll::terminate`] is called, and after it the value is dropped. If calls are inside even then, the DLL is kept
//! in memory until the process ends, unless the loader refuses that: the code of running calls must not be unloaded.
//! Then [`AdminDll::terminate_among_calls`] is called instead, and RRAS gets ERROR_BUSY (170), which it ignores. A
//! later initialise starts afresh in either case.
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
//! # What is taken care of
//!
//! - The exports, in all their forms, and a revision 2 callbacks table: so the DLL is called for IKEv2 too.
//! - Null, misaligned and short arguments, names without an end: a safe answer (reject; an error; nothing), and a line
//!   in the [log].
//! - Panics: the user whose call it was is rejected, the text reaches the log, the service lives. (A fault, such as a
//!   wild pointer in unsafe code of yours, still ends it.)
//! - Initialise and terminate in any order, calls before, during and after them.
#![deny(unsafe_code)]

mod address;
mod admin_dll;
#[doc(hidden)]
pub mod boundary;
mod calls_inside;
mod connection;
mod export;
pub mod library;
mod life;
mod link;
pub mod log;
mod slot;
mod wide;

pub use address::{AddressRequest, Assignment, InterfaceId, Refusal};
pub use admin_dll::{AdminDll, AssignIpv4, AssignIpv6, ValidatePreAuthenticated, Verdict};
pub use calls_inside::CallsInside;
pub use connection::{Connection, Counters, Projection, Quarantine};
pub use life::{Environment, InitializeError};
pub use link::{Link, Tunnel};
pub use mprapi::{FunctionId, FunctionSet, abi, contract};
#[doc(hidden)]
pub use slot::Slot;
pub use tracing;
pub use wide::WideStr;

/// An SSTP client that asks to be let in without PPP authentication.
#[derive(Clone)]
pub struct PreAuthentication {
    fixed: abi::AUTH_VALIDATION_EX,
    auth_info: Vec<u8>,
}
