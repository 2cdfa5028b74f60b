//! Reads the lines of a file in UTF-8, UTF-16 or Windows code page 1252.

use super::decoding::Decoding;
use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::io::{self, BufRead, BufReader, Read};

/// The longest line that is read, in bytes of UTF-8. A longer one is skipped and not kept in memory.
pub const LONGEST: usize = 1 << 20;

/// How much of a file is looked at to see how its lines end.
const HEAD: u64 = 1 << 16;

/// Marks the end of a text for DOS. Windows's older tools write it.
const CONTROL_Z: u8 = 0x1a;

/// So many zeros in a row are no part of a text: Windows reserved the space, and what was written there is lost.
const HOLE: u64 = 16;

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A text.
    Text {
        /// Whether it has its line end, or the mark for the end of the text. Without it, it may still be written, or a
        /// hole cuts it off.
        ended: bool,
    },
    /// The line is too long; its text is missing.
    TooLong,
    /// Zeros with text after them: the log was torn here, and its writer went on behind.
    Hole {
        /// Where they begin: the offset in the file, after decompression.
        at: u64,
        /// How many bytes they take.
        size: u64,
    },
}

/// Reads lines one by one.
pub struct Lines {
    input: Box<dyn BufRead>,
    raw: Vec<u8>,
    number: u64,
    /// What ends a line: LF, or CR in a file without LF.
    end: u8,
    utf_16: bool,
    /// How many bytes of the file were read.
    at: u64,
    /// How many zeros were read since the last text.
    zeros: u64,
    /// Whether the next text is of the same line as the last one: a hole is between them.
    continued: bool,
}

impl Lines {
    /// Finds the encoding from the first bytes. Text without a mark is UTF-16 if its second byte is zero, and otherwise
    /// UTF-8; a line that is not valid UTF-8 is in code page 1252.
    pub fn new(mut input: impl Read + 'static) -> io::Result<Self> {
        let mut head = Vec::new();
        input.by_ref().take(HEAD).read_to_end(&mut head)?;
        let end = if head.contains(&b'\r') && !head.contains(&b'\n') { b'\r' } else { b'\n' };
        let utf16 = match *head {
            [0xff, 0xfe, ..] => Some(UTF_16LE),
            [0xfe, 0xff, ..] => Some(UTF_16BE),
            // The first character of a log is in ASCII.
            [low, 0, ..] if low != 0 => Some(UTF_16LE),
            _ => None,
        };
        let mark = match *head {
            [0xef, 0xbb, 0xbf, ..] => head.drain(..3).len(),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => 2,
            _ => 0,
        };
        let bytes = BufReader::with_capacity(1 << 17, io::Cursor::new(head).chain(input));
        let input: Box<dyn BufRead> = match utf16 {
            Some(encoding) => Box::new(Decoding::new(bytes, encoding.new_decoder_with_bom_removal())),
            None => Box::new(bytes),
        };
        let (raw, utf_16, at) = (Vec::new(), utf16.is_some(), mark as u64);
        Ok(Self { input, raw, number: 0, end, utf_16, at, zeros: 0, continued: false })
    }

    /// The number of the line that was read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Reads the next line, without its end, or the next hole; `None` at the end of the file. Zeros at the end of the
    /// file are space that Windows reserved and has not used yet.
    pub fn next(&mut self, line: &mut String) -> io::Result<Option<Line>> {
        line.clear();
        self.raw.clear();
        let (mut any, mut ended, mut too_long) = (false, false, false);
        while !ended {
            let piece = self.input.fill_buf()?;
            if piece.is_empty() {
                break;
            }
            if !any {
                any = true;
                self.number += u64::from(!self.continued);
                self.continued = false;
            }
            let zeros = piece.iter().position(|&byte| byte != 0).unwrap_or(piece.len());
            if zeros > 0 {
                self.zeros += zeros as u64;
                self.at += size_in_file(&piece[..zeros], self.utf_16);
                self.input.consume(zeros);
                continue;
            }
            if self.zeros >= HOLE {
                self.continued = true;
                if !self.raw.is_empty() || too_long {
                    break;
                }
                let size = std::mem::take(&mut self.zeros) << u32::from(self.utf_16);
                return Ok(Some(Line::Hole { at: self.at - size, size }));
            }
            let stop = memchr::memchr2(self.end, 0, piece);
            ended = stop.is_some_and(|at| piece[at] == self.end);
            let used = stop.unwrap_or(piece.len()) + usize::from(ended);
            let text = &piece[..stop.unwrap_or(piece.len())];
            // A mark for the end of an earlier text may come before a line.
            let text = if self.raw.is_empty() { trim_start(text) } else { text };
            let zeros = if self.raw.is_empty() { 0 } else { self.zeros as usize };
            if self.raw.len() + zeros + text.len() <= LONGEST {
                self.raw.resize(self.raw.len() + zeros, 0);
                self.raw.extend_from_slice(text);
            } else {
                too_long = true;
            }
            self.zeros = 0;
            self.at += size_in_file(&piece[..used], self.utf_16);
            self.input.consume(used);
        }
        if !any {
            return Ok(None);
        }
        while self.raw.last() == Some(&CONTROL_Z) {
            self.raw.pop();
            ended = true;
        }
        if too_long {
            return Ok(Some(Line::TooLong));
        }
        let raw = trim_zeros_after(self.raw.strip_suffix(b"\r").unwrap_or(&self.raw));
        match std::str::from_utf8(raw) {
            Ok(text) => line.push_str(text),
            Err(_) => line.push_str(&WINDOWS_1252.decode_without_bom_handling(raw).0),
        }
        Ok(Some(Line::Text { ended }))
    }
}

