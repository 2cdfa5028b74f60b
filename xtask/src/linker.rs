//! The linker of the Windows build: mingw's gcc without libuserenv.a and libbcrypt.a (userenv.c and bcrypt.c say why), then
//! a repair of the relocations that its ld writes.
//!
//! GNU ld before 2.41 writes a 32-bit base relocation (HIGHLOW) for every offset of a variable in thread-local storage.
//! Such an offset is relative to its section and must never change; Windows adds the load delta to it when it loads the
//! image at another address than its preferred base, which it always does, and the first use of a thread-local variable
//! is an access violation. A 64-bit image should have no other 32-bit relocations.

use crate::shell::{create, target};
use crate::{Result, shipped};
use std::ffi::{OsStr, OsString};
#[cfg(unix)]
use std::os::unix::fs::symlink;
#[cfg(windows)]
use std::os::windows::fs::symlink_file as symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The name under which xtask is the linker. rustc does not know this name, so it calls the linker as it calls gcc.
const NAME: &str = "windows-linker";
/// The program that links.
const GCC: &str = "x86_64-w64-mingw32-gcc";

/// Returns whether this program was started as the linker.
pub fn called() -> bool {
    std::env::args_os().next().is_some_and(|program| Path::new(&program).file_stem() == Some(OsStr::new(NAME)))
}

/// The libraries that a program would import, and what takes the place of each. gcc compiles the sources for the link.
const REPLACED: [(&str, &str); 2] = [
    ("-luserenv", concat!(env!("CARGO_MANIFEST_DIR"), "/src/linker/userenv.c")),
    ("-lbcrypt", concat!(env!("CARGO_MANIFEST_DIR"), "/src/linker/bcrypt.c")),
];

/// Puts the replacements into the linker's arguments, each once: a library may be named more than once.
fn replace(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut all: Vec<OsString> = Vec::new();
    for argument in arguments {
        match REPLACED.iter().find(|(library, _)| argument == *library) {
            None => all.push(argument),
            Some((_, source)) if all.iter().any(|other| other == source) => {}
            Some((_, source)) => all.push(source.into()),
        }
    }
    all
}

/// The arguments to link with, made from rustc's, and the image they name.
fn prepare(arguments: impl Iterator<Item = OsString>) -> (Vec<OsString>, Option<PathBuf>) {
    let mut arguments = replace(arguments);
    let output = arguments.iter().position(|argument| argument == "-o");
    let image = output.and_then(|at| arguments.get(at + 1)).map(PathBuf::from);
    if !image.as_deref().is_some_and(keeps_symbols) {
        // Two hundred test programs are twice as large with their symbols. Not `-s`: gcc puts it first, and the last such
        // option counts, which is rustc's `--strip-debug` if the profile has no debug information.
        arguments.push("-Wl,--strip-all".into());
    }
    (arguments, image)
}

