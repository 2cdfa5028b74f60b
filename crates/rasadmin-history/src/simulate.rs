//! Simulates what a configuration would have decided about past attempts to connect. Each attempt passes once more
//! through the code that decides, in the order of time.

mod ledger;
mod report;
mod trace;

pub use ledger::{LOOK_BACK, Period, count_in_ledger, from_ledger};
pub use report::{Because, ByRule, ByUser, PoolUse, Report};
pub use trace::from_trace;

use crate::{Ended, PastSession};
use rasadmin_engine::effect::Usage;
use rasadmin_engine::simulate::{Begin, Simulated, Simulation};
use rasadmin_policy::Millis;
use rasadmin_policy::config::Config;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// An attempt to connect, as its source has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Who connected, when and how; and, if the attempt was accepted, until when.
    pub session: PastSession,
    /// Did it ask for an IPv6 interface identifier?
    pub ipv6: bool,
    /// Set if it was refused. How long it would have lasted is unknown.
    pub refused: Option<Refused>,
}

/// Who refused an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A DLL like ours: by this rule or for this reason.
    ByDll(String),
    /// NPS, before a DLL was asked, for this reason. No configuration changes that.
    ByNps(String),
}

impl Attempt {
    /// The attempt of a session, which was accepted.
    pub fn accepted(session: PastSession) -> Self {
        Self { session, ipv6: false, refused: None }
    }

    /// An attempt that NPS refused.
    pub fn refused_by_nps(session: PastSession, reason: String) -> Self {
        Self { session, ipv6: false, refused: Some(Refused::ByNps(reason)) }
    }

    fn is_refused_by_nps(&self) -> bool {
        matches!(self.refused, Some(Refused::ByNps(_)))
    }

    /// When it ends. An attempt that was refused ends at once.
    fn stop(&self) -> (Millis, Usage) {
        let session = &self.session;
        match (&self.refused, session.ended) {
            (Some(_), _) => (session.start, Usage::default()),
            (None, Some(Ended { stop, usage, .. })) => (stop, usage),
            (None, None) => (session.last_seen, Usage::default()),
        }
    }
}

/// What the new configuration changes about an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// It was accepted, and would be refused.
    Refused,
    /// It was refused, and would be accepted.
    Accepted,
}

impl Change {
    fn of(attempt: &Attempt, simulated: &Simulated) -> Self {
        match (&attempt.refused, simulated.accepted) {
            (None, false) => Self::Refused,
            (Some(Refused::ByDll(_)), true) => Self::Accepted,
            _ => Self::None,
        }
    }
}

/// The ends that are still to come, the earliest first.
type Ends = BinaryHeap<Reverse<(Millis, u64, usize)>>;

/// The number of attempts between two calls of `progress`. With many rules, an attempt takes a millisecond.
const BETWEEN: usize = 64;

/// Simulates attempts with a configuration. `each` receives every result, and `progress` the number of attempts so far;
/// if it breaks, the simulation ends at once, with what it broke with. If one session ends when another begins, the end
/// comes first. Attempts before `since` are simulated too, so that limits and quotas include them, but they are neither
/// passed to `each` nor reported.
pub fn simulate<B>(
    config: &Arc<Config>,
    mut attempts: Vec<Attempt>,
    since: Option<Millis>,
    each: &mut dyn FnMut(&Attempt, &Simulated, Change),
    progress: &mut dyn FnMut(usize) -> ControlFlow<B>,
) -> ControlFlow<B, Report> {
    // Sources list sessions when they end, not in the order in which they began.
    attempts.sort_by_key(|attempt| attempt.session.start);
    let mut simulation = Simulation::new(config.clone());
    let mut report = Report::new(config);
    let mut ends = Ends::new();
    for (at, attempt) in attempts.iter().enumerate() {
        let handle = at as u64 + 1;
        end(&mut simulation, &mut report, &mut ends, &attempts, attempt.session.start);
        let simulated = simulation.begin(&begin(handle, attempt));
        let change = Change::of(attempt, &simulated);
        simulated.ended.iter().for_each(|earlier| report.pools_given_back(*earlier));
        let counts = since.is_none_or(|since| attempt.session.start >= since);
        if counts {
            report.add(attempt, &simulated, change);
            each(attempt, &simulated, change);
        }
        if simulated.accepted && attempt.is_refused_by_nps() {
            // It never came to an address, or to a session.
            simulation.end(handle, attempt.session.start, Usage::default());
        } else if simulated.accepted {
            report.pools_taken(attempt, handle, &simulated, counts);
            ends.push(Reverse((attempt.stop().0.max(attempt.session.start), handle, at)));
        }
        if at % BETWEEN == 0 {
            progress(at)?;
        }
    }
    end(&mut simulation, &mut report, &mut ends, &attempts, Millis::MAX);
    report.sort();
    ControlFlow::Continue(report)
}

fn end(simulation: &mut Simulation, report: &mut Report, ends: &mut Ends, attempts: &[Attempt], until: Millis) {
    while let Some(&Reverse((time, handle, at))) = ends.peek() {
        if time > until {
            break;
        }
        ends.pop();
        let usage = attempts.get(at).map_or_else(Usage::default, |attempt| attempt.stop().1);
        simulation.end(handle, time, usage);
        report.pools_given_back(handle);
    }
}

fn begin(handle: u64, attempt: &Attempt) -> Begin {
    let session = &attempt.session;
    Begin {
        handle,
        time: session.start,
        server: session.server.clone(),
        user: session.user.clone(),
        domain: session.domain.clone(),
        port: session.port.clone(),
        tunnel: session.tunnel.clone(),
        source: session.source.clone(),
        computer: session.computer.clone(),
        quarantine: session.quarantine.clone(),
        interface: session.interface.clone(),
        ipv6: attempt.ipv6,
    }
}