/// How many bytes of the file a text takes.
fn size_in_file(text: &[u8], utf_16: bool) -> u64 {
    if !utf_16 {
        return text.len() as u64;
    }
    let units = |&byte: &u8| match byte {
        0x80..=0xbf => 0,
        0xf0.. => 4,
        _ => 2,
    };
    text.iter().map(units).sum()
}

/// Without a mark for the end of an earlier text before a line.
fn trim_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&byte| byte != CONTROL_Z).unwrap_or(text.len());
    &text[start..]
}

fn trim_zeros_after(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    &text[..end]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<(u64, String, Line)> {
        let mut lines = Lines::new(io::Cursor::new(bytes.to_vec())).unwrap();
        let (mut line, mut all) = (String::new(), Vec::new());
        while let Some(kind) = lines.next(&mut line).unwrap() {
            all.push((lines.number(), line.clone(), kind));
        }
        all
    }

    fn all(bytes: &[u8]) -> Vec<String> {
        let shown = |(number, line, kind)| match kind {
            Line::Text { .. } => line,
            other => format!("{number}: {other:?}"),
        };
        lines(bytes).into_iter().map(shown).collect()
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
    fn a_surrogate_pair_is_never_split() {
        let text = "😀".repeat(5_000);
        let bytes: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(all(&bytes), [text]);
        assert_eq!(all(&[0xff, 0xfe, 0x41, 0, 0x00, 0xd8, 0x42]), ["A\u{fffd}"]);
    }

    #[test]
    fn zeros_that_windows_reserved_are_ignored() {
        assert_eq!(all(&[b"a\n", &[0; 300_000][..]].concat()), ["a", ""]);
        assert_eq!(all(&[&[0; 10][..], b"a\n"].concat()), ["a"]);
        assert_eq!(all(b"ab\0c\0\0\nd\0\r\n\0"), ["ab\0c", "d", ""]);
    }

    #[test]
    fn zeros_with_text_after_them_are_a_hole() {
        let text = |number, text: &str, ended| (number, text.to_owned(), Line::Text { ended });
        let hole = |number, at, size| (number, String::new(), Line::Hole { at, size });
        // Larger than any buffer, and so small that it is in the same one.
        for size in [16, 4_096, 300_000_u64] {
            let zeros = vec![0; size as usize];
            let between_lines = [b"a\r\n", &zeros[..], b"b\r\n"].concat();
            assert_eq!(lines(&between_lines), [text(1, "a", true), hole(2, 3, size), text(2, "b", true)]);
            let within_a_line = [b"a\nb,", &zeros[..], b"c\n", &zeros[..]].concat();
            let expected = [text(1, "a", true), text(2, "b,", false), hole(2, 4, size), text(2, "c", true)];
            assert_eq!(lines(&within_a_line), [&expected[..], &[text(3, "", false)]].concat());
            let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
            let wide = [&utf_16("\u{feff}\u{e4}€😀\n")[..], &zeros, &zeros, &utf_16("b\n")].concat();
            assert_eq!(lines(&wide), [text(1, "\u{e4}€😀", true), hole(2, 12, 2 * size), text(2, "b", true)]);
        }
    }

    #[test]
    fn a_line_knows_whether_it_has_its_end() {
        let ends = |bytes: &[u8]| -> Vec<_> {
            let ended = |kind| matches!(kind, Line::Text { ended: true });
            lines(bytes).into_iter().map(|(_, line, kind)| (line, ended(kind))).collect()
        };
        let one = |text: &str, ended| (text.to_owned(), ended);
        assert_eq!(ends(b"a\nb"), [one("a", true), one("b", false)]);
        assert_eq!(ends(b"a\r\nb\r\n"), [one("a", true), one("b", true)]);
        // Half a line, and then the space that Windows reserved.
        let reserved = [b"a\nb,c", &[0; 2 << 20][..]].concat();
        assert_eq!(ends(&reserved), [one("a", true), one("b,c", false)]);
        // The mark for the end of a text ends its last line.
        assert_eq!(ends(b"a\nb\x1a"), [one("a", true), one("b", true)]);
        assert_eq!(ends(b"a\n\x1a"), [one("a", true), one("", false)]);
        assert_eq!(ends(b"a\n\x1ab\n"), [one("a", true), one("b", true)]);
    }

    #[test]
    fn a_file_with_carriage_returns_only_has_lines() {
        assert_eq!(all(b"a\rb\r"), ["a", "b"]);
        assert_eq!(all(b"a\rb\r\nc"), ["a\rb", "c"], "a file with line feeds has no other ends");
        assert_eq!(all(b"\xef\xbb\xbfa\rb"), ["a", "b"]);
        let utf_16: Vec<u8> = "\u{feff}a\rb\r".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(all(&utf_16), ["a", "b"]);
    }

    #[test]
    fn a_line_without_end_is_not_kept_in_memory() {
        let long = vec![b'x'; LONGEST + 1];
        assert_eq!(all(&[&long[..], b"\nb\n"].concat()), ["1: TooLong", "b"]);
    }
}