/// Links, then repairs the image.
pub fn link() -> ExitCode {
    let (arguments, image) = prepare(std::env::args_os().skip(1));
    match Command::new(GCC).args(&arguments).status() {
        Ok(status) if status.success() => {}
        Ok(_) => return ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cannot run {GCC}: {error}");
            return ExitCode::FAILURE;
        }
    }
    match image.map_or(Err("the arguments name no output".to_owned()), |path| repair_file(&path)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether this is `rasadmin.dll` or `rasadmin-HASH.exe`. They are shipped, with their symbols in a debug file.
fn keeps_symbols(image: &Path) -> bool {
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    shipped::FILES.iter().filter_map(|file| file.rsplit_once('.')).any(|(stem, extension)| {
        let rest = name.strip_prefix(stem).and_then(|rest| rest.strip_suffix(extension)?.strip_suffix('.'));
        rest.is_some_and(|hash| hash.is_empty() || hash.starts_with('-'))
    })
}

/// Makes the link under which cargo calls this program as the linker, and returns its path.
pub fn install() -> Result<PathBuf> {
    let folder = target().join("win-build");
    create(&folder)?;
    let us = std::env::current_exe().map_err(|e| format!("cannot find the path of xtask: {e}"))?;
    let path = folder.join(NAME);
    if std::fs::read_link(&path).is_ok_and(|to| to == us) {
        return Ok(path);
    }
    let _ = std::fs::remove_file(&path);
    symlink(us, &path).map_err(|e| format!("cannot make {}: {e}", path.display()))?;
    Ok(path)
}

fn repair_file(path: &Path) -> Result {
    let at = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let mut bytes = std::fs::read(path).map_err(|e| at(&e))?;
    if repair(&mut bytes).map_err(|e| at(&e))? == 0 {
        return Ok(());
    }
    std::fs::write(path, bytes).map_err(|e| at(&e))
}

/// A section of the image: its address in memory, its offset in the file, its size.
#[derive(Clone, Copy)]
struct Section {
    address: usize,
    offset: usize,
    size: usize,
}

/// Removes every 32-bit relocation from the image, and returns how many there were. Fails if one of them is not for an
/// offset into thread-local storage.
fn repair(bytes: &mut [u8]) -> Result<usize> {
    const HIGHLOW: u16 = 3;
    let header = word(bytes, 0x3c)?;
    let sections = usize::from(half(bytes, header + 6)?);
    let optional = header + 24;
    let table = optional + usize::from(half(bytes, header + 20)?);
    let (mut relocations, mut tls) = (None, None);
    let mut all = Vec::new();
    for at in (0..sections).map(|index| table + 40 * index) {
        let section =
            Section { address: word(bytes, at + 12)?, offset: word(bytes, at + 20)?, size: word(bytes, at + 16)? };
        match bytes.get(at..at + 8) {
            Some(b".reloc\0\0") => relocations = Some(section),
            Some(b".tls\0\0\0\0") => tls = Some(section),
            _ => {}
        }
        all.push(section);
    }
    let Some(relocations) = relocations else { return Ok(0) };
    let (mut at, end) = (relocations.offset, relocations.offset + relocations.size);
    let mut repaired = 0;
    while at + 8 <= end {
        let (page, size) = (word(bytes, at)?, word(bytes, at + 4)?);
        if size < 8 {
            // The rest is padding.
            break;
        }
        for entry in (at + 8..at + size).step_by(2) {
            let value = half(bytes, entry)?;
            if value >> 12 != HIGHLOW {
                continue;
            }
            let address = page + usize::from(value & 0xfff);
            let place = all
                .iter()
                .find(|section| (section.address..section.address + section.size).contains(&address))
                .map(|section| section.offset + address - section.address)
                .ok_or_else(|| format!("the relocation at 0x{address:x} is outside all sections"))?;
            let offset = word(bytes, place)?;
            if tls.is_none_or(|tls| offset > tls.size) {
                return Err(format!(
                    "the 32-bit relocation at 0x{address:x} is not for the offset of a thread-local variable"
                ));
            }
            // Type 0, ABSOLUTE: the loader skips it.
            put(bytes, entry, &(value & 0xfff).to_le_bytes())?;
            repaired += 1;
        }
        at += size;
    }
    if repaired > 0 {
        let place = optional + 64;
        put(bytes, place, &[0; 4])?;
        let sum = checksum(bytes);
        put(bytes, place, &sum.to_le_bytes())?;
    }
    Ok(repaired)
}

/// The image's checksum. The field for it must be zero: the 16-bit words are summed with their carries, and the file's
/// length is added.
fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = 0u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) | u32::from(pair.get(1).copied().unwrap_or(0)) << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum + u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn half(bytes: &[u8], at: usize) -> Result<u16> {
    bytes.get(at..at + 2).and_then(|field| field.try_into().ok()).map(u16::from_le_bytes).ok_or_else(|| truncated(at))
}

fn word(bytes: &[u8], at: usize) -> Result<usize> {
    let field = bytes.get(at..at + 4).and_then(|field| field.try_into().ok()).map(u32::from_le_bytes);
    field.map(|value| value as usize).ok_or_else(|| truncated(at))
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) -> Result {
    bytes.get_mut(at..at + value.len()).ok_or_else(|| truncated(at))?.copy_from_slice(value);
    Ok(())
}

