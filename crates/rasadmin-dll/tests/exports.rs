//! The built DLL, from outside: its export table, its imports, and every export called with nothing.
#![allow(clippy::unwrap_used)]

mod support;

use mprapi::abi::{ERROR_INVALID_PARAMETER, ERROR_NOT_READY};
use mprapi::contract::{FUNCTIONS, Returns};
use mprapi::{FunctionId, FunctionSet};
use object::Object;
use std::collections::BTreeSet;
use std::ffi::c_void;
use std::ptr::null_mut;
use support::built;

fn exported_names(file: &object::File<'_>) -> BTreeSet<String> {
    let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    file.exports().unwrap().iter().map(|export| name(export.name())).collect()
}

/// Every export that concerns RRAS has a row in the contract, and every row that is an export is there.
#[test]
fn the_export_table_is_the_contracts() {
    let bytes = std::fs::read(built()).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let ours: BTreeSet<_> = exported_names(&file).into_iter().filter(|n| n.starts_with("MprAdmin")).collect();
    let contract: BTreeSet<_> = FUNCTIONS.iter().filter(|f| f.exported).map(|f| f.name.to_owned()).collect();
    assert_eq!(ours, contract);
}

/// A Windows DLL exports nothing else, and imports system DLLs only: the loader's flag finds no others.
#[cfg(windows)]
#[test]
fn it_imports_system_dlls_only_and_exports_nothing_else() {
    let bytes = std::fs::read(built()).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let unexpected: Vec<_> = exported_names(&file).into_iter().filter(|n| !n.starts_with("MprAdmin")).collect();
    assert_eq!(unexpected, Vec::<String>::new());
    let imports = file.imports().unwrap();
    let libraries: BTreeSet<_> =
        imports.iter().map(|i| String::from_utf8_lossy(i.library()).to_ascii_lowercase()).collect();
    let system = ["kernel32.dll", "ntdll.dll", "msvcrt.dll", "advapi32.dll", "ws2_32.dll"];
    let unexpected: Vec<_> = libraries
        .iter()
        .filter(|library| !system.contains(&library.as_str()) && !library.starts_with("api-ms-win-"))
        .collect();
    assert_eq!(unexpected, Vec::<&String>::new());
    assert!(!libraries.is_empty());
}

/// Windows places a DLL anywhere. A 32-bit relocation in a 64-bit one breaks it there: our linker takes out what GNU
/// ld 2.40 makes of thread-local variables.
#[cfg(windows)]
#[test]
fn it_works_wherever_it_is_loaded() {
    use object::pe::{IMAGE_REL_BASED_DIR64, IMAGE_REL_BASED_HIGHLOW};
    let bytes = std::fs::read(built()).unwrap();
    let file = object::read::pe::PeFile64::parse(&*bytes).unwrap();
    let mut blocks = file.data_directories().relocation_blocks(&*bytes, &file.section_table()).unwrap().unwrap();
    let mut kinds = Vec::new();
    while let Some(block) = blocks.next().unwrap() {
        kinds.extend(block.map(|relocation| relocation.typ));
    }
    assert!(kinds.contains(&IMAGE_REL_BASED_DIR64), "it can be moved");
    assert!(!kinds.contains(&IMAGE_REL_BASED_HIGHLOW));
}

/// Every export has a case here: a new one without a safe answer fails.
#[test]
fn every_export_answers_null_safely() {
    let log = tempfile::tempdir().unwrap();
    // SAFETY: no other thread of this test reads the environment.
    unsafe { std::env::set_var("RASADMIN_LOG", log.path().join("rasadmin.log")) };
    // SAFETY: as above.
    unsafe { std::env::set_var("RASADMIN_SYSTEM_LOG", "off") };
    let config = log.path().join("rasadmin.toml");
    std::fs::write(&config, "default.action = \"allow\"\n").unwrap();
    // SAFETY: as above.
    unsafe { std::env::set_var("RASADMIN_CONFIG", config) };
    // SAFETY: the product's start-up code is Rust's own.
    let dll = unsafe { libloading::Library::new(built()) }.unwrap();
    let call = |id: FunctionId| {
        type P = *mut c_void;
        let arguments = id.row().arguments.len();
        macro_rules! call {
            ($result:ty, $($null:expr),*) => {{
                // SAFETY: the contract's signature; all pointers are null, which is what is tested.
                unsafe {
                    let f = dll.get::<unsafe extern "system" fn($(call!(@p $null)),*) -> $result>(id.name().as_bytes());
                    f.unwrap_or_else(|e| panic!("{id}: {e}"))($($null),*)
                }
            }};
            (@p $null:expr) => { P };
        }
        let n = null_mut;
        if id.row().returns == Returns::Nothing {
            match arguments {
                1 => call!((), n()),
                2 => call!((), n(), n()),
                3 => call!((), n(), n(), n()),
                _ => call!((), n(), n(), n(), n()),
            }
            return None;
        }
        Some(match arguments {
            0 => call!(u32,),
            1 => call!(u32, n()),
            2 => call!(u32, n(), n()),
            3 => call!(u32, n(), n(), n()),
            _ => call!(u32, n(), n(), n(), n()),
        })
    };
    // Before initialise and after: rejections, errors, nothing.
    for initialised in [false, true] {
        for id in FunctionSet::exports().iter() {
            let lifecycle =
                [FunctionId::InitializeDll, FunctionId::InitializeDllEx, FunctionId::TerminateDll].contains(&id);
            if lifecycle {
                continue;
            }
            let expected = match id.row().returns {
                Returns::Verdict => Some(0),
                Returns::Status if initialised => Some(ERROR_INVALID_PARAMETER),
                Returns::Status => Some(ERROR_NOT_READY),
                Returns::Nothing => None,
                Returns::PreAuthentication => panic!("{id} is no export"),
            };
            // One function returns a DWORD on its page and nothing in its callback type: it is declared as the latter.
            assert_eq!(call(id), expected, "{id}, initialised: {initialised}");
        }
        assert_eq!(call(FunctionId::InitializeDllEx), Some(ERROR_INVALID_PARAMETER));
        if !initialised {
            assert_eq!(call(FunctionId::InitializeDll), Some(0));
        }
    }
    assert_eq!(call(FunctionId::TerminateDll), Some(0));
}
