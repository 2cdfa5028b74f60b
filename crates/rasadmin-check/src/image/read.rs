//! Reads an image from a file or from its bytes.

use super::{Format, Image, NoImage, Unreadable, elf, pe};
use crate::error::CannotCheck;
use std::fs::{File, FileType};
use std::io::{ErrorKind, Read};
use std::path::Path;

/// The size that no image can have: its addresses are 32-bit.
const TOO_LARGE: u64 = 1 << 32;

/// The first bytes of a file, which tell whether the rest is worth reading.
const MAGIC: u64 = 4;

const BUILD_AGAIN: &str = "Copy or build it again.";

impl Image {
    /// Reads the file at `path`. A file that the loader does not accept gives an image with nothing but [`NoImage`].
    ///
    /// # Errors
    /// If the file cannot be read, or says nothing about an admin DLL.
    pub fn read(path: &Path) -> Result<Self, CannotCheck> {
        let cannot = |what: &str, remedy: &str| CannotCheck::new(path, what, remedy);
        let metadata = std::fs::metadata(path).map_err(|e| match e.kind() {
            ErrorKind::NotFound => cannot("the file does not exist", "check the path"),
            _ => cannot(&e.to_string(), "check the path and its permissions"),
        })?;
        if metadata.is_dir() {
            return Err(cannot("it is a directory", "give the path of the DLL in it"));
        }
        // Opening a pipe may wait, and a device may have no end.
        if !metadata.is_file() {
            let what = format!("it is {}, not a file", kind(metadata.file_type()));
            return Err(cannot(&what, "copy what it contains to a file, and give its path"));
        }
        if metadata.len() >= TOO_LARGE {
            let what = format!("it has {} GiB, and no Windows DLL can have 4 GiB", metadata.len() >> 30);
            return Err(cannot(&what, "check the path"));
        }
        let unreadable = |e: std::io::Error| cannot(&e.to_string(), "check the file's permissions");
        let mut file = File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.by_ref().take(MAGIC).read_to_end(&mut bytes).map_err(unreadable)?;
        if has_magic(&bytes) {
            file.take(TOO_LARGE).read_to_end(&mut bytes).map_err(unreadable)?;
        }
        Self::parse(&bytes).map_err(|(what, remedy)| cannot(&what, &remedy))
    }

    /// Reads the bytes of a library. `Err` has what is wrong, and the remedy.
    pub fn parse(bytes: &[u8]) -> Result<Self, (String, String)> {
        let (result, kind) = match bytes {
            [b'M', b'Z', ..] => (pe::read(bytes), "a Windows DLL"),
            _ if bytes.starts_with(b"\x7fELF") => (elf::read(bytes), "an ELF library"),
            [] => return Ok(no_image("it is empty".into(), BUILD_AGAIN)),
            _ => return Ok(no_image("it is not a library".into(), "Give the path of a Windows DLL.")),
        };
        match result {
            Ok(image) => Ok(image),
            Err(Unreadable::NoImage(what)) => Ok(no_image(what, BUILD_AGAIN)),
            Err(Unreadable::Truncated) => {
                Ok(no_image(format!("it is truncated: {kind} of {} bytes", bytes.len()), BUILD_AGAIN))
            }
            Err(Unreadable::Damaged(why)) => Err((format!("it is damaged: {why}"), "copy or build it again".into())),
            Err(Unreadable::OtherMachine(machine)) => Err((
                format!("it is {kind} for {machine}, and this machine is {}", std::env::consts::ARCH),
                "build it for this machine, or give the Windows DLL".into(),
            )),
        }
    }
}

/// Whether a Windows DLL has a signature (Authenticode), which is not verified. None if it cannot be read.
pub fn is_signed(path: &Path) -> Option<bool> {
    Image::read(path).ok().filter(|image| image.format == Format::Pe).map(|image| image.signed)
}

fn has_magic(bytes: &[u8]) -> bool {
    bytes.starts_with(b"MZ") || bytes.starts_with(b"\x7fELF")
}

fn no_image(what: String, remedy: &'static str) -> Image {
    Image { no_image: Some(NoImage { what, remedy }), ..Image::new(Format::Other) }
}

/// What a path leads to that is neither a file nor a directory.
#[cfg(unix)]
fn kind(found: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if found.is_fifo() {
        "a pipe"
    } else if found.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// What a path leads to that is neither a file nor a directory.
#[cfg(not(unix))]
fn kind(_: FileType) -> &'static str {
    "a device or a pipe"
}
#[cfg(test)]
#[path = "../../tests/common/pe.rs"]
#[allow(dead_code)] // The tests beside this crate use more of it.
mod test_pe;

#[cfg(test)]
mod tests {
    use super::test_pe::Dll;
    use super::*;
    use crate::image::{Forward, Managed, Target};

