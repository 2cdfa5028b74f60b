//! `cargo xtask torture`: kills the product at every point of every callback, and checks its journal and the ledger that
//! is built from it. With `--model`, it plays random sequences of RRAS's calls against the engine instead, or with
//! `--dll` against the whole product, and compares the results with the truth.

use crate::shell::{cargo, run, target};
use crate::timing::step;
use crate::{Result, packages, windows};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Options of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options<'a> {
    rounds: Option<&'a str>,
    seed: Option<&'a str>,
    two_processes: bool,
    windows: bool,
    control: bool,
    /// Built without optimisation, which takes a quarter of the time: for few rounds.
    few: bool,
}

/// `--rounds N [--two-processes] [--windows] [--seed S]`, or `--model` with its own options.
pub fn command(words: &[&str]) -> Result {
    if let Some(at) = words.iter().position(|&word| word == "--model") {
        return model(&[&words[..at], &words[at + 1..]].concat());
    }
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        let mut value = || words.next().copied().ok_or_else(|| format!("{word} needs a number"));
        match word {
            "--rounds" => options.rounds = Some(value()?),
            "--seed" => options.seed = Some(value()?),
            "--two-processes" => options.two_processes = true,
            "--windows" => options.windows = true,
            "--control" => options.control = true,
            _ => {
                return Err(format!(
                    "torture has no option {word}: --rounds N [--two-processes] [--windows] [--seed S], or \
                     --model [--dll] [--steps N | --minutes N | --replay SEED] [--seed S] [--run-length N] [--whole] [--all]"
                ));
            }
        }
    }
    torture(options)
}

/// Runs the model of the truth: by default 10 million steps against the engine, or 20,000 against the product with
/// `--dll`.
fn model(words: &[&str]) -> Result {
    let Some(at) = words.iter().position(|&word| word == "--dll") else {
        step("building the model", || run(cargo().args(["build", "--release", "--quiet", "-p", "rasadmin-model"])))?;
        return run(Command::new(program(&target().join("release"), "rasadmin-model")).args(words));
    };
    let packages = ["-p", "rasadmin-torture", "-p", "rasadmin-dll"];
    step("building the model and the product", || run(cargo().args(["build", "--release", "--quiet"]).args(packages)))?;
    let folder = target().join("release");
    let mut command = Command::new(program(&folder, "rasadmin-torture"));
    run(command.arg("model").arg(product(&folder)).args(&words[..at]).args(&words[at + 1..]))
}

fn program(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

fn product(folder: &Path) -> PathBuf {
    folder.join(format!("{}rasadmin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))
}

/// Runs sixty rounds of either kind, and the control: part of the tests.
pub fn bounded() -> Result {
    let some = Options { rounds: Some("60"), few: true, ..Options::default() };
    torture(Options { control: true, ..some })?;
    torture(some)?;
    torture(Options { two_processes: true, ..some })
}

fn torture(options: Options<'_>) -> Result {
    let native = target().join("torture-build");
    let (profile, flags) = if options.few { ("debug", &[][..]) } else { ("release", &["--release"][..]) };
    step("building the product with the torture's hooks", || build(cargo().arg("build").args(flags), &native))?;
    let native = native.join(profile);
    // On Windows the native build is the Windows build.
    let (dll, worker) = if options.windows && !cfg!(windows) {
        packages::need(packages::WINDOWS)?;
        windows::wine()?;
        let folder = built_for_windows()?;
        (folder.join("rasadmin.dll"), Some(folder.join("rasadmin-torture.exe")))
    } else {
        (product(&native), None)
    };
    let mut command = Command::new(program(&native, "rasadmin-torture"));
    command.args(["run", "--rounds", options.rounds.unwrap_or("1000"), "--seed", options.seed.unwrap_or("1")]);
    command.arg("--dll").arg(dll);
    for (flag, given) in [("--two-processes", options.two_processes), ("--control", options.control)] {
        command.args(given.then_some(flag));
    }
    let Some(worker) = worker else { return run(&mut command) };
    command.arg("--worker").arg(worker).args(["--runner", "wine"]);
    windows::wine_environment(&mut command);
    // A server that a worker started would hold the worker's output open.
    let mut server = Command::new("wineserver");
    windows::wine_environment(&mut server);
    run(server.arg("-p").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))?;
    let mut first = windows::program("cmd");
    run(first.args(["/c", "exit"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))?;
    let result = run(&mut command);
    windows::end_wine();
    result
}

/// Builds the product with the hooks in a folder of its own: the shipped product never has them.
fn build(cargo: &mut Command, folder: &Path) -> Result {
    cargo.args(["--quiet", "-p", "rasadmin-torture", "-p", "rasadmin-dll"]);
    run(cargo.args(["--features", "rasadmin-dll/torture", "--target-dir"]).arg(folder))
}

fn built_for_windows() -> Result<PathBuf> {
    let folder = target().join("win-torture");
    step("building it for Windows (the first time std too: some minutes)", || {
        build(windows::command("build")?.arg("--release"), &folder)
    })?;
    Ok(folder.join(windows::TRIPLE).join("release"))
}
