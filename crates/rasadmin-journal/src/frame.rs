//! Frames: a record, the end of a segment, or a gap, as bytes.

/// The bytes before the payload.
pub const HEAD: usize = 24;

/// The kind of a frame: its first four bytes, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A record.
    Record = u32::from_le_bytes(*b"RjRc") as isize,
    /// The end of the segment. Its number is that of the segment's last record.
    End = u32::from_le_bytes(*b"RjEn") as isize,
    /// A gap, in place of unreadable bytes. Its number is that of the last missing record.
    Gap = u32::from_le_bytes(*b"RjGp") as isize,
}

/// A complete frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: Kind,
    /// The payload's length, in bytes. For a gap: the bytes of the file that it covers, including its own head.
    pub length: u32,
    pub crc: u32,
    /// The checksum of the record before it.
    pub previous: u32,
    pub number: u64,
    /// Only for a gap: the checksum of the last missing record, as the next frame names it.
    pub resumes: u32,
}

/// What the bytes at an offset are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// More bytes are needed to decide: this many in all.
    Short(usize),
    /// Nothing was ever written here.
    Zero,
    /// Not a complete frame: being written, torn, or damaged.
    Bad,
    /// A complete frame. Whether it belongs here depends on the chain of checksums.
    Whole(Frame),
}

impl Frame {
    /// Its length in the file, in bytes.
    pub fn span(&self) -> u64 {
        match self.kind {
            Kind::Gap => u64::from(self.length),
            _ => span(self.length as usize),
        }
    }
}

/// The length of a frame with such a payload, in bytes.
pub const fn span(payload: usize) -> u64 {
    (HEAD as u64 + payload as u64).next_multiple_of(8)
}

/// The length of the last frame of each segment.
pub const END_SPAN: u64 = span(0);

/// The least length of a gap.
pub const GAP_SPAN: u64 = span(8);

/// Appends a frame to `into`; returns its checksum.
fn encode(into: &mut Vec<u8>, kind: Kind, length: u32, previous: u32, number: u64, payload: &[u8]) -> u32 {
    let start = into.len();
    into.extend((kind as u32).to_le_bytes());
    into.extend(length.to_le_bytes());
    into.extend([0; 4]);
    into.extend(previous.to_le_bytes());
    into.extend(number.to_le_bytes());
    into.extend(payload);
    into.resize(into.len().next_multiple_of(8), 0);
    let crc = checksum(&into[start..]);
    into[start + 8..start + 12].copy_from_slice(&crc.to_le_bytes());
    crc
}

/// Appends a record to `into`, whose length is a multiple of 8; returns its checksum. The payload is shorter than 4
/// GiB.
pub fn record(into: &mut Vec<u8>, previous: u32, number: u64, payload: &[u8]) -> u32 {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    encode(into, Kind::Record, length, previous, number, payload)
}

/// Encodes the end of a segment whose last record has this number and checksum.
pub fn end(previous: u32, number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&mut bytes, Kind::End, 0, previous, number, &[]);
    bytes
}

/// Encodes the head of a gap of `length` bytes after a record with checksum `previous`. The records up to `last` are
/// missing, and the next one names `resumes` as the checksum before it.
pub fn gap(previous: u32, length: u32, last: u64, resumes: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&mut bytes, Kind::Gap, length, previous, last, &u64::from(resumes).to_le_bytes());
    bytes
}

/// The checksum of all bytes of a frame except the checksum itself.
fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..8]), &bytes[12..])
}

/// The four-byte number at `at`; 0 if `bytes` end before it.
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// The eight-byte number at `at`; 0 if `bytes` end before it.
pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}

/// Examines the beginning of `bytes`. `room` is the distance to the end of the segment.
pub fn see(bytes: &[u8], room: u64) -> Seen {
    if room < HEAD as u64 {
        return Seen::Zero;
    }
    if bytes.len() < HEAD {
        return Seen::Short(HEAD);
    }
    if bytes[..HEAD].iter().all(|byte| *byte == 0) {
        return Seen::Zero;
    }
    let kinds = [Kind::Record, Kind::End, Kind::Gap];
    let Some(kind) = kinds.into_iter().find(|kind| *kind as u32 == u32_at(bytes, 0)) else { return Seen::Bad };
    let length = u32_at(bytes, 4);
    let (span, fits) = match kind {
        Kind::Gap => (GAP_SPAN, (GAP_SPAN..=room).contains(&u64::from(length)) && length.is_multiple_of(8)),
        Kind::End => (END_SPAN, length == 0),
        Kind::Record => (span(length as usize), length > 0),
    };
    if !fits || span > room {
        return Seen::Bad;
    }
    let Some(bytes) = usize::try_from(span).ok().and_then(|span| bytes.get(..span)) else {
        return Seen::Short(usize::try_from(span).unwrap_or(usize::MAX));
    };
    let crc = u32_at(bytes, 8);
    if crc != checksum(bytes) {
        return Seen::Bad;
    }
    let resumes = if kind == Kind::Gap { u32_at(bytes, HEAD) } else { 0 };
    Seen::Whole(Frame { kind, length, crc, previous: u32_at(bytes, 12), number: u64_at(bytes, 16), resumes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_as_documented() {
        let mut bytes = Vec::new();
        let crc = record(&mut bytes, 0x0a0b_0c0d, 7, b"{\"a\":1}");
        let mut expected = b"RjRc\x07\0\0\0".to_vec();
        expected.extend(crc.to_le_bytes());
        expected.extend(*b"\x0d\x0c\x0b\x0a\x07\0\0\0\0\0\0\0{\"a\":1}\0");
        assert_eq!(bytes, expected);
        let mut covered = expected.clone();
        covered.drain(8..12);
        assert_eq!(crc, crc32c::crc32c(&covered));
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283, "the polynomial of Castagnoli");
    }

    #[test]
    fn every_changed_bit_and_every_missing_byte_is_noticed() {
        let mut bytes = Vec::new();
        record(&mut bytes, 1, 2, b"some text");
        for bytes in [bytes, end(1, 2), gap(1, 64, 3, 4)] {
            assert!(matches!(see(&bytes, 4096), Seen::Whole(_)));
            for cut in 0..bytes.len() {
                assert!(matches!(see(&bytes[..cut], 4096), Seen::Short(_)), "{cut}");
            }
            for bit in 0..bytes.len() * 8 {
                let mut bytes = bytes.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert!(!matches!(see(&bytes, 4096), Seen::Whole(_)), "{bit}");
            }
        }
    }

    #[test]
    fn what_reaches_over_the_end_of_the_segment_is_bad() {
        let mut bytes = Vec::new();
        record(&mut bytes, 1, 2, b"some text");
        assert_eq!(see(&bytes, bytes.len() as u64 - 8), Seen::Bad);
        assert_eq!(see(&[0; 64], 16), Seen::Zero);
        assert_eq!(see(&[0; 64], 64), Seen::Zero);
    }
}
