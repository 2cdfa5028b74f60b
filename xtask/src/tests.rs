//! Every test: natively, then the same for Windows under Wine, and the account of what ran where.

use crate::shell::{cargo, create, logged, root, run, step, target};
use crate::{Result, fixtures, freeradius, packages, torture, windows};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Instant;

const NATIVE_ONLY: &str = "tests/native-only.txt";

/// Crates of pure logic: what they do is the same on every platform, so they run natively only.
const PURE: [&str; 4] = ["rasadmin-engine", "rasadmin-model", "rasadmin-history", "rasadmin-messages"];

/// Runs everything.
pub fn all() -> Result {
    let start = Instant::now();
    packages::need(&[packages::NATIVE, packages::STRACE, packages::POSTGRESQL, packages::WINDOWS].concat())?;
    freeradius::schemas()?;
    windows::product()?;
    windows::wine()?;
    step("building the admin DLLs in C", || fixtures::build().map(drop))?;
    // The DLLs that the tests load: cargo test alone does not build them.
    step("building for this machine", || run(cargo().args(["build", "--workspace", "--quiet"])))?;
    let pure = step("tests of pure logic, native", || {
        let mut command = cargo();
        command.args(["test", "--no-fail-fast"]).args(PURE.iter().flat_map(|name| ["--package", name]));
        suite("pure", &mut command)
    });
    let native = step("tests, native", || {
        let mut command = cargo();
        command.args(["test", "--workspace", "--no-fail-fast"]).args(without_pure());
        suite("native", &mut command)
    });
    let wine = if cfg!(windows) {
        // Here the native run is the Windows run.
        Ok(None)
    } else {
        step("tests, for Windows under Wine", || {
            // The release profile shares its std with the build above.
            let mut command = windows::command("test")?;
            command.args(["--release", "--workspace", "--exclude", "xtask", "--no-fail-fast"]).args(without_pure());
            // The ignored tests would change a real Windows system.
            command.args(["--", "--include-ignored"]);
            suite("wine", &mut command).map(Some)
        })
    };
    windows::end_wine();
    let (pure, native, wine) = match (pure, native, wine) {
        (Ok(pure), Ok(native), Ok(wine)) => (pure, native, wine),
        (pure, native, wine) => {
            let errors: Vec<_> = pure.err().into_iter().chain(native.err()).chain(wine.err()).collect();
            return Err(errors.join("\n"));
        }
    };
    if let Some(name) = pure.iter().find_map(|(name, &ran)| (!ran).then_some(name)) {
        return Err(format!("{name} was not run: a test of pure logic has no reason to be ignored"));
    }
    step("torture, sixty rounds of either kind", torture::bounded)?;
    let explained = account(&native, wine.as_ref())?;
    let passed = |run: &Run| run.values().filter(|&&ok| ok).count();
    let under_wine = wine.as_ref().map_or(0, passed);
    println!(
        "tests: {} native, {under_wine} of them under Wine, {} of pure logic, {explained} explained by {NATIVE_ONLY}; {:.0} s",
        passed(&native),
        pure.len(),
        start.elapsed().as_secs_f64()
    );
    println!("{} passed, 0 failed", pure.len() + passed(&native) + under_wine);
    Ok(())
}

fn without_pure() -> impl Iterator<Item = &'static str> {
    PURE.iter().flat_map(|name| ["--exclude", name])
}

/// Writes the generated pages and the snapshots anew.
pub fn bless() -> Result {
    run(cargo()
        .args(["test", "--workspace", "--quiet"])
        .env("RASADMIN_BLESS", "1")
        .env("INSTA_UPDATE", "always")
        .env("TRYBUILD", "overwrite"))
}

/// The tests of a run by name, `binary::test`: true if it ran and passed, false if it was ignored.
type Run = BTreeMap<String, bool>;