fn truncated(at: usize) -> String {
    format!("the image ends before byte 0x{at:x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_a_program_must_not_import_is_replaced_once() {
        let replaced =
            replace(["a.o", "-lbcrypt", "-lkernel32", "-luserenv", "-lbcrypt"].map(OsString::from).into_iter());
        let names: Vec<_> =
            replaced.iter().map(|name| Path::new(name).file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.o", "bcrypt.c", "-lkernel32", "userenv.c"]);
        assert!(Path::new(&replaced[1]).is_file() && Path::new(&replaced[3]).is_file());
    }

    /// An image with one page of code at 0x1000, whose first word is `offset`, and a .tls section of 64 bytes.
    fn image(offset: u32) -> Vec<u8> {
        let mut bytes = vec![0; 0x800];
        bytes[0x3c] = 0x80;
        bytes[0x86] = 3;
        bytes[0x94] = 240;
        let table = 0x80 + 24 + 240;
        let sections: [(&[u8], u32, u32); 3] =
            [(b".text", 0x1000, 0x400), (b".tls", 0x2000, 0x600), (b".reloc", 0x3000, 0x700)];
        for (index, (name, address, place)) in sections.into_iter().enumerate() {
            let at = table + 40 * index;
            bytes[at..at + name.len()].copy_from_slice(name);
            for (field, value) in [(12, address), (16, 64), (20, place)] {
                bytes[at + field..at + field + 4].copy_from_slice(&value.to_le_bytes());
            }
        }
        bytes[0x400..0x404].copy_from_slice(&offset.to_le_bytes());
        // One block for the page 0x1000: a 32-bit relocation of the first word, and a 64-bit one of the second.
        let block: [&[u8]; 4] =
            [&0x1000u32.to_le_bytes(), &12u32.to_le_bytes(), &0x3000u16.to_le_bytes(), &0xa008u16.to_le_bytes()];
        bytes[0x700..0x70c].copy_from_slice(&block.concat());
        bytes
    }

    #[test]
    fn the_offset_of_a_thread_local_variable_is_no_longer_relocated() {
        let mut bytes = image(0x20);
        assert_eq!(repair(&mut bytes), Ok(1));
        assert_eq!(bytes[0x708..0x70a], [0, 0], "skipped");
        assert_eq!(bytes[0x70a..0x70c], [0x08, 0xa0], "the 64-bit one stays");
        let checked = bytes[0x80 + 24 + 64..][..4].to_vec();
        bytes[0x80 + 24 + 64..][..4].fill(0);
        assert_eq!(checked, checksum(&bytes).to_le_bytes());
        assert_eq!(repair(&mut bytes), Ok(0));
    }

    #[test]
    fn only_what_is_shipped_keeps_its_symbols() {
        let keeps = |name: &str| keeps_symbols(&Path::new("deps").join(name));
        assert!(keeps("rasadmin.dll") && keeps("rasadmin-0123456789abcdef.exe") && keeps("rasadmin.exe"));
        assert!(!keeps("rasadmin_check-0123456789abcdef.exe") && !keeps("recorder.dll") && !keeps("rasadmin.dll.a"));
    }

    #[test]
    fn what_is_not_shipped_has_no_symbols_whatever_rustc_asks() {
        let folder = tempfile::tempdir().unwrap();
        let symbols = |name: &str| {
            let image = folder.path().join(name);
            let rustc =
                [REPLACED[0].1, "-shared", "-Wl,--strip-debug", "-o", image.to_str().unwrap()].map(OsString::from);
            let (arguments, output) = prepare(rustc.into_iter());
            assert_eq!(output.as_ref(), Some(&image));
            assert!(Command::new(GCC).args(arguments).status().unwrap().success());
            let bytes = std::fs::read(image).unwrap();
            word(&bytes, word(&bytes, 0x3c).unwrap() + 12).unwrap()
        };
        assert_eq!(symbols("recorder.dll"), 0);
        assert_ne!(symbols("rasadmin.dll"), 0);
    }

    #[test]
    fn any_other_32_bit_relocation_is_refused() {
        let error = repair(&mut image(0x1_0000)).unwrap_err();
        assert!(error.contains("0x1000"), "{error}");
    }
}
