//! The subcommands, each in the file of its name; groups (`config`, `dashboard`, `disconnect`, `host`, `journal`, `ledger`,
//! `service`) are folders.

pub mod addresses;
pub mod anonymise;
pub mod block;
pub mod blocks;
pub mod check;
pub mod close;
pub mod completions;
pub mod config;
pub mod dashboard;
pub mod decisions;
pub mod disconnect;
pub mod explain;
pub mod export;
pub mod host;
pub mod import;
pub mod install;
pub mod internal;
pub mod journal;
pub mod ledger;
pub mod metrics;
pub mod purge;
pub mod release;
pub mod replay;
pub mod report;
pub mod serve;
pub mod service;
pub mod sessions;
pub mod status;
pub mod top;
pub mod unblock;
pub mod uninstall;
pub mod usage;
pub mod user;
pub mod users;
pub mod who_had;
