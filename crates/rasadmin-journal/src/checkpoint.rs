//! Checkpoints: what somebody made of the records up to a place, to start from.
//!
//! A checkpoint is written under a name that nobody looks for, synced, and then given a new one of its own: whoever
//! lists them sees whole ones only, and no file is ever overwritten.

use crate::error::{Context, Error};
use crate::folder::{self, digits, modified};
use crate::frame::{u32_at, u64_at};
use crate::notice::Notice;
use crate::position::Position;
use crate::rights;
use crate::segment;
use rasadmin_rights::private::only_ours;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// What a checkpoint's file is called at the end. Before it stand the number, in twenty digits, and a random part.
pub(crate) const EXTENSION: &str = "checkpoint";

/// While it is written.
pub(crate) const PART: &str = "part";

const MAGIC: &[u8; 8] = b"rasckpt\n";

/// The version of what stands before the state.
const VERSION: u32 = 1;

/// How many bytes that is.
const HEADER: usize = 80;

/// Longer states are not read. A real one is far shorter, and a false one would only use up memory.
const LONGEST: u64 = 1 << 30;

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last record that the state contains.
    pub position: Position,
    /// Which version of the state's format the bytes have. The writer chooses it.
    pub version: u32,
    /// The state.
    pub state: Vec<u8>,
}

/// Writes one whole; returns its file. Takes no lock, and waits for the disk.
///
/// # Errors
/// [`Error::Full`], [`Error::Io`], [`Error::Sync`]: then none was written.
pub fn write(folder: &Path, position: &Position, version: u32, state: &[u8]) -> Result<PathBuf, Error> {
    let mut writer = Writer::begin(folder, position, version)?;
    writer.append(state)?;
    writer.finish()
}

/// One that is written bit by bit. Nobody sees it before it is whole; if it never is, its file is deleted.
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
    /// Begins one.
    ///
    /// # Errors
    /// If its file cannot be made.
    pub fn begin(folder: &Path, position: &Position, version: u32) -> Result<Self, Error> {
        let mark = folder::random()?.simple().to_string();
        let path = folder.join(format!("{:020}-{}.{EXTENSION}", position.number, &mark[..8]));
        let part = path.with_extension(PART);
        let file = only_ours(File::options().write(true).create_new(true)).open(&part).when("make", &part)?;
        let part = Part { file, path: part, renamed: false };
        Ok(Self { position: *position, version, path, part, length: 0, crc: 0 })
    }

    /// The next bytes of the state.
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

    /// What was appended is on disk when this returns, so that the end has little to wait for.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Io`].
    pub fn sync(&self) -> Result<(), Error> {
        self.part.file.sync_data().when("sync", &self.part.path)
    }

    /// It is whole, and counts from now on; returns its file.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Io`], [`Error::Sync`].
    pub fn finish(mut self) -> Result<PathBuf, Error> {
        let header = header(&self.position, self.version, self.length, self.crc);
        segment::write_all_at(&self.part.file, &header, 0).when("write", &self.part.path)?;
        self.part.file.sync_all().when("sync", &self.part.path)?;
        // Nobody has this name: the random part is new.
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

/// The newest good one that `fits`, which is asked of the place and the version of each, newest first. A good one is
/// whole and unchanged. The others that were looked at, and why they were not taken, are told; none is touched.
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

/// The checkpoints' files, those of the highest number first. They may be damaged.
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
    // Of several with one number, the one written last.
    all.sort_by_cached_key(|path| (number(path), modified(path)));
    all.reverse();
    Ok(all)
}

/// Deletes all but the newest `keep` good ones, and what an unfinished writing left an hour ago or earlier. Damaged
/// ones older than those go too.
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
    // Four bytes are left for later.
    let crc = crc32c::crc32c(&bytes[..HEADER - 4]);
    bytes[HEADER - 4..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Reads one; an error says what is wrong with it.
///
/// # Errors
/// In words: "it is cut off", and so on.
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

/// Is it whole and unchanged? Its state is not kept in memory, since a callback asks.
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

/// A file with a good header and the length that it names; what is read next is the state.
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
    if let Some(why) = rights::foreign(path) {
        return Err(why);
    }
    let mut file = File::open(path).map_err(|e| e.to_string())?;
    let mut bytes = [0; HEADER];
    file.read_exact(&mut bytes).map_err(|e| format!("its header cannot be read: {e}"))?;
    let id = |at: usize| Uuid::from_slice(&bytes[at..at + 16]).unwrap_or_default();
    if !bytes.starts_with(MAGIC) || crc32c::crc32c(&bytes[..HEADER - 4]) != u32_at(&bytes, HEADER - 4) {
        return Err("its header is none of a checkpoint".to_owned());
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
