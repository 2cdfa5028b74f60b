//! What can be asked, and what it takes.

mod connecting;
mod on_behalf;
mod simulation;

pub use connecting::Connecting;
pub(crate) use on_behalf::admit;
use serde::{Deserialize, Serialize};
pub use simulation::{MOST_USERS, Mistake, Simulation};
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
        /// The reason, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Close a session that RRAS no longer has, by its key. The answer is whether it was live.
    Close {
        /// Its key (acct_session_id).
        session: String,
        /// The reason, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Release an address. The answer is a [`Released`].
    Release {
        /// The IPv4 address, or any IPv6 address with the interface identifier.
        address: IpAddr,
        /// Also if a live session has it.
        force: bool,
        /// The reason, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Let a rule that was stopped end sessions again. The answer is whether it was stopped.
    Resume {
        /// The rule.
        rule: String,
    },
    /// What the last look at RRAS has shown of each live session, for a process that may not read the journal's folder. The
    /// answer is the service's `LiveTable`, with as many sessions as fit into an answer, in the order of their keys.
    Live {
        /// Only sessions after this key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Who is blocked, for a process that may not read the journal. The answer is the service's `BlocksInForce`, with as
    /// many blocks as fit into an answer, in the order of their subjects.
    Blocks {
        /// Only blocks after this one: its `subject`, as JSON.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// How much of each limit a user has used, and the user's block, for a process that may not read the journal. The answer is
    /// the service's `OfUser`.
    User {
        /// The domain, as the ledger stores it: mapped by the configuration, and folded.
        domain: String,
        /// The name without the domain, as the ledger stores it.
        name: String,
    },
    /// What would happen if a user connected. The answer is what `rasadmin explain --user --json` prints.
    Explain(Connecting),
    /// Simulate a candidate configuration over the past. The answer is the number of the simulation. It is refused with
    /// the candidate's mistakes if it has any.
    Simulate {
        /// The candidate's text. Its lists in files are those of the configuration in force.
        configuration: String,
        /// Report attempts from this time on, in milliseconds since 1970, UTC; earlier ones count only in limits and
        /// quotas. `None`: all.
        since: Option<i64>,
        /// Simulate only attempts before this time, in milliseconds since 1970, UTC.
        until: Option<i64>,
    },
    /// How far a simulation is. The answer is a [`Simulation`].
    Simulation {
        /// Its number.
        number: u64,
    },
    /// Stop a simulation. The answer is whether it was running.
    StopSimulation {
        /// Its number.
        number: u64,
    },
    /// A change for a user of the dashboard. The answer is that of the change.
    OnBehalf {
        /// The user's name in the dashboard, which is recorded with the account of the process that asks.
        of: String,
        /// The change. It is not a question, and not on behalf of somebody else again.
        change: Box<Request>,
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
            Self::Status {}
            | Self::Metrics {}
            | Self::Configuration {}
            | Self::Live { .. }
            | Self::Blocks { .. }
            | Self::User { .. }
            | Self::Explain(_)
            | Self::Simulate { .. }
            | Self::Simulation { .. }
            | Self::StopSimulation { .. } => Right::Read,
            Self::Disconnect { .. }
            | Self::Block { .. }
            | Self::Unblock { .. }
            | Self::Close { .. }
            | Self::Release { .. }
            | Self::Resume { .. } => Right::Change,
            Self::OnBehalf { change, .. } => change.right(),
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
    /// The mistakes of a candidate configuration, in the order of its text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mistakes: Vec<Mistake>,
    /// How many more mistakes it has.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_mistakes: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference.
const fn is_zero(number: &usize) -> bool {
    *number == 0
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
        let text = rasadmin_text::printable(&text.to_string()).into_owned();
        Self { why, text, mistakes: Vec::new(), more_mistakes: 0 }
    }

    /// The same, with who has asked.
    pub(crate) fn of(self, account: &str) -> Self {
        let Self { why, text, .. } = Self::new(self.why, format_args!("{account}: {}", self.text));
        Self { why, text, ..self }
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
    let request = serde_json::from_slice(json).map_err(|error| {
        Refusal::new(Why::Invalid, format_args!("this is not a request that it knows: {}", short(&error)))
    })?;
    on_behalf::check(&request)?;
    Ok(request)
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
            (r#"{"live":{}}"#, Request::Live { after: None }),
            (r#"{"live":{"after":"018f"}}"#, Request::Live { after: Some("018f".to_owned()) }),
            (r#"{"blocks":{}}"#, Request::Blocks { after: None }),
            (
                r#"{"user":{"domain":"CORP","name":"ALICE"}}"#,
                Request::User { domain: "CORP".to_owned(), name: "ALICE".to_owned() },
            ),
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
                Request::Unblock { subject: Subject::ClaimedComputer("PC7".to_owned()), reason: None },
            ),
            (
                r#"{"unblock":{"subject":{"user":"alice"},"reason":"found"}}"#,
                Request::Unblock { subject: Subject::User("alice".to_owned()), reason: Some("found".to_owned()) },
            ),
            (r#"{"close":{"session":"018f"}}"#, Request::Close { session: "018f".to_owned(), reason: None }),
            (
                r#"{"close":{"session":"018f","reason":"gone"}}"#,
                Request::Close { session: "018f".to_owned(), reason: Some("gone".to_owned()) },
            ),
            (
                r#"{"release":{"address":"10.8.0.1","force":false}}"#,
                Request::Release { address: IpAddr::from([10, 8, 0, 1]), force: false, reason: None },
            ),
            (
                r#"{"release":{"address":"10.8.0.1","force":true,"reason":"gone"}}"#,
                Request::Release { address: IpAddr::from([10, 8, 0, 1]), force: true, reason: Some("gone".to_owned()) },
            ),
            (
                r#"{"explain":{"user":"alice","domain":"CORP","tunnel":"SSTP","source":"203.0.113.9","computer":"PC7","port":"VPN2-1","at":7,"quarantine":"normal","interface":"client","offer":"10.0.0.1","ipv6":true}}"#,
                Request::Explain(Connecting {
                    user: "alice".to_owned(),
                    domain: Some("CORP".to_owned()),
                    tunnel: Some("SSTP".to_owned()),
                    source: Some(IpAddr::from([203, 0, 113, 9])),
                    computer: Some("PC7".to_owned()),
                    port: Some("VPN2-1".to_owned()),
                    at: Some(7),
                    quarantine: Some("normal".to_owned()),
                    interface: Some("client".to_owned()),
                    offer: Some([10, 0, 0, 1].into()),
                    ipv6: true,
                }),
            ),
            (
                r#"{"simulate":{"configuration":"default.action = 'deny'","since":7,"until":null}}"#,
                Request::Simulate { configuration: "default.action = 'deny'".to_owned(), since: Some(7), until: None },
            ),
            (r#"{"simulation":{"number":3}}"#, Request::Simulation { number: 3 }),
            (r#"{"stop-simulation":{"number":3}}"#, Request::StopSimulation { number: 3 }),
            (
                r#"{"on-behalf":{"of":"anna","change":{"close":{"session":"018f"}}}}"#,
                Request::OnBehalf {
                    of: "anna".to_owned(),
                    change: Box::new(Request::Close { session: "018f".to_owned(), reason: None }),
                },
            ),
        ] {
            assert_eq!(serde_json::to_string(&expected).unwrap(), json);
            assert_eq!(request(json.as_bytes()), Ok(expected));
        }
    }

    #[test]
    fn what_is_absent_can_be_left_out() {
        let asked = request(br#"{"explain":{"user":"alice","ipv6":false}}"#);
        assert_eq!(asked, Ok(Request::Explain(Connecting { user: "alice".to_owned(), ..Connecting::default() })));
        let asked = request(br#"{"simulate":{"configuration":""}}"#);
        assert_eq!(asked, Ok(Request::Simulate { configuration: String::new(), since: None, until: None }));
    }

    #[test]
    fn a_simulation_has_states_with_names_that_stay() {
        let why = || "why".to_owned();
        for (json, expected) in [
            (r#"{"running":{"done":1,"all":2}}"#, Simulation::Running { done: 1, all: 2 }),
            (
                r#"{"finished":{"answer":null,"more_users":3}}"#,
                Simulation::Finished { answer: serde_json::Value::Null, more_users: 3 },
            ),
            (r#"{"failed":{"why":"why"}}"#, Simulation::Failed { why: why() }),
            (r#"{"stopped":{"why":"why"}}"#, Simulation::Stopped { why: why() }),
        ] {
            assert_eq!(serde_json::to_string(&expected).unwrap(), json);
            assert_eq!(serde_json::from_str::<Simulation>(json).unwrap(), expected);
        }
    }

    /// An older client reads them, and an older service sends none.
    #[test]
    fn a_refusal_has_mistakes_only_if_there_are_any() {
        let plain = Refusal::new(Why::Invalid, "no");
        let json = r#"{"why":"invalid","text":"no"}"#;
        assert_eq!(serde_json::to_string(&plain).unwrap(), json);
        assert_eq!(serde_json::from_str::<Refusal>(json).unwrap(), plain);
        let mistake = Mistake { line: 1, column: 2, what: "wrong".to_owned(), help: "right".to_owned() };
        let full = Refusal { mistakes: vec![mistake], more_mistakes: 3, ..plain };
        let json = serde_json::to_string(&full).unwrap();
        assert_eq!(serde_json::from_str::<Refusal>(&json).unwrap(), full);
        assert_eq!((full.of("X").text.as_str(), json.contains(r#""more_mistakes":3"#)), ("X: no", true));
    }

    #[test]
    fn everything_else_is_refused_and_the_text_can_be_printed() {
        let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
        let bad = ["", "null", "{}", "\"status\"", r#"{"status":{"more":1}}"#, r#"{"shutdown":{}}"#, &deep];
        let more = [
            r#"{"status":{}}{"status":{}}"#,
            r#"{"status":{},"metrics":{}}"#,
            r#"{"explain":{"user":"alice","ipv6":false,"more":1}}"#,
            r#"{"explain":{"user":"alice","ipv6":false,"source":"everywhere"}}"#,
            r#"{"explain":{"ipv6":false}}"#,
            r#"{"simulate":{"configuration":"","file":"/etc/passwd"}}"#,
            r#"{"simulation":{"number":-1}}"#,
            r#"{"stop-simulation":{}}"#,
        ];
        for json in bad.into_iter().chain(more) {
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

        /// Whatever the texts of a request are: the service gets what the client has sent.
        #[test]
        fn what_is_asked_arrives(user: String, text: Option<String>, at: Option<i64>, number: u64, ipv6: bool) {
            let connecting = Connecting {
                domain: text.clone(),
                tunnel: text.clone(),
                computer: text.clone(),
                port: text.clone(),
                quarantine: text.clone(),
                interface: text,
                user: user.clone(),
                at,
                ipv6,
                ..Connecting::default()
            };
            for asked in [
                Request::Explain(connecting),
                Request::Simulate { configuration: user, since: at, until: at },
                Request::Simulation { number },
                Request::StopSimulation { number },
            ] {
                prop_assert_eq!(request(&serde_json::to_vec(&asked).unwrap()), Ok(asked));
            }
        }

        /// Half a request is refused, wherever it was cut.
        #[test]
        fn a_request_that_was_cut_is_refused(text in "[a-z]{0,40}", cut in 0..30_usize) {
            let asked = Request::Simulate { configuration: text, since: Some(1), until: None };
            let json = serde_json::to_vec(&asked).unwrap();
            prop_assert_eq!(request(&json[..json.len() - 1 - cut]).unwrap_err().why, Why::Invalid);
        }
    }
}
