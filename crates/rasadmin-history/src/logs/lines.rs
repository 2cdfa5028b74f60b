//! The lines of a file, whatever its encoding: UTF-8, UTF-16, or Windows' code page 1252.

use std::io::{self, BufRead, BufReader, Read};

/// A longer line is no record: it is passed over, not kept in memory.
pub const LONGEST: usize = 1 << 20;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// It was read.
    Text,
    /// It is too long; its text is left out.
    TooLong,
}

/// Reads lines one by one.
pub struct Lines {
    input: Box<dyn BufRead>,
    raw: Vec<u8>,
    number: u64,
}

impl Lines {
    /// Looks at the first bytes for the encoding.
    pub fn new(mut input: impl Read + 'static) -> io::Result<Self> {
        let mut head = Vec::new();
        input.by_ref().take(3).read_to_end(&mut head)?;
        let order = match *head {
            [0xff, 0xfe, ..] => Some((u16::from_le_bytes as fn([u8; 2]) -> u16, 2)),
            [0xfe, 0xff, ..] => Some((u16::from_be_bytes as fn([u8; 2]) -> u16, 2)),
            // Without a mark: the first character is one of ours, so one half of it is zero.
            [low, 0, ..] if low != 0 => Some((u16::from_le_bytes as fn([u8; 2]) -> u16, 0)),
            _ => None,
        };
        let mark = match (order, head.as_slice()) {
            (Some((_, mark)), _) => mark,
            (None, [0xef, 0xbb, 0xbf]) => 3,
            _ => 0,
        };
        head.drain(..mark);
        let bytes = io::Cursor::new(head).chain(input);
        let input: Box<dyn BufRead> = match order {
            Some((unit, _)) => Box::new(BufReader::with_capacity(
                1 << 16,
                Utf16 { input: BufReader::with_capacity(1 << 17, bytes), unit, high: None, text: Vec::new(), given: 0 },
            )),
            None => Box::new(BufReader::with_capacity(1 << 17, bytes)),
        };
        Ok(Self { input, raw: Vec::new(), number: 0 })
    }

    /// The number of the line that was read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line without its end; None at the end of the file.
    pub fn next(&mut self, line: &mut String) -> io::Result<Option<Line>> {
        line.clear();
        self.raw.clear();
        let (mut any, mut ended, mut too_long) = (false, false, false);
        while !ended {
            let piece = self.input.fill_buf()?;
            if piece.is_empty() {
                break;
            }
            any = true;
            let end = piece.iter().position(|&byte| byte == b'\n');
            let (text, used) = end.map_or((piece, piece.len()), |at| (&piece[..at], at + 1));
            // Windows writes a file's space ahead: what was not used yet is zeros.
            let text = if self.raw.is_empty() { trim_zeros(text) } else { text };
            if self.raw.len() + text.len() <= LONGEST {
                self.raw.extend_from_slice(text)
            } else {
                too_long = true
            }
            ended = end.is_some();
            self.input.consume(used);
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        if too_long {
            return Ok(Some(Line::TooLong));
        }
        let raw = self.raw.strip_suffix(b"\r").unwrap_or(&self.raw);
        match std::str::from_utf8(raw) {
            Ok(text) => line.push_str(text),
            Err(_) => line.extend(raw.iter().map(|&byte| windows_1252(byte))),
        }
        Ok(Some(Line::Text))
    }
}

fn trim_zeros(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&byte| byte != 0).unwrap_or(text.len());
    &text[start..]
}

/// A byte of Windows' code page 1252, which is Latin-1 but for these.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// UTF-16 as UTF-8. An unpaired surrogate becomes U+FFFD.
struct Utf16<R> {
    input: R,
    unit: fn([u8; 2]) -> u16,
    high: Option<u16>,
    text: Vec<u8>,
    given: usize,
}

impl<R: BufRead> Utf16<R> {
    /// Makes more text; none at the end.
    fn more(&mut self) -> io::Result<()> {
        self.text.clear();
        self.given = 0;
        let mut text = String::new();
        while text.is_empty() {
            let mut bytes = [0; 4096];
            let mut have = 0;
            while have < bytes.len() {
                match self.input.read(&mut bytes[have..])? {
                    0 => break,
                    n => have += n,
                }
            }
            if have == 0 {
                text.extend(self.high.take().map(|_| char::REPLACEMENT_CHARACTER));
                break;
            }
            let (pairs, _) = bytes[..have].as_chunks::<2>();
            let units = self.high.take().into_iter().chain(pairs.iter().map(|&pair| (self.unit)(pair)));
            let mut units: Vec<u16> = units.collect();
            if have == bytes.len() && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
                self.high = units.pop();
            }
            text.extend(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
        }
        self.text = text.into_bytes();
        Ok(())
    }
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.text.len() {
            self.more()?;
        }
        let rest = &self.text[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn all(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::new(io::Cursor::new(bytes.to_vec())).unwrap();
        let (mut line, mut all) = (String::new(), Vec::new());
        while let Some(kind) = lines.next(&mut line).unwrap() {
            all.push(if kind == Line::Text { line.clone() } else { "(too long)".to_owned() });
        }
        assert_eq!(lines.number(), all.len() as u64);
        all
    }

    #[test]
    fn every_encoding_that_windows_writes() {
        let text = "J\u{fc}rgen,€\r\nzwei\n";
        let expected = ["J\u{fc}rgen,€", "zwei"];
        assert_eq!(all(text.as_bytes()), expected);
        assert_eq!(all(&[b"\xef\xbb\xbf", text.as_bytes()].concat()), expected);
        let units: Vec<u16> = text.encode_utf16().collect();
        let le: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let be: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        assert_eq!(all(&[b"\xff\xfe", &le[..]].concat()), expected);
        assert_eq!(all(&[b"\xfe\xff", &be[..]].concat()), expected);
        assert_eq!(all(&le), expected);
        assert_eq!(all(b"J\xfcrgen,\x80\r\nzwei"), expected);
    }

    #[test]
    fn a_pair_of_utf_16_is_never_cut() {
        let text = "😀".repeat(5_000);
        let bytes: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(all(&bytes), [text]);
        assert_eq!(all(&[0xff, 0xfe, 0x41, 0, 0x00, 0xd8, 0x42]), ["A\u{fffd}"]);
    }

    #[test]
    fn zeros_that_windows_wrote_ahead_are_nothing() {
        assert_eq!(all(&[b"a\n", &[0; 300_000][..]].concat()), ["a", ""]);
        assert_eq!(all(&[&[0; 10][..], b"a\n"].concat()), ["a"]);
    }

    #[test]
    fn a_line_without_end_is_not_kept_in_memory() {
        let long = vec![b'x'; LONGEST + 1];
        assert_eq!(all(&[&long[..], b"\nb\n"].concat()), ["(too long)", "b"]);
    }
}
