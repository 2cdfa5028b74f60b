//! Asking before something is done that cannot be undone.

use crate::error::{CommandError, Kind, OrCommandError, Result};
use crate::output::Output;
use std::io::{IsTerminal, Write};

/// Asks on a terminal, and fails without a yes; `yes` answers beforehand. Without a terminal there is nobody to answer.
pub fn confirm(question: &str, yes: bool, out: &mut Output) -> Result<()> {
    if yes {
        return Ok(());
    }
    // What the question is about.
    out.flush()?;
    if !std::io::stdin().is_terminal() {
        return Err(CommandError::usage(format!(
            "{question}\nnothing was changed: there is no terminal to ask on; add --yes if you mean it"
        )));
    }
    let answer = ask(&format!("{question} [y/N]"))?;
    if matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(CommandError::refused("nothing was changed: it was not confirmed"))
}

/// The answer to a question on the terminal.
pub fn ask(question: &str) -> Result<String> {
    let mut terminal = std::io::stderr();
    // A question that is not seen gets no answer.
    let _ = write!(terminal, "{question} ").and_then(|()| terminal.flush());
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer).or_error(Kind::System);
    let read = read.map_err(|e| e.context("your answer cannot be read"))?;
    if read == 0 {
        // Ctrl-D, or Ctrl-Z on Windows. The next question would not be answered either.
        let _ = writeln!(terminal);
        return Err(CommandError::refused("nothing was changed: the question was not answered"));
    }
    Ok(answer.trim().to_owned())
}
