//! The spool: where events go while the ledger is away, one file a process.
//!
//! Its space is written ahead, because a full disk cannot extend it. A frame is its length, a checksum, its sequence
//! number and a JSON text; the end is where the next sequence number is missing. So nothing needs to be wiped when the
//! file is used again, and a frame that was torn by a crash ends it.

use rasadmin_engine::Id;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How much is written ahead.
pub const SIZE: u64 = 4 * 1024 * 1024;

const HEADER: usize = 16;

/// A spool.
#[derive(Debug)]
pub struct Spool {
    file: File,
    path: PathBuf,
    name: String,
    /// Where the next frame goes.
    end: u64,
    /// Its sequence number.
    next: u64,
    /// How many frames wait.
    waiting: u64,
}

/// A frame that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its number.
    pub sequence: u64,
    /// Its text.
    pub text: String,
}

impl Spool {
    /// A new spool beside the ledger, its space written ahead and locked for this process. `instance` is the token of
    /// the service instance whose events it keeps, if it is known.
    pub fn create(ledger: &Path, instance: Option<Id>) -> io::Result<Self> {
        let own = uuid::Builder::from_random_bytes(crate::random()?).into_uuid();
        let name = format!("{}.{own}", instance.map(|instance| instance.to_string()).unwrap_or_default());
        let mut path = ledger.as_os_str().to_owned();
        path.push(format!(".spool-{name}"));
        let path = PathBuf::from(path);
        let made = Self::written_ahead(&path);
        if made.is_err() {
            let _ = std::fs::remove_file(&path);
        }
        Ok(Self { file: made?, path, name, end: 0, next: 1, waiting: 0 })
    }

    fn written_ahead(path: &Path) -> io::Result<File> {
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        lock(&file)?;
        // Written, not only its length set: a file with holes needs space later.
        let zeros = vec![0_u8; 64 * 1024];
        for _ in 0..SIZE / zeros.len() as u64 {
            file.write_all(&zeros)?;
        }
        file.sync_data()?;
        Ok(file)
    }

    /// Spools beside the ledger that no process holds: those of processes that died.
    pub fn orphans(ledger: &Path) -> Vec<Self> {
        let Some(folder) = ledger.parent() else { return Vec::new() };
        let prefix = format!("{}.spool-", ledger.file_name().unwrap_or_default().to_string_lossy());
        let entries = std::fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
        let names = entries.into_iter().flatten().flatten().map(|entry| entry.path());
        let mut orphans = Vec::new();
        for path in names {
            let Some(name) =
                path.file_name().and_then(|n| n.to_string_lossy().strip_prefix(&prefix).map(str::to_owned))
            else {
                continue;
            };
            let Ok(file) = OpenOptions::new().read(true).write(true).open(&path) else { continue };
            if lock(&file).is_ok() {
                orphans.push(Self { file, path, name, end: 0, next: 1, waiting: 0 });
            }
        }
        orphans.sort_by(|a, b| a.name.cmp(&b.name));
        orphans
    }

    /// What the ledger calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The token of the service instance whose events it keeps. Where that is not known the spool is an instance's own.
    pub fn instance(&self) -> Option<Id> {
        let (instance, own) = self.name.split_once('.')?;
        instance.parse().or_else(|_| own.parse()).ok()
    }

    /// How many frames wait.
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Appends; false if it is full. `durable`: it is on disk before this returns.
    pub fn append(&mut self, text: &str, durable: bool) -> io::Result<bool> {
        let frame = frame(self.next, text.as_bytes());
        if self.end + frame.len() as u64 > SIZE {
            return Ok(false);
        }
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&frame)?;
        if durable {
            self.file.sync_data()?;
        }
        self.end += frame.len() as u64;
        self.next += 1;
        self.waiting += 1;
        Ok(true)
    }

    /// All frames in order, as they stand in the file.
    pub fn frames(&mut self) -> io::Result<Vec<Frame>> {
        frames(&self.file)
    }

    /// Everything was replayed: the next frame goes to the beginning.
    pub fn rewind(&mut self) {
        (self.end, self.waiting) = (0, 0);
    }

    /// Deletes the file: an orphan that was replayed, or our own at a clean end.
    pub fn remove(self) -> io::Result<()> {
        let path = self.path.clone();
        drop(self.file); // Windows wants it closed.
        std::fs::remove_file(path)
    }
}

/// A spool as one who only looks sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its file.
    pub path: PathBuf,
    /// What the ledger calls it.
    pub name: String,
    /// The token of the service instance whose events it keeps; empty if that is not known.
    pub instance: String,
}

