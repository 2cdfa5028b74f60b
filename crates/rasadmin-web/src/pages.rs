//! The pages, one file each.

pub mod addresses;
pub mod asked;
pub mod being;
pub mod blocks;
pub mod decision;
pub mod decisions;
pub mod now;
pub mod reports;
pub mod rules;
pub mod session;
pub mod sessions;
pub mod user;
pub mod users;
