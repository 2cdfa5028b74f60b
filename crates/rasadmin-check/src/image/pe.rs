//! Reads Windows DLLs.

use super::{Export, Format, Image, Import, Unreadable, mentions_sdk, text, within};
use object::LittleEndian as LE;
use object::pe::*;
use object::read::pe::{ExportTarget, ImageNtHeaders, ImageOptionalHeader, Import as PeImport, PeFile};

pub(super) fn read(bytes: &[u8]) -> Result<Image, Unreadable> {
    match headers_end(bytes) {
        Some(end) if end <= bytes.len() as u64 => {}
        _ => return Err(Unreadable::Truncated),
    }
    match object::FileKind::parse(bytes)? {
        object::FileKind::Pe32 => read_as::<ImageNtHeaders32>(bytes),
        object::FileKind::Pe64 => read_as::<ImageNtHeaders64>(bytes),
        _ => Err(Unreadable::Damaged("it is a program of another kind".into())),
    }
}

/// The offset at which the headers end, according to the headers. None if the file is too short to tell.
fn headers_end(bytes: &[u8]) -> Option<u64> {
    let word = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    // e_lfanew: the offset of the PE header.
    let pe = usize::try_from(u32::from_le_bytes(bytes.get(0x3c..0x40)?.try_into().ok()?)).ok()?;
    if bytes.get(pe..pe.checked_add(4)?)? != b"PE\0\0" {
        // A DOS program. `FileKind::parse` reports what is wrong.
        return Some(0);
    }
    // The signature, the file header (sections at 2, optional header's size at 16), the optional header, the sections.
    let (sections, optional) = (word(pe + 6)?, word(pe + 20)?);
    Some(pe as u64 + 24 + u64::from(optional) + 40 * u64::from(sections))
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
    let wide = file.nt_headers().optional_header().magic() == IMAGE_NT_OPTIONAL_HDR64_MAGIC;
    let mut image = Image {
        format: Format::Pe,
        bits: if wide { 64 } else { 32 },
        machine: machine(header.machine.get(LE)),
        library: header.characteristics.get(LE) & IMAGE_FILE_DLL != 0,
        exports: Vec::new(),
        unnamed_exports: 0,
        imports: Vec::new(),
        short_relocations: if wide { short_relocations(&file)? } else { 0 },
        placed_anywhere: file.nt_headers().optional_header().dll_characteristics()
            & IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE
            != 0,
        built_with_sdk: mentions_sdk(bytes),
    };
    if let Some(table) = file.export_table()? {
        for export in table.exports()? {
            match export.name {
                Some(name) => image.exports.push(Export { name: text(name), forward: forward(&export.target) }),
                // Unused ordinals have the address 0.
                None if matches!(export.target, ExportTarget::Address(0)) => {}
                None => image.unnamed_exports += 1,
            }
        }
    }
    imports::<Pe>(&file, &mut image.imports)?;
    Ok(image)
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

fn forward(target: &ExportTarget<'_>) -> Option<String> {
    match target {
        ExportTarget::Address(_) => None,
        ExportTarget::ForwardByOrdinal(library, ordinal) => Some(format!("{}.#{ordinal}", text(library))),
        ExportTarget::ForwardByName(library, name) => Some(format!("{}.{}", text(library), text(name))),
    }
}

fn imports<Pe: ImageNtHeaders>(file: &PeFile<'_, Pe>, imports: &mut Vec<Import>) -> Result<(), Unreadable> {
    if let Some(table) = file.import_table()? {
        let mut descriptors = table.descriptors()?;
        while let Some(descriptor) = descriptors.next()? {
            let mut functions = Vec::new();
            // A linker without the original table leaves the names in the address table.
            let names = match descriptor.original_first_thunk.get(LE) {
                0 => descriptor.first_thunk.get(LE),
                names => names,
            };
            let mut thunks = table.thunks(names)?;
            while let Some(thunk) = thunks.next::<Pe>()? {
                if let PeImport::Name(_, name) = table.import::<Pe>(thunk)? {
                    functions.push(text(name));
                }
            }
            imports.push(Import { library: text(table.name(descriptor.name.get(LE))?), functions, delayed: false });
        }
    }
    let delayed = file.data_directories().delay_load_import_table(file.data(), &file.section_table())?;
    if let Some(table) = delayed {
        let mut descriptors = table.descriptors()?;
        while let Some(descriptor) = descriptors.next()? {
            let mut functions = Vec::new();
            let mut thunks = table.thunks(descriptor.import_name_table_rva.get(LE))?;
            while let Some(thunk) = thunks.next::<Pe>()? {
                if let PeImport::Name(_, name) = table.import::<Pe>(thunk)? {
                    functions.push(text(name));
                }
            }
            imports.push(Import {
                library: text(table.name(descriptor.dll_name_rva.get(LE))?),
                functions,
                delayed: true,
            });
        }
    }
    Ok(())
}
