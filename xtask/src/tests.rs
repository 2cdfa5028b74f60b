//! `cargo xtask test`: every test natively, the same for Windows under Wine, and the check of what ran where.

mod lists;
mod programs;
mod results;

use crate::shell::{cargo, create, logged, output, relative, root, run, target};
use crate::timing::{self, step};
use crate::{Result, axe, disk, fixtures, freeradius, packages, schemathesis, shipped, torture, windows};
use lists::{NATIVE_ONLY, NOT_QUICK};
use programs::{Program, Queue};
use results::{Run, Tests};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Instant;

/// Crates of pure logic: what they do is the same on every platform, so they run natively only.
const PURE: [&str; 4] = ["rasadmin-engine", "rasadmin-model", "rasadmin-history", "rasadmin-messages"];

/// How many of the slowest test programs the table at the end names.
const SLOWEST: usize = 10;

/// Runs everything. The native tests and those under Wine run at the same time: neither keeps two cores busy alone.
/// What is left for Wine when the native tests are done, both threads run.
pub fn all() -> Result {
    let start = Instant::now();
    disk::require_space()?;
    let programs = [packages::STRACE, packages::POSTGRESQL, packages::PROMETHEUS, packages::SYSTEMD];
    packages::need(&[packages::NATIVE, &programs.concat(), packages::WINDOWS].concat())?;
    packages::browser()?;
    if !cfg!(windows) {
        // Both threads below need it: install it before them.
        packages::windows_rust()?;
    }
    freeradius::schemas()?;
    axe::script()?;
    schemathesis::program()?;
    step("building the admin DLLs in C", || fixtures::build().map(drop))?;
    windows::wine()?;
    windows::clear_temporary();
    // On Windows the native run is the Windows run.
    let second_prefix = if cfg!(windows) { None } else { Some(windows::copy_prefix()?) };
    let queue = Queue::new();
    let (here, wine) = std::thread::scope(|scope| {
        let wine = second_prefix.is_some().then(|| scope.spawn(|| under_wine(&queue)));
        let here = Native::run();
        let rest =
            second_prefix.map(|prefix| step("tests, for Windows under Wine, beside the others", || queue.run(&prefix)));
        let wine = wine.map(|thread| thread.join().unwrap_or_else(|_| Err("the run under Wine panicked".to_owned())));
        (here, wine.zip(rest).map(|(first, rest)| joined(first, rest)))
    });
    windows::end_wine();
    windows::clear_temporary();
    let mut errors = here.errors;
    let wine = match wine {
        Some(Ok(run)) => Some(run),
        Some(Err(error)) => {
            errors.push(error);
            None
        }
        None => None,
    };
    let runs = [("native", &here.tests), ("Wine", &wine)];
    let runs: Vec<(&str, &Run)> = runs.iter().filter_map(|(name, run)| Some((*name, run.as_ref()?))).collect();
    println!("\nwhat took how long; native and Wine at the same time:\n\n{}", timing::table());
    println!("the slowest test programs:\n\n{}", results::slowest(&runs, SLOWEST));
    if let Some(summary) = disk::summary() {
        println!("target holds {summary}");
    }
    let seconds = start.elapsed().as_secs_f64();
    let (Some(tests), []) = (&here.tests, &errors[..]) else {
        return Err(format!("{}\nafter {seconds:.0} s", errors.join("\n")));
    };
    let (pure, native) = tests.split(&here.pure);
    if let Some(name) = pure.iter().find_map(|(name, &ran)| (!ran).then_some(name)) {
        return Err(format!("{name} was not run: a test of pure logic has no reason to be ignored"));
    }
    let explained = account(&native, wine.as_ref())?;
    not_quick_is_current(tests)?;
    let under_wine = wine.as_ref().map_or(0, Run::passed);
    println!(
        "tests: {} native, {under_wine} of them under Wine, {} of pure logic, {explained} explained by {NATIVE_ONLY}; \
         {seconds:.0} s",
        tests.passed() - pure.len(),
        pure.len(),
    );
    println!("{} passed, 0 failed", tests.passed() + under_wine);
    Ok(())
}

