//! Positions in the journal, and the items that are read there.

use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// The position of a record. Ledgers keep one as their cursor, and a checkpoint names the one that it was taken at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The journal's UUID.
    pub journal: Uuid,
    /// The segment's UUID. If the segment could not be synced, the record may also be in the next one.
    pub segment: Uuid,
    /// The record's number. The first record is 1; 0 is the position before it.
    pub number: u64,
    /// The checksum of the record's frame, which also covers the checksum of the frame before it.
    pub crc: u32,
}

/// The four parts in order, separated by spaces. The checksum has eight hexadecimal digits.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {:08x}", self.journal, self.segment, self.number, self.crc)
    }
}

/// The text is not a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPosition;

impl fmt::Display for NoPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a position in a journal")
    }
}

impl std::error::Error for NoPosition {}

impl FromStr for Position {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let parts: Vec<_> = text.split(' ').collect();
        let [journal, segment, number, crc] = parts[..] else { return Err(NoPosition) };
        let id = |text: &str| Uuid::parse_str(text).map_err(|_| NoPosition);
        Ok(Self {
            journal: id(journal)?,
            segment: id(segment)?,
            number: number.parse().map_err(|_| NoPosition)?,
            crc: u32::from_str_radix(crc, 16).map_err(|_| NoPosition)?,
        })
    }
}

/// An item that a reader gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A record.
    Record(Record<'a>),
    /// Records that could not be read.
    Gap {
        /// The number of the first missing record.
        first: u64,
        /// The number of the last missing record.
        last: u64,
    },
}

/// A record of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number.
    pub number: u64,
    /// The checksum of its frame.
    pub crc: u32,
    /// The bytes that were appended.
    pub payload: &'a [u8],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_text_is_read_back() {
        let position =
            Position { journal: Uuid::from_u128(1), segment: Uuid::from_u128(2), number: u64::MAX, crc: 0xab };
        assert_eq!(position.to_string().parse(), Ok(position));
        for text in ["", "1 2 3", "x y 1 2", &format!("{position} 1"), &position.to_string().replace("ab", "xy")] {
            assert_eq!(text.parse::<Position>(), Err(NoPosition), "{text}");
        }
    }
}
