//! Loads a configuration with its files of lists from disk, a part at a time.

use super::compile::{Compiling, Progress, Source};
use super::list_files::Lines;
use super::paths::folder;
use super::{Config, ConfigErrors};
use crate::Name;
use crate::rules::Fault;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Error, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The largest file that is read, in octets.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The resolution of file systems' clocks. A file that was changed this recently may change again without a trace.
pub(super) const COARSE: Duration = Duration::from_secs(2);

/// A file's state when it was last looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The time of its last change, and its length; `None` if it does not exist.
    stamp: Option<(SystemTime, u64)>,
    /// Was that change very recent?
    fresh: bool,
}

impl Seen {
    fn of(path: &Path) -> Self {
        let metadata = std::fs::metadata(path).ok();
        let stamp = metadata.map(|m| (m.modified().unwrap_or(SystemTime::UNIX_EPOCH), m.len()));
        let age = |time: SystemTime| {
            let now = SystemTime::now();
            now.duration_since(time).or_else(|_| time.duration_since(now)).unwrap_or_default()
        };
        Self { stamp, fresh: stamp.is_some_and(|(changed, _)| age(changed) < COARSE) }
    }

    /// Has the file changed? If it was `later` than [`COARSE`] after it was read, it may have changed without a new
    /// time.
    pub fn has_changed(&self, path: &Path, later: bool) -> bool {
        (self.fresh && later) || Self::of(path).stamp != self.stamp
    }
}

/// The files that were asked for, whether or not they exist, each as it was just before it was read.
pub(super) type Files = BTreeMap<PathBuf, Seen>;

/// The result of a part of the work.
pub(super) enum Loaded {
    /// There is more to do.
    Later(Box<Loading>),
    /// The files that were read (look again when one of them changes), and the configuration.
    Done(Files, Box<Result<Config, ConfigErrors>>),
}

/// A configuration being read and compiled.
#[derive(Debug)]
pub(super) struct Loading {
    path: PathBuf,
    files: Files,
    compiling: Result<Compiling, ConfigErrors>,
    reading: Option<Reading>,
}

/// A file with a list being read.
#[derive(Debug)]
struct Reading {
    name: String,
    lines: Lines,
    path: PathBuf,
    seen: Seen,
    octets: Vec<u8>,
    digest: Sha256,
    /// How often it changed while it was read.
    restarts: u32,
}

impl Loading {
    /// Reads the file itself.
    pub fn new(path: &Path, computer: &Name) -> Self {
        let files = Files::from([(path.to_owned(), Seen::of(path))]);
        let shown = path.display().to_string();
        let text = text(path).map_err(|(what, help)| ConfigErrors::unreadable(&shown, what, help));
        let compiling = text
            .and_then(|text| Compiling::new(&Source { file: &shown, text: &text, folder: &folder(path), computer }));
        Self { path: path.to_owned(), files, compiling, reading: None }
    }

    /// Loads it all at once.
    pub fn whole(self) -> (Files, Result<Config, ConfigErrors>) {
        let mut loading = Box::new(self);
        loop {
            let mut budget = usize::MAX;
            match loading.advance(&mut budget) {
                Loaded::Later(rest) => loading = rest,
                Loaded::Done(files, config) => return (files, *config),
            }
        }
    }

    /// Continues until the budget is used up. The budget counts the octets of such files that are read or compiled.
    pub fn advance(mut self, budget: &mut usize) -> Loaded {
        loop {
            let compiling = match &mut self.compiling {
                Ok(compiling) => compiling,
                Err(errors) => return Loaded::Done(self.files, Box::new(Err(errors.clone()))),
            };
            if let Some(mut reading) = self.reading.take() {
                match reading.advance(budget) {
                    Ok(false) => {
                        self.reading = Some(reading);
                        return Loaded::Later(Box::new(self));
                    }
                    Ok(true) => {
                        self.files.insert(reading.path, reading.seen);
                        let text = decode(reading.octets).map(|text| (reading.digest.finalize().into(), text));
                        compiling
                            .provide(&reading.name, text.map_err(|fault| of_list(&reading.name, reading.lines, fault)));
                    }
                    Err(fault) => {
                        self.files.insert(reading.path, reading.seen);
                        compiling.provide(&reading.name, Err(of_list(&reading.name, reading.lines, fault)));
                    }
                }
            }
            match compiling.advance(budget) {
                Progress::Wants(name, lines) => self.reading = Some(Reading::new(&self.path, name, lines)),
                Progress::Later => return Loaded::Later(Box::new(self)),
                Progress::Done => break,
            }
        }
        let done = self.compiling.and_then(Compiling::finish).map(|mut config| {
            config.bundle.file = self.path;
            config
        });
        Loaded::Done(self.files, Box::new(done))
    }
}

