//! Service instances: which processes belong together, and whether any of an earlier one still lives.
//!
//! Every process of a service holds a shared lock on one file beside the ledger; the kernel releases it when the process
//! dies, however it dies. Who gets the lock for itself is the first of a new instance, and writes its token; who does
//! not has joined, and reads it. So a second process, a checker or a host on the same machine never closes live
//! sessions.

use rasadmin_engine::{Id, Name};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A held lock: while it lives, this process belongs to the instance.
#[derive(Debug)]
pub struct Instance {
    /// What the processes of the instance have in common.
    pub token: Id,
    /// Was nobody else there?
    pub first: bool,
    _shared: File,
}

/// `LEDGER.SERVER.END`, with the server's name made fit for a file.
fn beside(ledger: &Path, server: &Name, end: &str) -> PathBuf {
    let safe: String = server
        .folded()
        .as_str()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c.to_string() } else { format!("%{:x}", u32::from(c)) })
        .collect();
    let mut path = ledger.as_os_str().to_owned();
    path.push(format!(".{safe}.{end}"));
    path.into()
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Joins the living instance of this server, or begins a new one.
pub fn join(ledger: &Path, server: &Name, deadline: Instant) -> io::Result<Instance> {
    // One process at a time decides whether it is the first.
    let gate = open(&beside(ledger, server, "gate"))?;
    loop {
        match gate.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(1)),
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "another process is starting and does not end"));
            }
            Err(TryLockError::Error(e)) => return Err(e),
        }
    }
    let path = beside(ledger, server, "lock");
    let alone = match open(&path)?.try_lock() {
        // Closing the file unlocks it. (Under Wine 8 `File::unlock` fails always: std unlocks twice, and Wine's error for
        // what is not locked is another than Windows'.)
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(e)) => return Err(e),
    };
    let lock = open(&path)?;
    lock.lock_shared()?;
    let file = beside(ledger, server, "instance");
    let mut token = None;
    if !alone {
        // Without it (someone deleted it) the living ones cannot be joined; a new token never matches theirs.
        let mut text = String::new();
        let _ = File::open(&file).and_then(|mut f| f.read_to_string(&mut text));
        token = text.trim().parse().ok();
    }
    let token = match token {
        Some(token) => token,
        None => {
            let token = Id(uuid::Builder::from_random_bytes(random()?).into_uuid().as_u128());
            File::create(&file)?.write_all(token.to_string().as_bytes())?;
            token
        }
    };
    Ok(Instance { token, first: alone, _shared: lock })
}

/// Does a process of this server's instance live? Nothing is made, and whoever starts meanwhile is not misled: as in
/// [`join`], only who has the gate may try the lock.
///
/// # Errors
/// If the files beside the ledger cannot be read.
pub fn alive(ledger: &Path, server: &Name) -> io::Result<bool> {
    let there = |end: &str| match File::open(beside(ledger, server, end)) {
        Ok(file) => Ok(Some(file)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    };
    let (Some(gate), Some(lock)) = (there("gate")?, there("lock")?) else { return Ok(false) };
    for held in [gate.try_lock(), lock.try_lock()] {
        match held {
            Ok(()) => {}
            // At the gate: one is just starting.
            Err(TryLockError::WouldBlock) => return Ok(true),
            Err(TryLockError::Error(e)) => return Err(e),
        }
    }
    Ok(false)
}

/// Sixteen random bytes, of the operating system's.
///
/// # Errors
///
/// If it has none.
pub fn random() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| io::Error::other(e.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// On Windows, and under Wine, locks are per handle: this is as two processes would see it.
    #[test]
    fn who_comes_while_another_lives_joins_it() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("rasadmin.db");
        let join = || join(&ledger, &Name::new("VPN1"), Instant::now() + Duration::from_secs(2)).unwrap();
        let first = join();
        let second = join();
        assert!(first.first && !second.first);
        assert_eq!(first.token, second.token);
        drop(first);
        assert_eq!(join().token, second.token, "one still lives");
        drop(second);
        let next = join();
        assert!(next.first);
    }

    #[test]
    fn asking_whether_one_lives_disturbs_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("rasadmin.db");
        let server = Name::new("VPN1");
        assert!(!alive(&ledger, &server).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is made");
        let one = join(&ledger, &server, Instant::now() + Duration::from_secs(2)).unwrap();
        assert!(alive(&ledger, &server).unwrap());
        assert!(!alive(&ledger, &Name::new("VPN2")).unwrap());
        drop(one);
        assert!(!alive(&ledger, &server).unwrap());
    }
}
