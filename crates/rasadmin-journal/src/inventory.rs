//! Lists the segments in a folder: their lengths, their first records, and what is wrong with them.

use crate::error::Error;
use crate::folder::{self, modified};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use uuid::Uuid;

/// A segment in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Its file.
    pub path: PathBuf,
    /// The number of its first record, which may not be written yet.
    pub first: u64,
    /// The length of the file, in bytes. Its space is written in advance.
    pub length: u64,
    /// When it was last written.
    pub written: Option<SystemTime>,
}

/// The segments in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The journal's UUID; None if there is no journal.
    pub journal: Option<Uuid>,
    /// Its segments, oldest first.
    pub segments: Vec<SegmentInfo>,
    /// Files that have a segment's name but cannot be used as one, and why.
    pub unusable: Vec<(PathBuf, String)>,
    /// A newer segment whose format this version does not know, and the format's version.
    pub newer: Option<(PathBuf, u32)>,
}

impl Inventory {
    /// The total length of all segments, in bytes.
    pub fn length(&self) -> u64 {
        self.segments.iter().map(|segment| segment.length).fold(0, u64::saturating_add)
    }
}

/// Lists the segments in a folder, without changing anything. If there is no such folder, the inventory is empty.
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
        SegmentInfo { path, first: header.last.saturating_add(1), length, written }
    });
    Ok(Inventory {
        journal: survey.chain.last().map(|header| header.journal),
        segments: segments.collect(),
        unusable: survey.unusable.into_iter().map(|(_, path, why)| (path, why)).collect(),
        newer: survey.newer,
    })
}
