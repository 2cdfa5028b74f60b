//! A segment's file. It is read and written at explicit offsets, because handles can share a file position.

use crate::error::{Context, Error};
use crate::header::{self, FIRST};
use crate::owner;
use rasadmin_rights::private::only_ours;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The extension of a segment's file. Its name is the ordinal in ten digits.
pub const EXTENSION: &str = "segment";

/// An open segment.
#[derive(Debug)]
pub struct Segment {
    pub file: File,
    pub path: PathBuf,
    pub ordinal: u64,
}

/// How a segment is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// For a follower, which writes nothing.
    Read,
    /// For the lock holder.
    Write,
}

/// Returns the path of a segment.
pub fn path(folder: &Path, ordinal: u64) -> PathBuf {
    folder.join(format!("{ordinal:010}.{EXTENSION}"))
}

impl Segment {
    /// Opens an existing segment. Returns None if there is nothing of this name, or something that is not one of our
    /// files.
    pub fn open(folder: &Path, ordinal: u64, access: Access) -> Result<Option<Self>, Error> {
        let path = path(folder, ordinal);
        // Links are not followed, and pipes are not opened because that would block. A file of another owner is
        // ignored.
        if !std::fs::symlink_metadata(&path).is_ok_and(|of| of.is_file()) || owner::foreign(&path).is_some() {
            return Ok(None);
        }
        match File::options().read(true).write(access == Access::Write).open(&path) {
            Ok(file) => Ok(Some(Self { file, path, ordinal })),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e).when("open", &path),
        }
    }

    /// Creates an empty segment. Fails if something of that name exists.
    pub fn create(folder: &Path, ordinal: u64) -> Result<Self, Error> {
        let path = path(folder, ordinal);
        let mut options = File::options();
        let file = only_ours(options.read(true).write(true).create_new(true)).open(&path).when("make", &path)?;
        Ok(Self { file, path, ordinal })
    }

    /// Reads the header.
    pub fn header(&self) -> Result<header::Read, Error> {
        let mut bytes = [0; FIRST as usize];
        let length = self.read(0, &mut bytes)?;
        Ok(header::read(&bytes[..length]))
    }

    /// Reads from an offset; returns the number of bytes read.
    pub fn read(&self, at: u64, into: &mut [u8]) -> Result<usize, Error> {
        #[cfg(test)]
        if crate::tests::hooks::read_fails(self.ordinal) {
            return Err(io::Error::other("injected")).when("read", &self.path);
        }
        let mut done = 0;
        while done < into.len() {
            match read_at(&self.file, &mut into[done..], at + done as u64) {
                Ok(0) => break,
                Ok(some) => done += some,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e).when("read", &self.path),
            }
        }
        Ok(done)
    }

    /// Reads the bytes from `at` to `end`, or to the end of the file. A header can claim any length, so the allocation
    /// is limited to the file's length, and a lack of memory is an error.
    pub fn read_to(&self, at: u64, end: u64) -> Result<Vec<u8>, Error> {
        let length = end.min(self.length()?).saturating_sub(at);
        let length = usize::try_from(length).map_err(io::Error::other).when("read", &self.path)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length).map_err(io::Error::from).when("read", &self.path)?;
        bytes.resize(length, 0);
        let length = self.read(at, &mut bytes)?;
        bytes.truncate(length);
        Ok(bytes)
    }

    /// Writes at an offset.
    pub fn write(&self, at: u64, bytes: &[u8]) -> Result<(), Error> {
        #[cfg(test)]
        if let Some(part) = crate::tests::hooks::write_fails(self.ordinal) {
            let part = &bytes[..part.min(bytes.len())];
            write_at(&self.file, part, at).and(Err(io::Error::other("injected"))).when("write", &self.path)?;
        }
        write_all_at(&self.file, bytes, at).when("write", &self.path)
    }

    /// Writes zeros from one offset to another, to reserve space that a full disk cannot refuse later. (Setting the
    /// length instead would leave holes, which need space when they are filled.)
    pub fn fill(&self, from: u64, to: u64) -> Result<(), Error> {
        let zeros = [0; 64 * 1024];
        let mut at = from;
        while at < to {
            let some = usize::try_from(to - at).unwrap_or(zeros.len()).min(zeros.len());
            self.write(at, &zeros[..some])?;
            at += some as u64;
        }
        Ok(())
    }

    /// The length of the file, in bytes.
    pub fn length(&self) -> Result<u64, Error> {
        Ok(self.file.metadata().when("look at", &self.path)?.len())
    }

    /// Syncs the file: what was written is on disk when this returns.
    pub fn sync(&self) -> Result<(), Error> {
        #[cfg(test)]
        if crate::tests::hooks::sync_fails(self.ordinal) {
            crate::tests::hooks::synced(&self.path, false);
            return Err(io::Error::other("injected")).when("sync", &self.path).map_err(as_sync);
        }
        self.file.sync_data().when("sync", &self.path).map_err(as_sync)?;
        #[cfg(test)]
        crate::tests::hooks::synced(&self.path, true);
        Ok(())
    }
}

/// A full disk may be noticed only at a sync, with the same consequences for the records.
fn as_sync(error: Error) -> Error {
    match error {
        Error::Io(failed) | Error::Full(failed) => Error::Sync(failed),
        other => other,
    }
}

/// Syncs the names in the folder. Windows has no such call and needs none, because its file systems log changes of
/// names.
pub fn sync_names(folder: &Path) -> Result<(), Error> {
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).when("sync", folder)?;
    }
    Ok(())
}

/// Writes all bytes at an offset of a file.
pub fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        match write_at(file, &bytes[done..], at + done as u64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(some) => done += some,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

#[cfg(unix)]
use std::os::unix::fs::FileExt;

#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    file.read_at(into, at)
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<usize> {
    file.write_at(bytes, at)
}

#[cfg(windows)]
use std::os::windows::fs::FileExt;

#[cfg(windows)]
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    file.seek_read(into, at)
}

#[cfg(windows)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<usize> {
    file.seek_write(bytes, at)
}
