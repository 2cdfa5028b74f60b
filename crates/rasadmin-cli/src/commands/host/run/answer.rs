//! The answer of `rasadmin host run` for programs.

use super::death::{Died, End};
use super::play::Ran;
use super::readings::Readings;
use crate::commands::host::ledger_summary::{AddressesFrom, Denied, Summary};
use rasadmin_host::StartFailure;
use rasadmin_host::outcome::{Answers, OutcomeKind};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The answer for programs.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Answer {
    NotStarted(NotStarted),
    Ran(Box<Report>),
    Died(Box<Died>),
    Readings(Box<Readings>),
}

/// RRAS would not start with these DLLs.
#[derive(Serialize, JsonSchema)]
pub struct NotStarted {
    /// Whether RRAS would start: false.
    started: bool,
    /// The reason.
    failure: Failure,
}

/// Why RRAS would not start.
#[derive(Serialize, JsonSchema)]
struct Failure {
    /// The DLL's path.
    dll: String,
    /// The Windows error code.
    error: u32,
    /// The number of the event that RRAS writes to the Event Log.
    event: u32,
    /// The same in words.
    message: String,
}

/// A day that was run.
#[derive(Serialize, JsonSchema)]
pub struct Report {
    /// Whether RRAS would start: true.
    started: bool,
    /// The RRAS server's name in the scenario.
    server: String,
    /// The paths of the DLLs, in their order.
    dlls: Vec<String>,
    /// How long the run took, in milliseconds.
    took_ms: f64,
    /// How many connections were attempted.
    connects: usize,
    /// How many of them were accepted.
    accepted: usize,
    /// How many of them were refused or rejected.
    refused: usize,
    /// Why connections were refused or cut, with how many each.
    reasons: BTreeMap<String, usize>,
    /// Further links of accepted connections.
    links: AnswerCounts,
    /// Reauthentications.
    reauthentications: AnswerCounts,
    /// Changes of the client's endpoint.
    endpoint_changes: AnswerCounts,
    /// What was assumed of RRAS other than usual, such as `ikev2-link=not-called`.
    assumed: Vec<String>,
    /// Addresses.
    addresses: AddressCounts,
    /// The most sessions that were live at once.
    peak: usize,
    /// How many expectations the scenario has.
    expectations: usize,
    /// What is wrong, as text: expectations that are not met, and addresses that two users had at once.
    faults: Vec<String>,
    /// What is dangerous, or would not work with RRAS, as text.
    warnings: Vec<String>,
    /// The processes of the DLLs that crashed or failed, in order.
    deaths: Vec<End>,
    /// The functions that were called, with their times.
    functions: Vec<FunctionTimes>,
    /// The result of every attempt to connect, in order.
    outcomes: Vec<Outcome>,
    /// Refusals by rule; only if --config was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    denied: Option<Vec<Denied>>,
    /// Where addresses came from; only if --config was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    given: Option<Vec<AddressesFrom>>,
}

/// How often the DLLs accepted and rejected something.
#[derive(Serialize, JsonSchema)]
struct AnswerCounts {
    /// How often they accepted it.
    accepted: usize,
    /// How often they rejected it.
    rejected: usize,
}

/// Addresses that clients got, and that DLLs got back.
#[derive(Serialize, JsonSchema)]
struct AddressCounts {
    /// How many IPv4 addresses clients got.
    ipv4_given: usize,
    /// How many IPv6 identifiers clients got.
    ipv6_given: usize,
    /// How many IPv4 addresses RRAS released to a DLL at the end of a session.
    ipv4_released: usize,
    /// How many IPv6 identifiers RRAS released to a DLL at the end of a session.
    ipv6_released: usize,
    /// How many IPv4 addresses RRAS released to a DLL because the connection was refused.
    ipv4_released_after_refusal: usize,
    /// How many IPv6 identifiers RRAS released to a DLL because the connection was refused.
    ipv6_released_after_refusal: usize,
}