    /// What the file is instead of an image.
    fn no_image(bytes: &[u8]) -> String {
        let image = Image::parse(bytes).unwrap();
        image.no_image.unwrap_or_else(|| panic!("{} bytes are an image", bytes.len())).what
    }

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
        let targets: Vec<_> = image.exports.iter().map(|export| &export.target).collect();
        assert!(matches!(targets[1], Target::Forward(to) if to.to_string() == "OTHER.Stop"), "{targets:?}");
        assert_eq!([targets[0], targets[2], targets[3]], [&Target::Code; 3]);
        assert_eq!(image.exports[3].name, r"bad\u{1}name");
        assert_eq!(image.unnamed_exports, 2);
        let libraries: Vec<_> = image.imports.iter().map(|i| (i.library.as_str(), i.functions.len())).collect();
        assert_eq!(libraries, [("KERNEL32.dll", 2), ("mprapi.dll", 1)]);
    }

    #[test]
    fn what_the_loader_refuses_and_what_it_demands_is_read() {
        let image = |dll: Dll<'_>| Image::parse(&dll.build()).unwrap();
        let plain = image(Dll { exports: &["a", "b!data", "c!outside", "d=x.dll.#7"], ..Dll::default() });
        assert!(plain.has_code && plain.managed.is_none() && !plain.demands_signature && !plain.signed);
        let targets: Vec<_> = plain.exports.into_iter().map(|export| export.target).collect();
        let forward = Forward { library: "x.dll".into(), function: "#7".into() };
        assert_eq!(forward.file_name(), "x.dll");
        let data = Target::Data(".rdata".into());
        assert_eq!(targets, [Target::Code, data, Target::Outside, Target::Forward(forward)]);

        assert!(!image(Dll { code: false, ..Dll::default() }).has_code);
        let signed = image(Dll { demands_signature: true, signed: true, ..Dll::default() });
        assert!(signed.demands_signature && signed.signed);
        for (flags, managed) in [
            (0, Managed::Mixed),
            (1, Managed::IlOnly { only_32_bit: false }),
            (3, Managed::IlOnly { only_32_bit: true }),
            (0x2_0003, Managed::IlOnly { only_32_bit: false }),
        ] {
            assert_eq!(image(Dll { managed: Some(flags), ..Dll::default() }).managed, Some(managed));
        }
    }

    /// The descriptors need not be in the section of the names.
    #[test]
    fn delay_loaded_imports_in_two_sections_are_read() {
        let image = |machine| {
            let delayed: &[(&str, &[&str])] =
                &[("vendor.dll", &["Help", "Stop"]), ("version.dll", &["VerQueryValueW"])];
            let bytes = Dll { machine, delayed, imports: &[("KERNEL32.dll", &["Sleep"])], ..Dll::default() }.build();
            let image = Image::parse(&bytes).unwrap();
            image.imports.iter().map(|i| (i.library.clone(), i.functions.len(), i.delayed)).collect::<Vec<_>>()
        };
        let expected = [("KERNEL32.dll", 1, false), ("vendor.dll", 2, true), ("version.dll", 1, true)];
        let expected = expected.map(|(library, functions, delayed)| (library.to_owned(), functions, delayed));
        assert_eq!(image(0x8664), expected);
        assert_eq!(image(0x014c), expected);
    }

    /// All names lead to the same long text: read without limits, they would fill the memory.
    #[test]
    fn names_that_share_a_text_a_thousand_times_are_damage() {
        let long = "x".repeat(100_000);
        let mut exports = vec![long.as_str()];
        exports.resize(1000, "y");
        let mut bytes = Dll { exports: &exports, ..Dll::default() }.build();
        assert_eq!(Image::parse(&bytes).unwrap().exports.len(), 1000);
        // The names' addresses are behind the header (40 bytes) and the functions' addresses, in the section at 0x600.
        let names = 0x600 + 16 + 40 + 4 * exports.len();
        let first: [u8; 4] = bytes[names..names + 4].try_into().unwrap();
        for n in 1..exports.len() {
            bytes[names + 4 * n..names + 4 * n + 4].copy_from_slice(&first);
        }
        let (what, _) = Image::parse(&bytes).unwrap_err();
        assert_eq!(what, "it is damaged: its table of exports cannot be read");
    }

    #[test]
    fn a_truncated_dll_is_an_error_at_every_length() {
        let whole = sample();
        for len in 0..whole.len() {
            let what = no_image(&whole[..len]);
            let expected = match len {
                0 => "it is empty",
                1 => "it is not a library",
                _ => "it is truncated",
            };
            assert!(what.starts_with(expected), "{len} bytes: {what}");
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
            no_image(&head[..len]);
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