fn suite(name: &str, command: &mut Command) -> Result<Run> {
    let folder = target().join("test-logs");
    create(&folder)?;
    let log = folder.join(format!("{name}.log"));
    // A snapshot that differs is a failure, never a new file.
    command.env("INSTA_UPDATE", "no").env("RASADMIN_FIXTURES", target().join("fixtures"));
    let (ok, text) = logged(command, &log)?;
    let run = parse(&text);
    if !ok {
        print_failures(&text);
        return Err(format!("tests failed ({name}); the whole output is in {}", crate::shell::relative(&log)));
    }
    // A test program that is killed can end with success and without a result.
    let of = |what: &[&str]| text.lines().filter(|l| what.iter().any(|w| l.trim_start().starts_with(w))).count();
    let (began, ended) = (of(&["Running ", "Doc-tests "]), of(&["test result: "]));
    if run.is_empty() || began > ended {
        let log = crate::shell::relative(&log);
        return Err(format!("{began} test programs began and {ended} ended ({name}): see {log}"));
    }
    Ok(run)
}

/// Everything but the lines that say all is well.
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

fn parse(text: &str) -> Run {
    let mut run = Run::new();
    let mut binary = String::new();
    for line in text.lines() {
        if let Some(rest) = line.trim_start().strip_prefix("Running ") {
            // `unittests src/lib.rs (target/debug/deps/mprapi-0123456789abcdef)`: the name without its hash.
            let path = rest.rsplit_once('(').map_or(rest, |(_, path)| path.trim_end_matches(')'));
            let file = path.rsplit(['/', '\\']).next().unwrap_or(path).trim_end_matches(".exe");
            binary = file.rsplit_once('-').map_or(file, |(name, _)| name).to_owned();
        } else if let Some(name) = line.trim_start().strip_prefix("Doc-tests ") {
            binary = format!("{name} doc");
        } else if line.contains("[should ") {
            // trybuild's own lines, one for each file of its one test.
        } else if let Some((name, result)) = line.strip_prefix("test ").and_then(|l| l.rsplit_once(" ... ")) {
            let ran = result.starts_with("ok");
            run.insert(format!("{binary}::{}", doc_name(name)), ran);
        }
    }
    run
}

/// A doc test's name without its line number's compile mode; other names as they are.
fn doc_name(name: &str) -> String {
    name.replace('\\', "/")
}

/// What did not run under Wine must be in the list with its reason, and nothing else may be.
fn account(native: &Run, wine: Option<&Run>) -> Result<usize> {
    let path = root().join(NATIVE_ONLY);
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut listed: BTreeMap<&str, &str> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let (name, reason) = line
            .split_once(": ")
            .filter(|(_, reason)| !reason.trim().is_empty())
            .ok_or_else(|| format!("{NATIVE_ONLY}: `{line}` has no `: reason`"))?;
        listed.insert(name.trim(), reason);
    }
    let ran = |run: &Run| -> BTreeSet<String> { run.iter().filter(|(_, ok)| **ok).map(|(n, _)| n.clone()).collect() };
    let native_ran = ran(native);
    let mut skipped: BTreeSet<String> = native.keys().filter(|n| !native_ran.contains(*n)).cloned().collect();
    if let Some(wine) = wine {
        let wine_ran = ran(wine);
        skipped.extend(native_ran.difference(&wine_ran).filter(|n| !n.starts_with("xtask::")).cloned());
        skipped.extend(wine.keys().filter(|n| !wine_ran.contains(*n)).cloned());
    }
    let unexplained: Vec<_> = skipped.iter().filter(|n| !listed.contains_key(n.as_str())).cloned().collect();
    let stale: Vec<_> = listed.keys().filter(|n| !skipped.contains(**n) && wine.is_some()).collect();
    if unexplained.is_empty() && stale.is_empty() {
        return Ok(skipped.len());
    }
    let message = format!(
        "{NATIVE_ONLY} does not match what was skipped: without a reason there {unexplained:?}; listed, but not skipped \
         {stale:?}"
    );
    if std::env::var_os("CI").is_some() {
        return Err(message);
    }
    eprintln!("warning: {message}");
    Ok(skipped.len() - unexplained.len())
}
