//! Which segments a folder has, for people: how long they are, which records they begin with, and what is wrong.

use crate::error::Error;
use crate::folder::{self, modified};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use uuid::Uuid;

/// A segment in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its file.
    pub path: PathBuf,
    /// The number of its first record, which may not be written yet.
    pub first: u64,
    /// How long the file is, in bytes: its space is written ahead.
    pub length: u64,
    /// When it was written last.
    pub written: Option<SystemTime>,
}

/// What a folder has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The journal; None if there is none.
    pub journal: Option<Uuid>,
    /// Its segments, the oldest first.
    pub segments: Vec<Segment>,
    /// Files that have a segment's name and cannot be used as one, and why.
    pub unusable: Vec<(PathBuf, String)>,
    /// A newer segment whose format this version does not know, and the format's version.
    pub newer: Option<(PathBuf, u32)>,
}

impl Inventory {
    /// How long all segments are together, in bytes.
    pub fn length(&self) -> u64 {
        self.segments.iter().map(|segment| segment.length).fold(0, u64::saturating_add)
    }
}

/// Looks at a folder, and changes nothing. An empty inventory if there is no such folder.
///
/// # Errors
/// If the folder cannot be listed.
pub fn take(folder: &Path) -> Result<Inventory, Error> {
    if std::fs::symlink_metadata(folder).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        return Ok(Inventory::default());
    }
    let survey = folder::survey(folder)?;
    let segments = survey.chain.iter().map(|header| {
        let path = crate::segment::path(folder, header.ordinal);
        let length = std::fs::symlink_metadata(&path).map_or(0, |of| of.len());
        let written = modified(&path);
        Segment { path, first: header.last.saturating_add(1), length, written }
    });
    Ok(Inventory {
        journal: survey.chain.last().map(|header| header.journal),
        segments: segments.collect(),
        unusable: survey.unusable.into_iter().map(|(_, path, why)| (path, why)).collect(),
        newer: survey.newer,
    })
}
