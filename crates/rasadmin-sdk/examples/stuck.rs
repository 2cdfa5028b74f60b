//! An admin DLL for this crate's tests. A link call stays inside until the test releases it, and terminate does not wait.
//! The test controls the DLL through its additional exports.

use rasadmin_sdk::{AdminDll, Connection, Environment, InitializeError, Link, Verdict, boundary, export_admin_dll};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

/// The number of link calls inside.
static INSIDE: AtomicU32 = AtomicU32::new(0);
/// 1 while link calls wait.
static HOLD: AtomicU32 = AtomicU32::new(1);

struct Stuck;

impl AdminDll for Stuck {
    fn initialize(_: &Environment) -> Result<Self, InitializeError> {
        Ok(Self)
    }
    fn terminate(&self) {}
    fn accept_connection(&self, _: &Connection) -> Verdict {
        Verdict::Accept
    }
    fn connection_hangup(&self, _: &Connection) {}
    fn accept_link(&self, _: &Link) -> Verdict {
        INSIDE.fetch_add(1, SeqCst);
        while HOLD.load(SeqCst) == 1 {
            std::thread::yield_now();
        }
        INSIDE.fetch_sub(1, SeqCst);
        Verdict::Accept
    }
    fn link_hangup(&self, _: &Link) {}
    fn accept_reauthentication(&self, _: &Connection) -> Verdict {
        Verdict::Accept
    }
}

export_admin_dll!(Stuck);

/// The number of link calls inside.
#[unsafe(no_mangle)]
pub extern "system" fn StuckInside() -> u32 {
    INSIDE.load(SeqCst)
}

/// Makes link calls wait (1) or return (0).
#[unsafe(no_mangle)]
pub extern "system" fn StuckHold(hold: u32) {
    HOLD.store(hold, SeqCst);
}

/// MprAdminTerminateDll with a timeout of zero.
#[unsafe(no_mangle)]
pub extern "system" fn StuckTerminate() -> u32 {
    boundary::terminate_within(&RASADMIN_SLOT, Duration::ZERO)
}
