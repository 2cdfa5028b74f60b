//! examples/c-minimal and the contract.
#![allow(clippy::unwrap_used)]

const SOURCE: &str = include_str!("../../../examples/c-minimal/minimal.c");
const EXPORTS: &str = include_str!("../../../examples/c-minimal/minimal.def");

#[test]
fn its_callbacks_table_is_the_contracts() {
    let table = mprapi::c_callbacks_table();
    assert!(SOURCE.replace("\r\n", "\n").contains(&table), "minimal.c must have this table:\n{table}");
}

#[test]
fn its_exports_are_functions_of_the_contract() {
    let names: Vec<_> = EXPORTS.lines().filter_map(|line| line.split_once(" = ")).collect();
    assert_eq!(names.len(), 7);
    for (name, function) in names {
        assert!(mprapi::FunctionId::from_export(name.trim()).is_some(), "{name}");
        assert!(SOURCE.contains(&format!("APIENTRY {function}(")), "{function}");
    }
}