/// The spools beside the ledger, without locking or opening any.
///
/// # Errors
/// If the folder cannot be read.
pub fn look(ledger: &Path) -> io::Result<Vec<Seen>> {
    let folder = ledger.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let prefix = format!("{}.spool-", ledger.file_name().unwrap_or_default().to_string_lossy());
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(name) = file.strip_prefix(&prefix).map(str::to_owned) {
            let instance = name.split_once('.').map_or("", |(instance, _)| instance).to_owned();
            all.push(Seen { path, name, instance });
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

impl Seen {
    /// The numbers of the frames in a spool that no living process holds. (What a living one has told already stands in
    /// its file until it is written over, and on Windows its lock forbids reading.)
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn frames(&self) -> io::Result<Vec<u64>> {
        Ok(frames(&File::open(&self.path)?)?.into_iter().map(|frame| frame.sequence).collect())
    }
}

/// All frames in order, from the beginning of a spool's file.
fn frames(mut file: &File) -> io::Result<Vec<Frame>> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    Read::by_ref(&mut file).take(SIZE).read_to_end(&mut bytes)?;
    let (mut frames, mut rest) = (Vec::<Frame>::new(), &bytes[..]);
    while let Some((frame, after)) = parse(rest) {
        if frames.last().is_some_and(|last| frame.sequence != last.sequence + 1) {
            break;
        }
        frames.push(frame);
        rest = after;
    }
    Ok(frames)
}

fn lock(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|e| match e {
        TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
        TryLockError::Error(e) => e,
    })
}

fn frame(sequence: u64, text: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEADER + text.len());
    frame.extend(u32::try_from(text.len()).unwrap_or(0).to_le_bytes());
    frame.extend(checksum(sequence, text).to_le_bytes());
    frame.extend(sequence.to_le_bytes());
    frame.extend(text);
    frame
}

fn parse(bytes: &[u8]) -> Option<(Frame, &[u8])> {
    let (header, rest) = bytes.split_at_checked(HEADER)?;
    let length = u32::from_le_bytes(header[..4].try_into().ok()?) as usize;
    let sum = u32::from_le_bytes(header[4..8].try_into().ok()?);
    let sequence = u64::from_le_bytes(header[8..].try_into().ok()?);
    let (text, rest) = rest.split_at_checked(length)?;
    if length == 0 || sum != checksum(sequence, text) {
        return None;
    }
    Some((Frame { sequence, text: String::from_utf8(text.to_vec()).ok()? }, rest))
}

fn checksum(sequence: u64, text: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&sequence.to_le_bytes());
    hasher.update(text);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TOKEN: Id = Id(7);

    fn texts(spool: &mut Spool) -> Vec<String> {
        spool.frames().unwrap().into_iter().map(|frame| frame.text).collect()
    }

    #[test]
    fn frames_are_read_in_order_and_an_old_round_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::create(&folder.path().join("l.db"), Some(TOKEN)).unwrap();
        for text in ["one", "two", "three"] {
            assert!(spool.append(text, false).unwrap());
        }
        assert_eq!(texts(&mut spool), ["one", "two", "three"]);
        spool.rewind();
        assert!(spool.append("ONE", true).unwrap());
        assert_eq!(texts(&mut spool), ["ONE"]);
        assert_eq!(spool.waiting(), 1);
    }

    #[test]
    fn a_torn_frame_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::create(&folder.path().join("l.db"), Some(TOKEN)).unwrap();
        spool.append("one", false).unwrap();
        let end = spool.end;
        spool.append("torn away", false).unwrap();
        spool.file.seek(SeekFrom::Start(end + HEADER as u64 + 4)).unwrap();
        spool.file.write_all(&[0; 5]).unwrap();
        assert_eq!(texts(&mut spool), ["one"]);
    }

    #[test]
    fn it_is_full_at_its_size_and_never_grows() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::create(&folder.path().join("l.db"), Some(TOKEN)).unwrap();
        let text = "x".repeat(1024 * 1024);
        let taken = (0..10).filter(|_| spool.append(&text, false).unwrap()).count();
        assert_eq!(taken, 3);
        assert_eq!(spool.file.metadata().unwrap().len(), SIZE);
    }

    #[test]
    fn only_a_dead_process_leaves_an_orphan() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("l.db");
        let mut spool = Spool::create(&ledger, Some(TOKEN)).unwrap();
        spool.append("left behind", true).unwrap();
        assert_eq!(Spool::orphans(&ledger).len(), 0);
        drop(spool);
        let mut orphans = Spool::orphans(&ledger);
        assert_eq!(orphans.iter_mut().map(texts).collect::<Vec<_>>(), [["left behind"]]);
        assert_eq!(orphans[0].instance(), Some(TOKEN));
        let seen = look(&ledger).unwrap();
        let expected = (1, TOKEN.to_string(), vec![1]);
        assert_eq!((seen.len(), seen[0].instance.clone(), seen[0].frames().unwrap()), expected);
        orphans.pop().unwrap().remove().unwrap();
        assert_eq!(Spool::orphans(&ledger).len(), 0);
        assert_eq!(look(&ledger).unwrap(), []);
    }
}
