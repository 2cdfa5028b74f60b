//! Reads the lines of a file in UTF-8, UTF-16 or Windows code page 1252.

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::io::{self, BufRead, BufReader, Read};

/// The longest line that is read, in bytes of UTF-8. A longer one is skipped and not kept in memory.
pub const LONGEST: usize = 1 << 20;

/// How a line was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The line is complete.
    Text,
    /// The line is too long; its text is missing.
    TooLong,
}

/// Reads lines one by one.
pub struct Lines {
    input: Box<dyn BufRead>,
    raw: Vec<u8>,
    number: u64,
}

impl Lines {
    /// Finds the encoding from the first bytes. Text without a mark is UTF-16 if its second byte is zero, and otherwise
    /// UTF-8; a line that is not valid UTF-8 is in code page 1252.
    pub fn new(mut input: impl Read + 'static) -> io::Result<Self> {
        let mut head = Vec::new();
        input.by_ref().take(3).read_to_end(&mut head)?;
        let utf16 = match *head {
            [0xff, 0xfe, ..] => Some(UTF_16LE),
            [0xfe, 0xff, ..] => Some(UTF_16BE),
            // The first character of a log is in ASCII.
            [low, 0, ..] if low != 0 => Some(UTF_16LE),
            _ => None,
        };
        if head == [0xef, 0xbb, 0xbf] {
            head.clear();
        }
        let bytes = BufReader::with_capacity(1 << 17, io::Cursor::new(head).chain(input));
        let input: Box<dyn BufRead> = match utf16 {
            Some(encoding) => Box::new(Decoding::new(bytes, encoding.new_decoder_with_bom_removal())),
            None => Box::new(bytes),
        };
        Ok(Self { input, raw: Vec::new(), number: 0 })
    }

    /// The number of the line that was read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Reads the next line, without its end; `None` at the end of the file.
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
            let end = memchr::memchr(b'\n', piece);
            let (text, used) = end.map_or((piece, piece.len()), |at| (&piece[..at], at + 1));
            // Windows reserves space for a file in advance. The unused part is zeros.
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
            Err(_) => line.push_str(&WINDOWS_1252.decode_without_bom_handling(raw).0),
        }
        Ok(Some(Line::Text))
    }
}

fn trim_zeros(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&byte| byte != 0).unwrap_or(text.len());
    &text[start..]
}

/// Decodes another encoding to UTF-8 while it is read. What is not valid, such as an unpaired surrogate, becomes U+FFFD.
struct Decoding<R> {
    input: R,
    decoder: Decoder,
    text: Box<[u8]>,
    /// The part of `text` that is decoded and not yet used.
    ready: std::ops::Range<usize>,
    finished: bool,
}

impl<R: BufRead> Decoding<R> {
    fn new(input: R, decoder: Decoder) -> Self {
        Self { input, decoder, text: vec![0; 1 << 16].into(), ready: 0..0, finished: false }
    }
}

impl<R: BufRead> BufRead for Decoding<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.ready.is_empty() && !self.finished {
            let bytes = self.input.fill_buf()?;
            let last = bytes.is_empty();
            let (result, read, written, _) = self.decoder.decode_to_utf8(bytes, &mut self.text, last);
            self.input.consume(read);
            self.ready = 0..written;
            self.finished = last && result == CoderResult::InputEmpty;
        }
        Ok(&self.text[self.ready.clone()])
    }

    fn consume(&mut self, amount: usize) {
        self.ready.start = self.ready.end.min(self.ready.start + amount);
    }
}

impl<R: BufRead> Read for Decoding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
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
    }

    #[test]
    fn a_line_without_end_is_not_kept_in_memory() {
        let long = vec![b'x'; LONGEST + 1];
        assert_eq!(all(&[&long[..], b"\nb\n"].concat()), ["(too long)", "b"]);
    }
}
