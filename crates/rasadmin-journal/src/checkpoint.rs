//! Checkpoints: a state that the caller made from the records up to a position, so that reading can start there.
//!
//! A checkpoint is written under a temporary name, synced, and then renamed to a new name. So readers see complete
//! checkpoints only, and no file is ever overwritten.

use crate::error::{Context, Error};
use crate::folder::{self, digits, modified};
use crate::frame::{u32_at, u64_at};
use crate::notice::Notice;
use crate::owner;
use crate::position::Position;
use crate::segment;
use rasadmin_rights::private::only_ours;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The extension of a checkpoint's file. Its name is the record's number in twenty digits, and a random part.
pub(crate) const EXTENSION: &str = "checkpoint";

/// The extension while it is written.
pub(crate) const PART: &str = "part";

const MAGIC: &[u8; 8] = b"rasckpt\n";

/// The version of the header.
const VERSION: u32 = 1;

/// The length of the header, in bytes.
const HEADER: usize = 80;

/// Longer states are not read. A real one is far shorter, and a forged one would only use up memory.
const LONGEST: u64 = 1 << 30;

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last record in the state.
    pub position: Position,
    /// The version of the state's format, which the writer chooses.
    pub version: u32,
    /// The state, as bytes.
    pub state: Vec<u8>,
}

/// Writes a whole checkpoint; returns its file. Takes no lock, and waits for the disk.
///
/// # Errors
/// [`Error::Full`], [`Error::Io`], [`Error::Sync`]: no checkpoint was written.
pub fn write(folder: &Path, position: &Position, version: u32, state: &[u8]) -> Result<PathBuf, Error> {
    let mut writer = Writer::begin(folder, position, version)?;
    writer.append(state)?;
    writer.finish()
}

/// Writes a checkpoint piece by piece. Readers do not see it before it is complete. If it never is, its file is
/// deleted.
#[derive(Debug)]
pub struct Writer {
    position: Position,
    version: u32,
    path: PathBuf,
    part: Part,
    length: u64,
    crc: u32,
}

/// The file while it is written.
#[derive(Debug)]
struct Part {
    file: File,
    path: PathBuf,
    renamed: bool,
}

impl Writer {
    /// Creates the file.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn begin(folder: &Path, position: &Position, version: u32) -> Result<Self, Error> {
        let mark = folder::random()?.simple().to_string();
        let path = folder.join(format!("{:020}-{}.{EXTENSION}", position.number, &mark[..8]));
        let part = path.with_extension(PART);
        let file = only_ours(File::options().write(true).create_new(true)).open(&part).when("make", &part)?;
        let part = Part { file, path: part, renamed: false };
        Ok(Self { position: *position, version, path, part, length: 0, crc: 0 })
    }

    /// Appends bytes of the state.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Io`].
    pub fn append(&mut self, state: &[u8]) -> Result<(), Error> {
        let at = HEADER as u64 + self.length;
        segment::write_all_at(&self.part.file, state, at).when("write", &self.part.path)?;
        self.length += state.len() as u64;
        self.crc = crc32c::crc32c_append(self.crc, state);
        Ok(())
    }

    /// Syncs what was appended so far, so that `finish` waits only briefly.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Io`].
    pub fn sync(&self) -> Result<(), Error> {
        self.part.file.sync_data().when("sync", &self.part.path)
    }

    /// Completes the checkpoint, which is valid from now on; returns its file.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Io`], [`Error::Sync`].
    pub fn finish(mut self) -> Result<PathBuf, Error> {
        let header = header(&self.position, self.version, self.length, self.crc);
        segment::write_all_at(&self.part.file, &header, 0).when("write", &self.part.path)?;
        self.part.file.sync_all().when("sync", &self.part.path)?;
        // The name is new, because its random part is.
        std::fs::rename(&self.part.path, &self.path).when("rename", &self.part.path)?;
        self.part.renamed = true;
        if let Some(folder) = self.path.parent() {
            segment::sync_names(folder)?;
        }
        Ok(self.path)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Finds the newest intact checkpoint that `fits`, and returns it with notices about the skipped ones. `fits` gets the
/// position and the version of each, newest first. No file is changed.
///
/// # Errors
/// If the folder cannot be listed.
pub fn newest(
    folder: &Path,
    mut fits: impl FnMut(&Position, u32) -> bool,
) -> Result<(Option<Checkpoint>, Vec<Notice>), Error> {
    let mut passed = Vec::new();
    for path in list(folder)? {
        let why = match read(&path) {
            Ok(found) if fits(&found.position, found.version) => return Ok((Some(found), passed)),
            Ok(_) => "it does not fit the journal, or this program does not know its version".to_owned(),
            Err(why) => why,
        };
        passed.push(Notice::Unusable { path, why });
    }
    Ok((None, passed))
}

/// Lists the files of checkpoints, those with the highest number first. They may be damaged.
///
/// # Errors
/// If the folder cannot be listed.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).when("list", folder)? {
        let path = entry.when("list", folder)?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) && number(&path).is_some() {
            all.push(path);
        }
    }
    // If several have the same number, the newest file comes first.
    all.sort_by_cached_key(|path| (number(path), modified(path)));
    all.reverse();
    Ok(all)
}

