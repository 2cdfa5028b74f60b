//! Memory that ends at an inaccessible page: reading or writing one byte past its end faults.
//!
//! A process that runs one check of a DLL can treat its arguments otherwise: see [`treat`].
#![allow(unsafe_code)] // Getting memory from the system, and protecting it.

use std::ptr;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

const PAGE: usize = 4096;

/// What becomes of an argument's memory when the argument is dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Afterwards {
    /// It is unmapped. Other memory may take its place.
    #[default]
    Unmap,
    /// It stays as it is until the process ends, so that code that kept a pointer to it does no harm.
    Keep,
    /// It becomes inaccessible and stays so, so that code that kept a pointer to it faults.
    Revoke,
}

/// How this process treats arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Treatment {
    /// The number of accessible zeros between an argument's end and the inaccessible page.
    pub slack: usize,
    /// What becomes of its memory.
    pub afterwards: Afterwards,
}

static SLACK: AtomicUsize = AtomicUsize::new(0);
static AFTERWARDS: AtomicU8 = AtomicU8::new(Afterwards::Unmap as u8);

/// From now on, this process treats its arguments so.
pub fn treat(treatment: Treatment) {
    SLACK.store(treatment.slack, Ordering::Relaxed);
    AFTERWARDS.store(treatment.afterwards as u8, Ordering::Relaxed);
}

/// A buffer that ends at an inaccessible page.
///
/// Its start is aligned to 8 bytes if its length is a multiple of 8, to 4 bytes if it is a multiple of 4, and so on,
/// because its end is aligned to a page.
#[derive(Debug)]
pub struct Guarded {
    base: *mut u8,
    mapped: usize,
    start: *mut u8,
    len: usize,
    /// The number of bytes before `start` and after its end that [`margins`](Self::margins) returns.
    margin: usize,
}

// SAFETY: the mapping is owned by this value alone; a raw pointer into it is only handed out for one call at a time.
unsafe impl Send for Guarded {}

impl Guarded {
    /// Maps pages, puts `bytes` at their end, and makes the page that follows inaccessible.
    ///
    /// # Panics
    /// If the system has no memory left.
    pub fn new(bytes: &[u8]) -> Self {
        Self::before_page(bytes, SLACK.load(Ordering::Relaxed), 0)
    }

    /// Puts `bytes` between two margins of `margin` bytes that all have the value `fill`, so that
    /// [`margins`](Self::margins) shows what was written there. Both margins are accessible.
    ///
    /// # Panics
    /// If the system has no memory left.
    pub fn with_margins(bytes: &[u8], margin: usize, fill: u8) -> Self {
        let framed = Self::before_page(bytes, margin, margin);
        let whole = bytes.len() + 2 * margin;
        // SAFETY: `before_page` leaves `margin` accessible bytes before `start`, and as many after its end.
        let around = unsafe { std::slice::from_raw_parts_mut(framed.start.sub(margin), whole) };
        around[..margin].fill(fill);
        around[whole - margin..].fill(fill);
        framed
    }

    /// Maps pages, puts `bytes` so that `slack` zeros are between their end and an inaccessible page, and at least
    /// `margin` bytes before them.
    fn before_page(bytes: &[u8], slack: usize, margin: usize) -> Self {
        let data = (margin + bytes.len() + slack).div_ceil(PAGE).max(1) * PAGE;
        let mapped = data + PAGE;
        let base = map(mapped);
        // SAFETY: `base` is a fresh mapping of `data + PAGE` bytes, and bytes.len() + slack <= data.
        let start = unsafe {
            let start = base.add(data - slack - bytes.len());
            ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len());
            start
        };
        // SAFETY: `base + data` is the last page of the mapping.
        protect(unsafe { base.add(data) }, PAGE);
        Self { base, mapped, start, len: bytes.len(), margin }
    }

    /// A UTF-16 string with its terminator.
    pub fn wide(units: &[u16]) -> Self {
        let bytes: Vec<u8> = units.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()).collect();
        Self::new(&bytes)
    }

    /// The address of its first byte.
    pub fn as_ptr(&self) -> *mut u8 {
        self.start
    }

    /// What the buffer holds now.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `start` and `len` lie in the accessible part of the mapping, which lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }

    /// What is before and after the bytes now. Empty unless made [`with_margins`](Self::with_margins).
    pub fn margins(&self) -> (&[u8], &[u8]) {
        // SAFETY: `before_page` left `margin` accessible bytes on both sides, in the mapping that lives as long as `self`.
        unsafe {
            (
                std::slice::from_raw_parts(self.start.sub(self.margin), self.margin),
                std::slice::from_raw_parts(self.start.add(self.len), self.margin),
            )
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        const KEEP: u8 = Afterwards::Keep as u8;
        const REVOKE: u8 = Afterwards::Revoke as u8;
        match AFTERWARDS.load(Ordering::Relaxed) {
            KEEP => {}
            REVOKE => protect(self.base, self.mapped),
            _ => unmap(self.base, self.mapped),
        }
    }
}

