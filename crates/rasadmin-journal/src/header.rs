//! The header of a segment.

use crate::frame::{u32_at, u64_at};
use uuid::Uuid;

/// The version of the format that this crate writes, and the only one that it reads.
pub const VERSION: u32 = 1;

/// The offset of the first frame: a header shares no sector with frames.
pub const FIRST: u64 = 512;

/// The header's length in version 1, in bytes.
pub const LENGTH: usize = 96;

const MAGIC: &[u8; 8] = b"rasjrnl\n";

/// The header of a segment in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The journal's UUID.
    pub journal: Uuid,
    /// The segment's UUID.
    pub segment: Uuid,
    /// The UUID of the segment before it; nil if there is none.
    pub predecessor: Uuid,
    /// The segment's ordinal in the journal, as in the file's name.
    pub ordinal: u64,
    /// The segment's size limit, in bytes: a multiple of 8.
    pub size: u64,
    /// The number of the record before the first one in this segment; 0 if there is none.
    pub last: u64,
    /// The checksum of that record.
    pub last_crc: u32,
}

/// What the first bytes of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// Nothing: a segment that is not in use yet.
    Unused,
    /// A header.
    Header(Header),
    /// A header of a version that this crate does not know.
    Newer(u32),
    /// Anything else.
    Bad,
}

impl Header {
    /// Encodes the header.
    pub fn encode(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
        put(0, MAGIC);
        put(8, &VERSION.to_le_bytes());
        put(12, &96_u32.to_le_bytes());
        put(16, self.journal.as_bytes());
        put(32, self.segment.as_bytes());
        put(48, self.predecessor.as_bytes());
        put(64, &self.ordinal.to_le_bytes());
        put(72, &self.size.to_le_bytes());
        put(80, &self.last.to_le_bytes());
        put(88, &self.last_crc.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..LENGTH - 4]);
        bytes[LENGTH - 4..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }
}

/// Decodes a header from the first bytes of a file: [`FIRST`] of them, unless the file is shorter.
///
/// Magic, version and length are at the same offsets in every version, and the checksum is in the last four bytes.
pub fn read(bytes: &[u8]) -> Read {
    if bytes.iter().all(|byte| *byte == 0) {
        return Read::Unused;
    }
    let id = |at: usize| bytes.get(at..at + 16).and_then(|b| Uuid::from_slice(b).ok()).unwrap_or_default();
    let length = u32_at(bytes, 12) as usize;
    let covered = length.checked_sub(4).filter(|covered| *covered >= 16).and_then(|covered| bytes.get(..covered));
    let Some(covered) = covered.filter(|_| bytes.starts_with(MAGIC) && length <= bytes.len()) else { return Read::Bad };
    if crc32c::crc32c(covered) != u32_at(bytes, length - 4) {
        return Read::Bad;
    }
    match u32_at(bytes, 8) {
        VERSION if length == LENGTH => {}
        VERSION | 0 => return Read::Bad,
        newer => return Read::Newer(newer),
    }
    let header = Header {
        journal: id(16),
        segment: id(32),
        predecessor: id(48),
        ordinal: u64_at(bytes, 64),
        size: u64_at(bytes, 72),
        last: u64_at(bytes, 80),
        last_crc: u32_at(bytes, 88),
    };
    // A gap that fills the segment must end at a multiple of 8, as every frame does.
    let sound = (FIRST..=u64::from(u32::MAX)).contains(&header.size) && header.size.is_multiple_of(8);
    if sound { Read::Header(header) } else { Read::Bad }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Header {
        let id = |n: u128| Uuid::from_u128(n);
        Header { journal: id(1), segment: id(2), predecessor: id(3), ordinal: 4, size: 5000, last: 6, last_crc: 7 }
    }

    #[test]
    fn it_is_read_as_written_and_every_changed_bit_is_noticed() {
        let bytes = example().encode();
        assert_eq!(read(&bytes), Read::Header(example()));
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&bytes), Read::Bad, "{bit}");
        }
        for cut in 1..bytes.len() {
            assert_eq!(read(&bytes[..cut]), Read::Bad, "{cut}");
        }
        assert_eq!(read(&[]), Read::Unused);
        assert_eq!(read(&[0; 512]), Read::Unused);
    }

    #[test]
    fn a_size_at_which_no_frame_can_end_is_refused() {
        for size in [0, FIRST - 8, 5001, u64::from(u32::MAX) + 1, u64::MAX] {
            assert_eq!(read(&Header { size, ..example() }.encode()), Read::Bad, "{size}");
        }
    }

    #[test]
    fn a_longer_header_of_a_later_version_is_known_as_one() {
        let mut bytes = vec![0; 200];
        bytes[..LENGTH].copy_from_slice(&example().encode());
        bytes[8..12].copy_from_slice(&2_u32.to_le_bytes());
        bytes[12..16].copy_from_slice(&200_u32.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..196]);
        bytes[196..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(read(&bytes), Read::Newer(2));
    }
}
