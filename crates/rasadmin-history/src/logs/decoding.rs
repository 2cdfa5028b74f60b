//! Reads UTF-16 as UTF-8.

use encoding_rs::{CoderResult, Decoder};
use std::io::{self, BufRead, Read};

/// Decodes another encoding to UTF-8 while it is read. What is not valid, such as an unpaired surrogate, becomes U+FFFD.
pub struct Decoding<R> {
    input: R,
    decoder: Decoder,
    text: Box<[u8]>,
    /// The part of `text` that is decoded and not yet used.
    ready: std::ops::Range<usize>,
    finished: bool,
}

impl<R: BufRead> Decoding<R> {
    /// Decodes what `input` has.
    pub fn new(input: R, decoder: Decoder) -> Self {
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
