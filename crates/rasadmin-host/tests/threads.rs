//! Which calls overlap. Tests name their facts of docs/rras-behaviour.md.
#![allow(clippy::unwrap_used)]

mod support;

use mprapi::FunctionId;
use mprapi::contract::SerialGroup;
use rasadmin_host::Service;
use rasadmin_host::runner::{RunOptions, run};
use rasadmin_host::scenario::Scenario;
use rasadmin_host::serialise::Serialise;
use std::collections::HashMap;
use support::{Dll, options};

/// Runs twelve users who connect and disconnect within a minute, on four threads. Every call takes 5 ms.
fn busy(serialise: Serialise) -> Dll {
    let slow: String = FunctionId::all().map(|id| format!("{id} sleep=5\n")).collect();
    let dll = Dll::scripted("good-rev2", &slow);
    let mut text = "server-address 10.20.0.1\npool 10.20.0.2-10.20.0.99\n".to_owned();
    for user in 0..12 {
        text +=
            &format!("08:00:00 connect u{user} user=u{user} tunnel=sstp from=203.0.113.{user} ipv6 until=08:00:30\n");
    }
    for user in 0..12 {
        text += &format!("08:00:10 reauthenticate u{user} quarantine=normal\n");
    }
    let scenario = Scenario::parse("busy", &text).unwrap();
    let mut options = options();
    options.pool = scenario.pool.clone();
    options.serialise = serialise;
    let service = Service::start(std::slice::from_ref(&dll.path), options).unwrap();
    let day = run(&service, &scenario, RunOptions::threads(4));
    assert_eq!(day.accepted(), 12);
    service.stop().unwrap();
    dll
}

/// The pairs of functions that ran at the same time.
fn overlaps(dll: &Dll) -> Vec<(FunctionId, FunctionId)> {
    let mut running: HashMap<String, FunctionId> = HashMap::new();
    let mut pairs = Vec::new();
    for entry in dll.log() {
        let thread = entry.value("tid").unwrap().to_owned();
        let function = FunctionId::from_name(&entry.function).unwrap();
        if entry.begins {
            pairs.extend(running.values().map(|&other| (other, function)));
            running.insert(thread, function);
        } else {
            running.remove(&thread);
        }
    }
    pairs
}

/// R-THREAD-1 and R-THREAD-3: different functions can overlap, except within the two groups.
#[test]
fn functions_of_a_group_never_overlap_and_others_do() {
    let pairs = overlaps(&busy(Serialise::Documented));
    assert!(!pairs.is_empty(), "different functions overlap");
    for (a, b) in pairs {
        let (group_a, group_b) = (a.row().serial, b.row().serial);
        assert_ne!(a, b);
        assert!(group_a != group_b || group_a == SerialGroup::Own, "{a} and {b} overlapped");
    }
}

/// `--serialise all`: one call at a time.
#[test]
fn serialised_strictly_nothing_overlaps() {
    assert_eq!(overlaps(&busy(Serialise::All)), []);
}
