//! Tests of the internals, on real files.

mod checkpoints;
mod cursors;
mod damage;
mod foreign;
pub mod hooks;
mod hostile;
mod instances;
#[cfg(unix)]
mod power;
mod rights;
mod rolls;
mod syncs;
mod turns;

use crate::{Appended, Error, Follower, Item, Journal, Notice, Options};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A small segment: rolls are frequent.
pub const SMALL: Options = Options { segment: 4096, portion: 512, durable: true };

pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

pub fn open(folder: &Path) -> Journal {
    Journal::open(folder, SMALL, soon()).unwrap()
}

/// A folder in memory if the system has one, because syncs to a disk take most of the time. These tests do not depend
/// on the device: they simulate power cuts, failed writes and failed syncs. TMPDIR can name another folder.
pub fn folder() -> tempfile::TempDir {
    let memory = (cfg!(target_os = "linux") && std::env::var_os("TMPDIR").is_none()).then_some("/dev/shm");
    if let Some(Ok(folder)) = memory.map(tempfile::tempdir_in) {
        return folder;
    }
    tempfile::tempdir().unwrap()
}

/// The payload of record `number`.
pub fn text(number: u64) -> String {
    format!("{{\"number\":{number},\"more\":\"{}\"}}", "x".repeat(usize::try_from(number * 37 % 200).unwrap()))
}

/// The items that a reader got, with gaps as "FIRST-LAST missing".
pub fn note(into: &mut Vec<String>) -> impl FnMut(Item<'_>) {
    |item| {
        into.push(match item {
            Item::Record(record) => {
                let text = String::from_utf8(record.payload.to_vec()).unwrap();
                format!("{} {text}", record.number)
            }
            Item::Gap { first, last } => format!("{first}-{last} missing"),
        });
    }
}

/// Records `from` to `to` as [`note`] writes them.
pub fn numbered(from: u64, to: u64) -> Vec<String> {
    (from..=to).map(|number| format!("{number} {}", text(number))).collect()
}

/// Catches up, and appends the next `count` records.
pub fn append(journal: &Journal, count: u64) -> Result<Appended, Error> {
    let mut guard = journal.lock(soon())?;
    guard.catch_up(|_| ())?;
    let next = guard.position().number + 1;
    let texts: Vec<_> = (next..next + count).map(text).collect();
    guard.append(&texts.iter().map(String::as_bytes).collect::<Vec<_>>())
}

pub fn append_each(journal: &Journal, count: u64) {
    for _ in 0..count {
        append(journal, 1).unwrap();
    }
}

/// The items that a new follower reads.
pub fn followed(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(mut follower) = Follower::open(folder).unwrap() {
        follower.read(note(&mut all)).unwrap();
    }
    all
}

/// The items that a new appender reads, and its notices.
pub fn recovered(folder: &Path) -> (Vec<String>, Vec<Notice>, Journal) {
    let journal = open(folder);
    let mut all = Vec::new();
    journal.lock(soon()).unwrap().catch_up(note(&mut all)).unwrap();
    (all, journal.take_notices(), journal)
}

/// The path of a segment.
pub fn segment(folder: &Path, ordinal: u64) -> PathBuf {
    crate::segment::path(folder, ordinal)
}

/// Changes a file's bytes directly.
pub fn patch(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    // In place, so that open handles see it.
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    std::io::Write::write_all(&mut &file, &bytes).unwrap();
}

/// The offsets of a segment's frames, and of the end of the last one. The segment must have records only.
pub fn places(folder: &Path, ordinal: u64) -> Vec<usize> {
    use crate::header::Read;
    use crate::segment::{Access, Segment};
    use crate::walk::{Step, Walk};
    let segment = Segment::open(folder, ordinal, Access::Read).unwrap().unwrap();
    let Read::Header(header) = segment.header().unwrap() else { panic!("no header") };
    let mut walk = Walk::new(segment.into(), header);
    let mut places = vec![usize::try_from(walk.at).unwrap()];
    while walk.step().unwrap() == Step::Record {
        places.push(usize::try_from(walk.at).unwrap());
    }
    places
}

/// A copy of a folder, as a crash leaves it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}
