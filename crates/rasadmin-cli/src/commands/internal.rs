//! Hidden subcommands: the processes that other commands start.

pub mod address_process;
pub mod check_child;
pub mod lock_journal;
