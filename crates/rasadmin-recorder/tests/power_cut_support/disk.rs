//! A model of a disk: what was synced is certainly there; later writes may be there, partly there or missing. The same
//! applies to names: of those created, renamed and removed since the last sync of the folder, only the first changes
//! may have happened.
#![allow(clippy::unwrap_used)]

use crate::trace::Event;
use std::collections::BTreeMap;

/// The size of a sector: the smallest unit that a disk writes whole.
const SECTOR: usize = 512;

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.any() % end as u64) as usize
    }

    fn coin(&mut self) -> bool {
        self.any().is_multiple_of(2)
    }
}

/// What a cut leaves of unsynced writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Nothing,
    Everything,
    /// Each write is there or not.
    Some,
    /// Each sector is there or not.
    Torn,
    /// One of these ways for each file.
    Mixed,
}

impl Kept {
    pub const ALL: [Self; 5] = [Self::Nothing, Self::Everything, Self::Some, Self::Torn, Self::Mixed];
}

/// The file of each name.
type Names = BTreeMap<String, usize>;

#[derive(Default)]
struct File {
    sure: Vec<u8>,
    since: Vec<Change>,
    /// The offset of the next write that names none.
    at: u64,
}

#[derive(Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

enum Naming {
    Made(String, usize),
    Renamed(String, String),
    Removed(String),
}

/// A folder.
#[derive(Default)]
pub struct Disk {
    files: Vec<File>,
    now: Names,
    sure: Names,
    since: Vec<Naming>,
}

impl Disk {
    pub fn happens(&mut self, event: &Event) {
        match event {
            Event::Made(name) | Event::Opened(name) if self.now.contains_key(name) => self.file(name).at = 0,
            Event::Opened(name) => panic!("{name} was there before anything was seen of it"),
            Event::Made(name) => {
                self.files.push(File::default());
                self.named(Naming::Made(name.clone(), self.files.len() - 1));
            }
            Event::Renamed { from, to } => self.named(Naming::Renamed(from.clone(), to.clone())),
            Event::Removed(name) => self.named(Naming::Removed(name.clone())),
            Event::NamesSync => {
                self.sure = self.now.clone();
                self.since.clear();
            }
            Event::Write { file, offset, bytes } => {
                let file = self.file(file);
                let offset = offset.unwrap_or_else(|| {
                    let at = file.at;
                    file.at += bytes.len() as u64;
                    at
                });
                file.since.push(Change::Write(offset, bytes.clone()));
            }
            Event::Length { file, length } => self.file(file).since.push(Change::Length(*length)),
            Event::Sync(file) => {
                let file = self.file(file);
                for change in std::mem::take(&mut file.since) {
                    apply(&mut file.sure, &change);
                }
            }
            Event::Promised(..) => {}
        }
    }

    fn file(&mut self, name: &str) -> &mut File {
        &mut self.files[self.now[name]]
    }

    fn named(&mut self, naming: Naming) {
        name(&mut self.now, &naming);
        self.since.push(naming);
    }

    /// The files as they are after the cut.
    pub fn after_a_cut(&self, kept: Kept, random: &mut Random) -> BTreeMap<String, Vec<u8>> {
        let done = match kept {
            Kept::Nothing => 0,
            Kept::Everything => self.since.len(),
            _ => random.below(self.since.len() + 1),
        };
        let mut names = self.sure.clone();
        self.since[..done].iter().for_each(|naming| name(&mut names, naming));
        names.into_iter().map(|(name, file)| (name, self.files[file].after_a_cut(kept, random))).collect()
    }
}

impl File {
    fn after_a_cut(&self, kept: Kept, random: &mut Random) -> Vec<u8> {
        let kept = if kept == Kept::Mixed { Kept::ALL[random.below(4)] } else { kept };
        let mut content = self.sure.clone();
        for change in &self.since {
            match (kept, change) {
                (Kept::Nothing, _) => {}
                (Kept::Everything, _) => apply(&mut content, change),
                (Kept::Torn, Change::Write(at, bytes)) => {
                    for part in sectors(*at, bytes) {
                        if random.coin() {
                            apply(&mut content, &part);
                        }
                    }
                }
                _ => {
                    if random.coin() {
                        apply(&mut content, change);
                    }
                }
            }
        }
        content
    }
}

fn name(names: &mut Names, naming: &Naming) {
    match naming {
        Naming::Made(name, file) => drop(names.insert(name.clone(), *file)),
        Naming::Renamed(from, to) => {
            if let Some(file) = names.remove(from) {
                names.insert(to.clone(), file);
            }
        }
        Naming::Removed(name) => drop(names.remove(name)),
    }
}

fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(at, bytes) => {
            let start = *at as usize;
            if content.len() < start + bytes.len() {
                content.resize(start + bytes.len(), 0);
            }
            content[start..start + bytes.len()].copy_from_slice(bytes);
        }
        Change::Length(length) => content.resize(*length as usize, 0),
    }
}

/// A write, split at the disk's sectors.
fn sectors(at: u64, bytes: &[u8]) -> Vec<Change> {
    let (mut parts, mut at, mut rest) = (Vec::new(), at, bytes);
    while !rest.is_empty() {
        let length = rest.len().min(SECTOR - at as usize % SECTOR);
        parts.push(Change::Write(at, rest[..length].to_vec()));
        (at, rest) = (at + length as u64, &rest[length..]);
    }
    parts
}
