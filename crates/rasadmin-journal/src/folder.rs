//! The contents of the journal's folder, and which of them can be used.

use crate::error::{Context, Error};
use crate::header::{Header, Read};
use crate::notice::Notice;
use crate::owner;
use crate::segment::{Access, EXTENSION, Segment};
use rasadmin_rights::private::only_ours;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use uuid::Uuid;

/// The prefix of files that were moved aside.
pub const ASIDE: &str = "aside-";

/// The segments in a folder.
#[derive(Debug, Default)]
pub struct Survey {
    /// The segments of the current journal that are in use, oldest first.
    pub chain: Vec<Header>,
    /// A segment of a version that this crate does not know, if no newer one is usable.
    pub newer: Option<(PathBuf, u32)>,
    /// Unusable segments: the ordinal, the path and the reason.
    pub unusable: Vec<(u64, PathBuf, String)>,
    /// The highest ordinal of a segment in use, of any journal or version.
    pub highest: u64,
}

/// The ordinals of everything that is named like a segment, in order.
pub fn ordinals(folder: &Path) -> Result<Vec<u64>, Error> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).when("list", folder)? {
        let name = entry.when("list", folder)?.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(EXTENSION)?.strip_suffix('.'));
        all.extend(stem.and_then(|stem| digits(stem, 10)));
    }
    all.sort_unstable();
    Ok(all)
}

/// The number in a file name, if it has exactly so many digits. `parse` would also allow a sign, which would give two
/// files the same number.
pub fn digits(text: &str, count: usize) -> Option<u64> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// When a file was last written; None if that is not known.
pub fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::symlink_metadata(path).and_then(|of| of.modified()).ok()
}

/// Reads the header of every segment, without changing anything.
pub fn survey(folder: &Path) -> Result<Survey, Error> {
    let mut survey = Survey::default();
    let mut used = Vec::<Header>::new();
    for ordinal in ordinals(folder)? {
        let path = crate::segment::path(folder, ordinal);
        let mut unusable = |why: &str| survey.unusable.push((ordinal, path.clone(), why.to_owned()));
        let read = match Segment::open(folder, ordinal, Access::Read) {
            Ok(Some(segment)) => segment.header(),
            // Deleted since it was listed, or not a file.
            Ok(None) if !path.is_symlink() && !path.exists() => continue,
            Ok(None) => {
                unusable(&why_not_ours(&path));
                continue;
            }
            Err(error) => Err(error),
        };
        match read {
            Ok(Read::Unused) => {}
            Ok(Read::Header(header)) if header.ordinal != ordinal => unusable("it was written under another name"),
            Ok(Read::Header(header)) => used.push(header),
            Ok(Read::Newer(version)) => {
                survey.newer = Some((path, version));
                survey.highest = ordinal;
            }
            Ok(Read::Bad) => unusable("it does not have the header of a segment"),
            Err(error) => unusable(&error.to_string()),
        }
    }
    survey.link(folder, used);
    Ok(survey)
}

impl Survey {
    /// Finds the newest segment that belongs to a journal, and the segments before it.
    fn link(&mut self, folder: &Path, mut used: Vec<Header>) {
        while let [.., before, last] = used[..] {
            let follows = if last.journal != before.journal {
                last.predecessor == Uuid::nil()
            } else {
                // If a segment between them is missing, its records are too.
                last.predecessor == before.segment || last.ordinal > before.ordinal + 1
            };
            if follows {
                break;
            }
            let path = crate::segment::path(folder, last.ordinal);
            self.unusable.push((last.ordinal, path, "it does not continue a segment of this folder".to_owned()));
            used.pop();
        }
        let Some(last) = used.last() else { return };
        if last.ordinal > self.highest {
            self.newer = None;
            self.highest = last.ordinal;
        }
        let journal = last.journal;
        self.chain = used.into_iter().rev().take_while(|header| header.journal == journal).collect();
        self.chain.reverse();
    }
}

/// Renames a file or folder, so that it is no longer in the way.
pub fn move_aside(path: &Path, why: &str) -> Result<Notice, Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mark = random()?.simple().to_string();
    let to = path.with_file_name(format!("{ASIDE}{}-{name}", &mark[..8]));
    std::fs::rename(path, &to).when("move aside", path)?;
    Ok(Notice::MovedAside { from: path.to_owned(), to, why: why.to_owned() })
}

/// Opens or creates the file of this name. Anything there that is not a file, or that belongs to another user, is moved
/// aside.
pub fn open_or_make(path: &Path, notices: &mut Vec<Notice>) -> Result<std::fs::File, Error> {
    let there = std::fs::symlink_metadata(path);
    if there.is_ok_and(|of| !of.is_file() || owner::foreign(path).is_some()) {
        // Another process may have moved it already.
        notices.extend(move_aside(path, &why_not_ours(path)).ok());
    }
    let mut options = std::fs::File::options();
    only_ours(options.read(true).write(true).create(true).truncate(false)).open(path).when("open", path)
}

/// Says why what has the name of one of our files cannot be used.
pub fn why_not_ours(path: &Path) -> String {
    let regular = std::fs::symlink_metadata(path).is_ok_and(|of| of.is_file());
    owner::foreign(path).filter(|_| regular).unwrap_or_else(|| "it is not a regular file".to_owned())
}

/// A random UUID.
pub fn random() -> Result<Uuid, Error> {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(uuid::Builder::from_random_bytes(bytes).into_uuid()),
        Err(error) => {
            Err(Error::new("read random bytes from", Path::new("the system"), std::io::Error::other(error.to_string())))
        }
    }
}
