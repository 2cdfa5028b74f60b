//! The scratch folder, as the built DLL uses it: only if it is marked.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use support::built;

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> = entries.collect();
    names.sort();
    names
}

#[test]
fn only_a_marked_folder_is_used_and_then_it_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (real, scratch) = (folder.path().join("real"), folder.path().join("scratch"));
    for place in [&real, &scratch] {
        std::fs::create_dir(place).unwrap();
        std::fs::write(place.join("rasadmin.toml"), "default.action = \"allow\"\n").unwrap();
    }
    let real_log = folder.path().join("real.log");
    for (name, value) in [
        ("RASADMIN_CONFIG", real.join("rasadmin.toml").as_os_str()),
        ("RASADMIN_LOG", real_log.as_os_str()),
        ("RASADMIN_SYSTEM_LOG", "off".as_ref()),
        ("RASADMIN_SCRATCH", scratch.as_os_str()),
    ] {
        // SAFETY: no other test of this program reads the environment.
        unsafe { std::env::set_var(name, value) };
    }
    // SAFETY: the product's start-up code is Rust's own.
    let dll = unsafe { libloading::Library::new(built()) }.unwrap();
    let call = |name: &[u8]| {
        // SAFETY: the contract's signature of both functions.
        unsafe { dll.get::<unsafe extern "system" fn() -> u32>(name).unwrap()() }
    };
    let initialize = || call(b"MprAdminInitializeDll");

    // Not marked: the DLL touches neither that folder nor the machine's files, and reports it.
    assert_eq!(initialize(), 2);
    let log = std::fs::read_to_string(&real_log).unwrap();
    assert!(log.contains("is not marked as scratch"), "{log}");
    assert_eq!((names(&real), names(&scratch)), (vec!["rasadmin.toml".to_owned()], vec!["rasadmin.toml".to_owned()]));

    // Marked, but its configuration names a ledger elsewhere.
    std::fs::write(scratch.join("rasadmin-scratch"), "").unwrap();
    let text = format!("default.action = \"allow\"\nledger.path = '{}'\n", real.join("rasadmin.db").display());
    std::fs::write(scratch.join("rasadmin.toml"), text).unwrap();
    assert_eq!(initialize(), 2);
    let log = std::fs::read_to_string(scratch.join("rasadmin.log")).unwrap();
    assert!(log.contains("which is outside the folder"), "{log}");
    assert_eq!(names(&real), ["rasadmin.toml"]);

    std::fs::write(scratch.join("rasadmin.toml"), "default.action = \"allow\"\n").unwrap();
    assert_eq!(initialize(), 0);
    assert_eq!(call(b"MprAdminTerminateDll"), 0);
    assert_eq!(names(&real), ["rasadmin.toml"]);
    let there = names(&scratch);
    for file in ["journal", "rasadmin.toml.last-good.json", "rasadmin.log"] {
        assert!(there.iter().any(|name| name == file), "{file} of {there:?}");
    }
}
