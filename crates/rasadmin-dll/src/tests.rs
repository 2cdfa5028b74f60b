//! Tests that call the product as RRAS does, with a deadline that ends at once.
#![allow(clippy::unwrap_used)]

use crate::{ENVIRONMENT, MprAdminAcceptNewConnection, MprAdminInitializeDll, RASADMIN_SLOT};
use rasadmin_sdk::abi::{ERROR_BUSY, RAS_CONNECTION_0, RAS_CONNECTION_1, TRUE};
use rasadmin_sdk::boundary::terminate_within;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::PoisonError;
use std::thread;
use std::time::{Duration, Instant};

const CONFIG: &str = "default.action = \"allow\"\n";

const TIME: &str = "2026-11-23T09:00:00+01:00 32400000";

/// The clock is a pipe that nobody writes to: a call that reads it waits, and decides afterwards. RRAS gets its answer,
/// but nothing is recorded, because another instance may have begun.
#[test]
fn a_call_that_is_inside_at_the_end_is_answered_and_no_more_recorded() {
    let _turn = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let (clock, log) = (folder.path().join("clock"), folder.path().join("rasadmin.log"));
    std::fs::write(folder.path().join("rasadmin-scratch"), "").unwrap();
    std::fs::write(folder.path().join("rasadmin.toml"), CONFIG).unwrap();
    std::fs::write(&clock, TIME).unwrap();
    let variables = [
        ("RASADMIN_SCRATCH", folder.path().as_os_str()),
        ("RASADMIN_CLOCK", clock.as_os_str()),
        ("RASADMIN_SYSTEM_LOG", OsStr::new("off")),
    ];
    for (name, value) in variables {
        // SAFETY: every test that reads the environment waits for its turn.
        #[allow(unsafe_code)]
        unsafe {
            std::env::set_var(name, value);
        }
    }
    assert_eq!(MprAdminInitializeDll(), 0);
    std::fs::remove_file(&clock).unwrap();
    let path = std::ffi::CString::new(clock.as_os_str().as_bytes()).unwrap();
    // SAFETY: a terminated path.
    #[allow(unsafe_code)]
    let made = unsafe { libc::mkfifo(path.as_ptr(), 0o600) };
    assert_eq!(made, 0);
    let call = thread::spawn(|| {
        // SAFETY: whole structures.
        #[allow(unsafe_code)]
        unsafe {
            MprAdminAcceptNewConnection(&mut RAS_CONNECTION_0::default(), &mut RAS_CONNECTION_1::default())
        }
    });
    // The pipe can be opened without waiting once a reader is waiting.
    let give_up = Instant::now() + Duration::from_secs(60);
    let mut pipe = loop {
        assert!(Instant::now() < give_up, "no call reads the clock");
        match OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(&clock) {
            Ok(pipe) => break pipe,
            Err(_) => thread::yield_now(),
        }
    };
    assert_eq!(terminate_within(&RASADMIN_SLOT, Duration::ZERO), ERROR_BUSY);
    pipe.write_all(TIME.as_bytes()).unwrap();
    drop(pipe);
    assert_eq!(call.join().unwrap(), TRUE);
    let records = rasadmin_recorder::present::read(&folder.path().join("journal")).unwrap().unwrap().state;
    assert_eq!((records.number(), records.live_count()), (2, 0), "the start and the configuration alone are on record");
    let log = std::fs::read_to_string(log).unwrap();
    let expected = "ERROR RRAS is stopping, but calls have not returned: MprAdminAcceptNewConnection (1); the DLL";
    assert!(log.contains(expected) && log.contains("message_id=104\n"), "{log}");
    assert!(!log.contains("rasadmin has stopped"), "{log}");
}
