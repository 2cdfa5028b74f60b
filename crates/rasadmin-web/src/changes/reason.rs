//! The reason of a change.

use crate::fault::Fault;
use rasadmin_pipe::LONGEST_REASON;

/// A reason that fits into lists, as the command takes it.
///
/// # Errors
/// If there is none, or if it is more than a line.
pub fn one_line(typed: &str) -> Result<String, Fault> {
    let reason = typed.trim();
    let refuse = |what: String| Err(Fault::bad_request(what, "go back, and change it: nothing was done yet"));
    if reason.contains(char::is_control) {
        return refuse("the reason has a line break or another control character, and must be one line".to_owned());
    }
    let length = reason.chars().count();
    if length > LONGEST_REASON {
        return refuse(format!("the reason has {length} characters, and can have {LONGEST_REASON}"));
    }
    if reason.is_empty() {
        return refuse("the reason is missing".to_owned());
    }
    Ok(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_that_is_not_too_long() {
        assert_eq!(one_line(" stolen laptop "), Ok("stolen laptop".to_owned()));
        let longest = "é".repeat(LONGEST_REASON);
        assert_eq!(one_line(&longest), Ok(longest.clone()));
        for wrong in [
            "  ".to_owned(),
            format!("{longest}x"),
            "two\nlines".to_owned(),
            "a\u{1b}b".to_owned(),
            "a\u{85}b".to_owned(),
        ] {
            assert!(one_line(&wrong).is_err(), "{wrong}");
        }
    }
}
