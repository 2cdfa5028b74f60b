//! `cargo xtask demo`: checks the product, then runs a working day through it; or plays the day beside the dashboard.

pub mod dashboard;

use crate::shell::{cargo, relative, run, target};
use crate::timing::step;
use crate::{Result, windows};
use std::process::Command;

const RULES: &str = "examples/office-day.toml";
const DAY: &str = "examples/office-day.scenario";

/// Natively.
pub fn native() -> Result {
    step("building the product, the host and the checker", || {
        let packages = ["-p", "rasadmin-cli", "-p", "rasadmin-dll", "-p", "reject"];
        run(cargo().args(["build", "--release", "--quiet"]).args(packages))
    })?;
    let release = target().join("release");
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let command = release.join(format!("rasadmin{}", std::env::consts::EXE_SUFFIX));
    let dll = |name: &str| relative(&release.join(format!("{prefix}{name}{suffix}")));
    day(&relative(&command), &|| Command::new(&command), &dll("rasadmin"), &dll("reject"))
}

/// The Windows DLL: under Wine, but on Windows as it is.
pub fn windows() -> Result {
    let folder = windows::product()?;
    windows::wine()?;
    let command = relative(&folder.join("rasadmin.exe"));
    let dll = relative(&folder.join("rasadmin.dll"));
    let reject = relative(&folder.join("examples").join("reject.dll"));
    let shown = if cfg!(windows) { command.clone() } else { format!("wine {command}") };
    eprintln!("==> with {}", windows::version());
    let result = day(&shown, &|| windows::program(&command), &dll, &reject);
    windows::end_wine();
    result
}

fn day(shown: &str, rasadmin: &dyn Fn() -> Command, product: &str, reject: &str) -> Result {
    let show = |words: &[&str]| {
        println!("\n$ {shown} {}\n", words.join(" "));
        run(rasadmin().args(words))
    };
    let folder = target().join("demo");
    let _ = std::fs::remove_dir_all(&folder);
    let config = folder.join("rasadmin.toml");
    show(&["check", product])?;
    println!("\nThe day with rules and pools; its journal, ledger and log are kept in {}:", relative(&folder));
    show(&["host", "run", "--config", RULES, "--keep", &relative(&folder), "--dll", product, DAY])?;
    println!("\nWhy was the last one denied?");
    show(&["explain", "--config", &relative(&config), "--decision", "818"])?;
    println!("\nThe same day with a DLL that rejects everyone:");
    show(&["host", "run", "--dll", reject, DAY])?;
    println!(
        "\nEvery event is in {}, every decision, session and lease in {}.\n\
         Look at it: {shown} sessions --config {config}, or report, users, who-had, replay.\n\
         docs/admin-guide.md is arranged by task. Other admin DLLs to try are in examples/.",
        relative(&folder.join("rasadmin.log")),
        relative(&folder.join("rasadmin.db")),
        config = relative(&config)
    );
    Ok(())
}
