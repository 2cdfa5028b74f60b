//! Reads an image from a file or from its bytes.

use super::{Image, Unreadable, elf, pe};
use crate::error::CannotCheck;
use std::path::Path;

impl Image {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// If the file is not a library, or cannot be read.
    pub fn read(path: &Path) -> Result<Self, CannotCheck> {
        let cannot = |what: &str, remedy: &str| CannotCheck::new(path, what, remedy);
        let metadata = std::fs::metadata(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => cannot("there is no such file", "check the path"),
            _ => cannot(&e.to_string(), "check the path and its permissions"),
        })?;
        if metadata.is_dir() {
            return Err(cannot("it is a directory", "give the path of the DLL in it"));
        }
        let bytes = std::fs::read(path).map_err(|e| cannot(&e.to_string(), "check the file's permissions"))?;
        Self::parse(&bytes).map_err(|(what, remedy)| cannot(&what, &remedy))
    }

    /// Reads the bytes of a library. `Err` has what is wrong, and the remedy.
    pub fn parse(bytes: &[u8]) -> Result<Self, (String, String)> {
        let remedy = "copy or build it again";
        if bytes.is_empty() {
            return Err(("it is empty".into(), remedy.into()));
        }
        if bytes.starts_with(b"MZ") {
            pe::read(bytes).map_err(|e| explain(e, bytes, "a Windows library"))
        } else if bytes.starts_with(b"\x7fELF") {
            elf::read(bytes).map_err(|e| explain(e, bytes, "an ELF library"))
        } else {
            Err((
                "it is not a library".into(),
                "give the path of a Windows DLL (or of a native library, for tests)".into(),
            ))
        }
    }
}

/// What is wrong, and the remedy.
fn explain(error: Unreadable, bytes: &[u8], kind: &str) -> (String, String) {
    let remedy = "copy or build it again".to_owned();
    match error {
        Unreadable::Truncated => (format!("it is truncated: {kind} of {} bytes", bytes.len()), remedy),
        Unreadable::Damaged(why) => (format!("it is damaged, or not a library: {why}"), remedy),
        Unreadable::OtherMachine(machine) => (
            format!("it is {kind} for {machine}, and this machine is {}", std::env::consts::ARCH),
            "build it for this machine, or give the Windows DLL".into(),
        ),
    }
}

#[cfg(test)]
#[path = "../../tests/common/pe.rs"]
mod test_pe;

#[cfg(test)]
mod tests {
    use super::test_pe::Dll;
    use super::*;
    use crate::image::Format;

    fn sample() -> Vec<u8> {
        Dll {
            exports: &[
                "MprAdminInitializeDll",
                "MprAdminTerminateDll=OTHER.Stop",
                "_MprAdminAcceptNewLink@8",
                "bad\u{1}name",
            ],
            unnamed: 2,
            imports: &[("KERNEL32.dll", &["Sleep", "ExitThread"]), ("mprapi.dll", &["MprAdminConnectionEnum"])],
            ..Dll::default()
        }
        .build()
    }

    #[test]
    fn a_windows_dll_is_read() {
        let image = Image::parse(&sample()).unwrap();
        assert_eq!((image.format, image.bits, image.machine.as_str()), (Format::Pe, 64, "x86-64"));
        assert!(image.library && image.right_machine() && !image.built_with_sdk);
        assert_eq!(image.functions().len(), 2);
        assert_eq!(image.exports[1].forward.as_deref(), Some("OTHER.Stop"));
        assert_eq!(image.exports[3].name, r"bad\u{1}name");
        assert_eq!(image.unnamed_exports, 2);
        let libraries: Vec<_> = image.imports.iter().map(|i| (i.library.as_str(), i.functions.len())).collect();
        assert_eq!(libraries, [("KERNEL32.dll", 2), ("mprapi.dll", 1)]);
    }

    #[test]
    fn a_truncated_dll_is_an_error_at_every_length() {
        let whole = sample();
        for len in 0..whole.len() {
            let (what, _) = Image::parse(&whole[..len]).expect_err(&format!("{len} bytes"));
            assert!(!what.contains('\n'), "{what}");
            if len >= 2 {
                assert!(what.contains("truncated"), "{len} bytes: {what}");
            }
        }
    }

    #[test]
    fn damaged_files_are_errors_or_images_and_never_panics() {
        let whole = sample();
        let own = std::env::current_exe().and_then(std::fs::read).unwrap();
        let mut state = 1u64;
        let mut random = |bound: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % bound
        };
        for _ in 0..20_000 {
            let mut damaged = whole.clone();
            for _ in 0..1 + random(8) {
                let at = random(damaged.len());
                damaged[at] = random(256) as u8;
            }
            let _ = Image::parse(&damaged);
        }
        // This program itself, in the platform's own format, with headers that are damaged or truncated.
        let head = &own[..own.len().min(64 * 1024)];
        for len in (0..head.len()).step_by(61) {
            assert!(Image::parse(&head[..len]).is_err());
        }
        for _ in 0..20 {
            let mut damaged = own.clone();
            let at = random(1024);
            damaged[at] = random(256) as u8;
            let _ = Image::parse(&damaged);
        }
    }

    #[test]
    fn the_platforms_own_program_is_read_and_is_not_a_library() {
        let own = std::env::current_exe().and_then(std::fs::read).unwrap();
        assert!(!Image::parse(&own).unwrap().library);
    }
}
