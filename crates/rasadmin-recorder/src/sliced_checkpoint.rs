//! A checkpoint that is written in slices, one per call, while calls continue.

use crate::codec::{self, Bytes};
use rasadmin_engine::State;
use rasadmin_engine::state::Slices;
use rasadmin_journal::checkpoint::Writer;
use rasadmin_journal::{Error, Position};
use std::path::{Path, PathBuf};

/// The bytes that one call writes. That takes a few tenths of a millisecond.
const SLICE: usize = 64 * 1024;

/// After so many bytes a call syncs the file, so that the last call waits only briefly.
const SYNC: usize = 1024 * 1024;

/// The state after a record, to be written.
#[derive(Debug)]
pub struct Snapshot {
    slices: Slices,
    position: Position,
}

impl Snapshot {
    /// Takes a snapshot of a state, which can change afterwards.
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
    /// Creates the file.
    ///
    /// # Errors
    ///
    /// If it cannot be created.
    pub fn begin(folder: &Path, snapshot: Snapshot) -> Result<Self, Error> {
        let writer = Writer::begin(folder, &snapshot.position, codec::CHECKPOINT)?;
        Ok(Self { snapshot, writer, folder: folder.to_owned(), unsynced: 0 })
    }

    /// The number of the last record in the checkpoint.
    pub const fn number(&self) -> u64 {
        self.snapshot.position.number
    }

    /// Writes a slice. Returns None after the last one, when the checkpoint is complete.
    ///
    /// # Errors
    ///
    /// If it cannot be written. Its file is then deleted.
    pub fn write_slice(mut self) -> Result<Option<Self>, Error> {
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
