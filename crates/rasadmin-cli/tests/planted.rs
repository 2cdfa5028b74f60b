//! A DLL that somebody has put beside rasadmin.exe is not loaded: administrators run it from wherever they saved it.
#![cfg(windows)]
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use support::{fixtures, program_with, words};

/// Windows looks for these in System32 only, whatever lies beside a program
/// (`HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\KnownDLLs`, and what they load: ntdll.dll).
#[cfg(target_env = "gnu")]
const KNOWN: [&str; 6] = ["advapi32.dll", "kernel32.dll", "msvcrt.dll", "ntdll.dll", "user32.dll", "ws2_32.dll"];

// With other compilers the standard library imports other DLLs.
#[cfg(target_env = "gnu")]
#[test]
fn the_command_imports_known_dlls_only() {
    use object::Object;
    use std::collections::BTreeSet;
    let bytes = std::fs::read(env!("CARGO_BIN_EXE_rasadmin")).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let imports = file.imports().unwrap();
    let name = |import: &object::Import<'_>| String::from_utf8_lossy(import.library()).to_ascii_lowercase();
    let libraries: BTreeSet<String> = imports.iter().map(name).collect();
    assert!(libraries.contains("kernel32.dll"), "{libraries:?}");
    let unknown: Vec<_> = libraries.iter().filter(|library| !KNOWN.contains(&library.as_str())).collect();
    assert_eq!(unknown, Vec::<&String>::new());
}

/// RRAS would not find it either: its program, svchost.exe, is in System32.
#[test]
fn what_an_admin_dll_needs_is_not_looked_for_beside_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &Path| {
        let to = folder.path().join(from.file_name().unwrap());
        std::fs::copy(from, &to).unwrap();
        to
    };
    let program = copy(Path::new(env!("CARGO_BIN_EXE_rasadmin")));
    copy(&fixtures().join("vendorhelper.dll"));
    let dll = fixtures().join("missing-dependent.dll");
    for command in ["check", "host"] {
        let scenario = support::office_day();
        let arguments = match command {
            "check" => words([&"check", &dll]).to_vec(),
            _ => words([&"host", &"run", &"--dll", &dll, &scenario]).to_vec(),
        };
        let ran = program_with(&program, arguments, &[]).ends(1);
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(told.contains("error 126"), "{told}");
    }
}
