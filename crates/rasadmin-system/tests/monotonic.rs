//! The clock is common to the machine: processes can compare their readings.
#![allow(clippy::unwrap_used)]

use rasadmin_system::monotonic::monotonic;
use std::process::Command;

#[test]
fn processes_have_it_in_common() {
    let test = std::env::current_exe().unwrap();
    let name = format!("monotonic{}", std::env::consts::EXE_SUFFIX);
    let program = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(program.is_file(), "{} is missing: `cargo test -p rasadmin-system` builds it", program.display());
    for _ in 0..5 {
        let before = monotonic().as_nanos();
        let output = Command::new(&program).output().unwrap();
        let after = monotonic().as_nanos();
        assert!(output.status.success(), "{output:?}");
        let read: u128 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        assert!((before..=after).contains(&read), "{read} is not between {before} and {after}");
        assert!(before < after, "or this proves nothing");
    }
}
