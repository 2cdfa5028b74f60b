//! What was found out about a point, and the calls that show it.

use super::Point;
use super::trace::Trace;

/// How many examples are kept of each thing that was seen.
const EXAMPLES: usize = 5;

/// Whether a trace confirms a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
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

impl Verdict {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Contradicted => "contradicted",
            Self::Mixed => "mixed",
            Self::NotSeen => "not seen",
            Self::CannotShow => "a trace cannot show this",
        }
    }
}

/// The judgement of one point.
pub struct Judgement {
    /// The point.
    pub point: &'static Point,
    /// What was seen, each kind once.
    pub seen: Vec<Seen>,
}

/// One kind of thing that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Whether it agrees with the statement.
    pub confirms: bool,
    /// The value of the point's assumption that it shows.
    pub value: Option<&'static str>,
    /// What it was. The text has nothing of the trace in it.
    pub what: &'static str,
    /// How often.
    pub times: usize,
    /// The first few.
    pub examples: Vec<Example>,
}

/// The calls that show something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Their numbers in the trace.
    pub calls: Vec<u64>,
    /// Names and addresses of the trace that matter; may be empty.
    pub detail: String,
}

impl Judgement {
    pub(super) const fn new(point: &'static Point) -> Self {
        Self { point, seen: Vec::new() }
    }

    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        if !self.point.is_in_traces() {
            return Verdict::CannotShow;
        }
        let any = |confirms| self.seen.iter().any(|seen| seen.confirms == confirms);
        match (any(true), any(false)) {
            (true, false) => Verdict::Confirmed,
            (false, true) => Verdict::Contradicted,
            (true, true) => Verdict::Mixed,
            (false, false) => Verdict::NotSeen,
        }
    }

    /// The values of the point's assumption that were seen.
    pub fn values(&self) -> Vec<&'static str> {
        let all = self.point.assumption.map_or(&[][..], |assumption| assumption.values());
        all.iter().copied().filter(|value| self.seen.iter().any(|seen| seen.value == Some(value))).collect()
    }
}

/// Takes down what a look finds.
pub(super) struct Notes<'a> {
    trace: &'a Trace<'a>,
    judgement: &'a mut Judgement,
}

impl<'a> Notes<'a> {
    pub fn new(trace: &'a Trace<'a>, judgement: &'a mut Judgement) -> Self {
        Self { trace, judgement }
    }

    /// These calls agree with the statement.
    pub fn confirm(&mut self, what: &'static str, calls: &[usize], detail: String) {
        self.add(true, None, what, calls, detail);
    }

    /// These calls contradict the statement.
    pub fn contradict(&mut self, what: &'static str, calls: &[usize], detail: String) {
        self.add(false, None, what, calls, detail);
    }

    /// These calls show this value of the point's assumption. The default agrees with the statement.
    pub fn value(&mut self, value: &'static str, what: &'static str, calls: &[usize], detail: String) {
        let default = self.judgement.point.assumption.map(|assumption| assumption.values()[0]);
        self.add(default == Some(value), Some(value), what, calls, detail);
    }

    fn add(
        &mut self,
        confirms: bool,
        value: Option<&'static str>,
        what: &'static str,
        calls: &[usize],
        detail: String,
    ) {
        let all = &mut self.judgement.seen;
        let known = all.iter().position(|s| s.confirms == confirms && s.value == value && s.what == what);
        let at = known.unwrap_or_else(|| {
            all.push(Seen { confirms, value, what, times: 0, examples: Vec::new() });
            all.len() - 1
        });
        let seen = &mut all[at];
        seen.times += 1;
        if seen.examples.len() < EXAMPLES {
            let calls = calls.iter().map(|&call| self.trace.calls[call].seq).collect();
            seen.examples.push(Example { calls, detail });
        }
    }
}
