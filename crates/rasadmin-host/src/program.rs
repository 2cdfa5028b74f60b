//! Programs (`.exe`) in the place of a DLL. LoadLibraryEx loads them "as if DONT_RESOLVE_DLL_REFERENCES was specified".

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What such a file is, in one sentence.
pub const A_PROGRAM: &str = "it is a program, not a DLL";

/// What Windows does with it.
pub const LOADED_WITHOUT_IMPORTS: &str =
    "Windows loads a program in the place of a DLL without the DLLs that it needs, and does not run its start-up code.";

/// Whether the file is a Windows program, not a DLL. A file that cannot be read is none.
pub fn is_program(path: &Path) -> bool {
    const HEADERS: u64 = 4096;
    let mut head = Vec::new();
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
    let read = is_file && File::open(path).and_then(|file| file.take(HEADERS).read_to_end(&mut head)).is_ok();
    read && is_library(&head) == Some(false)
}

/// What the headers of a Windows image say. None for any other file.
fn is_library(head: &[u8]) -> Option<bool> {
    /// IMAGE_FILE_DLL, in the Characteristics of the file header.
    const DLL: u16 = 0x2000;
    let word = |at: usize| Some(u16::from_le_bytes(*head.get(at..)?.first_chunk()?));
    if word(0)?.to_le_bytes() != *b"MZ" {
        return None;
    }
    let header = usize::try_from(u32::from_le_bytes(*head.get(0x3c..)?.first_chunk()?)).ok()?;
    let signature = head.get(header..)?.first_chunk::<4>()?;
    let characteristics = word(header + 22)?;
    (signature == b"PE\0\0").then_some(characteristics & DLL != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The headers of an image with these Characteristics.
    fn head(characteristics: u16) -> Vec<u8> {
        let mut head = vec![0; 0x40];
        head[..2].copy_from_slice(b"MZ");
        head[0x3c] = 0x40;
        head.extend(b"PE\0\0");
        head.resize(0x40 + 22, 0);
        head.extend(characteristics.to_le_bytes());
        head
    }

    #[test]
    fn a_program_is_told_from_a_dll_and_from_other_files() {
        assert_eq!(is_library(&head(0x2022)), Some(true));
        assert_eq!(is_library(&head(0x0022)), Some(false));
        for end in 0..head(0).len() {
            assert_eq!(is_library(&head(0)[..end]), None, "{end}");
        }
        assert_eq!(is_library(b"\x7fELF, and more"), None);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.exe");
        std::fs::write(&path, head(0x0022)).unwrap();
        assert!(is_program(&path));
        assert!(!is_program(folder.path()));
        assert!(!is_program(&folder.path().join("none")));
    }
}
