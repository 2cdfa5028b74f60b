//! Compares every structure, field by field, with mprapi.h as mingw compiles it.
//!
//! Both sides list every field. The Rust side (`mprapi::layout`) destructures each structure without `..`, so a missing
//! field does not compile. The comparison goes both ways, so neither side can have a field that the other lacks.

use mprapi::contract::FUNCTIONS;
use mprapi::layout::structures;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// `STRUCTURE field` to (offset, size); `STRUCTURE -` to (0, size of the whole).
type Layout = BTreeMap<String, (usize, usize)>;

fn rust_layout() -> Layout {
    let mut layout = Layout::new();
    for structure in structures() {
        layout.insert(format!("{} -", structure.name), (0, structure.size));
        for field in structure.fields {
            layout.insert(format!("{} {}", structure.name, field.name), (field.offset, field.size));
        }
    }
    layout
}

/// Runs the C host. It is a Windows program, so on other platforms it runs under Wine.
fn chost() -> Command {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let default = workspace.join("target/fixtures");
    let fixtures = std::env::var_os("RASADMIN_FIXTURES").map_or(default, PathBuf::from);
    let program = fixtures.join("windows").join("chost.exe");
    assert!(program.is_file(), "{} is missing: run `cargo xtask fixtures`", program.display());
    if cfg!(windows) {
        return Command::new(program);
    }
    let mut wine = Command::new("wine");
    wine.arg(program).env("WINEDEBUG", "-all");
    // If Wine creates its prefix now, it must not ask whether to install Mono and Gecko.
    let defaults = [
        ("WINEPREFIX", workspace.join("target/wine").into_os_string()),
        ("WINEDLLOVERRIDES", "mscoree,mshtml=".into()),
    ];
    for (name, value) in defaults {
        if std::env::var_os(name).is_none() {
            wine.env(name, value);
        }
    }
    wine
}

fn c_layout() -> Layout {
    let output = chost().arg("--layout").output().expect("chost runs (under Wine)");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text.lines()
        .map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            let [structure, field, offset, size] = words[..] else { panic!("chost printed `{line}`") };
            let number = |text: &str| text.parse().expect("a number");
            (format!("{structure} {field}"), (number(offset), number(size)))
        })
        .collect()
}

/// Removes a structure's lines from the layout, and returns them by field name.
fn take(layout: &mut Layout, structure: &str) -> Layout {
    let prefix = format!("{structure} ");
    layout
        .extract_if(.., |name, _| name.starts_with(&prefix))
        .map(|(name, place)| (name[prefix.len()..].to_owned(), place))
        .collect()
}

/// The differences between the two sides, one per line.
fn differences(rust: &Layout, c: &Layout) -> Vec<String> {
    let names: BTreeSet<_> = rust.keys().chain(c.keys()).collect();
    let differs = names.into_iter().filter(|&name| rust.get(name) != c.get(name));
    differs.map(|name| format!("{name}: Rust {:?}, C {:?}", rust.get(name), c.get(name))).collect()
}

#[test]
fn every_field_lies_where_c_puts_it() {
    let (mut rust, mut c) = (rust_layout(), c_layout());
    take(&mut rust, "MPRAPI_ADMIN_DLL_CALLBACKS");
    take(&mut c, "MPRAPI_ADMIN_DLL_CALLBACKS");
    take(&mut c, "CALLBACKS");
    assert_eq!(differences(&rust, &c), [""; 0]);
    assert!(rust.len() > 200, "{} fields", rust.len());
}

/// The one exception: mingw's mprapi.h lacks two of the table's twelve pointers (R-STRUCT-3). Otherwise the table is the
/// same. If the header gains the two, this test fails.
#[test]
fn mingws_table_lacks_exactly_two_pointers() {
    let rust = take(&mut rust_layout(), "MPRAPI_ADMIN_DLL_CALLBACKS");
    let mut c = take(&mut c_layout(), "MPRAPI_ADMIN_DLL_CALLBACKS");
    assert_eq!((rust["-"], c["-"]), ((0, 104), (0, 104 - 2 * 8)));
    let lacks = [("lpfnRasAdminAcceptEndpointChangeEx", 72), ("lpfnRASValidatePreAuthenticatedConnectionEx", 96)];
    // The layout with the two pointers in their places.
    for (field, at) in lacks {
        for (offset, _) in c.values_mut().filter(|(offset, _)| *offset >= at) {
            *offset += 8;
        }
        assert_eq!(c.insert(field.to_owned(), (at, 8)), None, "mingw's table has {field}");
    }
    c.insert("-".to_owned(), rust["-"]);
    assert_eq!(differences(&rust, &c), [""; 0]);
}

/// Compares the table that the fixtures and the C host use with the contract's slots.
#[test]
fn the_fixtures_table_is_the_contracts() {
    let c = take(&mut c_layout(), "CALLBACKS");
    let slots = FUNCTIONS.iter().filter_map(|f| Some((format!("{:?}", f.id), (8 + 8 * f.slot?, 8))));
    let whole = [("-".to_owned(), (0, 104)), ("revision".to_owned(), (0, 1))];
    assert_eq!(differences(&slots.chain(whole).collect(), &c), [""; 0]);
}

#[test]
fn the_sizes_are_those_that_windows_passes() {
    let rust = rust_layout();
    let sizes = [
        ("RAS_CONNECTION_0", 1128),
        ("RAS_CONNECTION_1", 296),
        ("RAS_CONNECTION_2", 848),
        ("RAS_CONNECTION_3", 792),
        ("RAS_CONNECTION_EX", 1672),
        ("RAS_PORT_0", 392),
        ("RAS_PORT_1", 72),
        ("MPRAPI_ADMIN_DLL_CALLBACKS", 104),
    ];
    for (structure, size) in sizes {
        assert_eq!(rust[&format!("{structure} -")], (0, size), "{structure}");
    }
    assert_eq!(rust["AUTH_VALIDATION_EX AuthInfo"], (568, 1));
}
