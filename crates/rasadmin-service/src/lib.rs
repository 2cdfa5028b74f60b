//! The rasadmin service: what runs beside RRAS, because no callback may wait for it.
//!
//! [`run`] reads the configuration, takes the lock of the journal, and runs each [`Duty`] on a thread of its own until
//! it is asked to stop. A duty that fails or panics does not stop the others: its fault is kept as its state, and it is
//! tried again after a pause. [`state_file::read`] shows the state to other processes.
//!
//! | duty | does |
//! |---|---|
//! | [`follow`](Follow) | brings records into the ledger as they come, and writes a checkpoint after each segment |
//! | [`retention`](Retention) | deletes what is too old, checks the ledger, backs it up, and watches the disks |
//! | [`pipe`](Pipe) | answers commands on this computer |
//! | [`metrics`](Metrics) | counts for a monitoring system |
#![forbid(unsafe_code)]

mod board;
mod duty;
mod follow;
mod log;
pub mod metrics;
pub mod pipe;
mod retention;
mod run;
mod runner;
mod service;
mod settings;
pub mod state;
pub mod state_file;
mod stop;

pub use duty::{Duty, DutyStart, Fault, NewDuty, Turn};
pub use follow::Follow;
pub use log::Log;
pub use metrics::Metrics;
pub use pipe::Pipe;
pub use retention::Retention;
pub use run::{NotStarted, run};
pub use runner::is_duty;
pub use service::{Service, duties};
pub use settings::Settings;
pub use stop::Stop;
