//! Connects the engine with its journal: decides events, records them, and keeps the resulting state.
//!
//! A call is short. The recorder takes the journal's lock, applies what other processes have appended, decides, appends
//! the record, and releases the lock. Then it waits for the disk if a power cut must not lose the record. While nothing
//! can be recorded, it decides from memory, and the event waits with its answer.
//!
//! - [`Recorder`] is for the DLL: one method for each call of RRAS.
//! - [`admin::AdminJournal`] is for commands: it appends an administrator's events, and belongs to no service instance.
//! - [`present::read`] reads the current state, without locking or writing anything.
#![forbid(unsafe_code)]

pub mod admin;
mod backoff;
mod call_times;
mod codec;
mod failure;
mod membership;
pub mod present;
mod recorder;
mod repeats;
mod report;
mod sliced_checkpoint;
mod store;
#[cfg(feature = "torture")]
pub mod torture;
pub mod upkeep;
mod waiting;

pub use codec::{Decoded, decode, decode_state, encode, reads_checkpoint};
pub use failure::{Failure, FailureKind};
pub use recorder::{Assigned, Recorder, Verdict};
pub use store::Health;

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Random bytes of the operating system, enough for sixteen calls, because fetching them is slow. Each byte is used
/// once. The supply is small because a virtual machine that returns to a snapshot uses it again.
#[derive(Debug)]
struct Supply {
    bytes: [u8; 256],
    used: usize,
}

static SUPPLY: Mutex<Supply> = Mutex::new(Supply { bytes: [0; 256], used: 256 });

/// Returns sixteen random bytes of the operating system.
///
/// # Errors
///
/// If the system cannot provide them.
pub fn random() -> io::Result<[u8; 16]> {
    let mut supply = SUPPLY.lock().unwrap_or_else(PoisonError::into_inner);
    let Supply { bytes, used } = &mut *supply;
    if *used >= bytes.len() {
        getrandom::fill(bytes).map_err(|e| io::Error::other(e.to_string()))?;
        *used = 0;
    }
    let mut some = [0; 16];
    some.swap_with_slice(&mut bytes[*used..*used + 16]);
    *used += 16;
    Ok(some)
}

/// Returns sixteen bytes for an identifier: random ones, or unique ones if the system has no random bytes. They need
/// not be unpredictable.
pub fn identifier_bytes() -> [u8; 16] {
    random().unwrap_or_else(|_| unique_bytes())
}

/// Made from the time, the process and a counter.
fn unique_bytes() -> [u8; 16] {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let bytes = since.as_nanos() << 64 | u128::from(std::process::id()) << 32 | u128::from(number);
    bytes.to_be_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    #[test]
    fn random_bytes_are_never_used_twice_even_by_two_threads() {
        let some = || (0..1_000).map(|_| super::random().unwrap()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(some)).collect();
        let all: BTreeSet<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(all.len(), 4_000);
        // Of bytes that were used already, or never filled, some would repeat.
        assert!(all.iter().all(|bytes| bytes[..8] != [0; 8] && bytes[8..] != [0; 8]));
    }

    #[test]
    fn without_random_bytes_identifiers_still_differ() {
        let all: BTreeSet<_> = (0..1_000).map(|_| super::unique_bytes()).collect();
        assert_eq!(all.len(), 1_000);
    }
}
