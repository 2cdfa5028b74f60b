//! A place in the journal, and what is read there.

use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// A record's place. It is a ledger's cursor, and what a checkpoint contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The journal.
    pub journal: Uuid,
    /// The segment. The record may stand in the next one too, if this one could not be synced.
    pub segment: Uuid,
    /// The record's number. The first record has 1; 0 is the place before it.
    pub number: u64,
    /// The checksum of its frame, which also covers that of the frame before.
    pub crc: u32,
}

/// The four parts in order, with a space between: the checksum as eight hexadecimal digits.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {:08x}", self.journal, self.segment, self.number, self.crc)
    }
}

/// The text is no position.
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

/// What a reader comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A record.
    Record(Record<'a>),
    /// Records that are missing, by the numbers of the first and the last: they could not be read.
    Gap {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
}

/// A record as it stands in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number.
    pub number: u64,
    /// The checksum of its frame.
    pub crc: u32,
    /// What was appended.
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
