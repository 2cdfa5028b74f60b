//! Registers the product with RRAS. A separate crate, so that none of it is linked into the DLL.
//!
//! | module | part |
//! |---|---|
//! | [`environment`] | announces a change of the system's variables |
//! | [`path_variable`] | the system's PATH as text, and how it changes |
//! | [`registration`] | RRAS's list of DLLs as text, and how it changes |
//! | [`registry`] | the registry key with that list |
//! | [`service`] | the Windows service `rasadmin`: its registration, start and stop |
//! | [`version_marker`] | recognises the product's file and its version |
//! | [`task`] | the daily task that updates the ledger |
#![deny(unsafe_code)]

pub mod environment;
pub mod path_variable;
pub mod registration;
pub mod registry;
pub mod service;
pub mod task;
pub mod version_marker;
