//! How values look: tables, durations, counts, paths.

use crate::error::{CommandError, Result};
use comfy_table::{CellAlignment, ContentArrangement, Table};
pub use rasadmin_answers::show::grouped;
use std::path::{Path, PathBuf};

/// A table without lines: space separates the columns, and all but the first are numbers, aligned to the right.
pub fn numbers(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().copied());
    table.add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if index == 0 { 2 } else { 1 }, 1));
        if index > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// A table of texts, aligned to the left.
pub fn texts(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().copied());
    // A user's name is the user's choice: a control character must not reach the terminal.
    let printable = |cell: String| rasadmin_text::printable(&cell).into_owned();
    table.add_rows(rows.into_iter().map(|row| row.into_iter().map(printable).collect::<Vec<_>>()));
    table.column_iter_mut().for_each(|column| {
        column.set_padding((2, 0));
    });
    table.trim_fmt()
}

/// A duration for people: `840 ns`, `5.1 us`, `1.2 ms`, `3.4 s`.
pub fn duration(ns: u64) -> String {
    let ns = ns as f64;
    match ns {
        _ if ns < 1e3 => format!("{ns:.0} ns"),
        _ if ns < 1e6 => format!("{:.1} us", ns / 1e3),
        _ if ns < 1e9 => format!("{:.1} ms", ns / 1e6),
        _ => format!("{:.1} s", ns / 1e9),
    }
}

/// A DLL's path as the loader wants it: absolute, since a relative one would be looked for in the system's folders.
pub fn dll_file(path: &Path) -> Result<PathBuf> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(CommandError::file(path, "it is a directory: name the DLL in it")),
        Ok(_) => crate::context::absolute(path),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err(CommandError::file(path, "the file does not exist: check the path"))
        }
        Err(e) => Err(CommandError::file(path, format!("it cannot be read: {e}"))),
    }
}

/// A path as people write it: relative to the current folder, if it is in there.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let shown = here.as_ref().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
    rasadmin_text::printable_path(shown).to_string()
}

/// A count and its noun: `1 link`, `3 links`, `2 addresses`, `2 anomalies`.
pub fn count<N: PartialEq + From<u8> + std::fmt::Display>(n: N, noun: &str) -> String {
    if n == N::from(1) {
        return format!("1 {noun}");
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o']) => format!("{n} {stem}ies"),
        _ if noun.ends_with('s') => format!("{n} {noun}es"),
        _ => format!("{n} {noun}s"),
    }
}

/// `1 record`, `1,204 records`.
pub fn records(n: u64) -> String {
    format!("{} {}", grouped(n), if n == 1 { "record" } else { "records" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_from_where_people_are() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(shown(&here.join("x.dll")), "x.dll");
        assert_eq!(shown(&here.with_file_name("y.dll")), here.with_file_name("y.dll").display().to_string());
    }

    #[test]
    fn thousands_are_apart() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([1, 1_204].map(records), ["1 record", "1,204 records"]);
    }

    #[test]
    fn one_is_singular() {
        let all = ["link", "address", "anomaly", "day"].map(|noun| [0, 1, 2].map(|n| count(n, noun)).join(", "));
        assert_eq!(
            all,
            [
                "0 links, 1 link, 2 links",
                "0 addresses, 1 address, 2 addresses",
                "0 anomalies, 1 anomaly, 2 anomalies",
                "0 days, 1 day, 2 days"
            ]
        );
    }

    #[test]
    fn durations_have_a_unit_that_fits() {
        let all: Vec<_> = [0, 999, 1_000, 5_120, 1_250_000, 3_400_000_000].into_iter().map(duration).collect();
        assert_eq!(all, ["0 ns", "999 ns", "1.0 us", "5.1 us", "1.2 ms", "3.4 s"]);
    }

    #[test]
    fn numbers_are_aligned_to_the_right() {
        let table = numbers(&["function", "calls"], [vec!["a".into(), "7".into()], vec!["bcd".into(), "1234".into()]]);
        let lines: Vec<_> = table.lines().map(str::trim_end).collect();
        assert_eq!(lines, ["  function  calls", "  a             7", "  bcd        1234"]);
    }
}
