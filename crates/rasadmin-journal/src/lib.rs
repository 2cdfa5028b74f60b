//! The records of one server on disk: appended by several processes, followed by others, and found again after a crash.
//!
//! The crate knows nothing of what a record says: it keeps bytes, which callers make JSON of, and gives each a number.
//! `docs/journal.md` describes the files.
//!
//! # A call that records something
//!
//! 1. [`Journal::lock`] waits until a deadline. One deadline holds for the whole call.
//! 2. [`Guard::catch_up`] gives what others appended meanwhile.
//! 3. The caller decides, with a state that lacks nothing, and [`Guard::append`]s.
//! 4. It drops the guard. Others go on.
//! 5. [`Journal::sync`] waits for the disk, if the record must outlive a power cut. Nobody waits for this one's sync.
//! 6. [`Journal::upkeep`] does what is to be done now and then.
//!
//! ```
//! use rasadmin_journal::{Item, Journal, Options};
//! use std::time::{Duration, Instant};
//!
//! # let folder = tempfile::tempdir()?;
//! let deadline = Instant::now() + Duration::from_secs(2);
//! let journal = Journal::open(folder.path(), Options::default(), deadline)?;
//! let mut known = Vec::new();
//! let mut guard = journal.lock(deadline)?;
//! guard.catch_up(|item| {
//!     if let Item::Record(record) = item {
//!         known.push(record.payload.to_vec());
//!     }
//! })?;
//! let appended = guard.append(&[b"{\"user\":\"alice\"}"])?;
//! drop(guard);
//! journal.sync(&appended.last)?;
//! assert_eq!(appended.last.number, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # When it fails
//!
//! [`Error`] says what the caller can do. After [`Error::Locked`], [`Error::Full`] and [`Error::Io`] it goes on from
//! memory and tries again later. After [`Error::Sync`] the records count as unrecorded until they are written again: by
//! the next append, or at once by [`Guard::rewrite`]. After [`Error::Replaced`] and [`Error::Diverged`] it opens the
//! journal again and builds its state anew.
//!
//! # Why it is made so
//!
//! * One object serves a process: it has a mutex before the file's lock, because two handles of one process exclude each
//!   other, and one handle twice does on Windows only. The mutex is not held during a sync.
//! * Reading is a callback, not an iterator: a payload is borrowed from the buffer that it was read into.
//! * A batch is appended whole or not at all, so that an error never leaves the caller wondering how much was recorded.
//! * Errors are for the caller, [`Notice`] for the administrator: what was mended or moved aside stops nobody.
//! * Checkpoints and cursors are functions of the folder: whoever writes them needs no lock and no open journal.
//!
#![deny(unsafe_code)]

pub mod checkpoint;
pub mod cursor;
mod error;
mod folder;
mod follow;
mod frame;
mod guard;
mod header;
mod instance;
pub mod inventory;
mod journal;
mod kernel;
mod log_reader;
mod mend;
mod notice;
mod position;
pub mod retain;
pub mod rights;
mod roll;
mod segment;
mod wait;
mod walk;

#[cfg(test)]
mod tests;

pub use error::{Error, Failed};
pub use follow::Follower;
pub use guard::{Appended, Guard};
pub use header::VERSION;
pub use instance::{FILE as INSTANCE, Instance, lives_in};
pub use journal::{Journal, LOCK, Options};
pub use notice::Notice;
pub use position::{Item, NoPosition, Position, Record};
