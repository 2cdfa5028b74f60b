//! "The address functions may run in one process and the notifications in another": `--two-processes`.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use support::{office_day, rasadmin, words};

#[test]
fn the_address_functions_run_in_a_process_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let dll = folder.path().join(format!("good{}", std::env::consts::DLL_SUFFIX));
    let good = support::fixtures().join(format!("good-rev2{}", std::env::consts::DLL_SUFFIX));
    std::fs::copy(good, &dll).unwrap();
    let beside = |suffix: &str| PathBuf::from(format!("{}{suffix}", dll.display()));
    std::fs::write(beside(".script"), "MprAdminGetIpAddressForUser status=5 notify=0 user=CORP\\kurt\n").unwrap();
    let run = words([&"host", &"run", &"--json", &"--two-processes", &"--dll", &dll, &office_day()]);
    let json = rasadmin(run).ends(0).json();
    assert_eq!(json["reasons"]["the DLL gave no IPv4 address (error 5)"], 1, "results come back: {}", json["reasons"]);
    assert_eq!(json["addresses"]["ipv4_given"], json["accepted"]);
    let log = std::fs::read_to_string(beside(".log")).unwrap();
    let mut processes: BTreeMap<bool, BTreeSet<&str>> = BTreeMap::new();
    for line in log.lines().filter(|line| line.starts_with('>')) {
        let function = line.split(' ').nth(1).unwrap();
        let pid = line.split(' ').find_map(|word| word.strip_prefix("pid=")).unwrap();
        if !["MprAdminInitializeDllEx", "MprAdminTerminateDll"].contains(&function) {
            processes.entry(function.contains("Address")).or_default().insert(pid);
        }
    }
    let (others, addresses) = (&processes[&false], &processes[&true]);
    assert_eq!((others.len(), addresses.len()), (1, 1));
    assert_ne!(others, addresses);
}
