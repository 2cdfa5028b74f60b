//! Reads the lines of a file in UTF-8, UTF-16 or Windows code page 1252.

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::io::{self, BufRead, BufReader, Read};

/// The longest line that is read, in bytes of UTF-8. A longer one is skipped and not kept in memory.
pub const LONGEST: usize = 1 << 20;

/// How much of a file is looked at to see how its lines end.
const HEAD: u64 = 1 << 16;

/// Marks the end of a text for DOS. Windows's older tools write it.
const CONTROL_Z: u8 = 0x1a;

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
    /// What ends a line: LF, or CR in a file without LF.
    end: u8,
    ended: bool,
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
        if head.starts_with(b"\xef\xbb\xbf") {
            head.drain(..3);
        }
        let bytes = BufReader::with_capacity(1 << 17, io::Cursor::new(head).chain(input));
        let input: Box<dyn BufRead> = match utf16 {
            Some(encoding) => Box::new(Decoding::new(bytes, encoding.new_decoder_with_bom_removal())),
            None => Box::new(bytes),
        };
        Ok(Self { input, raw: Vec::new(), number: 0, end, ended: true })
    }

    /// Did the line that was read last have its line end, or the mark for the end of the text? Without it, it may still
    /// be written.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Is there no text after the line that was read last?
    pub fn is_at_end(&mut self) -> io::Result<bool> {
        let blank = |byte: &u8| matches!(*byte, 0 | CONTROL_Z | b'\r' | b'\n' | b' ' | b'\t');
        Ok(self.input.fill_buf()?.iter().all(blank))
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
        // Zeros that may be followed by more text.
        let mut zeros = 0;
        while !ended {
            let piece = self.input.fill_buf()?;
            if piece.is_empty() {
                break;
            }
            any = true;
            let end = piece.iter().position(|&byte| byte == self.end);
            let (text, used) = end.map_or((piece, piece.len()), |at| (&piece[..at], at + 1));
            // Windows reserves space for a file in advance. The unused part is zeros.
            let text = if self.raw.is_empty() { trim_start(text) } else { text };
            let kept = trim_zeros_after(text);
            if !kept.is_empty() {
                if self.raw.len() + zeros + kept.len() <= LONGEST {
                    self.raw.resize(self.raw.len() + zeros, 0);
                    self.raw.extend_from_slice(kept);
                } else {
                    too_long = true;
                }
                zeros = 0;
            }
            zeros += text.len() - kept.len();
            ended = end.is_some();
            self.input.consume(used);
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        while self.raw.last() == Some(&CONTROL_Z) {
            self.raw.pop();
            ended = true;
        }
        self.ended = ended;
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

/// Without reserved space, and without a mark for the end of an earlier text, before a line.
fn trim_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&byte| byte != 0 && byte != CONTROL_Z).unwrap_or(text.len());
    &text[start..]
}

fn trim_zeros_after(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    &text[..end]
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
    fn a_line_knows_whether_it_has_its_end() {
        let ends = |bytes: &[u8]| {
            let mut lines = Lines::new(io::Cursor::new(bytes.to_vec())).unwrap();
            let (mut line, mut all) = (String::new(), Vec::new());
            while lines.next(&mut line).unwrap().is_some() {
                all.push((line.clone(), lines.ended(), lines.is_at_end().unwrap()));
            }
            all
        };
        let one = |text: &str, ended, last| (text.to_owned(), ended, last);
        assert_eq!(ends(b"a\nb"), [one("a", true, false), one("b", false, true)]);
        assert_eq!(ends(b"a\r\nb\r\n"), [one("a", true, false), one("b", true, true)]);
        // Half a line, and then the space that Windows reserved.
        let reserved = [b"a\nb,c", &[0; 2 << 20][..]].concat();
        assert_eq!(ends(&reserved), [one("a", true, false), one("b,c", false, true)]);
        // The mark for the end of a text ends its last line.
        assert_eq!(ends(b"a\nb\x1a"), [one("a", true, false), one("b", true, true)]);
        assert_eq!(ends(b"a\n\x1a"), [one("a", true, true), one("", false, true)]);
        assert_eq!(ends(b"a\n\x1ab\n"), [one("a", true, false), one("b", true, true)]);
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
        assert_eq!(all(&[&long[..], b"\nb\n"].concat()), ["(too long)", "b"]);
    }
}
