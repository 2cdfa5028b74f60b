//! The built DLL, started and ended repeatedly while four threads make link calls.
#![allow(clippy::unwrap_used)]

mod support;

use mprapi::abi::{RAS_PORT_0, RAS_PORT_1};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use support::built;

/// Each call uses the journal; terminate closes it.
#[test]
fn no_call_uses_a_journal_that_is_being_closed() {
    const LIVES: usize = 40;
    static OVER: AtomicBool = AtomicBool::new(false);
    static ACCEPTED: AtomicUsize = AtomicUsize::new(0);
    static REFUSED: AtomicUsize = AtomicUsize::new(0);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("rasadmin.toml");
    std::fs::write(&config, "default.action = \"allow\"\n").unwrap();
    let log = folder.path().join("rasadmin.log");
    for (name, value) in [("RASADMIN_CONFIG", &config), ("RASADMIN_LOG", &log), ("RASADMIN_SYSTEM_LOG", &"off".into())]
    {
        // SAFETY: no other test of this program reads the environment, and no thread runs yet.
        unsafe { std::env::set_var(name, value) };
    }
    // SAFETY: the product's start-up code is Rust's own.
    let dll = unsafe { libloading::Library::new(built()) }.unwrap();
    // SAFETY: the contract's signatures.
    let (initialize, terminate, link) = unsafe {
        type Life = unsafe extern "system" fn() -> u32;
        type Link = unsafe extern "system" fn(*mut RAS_PORT_0, *mut RAS_PORT_1) -> i32;
        let life = |name: &str| dll.get::<Life>(name.as_bytes()).unwrap();
        let link = dll.get::<Link>(b"MprAdminAcceptNewLink").unwrap();
        (life("MprAdminInitializeDll"), life("MprAdminTerminateDll"), link)
    };
    thread::scope(|scope| {
        for port in 1..=4_u16 {
            let link = &link;
            scope.spawn(move || {
                let (mut p0, mut p1) = (RAS_PORT_0::default(), RAS_PORT_1::default());
                p0.hConnection = std::ptr::without_provenance_mut(port.into());
                p0.wszPortName[0] = u16::from(b'0') + port;
                while !OVER.load(SeqCst) {
                    // SAFETY: whole structures.
                    let answered = match unsafe { link(&mut p0, &mut p1) } {
                        0 => &REFUSED,
                        _ => &ACCEPTED,
                    };
                    answered.fetch_add(1, SeqCst);
                }
            });
        }
        for _ in 0..LIVES {
            // SAFETY: it takes nothing.
            assert_eq!(unsafe { initialize() }, 0);
            let before = ACCEPTED.load(SeqCst);
            while ACCEPTED.load(SeqCst) < before + 8 {
                thread::yield_now();
            }
            // SAFETY: it takes nothing.
            assert_eq!(unsafe { terminate() }, 0);
            // While the DLL is not initialised, each call gets the safe answer.
            let (before, last) = (REFUSED.load(SeqCst), ACCEPTED.load(SeqCst));
            while REFUSED.load(SeqCst) < before + 8 {
                thread::yield_now();
            }
            // One call of each thread may have been running, and not counted yet.
            assert!(ACCEPTED.load(SeqCst) <= last + 4);
        }
        OVER.store(true, SeqCst);
    });
    // The last lines: calls while the DLL is not initialised fill one file after another.
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("rasadmin has stopped message_id=101\n") && !log.contains("panic"), "{log}");
}
