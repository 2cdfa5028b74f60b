//! Code that does not fulfil the contract does not compile. The expected compiler messages are in tests/ui.
#![cfg(not(windows))] // trybuild calls cargo, which does not exist under Wine.

#[test]
fn what_does_not_fulfil_the_contract_does_not_compile() {
    let tests = trybuild::TestCases::new();
    tests.compile_fail("tests/ui/*.rs");
    tests.pass("tests/ui/pass/*.rs");
}
