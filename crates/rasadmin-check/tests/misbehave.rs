//! Each dynamic check finds its own kind of misbehaviour, and no other check does.
#![allow(clippy::unwrap_used)]

mod common;

use common::{found, impatient, misbehave, options, report};
use rasadmin_check::{Check, Culprit, Options, Outcome, Report};

/// The report about a DLL that misbehaves in this way.
fn misbehaving(how: &str, options: Options) -> Report {
    let path = misbehave();
    let options = Options {
        cycles: 60,
        environment: vec![("RASADMIN_MISBEHAVE".into(), how.into()), ("RASADMIN_SELF".into(), path.clone().into())],
        ..options
    };
    report(&path, &options)
}

/// Asserts that the only finding is of this check, and contains this text.
fn only(how: &str, check: Check, outcome: Outcome, expected: &str) -> Report {
    let report = misbehaving(how, options());
    let text = report.render(100, false);
    assert_eq!(found(&report), [(check, outcome)], "{how}\n{text}");
    let finding = report.finding(check).unwrap();
    assert!(finding.message.contains(expected), "{how}: {}", finding.message);
    assert_eq!(finding.problem.as_ref().unwrap().culprit, Culprit::Dll);
    assert_eq!(report.exit_code(), 1);
    report
}

#[test]
fn a_good_dll_passes_every_check() {
    let report = misbehaving("", options());
    assert_eq!(found(&report), [], "{}", report.render(100, false));
    assert_eq!(report.count(Outcome::Skipped), 0);
    assert_eq!(report.exit_code(), 0);
    assert_eq!((report.facts.revision, report.facts.ikev2), (Some(2), Some(true)));
}

#[test]
fn an_array_read_beyond_its_end() {
    only("unterminated", Check::UnterminatedArrays, Outcome::Fail, "MprAdminAcceptNewLink with RAS_PORT_0.");
}

#[test]
fn a_name_copied_without_checking_its_length() {
    only("copies-names", Check::LongUserName, Outcome::Fail, "with a user name of 64 KiB");
}

#[test]
fn a_size_that_is_trusted() {
    only("trusts-size", Check::UnknownHeaders, Outcome::Fail, "RAS_CONNECTION_EX.size = 1673");
}

#[test]
fn an_enumeration_that_is_trusted() {
    only("trusts-enumerations", Check::RandomStructures, Outcome::Fail, "seed 1");
}

#[test]
fn addresses_that_never_come_back() {
    only("keeps-addresses", Check::ReleaseAfterNotify, Outcome::Fail, "after 254 addresses given");
}

#[test]
fn an_address_of_zero() {
    only("gives-zero", Check::ReleaseAfterNotify, Outcome::Fail, "gives 0.0.0.0");
}

#[test]
fn memory_that_leaks_at_every_load() {
    only("leaks-memory", Check::LoadCycles, Outcome::Fail, "of memory behind");
}

#[test]
fn a_tls_index_that_leaks_at_every_load() {
    only("leaks-a-tls-index", Check::LoadCycles, Outcome::Fail, "TLS indexes");
}

#[test]
fn a_handle_that_leaks_at_every_load() {
    only("leaks-a-handle-a-load", Check::LoadCycles, Outcome::Fail, "handles");
}

#[test]
fn an_image_that_stays_in_memory() {
    only("stays-loaded", Check::LoadCycles, Outcome::Fail, "stays in memory");
}

#[test]
fn half_a_pair_in_the_table() {
    only(
        "half-a-pair-in-the-table",
        Check::CallbacksTable,
        Outcome::Fail,
        "MprAdminGetIpAddressForUser is present without MprAdminReleaseIpAddress",
    );
}

#[test]
fn a_fault_in_an_ordinary_call_is_a_crash_of_that_function() {
    let report = only("panics", Check::AnswersInTime, Outcome::Crashed, "MprAdminAcceptNewLink: ");
    // The report has the DLL's own output.
    let problem = report.finding(Check::AnswersInTime).unwrap().problem.clone().unwrap();
    assert!(problem.cause.contains("on purpose"), "{}", problem.cause);
    // The other functions were still checked.
    assert_eq!(report.finding(Check::NullPointers).unwrap().outcome, Outcome::Pass);
}

#[test]
fn a_dll_that_ends_the_process() {
    only("exits", Check::AnswersInTime, Outcome::Crashed, "it ended the process with exit code 0");
}

#[test]
fn a_hang_in_initialise_skips_the_rest() {
    let report = misbehaving("hangs-in-initialise", impatient());
    assert_eq!(found(&report), [(Check::Initialises, Outcome::Fail)]);
    let finding = report.finding(Check::Initialises).unwrap();
    assert_eq!(finding.message, "MprAdminInitializeDllEx: no answer within 4 seconds");
    assert_eq!(report.finding(Check::LoadCycles).unwrap().outcome, Outcome::Skipped);
}

#[test]
fn a_crash_in_initialise_skips_the_rest() {
    let report = only("panics-in-initialise", Check::Initialises, Outcome::Crashed, "MprAdminInitializeDllEx: ");
    assert_eq!(report.finding(Check::NullPointers).unwrap().message, "it did not initialise");
}

#[test]
fn a_hang_in_terminate() {
    let report = misbehaving("hangs-in-terminate", impatient());
    assert_eq!(found(&report), [(Check::AnswersInTime, Outcome::Fail)]);
    assert_eq!(report.finding(Check::LoadCycles).unwrap().outcome, Outcome::Skipped);
}

#[test]
fn a_checker_that_cannot_start_its_child_blames_the_host() {
    let options = Options { child: Some("no-such-program".into()), ..options() };
    let report = report(&misbehave(), &options);
    let finding = report.finding(Check::Initialises).unwrap();
    assert_eq!(finding.outcome, Outcome::Crashed);
    assert_eq!(finding.problem.as_ref().unwrap().culprit, Culprit::Host);
    assert_eq!(report.exit_code(), 1);
}

#[test]
fn many_cycles_stay_flat() {
    // Wine takes long to load a DLL. The product itself goes through 2,000 there, too.
    let cycles = if cfg!(windows) { 400 } else { 2000 };
    let options = Options { cycles, ..options() };
    let report = report(&misbehave(), &options);
    assert_eq!(found(&report), [], "{}", report.render(100, false));
}
