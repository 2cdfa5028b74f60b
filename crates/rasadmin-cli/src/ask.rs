//! Asking before something is done that cannot be undone.

use std::io::{IsTerminal, Write};

/// Asks on a terminal; `yes` answers beforehand. Without a terminal nobody can answer.
pub fn confirm(question: &str, yes: bool) -> Result<bool, String> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return Err(format!(
            "{question}\nnothing was changed: there is no terminal to ask on; add --yes if you mean it"
        ));
    }
    eprint!("{question} [y/N] ");
    let _ = std::io::stderr().flush(); // What was not shown is answered with no.
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|e| format!("your answer cannot be read: {e}"))?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
