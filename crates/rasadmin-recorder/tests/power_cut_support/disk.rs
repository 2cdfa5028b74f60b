//! A disk: what was synced is there for certain, what was written since may be there, or not, or in part.
#![allow(clippy::unwrap_used)]

use crate::trace::{ENDS, Event, What};

/// The smallest thing that a disk writes whole.
const SECTOR: u64 = 512;

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

/// What a cut leaves of the writes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Nothing,
    Everything,
    /// Each write or not.
    Some,
    /// Each sector or not.
    Torn,
    /// One of these for each file.
    Mixed,
}

impl Kept {
    pub const ALL: [Self; 5] = [Self::Nothing, Self::Everything, Self::Some, Self::Torn, Self::Mixed];
}

#[derive(Default)]
struct File {
    /// None: it is not there.
    synced: Option<Vec<u8>>,
    since: Vec<What>,
}

/// The ledger's files.
#[derive(Default)]
pub struct Disk([File; ENDS.len()]);

impl Disk {
    pub fn happens(&mut self, event: &Event) {
        match &event.what {
            What::Acknowledged(..) => {}
            What::Sync => self.0[event.file].sync(usize::MAX),
            What::FolderSync => {
                for file in &mut self.0 {
                    // What a file lost by its removal comes back no more.
                    let gone = file.since.iter().rposition(|what| matches!(what, What::Removed));
                    file.sync(gone.map_or(0, |index| index + 1));
                }
            }
            what => self.0[event.file].since.push(what.clone()),
        }
    }

    /// The files as they are found afterwards.
    pub fn after_a_cut(&self, kept: Kept, random: &mut Random) -> [Option<Vec<u8>>; ENDS.len()] {
        self.0.each_ref().map(|file| {
            let kept = if kept == Kept::Mixed { Kept::ALL[random.below(4)] } else { kept };
            let mut content = file.synced.clone();
            for what in &file.since {
                let all = match kept {
                    Kept::Nothing => false,
                    Kept::Everything => true,
                    Kept::Torn if matches!(what, What::Write { .. }) => {
                        sectors(what).iter().filter(|_| random.coin()).for_each(|part| apply(&mut content, part));
                        false
                    }
                    _ => random.coin(),
                };
                if all {
                    apply(&mut content, what);
                }
            }
            content
        })
    }
}

impl File {
    fn sync(&mut self, end: usize) {
        let end = end.min(self.since.len());
        for what in self.since.drain(..end) {
            apply(&mut self.synced, &what);
        }
    }
}

fn apply(content: &mut Option<Vec<u8>>, what: &What) {
    match what {
        What::Write { offset, bytes } => {
            let content = content.get_or_insert_default();
            let start = *offset as usize;
            if content.len() < start + bytes.len() {
                content.resize(start + bytes.len(), 0);
            }
            content[start..start + bytes.len()].copy_from_slice(bytes);
        }
        What::Length(length) => content.get_or_insert_default().resize(*length as usize, 0),
        What::Removed => *content = None,
        What::Sync | What::FolderSync | What::Acknowledged(..) => {}
    }
}

/// A write, cut at the disk's sectors.
fn sectors(what: &What) -> Vec<What> {
    let What::Write { offset, bytes } = what else { return Vec::new() };
    let (mut parts, mut at, mut rest) = (Vec::new(), *offset, &bytes[..]);
    while !rest.is_empty() {
        let length = rest.len().min((SECTOR - at % SECTOR) as usize);
        parts.push(What::Write { offset: at, bytes: rest[..length].to_vec() });
        (at, rest) = (at + length as u64, &rest[length..]);
    }
    parts
}
