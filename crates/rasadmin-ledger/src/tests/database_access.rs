//! Access to the database: which statements exist, and that there is no other way to the database.

use crate::queries::{self, Statement, sqlite_only};
use crate::sqlite::{Access, Database};
use crate::value::values;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_statement_has_a_name_of_its_own() {
    let all = queries::all();
    let names: BTreeSet<_> = all.iter().map(|query| query.name()).collect();
    assert!(names.len() == all.len() && names.len() > 90, "{}", names.len());
}

/// If you add a statement, its comment must say why PostgreSQL does not need it.
#[test]
fn what_only_sqlite_knows_is_this_and_no_more() {
    let names: Vec<_> = sqlite_only::ALL.iter().map(|statement| statement.name()).collect();
    assert_eq!(
        names,
        [
            "BEGIN",
            "COMMIT",
            "ROLLBACK",
            "WRITE_AHEAD",
            "SYNC_LATER",
            "SYNC_NOW",
            "TEMPORARY_IN_MEMORY",
            "LOG_LIMIT",
            "CACHE",
            "IMPORT_CACHE",
            "DATA_VERSION",
            "OVERWRITE",
            "EMPTY_LOG",
            "SCHEMA_VERSION",
            "SET_SCHEMA_VERSION",
            "ADD_ADOPTED",
            "ADD_DISCONNECT",
            "ADD_DISCONNECT_TIME",
            "ADD_DISCONNECT_WHY",
            "ADD_DISCONNECT_RULE",
            "ADD_DISCONNECT_REASON",
            "ADD_DISCONNECT_BY",
            "INDEX_DISCONNECT",
            "INDEX_RULES",
            "INDEX_DENIED_USERS",
            "ADD_SESSION_OCTETS",
            "TABLES",
            "COPY",
            "CHECK",
            "QUICK_CHECK"
        ]
    );
}

/// `Database` takes declared statements only; this test finds code that bypasses it.
#[test]
fn nothing_else_accesses_the_database() {
    fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() { files(&path, found) } else { found.push(path) }
        }
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    let mut using: Vec<_> = all
        .iter()
        .filter_map(|path| {
            path.strip_prefix(&source).ok().filter(|_| std::fs::read_to_string(path).unwrap().contains("rusqlite"))
        })
        .filter(|path| !path.starts_with("tests"))
        .collect();
    using.sort();
    assert_eq!(using, [Path::new("sqlite/database.rs"), Path::new("sqlite/row.rs")]);
}

/// SQLite treats a parameter without a value as NULL.
#[test]
fn a_statement_gets_all_its_values_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    let database = Database::open(&path, &path, Access::Make).unwrap();
    database.make_tables().unwrap();
    database.run(queries::ABOUT_ITSELF, values! { platform: "unix", ledger: "l" }).unwrap();
    assert_eq!(database.about("ledger").unwrap(), "l");
    for wrong in [values! { platform: "unix" }.as_slice(), values! { platform: "unix", legder: "l" }] {
        assert!(database.run(queries::ABOUT_ITSELF, wrong).unwrap_err().message.contains("arameter"));
    }
}

#[test]
fn a_row_that_does_not_fit_is_an_error_that_names_the_statement() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    let database = Database::open(&path, &path, Access::Make).unwrap();
    database.make_tables().unwrap();
    let text = database.one(queries::COUNTS, &[], |row| row.get::<String>(0)).unwrap_err();
    assert!(text.message.contains("(COUNTS, column 1: Integer(0)): restore a backup"), "{text}");
}
