//! Generates the message table, RT_MESSAGETABLE: the resource in which the Event Viewer looks up a text.

use crate::Id;

/// Generates the resource's bytes, little-endian.
///
/// The resource begins with the number of blocks. For each block, its first and last identifier and the offset of its
/// entries follow. An entry is its length, a flag (1: UTF-16), and the text with a line break. Each message has its own
/// block, in the order of the identifiers.
pub fn table() -> Vec<u8> {
    let mut ids: Vec<Id> = Id::ALL.to_vec();
    ids.sort_by_key(|id| id.event());
    let words = |words: &[usize], to: &mut Vec<u8>| {
        // Each is far below 4 GiB.
        to.extend(words.iter().flat_map(|word| u32::try_from(*word).unwrap_or(u32::MAX).to_le_bytes()));
    };
    let begins = 4 + 12 * ids.len();
    let (mut blocks, mut entries) = (Vec::new(), Vec::new());
    words(&[ids.len()], &mut blocks);
    for id in ids {
        let event = id.event() as usize;
        words(&[event, event, begins + entries.len()], &mut blocks);
        let text = id.row().with_inserts(|at| format!("%{}", at + 1));
        let mut units: Vec<u16> = format!("{text}\r\n\0").encode_utf16().collect();
        // Entries begin at multiples of four.
        units.resize(units.len().next_multiple_of(2), 0);
        let length = u16::try_from(4 + 2 * units.len()).unwrap_or(u16::MAX);
        entries.extend([length.to_le_bytes(), 1_u16.to_le_bytes()].concat());
        entries.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
    }
    blocks.extend(entries);
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read as Windows reads it, by identifier.
    fn look_up(table: &[u8], event: u32) -> Option<String> {
        let word = |at: usize| u32::from_le_bytes([table[at], table[at + 1], table[at + 2], table[at + 3]]);
        let half = |at: usize| u16::from_le_bytes([table[at], table[at + 1]]);
        let blocks = (0..word(0) as usize).map(|block| 4 + 12 * block);
        let block = blocks.into_iter().find(|block| (word(*block)..=word(block + 4)).contains(&event))?;
        let mut at = word(block + 8) as usize;
        for _ in word(block)..event {
            at += usize::from(half(at));
        }
        assert_eq!((half(at + 2), at % 4), (1, 0));
        let units: Vec<u16> = (at + 4..at + usize::from(half(at))).step_by(2).map(half).collect();
        String::from_utf16(units.split(|unit| *unit == 0).next()?).ok()
    }

    #[test]
    fn every_text_is_found_by_its_identifier() {
        let table = table();
        for id in Id::ALL {
            let row = id.row();
            let found = look_up(&table, id.event()).unwrap_or_default();
            let mut text = format!("{}\r\n", row.text);
            for (at, name) in row.inserts.iter().enumerate() {
                text = text.replace(&format!("{{{name}}}"), &format!("%{}", at + 1));
            }
            assert_eq!(found, text);
        }
        assert_eq!(look_up(&table, Id::Started.event() + 50), None);
        // Warning 300: the number in the low half, the severity in the two highest bits.
        assert_eq!(Id::ConnectionRefused.event(), 0x8000_012c);
    }
}
