//! The rasadmin service: what runs beside RRAS, because no callback may wait for it.
//!
//! [`run`] reads the configuration, takes the lock of the journal, and runs each [`Duty`] on a thread of its own until
//! it is asked to stop. A duty that fails or panics does not stop the others: its fault is kept as its state, and it is
//! tried again after a pause. [`state_file::read`] shows the state to other processes. On Windows, `dispatch` runs it for
//! the Service Control Manager.
//!
//! | duty | does |
//! |---|---|
//! | [`follow`](Follow) | brings records and octets over time into the ledger as they come, and writes a checkpoint after each segment |
//! | [`monitor`](Monitor) | looks at RRAS's connections: who is there, how much they send, what is not on record |
//! | [`retention`](Retention) | deletes what is too old, checks the ledger, backs it up, and watches the disks |
//! | [`pipe`](Pipe) | answers commands on this computer |
//! | [`metrics`](Metrics) | counts for a monitoring system |
#![forbid(unsafe_code)]

pub mod blocks_in_force;
mod board;
mod current;
pub mod disconnect;
#[cfg(windows)]
mod dispatcher;
mod duty;
mod follow;
pub mod live_table;
mod log;
mod log_file;
pub mod metrics;
pub mod monitor;
pub mod pipe;
mod retention;
mod run;
mod runner;
mod samples;
pub mod seen;
mod service;
mod settings;
pub mod state;
pub mod state_file;
mod stop;
mod two_files;
pub mod user_in_force;

pub use current::Current;
#[cfg(windows)]
pub use dispatcher::{NotDispatched, dispatch};
pub use duty::{Duty, DutyStart, Fault, NewDuty, Turn};
pub use follow::Follow;
pub use log::Log;
pub use log_file::LogFile;
pub use metrics::Metrics;
pub use monitor::Monitor;
pub use pipe::Pipe;
pub use retention::Retention;
pub use run::{NotStarted, run};
pub use runner::{is_duty, works_for_duty};
pub use service::{Beside, Service, duties};
pub use settings::Settings;
pub use stop::Stop;
