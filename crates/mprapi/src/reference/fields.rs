//! The callbacks table and the structures.

use super::c;
use crate::layout::{Structure, structures};
use std::fmt::Write as _;

pub(super) const CALLBACKS: &str = "MPRAPI_ADMIN_DLL_CALLBACKS";

/// The callbacks table, complete: mingw-w64's is not.
pub(super) fn callbacks_section() -> String {
    let mut text = String::from(
        "MprAdminInitializeDllEx gets an MPRAPI_ADMIN_DLL_CALLBACKS whose 104 bytes are zero. The `mprapi.h` of mingw-w64 \
         lacks two of its pointers, so that everything behind the gap is in the wrong place. This declaration is right for \
         every compiler:\n\n```c\n",
    );
    text.push_str(&c::callbacks_table());
    text.push_str("```\n\n| offset | pointer | function |\n|---|---|---|\n");
    let table = structures().into_iter().find(|structure| structure.name == CALLBACKS);
    let fields = table.map(|table| table.fields).unwrap_or_default();
    let offset = |name: &str| fields.iter().find(|field| field.name == name).map_or(0, |field| field.offset);
    text.push_str("| 0 | revision | set it to 2 |\n");
    for (field, function) in c::slots() {
        let _ = writeln!(text, "| {} | {field} | {} |", offset(field), function.name);
    }
    text
}

/// Every structure but the callbacks table.
pub(super) fn structures_section() -> String {
    let mut text = String::from(
        "Sizes and offsets are in bytes, on 64-bit Windows. The structures that RRAS passes come first, those that they \
         contain after them. “Probably” marks what Microsoft's pages contradict and no server has settled yet.\n\n",
    );
    let (passed, contained): (Vec<_>, Vec<_>) = structures().into_iter().partition(is_passed);
    for structure in passed.iter().chain(&contained).filter(|structure| structure.name != CALLBACKS) {
        let _ = write!(text, "### {}\n\n```c\n{}```\n\n", structure.name, c::structure(structure));
    }
    text
}

/// Whether RRAS passes it to a function.
fn is_passed(structure: &Structure) -> bool {
    structure.name.starts_with("RAS_") || structure.name == "AUTH_VALIDATION_EX"
}