impl Reading {
    fn new(config: &Path, name: String, lines: Lines) -> Self {
        let path = folder(config).join(&name);
        let seen = Seen::of(&path);
        Self { name, lines, path, seen, octets: Vec::new(), digest: Sha256::new(), restarts: 0 }
    }

    /// Reads on. Returns whether the file is complete. It opens the file again each time, because an open file could
    /// not be replaced.
    fn advance(&mut self, budget: &mut usize) -> Result<bool, Fault> {
        const AT_ONCE: usize = 256 * 1024;
        const RESTARTS: u32 = 3;
        loop {
            if *budget == 0 {
                return Ok(false);
            }
            let help = Help { unreadable: UNREADABLE_LIST, too_large: self.lines.too_large() };
            let mut file = open(&self.path, &help)?;
            let cannot = |e| help.cannot(e);
            file.seek(SeekFrom::Start(self.octets.len() as u64)).map_err(cannot)?;
            let before = self.octets.len();
            file.take(AT_ONCE.min(*budget) as u64).read_to_end(&mut self.octets).map_err(cannot)?;
            let read = &self.octets[before..];
            self.digest.update(read);
            *budget = budget.saturating_sub(read.len().max(1));
            let end = read.is_empty();
            if self.octets.len() as u64 > LARGEST {
                return Err(help.too_large());
            }
            if end && !self.seen.has_changed(&self.path, false) {
                return Ok(true);
            }
            if end {
                // Another program is writing to it. Start from the beginning, but not forever.
                self.restarts += 1;
                if self.restarts > RESTARTS {
                    return Err(fault("it changes while it is read", "replace it as a whole"));
                }
                self.seen = Seen::of(&self.path);
                self.octets.clear();
                self.digest = Sha256::new();
            }
        }
    }
}

fn fault(what: &str, help: &str) -> Fault {
    (what.to_owned(), help.to_owned())
}

/// Adds the name of the file to a fault.
fn of_list(name: &str, lines: Lines, (what, help): Fault) -> Fault {
    (format!("the {} `{name}`: {what}", lines.name()), help)
}

/// What to do about a file that cannot be used, depending on which file it is.
struct Help {
    unreadable: &'static str,
    too_large: &'static str,
}

const OF_CONFIG: Help = Help {
    unreadable: "check the path and the rights",
    too_large: "put long lists of users into a members_file of their own",
};

const UNREADABLE_LIST: &str = "check the path, which is relative to the configuration's folder, and the rights";

impl Help {
    fn cannot(&self, e: Error) -> Fault {
        (format!("it cannot be read: {e}"), self.unreadable.to_owned())
    }

    fn too_large(&self) -> Fault {
        fault("it is larger than 16 MiB", self.too_large)
    }
}

/// Opens a file of a configuration. A pipe is refused: it would keep RRAS waiting.
fn open(path: &Path, help: &Help) -> Result<File, Fault> {
    if let Ok(metadata) = std::fs::metadata(path) {
        if metadata.is_dir() {
            return Err(fault("it is a directory", "name the file in it"));
        }
        if !metadata.is_file() {
            return Err(fault("it is not an ordinary file", "name a text file"));
        }
        if metadata.len() > LARGEST {
            return Err(help.too_large());
        }
    }
    File::open(path).map_err(|e| help.cannot(e))
}

/// The text of a file, or what is wrong with it.
pub(super) fn text(path: &Path) -> Result<String, Fault> {
    let mut octets = Vec::new();
    open(path, &OF_CONFIG)?.take(LARGEST + 1).read_to_end(&mut octets).map_err(|e| OF_CONFIG.cannot(e))?;
    if octets.len() as u64 > LARGEST {
        return Err(OF_CONFIG.too_large());
    }
    decode(octets)
}

fn decode(octets: Vec<u8>) -> Result<String, Fault> {
    if octets.starts_with(&[0xff, 0xfe]) || octets.starts_with(&[0xfe, 0xff]) {
        return Err(fault("it is UTF-16", "save it as UTF-8"));
    }
    String::from_utf8(octets).map_err(|e| {
        let line = e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() + 1;
        (format!("line {line} is not UTF-8"), "save it as UTF-8".to_owned())
    })
}
