//! What libtest's output says: which tests ran, and how long each test program took.

use std::collections::{BTreeMap, BTreeSet};

/// Tests by name, `binary::test`: true if it ran and passed, false if it was ignored or failed.
pub type Tests = BTreeMap<String, bool>;

/// A run of `cargo test`.
#[derive(Debug, Default, PartialEq)]
pub struct Run {
    pub tests: Tests,
    /// The file of the program that has each test; for a doc test, the name of its crate.
    files: BTreeMap<String, String>,
    /// Seconds that each test program took, and its name with its source.
    pub programs: Vec<(f64, String)>,
    /// How many test programs began.
    pub began: usize,
}

impl Run {
    /// Reads the output of `cargo test`.
    pub fn parse(text: &str) -> Self {
        let mut run = Self::default();
        let (mut binary, mut program, mut file) = (String::new(), String::new(), "");
        for line in text.lines() {
            let line_start = line.trim_start();
            if let Some(rest) = line_start.strip_prefix("Running ") {
                // `unittests src/lib.rs (target/debug/deps/mprapi-0123456789abcdef)`: the name without its hash.
                let (source, path) = rest.rsplit_once(" (").unwrap_or(("", rest));
                file = file_name(path.trim_end_matches(')'));
                binary = file.rsplit_once('-').map_or(file, |(name, _)| name).to_owned();
                program = format!("{binary} ({})", source.trim_start_matches("unittests "));
                run.began += 1;
            } else if let Some(name) = line_start.strip_prefix("Doc-tests ") {
                binary = format!("{name} doc");
                program = binary.clone();
                file = name;
                run.began += 1;
            } else if line.contains("[should ") {
                // trybuild's own lines, one for each file of its one test.
            } else if let Some((name, result)) = result_of_test(line) {
                let name = format!("{binary}::{}", name.replace('\\', "/"));
                run.files.insert(name.clone(), file.to_owned());
                run.tests.insert(name, result.starts_with("ok"));
            } else if line_start.starts_with("test result: ") {
                let seconds =
                    line.rsplit_once("finished in ").and_then(|(_, time)| time.trim_end_matches('s').parse().ok());
                run.programs.push((seconds.unwrap_or(0.0), program.clone()));
            }
        }
        run
    }

    /// The tests of some programs, and the others.
    pub fn split(&self, programs: &BTreeSet<String>) -> (Tests, Tests) {
        let tests = self.tests.iter().map(|(name, &ok)| (name.clone(), ok));
        tests.partition(|(name, _)| self.files.get(name).is_some_and(|file| programs.contains(file)))
    }

    /// How many tests passed.
    pub fn passed(&self) -> usize {
        self.tests.values().filter(|&&ok| ok).count()
    }
}

/// The name and the result of a test, from libtest's line. What a program wrote without an end of line, to a standard
/// error that nobody captured, stands before it.
fn result_of_test(line: &str) -> Option<(&str, &str)> {
    let ends = ["ok", "FAILED", "ignored"].iter().filter_map(|result| line.find(&format!(" ... {result}")));
    let (name, result) = line.split_at(ends.min()?);
    let result = result.trim_start_matches(" ... ");
    let name = name.strip_prefix("test ").or_else(|| Some(name.rsplit_once("test ")?.1))?;
    Some((name, result))
}

/// The name of a program's file, without its folder and `.exe`.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path).trim_end_matches(".exe")
}

/// The package and the file of a test program, from a line that `cargo build --message-format=json` prints; for a
/// library, its crate's name, which its doc tests have.
pub fn built(line: &str) -> Option<(&str, String)> {
    if value(line, "reason")? != "compiler-artifact" {
        return None;
    }
    // `path+file:///…/crates/rasadmin-engine#0.1.0`
    let package = value(line, "package_id")?.rsplit_once('#')?.0.rsplit('/').next()?;
    match value(line, "executable") {
        Some(program) => Some((package, file_name(program).to_owned())),
        None => Some((package, package.replace('-', "_"))),
    }
}

/// The text of a key in a line of JSON that cargo prints.
pub fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.split_once(&format!("\"{key}\":\""))?.1.split_once('"').map(|(value, _)| value)
}

/// The slowest test programs of some runs, as the lines of a table.
pub fn slowest(runs: &[(&str, &Run)], count: usize) -> String {
    let mut all: Vec<(f64, &str, &str)> = runs
        .iter()
        .flat_map(|(name, run)| run.programs.iter().map(|(seconds, program)| (*seconds, *name, program.as_str())))
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    all.truncate(count);
    all.iter().map(|(seconds, run, program)| format!("{seconds:>7.0} s  {run}: {program}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "
     Running unittests src/lib.rs (target/debug/deps/mprapi-ee31285808ad7d65)

running 2 tests
test table::tests::it_is_whole ... ok
test table::tests::later ... ignored, it takes an hour ... or two

test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.52s

     Running tests/check.rs (target\\debug\\deps\\check-5f216a3271b32e34.exe)
test it_hangs ... FAILED
  there is no time zone `Berlin`test questions::they_are_asked ... ok
a test of one more ... kind
test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 251.74s

   Doc-tests mprapi
test crates/mprapi/src/lib.rs - Row (line 3) ... ok
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    #[test]
    fn programs_are_found_in_what_cargo_prints() {
        let line = |executable: &str| {
            format!(
                "{{\"reason\":\"compiler-artifact\",\"package_id\":\"path+file:///a/crates/rasadmin-engine#0.1.0\",\
                 \"target\":{{\"kind\":[\"test\"],\"name\":\"late\"}},\"executable\":{executable},\"fresh\":true}}"
            )
        };
        let program = line("\"/a/target/debug/deps/late-87ca44127c076b52\"");
        assert_eq!(built(&program), Some(("rasadmin-engine", "late-87ca44127c076b52".to_owned())));
        assert_eq!(built(&line("null")), Some(("rasadmin-engine", "rasadmin_engine".to_owned())));
        assert_eq!(built("{\"reason\":\"build-finished\",\"success\":true}"), None);
    }

    #[test]
    fn tests_and_times_are_read() {
        let run = Run::parse(OUTPUT);
        assert_eq!((run.began, run.programs.len(), run.passed()), (3, 3, 3));
        let expected = [
            ("check::it_hangs", false),
            ("check::questions::they_are_asked", true),
            ("mprapi doc::crates/mprapi/src/lib.rs - Row (line 3)", true),
            ("mprapi::table::tests::it_is_whole", true),
            ("mprapi::table::tests::later", false),
        ];
        let (some, others) = run.split(&["mprapi".to_owned(), "check-5f216a3271b32e34".to_owned()].into());
        assert_eq!((some.len(), others.len()), (3, 2), "the doc test and the program's: {some:?}");
        assert_eq!(run.tests, expected.map(|(name, ok)| (name.to_owned(), ok)).into());
        assert_eq!(
            slowest(&[("wine", &run)], 2),
            "    252 s  wine: check (tests/check.rs)\n      1 s  wine: mprapi (src/lib.rs)\n"
        );
    }
}
