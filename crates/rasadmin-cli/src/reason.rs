//! The reason of a change, as it is typed.

use crate::error::{CommandError, Result};
use rasadmin_pipe::LONGEST_REASON;

/// A reason that fits into lists.
pub fn one_line(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(CommandError::usage("the reason is empty: write one, or leave --reason out"));
    }
    if text.contains(char::is_control) {
        return Err(CommandError::usage("the reason has a line break or another control character: write one line"));
    }
    let length = text.chars().count();
    if length > LONGEST_REASON {
        let what = format!("the reason has {length} characters: write at most {LONGEST_REASON}");
        return Err(CommandError::usage(what));
    }
    Ok(text.to_owned())
}
