//! The product as RRAS calls it, where a deadline has to be over at once.
#![allow(clippy::unwrap_used)]

use crate::{MprAdminAcceptNewConnection, MprAdminInitializeDll, RASADMIN_SLOT};
use rasadmin_sdk::abi::{ERROR_BUSY, RAS_CONNECTION_0, RAS_CONNECTION_1, TRUE};
use rasadmin_sdk::boundary::terminate_within;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// The tests that read the environment take turns.
pub static ENVIRONMENT: Mutex<()> = Mutex::new(());

/// With a rule's policy, so that only a ledger that works lets anybody in.
const CONFIG: &str = "default = { action = \"allow\", when_ledger_unavailable = \"deny\" }\n";

/// The configuration is a pipe that nobody writes to: a call that reads it waits, and the ledger is needed afterwards.
#[test]
fn a_call_that_is_inside_at_the_end_has_its_ledger_still() {
    let _turn = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let (config, log) = (folder.path().join("rasadmin.toml"), folder.path().join("rasadmin.log"));
    std::fs::write(&config, CONFIG).unwrap();
    for (name, value) in [("RASADMIN_CONFIG", config.as_os_str()), ("RASADMIN_LOG", log.as_os_str())] {
        // SAFETY: whoever reads the environment in this program waits for its turn.
        #[allow(unsafe_code)]
        unsafe {
            std::env::set_var(name, value);
        }
    }
    // SAFETY: as above.
    #[allow(unsafe_code)]
    unsafe {
        std::env::set_var("RASADMIN_SYSTEM_LOG", "off");
    }
    assert_eq!(MprAdminInitializeDll(), 0);
    std::fs::remove_file(&config).unwrap();
    let path = std::ffi::CString::new(config.as_os_str().as_bytes()).unwrap();
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
    // It can be opened without waiting once somebody waits to read it.
    let mut pipe = loop {
        match OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(&config) {
            Ok(pipe) => break pipe,
            Err(_) => thread::yield_now(),
        }
    };
    assert_eq!(terminate_within(&RASADMIN_SLOT, Duration::ZERO), ERROR_BUSY);
    pipe.write_all(CONFIG.as_bytes()).unwrap();
    drop(pipe);
    assert_eq!(call.join().unwrap(), TRUE);
    let log = std::fs::read_to_string(log).unwrap();
    let told = "ERROR asked to end while calls are inside: MprAdminAcceptNewConnection (1); the DLL";
    assert!(log.contains(told) && log.contains("message_id=104\n"), "{log}");
    assert!(!log.contains("rasadmin has stopped"), "{log}");
}