/// How often a function was called, and how long its calls took.
#[derive(Serialize, JsonSchema)]
struct FunctionTimes {
    /// The function's name.
    function: &'static str,
    /// How many calls.
    calls: usize,
    /// The median, in nanoseconds.
    p50_ns: u64,
    /// The 99th percentile, in nanoseconds.
    p99_ns: u64,
    /// The longest, in nanoseconds.
    max_ns: u64,
}

/// The result of an attempt to connect.
#[derive(Serialize, JsonSchema)]
struct Outcome {
    /// The session's label in the scenario.
    session: String,
    /// The user as RRAS passed it.
    user: String,
    /// The tunnel: `SSTP`, `IKEv2`, `L2TP` or `PPTP`.
    tunnel: &'static str,
    /// Whether the connection was accepted.
    accepted: bool,
    /// The result in the word that a scenario's `expect` uses.
    became: &'static str,
    /// Why it was refused or rejected; null if it was accepted.
    refused: Option<String>,
    /// The index of the DLL that refused it; null if RRAS did, or if it was accepted.
    refused_by_dll: Option<usize>,
    /// Why it was cut later; null if it was not.
    cut: Option<String>,
    /// Whether pre-authentication callbacks let it in without authentication.
    pre_authenticated: bool,
    /// Its first port; empty if it got none.
    port: String,
    /// The client's IPv4 address; null if it got none.
    ipv4: Option<Ipv4Addr>,
}

impl From<&StartFailure> for NotStarted {
    fn from(failure: &StartFailure) -> Self {
        let failure = Failure {
            dll: failure.dll.display().to_string(),
            error: failure.code(),
            event: failure.event(),
            message: failure.to_string(),
        };
        Self { started: false, failure }
    }
}

impl From<&Ran<'_>> for Report {
    fn from(ran: &Ran<'_>) -> Self {
        let Ran { scenario, paths, day, stopped, took, summary, .. } = *ran;
        let name_of = |dll| ran.name_in_reasons(dll);
        let outcomes = day.outcomes.iter().map(|o| Outcome {
            session: o.session.clone(),
            user: o.user.clone(),
            tunnel: o.tunnel.name(),
            accepted: o.refused.is_none(),
            became: OutcomeKind::of(o).name(),
            refused: o.refused.map(|refused| refused.describe(&name_of)),
            refused_by_dll: o.refused.and_then(|refused| refused.dll()),
            cut: o.cut.map(|cut| cut.describe(&name_of)),
            pre_authenticated: o.pre_authenticated,
            port: o.port.clone(),
            ipv4: o.ipv4,
        });
        let functions = stopped.statistics.times().into_iter().map(|(function, times)| FunctionTimes {
            function: function.name(),
            calls: times.calls,
            p50_ns: times.p50,
            p99_ns: times.p99,
            max_ns: times.max,
        });
        let counts = |asked: Answers| AnswerCounts { accepted: asked.accepted, rejected: asked.rejected };
        Self {
            started: true,
            server: scenario.server.to_string(),
            dlls: paths.iter().map(|path| path.display().to_string()).collect(),
            took_ms: took.as_secs_f64() * 1e3,
            connects: day.outcomes.len(),
            accepted: day.accepted(),
            refused: day.outcomes.len() - day.accepted(),
            reasons: day.refusals(&name_of),
            links: counts(day.links),
            reauthentications: counts(day.reauthentications),
            endpoint_changes: counts(day.endpoint_changes),
            assumed: scenario.assumptions.changed(),
            addresses: AddressCounts {
                ipv4_given: day.ipv4_given,
                ipv6_given: day.ipv6_given,
                ipv4_released: day.released.ipv4,
                ipv6_released: day.released.ipv6,
                ipv4_released_after_refusal: day.released_after_refusal.ipv4,
                ipv6_released_after_refusal: day.released_after_refusal.ipv6,
            },
            peak: day.peak,
            expectations: scenario.expectations.len(),
            faults: scenario.faults(day),
            warnings: ran.warnings(),
            deaths: stopped.deaths.iter().map(|death| End::new(death, paths)).collect(),
            functions: functions.collect(),
            outcomes: outcomes.collect(),
            denied: summary.map(Summary::denied),
            given: summary.map(Summary::given),
        }
    }
}
