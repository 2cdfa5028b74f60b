//! Compares a trace with the unproven facts about RRAS.
//!
//! docs/rras-behaviour.md marks facts as unproven. `examples/recorder` records what a real server calls; this module reads
//! such a trace and finds out, for each fact, whether the calls confirm or contradict what the page states. Each [`Point`] is one
//! statement with the ids of its facts; `points` has them, grouped by subject.

mod connection;
mod judgement;
mod points;
mod trace;

pub use judgement::{Example, Judgement, Seen, Verdict};
pub use points::POINTS;

use crate::assumptions::Assumption;
use judgement::Notes;
use rasadmin_trace::{Call, Header};
use trace::Trace;

/// A statement about RRAS that a trace may confirm or contradict.
pub struct Point {
    /// Its name, unique among the points.
    pub name: &'static str,
    /// The facts of docs/rras-behaviour.md that it is about.
    pub ids: &'static [&'static str],
    /// What the page states, or the host assumes.
    pub statement: &'static str,
    /// The assumption that lets the host do otherwise.
    pub assumption: Option<Assumption>,
    /// What to do so that the fact shows: in a trace, or elsewhere if no trace can show it.
    pub how: &'static str,
    look: Look,
}

/// How a point is judged.
enum Look {
    /// By the calls.
    Calls(fn(&Trace<'_>, &mut Notes<'_>)),
    /// No trace can show it.
    Elsewhere,
}

impl Point {
    /// Whether a trace can show it.
    pub const fn is_in_traces(&self) -> bool {
        matches!(self.look, Look::Calls(_))
    }
}

/// Judges every point, in the order of [`POINTS`].
pub fn judge(header: &Header, calls: &[Call]) -> Vec<Judgement> {
    let trace = Trace::new(header, calls);
    POINTS
        .iter()
        .map(|point| {
            let mut judgement = Judgement::new(point);
            if let Look::Calls(look) = point.look {
                look(&trace, &mut Notes::new(&trace, &mut judgement));
            }
            judgement
        })
        .collect()
}
