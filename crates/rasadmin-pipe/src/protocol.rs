//! What can be asked, and what it takes.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a client asks for. The set is closed: the service refuses everything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// The state of the service and of each of its duties.
    Status {},
    /// The metrics, in Prometheus' text format.
    Metrics {},
}

impl Request {
    /// The right that it needs.
    pub const fn right(&self) -> Right {
        match self {
            Self::Status {} | Self::Metrics {} => Right::Read,
        }
    }
}

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Look.
    Read,
    /// Change something, or cause RRAS to.
    Change,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The kind, for programs.
    pub why: Why,
    /// What happened, for people. It has no control characters.
    pub text: String,
}

/// The kinds of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The client speaks another version of the protocol, or another protocol.
    Version,
    /// It is not a request that the service knows.
    Invalid,
    /// It is too long.
    TooLong,
    /// It came too late.
    TooLate,
    /// The caller has no right to it.
    Forbidden,
    /// The service cannot answer it now.
    Unavailable,
    /// The service has failed; that is a bug.
    Bug,
    /// A kind that only a newer service knows.
    #[serde(other)]
    Other,
}

impl Refusal {
    /// A refusal. What is not printable in its text is escaped.
    pub fn new(why: Why, text: impl fmt::Display) -> Self {
        Self { why, text: rasadmin_text::printable(&text.to_string()).into_owned() }
    }
}

/// What comes back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reply<T> {
    Answer(T),
    Refused(Refusal),
}

/// Reads a request.
///
/// # Errors
/// If it is not one.
pub fn request(json: &[u8]) -> Result<Request, Refusal> {
    serde_json::from_slice(json).map_err(|error| {
        Refusal::new(Why::Invalid, format_args!("this is not a request that it knows: {}", short(&error)))
    })
}

/// What is wrong, without the whole of what the client sent: the service keeps its last refusal, and `status` shows it.
fn short(error: &serde_json::Error) -> String {
    const LONGEST: usize = 200;
    let text = error.to_string();
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_refusal_does_not_repeat_a_long_request() {
        let refusal = request(format!("{{\"{}\":{{}}}}", "x".repeat(60_000)).as_bytes()).unwrap_err();
        assert!(
            refusal.text.contains("unknown variant") && refusal.text.chars().count() < 300,
            "{}",
            refusal.text.len()
        );
    }

    #[test]
    fn requests_have_names_that_stay() {
        for (json, expected) in [(r#"{"status":{}}"#, Request::Status {}), (r#"{"metrics":{}}"#, Request::Metrics {})] {
            assert_eq!(serde_json::to_string(&expected).unwrap(), json);
            assert_eq!(request(json.as_bytes()), Ok(expected));
        }
    }

    #[test]
    fn everything_else_is_refused_and_the_text_can_be_printed() {
        let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
        let bad = ["", "null", "{}", "\"status\"", r#"{"status":{"more":1}}"#, r#"{"shutdown":{}}"#, &deep];
        for json in bad.into_iter().chain([r#"{"status":{}}{"status":{}}"#, r#"{"status":{},"metrics":{}}"#]) {
            assert_eq!(request(json.as_bytes()).unwrap_err().why, Why::Invalid, "{json:.80}");
        }
        let hostile = request("{\"\u{1b}[2J\":{}}".as_bytes()).unwrap_err();
        assert!(!hostile.text.contains('\u{1b}'), "{}", hostile.text);
        let hostile = request(r#"{"\u001b[2J":{}}"#.as_bytes()).unwrap_err();
        assert!(hostile.text.contains("unknown variant") && !hostile.text.contains('\u{1b}'), "{}", hostile.text);
    }

    #[test]
    fn a_newer_service_may_refuse_for_a_new_reason() {
        let reply: Reply<()> = serde_json::from_str(r#"{"refused":{"why":"full-moon","text":"wait"}}"#).unwrap();
        assert!(matches!(reply, Reply::Refused(Refusal { why: Why::Other, .. })), "{reply:?}");
    }

    proptest! {
        #[test]
        fn no_bytes_and_no_text_break_the_decoder(bytes: Vec<u8>, text: String) {
            let _ = request(&bytes);
            prop_assert!(request(text.as_bytes()).is_err());
        }
    }
}
