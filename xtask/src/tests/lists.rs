//! The lists of tests that are left out, each with its reason: under Wine, and by `--quick`.

use crate::Result;
use crate::shell::root;
use std::collections::BTreeMap;

/// Tests that cannot run under Wine.
pub const NATIVE_ONLY: &str = "tests/native-only.txt";
/// Tests that `cargo xtask test --quick` leaves out.
pub const NOT_QUICK: &str = "tests/not-quick.txt";

/// Reads a list: `binary::test: reason`, one per line, with `#` before a comment.
pub fn read(file: &str) -> Result<BTreeMap<String, String>> {
    let path = root().join(file);
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    parse(file, &text)
}

fn parse(file: &str, text: &str) -> Result<BTreeMap<String, String>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, reason) = line
                .split_once(": ")
                .filter(|(_, reason)| !reason.trim().is_empty())
                .ok_or_else(|| format!("{file}: `{line}` has no `: reason`"))?;
            Ok((name.trim().to_owned(), reason.trim().to_owned()))
        })
        .collect()
}

/// The name of a test as its own program knows it.
pub fn without_binary(name: &str) -> &str {
    name.split_once("::").map_or(name, |(_, test)| test)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_reason() {
        let list = parse("list", "# why\n\nbinary::module::test: it takes a minute\n").unwrap();
        assert_eq!(list, [("binary::module::test".to_owned(), "it takes a minute".to_owned())].into());
        assert!(parse("list", "binary::test:\n").unwrap_err().contains("has no `: reason`"));
        assert_eq!(without_binary("binary::module::test"), "module::test");
    }
}
