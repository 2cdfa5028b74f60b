//! Reads Windows DLLs.

mod exports;
mod imports;
mod memory;

use super::{Format, Image, Managed, Unreadable, mentions_sdk, within};
use memory::Memory;
use object::LittleEndian as LE;
use object::pe::*;
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader, PeFile};

/// The flags of a .NET header that matter here.
const COMIMAGE_FLAGS_ILONLY: u32 = 1;
const COMIMAGE_FLAGS_32BITREQUIRED: u32 = 2;
/// It prefers a 32-bit process, and does not demand one.
const COMIMAGE_FLAGS_32BITPREFERRED: u32 = 0x0002_0000;

pub(super) fn read(bytes: &[u8]) -> Result<Image, Unreadable> {
    match headers_end(bytes) {
        Some(Headers::Pe { end }) if end <= bytes.len() as u64 => {}
        Some(Headers::Other) => {
            return Err(Unreadable::NoImage("it is a program for DOS or 16-bit Windows, or damaged".into()));
        }
        _ => return Err(Unreadable::Truncated),
    }
    match object::FileKind::parse(bytes)? {
        object::FileKind::Pe32 => read_as::<ImageNtHeaders32>(bytes),
        object::FileKind::Pe64 => read_as::<ImageNtHeaders64>(bytes),
        _ => Err(Unreadable::NoImage("its headers are damaged".into())),
    }
}

/// The headers behind `MZ`.
enum Headers {
    /// Those of a PE file, and the offset at which they end, according to themselves.
    Pe { end: u64 },
    /// Others.
    Other,
}

/// None if the file is too short to tell.
fn headers_end(bytes: &[u8]) -> Option<Headers> {
    let word = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    // e_lfanew: the offset of the PE header.
    let pe = usize::try_from(u32::from_le_bytes(bytes.get(0x3c..0x40)?.try_into().ok()?)).ok()?;
    if bytes.get(pe..pe.checked_add(4)?)? != b"PE\0\0" {
        return Some(Headers::Other);
    }
    // The signature, the file header (sections at 2, optional header's size at 16), the optional header, the sections.
    let (sections, optional) = (word(pe + 6)?, word(pe + 20)?);
    Some(Headers::Pe { end: pe as u64 + 24 + u64::from(optional) + 40 * u64::from(sections) })
}

fn machine(machine: u16) -> String {
    match machine {
        IMAGE_FILE_MACHINE_AMD64 => "x86-64".into(),
        IMAGE_FILE_MACHINE_I386 => "x86 (32-bit)".into(),
        IMAGE_FILE_MACHINE_ARM64 => "ARM64".into(),
        IMAGE_FILE_MACHINE_ARMNT => "ARM (32-bit)".into(),
        IMAGE_FILE_MACHINE_IA64 => "Itanium".into(),
        other => format!("machine 0x{other:04x}"),
    }
}

fn read_as<Pe: ImageNtHeaders>(bytes: &[u8]) -> Result<Image, Unreadable> {
    let file = PeFile::<Pe>::parse(bytes)?;
    let sections = file.section_table();
    let truncated = sections.iter().any(|section| {
        let (offset, size) = (section.pointer_to_raw_data.get(LE), section.size_of_raw_data.get(LE));
        !within(bytes, offset.into(), size.into())
    });
    if truncated {
        return Err(Unreadable::Truncated);
    }
    let header = file.nt_headers().file_header();
    let optional = file.nt_headers().optional_header();
    let wide = optional.magic() == IMAGE_NT_OPTIONAL_HDR64_MAGIC;
    let memory = Memory::new(bytes, sections, optional.size_of_headers());
    let directory = |index: usize| {
        let entry = file.data_directories().get(index)?;
        Some(entry.address_range()).filter(|(address, _)| *address != 0)
    };
    let mut image = Image {
        bits: if wide { 64 } else { 32 },
        machine: machine(header.machine.get(LE)),
        library: header.characteristics.get(LE) & IMAGE_FILE_DLL != 0,
        short_relocations: if wide { short_relocations(&file)? } else { 0 },
        placed_anywhere: optional.dll_characteristics() & IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE != 0,
        built_with_sdk: mentions_sdk(bytes),
        has_code: memory.has_code(),
        has_entry_point: optional.address_of_entry_point() != 0,
        managed: directory(IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR).map(|(at, _)| managed(&memory, at)),
        demands_signature: optional.dll_characteristics() & IMAGE_DLLCHARACTERISTICS_FORCE_INTEGRITY != 0,
        // The only directory whose address is an offset in the file.
        signed: directory(IMAGE_DIRECTORY_ENTRY_SECURITY)
            .is_some_and(|(offset, size)| size != 0 && within(bytes, offset.into(), size.into())),
        ..Image::new(Format::Pe)
    };
    let mut unreadable = Vec::new();
    if let Some(range) = directory(IMAGE_DIRECTORY_ENTRY_EXPORT) {
        match exports::read(&memory, range) {
            Some((named, unnamed)) => (image.exports, image.unnamed_exports) = (named, unnamed),
            None => unreadable.push("exports"),
        }
    }
    if let Some((at, _)) = directory(IMAGE_DIRECTORY_ENTRY_IMPORT) {
        match imports::read(&memory, at, wide) {
            Some(found) => image.imports.extend(found),
            None => unreadable.push("imports"),
        }
    }
    if let Some((at, _)) = directory(IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT) {
        match imports::read_delayed(&memory, at, wide, optional.image_base()) {
            Some(found) => image.imports.extend(found),
            None => unreadable.push("delay-loaded imports"),
        }
    }
    match unreadable.first() {
        Some(which) => Err(Unreadable::Damaged(format!("its table of {which} cannot be read"))),
        None => Ok(image),
    }
}

/// What the .NET header says. One that is not in the file counts as that of an assembly.
fn managed(memory: &Memory<'_>, header: u32) -> Managed {
    let flags = header.checked_add(16).and_then(|at| memory.word(at)).unwrap_or(COMIMAGE_FLAGS_ILONLY);
    if flags & COMIMAGE_FLAGS_ILONLY == 0 {
        return Managed::Mixed;
    }
    let only_32_bit = flags & COMIMAGE_FLAGS_32BITREQUIRED != 0 && flags & COMIMAGE_FLAGS_32BITPREFERRED == 0;
    Managed::IlOnly { only_32_bit }
}

fn short_relocations<Pe: ImageNtHeaders>(file: &PeFile<'_, Pe>) -> Result<usize, Unreadable> {
    let mut found = 0;
    if let Some(mut blocks) = file.data_directories().relocation_blocks(file.data(), &file.section_table())? {
        while let Some(block) = blocks.next()? {
            found += block.filter(|relocation| relocation.typ == IMAGE_REL_BASED_HIGHLOW).count();
        }
    }
    Ok(found)
}
