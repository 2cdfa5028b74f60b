//! `cargo xtask bench`: reports what a session costs, compared with six bare appends and with FreeRADIUS. It has no limits
//! that could fail.

mod freeradius;
pub mod import;
mod postgres;
mod rates;
pub mod service;

use crate::shell::{cargo, create, has, relative, run, target};
use crate::timing::step;
use crate::{Result, packages, windows};
use std::process::Command;

/// `cargo xtask bench --dashboard`: how long the dashboard's pages take over a large ledger.
pub fn dashboard(options: &[&str]) -> Result {
    let sessions = match options {
        [] => None,
        ["--sessions", number] if number.parse::<u64>().is_ok() => Some(number),
        _ => return Err("bench --dashboard takes only --sessions N".to_owned()),
    };
    let mut command = cargo();
    command.args(["run", "--release", "--quiet", "-p", "rasadmin-web", "--example", "page_cost", "--"]);
    run(command.args(sessions))
}

/// Natively, and with `--windows` under Wine.
pub fn bench(for_windows: bool) -> Result {
    let packages = ["-p", "rasadmin-dll", "-p", "rasadmin-recorder", "--lib", "--example", "session_cost"];
    if for_windows {
        step("building the product and the benchmark for Windows", || {
            run(windows::command("build")?.args(["--release", "--quiet"]).args(packages))
        })?;
        windows::wine()?;
        let release = windows::built();
        let program = release.join("examples").join("session_cost.exe");
        let result = run(windows::program(&relative(&program)).arg(relative(&release.join("rasadmin.dll"))));
        windows::end_wine();
        return result;
    }
    step("building the product and the benchmark", || {
        run(cargo().args(["build", "--release", "--quiet"]).args(packages))
    })?;
    let release = target().join("release");
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let program = release.join("examples").join(format!("session_cost{}", std::env::consts::EXE_SUFFIX));
    let rates = target().join("bench").join("rates");
    create(&target().join("bench"))?;
    let _ = std::fs::remove_file(&rates); // The program appends to it.
    let dll = release.join(format!("{prefix}rasadmin{suffix}"));
    run(Command::new(program).arg(dll).env("SESSION_COST_RATES", &rates))?;
    if cfg!(target_os = "linux") && has("apt-get") {
        packages::need(packages::POSTGRESQL)?;
        freeradius::compare(&rates::Rates::read(&rates)?)?;
    } else {
        println!("\nFreeRADIUS is not measured: its packages come from Debian or Ubuntu");
    }
    for (what, package, example) in [
        ("many users and live sessions, without syncs", "rasadmin-recorder", "scale"),
        ("the state machine, without the journal", "rasadmin-engine", "call_cost"),
        ("a decision of the rules", "rasadmin-policy", "decide_cost"),
        ("a line of a members file; a good one should cost less than 0.5 µs", "rasadmin-policy", "members_cost"),
    ] {
        println!("\n{what}\n");
        run(cargo().args(["run", "--release", "--quiet", "-p", package, "--example", example]))?;
    }
    Ok(())
}
