//! How shipping Windows loads, starts and validates admin DLLs. Tests name their facts of docs/rras-behaviour.md.
#![allow(clippy::unwrap_used)]

mod support;

use mprapi::{FunctionId, Profile};
use rasadmin_host::{Service, StartFailure, StartProblem};
use support::{Dll, options, service};

fn refused(dll: &Dll) -> StartFailure {
    match Service::start(std::slice::from_ref(&dll.path), options()) {
        Ok(_) => panic!("{} started", dll.path.display()),
        Err(failure) => failure,
    }
}

/// R-LOAD-3: without admin DLLs the service starts.
#[test]
fn without_dlls_the_service_starts() {
    let service = service(&[]);
    assert!(service.stop().is_ok());
}

/// R-INIT-1: after MprAdminInitializeDllEx only the table counts.
#[test]
fn a_table_without_any_other_export_starts() {
    let dll = Dll::scripted("ex-only", "");
    let service = service(&[&dll]);
    assert_eq!(service.dlls()[0].exports().iter().collect::<Vec<_>>(), [FunctionId::InitializeDllEx]);
    assert_eq!(service.dlls()[0].revision(), 2);
    service.stop().unwrap();
    assert_eq!(dll.calls(), ["InitializeDllEx", "TerminateDll"]);
}

/// R-INIT-2: otherwise the exports count, and the DLL is revision 1.
#[test]
fn without_the_ex_start_the_exports_count_as_revision_1() {
    for fixture in ["good-rev1-pair1", "good-rev1-pair2", "good-rev1-pair3"] {
        let dll = Dll::scripted(fixture, "");
        let service = service(&[&dll]);
        assert_eq!(service.dlls()[0].revision(), 1);
        assert_eq!(service.dlls()[0].table(), None);
        service.stop().unwrap();
        assert_eq!(dll.calls(), ["InitializeDll", "TerminateDll"], "{fixture}");
    }
}

/// R-INIT-3: any answer but 0 keeps the service from starting, and the DLL is freed.
#[test]
fn a_failing_initialise_keeps_the_service_from_starting() {
    let dll = Dll::scripted("init-5", "");
    let failure = refused(&dll);
    assert_eq!((failure.code(), failure.event()), (5, 20113));
    assert_eq!(failure.problem, StartProblem::Initialize(5));
    assert!(!dll.calls().contains(&"TerminateDll".to_owned()));
    assert!(!mapped(&dll), "the image is still there");
}

/// Whether the DLL's image is still in this process. On Windows a loaded image cannot be deleted.
fn mapped(dll: &Dll) -> bool {
    if cfg!(windows) {
        return std::fs::remove_file(&dll.path).is_err();
    }
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.contains(&*dll.path.to_string_lossy())
}

/// R-VALID-1 to R-VALID-6: a DLL that fails validation is refused with ERROR_INVALID_PARAMETER (87).
#[test]
fn what_fails_validation_is_refused_with_87() {
    let needs_windows = if cfg!(windows) { &["decorated"][..] } else { &[] };
    let both = ["half-ipv4", "half-ipv6", "no-link-hangup", "revision-9", "revision-1-table"];
    for fixture in both.iter().chain(needs_windows) {
        let dll = Dll::scripted(fixture, "");
        let failure = refused(&dll);
        assert_eq!((failure.code(), failure.event()), (87, 20113), "{fixture}");
        assert!(matches!(failure.problem, StartProblem::Invalid(_)), "{fixture}: {failure}");
        assert!(!mapped(&dll), "{fixture}: the image is still there");
    }
}

/// R-VALID-5: accept and hangup need not be of one pair. The documented profile requires a pair (R-SET-1).
#[test]
fn a_mixed_pair_starts_but_is_not_documented() {
    let dll = Dll::scripted("mixed-2-3", "");
    service(&[&dll]).stop().unwrap();
    let mut documented = options();
    documented.profile = Profile::Documented;
    let failure = Service::start(std::slice::from_ref(&dll.path), documented).err().unwrap();
    assert_eq!(failure.code(), 87);
}

/// R-VALID-7: TerminateDll and the reauthentication functions are not required.
#[test]
fn terminate_and_reauthentication_are_not_required() {
    for fixture in ["no-terminate", "no-reauthentication"] {
        let dll = Dll::scripted(fixture, "");
        service(&[&dll]).stop().unwrap();
        assert!(!mapped(&dll), "{fixture}");
    }
}

/// R-LOAD-6: a file that is not a valid image is event 20204; any other failure is event 20113.
#[test]
fn a_file_that_is_not_an_image_is_event_20204() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.dll");
    std::fs::write(&garbage, "this is no library").unwrap();
    let failure = Service::start(&[garbage], options()).err().unwrap();
    assert_eq!((failure.code(), failure.event()), (193, 20204));
    let failure = Service::start(&[folder.path().join("none.dll")], options()).err().unwrap();
    assert_eq!((failure.code(), failure.event()), (126, 20113));
}

#[cfg(windows)]
#[test]
fn a_32_bit_dll_is_refused_with_193() {
    let failure = refused(&Dll::scripted("32-bit", ""));
    assert_eq!((failure.code(), failure.event()), (193, 20204));
}

/// R-LOAD-5: the loader does not search the DLL's own folder.
#[cfg(windows)]
#[test]
fn what_lies_beside_the_dll_is_not_found() {
    let dll = Dll::scripted("missing-dependent", "");
    std::fs::copy(support::fixtures().join("good-rev2.dll"), dll.path.with_file_name("vendorhelper.dll")).unwrap();
    let failure = refused(&dll);
    assert_eq!((failure.code(), failure.event()), (126, 20113));
}

/// RRAS starts with DLLs whose defects show only in later calls.
#[test]
fn dlls_that_break_later_start() {
    let broken =
        ["fault-on-null", "hang-link", "leak-handle", "overread-connection", "overread-port", "overread-address"];
    for fixture in broken {
        service(&[&Dll::scripted(fixture, "")]).stop().unwrap();
    }
    // Unloading a DLL whose thread still runs ends the process, so this one stays loaded.
    let leaves_a_thread = Dll::scripted("leave-thread", "");
    std::mem::forget(service(&[&leaves_a_thread]));
    assert_eq!(leaves_a_thread.calls(), ["InitializeDllEx"]);
}

/// R-HOST-1: when a later DLL keeps the service from starting, those before it are terminated and freed.
#[test]
fn earlier_dlls_are_terminated_when_a_later_one_fails() {
    let (good, bad) = (Dll::good(), Dll::scripted("init-5", ""));
    let failure = Service::start(&[good.path.clone(), bad.path.clone()], options()).err().unwrap();
    assert_eq!(failure.dll, bad.path);
    assert_eq!(good.calls(), ["InitializeDllEx", "TerminateDll"]);
    assert!(!mapped(&good));
}

/// R-STOP-1: each DLL is terminated, then freed, whatever TerminateDll returns.
#[test]
fn stopping_terminates_each_and_frees_it() {
    let (a, b) = (Dll::good(), Dll::scripted("good-rev2", "MprAdminTerminateDll status=7"));
    let stopped = service(&[&a, &b]).stop().unwrap();
    assert_eq!(stopped.terminate_codes, [(b.path.clone(), 7)]);
    for dll in [a, b] {
        assert_eq!(dll.calls(), ["InitializeDllEx", "TerminateDll"]);
        assert!(!mapped(&dll));
    }
}
