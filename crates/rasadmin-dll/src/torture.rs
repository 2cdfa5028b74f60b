//! Kills the process within a call, at a point that the torture orders. RASADMIN_TORTURE names a file. While the file
//! has the text `locked N`, `appended N`, `unlocked N` or `done N`, the process dies at the N-th such point.

use crate::kill_process::kill_process;
use rasadmin_recorder::torture::{HOOK, Point};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

static ORDER: OnceLock<PathBuf> = OnceLock::new();
static PASSED: AtomicU32 = AtomicU32::new(0);

/// Starts following the orders.
pub fn install() {
    if let Some(path) = std::env::var_os("RASADMIN_TORTURE") {
        let _ = ORDER.set(path.into());
        let _ = HOOK.set(at);
    }
}

fn at(point: Point) {
    let order = ORDER.get().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let name = match point {
        Point::Locked => "locked ",
        Point::Appended => "appended ",
        Point::Unlocked => "unlocked ",
        Point::Done => "done ",
    };
    if let Some(number) = order.strip_prefix(name).and_then(|number| number.trim().parse::<u32>().ok())
        && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == number
    {
        kill_process();
    }
}
