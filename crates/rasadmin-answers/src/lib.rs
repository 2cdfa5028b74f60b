//! Answers for programs that more than one program gives: commands print them as JSON, the rasadmin service sends them over
//! its pipe, and the dashboard's API sends them too. Their schemas are in docs/schemas, and stable (docs/json.md).
//!
//! | module | answers |
//! |---|---|
//! | [`blocks`] | who is blocked |
//! | [`configuration`] | which configuration is in force, and what it has |
//! | [`explain`] | what would happen to a user who connects, and why a past decision was made |
//! | [`replay`] | what a configuration would have changed in the past |
//!
//! [`show`] writes times and amounts for people, the same everywhere, and [`report`] the rows of a report.
#![forbid(unsafe_code)]

pub mod blocks;
pub mod configuration;
pub mod explain;
pub mod replay;
pub mod report;
pub mod show;
