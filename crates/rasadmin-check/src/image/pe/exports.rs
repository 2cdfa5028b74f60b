//! The table of exports.

use super::super::{Export, Forward, Target, text};
use super::memory::Memory;

/// The largest number of exports: ordinals have 16 bits.
const MOST: u32 = 0x1_0000;

/// The exports with names, and the number of those without. `range` is the table's address and size: an export whose address
/// is inside it is forwarded. None if the table cannot be read.
pub(super) fn read(memory: &Memory<'_>, range: (u32, u32)) -> Option<(Vec<Export>, usize)> {
    let (table, size) = range;
    let field = |offset: u32| memory.word(table.checked_add(offset)?);
    let (all, named) = (field(20)?, field(24)?);
    let (addresses, names, ordinals) = (field(28)?, field(32)?, field(36)?);
    if all > MOST || named > MOST {
        return None;
    }
    let address = |index: u32| memory.word(addresses.checked_add(4 * index)?);
    let mut has_name = vec![false; all as usize];
    let mut exports = Vec::new();
    for n in 0..named {
        let name = memory.text(memory.word(names.checked_add(4 * n)?)?)?;
        let index = memory.half(ordinals.checked_add(2 * n)?)?;
        *has_name.get_mut(usize::from(index))? = true;
        let at = address(index.into())?;
        let target = match at.checked_sub(table) {
            Some(offset) if offset < size => Target::Forward(forward(memory.text(at)?)),
            _ => memory.target(at),
        };
        exports.push(Export { name: text(name), target });
    }
    let mut unnamed = 0;
    for (index, has_name) in (0..all).zip(has_name) {
        // Unused ordinals have the address 0.
        if !has_name && address(index)? != 0 {
            unnamed += 1;
        }
    }
    Some((exports, unnamed))
}

/// `LIBRARY.Function`. The loader divides it at the last dot, because a library's name may have one.
fn forward(target: &[u8]) -> Forward {
    let target = text(target);
    let (library, function) = target.rsplit_once('.').unwrap_or((&target, ""));
    Forward { library: library.into(), function: function.into() }
}