/// Runs the native tests, without those that tests/not-quick.txt lists.
pub fn quick() -> Result {
    let start = Instant::now();
    disk::require_space()?;
    packages::need(&[packages::NATIVE, packages::WINDOWS].concat())?;
    freeradius::schemas()?;
    step("building the admin DLLs in C", || fixtures::build().map(drop))?;
    windows::wine()?;
    step("building for this machine", build)?;
    let left_out = lists::read(NOT_QUICK)?;
    let result = step("tests, native", || {
        let mut command = cargo();
        command.args(["test", "--workspace", "--no-fail-fast", "--", "--exact"]);
        command.args(left_out.keys().flat_map(|name| ["--skip", lists::without_binary(name)]));
        suite("quick", &mut command)
    });
    println!("\nwhat took how long:\n\n{}", timing::table());
    let run = result?;
    println!("the slowest test programs:\n\n{}", results::slowest(&[("native", &run)], SLOWEST));
    println!("left out; `cargo xtask test` runs it:\n");
    for (reason, count) in reasons(&left_out) {
        println!("  {count:>3}  {reason}");
    }
    println!("       all tests for Windows under Wine, and the torture of the product\n");
    println!("{} passed, 0 failed; {:.0} s", run.passed(), start.elapsed().as_secs_f64());
    Ok(())
}

/// The reasons of a list, and how many tests each has.
fn reasons(list: &BTreeMap<String, String>) -> BTreeMap<&str, usize> {
    let mut reasons = BTreeMap::new();
    for reason in list.values() {
        *reasons.entry(reason.as_str()).or_default() += 1;
    }
    reasons
}

/// The runs on this machine itself.
#[derive(Default)]
struct Native {
    tests: Option<Run>,
    /// The test programs of the pure crates.
    pure: BTreeSet<String>,
    errors: Vec<String>,
}

impl Native {
    fn run() -> Self {
        let mut all = Self::default();
        match step("building for this machine", build) {
            Ok(pure) => all.pure = pure,
            Err(error) => {
                all.errors.push(error);
                return all;
            }
        }
        all.tests = all
            .keep(step("tests, native", || suite("native", cargo().args(["test", "--workspace", "--no-fail-fast"]))));
        all.keep(step("torture, sixty rounds of either kind", torture::bounded));
        all
    }

    /// The result of a step; an error is added to the others.
    fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }
}

/// Builds the DLLs that the tests load, which `cargo test` alone does not, and all tests, with the same features of
/// dependencies; returns the test programs of the pure crates.
fn build() -> Result<BTreeSet<String>> {
    let mut command = cargo();
    command.args(["build", "--workspace", "--all-targets", "--quiet", "--message-format=json-render-diagnostics"]);
    let compiler_says =
        |text: String| text.lines().filter(|line| !line.starts_with('{')).collect::<Vec<_>>().join("\n");
    let text = output(&mut command).map_err(compiler_says)?;
    Ok(text.lines().filter_map(results::built).filter(|(package, _)| PURE.contains(package)).map(|(_, p)| p).collect())
}

/// Builds the product and the tests for Windows, and runs the tests under Wine.
fn under_wine(queue: &Queue) -> Result<(bool, String)> {
    // The other thread waits for programs, also if there is nothing to run.
    let _end = queue.end_when_dropped();
    let folder = windows::product()?;
    let programs = step("building the tests for Windows", test_programs)?;
    windows::product_beside_tests(&folder)?;
    queue.fill(programs);
    let printed = step("tests, for Windows under Wine", || queue.run(&windows::prefix()))?;
    step("the shipped files and their debug files", || shipped::check(&folder))?;
    Ok(printed)
}

/// The test programs for Windows, and the doc tests.
fn test_programs() -> Result<Vec<Program>> {
    let command = || -> Result<Command> {
        let mut command = windows::command("test")?;
        command.args(["--workspace", "--exclude", "xtask", "--no-fail-fast"]).args(without_pure());
        Ok(command)
    };
    let text = output(command()?.args(["--no-run", "--quiet", "--message-format=json-render-diagnostics"]))?;
    let mut docs = command()?;
    // The ignored tests would change a real Windows system.
    docs.args(["--doc", "--", "--include-ignored"]);
    let (mut programs, others): (Vec<_>, Vec<_>) = text.lines().filter_map(Program::built).partition(Program::is_long);
    programs.push(Program::of_cargo(docs));
    programs.extend(others);
    Ok(programs)
}

/// What the two threads' test programs printed, as one run.
fn joined(first: Result<(bool, String)>, rest: Result<(bool, String)>) -> Result<Run> {
    let ((first_ok, first), (rest_ok, rest)) = (first?, rest?);
    judge("wine", first_ok && rest_ok, &format!("{first}\n{rest}"))
}

fn without_pure() -> impl Iterator<Item = &'static str> {
    PURE.iter().flat_map(|name| ["--exclude", name])
}

