//! Opens a log: a file, a pipe or standard input, compressed with gzip or not. Its beginning is read at once, because a
//! pipe can be read only once.

use super::sources::STANDARD_INPUT;
use flate2::read::MultiGzDecoder;
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::rc::Rc;

/// How much of the beginning is kept to look at.
const HEAD: u64 = 1 << 18;

/// An open log.
pub struct Input {
    head: Vec<u8>,
    rest: Box<dyn Read>,
    octets: Rc<Cell<u64>>,
    /// Whether it can be opened again, so that it need not stay open.
    pub regular: bool,
}

/// Counts the bytes that are read.
struct Counting<R>(R, Rc<Cell<u64>>);

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.set(self.1.get() + count as u64);
        Ok(count)
    }
}

impl Input {
    /// Opens a file by its path, or standard input.
    pub fn open(path: &Path) -> io::Result<Self> {
        if path.as_os_str() == STANDARD_INPUT {
            return Self::new(io::stdin().lock(), false);
        }
        let file = File::open(path)?;
        let regular = file.metadata()?.is_file();
        Self::new(file, regular)
    }

    fn new(bytes: impl Read + 'static, regular: bool) -> io::Result<Self> {
        let octets = Rc::new(Cell::new(0));
        let mut bytes = Counting(bytes, Rc::clone(&octets));
        let mut magic = Vec::new();
        bytes.by_ref().take(2).read_to_end(&mut magic)?;
        let gzip = magic == [0x1f, 0x8b];
        let bytes = Cursor::new(magic).chain(bytes);
        let mut rest: Box<dyn Read> = if gzip {
            Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, bytes)))
        } else {
            Box::new(bytes)
        };
        let mut head = Vec::new();
        rest.by_ref().take(HEAD).read_to_end(&mut head)?;
        Ok(Self { head, rest, octets, regular })
    }

    /// Its beginning.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether nothing but zeros comes after its beginning. What is read for this is gone.
    pub fn is_zeros_after_head(&mut self) -> io::Result<bool> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            match self.rest.read(&mut buffer) {
                Ok(0) => return Ok(true),
                Ok(count) if buffer[..count].iter().any(|&byte| byte != 0) => return Ok(false),
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Everything, from the beginning; and the number of bytes that were read from the disk so far.
    pub fn read(self) -> (impl Read + 'static, Rc<Cell<u64>>) {
        (Cursor::new(self.head).chain(self.rest), self.octets)
    }
}
