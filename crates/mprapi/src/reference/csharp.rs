//! Declarations in C#, for DLLs that are compiled ahead of time.

use super::{c, fields::CALLBACKS};
use crate::contract::{ArgumentType, FUNCTIONS, Function, FunctionId, Returns};
use crate::layout::{Field, Structure, structures};
use std::fmt::Write as _;

/// The structures that the callbacks of revision 2 get, and those inside them.
const STRUCTURES: [&str; 10] = [
    "MPRAPI_OBJECT_HEADER",
    "FILETIME",
    "GUID",
    "PPP_PROJECTION_INFO",
    "IKEV2_PROJECTION_INFO",
    "PROJECTION_INFO",
    "RAS_CONNECTION_EX",
    "RAS_PORT_0",
    "RAS_PORT_1",
    "AUTH_VALIDATION_EX",
];

pub(super) fn section() -> String {
    let mut text = String::from(
        "A DLL in C# must be compiled ahead of time (`<PublishAot>true</PublishAot>`, `<AllowUnsafeBlocks>true</AllowUnsafeBlocks>`): \
         RRAS loads no .NET assembly. These declarations are for the callbacks of revision 2. They come from the same table, but no test \
         compiles them. Let no exception leave a method.\n\n```csharp\nusing System.Runtime.InteropServices;\n\n",
    );
    for structure in structures().iter().filter(|s| STRUCTURES.contains(&s.name)) {
        text.push_str(&declaration(structure));
    }
    text.push_str(&callbacks());
    text.push_str("public static unsafe class Exports\n{\n");
    for function in FUNCTIONS.iter().filter(|f| f.slot.is_some() && f.exported || f.id == FunctionId::InitializeDllEx) {
        let _ = writeln!(
            text,
            "    [UnmanagedCallersOnly(EntryPoint = \"{}\")]\n    public static {} {}({}) {{ … }}",
            function.name,
            returns(function),
            &function.name["MprAdmin".len()..],
            arguments(function, true),
        );
    }
    text.push_str("}\n```\n");
    text
}

fn declaration(structure: &Structure) -> String {
    let mut text = format!(
        "[StructLayout(LayoutKind.Explicit, Size = {})]\npublic unsafe struct {}\n{{\n",
        structure.size, structure.name
    );
    for field in &structure.fields {
        let _ = writeln!(text, "    [FieldOffset({})] public {};", field.offset, field_declaration(field));
    }
    text.push_str("}\n\n");
    text
}

fn field_declaration(field: &Field) -> String {
    let ty = match field.c_type {
        "BYTE" => "byte",
        "WORD" => "ushort",
        "WCHAR" => "char",
        "DWORD" => "uint",
        "ULONG64" => "ulong",
        "HANDLE" => "nint",
        "ROUTER_INTERFACE_TYPE" | "RAS_PORT_CONDITION" | "RAS_HARDWARE_CONDITION" | "RAS_QUARANTINE_STATE" => "int",
        structure => structure,
    };
    match field.elements {
        Some(elements) => format!("fixed {ty} {}[{elements}]", field.name),
        None => format!("{ty} {}", field.name),
    }
}

fn callbacks() -> String {
    let size = structures().iter().find(|s| s.name == CALLBACKS).map_or(0, |s| s.size);
    let mut text = format!(
        "[StructLayout(LayoutKind.Sequential, Size = {size})]\npublic unsafe struct {CALLBACKS}\n{{\n    public byte revision;\n"
    );
    for (field, function) in c::slots() {
        let mut types = arguments(function, false);
        if !types.is_empty() {
            types.push_str(", ");
        }
        let _ = writeln!(text, "    public delegate* unmanaged<{types}{}> {field};", returns(function));
    }
    text.push_str("}\n\n");
    text
}

fn returns(function: &Function) -> &'static str {
    match function.returns {
        Returns::Status | Returns::PreAuthentication => "uint",
        Returns::Verdict => "int",
        Returns::Nothing => "void",
    }
}

fn arguments(function: &Function, names: bool) -> String {
    let all = function.arguments.iter().map(|argument| {
        let ty = match argument.ty {
            ArgumentType::UserName | ArgumentType::PortName => "char*".to_owned(),
            ArgumentType::Ipv4Address => "uint*".to_owned(),
            ArgumentType::Ipv6Address => "byte*".to_owned(),
            ArgumentType::NotifyRelease => "int*".to_owned(),
            structure => structure.c_type().replace(' ', ""),
        };
        if names { format!("{ty} {}", argument.ty.label()) } else { ty }
    });
    all.collect::<Vec<_>>().join(", ")
}