/// Regenerates the generated pages and the snapshots.
pub fn bless() -> Result {
    run(cargo()
        .args(["test", "--workspace", "--quiet"])
        .env("RASADMIN_BLESS", "1")
        .env("INSTA_UPDATE", "always")
        .env("TRYBUILD", "overwrite"))
}

/// Takes the pictures of the dashboard again.
pub fn screenshots() -> Result {
    run(test_environment(cargo().args(["test", "--quiet", "-p", "rasadmin-cli", "--test", "dashboard_pictures"]))
        .env("RASADMIN_TAKE_PICTURES", "1"))
}

fn suite(name: &str, command: &mut Command) -> Result<Run> {
    let (ok, text) = logged(test_environment(command), &root())?;
    judge(name, ok, &text)
}

/// What every test program finds in its environment.
fn test_environment(command: &mut Command) -> &mut Command {
    // A snapshot that differs is a failure, never a new file.
    command.env("INSTA_UPDATE", "no").env("RASADMIN_FIXTURES", target().join("fixtures"))
}

/// Keeps what tests printed, and reads it.
fn judge(name: &str, ok: bool, text: &str) -> Result<Run> {
    let log = target().join("test-logs").join(format!("{name}.log"));
    // A full disk must not hide what the tests found.
    let written = create(&target().join("test-logs"))
        .and_then(|()| std::fs::write(&log, text).map_err(|e| format!("{}: {e}", relative(&log))));
    let place = match &written {
        Ok(()) => format!("the whole output is in {}", relative(&log)),
        Err(error) => format!("the output was not written ({error})"),
    };
    let run = Run::parse(text);
    if !ok {
        print_failures(text);
        return Err(format!("tests failed ({name}); {place}"));
    }
    if written.is_err() {
        eprintln!("warning: {place}; what the tests found is complete");
    }
    // A test program that is killed can end with success and without a result.
    if run.tests.is_empty() || run.began > run.programs.len() {
        return Err(format!("{} test programs began and {} ended ({name}); {place}", run.began, run.programs.len()));
    }
    Ok(run)
}

/// Prints everything except the lines of tests that passed.
fn print_failures(text: &str) {
    for line in text.lines() {
        let fine = line.ends_with("... ok") || line.ends_with("... ignored") || line.starts_with("test result: ok");
        let noise =
            ["running ", "   Compiling", "     Running", "   Doc-tests", " Downloaded", "    Finished", "all doctests"];
        if !fine && !noise.iter().any(|start| line.starts_with(start)) && !line.trim().is_empty() {
            eprintln!("{line}");
        }
    }
}

/// Checks that the list has exactly the tests that did not run under Wine; returns how many.
fn account(native: &Tests, wine: Option<&Run>) -> Result<usize> {
    let listed = lists::read(NATIVE_ONLY)?;
    let ran =
        |tests: &Tests| -> BTreeSet<String> { tests.iter().filter(|(_, ok)| **ok).map(|(n, _)| n.clone()).collect() };
    let native_ran = ran(native);
    let mut skipped: BTreeSet<String> = native.keys().filter(|n| !native_ran.contains(*n)).cloned().collect();
    if let Some(wine) = wine {
        let wine_ran = ran(&wine.tests);
        skipped.extend(native_ran.difference(&wine_ran).filter(|n| !n.starts_with("xtask::")).cloned());
        skipped.extend(wine.tests.keys().filter(|n| !wine_ran.contains(*n)).cloned());
    }
    let unexplained: Vec<_> = skipped.iter().filter(|n| !listed.contains_key(n.as_str())).cloned().collect();
    let stale: Vec<_> = listed.keys().filter(|n| !skipped.contains(*n) && wine.is_some()).collect();
    if unexplained.is_empty() && stale.is_empty() {
        return Ok(skipped.len());
    }
    warn_or_fail(format!(
        "{NATIVE_ONLY} does not match what was skipped: without a reason there {unexplained:?}; listed, but not skipped \
         {stale:?}"
    ))?;
    Ok(skipped.len() - unexplained.len())
}

/// Every test that `--quick` leaves out must exist.
fn not_quick_is_current(native: &Run) -> Result {
    let listed = lists::read(NOT_QUICK)?;
    let stale: Vec<_> = listed.keys().filter(|name| !native.tests.contains_key(*name)).collect();
    if stale.is_empty() || cfg!(windows) {
        return Ok(());
    }
    warn_or_fail(format!("{NOT_QUICK} lists tests that do not exist: {stale:?}"))
}

/// A warning, or an error in CI.
fn warn_or_fail(message: String) -> Result {
    if std::env::var_os("CI").is_some() {
        return Err(message);
    }
    eprintln!("warning: {message}");
    Ok(())
}
