//! A disk with little free space is reported: the built DLL on real, small file systems.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "../../rasadmin-journal/tests/small_disk/mod.rs"]
mod small_disk;
mod support;

use mprapi::abi::{RAS_PORT_0, RAS_PORT_1};
use small_disk::on_a_small_disk;
use std::path::Path;
use support::built;

/// Starts the product with its journal on a disk, makes some calls, and ends it. Returns its log.
fn log(disk: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (config, log) = (folder.path().join("rasadmin.toml"), folder.path().join("rasadmin.log"));
    let journal = disk.join("journal");
    std::fs::write(&config, format!("default.action = \"allow\"\n[journal]\nfolder = '{}'\n", journal.display()))
        .unwrap();
    for (name, value) in [("RASADMIN_CONFIG", &config), ("RASADMIN_LOG", &log), ("RASADMIN_SYSTEM_LOG", &"off".into())]
    {
        // SAFETY: this process runs one test.
        unsafe { std::env::set_var(name, value) };
    }
    // SAFETY: the product's start-up code is Rust's own.
    let dll = unsafe { libloading::Library::new(built()) }.unwrap();
    // SAFETY: the contract's signatures, and whole structures.
    unsafe {
        type Life = unsafe extern "system" fn() -> u32;
        type Link = unsafe extern "system" fn(*mut RAS_PORT_0, *mut RAS_PORT_1) -> i32;
        let link = dll.get::<Link>(b"MprAdminAcceptNewLink").unwrap();
        for _ in 0..2 {
            assert_eq!(dll.get::<Life>(b"MprAdminInitializeDll").unwrap()(), 0);
            for _ in 0..20 {
                assert_eq!(link(&mut RAS_PORT_0::default(), &mut RAS_PORT_1::default()), 1);
            }
            assert_eq!(dll.get::<Life>(b"MprAdminTerminateDll").unwrap()(), 0);
        }
    }
    std::fs::read_to_string(log).unwrap()
}

#[test]
fn low_disk_space_is_reported_once_per_start() {
    on_a_small_disk("low_disk_space_is_reported_once_per_start", 100, |disk| {
        let log = log(disk);
        let told: Vec<_> = log.lines().filter(|line| line.contains("message_id=421")).collect();
        assert_eq!(told.len(), 2, "{log}");
        assert!(told[0].contains("MiB are free on the disk of the journal"), "{log}");
    });
}

#[test]
fn enough_disk_space_is_not_reported() {
    // Unwritten space takes no memory.
    on_a_small_disk("enough_disk_space_is_not_reported", 2048, |disk| {
        let log = log(disk);
        assert!(log.contains("message_id=100") && !log.contains("message_id=421"), "{log}");
    });
}
