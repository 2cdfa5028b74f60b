//! Recording a trace, and replaying it.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_host::replay::replay;
use rasadmin_host::runner::{RunOptions, run};
use rasadmin_host::scenario::Scenario;
use rasadmin_host::{Options, Service};
use rasadmin_trace::{Call, read_trace};
use std::fs::File;
use support::Dll;

const DAY: &str = r"server-address 10.20.0.1
pool 10.20.0.2-10.20.0.9
08:00:00 connect a user=CORP\alice tunnel=sstp from=203.0.113.1 ipv6 until=09:00:00 received=5G
08:02:00 connect b user=bob tunnel=ikev2 from=203.0.113.3
08:06:00 move b to=198.51.100.1
08:07:00 reauthenticate b quarantine=normal
";

fn record(dlls: &[&Dll]) -> Vec<Call> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("day.trace");
    let scenario = Scenario::parse("day", DAY).unwrap();
    let mut options = Options::new(scenario.pool.clone());
    options.trace = Some(Box::new(File::create(&path).unwrap()));
    let paths: Vec<_> = dlls.iter().map(|dll| dll.path.clone()).collect();
    let service = Service::start(&paths, options).unwrap();
    run(&service, &scenario, RunOptions::threads(1));
    service.stop().unwrap().trace.unwrap();
    let (header, calls) = read_trace(&path).unwrap();
    assert_eq!(header.dlls.len(), dlls.len());
    calls
}

#[test]
fn every_call_is_recorded_and_a_replay_is_identical() {
    let dll = Dll::scripted("good-rev2", "MprAdminGetIpAddressForUser address=10.99.0.1 user=bob");
    let calls = record(&[&dll]);
    let recorded: Vec<_> = calls.iter().map(|c| c.function.name().to_owned()).collect();
    let logged: Vec<_> = dll.log().into_iter().filter(|e| e.begins).map(|e| e.function).collect();
    assert_eq!(recorded, logged, "the trace has what the DLL saw");
    let report = replay(&dll.path, &calls, 0).unwrap();
    assert_eq!(report.calls, calls.len());
    assert_eq!(report.differences, []);
    let logged: Vec<_> = dll.log().into_iter().filter(|e| e.begins).map(|e| e.function).collect();
    assert_eq!(logged.len(), 2 * recorded.len(), "every call was made again");
}

#[test]
fn differences_are_listed() {
    let calls = record(&[&Dll::good()]);
    let other = Dll::scripted(
        "good-rev2",
        "MprAdminAcceptNewConnectionEx reject user=bob\nMprAdminGetIpAddressForUser address=10.99.0.1 notify=0 user=bob",
    );
    let found = replay(&other.path, &calls, 0).unwrap().differences;
    let texts: Vec<_> = found.iter().map(|d| format!("{} ({}): {}", d.function, d.subject, d.what)).collect();
    assert_eq!(
        texts,
        [
            "MprAdminGetIpAddressForUser (bob): ipv4: recorded 10.20.0.3, now 10.99.0.1",
            "MprAdminGetIpAddressForUser (bob): notify_release: recorded TRUE, now FALSE",
            "MprAdminAcceptNewConnectionEx (bob): recorded accepted, now rejected",
        ]
    );
}

#[test]
fn a_function_that_the_dll_lacks_is_a_difference() {
    let calls = record(&[&Dll::good()]);
    let old = Dll::scripted("good-rev1-pair3", "");
    let found = replay(&old.path, &calls, 0).unwrap().differences;
    assert!(found.iter().any(|d| d.what == "the DLL does not have the function"), "{found:?}");
}

#[test]
fn calls_of_other_dlls_are_skipped() {
    let (a, b) = (Dll::good(), Dll::scripted("no-address-rev2", ""));
    let calls = record(&[&a, &b]);
    let of_b = calls.iter().filter(|c| c.dll == 1).count();
    let report = replay(&b.path, &calls, 1).unwrap();
    assert_eq!((report.calls, report.skipped), (of_b, calls.len() - of_b));
    assert_eq!(report.differences, []);
}
