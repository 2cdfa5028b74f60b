//! The pipe of the rasadmin service: a named pipe on Windows, a Unix socket elsewhere. Commands on the same computer ask
//! the service something over it.
//!
//! A client connects, sends one [`Request`], and gets one answer. The set of requests is closed, and each needs a
//! [`Right`]. The operating system says who the client is ([`Caller`]); nothing in the request does.
//!
//! | module | has |
//! |---|---|
//! | [`protocol`] | the requests, the rights that they need, and refusals |
//! | [`frame`] | the bytes: a greeting with the version, a length, JSON |
//! | [`server`] | takes clients, a few at a time, each with a deadline |
//! | [`client`] | asks one request |
//!
//! Neither side trusts the other. The server reads at most 64 KiB and waits at most a few seconds. The client sends
//! nothing before it knows that an administrator's process has created the pipe, and the server of a pipe can find out
//! who the client is, but not act in its name.
#![deny(unsafe_code)]

mod address;
mod caller;
pub mod client;
mod error;
pub mod frame;
mod patience;
pub mod protocol;
pub mod server;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub use address::Address;
pub use caller::{Caller, Class};
pub use client::ask;
pub use error::Error;
pub use protocol::{
    Blocked, Configuration, Connecting, Disconnected, LONGEST_REASON, MOST_USERS, Mistake, Refusal, Released, Request,
    Right, Simulation, Subject, Why,
};
pub use server::{Counts, Handler, Limits, Server};
#[cfg(unix)]
use unix as transport;
#[cfg(windows)]
use windows as transport;
