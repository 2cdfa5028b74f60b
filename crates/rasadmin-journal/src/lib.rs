//! The journal: the records of one server on disk. Several processes append to it, others follow it, and it survives
//! crashes.
//!
//! The crate does not interpret records: it stores bytes (its callers write JSON) and numbers them. `docs/journal.md`
//! describes the files.
//!
//! # A call that records something
//!
//! 1. [`Journal::lock`] waits for the lock until a deadline. One deadline holds for the whole call.
//! 2. [`Guard::catch_up`] returns what others have appended meanwhile.
//! 3. The caller, whose state is now complete, decides and calls [`Guard::append`].
//! 4. It drops the guard, so that others can continue.
//! 5. [`Journal::sync`] waits for the disk, if the record must survive a power cut. Other processes do not wait for it.
//! 6. [`Journal::upkeep`] does occasional work.
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
//! [`Error`] says what the caller can do. After [`Error::Locked`], [`Error::Full`] and [`Error::Io`] the caller
//! continues from memory and tries again later. After [`Error::Sync`] the records count as unrecorded until they are
//! written again: by the next append, or at once by [`Guard::rewrite`]. After [`Error::Replaced`] and
//! [`Error::Diverged`] the caller opens the journal again and rebuilds its state.
//!
//! # Design
//!
//! * A process uses one [`Journal`] object. It has a mutex in front of the file lock, because locking one handle twice fails
//!   on Windows only. The mutex is not held during a sync.
//! * Reading uses a callback, not an iterator, because a payload is borrowed from the read buffer.
//! * A batch is appended whole or not at all, so that after an error the caller knows what was recorded.
//! * An [`Error`] is for the caller, a [`Notice`] for the administrator: what was mended or moved aside is not an error.
//! * Checkpoints and cursors are functions on the folder: writing one needs no lock and no open journal.
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
mod owner;
mod position;
pub mod retain;
pub mod rights;
mod roll;
mod segment;
mod service_lock;
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
pub use service_lock::{FILE as SERVICE, Holder, ServiceLock, Taken, service_of};
