//! Reads native libraries of Linux.

use super::{Export, Format, Image, Import, Target, Unreadable, mentions_sdk, text, within};
use object::elf::{DT_FLAGS_1, DT_NEEDED, ELFCLASS64, EM_AARCH64, EM_X86_64, ET_DYN, FileHeader64, PT_LOAD};
use object::read::elf::{Dyn, ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSymbol};

/// The bit in DT_FLAGS_1 of a position-independent program, which otherwise looks like a library.
const DF_1_PIE: u64 = 0x0800_0000;

pub(super) fn read(bytes: &[u8]) -> Result<Image, Unreadable> {
    let Some(&class) = bytes.get(4) else {
        return Err(Unreadable::Truncated);
    };
    if class != ELFCLASS64 {
        return Err(Unreadable::OtherMachine("a 32-bit machine".into()));
    }
    let header = FileHeader64::<Endianness>::parse(bytes).map_err(|_| Unreadable::Truncated)?;
    let endian = header.endian()?;
    let machine = match header.e_machine.get(endian) {
        EM_X86_64 => "x86-64".to_owned(),
        EM_AARCH64 => "aarch64".to_owned(),
        other => format!("ELF machine {other}"),
    };
    if machine.replace('-', "_") != std::env::consts::ARCH {
        return Err(Unreadable::OtherMachine(machine));
    }
    let segments = header.program_headers(endian, bytes).map_err(|_| Unreadable::Truncated)?;
    let truncated = segments.iter().any(|segment| {
        segment.p_type(endian) == PT_LOAD && !within(bytes, segment.p_offset(endian), segment.p_filesz(endian))
    });
    // The section headers come last.
    let section_bytes = u64::from(header.e_shentsize.get(endian)) * u64::from(header.e_shnum.get(endian));
    if truncated || !within(bytes, header.e_shoff.get(endian), section_bytes) {
        return Err(Unreadable::Truncated);
    }
    let file = ElfFile64::<Endianness>::parse(bytes)?;
    let mut image = Image {
        bits: 64,
        machine,
        library: header.e_type.get(endian) == ET_DYN,
        placed_anywhere: true,
        built_with_sdk: mentions_sdk(bytes),
        has_code: true,
        has_entry_point: true,
        ..Image::new(Format::Elf)
    };
    let mut undefined = Vec::new();
    for symbol in file.dynamic_symbols() {
        let Ok(name) = symbol.name_bytes() else { continue };
        if symbol.is_undefined() {
            undefined.push(text(name));
        } else if symbol.is_global() && !name.is_empty() {
            image.exports.push(Export { name: text(name), target: Target::Code });
        }
    }
    image.imports.push(Import { library: String::new(), functions: undefined, delayed: false });
    let sections = file.elf_section_table();
    if let Some((entries, strings)) = sections.dynamic(endian, bytes)? {
        let strings = sections.strings(endian, bytes, strings)?;
        for entry in entries {
            if entry.tag32(endian) == Some(DT_NEEDED) {
                image.imports.push(Import {
                    library: text(entry.string(endian, strings)?),
                    functions: Vec::new(),
                    delayed: false,
                });
            } else if entry.tag32(endian) == Some(DT_FLAGS_1) && entry.d_val(endian) & DF_1_PIE != 0 {
                image.library = false;
            }
        }
    }
    Ok(image)
}
