//! The bounded run of the model against the product: fixed seeds, in every test run. `cargo xtask torture --model
//! --dll` goes on from there.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

/// Runs `rasadmin-torture model` with the product that is built beside it. Returns its output.
fn model(options: &[&str]) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_rasadmin-torture"));
    let name = format!("{}rasadmin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let dll = program.parent().unwrap().join(name);
    assert!(dll.is_file(), "{} is missing: run `cargo build --workspace` (`cargo xtask test` does)", dll.display());
    let mut command = Command::new(program);
    command.arg("model").arg(dll).args(options);
    let ran = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{command:?}: {}\n{out}\n{err}", ran.status);
    out.into_owned()
}

#[test]
fn the_product_agrees_with_the_truth() {
    let said = model(&["--steps", "1200", "--run-length", "200"]);
    // A simulation in which nothing happens finds nothing.
    let numbers: Vec<u64> = said.split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
    let [runs, steps, events, connections] = numbers[..4] else { panic!("{said}") };
    assert!((runs, steps) == (6, 1200) && events > 240 && connections > 24, "{said}");
}

#[test]
fn what_the_product_does_wrong_is_found() {
    let said = model(&["--control"]);
    assert!(said.ends_with("control: 8 ways to spoil what the product does, all found\n"), "{said}");
}
