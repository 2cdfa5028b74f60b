//! The judgement as JSON.

use rasadmin_host::judge::{Judgement, Seen, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

/// A trace compared with the unproven facts about RRAS.
#[derive(Serialize, JsonSchema)]
pub struct Answer<'a> {
    /// The version of rasadmin that judged.
    judged_by: &'static str,
    /// How many calls the trace has.
    calls: usize,
    /// Whether names and addresses were left out.
    anonymous: bool,
    /// Every point.
    points: Vec<PointAnswer<'a>>,
}

/// What a trace says of one point.
#[derive(Serialize, JsonSchema)]
struct PointAnswer<'a> {
    /// Its name.
    name: &'static str,
    /// The facts of docs/rras-behaviour.md that it is about.
    ids: &'static [&'static str],
    /// What that page states, or the host assumes.
    statement: &'static str,
    /// The verdict.
    verdict: VerdictAnswer,
    /// The assumption of `rasadmin host assumptions` that it is about, if it is about one.
    assumption: Option<&'static str>,
    /// The values of that assumption which the trace shows.
    values: Vec<&'static str>,
    /// What was seen, each kind once.
    seen: Vec<SeenAnswer<'a>>,
    /// What to do so that it shows.
    how: &'static str,
}

/// A verdict.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum VerdictAnswer {
    /// Every call that shows it agrees with the statement.
    Confirmed,
    /// Every call that shows it contradicts the statement.
    Contradicted,
    /// Some calls agree, others contradict.
    Mixed,
    /// No call shows it.
    NotSeen,
    /// No trace can show it.
    CannotShow,
}

/// One kind of thing that was seen.
#[derive(Serialize, JsonSchema)]
struct SeenAnswer<'a> {
    /// Whether it agrees with the statement.
    confirms: bool,
    /// The value of the assumption that it shows.
    value: Option<&'static str>,
    /// What it was.
    what: &'static str,
    /// How often.
    times: usize,
    /// The first few.
    examples: Vec<ExampleAnswer<'a>>,
}

/// The calls that show it.
#[derive(Serialize, JsonSchema)]
struct ExampleAnswer<'a> {
    /// Their numbers in the trace.
    calls: &'a [u64],
    /// Names and addresses of the trace that matter. Missing if there are none, or they were left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl<'a> Answer<'a> {
    pub fn new(calls: usize, judgements: &'a [Judgement], anonymous: bool) -> Self {
        let points = judgements.iter().map(|judgement| PointAnswer::new(judgement, anonymous)).collect();
        Self { judged_by: env!("CARGO_PKG_VERSION"), calls, anonymous, points }
    }
}

impl<'a> PointAnswer<'a> {
    fn new(judgement: &'a Judgement, anonymous: bool) -> Self {
        let point = judgement.point;
        Self {
            name: point.name,
            ids: point.ids,
            statement: point.statement,
            verdict: judgement.verdict().into(),
            assumption: point.assumption.map(|assumption| assumption.name()),
            values: judgement.values(),
            seen: judgement.seen.iter().map(|seen| SeenAnswer::new(seen, anonymous)).collect(),
            how: point.how,
        }
    }
}

impl From<Verdict> for VerdictAnswer {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Confirmed => Self::Confirmed,
            Verdict::Contradicted => Self::Contradicted,
            Verdict::Mixed => Self::Mixed,
            Verdict::NotSeen => Self::NotSeen,
            Verdict::CannotShow => Self::CannotShow,
        }
    }
}

impl<'a> SeenAnswer<'a> {
    fn new(seen: &'a Seen, anonymous: bool) -> Self {
        let Seen { confirms, value, what, times, ref examples } = *seen;
        let examples = examples.iter().map(|example| {
            let detail = (!anonymous && !example.detail.is_empty()).then_some(&*example.detail);
            ExampleAnswer { calls: &example.calls, detail }
        });
        Self { confirms, value, what, times, examples: examples.collect() }
    }
}
