//! Declarations in C.

use super::notes;
use crate::contract::{FUNCTIONS, Function, Returns};
use crate::layout::{Field, Structure};
use std::fmt::Write as _;

/// The C type of what a function returns.
fn returns(function: &Function) -> &'static str {
    match function.returns {
        Returns::Status | Returns::PreAuthentication => "DWORD",
        Returns::Verdict => "BOOL",
        Returns::Nothing => "VOID",
    }
}

fn arguments(function: &Function) -> String {
    if function.arguments.is_empty() {
        return "VOID".to_owned();
    }
    let all: Vec<_> = function.arguments.iter().map(|a| format!("{}{}", a.ty.c_type(), a.ty.label())).collect();
    all.join(", ")
}

/// A function's prototype.
pub(super) fn prototype(function: &Function) -> String {
    format!("{} APIENTRY {}({});", returns(function), function.name, arguments(function))
}

/// The functions of the callbacks table, in its order.
pub(super) fn slots() -> Vec<(&'static str, &'static Function)> {
    let mut slots: Vec<_> = FUNCTIONS.iter().filter_map(|f| Some((f.slot?, f.field?, f))).collect();
    slots.sort_by_key(|(slot, ..)| *slot);
    slots.into_iter().map(|(_, field, function)| (field, function)).collect()
}

/// The whole callbacks table as a C structure, under a name of its own so that it fits beside any mprapi.h.
pub fn callbacks_table() -> String {
    let mut table = String::from("typedef struct ADMIN_CALLBACKS {\n    BYTE revision;\n");
    for (field, function) in slots() {
        // Writing to a String cannot fail.
        let _ = writeln!(table, "    {} (APIENTRY *{field})({});", returns(function), arguments(function));
    }
    table.push_str("} ADMIN_CALLBACKS;\n");
    table
}

/// A structure in C, with the offset, the size and the meaning of each field.
pub(super) fn structure(structure: &Structure) -> String {
    let declarations: Vec<_> = structure.fields.iter().map(declaration).collect();
    let width = declarations.iter().map(String::len).max().unwrap_or(0);
    let mut text = format!("typedef struct {{ /* {} bytes */\n", structure.size);
    for (field, declaration) in structure.fields.iter().zip(&declarations) {
        let note = notes::field(structure.name, field.name).map(|note| format!(": {note}")).unwrap_or_default();
        let (offset, size) = (field.offset, field.size);
        let _ = writeln!(text, "    {declaration:width$} /* at {offset}, {size} {}{note} */", bytes(size));
    }
    let _ = writeln!(text, "}} {};", structure.name);
    text
}

fn bytes(size: usize) -> &'static str {
    if size == 1 { "byte" } else { "bytes" }
}

fn declaration(field: &Field) -> String {
    match field.elements {
        Some(elements) => format!("{} {}[{elements}];", field.c_type, field.name),
        None => format!("{} {};", field.c_type, field.name),
    }
}
