//! Stopping the service while other threads are calling: no call is inside a DLL that is freed.
#![allow(clippy::unwrap_used)]

mod support;

use mprapi::FunctionId;
use mprapi::abi::{RAS_PORT_0, RAS_PORT_1};
use mprapi::contract::ArgumentType;
use rasadmin_host::Service;
use rasadmin_host::dll::Returned;
use rasadmin_host::invoke::Arg;
use rasadmin_host::serialise::Serialise;
use rasadmin_host::service::{Observer, Stuck};
use rasadmin_trace::Buffer;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;
use support::{Dll, options};

/// Calls AcceptNewLink of the service's only DLL.
fn link(service: &Service) -> Option<Returned> {
    let mut arguments = [Arg::bytes(&[0; size_of::<RAS_PORT_0>()]), Arg::bytes(&[0; size_of::<RAS_PORT_1>()])];
    service.call(0, FunctionId::AcceptNewLink, &mut arguments)
}

/// Whether the image is in this process. The fixtures are C, so no thread's destructors keep it there.
#[cfg(unix)]
fn is_loaded(path: &Path) -> bool {
    std::fs::read_to_string("/proc/self/maps").unwrap().contains(path.to_str().unwrap())
}

#[cfg(windows)]
fn is_loaded(path: &Path) -> bool {
    use std::os::windows::ffi::OsStrExt;
    use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
    let name: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
    // SAFETY: a terminated name.
    !unsafe { GetModuleHandleW(name.as_ptr()) }.is_null()
}

#[test]
fn stopping_waits_for_the_calls_inside_and_makes_no_others() {
    const THREADS: usize = 4;
    let dll = Dll::scripted("good-rev2", "MprAdminAcceptNewLink sleep=5");
    let service = Service::start(std::slice::from_ref(&dll.path), options()).unwrap();
    let (made, calls) = channel();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let (service, made) = (&service, made.clone());
            scope.spawn(move || {
                while link(service).is_some() {
                    // The receiver does not count the last calls.
                    let _ = made.send(());
                }
            });
        }
        for _ in 0..8 {
            calls.recv().unwrap();
        }
        let stopped = service.stop().unwrap();
        assert_eq!(stopped.stuck, []);
        assert!(!is_loaded(&dll.path));
    });
    let log = dll.log();
    let begun = |function: &str| log.iter().filter(|entry| entry.begins && entry.function == function).count();
    let ended = log.iter().filter(|entry| !entry.begins).count();
    assert_eq!(ended, log.len() / 2, "each call that began has returned: {log:?}");
    assert_eq!(begun("MprAdminTerminateDll"), 1);
    let terminate = log.iter().position(|entry| entry.function == "MprAdminTerminateDll").unwrap();
    // A call that was let in before the service stopped may reach the DLL's first instruction after
    // MprAdminTerminateDll has: that is one call a thread at most. The ones after it are not made.
    let late: Vec<_> = log[terminate + 1..].iter().filter(|entry| entry.begins).collect();
    assert!(late.len() <= THREADS, "calls begin after TerminateDll: {late:?}");
    // A service that has stopped stays as it is.
    assert!(service.stop().unwrap().terminate_codes.is_empty());
    assert!(link(&service).is_none());
}

/// Sends the function of each call that is about to be made. By then the call counts as inside.
struct SendCalls(Sender<FunctionId>);

impl Observer for SendCalls {
    fn before(&self, function: FunctionId, _: &[Buffer]) {
        // At the end, the receiver is gone.
        let _ = self.0.send(function);
    }
    fn after(&self, _: FunctionId, _: &[Buffer], _: Returned, _: &[(ArgumentType, Buffer)]) {}
}

/// A service whose only DLL never returns from AcceptNewLink, with a call inside.
fn hanging(serialise: Serialise) -> (Dll, Arc<Service>) {
    let dll = Dll::scripted("hang-link", "");
    let (sender, calls) = channel();
    let options = rasadmin_host::Options { observer: Some(Box::new(SendCalls(sender))), serialise, ..options() };
    let service = Arc::new(Service::start(std::slice::from_ref(&dll.path), options).unwrap());
    let caller = service.clone();
    // The thread never ends; the test's process does.
    thread::spawn(move || link(&caller));
    assert_eq!(calls.recv().unwrap(), FunctionId::AcceptNewLink);
    (dll, service)
}

#[test]
fn a_dll_with_a_call_that_does_not_return_stays_loaded() {
    let (dll, service) = hanging(Serialise::Documented);
    let stopped = service.stop_within(Duration::ZERO).unwrap();
    let stuck = Stuck { dll: dll.path.clone(), functions: vec![FunctionId::AcceptNewLink] };
    assert_eq!(stopped.stuck, std::slice::from_ref(&stuck));
    assert!(stuck.to_string().ends_with(": not unloaded, because calls have not returned: MprAdminAcceptNewLink"));
    assert_eq!(dll.calls(), ["InitializeDllEx", "TerminateDll"], "it is still terminated");
    assert!(service.call(0, FunctionId::TerminateDll, &mut []).is_none(), "and not called afterwards");
    drop(service);
    assert!(is_loaded(&dll.path));
}

/// `--serialise all`: one call at a time.
#[test]
fn with_one_call_at_a_time_a_stuck_one_keeps_terminate_from_being_called() {
    let (dll, service) = hanging(Serialise::All);
    let stopped = service.stop_within(Duration::ZERO).unwrap();
    assert_eq!(stopped.stuck.len(), 1);
    assert_eq!(dll.calls(), ["InitializeDllEx"]);
    assert!(is_loaded(&dll.path));
}
