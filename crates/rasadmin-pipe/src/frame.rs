//! Messages as bytes. A request and its answer have the same form:
//!
//! | bytes | are |
//! |---|---|
//! | 8 | the greeting `rasadmin` |
//! | 4 | the version of the protocol, as every version has it here: 1; the least significant byte first |
//! | 4 | the length of what follows, in the same form |
//! | the rest | JSON |

use std::fmt;
use std::io::{self, Read};

/// The longest request, in bytes.
pub const LONGEST_REQUEST: usize = 64 << 10;

/// The longest answer, in bytes.
pub const LONGEST_ANSWER: usize = 1 << 20;

/// The version of the protocol.
pub const VERSION: u32 = 1;

const GREETING: [u8; 8] = *b"rasadmin";

const HEADER: usize = 16;

/// Why no message could be read.
#[derive(Debug)]
pub enum Unreadable {
    /// It does not begin with the greeting.
    Foreign,
    /// It has another version.
    Version(u32),
    /// It is longer than allowed.
    TooLong {
        /// Its length.
        length: u32,
        /// The longest allowed.
        longest: usize,
    },
    /// It ends before its end.
    EndsEarly,
    /// The system reports an error. `TimedOut`: not all of it came in time.
    Io(io::Error),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("it does not begin with the greeting of rasadmin"),
            Self::Version(version) => {
                write!(f, "it has version {version} of the protocol, and this program speaks version {VERSION}")
            }
            Self::TooLong { length, longest } => write!(f, "it has {length} bytes, and at most {longest} are allowed"),
            Self::EndsEarly => f.write_str("it ends before its end"),
            Self::Io(error) if error.kind() == io::ErrorKind::TimedOut => f.write_str("it did not come in time"),
            Self::Io(error) => write!(f, "it cannot be read: {error}"),
        }
    }
}

/// Why a request could not be read, with what to do if it is too long: only that of a simulation can be.
pub(crate) fn of_request(why: &Unreadable) -> String {
    match why {
        Unreadable::TooLong { .. } => {
            format!("{why}; try a configuration that is longer with `rasadmin replay --config`")
        }
        _ => why.to_string(),
    }
}

/// A message.
///
/// # Errors
/// If it is longer than that.
pub fn message(json: &[u8], longest: usize) -> Result<Vec<u8>, Unreadable> {
    let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
    if json.len() > longest {
        return Err(Unreadable::TooLong { length, longest });
    }
    Ok([&GREETING[..], &VERSION.to_le_bytes(), &length.to_le_bytes(), json].concat())
}

/// Reads a message and returns its JSON; None if the other side has closed without a byte.
///
/// # Errors
/// If it cannot be read. Not more than its header is read if that is not right.
pub fn read(from: &mut impl Read, longest: usize) -> Result<Option<Vec<u8>>, Unreadable> {
    let mut header = [0; HEADER];
    match fill(from, &mut header)? {
        0 => return Ok(None),
        // Something that is shorter than a header may still be recognised as foreign.
        some if header[..some.min(8)] != GREETING[..some.min(8)] => return Err(Unreadable::Foreign),
        HEADER => {}
        _ => return Err(Unreadable::EndsEarly),
    }
    let number = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (version, length) = (number(8), number(12));
    if version != VERSION {
        return Err(Unreadable::Version(version));
    }
    let bytes = usize::try_from(length).unwrap_or(usize::MAX);
    if bytes > longest {
        return Err(Unreadable::TooLong { length, longest });
    }
    let mut json = vec![0; bytes];
    if fill(from, &mut json)? < bytes { Err(Unreadable::EndsEarly) } else { Ok(Some(json)) }
}

/// Reads until the buffer is full or the other side has closed. Returns how much.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Unreadable> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(some) => filled += some,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Unreadable::Io(error)),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// Gives its bytes one by one, and counts them.
    struct Slow<'b>(&'b [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let some = (&self.0[self.1..]).read(&mut buffer[..1])?;
            self.1 += some;
            Ok(some)
        }
    }

    fn text(bytes: &[u8]) -> String {
        read(&mut &*bytes, 100).map_or_else(|why| why.to_string(), |json| format!("{json:?}"))
    }

    #[test]
    fn what_is_wrong_is_named() {
        let good = message(b"{}", 100).unwrap();
        assert_eq!(good, b"rasadmin\x01\0\0\0\x02\0\0\0{}");
        assert_eq!(text(&[]), "None");
        assert!(text(b"GET / HTTP/1.1\r\n\r\n").contains("greeting"));
        assert!(text(b"GET").contains("greeting"));
        for length in 1..good.len() {
            assert_eq!(text(&good[..length]), "it ends before its end", "{length}");
        }
        assert!(text(b"rasadmin\x02\0\0\0\x02\0\0\0{}").contains("version 2"));
        assert!(message(&[b' '; 101], 100).is_err());
    }

    /// A length alone must not make the server take memory.
    #[test]
    fn nothing_after_a_huge_length_is_read() {
        for length in [101, u32::MAX] {
            let mut bytes = message(b"", 100).unwrap();
            bytes[12..].copy_from_slice(&length.to_le_bytes());
            bytes.extend([0; 200]);
            let mut slow = Slow(&bytes, 0);
            assert!(matches!(read(&mut slow, 100), Err(Unreadable::TooLong { .. })));
            assert_eq!(slow.1, HEADER);
        }
    }

    proptest! {
        #[test]
        fn a_message_comes_back_however_it_is_cut(json in proptest::collection::vec(any::<u8>(), 0..100)) {
            let bytes = message(&json, 100).unwrap();
            prop_assert_eq!(read(&mut Slow(&bytes, 0), 100).unwrap(), Some(json));
        }

        /// Whatever comes: it ends, and what is returned was there.
        #[test]
        fn any_bytes_are_read_or_refused(start in 0..20_usize, bytes: Vec<u8>) {
            let mut all = message(b"{}", 100).unwrap();
            all.truncate(start);
            all.extend(bytes);
            if let Ok(Some(json)) = read(&mut Slow(&all, 0), 100) {
                prop_assert_eq!(&json[..], &all[HEADER..HEADER + json.len()]);
            }
        }
    }
}
