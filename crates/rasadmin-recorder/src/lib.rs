//! The engine on its journal: what the DLL calls, what commands append, and the state that results.
//!
//! A call is short. The recorder takes the journal's lock, applies what other processes appended, decides, appends the
//! record, and lets go; then it waits for the disk if a power cut must not take the record. While nothing can be
//! recorded it decides from memory, and the event waits with its answer.
//!
//! - [`Recorder`] is what the DLL has: one method a call.
//! - [`admin::AdminJournal`] is what commands have: it appends an administrator's event, and belongs to no instance.
//! - [`present::read`] gives the state as it is now; it locks nothing and writes nothing.
#![forbid(unsafe_code)]

pub mod admin;
mod backoff;
mod codec;
mod membership;
pub mod present;
mod recorder;
mod repeats;
mod report;
mod sliced_checkpoint;
mod store;
#[cfg(feature = "torture")]
pub mod torture;
mod waiting;

pub use codec::{CHECKPOINT, Decoded, decode, decode_state, encode};
pub use recorder::{Assigned, Recorder, Verdict};
pub use store::{Failure, FailureKind, Health};

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Random bytes of the operating system's for sixteen calls, since asking for them is slow. Each byte is used once. There
/// are no more of them because a virtual machine that is set back to a snapshot uses these again.
#[derive(Debug)]
struct Supply {
    bytes: [u8; 256],
    used: usize,
}

static SUPPLY: Mutex<Supply> = Mutex::new(Supply { bytes: [0; 256], used: 256 });

/// Sixteen random bytes, of the operating system's.
///
/// # Errors
///
/// If it has none.
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

/// Sixteen bytes to make identifiers of: random ones, or, if the system has none, others each time. Nothing rests on their
/// being unguessable.
pub fn identifier_bytes() -> [u8; 16] {
    random().unwrap_or_else(|_| unique_bytes())
}

/// The time, the process, and a number that grows.
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
    fn no_random_bytes_are_given_twice_nor_to_two_threads() {
        let some = || (0..1_000).map(|_| super::random().unwrap()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(some)).collect();
        let all: BTreeSet<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(all.len(), 4_000);
        // Of bytes that were used already, or never filled, some would repeat.
        assert!(all.iter().all(|bytes| bytes[..8] != [0; 8] && bytes[8..] != [0; 8]));
    }

    #[test]
    fn unique_bytes_identifiers_differ_all_the_same() {
        let all: BTreeSet<_> = (0..1_000).map(|_| super::unique_bytes()).collect();
        assert_eq!(all.len(), 1_000);
    }
}
