//! `rasadmin host` and a Windows DLL on Linux.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod support;

use support::{fixtures, office_day, rasadmin, words};

#[test]
fn host_run_and_replay_of_a_windows_dll_give_the_command_for_wine() {
    let folder = tempfile::tempdir().unwrap();
    let dll = fixtures().with_file_name("windows").join("good-rev2.dll");
    let scenario = office_day();
    let command = "run: wine target/windows/rasadmin.exe host run --dll";
    rasadmin(words([&"host", &"run", &"--dll", &dll, &scenario])).ends(2).complains(command);
    let trace = folder.path().join("a.trace");
    std::fs::write(&trace, "{\"trace\":\"rasadmin\",\"version\":1,\"recorder\":\"t\",\"dlls\":[\"a\"]}\n").unwrap();
    let command = "run: wine target/windows/rasadmin.exe host replay --dll";
    rasadmin(words([&"host", &"replay", &"--dll", &dll, &trace])).ends(2).complains(command);
}