#[cfg(unix)]
fn map(len: usize) -> *mut u8 {
    // SAFETY: an anonymous mapping of our own; the result is checked.
    let base = unsafe {
        libc::mmap(ptr::null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANON, -1, 0)
    };
    assert!(base != libc::MAP_FAILED, "no memory for an argument: {}", std::io::Error::last_os_error());
    base.cast()
}

#[cfg(unix)]
fn protect(page: *mut u8, len: usize) {
    // SAFETY: `page` is a page of a mapping made by `map`.
    let result = unsafe { libc::mprotect(page.cast(), len, libc::PROT_NONE) };
    assert!(result == 0, "cannot guard an argument: {}", std::io::Error::last_os_error());
}

#[cfg(unix)]
fn unmap(base: *mut u8, len: usize) {
    // SAFETY: `base` and `len` are those of a mapping made by `map`, unmapped once, in drop.
    unsafe { libc::munmap(base.cast(), len) };
}

#[cfg(windows)]
fn map(len: usize) -> *mut u8 {
    use windows_sys::Win32::System::Memory::{MEM_COMMIT, MEM_RESERVE, PAGE_READWRITE, VirtualAlloc};
    // SAFETY: memory of our own; the result is checked.
    let base = unsafe { VirtualAlloc(ptr::null(), len, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) };
    assert!(!base.is_null(), "no memory for an argument: {}", std::io::Error::last_os_error());
    base.cast()
}

#[cfg(windows)]
fn protect(page: *mut u8, len: usize) {
    use windows_sys::Win32::System::Memory::{PAGE_NOACCESS, VirtualProtect};
    let mut old = 0;
    // SAFETY: `page` is a page of memory made by `map`.
    let result = unsafe { VirtualProtect(page.cast(), len, PAGE_NOACCESS, &mut old) };
    assert!(result != 0, "cannot guard an argument: {}", std::io::Error::last_os_error());
}

#[cfg(windows)]
fn unmap(base: *mut u8, _len: usize) {
    use windows_sys::Win32::System::Memory::{MEM_RELEASE, VirtualFree};
    // SAFETY: `base` is memory made by `map`, freed once, in drop.
    unsafe { VirtualFree(base.cast(), 0, MEM_RELEASE) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_abuts_the_page() {
        for len in [1, 4, 72, 1672, 4096, 4097, 131_072] {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let guarded = Guarded::new(&bytes);
            assert_eq!(guarded.bytes(), bytes);
            assert_eq!((guarded.as_ptr() as usize + len) % PAGE, 0, "{len} bytes");
        }
    }

    #[test]
    fn margins_show_what_was_written_around_the_bytes() {
        for len in [4, 72, 1672, 4096] {
            let framed = Guarded::with_margins(&vec![7; len], 256, 0xA5);
            assert_eq!(framed.bytes(), vec![7; len]);
            assert_eq!(framed.margins(), (&[0xA5; 256][..], &[0xA5; 256][..]));
            assert_eq!(framed.as_ptr() as usize % 4, 0);
            // SAFETY: both bytes are in the margins.
            unsafe {
                framed.as_ptr().sub(1).write(1);
                framed.as_ptr().add(len).write(2);
            }
            let (before, after) = framed.margins();
            assert_eq!((before[255], after[0]), (1, 2));
        }
        assert_eq!(Guarded::new(&[1]).margins(), (&[][..], &[][..]));
    }
}
