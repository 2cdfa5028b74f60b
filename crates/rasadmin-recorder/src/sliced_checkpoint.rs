//! A checkpoint that is written while calls go on: each of them writes a slice.

use crate::codec::{self, Bytes};
use rasadmin_engine::State;
use rasadmin_engine::state::Slices;
use rasadmin_journal::checkpoint::Writer;
use rasadmin_journal::{Error, Position};
use std::path::{Path, PathBuf};

/// How much a call writes: bytes. It takes some tenths of a millisecond.
const SLICE: usize = 64 * 1024;

/// After how many bytes a call syncs what was written, so that the last call has little to wait for.
const SYNC: usize = 1024 * 1024;

/// A state that is to be written, as it was after a record.
#[derive(Debug)]
pub struct Snapshot {
    slices: Slices,
    position: Position,
}

impl Snapshot {
    /// Of a state, which goes on.
    pub fn of(state: &State, position: Position) -> Self {
        Self { slices: Slices::of(state), position }
    }
}

/// A checkpoint that is being written.
#[derive(Debug)]
pub struct SlicedCheckpoint {
    snapshot: Snapshot,
    writer: Writer,
    folder: PathBuf,
    unsynced: usize,
}

impl SlicedCheckpoint {
    /// Begins the file.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn begin(folder: &Path, snapshot: Snapshot) -> Result<Self, Error> {
        let writer = Writer::begin(folder, &snapshot.position, codec::CHECKPOINT)?;
        Ok(Self { snapshot, writer, folder: folder.to_owned(), unsynced: 0 })
    }

    /// The number of the last record that it contains.
    pub const fn number(&self) -> u64 {
        self.snapshot.position.number
    }

    /// Writes a slice. None if it was the last: the checkpoint counts from now on.
    ///
    /// # Errors
    ///
    /// If it could not be written: then nothing is left of it.
    pub fn go_on(mut self) -> Result<Option<Self>, Error> {
        let (mut bytes, mut more) = (Bytes::default(), true);
        while more && bytes.0.len() < SLICE {
            more = self.snapshot.slices.next(&mut bytes).map_err(|error| codec::not_encoded(&self.folder, &error))?;
        }
        self.writer.append(&bytes.0)?;
        if !more {
            return self.writer.finish().map(|_| None);
        }
        self.unsynced += bytes.0.len();
        if self.unsynced >= SYNC {
            self.writer.sync()?;
            self.unsynced = 0;
        }
        Ok(Some(self))
    }
}
