//! What can be asked, and what it takes.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// How many characters a reason has at most. It is one line.
pub const LONGEST_REASON: usize = 200;

/// What a client asks for. The set is closed: the service refuses everything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// The state of the service and of each of its duties.
    Status {},
    /// The metrics, in Prometheus' text format.
    Metrics {},
    /// Disconnect sessions, by their keys. The answer is a list of [`Disconnected`], in the same order.
    Disconnect {
        /// Their keys (acct_session_id).
        sessions: Vec<String>,
        /// The reason, for people.
        reason: Option<String>,
    },
    /// The configuration that is in force. The answer is a [`Configuration`].
    Configuration {},
    /// Refuse somebody before any rule. The answer is a [`Blocked`].
    Block {
        /// Who.
        subject: Subject,
        /// When the block ends, in milliseconds since 1970, UTC; `None` until it is lifted.
        until: Option<i64>,
        /// The reason, for people.
        reason: Option<String>,
    },
    /// Lift a block. The answer is whether there was one.
    Unblock {
        /// Who.
        subject: Subject,
    },
    /// Close a session that RRAS no longer has, by its key. The answer is whether it was live.
    Close {
        /// Its key (acct_session_id).
        session: String,
    },
    /// Release an address. The answer is a [`Released`].
    Release {
        /// The IPv4 address, or any IPv6 address with the interface identifier.
        address: IpAddr,
        /// Also if a live session has it.
        force: bool,
    },
    /// Let a rule that was stopped end sessions again. The answer is whether it was stopped.
    Resume {
        /// The rule.
        rule: String,
    },
}

/// Who is blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A user, or the account of a computer: `alice`, `CORP\\alice`, `host/pc7`.
    User(String),
    /// Every client that claims this computer name.
    ClaimedComputer(String),
}

/// The configuration in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Its file.
    pub file: String,
    /// Its hash, as decisions name it.
    pub hash: String,
    /// Its text.
    pub text: String,
    /// What is wrong with the file, if an earlier configuration is in force instead.
    pub fault: Option<String>,
}

/// What came of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blocked {
    /// It is in force. These are the keys of the sessions that the subject has.
    InForce {
        /// Their keys.
        sessions: Vec<String>,
    },
    /// There are too many blocks.
    Full,
}

/// What came of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Released {
    /// The address is free now.
    Released,
    /// It was free.
    WasFree,
    /// A live session has it.
    InUse,
}

/// What became of a session that was to be disconnected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disconnected {
    /// Its key.
    pub session: String,
    /// `ended`: RRAS has reported its end. `asked`: RRAS was asked, and has not reported it yet. `not-live`: it was not
    /// connected. `failed`: RRAS was not asked, and the service tries again. `refused`: it is not disconnected.
    pub outcome: String,
    /// Why it failed, or was refused.
    pub why: Option<String>,
}

impl Request {
    /// The right that it needs.
    pub const fn right(&self) -> Right {
        match self {
            Self::Status {} | Self::Metrics {} | Self::Configuration {} => Right::Read,
            Self::Disconnect { .. }
            | Self::Block { .. }
            | Self::Unblock { .. }
            | Self::Close { .. }
            | Self::Release { .. }
            | Self::Resume { .. } => Right::Change,
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
        let sessions = vec!["018f".to_owned()];
        for (json, expected) in [
            (r#"{"status":{}}"#, Request::Status {}),
            (r#"{"metrics":{}}"#, Request::Metrics {}),
            (r#"{"disconnect":{"sessions":["018f"],"reason":null}}"#, Request::Disconnect { sessions, reason: None }),
            (r#"{"resume":{"rule":"hours"}}"#, Request::Resume { rule: "hours".to_owned() }),
            (r#"{"configuration":{}}"#, Request::Configuration {}),
            (
                r#"{"block":{"subject":{"user":"alice"},"until":7,"reason":"stolen"}}"#,
                Request::Block {
                    subject: Subject::User("alice".to_owned()),
                    until: Some(7),
                    reason: Some("stolen".to_owned()),
                },
            ),
            (
                r#"{"unblock":{"subject":{"claimed-computer":"PC7"}}}"#,
                Request::Unblock { subject: Subject::ClaimedComputer("PC7".to_owned()) },
            ),
            (r#"{"close":{"session":"018f"}}"#, Request::Close { session: "018f".to_owned() }),
            (
                r#"{"release":{"address":"10.8.0.1","force":false}}"#,
                Request::Release { address: IpAddr::from([10, 8, 0, 1]), force: false },
            ),
        ] {
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
