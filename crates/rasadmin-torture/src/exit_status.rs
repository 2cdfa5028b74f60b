//! How a child process ended.

use std::process::ExitStatus;

/// Was the process killed?
#[cfg(unix)]
pub fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    // 137 is the code of a killed Windows process under Wine.
    status.signal() == Some(9) || status.code() == Some(137)
}

/// Was the process killed?
#[cfg(not(unix))]
pub fn was_killed(status: ExitStatus) -> bool {
    status.code() == Some(137)
}
