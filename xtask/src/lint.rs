//! Format, words and names, clippy for both platforms, the crates to publish, licences and sources of what we depend on.

use crate::shell::{cargo, has, run, target};
use crate::timing::step;
use crate::{Result, packages, publish, windows, words};
use std::process::Command;

const DENY: &str = "^0.18";

/// Runs every check.
pub fn all() -> Result {
    step("cargo fmt", || run(cargo().args(["fmt", "--all", "--check"])))?;
    let clippy = ["--workspace", "--all-targets", "--quiet"];
    step("words and names", words::check)?;
    step("cargo clippy", || run(cargo().arg("clippy").args(clippy).args(["--", "-D", "warnings"])))?;
    if !cfg!(windows) {
        packages::need(packages::WINDOWS)?;
        step("cargo clippy for Windows", || {
            let mut command = windows::command("clippy")?;
            run(command.args(clippy).args(["--release", "--exclude", "xtask", "--", "-D", "warnings"]))
        })?;
    }
    step("cargo publish --dry-run", publish::dry_run)?;
    step("cargo deny", || {
        let tools = target().join("tools");
        let own = tools.join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
        if !own.exists() && !has("cargo-deny") {
            eprintln!("    installing cargo-deny into target/tools (a minute or two, once)");
            // Without optimisation it is built in a third of the time, and still checks everything in a second.
            let mut install = cargo();
            install.args(["install", "cargo-deny", "--version", DENY, "--locked", "--quiet", "--debug"]);
            install.arg("--no-default-features").arg("--root").arg(&tools);
            run(install.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_INCREMENTAL", "0"))?;
        }
        let mut command = if own.exists() { Command::new(own) } else { Command::new("cargo-deny") };
        // Advisories need a database from the network: check them when you update a dependency.
        run(command.args(["--log-level", "error", "check", "bans", "licenses", "sources"]))
    })
}
