//! Asking before a change.

use super::Stop;
use std::io::{BufRead, IsTerminal, Write};

/// Asks on a terminal; where there is none, `flag` must have been given.
pub fn confirm(question: &str, given: bool, flag: &str) -> Result<(), Stop> {
    if given {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Stop::Failed(format!(
            "nothing was changed: there is no terminal to ask on; confirm with {flag}, or see what would be done with \
             --dry-run"
        )));
    }
    let mut asked = std::io::stderr();
    let _ = write!(asked, "{question} [y/N] "); // If it cannot be shown, the answer is no.
    let _ = asked.flush();
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    if matches!(answer.trim(), "y" | "Y" | "yes" | "Yes" | "YES") {
        Ok(())
    } else {
        Err(Stop::Refused("nothing was changed: it was not confirmed".into()))
    }
}
