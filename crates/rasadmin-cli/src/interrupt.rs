//! Ctrl-C, and what else asks this process to end: a command that has started processes and made folders clears up first.

use crate::error::{Kind, OrCommandError as _, Result, WithContext as _};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static CAME: AtomicBool = AtomicBool::new(false);
static CATCH: Once = Once::new();

/// From now on, an interruption does not end this process; [`came`] reports it.
pub fn catch() {
    CATCH.call_once(|| {
        // If it cannot be caught, it ends this process as usual.
        let _ = ctrlc::set_handler(|| CAME.store(true, Ordering::Relaxed));
    });
}

/// From now on, an interruption does not end this process; `act` is called instead. For a process that does not use
/// [`catch`].
pub fn on_request(act: impl FnMut() + Send + 'static) -> Result<()> {
    ctrlc::set_handler(act).or_error(Kind::System).context("Ctrl-C cannot be caught")
}

/// Whether this process was asked to end.
pub fn came() -> bool {
    CAME.load(Ordering::Relaxed)
}
