//! `cargo xtask bench`: what a decision costs. A report; nothing fails by it.

use crate::Result;
use crate::shell::{cargo, run};

/// Natively.
pub fn bench() -> Result {
    for (what, package, example) in [
        ("the state machine, without the journal", "rasadmin-engine", "call_cost"),
        ("a decision of the rules", "rasadmin-policy", "decide_cost"),
    ] {
        println!("\n{what}\n");
        run(cargo().args(["run", "--release", "--quiet", "-p", package, "--example", example]))?;
    }
    Ok(())
}
