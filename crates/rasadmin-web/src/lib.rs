//! The dashboard: pages about what the ledger, the configuration and the rasadmin service know, for a browser.
//!
//! Everything is rendered here, as HTML and SVG; the browser gets no figures to compute with, and nothing from another
//! server. A page needs the ledger, which it reads as `rasadmin sessions` does, and asks the service over its pipe. So a
//! process that serves pages needs no right beyond reading the ledger.
//!
//! | module | has |
//! |---|---|
//! | [`source`] | the ledger, the configuration, the service |
//! | `visitor`, [`accounts`], `visits`, `attempts`, `device`, `login`, `bearer`, `gate` | who may look, and who may change something |
//! | `security`, `served`, `token`, `cookie` | what every request and every answer must have |
//! | [`server`], `connections`, `patient` | the server, and what its clients may ask of it |
//! | [`tls`], `private_file` | encryption: certificate files, or a self-signed certificate |
//! | `pages` | the pages, one file each |
//! | `sorted` | sessions in the order that a visitor chooses |
//! | `api` | the same for programs, as JSON |
//! | `blocked` | who is blocked, as the journal or the service has it |
//! | `changes` | what an operator changes, one page for each kind |
//! | `layout`, `parts`, `chart`, `noted` | what pages share |
#![forbid(unsafe_code)]

pub mod accounts;
mod api;
mod app;
mod assets;
mod attempts;
mod bearer;
mod blocked;
mod changes;
mod chart;
mod connections;
mod cookie;
mod device;
mod doubt;
mod events;
mod fault;
mod gate;
mod heavy;
mod hsts;
mod in_frame;
mod kept;
mod layout;
mod login;
mod noted;
mod pages;
mod parts;
mod patient;
mod private_file;
#[cfg(test)]
#[allow(dead_code, clippy::unwrap_used)] // Each test file uses a part.
#[path = "../../rasadmin-recorder/tests/support/scene.rs"]
mod scene;
mod security;
mod served;
pub mod server;
mod sorted;
pub mod source;
mod state;
pub mod tls;
mod token;
mod visitor;
mod visits;

pub use app::App;
pub use connections::Limits;
pub use events::Events;
pub use gate::Audit;
pub use source::Source;
pub use visitor::{Role, Visitor};
