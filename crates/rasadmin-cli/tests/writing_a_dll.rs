//! The way that docs/writing-a-dll.md leads: the DLL that it begins with, and its scenario.
#![allow(clippy::unwrap_used)]

mod support;

use support::{fixtures, rasadmin, root, words};

#[test]
fn the_scenario_of_the_page_plays_with_its_dll_and_the_trace_replays() {
    let page = std::fs::read_to_string(root().join("docs/writing-a-dll.md")).unwrap().replace("\r\n", "\n");
    let begin = page.find("server VPN1").unwrap();
    let text = &page[begin..begin + page[begin..].find("```").unwrap()];
    let folder = tempfile::tempdir().unwrap();
    let (scenario, trace) = (folder.path().join("day.scenario"), folder.path().join("day.trace"));
    std::fs::write(&scenario, text).unwrap();
    let dll = fixtures().join(format!("c-minimal{}", std::env::consts::DLL_SUFFIX));
    let ran = rasadmin(words([&"host", &"run", &"--each", &"--trace", &trace, &"--dll", &dll, &scenario])).ends(0);
    ran.prints("visitor");
    rasadmin(words([&"host", &"replay", &"--dll", &dll, &trace])).ends(0).prints("identical");
}
