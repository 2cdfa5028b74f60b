//! The tables of imports.

use super::super::{Import, text};
use super::memory::Memory;

/// More descriptors than this are damage.
const MOST: u32 = 0x1_0000;

/// The libraries that are loaded together with the image. None if the table cannot be read.
pub(super) fn read(memory: &Memory<'_>, table: u32, wide: bool) -> Option<Vec<Import>> {
    let mut imports = Vec::new();
    for n in 0..MOST {
        let field = |offset: u32| memory.word(table.checked_add(20 * n + offset)?);
        let (names, library, addresses) = (field(0)?, field(12)?, field(16)?);
        if library == 0 {
            return Some(imports);
        }
        // A linker without the original table leaves the names in the address table.
        let functions = functions(memory, if names == 0 { addresses } else { names }, wide, 0)?;
        imports.push(Import { library: text(memory.text(library)?), functions, delayed: false });
    }
    None
}

/// The libraries that are loaded at the first call of one of their functions. The descriptors, and what they lead to, may
/// be in different sections. None if the table cannot be read.
pub(super) fn read_delayed(memory: &Memory<'_>, table: u32, wide: bool, base: u64) -> Option<Vec<Import>> {
    /// The addresses are relative to the image. Compilers before Visual C++ 7 wrote absolute ones, in 32-bit images only.
    const RELATIVE: u32 = 1;
    let mut imports = Vec::new();
    for n in 0..MOST {
        let field = |offset: u32| memory.word(table.checked_add(32 * n + offset)?);
        let (attributes, library, names) = (field(0)?, field(4)?, field(16)?);
        if library == 0 {
            return Some(imports);
        }
        let base = if wide || attributes & RELATIVE != 0 { 0 } else { u32::try_from(base).ok()? };
        let library = text(memory.text(library.checked_sub(base)?)?);
        let functions = functions(memory, names.checked_sub(base)?, wide, base)?;
        imports.push(Import { library, functions, delayed: true });
    }
    None
}

/// The functions of a table that are imported by name. Each entry has the address of a hint and a name, or an ordinal and
/// the highest bit.
fn functions(memory: &Memory<'_>, table: u32, wide: bool, base: u32) -> Option<Vec<String>> {
    let mut functions = Vec::new();
    let size = if wide { 8 } else { 4 };
    for n in 0..MOST {
        let at = table.checked_add(size * n)?;
        memory.spend(size as usize)?;
        let low = memory.word(at)?;
        let high = if wide { memory.word(at.checked_add(4)?)? } else { 0 };
        if low == 0 && high == 0 {
            return Some(functions);
        }
        let by_ordinal = if wide { high >> 31 } else { low >> 31 } != 0;
        if !by_ordinal {
            let hint = low.checked_sub(base)?;
            functions.push(text(memory.text(hint.checked_add(2)?)?));
        }
    }
    None
}