/// Deletes all but the newest `keep` intact checkpoints, and unfinished ones that are older than an hour. Damaged ones
/// older than those that stay are deleted too.
///
/// # Errors
/// If the folder cannot be listed. A file that cannot be deleted is tried again the next time.
pub fn prune(folder: &Path, keep: usize) -> Result<(), Error> {
    let mut good = 0;
    for path in list(folder)? {
        if good >= keep {
            let _ = std::fs::remove_file(&path);
        } else if is_good(&path) {
            good += 1;
        }
    }
    let old = |path: &Path| modified(path).and_then(|at| at.elapsed().ok()).is_some_and(|age| age.as_secs() > 3600);
    for entry in std::fs::read_dir(folder).when("list", folder)?.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == PART) && number(&path).is_some() && old(&path) {
            let _ = std::fs::remove_file(&path);
        }
    }
    Ok(())
}

/// The number in a file's name.
fn number(path: &Path) -> Option<u64> {
    let (number, mark) = path.file_stem()?.to_str()?.split_once('-')?;
    digits(number, 20).filter(|_| mark.len() == 8)
}

fn header(position: &Position, version: u32, length: u64, crc: u32) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
    put(0, MAGIC);
    put(8, &VERSION.to_le_bytes());
    put(12, &version.to_le_bytes());
    put(16, position.journal.as_bytes());
    put(32, position.segment.as_bytes());
    put(48, &position.number.to_le_bytes());
    put(56, &length.to_le_bytes());
    put(64, &position.crc.to_le_bytes());
    put(68, &crc.to_le_bytes());
    // Four bytes are reserved.
    let crc = crc32c::crc32c(&bytes[..HEADER - 4]);
    bytes[HEADER - 4..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Reads a checkpoint. The error says what is wrong with it.
///
/// # Errors
/// The reason as text: "its checksum is wrong" and so on.
pub fn read(path: &Path) -> Result<Checkpoint, String> {
    let Opened { file, position, version, length, crc } = open(path)?;
    let mut state = Vec::new();
    state.try_reserve_exact(usize::try_from(length).unwrap_or(usize::MAX)).map_err(|e| e.to_string())?;
    file.take(length).read_to_end(&mut state).map_err(|e| e.to_string())?;
    if crc32c::crc32c(&state) != crc {
        return Err("its checksum is wrong".to_owned());
    }
    Ok(Checkpoint { position, version, state })
}

/// Is the checkpoint intact? Its state is not kept in memory, because callers run in RRAS's process.
fn is_good(path: &Path) -> bool {
    let Ok(Opened { mut file, crc, .. }) = open(path) else { return false };
    let (mut sum, mut bytes) = (0, vec![0; 64 * 1024]);
    loop {
        match file.read(&mut bytes) {
            Ok(0) => return sum == crc,
            Ok(some) => sum = crc32c::crc32c_append(sum, &bytes[..some]),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
}

/// Opens a file that has a valid header and the right length; reading it continues with the state.
struct Opened {
    file: File,
    position: Position,
    version: u32,
    length: u64,
    crc: u32,
}

fn open(path: &Path) -> Result<Opened, String> {
    if !std::fs::symlink_metadata(path).is_ok_and(|of| of.is_file()) {
        return Err("it is not a regular file".to_owned());
    }
    if let Some(why) = owner::foreign(path) {
        return Err(why);
    }
    let mut file = File::open(path).map_err(|e| e.to_string())?;
    let mut bytes = [0; HEADER];
    file.read_exact(&mut bytes).map_err(|e| format!("its header cannot be read: {e}"))?;
    let id = |at: usize| Uuid::from_slice(&bytes[at..at + 16]).unwrap_or_default();
    if !bytes.starts_with(MAGIC) || crc32c::crc32c(&bytes[..HEADER - 4]) != u32_at(&bytes, HEADER - 4) {
        return Err("its header is not a checkpoint's".to_owned());
    }
    let version = u32_at(&bytes, 8);
    if version != VERSION {
        return Err(format!("its version is {version}; this program knows {VERSION}"));
    }
    let length = u64_at(&bytes, 56);
    let there = file.metadata().map_err(|e| e.to_string())?.len();
    if length > LONGEST || there != length + HEADER as u64 {
        return Err(format!("it has {there} bytes instead of {}", length.saturating_add(HEADER as u64)));
    }
    let position = Position { journal: id(16), segment: id(32), number: u64_at(&bytes, 48), crc: u32_at(&bytes, 64) };
    Ok(Opened { file, position, version: u32_at(&bytes, 12), length, crc: u32_at(&bytes, 68) })
}
