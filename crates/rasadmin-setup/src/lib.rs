//! Registering the product with RRAS: what the command needs, and the DLL does not (so that nothing of it is linked into
//! the DLL, it is a crate of its own).
//!
//! | module | part |
//! |---|---|
//! | [`registration`] | RRAS's list of DLLs as text, and how it changes |
//! | [`registry`] | where that list stands |
//! | [`version_marker`] | which file is ours, and which version |
//! | [`task`] | the daily task that brings the journal into the ledger |
//! | [`acl`] | who can write a folder; folders that only administrators can: `rasadmin-rights` |
#![forbid(unsafe_code)]

pub mod registration;
pub mod registry;
pub mod task;
pub mod version_marker;

pub use rasadmin_rights as acl;
